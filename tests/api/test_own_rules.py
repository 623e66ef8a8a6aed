"""POST /api/v1/institutions/SLUG/rules and its steps, and the same of programmes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from creditbank.recognition.models import ProgrammeVersion, RuleVersion
from tests.api.clients import Program, problem, program_of
from tests.recognition.shelf import Shelf, make_shelf


@pytest.fixture
def shelf(bank: Any, settings: Any) -> Shelf:
    settings.STAFF_SECOND_FACTOR = False
    return make_shelf()


@pytest.fixture
def program(shelf: Shelf) -> Program:
    return program_of(shelf.institution)


@pytest.fixture
def second(shelf: Shelf) -> Program:
    """A program of another person's."""
    return program_of(shelf.institution)


def path(shelf: Shelf, *parts: object) -> str:
    return "/".join(["institutions", shelf.slug, *map(str, parts)])


def post(program: Program, where: str, body: Any = None) -> Any:
    return program.post(where, json.dumps(body) if body is not None else "{}")


def test_a_rule_goes_the_whole_way(shelf: Shelf, program: Program, second: Program) -> None:
    said = shelf.rule(code="R-1")
    made = post(program, path(shelf, "rules"), said)
    assert made.status_code == 201, made.content
    assert made["Location"] == f"/api/v1/{path(shelf, 'rules/R-1/1')}"
    assert made.json()["state"] == "draft"
    assert made.json()["document"] == said
    changed = post(program, path(shelf, "rules/R-1/1"), said | {"title": "改过的名称"})
    assert changed.json()["title"] == "改过的名称"
    assert post(program, path(shelf, "rules/R-1/1/file")).json()["state"] == "filed"
    problem(post(program, path(shelf, "rules/R-1/1/publish")), 403, "same-person")
    published = post(second, path(shelf, "rules/R-1/1/publish"))
    assert published.status_code == 200, published.content
    assert published.json()["state"] == "in-force"
    assert published.json()["log_index"] == RuleVersion.objects.get().entry_index
    again = post(second, path(shelf, "rules/R-1/1/publish"))
    assert again.json() == published.json()
    gone = post(second, path(shelf, "rules/R-1/1/withdraw"), {"reason": "文件已废止"})
    assert gone.json()["state"] == "withdrawn"
    assert gone.json()["withdrawal_reason"] == "文件已废止"
    listed = program.get(path(shelf, "rules")).json()["versions"]
    assert [(one["code"], one["state"]) for one in listed] == [("R-1", "withdrawn")]


def test_a_programme_goes_the_whole_way(shelf: Shelf, program: Program, second: Program) -> None:
    said = shelf.programme(code="P-1")
    assert post(program, path(shelf, "programmes"), said).status_code == 201
    assert (
        post(program, path(shelf, "programmes/P-1/1"), said | {"total": "24"}).json()["document"][
            "total"
        ]
        == "24"
    )
    assert post(program, path(shelf, "programmes/P-1/1/file")).status_code == 200
    published = post(second, path(shelf, "programmes/P-1/1/publish"))
    assert published.json()["state"] == "in-force"
    assert program.get(path(shelf, "programmes/P-1/1")).json()["document"]["total"] == "24"
    assert post(second, path(shelf, "programmes/P-1/1/withdraw"), {"reason": "停"}).json()[
        "state"
    ] == ("withdrawn")
    assert len(program.get(path(shelf, "programmes")).json()["versions"]) == 1


def test_every_problem_is_told_with_its_pointer_and_nothing_is_kept(
    shelf: Shelf, program: Program
) -> None:
    said = shelf.rule(law="someday", title="", in_force={"from": "2026-13-01"})
    body = problem(post(program, path(shelf, "rules"), said), 422, "document-refused")
    assert {one["field"] for one in body["problems"]} == {"/law", "/title", "/in_force/from"}
    assert all(one["message"] for one in body["problems"])
    assert not RuleVersion.objects.exists()
    body = problem(
        post(program, path(shelf, "programmes"), shelf.programme(total="5")),
        422,
        "document-refused",
    )
    assert {one["field"] for one in body["problems"]} == {"/total"}
    assert not ProgrammeVersion.objects.exists()


@pytest.mark.parametrize("body", ["[]", "3", '"R-1"', "null", "{}"])
def test_a_body_that_is_no_document_is_refused(shelf: Shelf, program: Program, body: str) -> None:
    problem(program.post(path(shelf, "rules"), body), 422, "document-refused")


def test_a_check_keeps_nothing(shelf: Shelf, program: Program) -> None:
    answer = post(program, path(shelf, "rules/check"), shelf.rule(law="someday"))
    assert answer.status_code == 200
    assert [one["field"] for one in answer.json()["problems"]] == ["/law"]
    assert (
        post(program, path(shelf, "programmes/check"), shelf.programme()).json()["problems"] == []
    )
    assert not RuleVersion.objects.exists()
    assert not ProgrammeVersion.objects.exists()


def test_one_version_is_prepared_once(shelf: Shelf, program: Program) -> None:
    said = shelf.rule(code="R-1")
    post(program, path(shelf, "rules"), said)
    problem(post(program, path(shelf, "rules"), said), 409, "version-exists")


def test_steps_out_of_order_are_refused(shelf: Shelf, program: Program, second: Program) -> None:
    post(program, path(shelf, "rules"), shelf.rule(code="R-1"))
    body = problem(post(second, path(shelf, "rules/R-1/1/publish")), 409, "version-not-filed")
    assert body["facts"] == {"state": "draft"}
    post(program, path(shelf, "rules/R-1/1/file"))
    problem(
        post(program, path(shelf, "rules/R-1/1"), shelf.rule(code="R-1")),
        409,
        "version-not-draft",
    )


@pytest.mark.parametrize(
    "said", [{}, {"reason": ""}, {"reason": "x", "on": "2020-01-01"}, {"reason": "x", "extra": 1}]
)
def test_a_withdrawal_says_why_and_takes_nothing_back(
    shelf: Shelf, program: Program, said: dict[str, Any]
) -> None:
    row = shelf.publish()
    where = path(shelf, f"rules/{row.code}/1/withdraw")
    assert post(program, where, said).status_code == 422
    row.refresh_from_db()
    assert row.withdrawn_on is None


def test_a_draft_is_dropped(shelf: Shelf, program: Program) -> None:
    post(program, path(shelf, "rules"), shelf.rule(code="R-1"))
    gone = post(program, path(shelf, "rules/R-1/1/withdraw"), {"reason": "写错了"})
    assert gone.json()["state"] == "withdrawn"
    problem(program.get(path(shelf, "rules/R-1/1")), 404, "unknown-rule")


def test_a_key_without_the_scope_is_refused(shelf: Shelf) -> None:
    program = program_of(shelf.institution, "record")
    problem(post(program, path(shelf, "rules"), shelf.rule()), 403, "scope-missing")
    problem(program.get(path(shelf, "rules")), 403, "scope-missing")


def test_another_institutions_rules_are_not_found(shelf: Shelf) -> None:
    row = shelf.filed(code="R-1")
    stranger = program_of(make_shelf(stream=False).institution)
    problem(stranger.get(path(shelf, "rules")), 404, "not-found")
    problem(post(stranger, path(shelf, "rules/R-1/1/publish")), 404, "not-found")
    row.refresh_from_db()
    assert not row.is_being_published
