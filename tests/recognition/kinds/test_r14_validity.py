"""R14, how old an outcome may be (有效期).

Sources I1: 7 years at most; C26: 6 years (高起专, 专升本) and 9 years (高起本);
C19: a certificate must be valid itself. How years are counted: Civil Code art. 202.
"""

from __future__ import annotations

from typing import Any

import pytest

from creditbank.recognition.language.rules import Rule
from tests.recognition.make import against, given, outcome, rule


def aged(**age: int) -> Rule:
    return rule({"all": [{"item": ["C"]}, {"age": age}]})


def used(of: Rule, completed: str, day: str) -> Any:
    return given(of, outcome("C", completed=completed), filed_on=day)


@pytest.mark.parametrize(
    ("years", "last", "after"),
    [
        (7, "2026-06-30", "2026-07-01"),
        (6, "2025-06-30", "2025-07-01"),
        (9, "2028-06-30", "2028-07-01"),
    ],
)
def test_the_corresponding_day_is_the_last_one(years: int, last: str, after: str) -> None:
    of = aged(years=years)
    assert used(of, "2019-06-30", last) == {"MATH-115": "3"}
    held = outcome("C", completed="2019-06-30")
    assert against(of, held, filed_on=after) == {"age": (after, f"≤ {last}", "-1 days")}


@pytest.mark.parametrize(
    ("completed", "age", "last", "after"),
    [
        # There is no 29 February then: the month's last day.
        ("2020-02-29", {"years": 7}, "2027-02-28", "2027-03-01"),
        ("2020-02-29", {"years": 8}, "2028-02-29", "2028-03-01"),
        ("2025-10-31", {"months": 4}, "2026-02-28", "2026-03-01"),
        ("2025-08-31", {"months": 1}, "2025-09-30", "2025-10-01"),
        # The day of completion itself does not count.
        ("2025-12-31", {"days": 30}, "2026-01-30", "2026-01-31"),
    ],
)
def test_where_there_is_no_corresponding_day_it_is_the_last_of_the_month(
    completed: str, age: dict[str, int], last: str, after: str
) -> None:
    assert used(aged(**age), completed, last) == {"MATH-115": "3"}
    held = outcome("C", completed=completed)
    assert set(against(aged(**age), held, filed_on=after)) == {"age"}


def test_the_law_names_the_day_that_counts() -> None:
    days = {"filed_on": "2026-06-30", "decided_on": "2026-07-01"}
    held = outcome("C", completed="2019-06-30")
    assert given(aged(years=7), held, **days) == {"MATH-115": "3"}
    by_decision = rule({"all": [{"item": ["C"]}, {"age": {"years": 7}}]}, law="decision")
    assert set(against(by_decision, held, **days)) == {"age"}


VALID = rule({"all": [{"item": ["C"]}, {"valid": True}]})


def test_a_certificate_counts_on_its_last_valid_day_and_not_after() -> None:
    held = outcome("C", valid_until="2026-05-31")
    assert given(VALID, held, filed_on="2026-05-31") == {"MATH-115": "3"}
    assert against(VALID, held, filed_on="2026-06-01") == {
        "valid": ("2026-06-01", "≤ 2026-05-31", "-1 days")
    }


def test_one_without_a_last_day_is_always_valid() -> None:
    assert given(VALID, outcome("C"), filed_on="2099-01-01") == {"MATH-115": "3"}
