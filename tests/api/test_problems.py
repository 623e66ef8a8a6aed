"""How the API refuses: one form, in the reader's language, and nothing of its inside."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from api.exceptions import problem_handler
from creditbank.errors import DomainError
from creditbank.signer.client import SignerRefused, SignerUnavailable
from tests.api.clients import anyone, problem


def test_an_address_that_is_none_is_a_problem_too(db: Any) -> None:
    for path in (
        "/api/v1/nothing",
        "/api/",
        "/api/v2/log",
        "/api/v1/log/",
        "/api/v1/log/entries/01",
    ):
        problem(anyone().get(path), 404, "not-found")


def test_an_address_that_is_none_says_so_to_a_post_too(db: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/api/v1/nothing", {}, content_type="application/json")
    problem(answer, 404, "not-found")


@pytest.mark.parametrize(
    "path", ["/api/v1/log/entries/%00", "/api/v1/streams/a%00b/c", "/api/v1/%ff"]
)
def test_a_nul_or_a_broken_character_in_an_address_is_not_found(path: str, db: Any) -> None:
    problem(anyone().get(path), 404, "not-found")


def test_a_nul_in_a_query_is_refused(db: Any) -> None:
    answer = problem(anyone().get("/api/v1/catalogue?on=%00"), 422, "request-invalid")
    assert answer["problems"][0]["field"] == "on"


def test_a_method_that_is_not_there_is_a_405(db: Any) -> None:
    for method in ("put", "patch", "delete", "options"):
        answer = getattr(anyone(), method)("/api/v1/log")
        problem(answer, 405, "method-not-allowed")
        assert "GET" in answer["Allow"]


def test_titles_are_in_the_readers_language(db: Any) -> None:
    chinese = anyone(**{"Accept-Language": "zh-CN"}).get("/api/v1/nothing")
    assert chinese.json()["title"] == "没有这个内容"
    assert chinese["Content-Language"] == "zh-hans"
    english = anyone(**{"Accept-Language": "en"}).get("/api/v1/nothing")
    assert english["Content-Language"] == "en"


def test_what_the_client_accepts_does_not_matter(db: Any) -> None:
    for accept in ("application/pdf", "text/html", "*/*;q=0", "nonsense"):
        problem(anyone(Accept=accept).get("/api/v1/me/statement"), 401, "api-key-missing")


class Strange(Exception):
    pass


def test_our_own_fault_is_told_by_an_incident_number_alone(caplog: Any) -> None:
    secret = "22999919900101001X"
    try:
        raise Strange(secret)
    except Strange as error:
        with caplog.at_level(logging.ERROR):
            answer = problem_handler(error, {})
    assert answer.status_code == 500
    assert answer.data["code"] == "internal-error"
    assert secret not in str(answer.data)
    assert secret not in caplog.text
    assert answer.data["incident"] in caplog.text
    assert "Strange" in caplog.text


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SignerUnavailable("no socket"), "signer-unavailable"),
        (SignerRefused("behind-anchor", "inner matters"), "signer-unavailable"),
        (OperationalError("connection to 10.0.0.1 failed"), "service-unavailable"),
    ],
)
def test_what_passes_by_itself_is_a_503_with_retry_after(error: Exception, code: str) -> None:
    answer = problem_handler(error, {})
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert answer.data["code"] == code
    assert "10.0.0.1" not in str(answer.data)
    assert "inner" not in str(answer.data)


def test_facts_that_are_not_on_the_list_stay_inside() -> None:
    answer = problem_handler(DomainError(stream="a.example/1", learner="a person", path="/srv"), {})
    assert answer.data["facts"] == {"stream": "a.example/1"}


def test_an_api_reached_in_clear_is_refused_where_the_bank_has_tls(settings: Any, db: Any) -> None:
    settings.SECURE = True
    settings.SECURE_SSL_REDIRECT = True
    problem(anyone().get("/api/v1/log"), 403, "https-required")
