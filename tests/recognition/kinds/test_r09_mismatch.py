"""R9, when the credits differ (学分就低、就高).

Source C23: source > target: the target's credits, what is more may become
electives; source < target and approved: the target's credits. That another
college forbids the surplus is R41's example (K8). The figures have no source.
"""

from __future__ import annotations

from typing import Any

import pytest

from creditbank.recognition.language.rules import Rule
from tests.recognition.make import course, given, outcome, programme, rule

COURSES = programme(course("MATH-115", "3"))


def giving(amount: Any, **allocation: Any) -> Rule:
    return rule({"item": ["M"]}, [{"course": "MATH-115", "credits": amount}], allocation=allocation)


LOST = giving({"of": "bank"})
SPILLING = giving({"of": "bank"}, excess={"to": "elective"})
LOWER = giving({"lower": [{"of": "bank"}, {"of": "target"}]}, excess={"to": "elective"})
HIGHER = giving({"higher": [{"of": "bank"}, {"of": "target"}]})


@pytest.mark.parametrize(
    ("value", "lost", "spilling"),
    [
        ("4", "3", "3 + 1 elective"),
        ("3", "3", "3"),
        ("3.01", "3", "3 + 0.01 elective"),
        ("2", "2", "2"),
    ],
)
def test_more_than_the_course_is_lost_or_spills_as_the_rule_says(
    value: str, lost: str, spilling: str
) -> None:
    held = outcome("M", credits=value)
    assert given(LOST, held, programme=COURSES) == {"MATH-115": lost}
    assert given(SPILLING, held, programme=COURSES) == {"MATH-115": spilling}


@pytest.mark.parametrize(("value", "credits"), [("4", "3"), ("3", "3"), ("2", "2")])
def test_the_lower_leaves_nothing_over(value: str, credits: str) -> None:
    assert given(LOWER, outcome("M", credits=value), programme=COURSES) == {"MATH-115": credits}


@pytest.mark.parametrize("value", ["4", "3", "2", "0.5"])
def test_the_higher_fills_the_course_and_never_more(value: str) -> None:
    assert given(HIGHER, outcome("M", credits=value), programme=COURSES) == {"MATH-115": "3"}


def test_without_a_word_a_course_gets_its_own_credits() -> None:
    of = rule({"item": ["M"]}, [{"course": "MATH-115"}])
    assert given(of, outcome("M", credits="2"), programme=COURSES) == {"MATH-115": "3"}
