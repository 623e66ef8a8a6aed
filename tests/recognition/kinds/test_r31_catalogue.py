"""R31, only what the catalogue lists (名录).

Sources C3: the 341 X certificates of the national catalogue; K7: about 810
qualifications of the yearly notice. Which of them has no source: the codes are
invented.
"""

from __future__ import annotations

from creditbank.recognition.engine.evidence import Evidence
from creditbank.recognition.language.rules import Rule
from tests.recognition.make import OTHER, SENDER, against, findings, given, outcome, rule

LISTED = rule(
    {"certificate_level": ["初级", "中级", "高级"]},
    gate={"catalogue": True, "kinds": ["x-certificate"]},
)


def notice(year: int, *items: str) -> Rule:
    days = {"from": f"{year}-01-01", "until": f"{year}-12-31"}
    return rule({"item": list(items)}, in_force=days, version=year - 2000)


def certificate(item: str = "X-1", **facts: str) -> Evidence:
    return outcome(item, kind="x-certificate", certificate_level="中级", facts=facts)


def test_a_certificate_of_the_catalogue_counts() -> None:
    assert given(LISTED, certificate()) == {"MATH-115": "3"}


def test_one_that_is_not_in_the_catalogue_is_refused() -> None:
    assert against(LISTED, certificate("X-UNLISTED", in_catalogue="no")) == {
        "catalogue": ("X-UNLISTED", "", "")
    }


def test_the_gate_passes_its_own_kinds_only() -> None:
    assert findings(LISTED, outcome("X-1", kind="training")) == []


def test_the_gate_passes_its_own_bodies_only() -> None:
    of = rule({"item": ["X-1"]}, gate={"bodies": [SENDER]})
    assert given(of, outcome("X-1", body=SENDER)) == {"MATH-115": "3"}
    assert findings(of, outcome("X-1", body=OTHER)) == []


def test_each_year_has_its_own_notice() -> None:
    last_year, this_year = notice(2025, "Q-1", "Q-2"), notice(2026, "Q-2", "Q-3")
    assert set(against(last_year, outcome("Q-2"), filed_on="2026-01-01")) == {"not-in-force"}
    assert given(last_year, outcome("Q-1"), filed_on="2025-12-31") == {"MATH-115": "3"}
    assert given(this_year, outcome("Q-2"), filed_on="2026-01-01") == {"MATH-115": "3"}
    assert findings(this_year, outcome("Q-1"), filed_on="2026-01-01") == []
