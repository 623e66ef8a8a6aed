"""R25, what must be held or met before (先修).

Sources U8: a grade of C- or better to use as a prerequisite; G8: an equivalent
must satisfy a prerequisite too.
"""

from __future__ import annotations

from tests.recognition.make import (
    against,
    course,
    finding,
    findings,
    given,
    outcome,
    programme,
    rule,
)

LETTERS = ["F", "D", "C-", "C", "B", "A"]
COURSES = programme(course("MATH-115"), course("MATH-116"))
AFTER_CALCULUS = rule(
    {
        "all": [
            {"item": ["SFU-MATH-152"]},
            {
                "held": {
                    "all": [{"item": ["SFU-MATH-151"]}, {"grade": {"scale": LETTERS, "min": "C-"}}]
                }
            },
        ]
    },
    [{"course": "MATH-116"}],
)
AFTER_115 = rule(
    {"all": [{"item": ["SFU-MATH-152"]}, {"met": "MATH-115"}]}, [{"course": "MATH-116"}]
)


def test_with_the_prerequisite_at_c_minus_the_course_counts() -> None:
    before = outcome("SFU-MATH-151", grade="C-")
    assert given(AFTER_CALCULUS, outcome("SFU-MATH-152"), held=(before,), programme=COURSES) == {
        "MATH-116": "3"
    }


def test_the_prerequisite_is_not_consumed() -> None:
    before, after = outcome("SFU-MATH-151", grade="A"), outcome("SFU-MATH-152")
    (found,) = findings(AFTER_CALCULUS, before, after, programme=COURSES)
    assert found.leaves == (after.leaf,)


def test_it_may_have_been_used_before() -> None:
    before = outcome("SFU-MATH-151", grade="A", state="used")
    assert given(AFTER_CALCULUS, outcome("SFU-MATH-152"), held=(before,), programme=COURSES)


def test_a_worse_grade_does_not_serve_as_a_prerequisite() -> None:
    before = outcome("SFU-MATH-151", grade="D")
    assert set(
        against(AFTER_CALCULUS, outcome("SFU-MATH-152"), held=(before,), programme=COURSES)
    ) == {"held"}


def test_nobody_is_their_own_prerequisite() -> None:
    itself = rule({"all": [{"item": ["C"]}, {"held": {"item": ["C"]}}]})
    assert set(against(itself, outcome("C"))) == {"held"}


def test_a_prerequisite_without_a_grade_is_for_a_person() -> None:
    before = outcome("SFU-MATH-151")
    found = finding(AFTER_CALCULUS, outcome("SFU-MATH-152"), held=(before,), programme=COURSES)
    assert [reason.code for reason in found.reasons] == ["held-unknown"]


def test_a_course_met_by_an_equivalent_satisfies_the_prerequisite_too() -> None:
    held = outcome("SFU-MATH-152")
    assert given(AFTER_115, held, met=frozenset({"MATH-115"}), programme=COURSES) == {
        "MATH-116": "3"
    }
    assert against(AFTER_115, held, programme=COURSES) == {"met": ("", "MATH-115", "MATH-115")}
