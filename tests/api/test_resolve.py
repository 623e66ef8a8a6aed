"""POST /api/v1/streams/NAME/resolve."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from learners.models import Learner
from tests.api.clients import Program, problem, program_of
from tests.api.rows import row
from tests.ledger.cast import College, OwnStream, make_college, make_own_stream


@pytest.fixture
def college(bank: Any) -> College:
    return make_college(courses=1)


@pytest.fixture
def own(college: College) -> OwnStream:
    return make_own_stream(college)


@pytest.fixture
def program(college: College) -> Program:
    return program_of(college.institution)


def resolve(program: Program, own: OwnStream, *rows: dict[str, Any]) -> Any:
    return program.post(f"streams/{own.name}/resolve", {"rows": list(rows)})


def test_an_identity_becomes_an_account_that_waits(
    program: Program, college: College, own: OwnStream
) -> None:
    answer = resolve(program, own, row(college, 1), row(college, 2, credits=3.00))
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert [one["row"] for one in body["rows"]] == [1, 2]
    assert all(one["waiting"] for one in body["rows"])
    assert body["rows"][0]["account"] != body["rows"][1]["account"]
    assert body["rows"][0]["credits"] == "3.00"
    assert body["next_seq"] == 0
    assert Learner.objects.count() == 2
    again = resolve(program, own, row(college, 1)).json()
    assert again["rows"][0]["account"] == body["rows"][0]["account"]
    assert Learner.objects.count() == 2


def test_all_problems_of_all_rows_are_told_at_once_and_nobody_gets_an_account(
    program: Program, college: College, own: OwnStream
) -> None:
    broken = row(college, 3)
    broken["number"] = broken["number"][:-1] + ("1" if broken["number"][-1] != "1" else "2")
    answer = resolve(
        program,
        own,
        row(college, 4),
        broken,
        row(college, 5, item="NO-SUCH", completed_on="2030-01-01"),
        row(college, 6, credits="2.005"),
        row(college, 7, credits="250"),
        row(college, 8, name=None),
    )
    body = problem(answer, 422, "rows-refused")
    found = {(one["row"], one["field"], one["code"]) for one in body["problems"]}
    assert (2, "number", "identity-check") in found
    assert (3, "item", "unknown-item") in found
    assert (3, "completed_on", "date-in-future") in found
    assert (4, "credits", "credits-not-hundredths") in found
    assert (5, "credits", "credits-out-of-range") in found
    assert (6, "name", "value-missing") in found
    assert all(one["message"] for one in body["problems"])
    assert broken["number"] not in answer.content.decode()
    assert Learner.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "rows"),
        ({"rows": []}, "rows"),
        ({"rows": {}}, "rows"),
        ({"rows": [1]}, "rows"),
        ({"rows": [], "more": 1}, "more"),
        ({"rows": [{"number": 1}]}, "number"),
        ({"rows": [{"number": ["1"]}]}, "number"),
        ({"rows": [{"credits": True}]}, "credits"),
        ({"rows": [{"account": "x"}]}, "account"),
        ([], None),
        ("rows", None),
        (None, None),
    ],
)
def test_a_request_of_another_shape_is_refused(
    body: Any, field: str | None, program: Program, own: OwnStream
) -> None:
    import json

    answer = program.post(f"streams/{own.name}/resolve", json.dumps(body))
    found = problem(answer, 422, "request-invalid")["problems"]
    assert field in [one["field"] for one in found]


def test_a_hosted_stream_resolves_nothing(program: Program, college: College) -> None:
    answer = program.post(f"streams/{college.hosted}/resolve", {"rows": [row(college, 1)]})
    problem(answer, 409, "stream-mode")


def test_another_institutions_stream_is_not_found(own: OwnStream, college: College) -> None:
    stranger = program_of(make_college(courses=1).institution)
    problem(resolve(stranger, own, row(college, 1)), 404, "not-found")


def test_no_identity_is_logged(
    program: Program, college: College, own: OwnStream, caplog: Any
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert resolve(program, own, row(college, 9)).status_code == 200
    assert row(college, 9)["number"] not in caplog.text
    assert "金明" not in caplog.text
