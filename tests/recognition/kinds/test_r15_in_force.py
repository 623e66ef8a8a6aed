"""R15, the days on which a rule holds (生效区间).

Sources U9: a course completed within "Sept/99–Aug/02"; U4: agreements per academic
year; C12: the catalogue renewed every year.
"""

from __future__ import annotations

import pytest

from tests.recognition.make import against, given, outcome, programme, rule

BC = rule({"all": [{"item": ["C"]}, {"completed": {"from": "1999-09-01", "until": "2002-08-31"}}]})
YEAR = {"from": "2025-09-01", "until": "2026-08-31"}
FILING = rule({"item": ["C"]}, in_force=YEAR, law="filing")
DECISION = rule({"item": ["C"]}, in_force=YEAR, law="decision")


@pytest.mark.parametrize("completed", ["1999-09-01", "2000-12-15", "2002-08-31"])
def test_completed_within_the_window(completed: str) -> None:
    assert given(BC, outcome("C", completed=completed)) == {"MATH-115": "3"}


@pytest.mark.parametrize(
    ("completed", "change"),
    [("1999-08-31", "+1 days"), ("2002-09-01", "-1 days"), ("2002-09-11", "-11 days")],
)
def test_completed_outside_is_refused_with_the_days_between(completed: str, change: str) -> None:
    assert against(BC, outcome("C", completed=completed)) == {
        "completed": (completed, "1999-09-01 – 2002-08-31", change)
    }


@pytest.mark.parametrize("day", ["2025-09-01", "2026-08-31"])
def test_a_rule_holds_on_its_first_and_its_last_day(day: str) -> None:
    assert given(FILING, outcome("C"), filed_on=day) == {"MATH-115": "3"}


@pytest.mark.parametrize(("day", "change"), [("2025-08-31", "+1 days"), ("2026-09-01", "-1 days")])
def test_a_rule_does_not_hold_before_and_after(day: str, change: str) -> None:
    assert against(FILING, outcome("C"), filed_on=day) == {
        "not-in-force": (day, "2025-09-01 – 2026-08-31", change)
    }


def test_when_a_rule_ended_after_filing_the_day_that_its_law_names_decides() -> None:
    days = {"filed_on": "2026-08-31", "decided_on": "2026-09-10"}
    assert given(FILING, outcome("C"), **days) == {"MATH-115": "3"}
    assert against(DECISION, outcome("C"), **days) == {
        "not-in-force": ("2026-09-10", "2025-09-01 – 2026-08-31", "-10 days")
    }


def test_a_rule_that_began_after_filing_is_the_law_of_the_decision_alone() -> None:
    days = {"filed_on": "2025-08-31", "decided_on": "2025-09-01"}
    assert given(DECISION, outcome("C"), **days) == {"MATH-115": "3"}
    assert set(against(FILING, outcome("C"), **days)) == {"not-in-force"}


def test_a_rule_of_another_programme_is_not_this_ones() -> None:
    of = rule({"item": ["C"]}, programmes=["P-2", "P-3"])
    assert against(of, outcome("C"), programme=programme()) == {
        "programme": ("P-1", "P-2, P-3", "")
    }
