"""GET and POST /api/v1/me/transcripts, GET /api/v1/me/transcripts/NUMBER and its files."""

from __future__ import annotations

from typing import Any

import pytest

from certificates import queries
from creditbank.jobs import outbox
from tests.api.clients import Program, problem, program_of_learner
from tests.certificates.holders import Holder, make_holder
from tests.learners.people import register


@pytest.fixture
def holder(bank: Any) -> Holder:
    return make_holder(lines=2)


@pytest.fixture
def program(holder: Holder) -> Program:
    return program_of_learner(holder.learner)


def test_a_transcript_is_requested_followed_and_fetched(holder: Holder, program: Program) -> None:
    asked = program.post("me/transcripts", {})
    assert asked.status_code == 202, asked.content
    number = asked.json()["number"]
    assert asked.json()["state"] == "requested"
    assert asked.json()["verify_url"] is None
    assert asked["Location"] == f"/api/v1/me/transcripts/{number}"
    problem(program.get(f"me/transcripts/{number}/pdf"), 409, "transcript-not-ready")
    outbox.run_due()
    found = program.get(f"me/transcripts/{number}").json()
    assert found["state"] == "issued"
    assert found["ready"] is True
    transcript = queries.transcript_of(holder.learner, number)
    assert found["verify_url"].endswith("/v/" + queries.verify_token(transcript))
    pdf = program.get(f"me/transcripts/{number}/pdf")
    assert pdf["Content-Type"] == "application/pdf"
    assert pdf["Cache-Control"] == "no-store"
    assert pdf.content == queries.pdf(transcript)
    document = program.get(f"me/transcripts/{number}/json")
    assert document.content == queries.json(transcript)
    assert document.json()["proof"]
    (listed,) = program.get("me/transcripts").json()["transcripts"]
    assert listed == found


def test_a_transcript_of_chosen_entries(holder: Holder, program: Program) -> None:
    index = holder.indexes()[0]
    number = program.post("me/transcripts", {"indexes": [index]}).json()["number"]
    outbox.run_due()
    assert program.get(f"me/transcripts/{number}").json()["state"] == "issued"


def test_a_request_while_one_is_at_work_returns_that_one(program: Program) -> None:
    first = program.post("me/transcripts", {}).json()
    assert program.post("me/transcripts", {}).json()["number"] == first["number"]


def test_an_entry_that_is_not_ones_own_is_refused(holder: Holder, program: Program) -> None:
    answer = program.post("me/transcripts", {"indexes": [1, holder.indexes()[0]]})
    assert problem(answer, 422, "unknown-lines")["facts"] == {"indexes": [1]}


@pytest.mark.parametrize(
    "body", [{"indexes": []}, {"indexes": [-1]}, {"indexes": ["x"]}, {"indexes": 1}, {"all": True}]
)
def test_a_request_of_another_shape_is_refused(body: Any, program: Program) -> None:
    problem(program.post("me/transcripts", body), 422, "request-invalid")


def test_without_outcomes_there_is_nothing_to_certify(bank: Any) -> None:
    program = program_of_learner(register())
    problem(program.post("me/transcripts", {}), 409, "nothing-to-certify")


def test_another_learners_transcript_is_not_found(holder: Holder, program: Program) -> None:
    number = program.post("me/transcripts", {}).json()["number"]
    stranger = program_of_learner(register())
    for path in (number, f"{number}/pdf", f"{number}/json"):
        problem(stranger.get(f"me/transcripts/{path}"), 404, "not-found")
    assert stranger.get("me/transcripts").json() == {"transcripts": []}
