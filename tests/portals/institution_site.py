"""The desk of an institution as its members open it: clients signed in, and pages read as text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from creditbank.institutions.models import Member
from creditbank.users.models import User
from tests.recording.cast import School, make_school


def signed_in_as(user: User) -> Client:
    """A browser in which somebody is signed in."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def signed_in(member: Member) -> Client:
    """A browser in which a member is signed in."""
    return signed_in_as(member.user)


def text_of(response: Any) -> str:
    """What a page says, without its markup."""
    body = re.sub(
        r"<(script|style|svg|noscript)\b.*?</\1>", " ", response.content.decode(), flags=re.S
    )
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def hidden(response: Any) -> dict[str, str]:
    """The hidden fields of a page, as a browser would send them back."""
    found = re.findall(
        r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?', response.content.decode()
    )
    return {name: html.unescape(value) for name, value in found}


@pytest.fixture
def school(bank: object, settings: Any) -> Iterator[School]:
    """A school whose staff sign in without a second factor here; sentences are Chinese."""
    settings.STAFF_SECOND_FACTOR = False
    with translation.override("zh-hans"):
        yield make_school()
