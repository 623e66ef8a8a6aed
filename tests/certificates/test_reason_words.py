"""A published reason reads the same on the page, in the API and in the offline verifier."""

from __future__ import annotations

from django.utils import translation

from certificates import queries, trustlist
from certificates.formats.vocabulary import REASONS, reason_label
from certificates.models import Revoking


def test_every_reason_has_words() -> None:
    published = {*Revoking.values, trustlist.REVERSED, trustlist.REVERSED_BY_ORDER}
    assert set(REASONS) == published


def test_the_verifier_and_the_pages_use_the_same_words() -> None:
    for reason, label in REASONS.items():
        with translation.override("zh-hans"):
            assert str(queries.reason_words(reason)) == label.zh
        with translation.override("en"):
            assert str(queries.reason_words(reason)) == label.en


def test_a_reason_of_a_later_version_is_shown_as_it_stands() -> None:
    assert reason_label("something-new").en == "something-new"
