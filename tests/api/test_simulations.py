"""POST and GET /api/v1/institutions/SLUG/rules/CODE/VERSION/simulations."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from creditbank.jobs import outbox
from tests.api.clients import Program, problem, program_of
from tests.recognition.shelf import Shelf
from tests.recording.cast import School, make_school


@pytest.fixture
def school(bank: Any, settings: Any) -> School:
    settings.STAFF_SECOND_FACTOR = False
    return make_school(courses=1)


@pytest.fixture
def shelf(school: School) -> Shelf:
    return Shelf(
        institution=school.institution,
        clerk_member=school.clerk_member,
        reviewer_member=school.reviewer_member,
    )


@pytest.fixture
def program(shelf: Shelf) -> Program:
    return program_of(shelf.institution)


def start(program: Program, where: str, body: Any) -> Any:
    return program.post(where, json.dumps(body))


def test_a_draft_is_simulated_and_the_counts_are_read(
    school: School, shelf: Shelf, program: Program
) -> None:
    shelf.publish_programme(code="P-1")
    school.record(*school.rows(2))
    shelf.draft(code="R-1")
    where = f"institutions/{shelf.slug}/rules/R-1/1/simulations"
    answer = start(program, where, {"programme": "P-1"})
    assert answer.status_code == 202, answer.content
    begun = answer.json()
    assert (begun["state"], begun["done"], begun["total"]) == ("waiting", 0, 2)
    outbox.run_due()
    path = answer["Location"].removeprefix("/api/v1/")
    ended = program.get(path).json()
    assert (ended["state"], ended["done"]) == ("succeeded", 2)
    assert ended["counts"]["gain"] == 2
    assert ended["counts"]["gain_credits"] == "6.00"
    assert ended["programme"] == "P-1"
    assert [one["id"] for one in program.get(where).json()["simulations"]] == [ended["id"]]


def test_what_cannot_be_simulated_is_refused(shelf: Shelf, program: Program) -> None:
    shelf.publish_programme(code="P-1")
    shelf.draft(code="R-1", allocation={"to": [{"course": "NO-SUCH"}]})
    where = f"institutions/{shelf.slug}/rules/R-1/1/simulations"
    problem(start(program, where, {"programme": "P-9"}), 404, "unknown-programme")
    problem(start(program, where, {}), 422, "request-invalid")
    body = problem(start(program, where, {"programme": "P-1"}), 422, "document-refused")
    assert [one["field"] for one in body["problems"]] == ["/allocation/to/0/course"]
    shelf.publish(code="R-2")
    where = f"institutions/{shelf.slug}/rules/R-2/1/simulations"
    problem(start(program, where, {"programme": "P-1"}), 422, "nothing-to-simulate")


def test_what_is_not_there_is_not_found(shelf: Shelf, program: Program) -> None:
    shelf.draft(code="R-1")
    base = f"institutions/{shelf.slug}/rules"
    problem(program.get(f"{base}/R-9/1/simulations"), 404, "unknown-rule")
    problem(program.get(f"{base}/R-1/1/simulations/{uuid.uuid4()}"), 404, "unknown-simulation")


def test_a_key_without_the_scope_is_refused(shelf: Shelf) -> None:
    shelf.draft(code="R-1")
    program = program_of(shelf.institution, "record")
    problem(program.get(f"institutions/{shelf.slug}/rules/R-1/1/simulations"), 403, "scope-missing")
