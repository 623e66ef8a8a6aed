"""GET /api/v1/catalogue."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.api.clients import anyone, problem
from tests.institutions.cast import approve, make_institution, propose


def test_the_catalogue_is_what_the_signing_program_reads(db: Any) -> None:
    item = approve(propose(make_institution(), proposed_credits=Decimal("2.50")))
    answer = anyone().get("/api/v1/catalogue")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "public, max-age=60"
    found = answer.json()[f"{item.code}/1"]
    assert found == {
        "item": item.code,
        "item_version": 1,
        "kind": "course",
        "title": item.title,
        "title_en": item.title_en,
        "body": item.body_uscc,
        "body_name": item.body_name,
        "credits": "2.50",
        "framework": item.framework,
        "level": "4",
        "category": "degree",
        "institution": item.institution.slug,
        "valid_from": "2024-01-01",
        "valid_until": None,
    }


def test_what_is_only_proposed_is_not_in_it(db: Any) -> None:
    propose(make_institution())
    assert anyone().get("/api/v1/catalogue").json() == {}


def test_an_earlier_day_has_its_own_catalogue(db: Any) -> None:
    item = approve(propose(make_institution()))
    path = "/api/v1/catalogue"
    assert anyone().get(path, {"on": "2023-12-31"}).json() == {}
    assert f"{item.code}/1" in anyone().get(path, {"on": "2024-01-01"}).json()


def test_a_day_that_is_none_is_refused(db: Any) -> None:
    answer = anyone().get("/api/v1/catalogue", {"on": "2026-02-30"})
    assert problem(answer, 422, "request-invalid")["problems"][0]["field"] == "on"
