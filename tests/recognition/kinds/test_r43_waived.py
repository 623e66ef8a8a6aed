"""R43, exempted without credits (免修不给学分).

Source H8: who is exempted must take another course to make up the credits.
"""

from __future__ import annotations

from decimal import Decimal

from tests.recognition.make import course, finding, given, outcome, programme, rule

COURSES = programme(course("ENG-101", "4", "liberal"), course("ENG-102", "4", "liberal"))
EXEMPT = rule({"item": ["IELTS"]}, [{"course": "ENG-101", "waived": True}])


def test_the_course_is_met_and_no_credits_come_of_it() -> None:
    assert given(EXEMPT, outcome("IELTS", credits="4"), programme=COURSES) == {"ENG-101": "waived"}
    (grant,) = finding(EXEMPT, outcome("IELTS"), programme=COURSES).grants
    assert (grant.course, grant.credits, grant.surplus) == ("ENG-101", Decimal(0), Decimal(0))


def test_one_outcome_may_exempt_from_one_course_and_give_another() -> None:
    both = rule({"item": ["IELTS"]}, [{"course": "ENG-101", "waived": True}, {"course": "ENG-102"}])
    assert given(both, outcome("IELTS"), programme=COURSES) == {
        "ENG-101": "waived",
        "ENG-102": "4",
    }


def test_a_waiver_has_no_mark() -> None:
    marked = rule(
        {"item": ["IELTS"]},
        [{"course": "ENG-101", "waived": True}, {"course": "ENG-102"}],
        allocation={"mark": {"map": [{"is": "7.5", "mark": "90"}]}},
    )
    found = finding(marked, outcome("IELTS", grade="7.5"), programme=COURSES)
    assert [grant.mark for grant in found.grants] == ["", "90"]
