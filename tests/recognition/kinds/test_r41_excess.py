"""R41, what exceeds (超额处理): it goes to the electives, or is lost.

Sources: C23, a surplus may become electives (R9); K8, the surplus of a
qualification does not spill into general credits (R13).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.planning.standing import standing
from tests.recognition.make import course, outcome, programme, rule
from tests.recognition.planned import chosen, kept_out, line, planned

TWO = programme(course("A", "3"), course("B", "2", category="liberal"))


def test_the_surplus_of_a_course_goes_where_the_rule_sends_it() -> None:
    spills = rule(
        {"item": ["I"]},
        [{"course": "A", "credits": {"of": "bank"}}],
        allocation={"excess": {"to": "elective"}},
    )
    held = outcome("I", credits="5")
    made = planned([spills], held, programme=TWO)
    assert made.credits == 5
    assert chosen([spills], held, programme=TWO) == {"I": {"A": "3 + 2 elective"}}
    lost = rule({"item": ["I"]}, [{"course": "A", "credits": {"of": "bank"}}])
    assert planned([lost], held, programme=TWO).credits == 3


def categories(spills: str = "", further: str = "") -> Programme:
    """Major asks for 6, general for 4, elective for 5."""

    def category(code: str, credits: str, to: str) -> dict[str, Any]:
        said = {"code": code, "title": code, "title_en": code, "credits": credits}
        return said | ({"spills_to": to} if to else {})

    return programme(
        course("A", "3"),
        total="15",
        categories=[
            category("major", "6", spills),
            category("general", "4", further),
            category("elective", "5", ""),
        ],
    )


GIVE = rule({"kind": ["training"]}, [{"category": "major", "credits": {"of": "bank"}}])


def counted(here: Programme, *amounts: str) -> Decimal:
    held = [outcome(f"I-{n}", kind="training", credits=one) for n, one in enumerate(amounts)]
    return planned([GIVE], *held, programme=here).credits


def test_a_full_category_spills_where_the_programme_lets_it() -> None:
    assert counted(categories(), "4", "4") == 6
    assert counted(categories("general"), "4", "4") == 8
    assert counted(categories("general"), "5", "5", "5") == 10
    assert counted(categories("general", "elective"), "5", "5", "5") == 15
    assert counted(categories("general", "elective"), "5", "5", "5", "5") == 15


def test_what_would_be_lost_is_not_taken() -> None:
    held = [outcome(f"I-{n}", kind="training", credits="6") for n in range(2)]
    made = planned([GIVE], *held, programme=categories())
    assert len(made.lines) == 1
    assert kept_out(made, held[1]) == [("no-gain", "")]


def test_spilling_gives_way_to_what_belongs_there() -> None:
    general = rule(
        {"kind": ["course"]}, [{"category": "general", "credits": {"of": "bank"}}], code="R-2"
    )
    here = categories("general")
    major = [outcome(f"M-{n}", kind="training", credits="5") for n in range(2)]
    own = outcome("G", credits="4")
    made = planned([GIVE, general], *major, own, programme=here)
    assert made.credits == 10
    assert made.outcomes == 2


def test_a_standing_shows_what_spilled_and_what_was_lost() -> None:
    here = categories("general")
    lines = [line(outcome("I"), category="major", credits="12")]
    found = {one.code: one for one in standing(here, native=[], lines=lines).categories}
    assert (found["major"].given, found["major"].counted, found["major"].spilled) == (12, 6, 6)
    assert (found["general"].counted, found["elective"].counted) == (4, 0)
