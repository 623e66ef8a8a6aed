"""The language switch: it comes back to the page, and anonymous visits write no session."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse


@pytest.fixture
def visitor() -> Client:
    # The static files are not collected for tests; their folder is expected all the same.
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    return Client(enforce_csrf_checks=True)


@pytest.mark.parametrize("code", ["en", "zh-hans"])
def test_the_switch_keeps_the_page_and_remembers_the_language(visitor: Client, code: str) -> None:
    answer = visitor.post(
        reverse("set_language"), {"language": code, "next": "/log?index=7"}, HTTP_HOST="localhost"
    )
    assert answer.status_code == 302
    assert answer["Location"] == "/log?index=7"
    assert answer.cookies[settings.LANGUAGE_COOKIE_NAME].value == code


def test_the_switch_starts_no_session(visitor: Client) -> None:
    answer = visitor.post(
        reverse("set_language"), {"language": "en", "next": "/"}, HTTP_HOST="localhost"
    )
    assert settings.SESSION_COOKIE_NAME not in answer.cookies


def test_the_switch_leads_nowhere_else(visitor: Client) -> None:
    answer = visitor.post(
        reverse("set_language"),
        {"language": "en", "next": "https://elsewhere.example/"},
        HTTP_HOST="localhost",
    )
    assert answer["Location"] == "/"
