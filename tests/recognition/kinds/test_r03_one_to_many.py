"""R3, one outcome for several courses (一对多).

Sources C3: a postal express certificate exempts 3 courses, 8 credits; C22: an
external course with more credits than any local one may become more than one.
The split of the 8 credits over the three courses has no source.
"""

from __future__ import annotations

from tests.recognition.make import course, finding, given, outcome, programme, rule

OPEN = programme(
    course("EXPRESS-1", "3"), course("EXPRESS-2", "3"), course("EXPRESS-3", "2"), course("OTHER")
)
POSTAL = rule(
    {"item": ["POSTAL-EXPRESS"]},
    [{"course": "EXPRESS-1"}, {"course": "EXPRESS-2"}, {"course": "EXPRESS-3"}],
)


def test_a_postal_certificate_gives_three_courses_and_eight_credits() -> None:
    certificate = outcome("POSTAL-EXPRESS", kind="skill-level", credits="10", skill_level="4")
    found = finding(POSTAL, certificate, programme=OPEN)
    assert [grant.course for grant in found.grants] == ["EXPRESS-1", "EXPRESS-2", "EXPRESS-3"]
    assert sum(grant.credits for grant in found.grants) == 8


def test_they_come_together_from_one_use() -> None:
    found = finding(POSTAL, outcome("POSTAL-EXPRESS"), programme=OPEN)
    assert (len(found.leaves), found.choose, found.credits_max) == (1, 0, None)


def test_a_large_course_fills_several_and_no_more_than_it_is_worth() -> None:
    large = rule(
        {"item": ["LARGE"]},
        [{"course": "EXPRESS-1"}, {"course": "EXPRESS-2"}, {"course": "EXPRESS-3"}],
        allocation={"at_most": {"of": "bank"}},
    )
    # Six credits fill two courses; nothing is left for the third.
    assert given(large, outcome("LARGE", credits="6"), programme=OPEN) == {
        "EXPRESS-1": "3",
        "EXPRESS-2": "3",
    }
    assert given(large, outcome("LARGE", credits="7"), programme=OPEN) == {
        "EXPRESS-1": "3",
        "EXPRESS-2": "3",
        "EXPRESS-3": "1",
    }
