"""GET /api/v1/institutions."""

from __future__ import annotations

from typing import Any

from tests.api.clients import anyone
from tests.ledger.cast import make_college, make_own_stream


def test_the_register_names_each_institution_and_its_streams(bank: Any) -> None:
    college = make_college(courses=1)
    own = make_own_stream(college)
    answer = anyone().get("/api/v1/institutions")
    assert answer.status_code == 200
    (found,) = [
        one for one in answer.json()["institutions"] if one["slug"] == college.institution.slug
    ]
    assert found["uscc"] == college.institution.uscc
    assert found["region"]["code"] == "220100"
    assert found["status"] == "active"
    assert {(stream["name"], stream["mode"]) for stream in found["streams"]} == {
        (college.hosted, "hosted"),
        (own.name, "own"),
    }
