"""R8, grades and marks (成绩换算).

Sources C23: five grades → 95/85/75/65/55, and A+ → 98, A → 92, B → 80 as the mean
of a band; C24: the maximum of the band; C27: 通过/合格 → 60, 良好/优秀 → 80.
"""

from __future__ import annotations

from typing import Any

import pytest

from creditbank.recognition.language.rules import Rule
from tests.recognition.make import against, finding, outcome, rule, unknown


def marking(mark: dict[str, Any]) -> Rule:
    return rule({"item": ["G"]}, [{"course": "MATH-115"}], allocation={"mark": mark})


def mark(of: Rule, *grades: str) -> str:
    (grant,) = finding(of, *(outcome("G", grade=grade) for grade in grades)).grants
    return grant.mark


FIVE = marking(
    {
        "map": [
            {"is": "优秀", "mark": "95"},
            {"is": "良好", "mark": "85"},
            {"is": "中等", "mark": "75"},
            {"is": "及格", "mark": "65"},
            {"is": "不及格", "mark": "55"},
        ]
    }
)
TWO = marking(
    {
        "map": [
            {"is": "通过", "mark": "60"},
            {"is": "合格", "mark": "60"},
            {"is": "良好", "mark": "80"},
            {"is": "优秀", "mark": "80"},
        ]
    }
)
BANDS = [
    {"is": "A+", "from": "96", "to": "100"},
    {"is": "A", "from": "89", "to": "95"},
    {"is": "B", "from": "78", "to": "82"},
]
MEAN = marking({"bands": BANDS, "use": "mean"})
MAXIMUM = marking({"bands": BANDS, "use": "maximum"})


@pytest.mark.parametrize(
    ("grade", "said"),
    [("优秀", "95"), ("良好", "85"), ("中等", "75"), ("及格", "65"), ("不及格", "55")],
)
def test_five_grades_become_five_marks(grade: str, said: str) -> None:
    assert mark(FIVE, grade) == said


@pytest.mark.parametrize(
    ("grade", "said"), [("通过", "60"), ("合格", "60"), ("良好", "80"), ("优秀", "80")]
)
def test_another_college_knows_two_marks(grade: str, said: str) -> None:
    assert mark(TWO, grade) == said


@pytest.mark.parametrize(
    ("grade", "mean", "maximum"), [("A+", "98", "100"), ("A", "92", "95"), ("B", "80", "82")]
)
def test_one_college_takes_the_mean_of_a_band_and_another_its_maximum(
    grade: str, mean: str, maximum: str
) -> None:
    assert mark(MEAN, grade) == mean
    assert mark(MAXIMUM, grade) == maximum


def test_a_mean_between_two_marks_keeps_its_half() -> None:
    half = marking({"bands": [{"is": "C", "from": "70", "to": "75"}], "use": "mean"})
    assert mark(half, "C") == "72.5"


def test_of_several_outcomes_it_is_the_mean_of_their_marks() -> None:
    both = rule(
        {"all": [{"outcome": {"item": ["G"]}}, {"outcome": {"item": ["G"]}}]},
        [{"course": "MATH-115"}],
        allocation={"mark": FIVE.allocation["mark"]},
    )
    assert mark(both, "优秀", "中等") == "85"


def test_a_grade_that_nothing_is_said_of_is_refused_and_none_at_all_is_for_a_person() -> None:
    assert against(MEAN, outcome("G", grade="F")) == {"no-mark": ("F", "A+, A, B", "")}
    assert unknown(MEAN, outcome("G")) == {"grade-unknown"}
