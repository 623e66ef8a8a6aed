"""R16, outcomes that lose value slowly (衰减).

No source: none of the peers publishes a gradual decay. The figures are invented:
after three years a tenth less for every year begun, never below half.
"""

from __future__ import annotations

import pytest

from creditbank.recognition.language.rules import Rule
from tests.recognition.make import against, course, given, outcome, programme, rule

COURSES = programme(course("MATH-115", "5"))


def decaying(**more: int) -> Rule:
    decay = {"amount": "5", "after_years": 3, "percent_per_year": 10} | more
    return rule({"item": ["C"]}, [{"course": "MATH-115", "credits": {"decay": decay}}])


HALF, TO_NOTHING = decaying(at_least_percent=50), decaying()


@pytest.mark.parametrize(
    ("day", "credits"),
    [
        ("2020-09-01", "5"),
        ("2023-06-30", "5"),
        ("2023-07-01", "4.5"),
        ("2024-06-30", "4.5"),
        ("2024-07-01", "4"),
        ("2027-06-30", "3"),
        ("2027-07-01", "2.5"),
        ("2028-07-01", "2.5"),
        ("2060-01-01", "2.5"),
    ],
)
def test_a_year_begun_takes_a_tenth_until_half_is_left(day: str, credits: str) -> None:
    held = outcome("C", completed="2020-06-30")
    assert given(HALF, held, filed_on=day, programme=COURSES) == {"MATH-115": credits}


def test_without_a_floor_nothing_is_left_in_the_end() -> None:
    held = outcome("C", completed="2020-06-30")
    assert given(TO_NOTHING, held, filed_on="2032-06-30", programme=COURSES) == {"MATH-115": "0.5"}
    assert set(against(TO_NOTHING, held, filed_on="2032-07-01", programme=COURSES)) == {
        "nothing-given"
    }


def test_of_several_outcomes_the_oldest_counts() -> None:
    both = rule(
        {"all": [{"outcome": {"item": ["A"]}}, {"outcome": {"item": ["B"]}}]},
        [
            {
                "course": "MATH-115",
                "credits": {"decay": {"amount": "5", "after_years": 3, "percent_per_year": 10}},
            }
        ],
    )
    held = [outcome("A", completed="2024-06-30"), outcome("B", completed="2022-06-30")]
    assert given(both, *held, filed_on="2025-07-01", programme=COURSES) == {"MATH-115": "4.5"}


def test_off_is_what_a_rule_is_that_says_nothing() -> None:
    of = rule({"item": ["C"]})
    assert given(of, outcome("C", completed="1999-01-01"), programme=COURSES) == {"MATH-115": "5"}
