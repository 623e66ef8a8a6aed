"""A browser's report of what a page's policy refused: logged by host, never repeated whole."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.test import Client

TYPE = "application/csp-report"


@pytest.fixture
def client(db: object) -> Client:
    from tests.api.clients import forget_counters

    forget_counters()
    return Client(enforce_csrf_checks=True)


def told(**members: Any) -> bytes:
    return json.dumps({"csp-report": members}).encode()


def test_every_page_names_the_address(client: Client) -> None:
    assert "report-uri /csp" in client.get("/")["Content-Security-Policy"]


def test_a_report_is_logged_with_directive_and_host_alone(client: Client, caplog: Any) -> None:
    body = told(
        **{
            "document-uri": "https://bank.example/v/0123456789abcdefghijkl",
            "effective-directive": "script-src-elem",
            "blocked-uri": "https://evil.example/steal?who=229999199001010413",
        }
    )
    with caplog.at_level(logging.WARNING):
        assert client.post("/csp", body, content_type=TYPE).status_code == 204
    assert "csp: script-src-elem refused evil.example" in caplog.text
    for secret in ("229999199001010413", "steal", "0123456789abcdefghijkl"):
        assert secret not in caplog.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"[]", 400), (b"{}", 400), (b'{"csp-report": 1}', 400), (b"\xff", 400),
        (b"[" * 15_000, 400), (b"x" * 16_385, 413),
        (told(**{"effective-directive": "a\nb", "blocked-uri": "http://[bad"}), 204),
    ],
)  # fmt: skip
def test_what_anybody_sends_breaks_nothing(
    body: bytes, status: int, client: Client, caplog: Any
) -> None:
    assert client.post("/csp", body, content_type=TYPE).status_code == status
    assert "a\nb" not in caplog.text


def test_reports_are_limited_and_only_posted(client: Client) -> None:
    assert client.get("/csp").status_code == 405
    body = told(**{"effective-directive": "img-src", "blocked-uri": "inline"})
    answers = [client.post("/csp", body, content_type=TYPE).status_code for _ in range(35)]
    assert answers.count(204) == 30
    assert answers[-1] == 429
