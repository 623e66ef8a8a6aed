"""What the pure checks say of a rule can be said in English too, every sentence of it."""

from __future__ import annotations

import re

import pytest
from django.utils import translation

from creditbank.errors import Problem
from creditbank.proofs.strictjson import JsonRefused
from creditbank.recognition.language import references, rulechecks, schemas, sense
from creditbank.recognition.register import problemwords

HAN = re.compile("[\u4e00-\u9fff]")
SAID = {
    schemas.unreadable(JsonRefused("json-malformed")).message,
    *schemas.SENTENCES.values(),
    *sense.SENTENCES.values(),
    *references.SENTENCES.values(),
    *rulechecks.SENTENCES.values(),
}


@pytest.mark.parametrize("text", sorted(SAID))
def test_every_sentence_about_a_rule_has_its_english_one(text: str) -> None:
    found = Problem(code="x", message=text)
    with translation.override("en"):
        assert not HAN.search(problemwords.message(found))
    with translation.override("zh-hans"):
        assert problemwords.message(found) == text


def test_the_table_holds_nothing_that_nobody_says() -> None:
    assert set(problemwords.SENTENCES) == SAID


def test_what_the_ledger_says_is_said_here_too() -> None:
    with translation.override("en"):
        assert not HAN.search(problemwords.message(Problem(code="x", message="账号不对")))
        assert problemwords.message(Problem(code="x", message="所有别的")) == "所有别的"
