"""R11, the least grade or score (最低成绩).

Sources C22: passed at the sender; U8: C- or better. That 60 is a pass has no source.
"""

from __future__ import annotations

import pytest

from tests.recognition.make import against, given, outcome, rule, unknown

LETTERS = ["F", "D", "C-", "C", "C+", "B-", "B", "B+", "A-", "A", "A+"]
C_MINUS = rule({"all": [{"item": ["C"]}, {"grade": {"scale": LETTERS, "min": "C-"}}]})
PASS = rule({"all": [{"item": ["C"]}, {"score": {"min": "60"}}]})


@pytest.mark.parametrize("grade", ["C-", "C", "A+"])
def test_c_minus_or_better(grade: str) -> None:
    assert given(C_MINUS, outcome("C", grade=grade)) == {"MATH-115": "3"}


@pytest.mark.parametrize("grade", ["D", "F"])
def test_worse_than_c_minus_is_refused_and_told_the_grade_to_have(grade: str) -> None:
    assert against(C_MINUS, outcome("C", grade=grade)) == {"grade": (grade, "≥ C-", "C-")}


def test_a_grade_of_another_scale_is_for_a_person() -> None:
    assert unknown(C_MINUS, outcome("C", grade="良好")) == {"grade-unknown"}
    assert unknown(C_MINUS, outcome("C")) == {"grade-unknown"}


@pytest.mark.parametrize("score", ["60", "60.5", "100"])
def test_sixty_is_a_pass(score: str) -> None:
    assert given(PASS, outcome("C", score=score)) == {"MATH-115": "3"}


@pytest.mark.parametrize(("score", "change"), [("59.5", "+0.5"), ("58", "+2"), ("0", "+60")])
def test_a_lower_score_is_told_how_much_is_missing(score: str, change: str) -> None:
    assert against(PASS, outcome("C", score=score)) == {"score": (score, "≥ 60", change)}


def test_a_score_that_is_not_known_is_for_a_person() -> None:
    assert unknown(PASS, outcome("C")) == {"score-unknown"}
    assert unknown(PASS, outcome("C", score="缓考")) == {"score-unknown"}
