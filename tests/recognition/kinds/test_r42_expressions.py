"""R42, conditions put together: and, or, so many of (条件表达式).

Sources U4: sequences of courses; G6: one open tool always takes the first of "one
of A or B". The courses are invented; that the better of two ways is taken is
tested with the plan.
"""

from __future__ import annotations

import pytest

from creditbank.recognition.engine.findings import Verdict
from tests.recognition.make import against, findings, given, outcome, rule, unknown

EITHER = rule({"any": [{"outcome": {"item": ["A"]}}, {"outcome": {"item": ["B"]}}]})
TWO_OF_THREE = rule({"n": 2, "of": [{"outcome": {"item": [item]}} for item in "ABC"]})
SCORE, GRADE = {"score": {"min": "80"}}, {"grade": {"scale": ["合格", "良好"], "min": "良好"}}
HOURS = {"hours": {"min": "48"}}


def test_one_of_two_is_offered_with_each_of_them() -> None:
    first, second = outcome("A"), outcome("B")
    found = findings(EITHER, first, second)
    assert [(use.leaves, use.verdict) for use in found] == [
        ((first.leaf,), Verdict.APPLIES),
        ((second.leaf,), Verdict.APPLIES),
    ]


def test_two_of_three_are_every_pair() -> None:
    held = [outcome(item) for item in "ABC"]
    pairs = {use.leaves for use in findings(TWO_OF_THREE, *held)}
    assert pairs == {
        (held[0].leaf, held[1].leaf),
        (held[0].leaf, held[2].leaf),
        (held[1].leaf, held[2].leaf),
    }


def test_one_of_three_is_not_two() -> None:
    (found,) = findings(TWO_OF_THREE, outcome("B"))
    assert found.verdict is Verdict.REFUSED
    assert {reason.pointer for reason in found.reasons} == {"/sources/of/0", "/sources/of/2"}


def test_a_sequence_needs_both_its_parts_or_the_whole() -> None:
    sequence = rule(
        {
            "any": [
                {"all": [{"outcome": {"item": ["A-1"]}}, {"outcome": {"item": ["A-2"]}}]},
                {"outcome": {"item": ["A"]}},
            ]
        }
    )
    one, two, whole = outcome("A-1"), outcome("A-2"), outcome("A")
    assert {use.leaves for use in findings(sequence, one, two, whole)} == {
        (one.leaf, two.leaf),
        (whole.leaf,),
    }
    (found,) = findings(sequence, one)
    assert [reason.code for reason in found.reasons] == ["source-missing", "source-missing"]


def test_any_is_met_by_one_and_refused_with_all_that_failed() -> None:
    of = rule({"all": [{"item": ["C"]}, {"any": [SCORE, GRADE]}]})
    assert given(of, outcome("C", score="79", grade="良好")) == {"MATH-115": "3"}
    assert given(of, outcome("C", score="80", grade="")) == {"MATH-115": "3"}
    assert against(of, outcome("C", score="78", grade="合格")) == {
        "score": ("78", "≥ 80", "+2"),
        "grade": ("合格", "≥ 良好", "良好"),
    }


def test_all_is_refused_with_all_that_failed() -> None:
    of = rule({"all": [{"item": ["C"]}, SCORE, GRADE, HOURS]})
    assert set(against(of, outcome("C", score="78", grade="合格", hours="47"))) == {
        "score",
        "grade",
        "hours",
    }
    assert set(against(of, outcome("C", score="78", grade="良好", hours="48"))) == {"score"}


def test_an_unknown_part_decides_only_where_the_others_leave_it_to_it() -> None:
    both = rule({"all": [{"item": ["C"]}, SCORE, GRADE]})
    assert set(against(both, outcome("C", score="78"))) == {"score"}
    assert unknown(both, outcome("C", score="80")) == {"grade-unknown"}
    one = rule({"all": [{"item": ["C"]}, {"any": [SCORE, GRADE]}]})
    assert given(one, outcome("C", score="80")) == {"MATH-115": "3"}
    assert unknown(one, outcome("C", score="78")) == {"grade-unknown"}


@pytest.mark.parametrize(
    ("score", "grade", "hours", "verdict"),
    [
        ("80", "良好", "", "met"),
        ("80", "", "48", "met"),
        ("80", "合格", "", "unknown"),
        ("79", "合格", "48", "failed"),
        ("79", "合格", "", "failed"),
        ("79", "", "", "unknown"),
    ],
)
def test_so_many_of_counts_what_is_known(score: str, grade: str, hours: str, verdict: str) -> None:
    of = rule({"all": [{"item": ["C"]}, {"n": 2, "of": [SCORE, GRADE, HOURS]}]})
    held = outcome("C", score=score, grade=grade, hours=hours)
    if verdict == "met":
        assert given(of, held)
    elif verdict == "failed":
        assert against(of, held)
    else:
        assert unknown(of, held)


def test_not_turns_a_condition_round_and_leaves_what_is_not_known() -> None:
    of = rule({"all": [{"item": ["C"]}, {"not": {"score": {"max": "59"}}}]})
    assert given(of, outcome("C", score="60"))
    assert against(of, outcome("C", score="59")) == {"not": ("59", "", "")}
    assert unknown(of, outcome("C")) == {"score-unknown"}
