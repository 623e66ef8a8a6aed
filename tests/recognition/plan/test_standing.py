"""Where a learner stands: categories, courses, what is pending."""

from __future__ import annotations

from decimal import Decimal

from creditbank.recognition.planning.standing import standing
from tests.recognition.make import OWNER, course, outcome, programme
from tests.recognition.planned import line

COLLEGE = programme(
    course("A", "3", required=True, items=["OWN-A"]),
    course("B", "4"),
    course("C", "2", category="liberal"),
)


def test_nothing_held_is_all_missing() -> None:
    found = standing(COLLEGE, native=[], lines=[])
    assert found.state == "unfinished"
    assert (found.counted, found.missing, found.pending) == (0, 140, 0)
    assert [(one.code, one.asked, one.missing) for one in found.categories] == [
        ("major", 60, 60),
        ("liberal", 30, 30),
        ("elective", 50, 50),
    ]
    assert [(one.code, one.subject, one.credits) for one in found.shortfalls] == [
        ("total", "", 140),
        ("category", "major", 60),
        ("category", "liberal", 30),
        ("category", "elective", 50),
        ("required", "A", 0),
    ]


def test_each_course_says_what_met_it() -> None:
    own, other = outcome("OWN-A", body=OWNER, score="77"), outcome("I")
    lines = [line(other, course="B", credits="3.5", rule="R-7", version=3, mark="85")]
    found = standing(COLLEGE, native=[own, outcome("I")], lines=lines)
    told = {one.code: one for one in found.courses}
    (native,) = told["A"].sources
    assert (native.kind, native.leaves, native.credits) == ("native", (own.leaf,), 3)
    (recognised,) = told["B"].sources
    assert (recognised.kind, recognised.rule, recognised.version) == ("recognised", "R-7", 3)
    assert (told["B"].mark, recognised.credits) == ("85", Decimal("3.5"))
    assert told["C"].sources == ()
    assert found.met == {"A", "B"}
    assert found.counted == Decimal("6.5")


def test_what_lapsed_or_is_not_the_owners_does_not_meet_a_course() -> None:
    lapsed = outcome("OWN-A", body=OWNER, state="lapsed")
    foreign = outcome("OWN-A")
    assert standing(COLLEGE, native=[lapsed, foreign], lines=[]).met == frozenset()


def test_what_was_used_elsewhere_still_meets_its_own_course() -> None:
    used = outcome("OWN-A", body=OWNER, state="used")
    assert standing(COLLEGE, native=[used], lines=[]).met == {"A"}


def test_what_is_pending_is_told_apart() -> None:
    before, now = outcome("I"), outcome("J")
    found = standing(
        COLLEGE,
        native=[],
        lines=[line(before, category="liberal", credits="29")],
        pending=[line(now, course="C", credits="2")],
    )
    told = {one.code: one for one in found.categories}
    assert (told["liberal"].counted, told["liberal"].pending) == (29, 1)
    assert told["elective"].pending == 1
    assert (found.counted, found.pending) == (29, 2)
    assert [one.code for one in found.courses if one.pending] == ["C"]
    assert "C" not in found.met


def test_marks_without_numbers_are_kept_in_their_order() -> None:
    own = outcome("OWN-A", body=OWNER, grade="良好")
    other = line(outcome("I"), course="A", credits="3", mark="优秀")
    (found,) = [
        one for one in standing(COLLEGE, native=[own], lines=[other]).courses if one.sources
    ]
    assert found.mark == "良好"
    numbered = line(outcome("I"), course="A", credits="3", mark="85")
    (found,) = [
        one for one in standing(COLLEGE, native=[own], lines=[numbered]).courses if one.sources
    ]
    assert found.mark == "85"
