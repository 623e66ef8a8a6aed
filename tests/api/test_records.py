"""POST /api/v1/institutions/SLUG/records and GET .../drafts/ID."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from api.models import IdempotentRequest
from creditbank.institutions import operations as institutions
from creditbank.institutions.kinds import Role
from creditbank.ledger import queries as ledger
from creditbank.recording import operations as recording
from creditbank.recording.models import Draft
from tests.api.clients import Program, problem, program_of
from tests.api.rows import row
from tests.institutions.cast import make_member
from tests.ledger.cast import College, make_college, make_own_stream


@pytest.fixture
def college(bank: Any) -> College:
    return make_college(courses=1)


@pytest.fixture
def program(college: College) -> Program:
    return program_of(college.institution)


def record(program: Program, college: College, *rows: dict[str, Any], key: str = "term-1") -> Any:
    return program.post(
        f"institutions/{college.institution.slug}/records",
        {"rows": list(rows)},
        Idempotency_Key=key,
    )


def test_rows_wait_for_a_second_person_and_end_in_a_receipt(
    college: College, program: Program
) -> None:
    answer = record(program, college, row(college, 1), row(college, 2))
    assert answer.status_code == 202, answer.content
    draft = answer.json()
    assert draft["state"] == "submitted"
    assert draft["rows"] == 2
    assert draft["receipt"] is None
    path = answer["Location"].removeprefix("/api/v1/")
    assert program.get(path).json() == draft
    before = ledger.log_state().size
    reviewer = make_member(college.institution, Role.REVIEWER, serial=9100).user
    receipt = recording.approve_draft(draft=Draft.objects.get(pk=draft["id"]), acting_user=reviewer)
    assert ledger.log_state().size == before + 3
    after = program.get(path).json()
    assert after["state"] == "approved"
    assert after["receipt"]["manifest_index"] == receipt.manifest_index
    proof = program.get(f"receipts/{after['receipt']['first_index']}")
    assert proof.status_code == 200


def test_whoever_the_key_acts_for_cannot_approve(college: College, program: Program) -> None:
    draft = Draft.objects.get(pk=record(program, college, row(college, 1)).json()["id"])
    assert draft.prepared_by == program.user
    from creditbank.access import SamePerson

    with pytest.raises(SamePerson):
        recording.approve_draft(draft=draft, acting_user=program.user)


def test_the_same_request_sent_again_is_the_same_draft(college: College, program: Program) -> None:
    first = record(program, college, row(college, 1))
    again = record(program, college, row(college, 1))
    assert again.status_code == 202
    assert again.json() == first.json()
    assert Draft.objects.count() == 1


def test_a_used_key_with_other_rows_is_refused(college: College, program: Program) -> None:
    record(program, college, row(college, 1))
    answer = record(program, college, row(college, 2))
    problem(answer, 409, "idempotency-key-reused")
    assert Draft.objects.count() == 1


def test_the_same_request_at_once_is_one_draft(college: College, program: Program) -> None:
    def send(_number: int) -> Any:
        try:
            return record(program, college, row(college, 1)).json()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))
    assert {answer["id"] for answer in answers} == {str(Draft.objects.get().pk)}
    assert IdempotentRequest.objects.count() == 1


def test_the_key_is_each_institutions_own(college: College, program: Program) -> None:
    other = make_college(courses=1)
    stranger = program_of(other.institution)
    first = record(program, college, row(college, 1))
    second = record(stranger, other, row(other, 1))
    assert first.json()["id"] != second.json()["id"]


@pytest.mark.parametrize("key", ["", " ", "a b", "ü", "x" * 101])
def test_without_a_key_nothing_is_recorded(key: str, college: College, program: Program) -> None:
    answer = record(program, college, row(college, 1), key=key)
    problem(answer, 400, "idempotency-key-missing")
    assert Draft.objects.count() == 0


def test_all_problems_are_told_and_nothing_is_kept(college: College, program: Program) -> None:
    answer = record(
        program, college, row(college, 1), row(college, 2, item="NO-SUCH"), row(college, 1)
    )
    body = problem(answer, 422, "rows-refused")
    assert {one["row"] for one in body["problems"]} >= {2, 3}
    assert Draft.objects.count() == 0
    assert IdempotentRequest.objects.count() == 0
    # The key was not used up.
    assert record(program, college, row(college, 1)).status_code == 202


def test_an_own_key_institution_records_by_submissions_alone(bank: Any) -> None:
    college = make_college(courses=1)
    make_own_stream(college)
    institutions.close_stream(
        stream=college.institution.streams.get(name=college.hosted), acting_user=None
    )
    answer = record(program_of(college.institution), college, row(college, 1))
    problem(answer, 403, "own-key-stream")


def test_a_suspended_institution_records_nothing(college: College, program: Program) -> None:
    institutions.suspend_institution(institution=college.institution, acting_user=None)
    problem(record(program, college, row(college, 1)), 403, "institution-suspended")


def test_another_institutions_address_is_not_found(college: College) -> None:
    stranger = program_of(make_college(courses=1).institution)
    problem(record(stranger, college, row(college, 1)), 404, "not-found")


def test_another_institutions_draft_is_not_found(college: College, program: Program) -> None:
    draft = record(program, college, row(college, 1)).json()["id"]
    other = make_college(courses=1).institution
    stranger = program_of(other)
    problem(stranger.get(f"institutions/{other.slug}/drafts/{draft}"), 404, "not-found")
    slug = college.institution.slug
    problem(stranger.get(f"institutions/{slug}/drafts/{draft}"), 404, "not-found")
    problem(program.get(f"institutions/{slug}/drafts/{uuid.uuid4()}"), 404, "not-found")
