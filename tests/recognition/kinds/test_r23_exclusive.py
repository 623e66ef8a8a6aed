"""R23, what excludes each other (互斥), and subjects under several names.

Sources: K4, a subject counts once under all its names: spacing, particles,
punctuation, "I" of the first in a series; G7 (Cornell), the credit for an AP
examination is removed if the course is taken later.
"""

from __future__ import annotations

import pytest

from creditbank.recognition.planning.samename import same_name
from tests.recognition.make import OWNER, course, outcome, programme, rule
from tests.recognition.planned import kept_out, line, obstacles, planned

SAME = [{"exclusive": {"same_name": True}}]
BANK = programme(constraints=SAME)
COUNT = rule({"kind": ["course"]}, [{"category": "elective", "credits": "3"}])

ALIKE = [
    ("교육의 이해", "교육의이해"),
    ("교육의 이해", "교육 이해"),
    ("정보와 사회", "정보 사회"),
    ("경영과 사회", "경영사회"),
    ("가족 및 문화", "가족문화"),
    ("사회복지학 개론", "사회복지학개론"),
    ("영어 I", "영어"),
    ("영어Ⅰ", "영어"),
    ("영어(1)", "영어"),
    ("대학영어·회화", "대학 영어 회화"),
    ("Data Structures", "data-structures"),
    ("ＤＡＴＡ structures", "Data Structures I"),
    ("大学英语（Ⅰ）", "大学英语"),
]
DIFFERENT = [
    ("영어 I", "영어 II"),
    ("영어 1", "영어 2"),
    ("영어 11", "영어 1"),
    ("경영과학", "경영학"),
    ("교육과정", "교육정"),
    ("한의학", "한학"),
    ("국가 경제", "국 경제"),
    ("Hanoi", "Hano"),
    ("大学英语", "大学英文"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_spellings_of_one_name_count_once(one: str, other: str) -> None:
    held = [outcome("A", title=one), outcome("B", title=other)]
    made = planned([COUNT], *held, programme=BANK)
    assert made.credits == 3
    assert kept_out(made, held[1]) == [("exclusive", "P-1/constraints/0/exclusive/same_name")]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_names_both_count(one: str, other: str) -> None:
    held = [outcome("A", title=one), outcome("B", title=other)]
    assert planned([COUNT], *held, programme=BANK).credits == 6


def test_a_name_of_which_nothing_would_be_left_keeps_what_it_has() -> None:
    assert same_name("I") == "i"
    assert same_name("1") == "1"


def test_of_one_name_the_one_that_gives_more_counts() -> None:
    more = rule({"item": ["B"]}, [{"category": "elective", "credits": "4"}], code="R-2")
    held = [outcome("A", title="회계"), outcome("B", title="회 계", kind="training")]
    made = planned([COUNT, more], *held, programme=BANK)
    assert made.credits == 4
    assert kept_out(made, held[0])[0] == ("exclusive", "P-1/constraints/0/exclusive/same_name")


def test_what_was_recognised_under_a_name_before_counts() -> None:
    before, now = outcome("A", title="영어"), outcome("B", title="영어 I")
    earlier = [line(before, category="elective", credits="3")]
    made = planned([COUNT], before, now, programme=BANK, earlier=earlier)
    assert made.credits == 0
    (found,) = obstacles(made, now)
    assert (found.code, found.leaf) == ("exclusive", before.leaf)


AP = rule(
    {"item": ["AP-CALC"]},
    [{"category": "elective", "credits": "4"}],
    code="R-AP",
    constraints=[{"exclusive": {"items": ["AP-CALC", "MATH-1110"]}}],
)


def test_an_ap_credit_counts_until_the_course_is_taken() -> None:
    here = programme(course("CALC", "4", items=["MATH-1110"]))
    examination = outcome("AP-CALC", kind="training")
    assert planned([AP], examination, programme=here).credits == 4
    taken = outcome("MATH-1110", body=OWNER)
    made = planned([AP], examination, taken, programme=here)
    assert made.credits == 0
    (found,) = obstacles(made, examination)
    assert (found.code, found.pointer) == ("exclusive", "/constraints/0/exclusive/items")
    assert found.leaf == taken.leaf


def test_one_of_excluded_items_counts_and_it_is_the_better_one() -> None:
    either = rule(
        {"item": ["A", "B"]},
        [
            {
                "category": "elective",
                "credits": {
                    "table": {
                        "by": "item",
                        "rows": [{"is": ["A"], "credits": "2"}, {"is": ["B"], "credits": "3"}],
                    }
                },
            }
        ],
        constraints=[{"exclusive": {"items": ["A", "B"]}}],
    )
    held = [outcome("A"), outcome("B")]
    made = planned([either], *held, programme=programme())
    assert made.credits == 3
    assert kept_out(made, held[0]) == [("exclusive", "R-1/constraints/0/exclusive/items")]
