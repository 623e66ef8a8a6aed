"""R1, one course for one course (一对一).

Source U8: SFU MATH 100 (3) → UNBC MATH 115 (3), from Sep/10.
"""

from __future__ import annotations

from tests.recognition.make import (
    against,
    course,
    findings,
    given,
    outcome,
    programme,
    rule,
)

UNBC = programme(course("MATH-115", "3"), course("MATH-200", "3"))
MATH = rule(
    {"all": [{"item": ["SFU-MATH-100"]}, {"completed": {"from": "2010-09-01"}}]},
    [{"course": "MATH-115"}],
)


def test_the_course_gives_the_other_one_with_its_credits() -> None:
    assert given(MATH, outcome("SFU-MATH-100"), programme=UNBC) == {"MATH-115": "3"}


def test_another_course_gives_nothing() -> None:
    assert findings(MATH, outcome("SFU-MATH-101"), programme=UNBC) == []


def test_it_does_not_work_the_other_way_round() -> None:
    assert findings(MATH, outcome("UNBC-MATH-115"), programme=UNBC) == []


def test_each_attempt_is_a_use_of_its_own() -> None:
    first, second = outcome("SFU-MATH-100"), outcome("SFU-MATH-100")
    found = findings(MATH, second, first, programme=UNBC)
    assert [one.leaves for one in found] == [(first.leaf,), (second.leaf,)]


def test_september_2010_is_in_and_the_day_before_is_not() -> None:
    assert given(MATH, outcome(completed="2010-09-01"), programme=UNBC) == {"MATH-115": "3"}
    assert against(MATH, outcome(completed="2010-08-31"), programme=UNBC) == {
        "completed": ("2010-08-31", "≥ 2010-09-01", "+1 days")
    }
