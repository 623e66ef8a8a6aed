"""R22, one course has one source (一课一证).

Source C18: several X certificates may not replace the same course.
"""

from __future__ import annotations

from tests.recognition.make import OWNER, course, outcome, programme, rule
from tests.recognition.planned import chosen, kept_out, line, obstacles, planned

COLLEGE = programme(course("A", "4"), course("B", "3", category="liberal"))
CERTIFICATE = rule({"kind": ["x-certificate"]}, [{"course": "A"}])


def test_the_second_certificate_for_the_same_course_is_refused_and_told_why() -> None:
    one = outcome("X-1", kind="x-certificate", valid_until="2027-01-01")
    two = outcome("X-2", kind="x-certificate", valid_until="2028-01-01")
    made = planned([CERTIFICATE], two, one, programme=COLLEGE)
    assert [line_.leaves for line_ in made.lines] == [(one.leaf,)]
    (found,) = obstacles(made, two)
    assert (found.code, found.course, found.leaf, found.in_favour_of) == (
        "worse",
        "A",
        one.leaf,
        "R-1",
    )


def test_a_course_that_was_recognised_before_is_taken() -> None:
    before, now = (outcome(f"X-{n}", kind="x-certificate") for n in (1, 2))
    earlier = [line(before, course="A", credits="4", rule="R-OLD")]
    made = planned([CERTIFICATE], before, now, programme=COLLEGE, earlier=earlier)
    assert made.lines == ()
    assert kept_out(made, now) == [("one-source", "A")]


def test_a_course_that_was_taken_at_the_owner_is_taken() -> None:
    here = programme(course("A", "4", items=["OWN-A"]))
    own = outcome("OWN-A", body=OWNER, score="61")
    certificate = outcome("X-1", kind="x-certificate", score="99")
    made = planned([CERTIFICATE], own, certificate, programme=here)
    assert made.lines == ()
    (found,) = obstacles(made, certificate)
    assert (found.code, found.course, found.leaf) == ("one-source", "A", own.leaf)


def test_a_course_that_the_circumstances_name_as_met_is_taken() -> None:
    made = planned(
        [CERTIFICATE], outcome("X", kind="x-certificate"), programme=COLLEGE, met=frozenset({"A"})
    )
    assert made.lines == ()


def test_a_category_has_room_for_several() -> None:
    rule_ = rule({"kind": ["x-certificate"]}, [{"category": "major", "credits": "4"}])
    held = [outcome(f"X-{n}", kind="x-certificate") for n in range(3)]
    assert len(chosen([rule_], *held, programme=COLLEGE)) == 3
