"""GET /api/v1/rules and below, and the same of programmes."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.api.clients import anyone, problem
from tests.recognition.shelf import Shelf, make_shelf


@pytest.fixture
def shelf(bank: Any, settings: Any) -> Shelf:
    settings.STAFF_SECOND_FACTOR = False
    return make_shelf()


def get(path: str, **query: Any) -> Any:
    return anyone(**{"Accept-Language": "zh-CN"}).get(f"/api/v1/{path}", query)


def test_the_register_is_searched(shelf: Shelf) -> None:
    shelf.publish(code="R-1", title="快递证书抵免课程")
    shelf.publish(code="R-2", in_force={"from": "2099-01-01"})
    shelf.draft(code="R-3")
    answer = get("rules", q="快递")
    assert answer.status_code == 200
    body = answer.json()
    assert body["total"] == 1
    (found,) = body["rules"]
    assert found["code"] == "R-1"
    assert found["state"] == "in-force"
    assert found["owner"] == shelf.slug
    assert found["kinds"] == ["course"]
    assert found["first_day"] == "2026-03-01"
    assert {rule["code"] for rule in get("rules").json()["rules"]} == {"R-1", "R-2"}
    assert [rule["code"] for rule in get("rules", state="upcoming").json()["rules"]] == ["R-2"]
    assert [
        rule["code"] for rule in get("rules", on="2099-01-02", state="in-force").json()["rules"]
    ]


def test_a_list_is_read_in_parts(shelf: Shelf) -> None:
    for number in range(3):
        shelf.publish(code=f"R-{number}")
    first = get("rules", limit=2).json()
    rest = get("rules", limit=2, offset=2).json()
    assert [one["code"] for one in first["rules"] + rest["rules"]] == ["R-0", "R-1", "R-2"]
    assert first["total"] == rest["total"] == 3


@pytest.mark.parametrize(
    "query", [{"state": "someday"}, {"kind": "song"}, {"on": "yesterday"}, {"limit": "0"}]
)
def test_a_question_that_cannot_be_read_is_refused(db: Any, query: dict[str, str]) -> None:
    problem(get("rules", **query), 422, "request-invalid")


def test_versions_documents_and_differences(shelf: Shelf) -> None:
    shelf.publish(code="R-1", version=1)
    second = shelf.publish(code="R-1", version=2, in_force={"from": "2026-04-01"}, title="新的名称")
    versions = get("rules/R-1").json()["versions"]
    assert [(one["version"], one["state"]) for one in versions] == [
        (2, "in-force"),
        (1, "superseded"),
    ]
    full = get("rules/R-1/2").json()
    assert full["document"]["title"] == "新的名称"
    assert full["log_index"] == second.entry_index
    document = get("rules/R-1/2/document")
    assert hashlib.sha256(document.content).hexdigest() == full["digest"]
    assert "immutable" in document["Cache-Control"]
    changed = get("rules/R-1/2/differences").json()
    assert changed["since"] == 1
    assert {one["pointer"] for one in changed["differences"]} == {
        "/in_force/from",
        "/title",
        "/version",
    }
    assert get("rules/R-1/1/differences", since=2).json()["since"] == 2


@pytest.mark.parametrize(
    "path", ["rules/R-9", "rules/R-1/9", "rules/R-1/9/document", "rules/R-1/1/differences"]
)
def test_what_is_not_there_is_not_found(shelf: Shelf, path: str) -> None:
    shelf.publish(code="R-1")
    problem(get(path), 404, "unknown-rule")


def test_what_is_not_published_is_not_found(shelf: Shelf) -> None:
    shelf.filed(code="R-1")
    problem(get("rules/R-1"), 404, "unknown-rule")
    problem(get("rules/R-1/1"), 404, "unknown-rule")


def test_programmes_are_read_the_same_way(shelf: Shelf) -> None:
    shelf.publish_programme(code="P-1", version=1)
    shelf.publish_programme(code="P-1", version=2, in_force={"from": "2026-04-01"}, total="24")
    listed = get("programmes", owner=shelf.slug, state="in-force").json()
    assert [(one["code"], one["version"]) for one in listed["programmes"]] == [("P-1", 2)]
    assert len(get("programmes/P-1").json()["versions"]) == 2
    assert get("programmes/P-1/2").json()["document"]["total"] == "24"
    assert get("programmes/P-1/2/document").status_code == 200
    pointers = {one["pointer"] for one in get("programmes/P-1/2/differences").json()["differences"]}
    assert "/total" in pointers
    problem(get("programmes/P-9"), 404, "unknown-programme")
