"""Finding rules, and what covers what."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from creditbank.recognition.register import publishing
from creditbank.recognition.register.search import ANY, Register, Wanted
from tests.institutions.cast import approve, propose
from tests.recognition.shelf import Shelf, make_authority, make_shelf

ON = date(2026, 4, 1)


@pytest.fixture
def shelf(bank: Any, settings: Any) -> Shelf:
    settings.STAFF_SECOND_FACTOR = False
    return make_shelf(name="示例开放大学", name_en="Example Open University")


def find(**wanted: str) -> list[str]:
    return [one.row.code for one in Register(ON).find(Wanted(**wanted))]


def test_rules_are_found_by_what_describes_them(shelf: Shelf) -> None:
    item = approve(
        propose(
            shelf.institution, code="POST-X2", title="快递运营证书", title_en="Express Operation"
        )
    )
    shelf.publish_programme(code="P-1")
    shelf.publish(
        code="R-017",
        title="快递证书抵免三门课",
        basis={"title": "某办法", "number": "示教〔2026〕17号"},
        sources={"outcome": {"item": [item.code]}},
        allocation={"to": [{"course": "EV-201"}]},
    )
    shelf.publish(code="R-900", title="另一条", allocation={"to": [{"course": "ART-1"}]})
    for text in (
        "r-017",
        "快递证书",
        "EXAMPLE OPEN 快递",
        "post-x2",
        "Express Operation",
        "EV-201",
        "动力电池",
        "示教〔2026〕17号",
    ):
        assert find(text=text) == ["R-017"], text
    assert find(text="示例开放大学") == ["R-017", "R-900"]
    assert find(text="没有这样的") == []


def test_rules_are_found_by_owner_programme_and_state(shelf: Shelf) -> None:
    other = make_shelf()
    shelf.publish_programme(code="P-1")
    other.publish_programme(code="P-2")
    shelf.publish(code="R-1")
    other.publish(code="R-2")
    shelf.publish(code="R-3", in_force={"from": "2026-05-01"})
    shelf.publish(code="R-4", in_force={"from": "2026-01-01", "until": "2026-03-31"})
    make_authority().publish(code="R-5")
    assert find(owner=other.slug) == ["R-2"]
    assert find(programme="P-1") == ["R-1", "R-3", "R-4", "R-5"]
    assert find(programme="P-2") == ["R-2", "R-5"]
    assert find(state="in-force") == ["R-1", "R-2", "R-5"]
    assert find(state="upcoming") == ["R-3"]
    assert find(state="past") == ["R-4"]


def test_superseded_and_withdrawn_versions_say_so(shelf: Shelf) -> None:
    shelf.publish(code="R-1", version=1)
    shelf.publish(code="R-1", version=2, in_force={"from": "2026-03-15"})
    gone = shelf.publish(code="R-2")
    publishing.withdraw_rule(rule=gone, reason="废止", acting_user=shelf.reviewer)
    gone.refresh_from_db()
    assert gone.withdrawn_on is not None
    states = {
        (one.row.code, one.row.version): one.state for one in Register(gone.withdrawn_on).rules
    }
    assert states == {
        ("R-1", 2): "in-force",
        ("R-1", 1): "superseded",
        ("R-2", 1): "withdrawn",
    }


def test_sources_are_what_conditions_and_gate_both_let_in(shelf: Shelf) -> None:
    item = approve(propose(shelf.institution, code="IT-1", kind="training"))
    rows = {
        "item": shelf.publish(gate=None, sources={"outcome": {"item": ["IT-1"]}}),
        "level": shelf.publish(gate=None, sources={"outcome": {"certificate_level": ["中级"]}}),
        "gate": shelf.publish(
            gate={"kinds": ["competition"]}, sources={"outcome": {"valid": True}}
        ),
        "both": shelf.publish(
            gate={"kinds": ["course", "training"]},
            sources={
                "any": [
                    {"outcome": {"kind": ["course", "community"]}},
                    {"outcome": {"all": [{"kind": ["course"]}, {"valid": True}]}},
                ]
            },
        ),
        "not": shelf.publish(gate=None, sources={"outcome": {"not": {"kind": ["course"]}}}),
        "held": shelf.publish(
            gate=None,
            sources={"outcome": {"all": [{"kind": ["course"]}, {"held": {"kind": ["training"]}}]}},
        ),
    }
    register = Register(ON)
    assert {name: register.kinds(row) for name, row in rows.items()} == {
        "item": {"training"},
        "level": {"x-certificate"},
        "gate": {"competition"},
        "both": {"course"},
        "not": {ANY},
        "held": {"course"},
    }
    assert register.bodies(rows["item"]) == {item.body_uscc}
    assert register.bodies(rows["gate"]) == {ANY}


def test_coverage_counts_the_rules_between_each_source_and_programme(shelf: Shelf) -> None:
    shelf.publish_programme(code="P-1")
    make_shelf().publish_programme(code="P-2")
    shelf.publish(
        code="R-1", gate={"kinds": ["x-certificate"]}, sources={"outcome": {"valid": True}}
    )
    shelf.publish(
        code="R-2",
        gate={"kinds": ["x-certificate", "course"]},
        sources={"outcome": {"valid": True}},
    )
    shelf.publish(
        code="R-3",
        gate={"kinds": ["training"]},
        sources={"outcome": {"valid": True}},
        in_force={"from": "2027-01-01"},
    )
    found = Register(ON).coverage("kind")
    assert {programme.code: dict(counts) for programme, counts in found.rows} == {
        "P-1": {"x-certificate": 2, "course": 1},
        "P-2": {},
    }
    assert found.columns[:2] == ("course", "x-certificate")
    by_body = Register(ON).coverage("body")
    assert by_body.columns == (ANY,)
