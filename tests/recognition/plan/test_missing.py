"""The fewest courses that complete a programme, held against all sets of courses."""

from __future__ import annotations

import itertools
import random
from decimal import Decimal
from typing import Any

import pytest

from creditbank.recognition.engine.evidence import Evidence
from creditbank.recognition.engine.findings import Line
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.planning.exact import solving
from creditbank.recognition.planning.missing import shortest
from creditbank.recognition.planning.standing import standing
from tests.recognition.make import OTHER, OWNER, SENDER, course, outcome, programme
from tests.recognition.planned import line


def category(code: str, credits: str, to: str = "") -> dict[str, Any]:
    said = {"code": code, "title": code, "title_en": code, "credits": credits}
    return said | ({"spills_to": to} if to else {})


def college(*courses: dict[str, Any], **changes: Any) -> Programme:
    """Major asks for 6 and spills into free, which asks for 4."""
    said = {"categories": [category("major", "6", "free"), category("free", "4")], "total": "10"}
    return programme(*courses, **(said | changes))


def test_the_fewest_courses_are_found_and_not_the_first() -> None:
    here = college(
        course("A", "2"), course("B", "2"), course("C", "3"), course("D", "3"), course("E", "4")
    )
    found = shortest(here, native=[], lines=[])
    assert (found.state, found.courses, found.credits) == ("shortest", ("C", "D", "E"), 10)


def test_of_as_few_the_fewest_credits_then_the_least_codes() -> None:
    here = college(
        course("A", "6"), course("B", "5"), course("C", "5"), course("D", "5"), course("E", "4")
    )
    found = shortest(here, native=[], lines=[])
    assert (found.courses, found.credits) == (("A", "E"), 10)
    alike = college(course("C", "5"), course("B", "5"), course("A", "5"))
    assert shortest(alike, native=[], lines=[]).courses == ("A", "B")


def test_required_courses_are_taken_in_any_case() -> None:
    here = college(course("A", "6"), course("B", "4"), course("Z", "1", required=True))
    assert shortest(here, native=[], lines=[]).courses == ("A", "B", "Z")


def test_what_is_met_already_is_not_taken_again() -> None:
    here = college(course("A", "6", items=["OWN-A"]), course("B", "4"), course("C", "5"))
    own = outcome("OWN-A", body=OWNER)
    assert shortest(here, native=[own], lines=[]).courses == ("B",)
    recognised = [line(outcome("I"), category="free", credits="4")]
    assert shortest(here, native=[own], lines=recognised).courses == ()


def test_courses_that_are_not_enough_are_said_to_be() -> None:
    here = college(course("A", "3"), course("F", "4", category="free"))
    found = shortest(here, native=[], lines=[])
    assert found.state == "not-enough"
    assert found.courses == ("A", "F")
    assert [(one.code, one.subject, one.credits) for one in found.shortfalls] == [
        ("total", "", 3),
        ("category", "major", 3),
    ]


def test_a_minimum_of_the_owners_own_asks_for_courses_beyond_the_categories() -> None:
    own = {"code": "own", "title": "t", "title_en": "t", "of": {"native": True}, "credits": "4"}
    here = college(course("A", "3"), course("B", "2"), course("C", "1"), minimums=[own])
    before = [
        line(outcome("I"), category="major", credits="6"),
        line(outcome("J"), category="free", credits="3"),
    ]
    assert shortest(here, native=[], lines=before).courses == ("A", "C")


def test_a_minimum_of_others_that_no_course_helps_is_named() -> None:
    others = {
        "code": "x",
        "title": "t",
        "title_en": "t",
        "of": {"kinds": ["x-certificate"]},
        "credits": "1",
    }
    here = college(course("A", "6"), course("B", "4"), minimums=[others])
    found = shortest(here, native=[], lines=[])
    assert [(one.code, one.subject) for one in found.shortfalls] == [("minimum", "x")]
    certificate = outcome("X", kind="x-certificate")
    lines = [line(certificate, category="free", credits="1")]
    found = shortest(here, native=[], lines=lines, held=[certificate])
    assert (found.state, found.courses) == ("shortest", ("A", "B"))


def test_after_its_time_a_set_that_completes_is_not_proved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(solving, "SEARCHED", 0)
    here = college(course("A", "6"), course("B", "4"), course("C", "3"))
    found = shortest(here, native=[], lines=[], limit_seconds=0)
    assert (found.state, found.courses) == ("not-proved", ("A", "B", "C"))


def drawn(seed: int) -> tuple[Programme, list[Evidence], list[Line], list[Evidence]]:
    """A small programme and what someone has of it."""
    chance = random.Random(seed)
    names = ["major", "liberal", "free"][: chance.randint(1, 3)]
    asks = {name: chance.randint(2, 9) for name in names}
    categories = [
        category(
            name,
            str(asks[name]),
            names[place + 1] if place + 1 < len(names) and chance.random() < 0.6 else "",
        )
        for place, name in enumerate(names)
    ]
    courses = [
        course(
            f"C-{chance.randrange(100):02}-{n}",
            chance.choice(("1", "1.5", "2", "3", "4")),
            chance.choice(names),
            items=[f"OWN-{n}"],
            **({"required": True} if chance.random() < 0.25 else {}),
        )
        for n in range(chance.randint(2, 8))
    ]
    of = chance.choice(
        ({"native": True}, {"kinds": ["course"]}, {"bodies": [OWNER, SENDER]}, {"bodies": [OTHER]})
    )
    minimum = {"code": "m", "title": "t", "title_en": "t", "of": of, "credits": "2"}
    here = programme(
        *courses,
        categories=categories,
        total=str(sum(asks.values())),
        minimums=[minimum] if chance.random() < 0.5 else None,
    )
    own = [
        outcome(f"OWN-{chance.randrange(len(courses))}", body=OWNER)
        for _ in range(chance.randrange(2))
    ]
    held = [
        outcome(
            "I", body=chance.choice((SENDER, OTHER)), kind=chance.choice(("course", "training"))
        )
        for _ in range(chance.randrange(3))
    ]
    lines = [
        line(one, category=chance.choice(names), credits=chance.choice(("1", "2", "3.5")))
        for one in held
    ]
    return here, own, lines, held


def all_sets(
    here: Programme, own: list[Evidence], lines: list[Line], held: list[Evidence]
) -> tuple[str, ...] | None:
    """The best set by going through all: what is taken is an outcome of the owner's own."""
    met = standing(here, native=own, lines=lines, held=held).met
    open_ = sorted(one.code for one in here.courses if one.code not in met)
    worth = {one.code: one.credits for one in here.courses}
    best: tuple[Any, tuple[str, ...]] | None = None
    for size in range(len(open_) + 1):
        for taken in itertools.combinations(open_, size):
            items = [one.items[0] for one in here.courses if one.code in taken]
            native = [*own, *(outcome(item, body=OWNER) for item in items)]
            if standing(here, native=native, lines=lines, held=held).state == "finished":
                merit = (sum((worth[code] for code in taken), Decimal(0)), taken)
                if best is None or merit < (best[0], best[1]):
                    best = merit
        if best is not None:
            return best[1]
    return None


@pytest.mark.parametrize("searched", [10, 0])
def test_no_smaller_set_completes(searched: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "SEARCHED", searched)
    states = set()
    for seed in range(150):
        here, own, lines, held = drawn(seed)
        found = shortest(here, native=own, lines=lines, held=held, limit_seconds=None)
        best = all_sets(here, own, lines, held)
        states.add(found.state)
        if best is None:
            assert found.state == "not-enough", seed
        else:
            assert (found.state, found.courses) == ("shortest", best), seed
    assert states == {"shortest", "not-enough"}
