"""R17, absolute caps (绝对上限).

Sources: C18, at most 8 credits for one certificate; C27, at most 8 courses; K9, at
most 3 qualifications, one of them at most as general elective; K4, at most 105
credits from one institution.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.recognition.make import OTHER, SENDER, course, outcome, programme, rule
from tests.recognition.planned import chosen, kept_out, line, obstacles, planned

CORE = {"tags": ["core"]}
COLLEGE = programme(
    course("A", "4", **CORE),
    course("B", "3", **CORE),
    course("C", "1", **CORE),
    course("D", "1.5", **CORE),
)
CERTIFICATE = rule(
    {"kind": ["x-certificate"]},
    [{"courses": {"tag": "core"}}],
    allocation={"choose": 4},
    constraints=[{"cap": {"credits": "8", "per": "outcome"}}],
)


def test_one_certificate_gives_eight_credits_and_no_more() -> None:
    one = outcome("X-1", kind="x-certificate", credits="10")
    assert chosen([CERTIFICATE], one, programme=COLLEGE) == {"X-1": {"A": "4", "B": "3", "C": "1"}}


def test_each_certificate_has_eight_credits_of_its_own() -> None:
    one = outcome("X-1", kind="x-certificate", credits="10")
    two = outcome("X-2", kind="x-certificate", credits="10")
    made = planned([CERTIFICATE], one, two, programme=COLLEGE)
    assert made.credits == Decimal("9.5")


def test_what_was_recognised_for_a_certificate_before_counts() -> None:
    cap = rule(
        {"kind": ["x-certificate"]},
        [{"course": "B"}],
        constraints=[{"cap": {"credits": "8"}}],
    )
    before, now = outcome("X-1", kind="x-certificate"), outcome("X-2", kind="x-certificate")
    for given, fits in (("5", True), ("5.01", False)):
        earlier = [line(before, category="elective", credits=given, rule="R-1")]
        made = planned([cap], before, now, programme=COLLEGE, earlier=earlier)
        assert bool(made.lines) is fits
        if not fits:
            (found,) = obstacles(made, now)
            assert (found.code, found.holder, found.pointer) == (
                "cap",
                "R-1",
                "/constraints/0/cap/credits",
            )
            assert (str(found.most), str(found.drawn)) == ("8.00", "5.01")


def one_to_one(count: int, credits: str = "3") -> tuple[list[Any], list[Any], Any]:
    """So many courses elsewhere, each for one here."""
    here = [course(f"C-{n}", credits) for n in range(count)]
    pairs = [
        rule({"item": [f"I-{n}"]}, [{"course": f"C-{n}"}], code=f"R-{n}") for n in range(count)
    ]
    return here, pairs, [outcome(f"I-{n}") for n in range(count)]


def test_eight_courses_are_exempted_and_the_ninth_is_not() -> None:
    here, pairs, held = one_to_one(9)
    cap = [{"cap": {"courses": 8}}]
    college = programme(*here, constraints=cap)
    assert len(planned(pairs, *held[:8], programme=college).lines) == 8
    made = planned(pairs, *held, programme=college)
    assert len(made.lines) == 8
    assert kept_out(made, held[8]) == [("cap", "P-1/constraints/0/cap/courses")]


def test_a_waived_course_is_one_of_the_eight() -> None:
    here, pairs, held = one_to_one(8)
    waived = rule({"item": ["I-W"]}, [{"course": "W", "waived": True}], code="R-W")
    college = programme(*here, course("W"), constraints=[{"cap": {"courses": 8}}])
    made = planned([*pairs, waived], *held, outcome("I-W"), programme=college)
    assert [one.grant.course for one in made.lines] == [f"C-{n}" for n in range(8)]


QUALIFIED = rule({"kind": ["skill-level"]}, [{"category": "major", "credits": "5"}])
ELECTIVE = rule({"kind": ["skill-level"]}, [{"category": "elective", "credits": "6"}], code="R-2")


def test_three_qualifications_count_and_the_fourth_does_not() -> None:
    cap = {"cap": {"outcomes": 3}, "of": {"kinds": ["skill-level"]}}
    bank = programme(constraints=[cap])
    held = [outcome(f"Q-{n}", kind="skill-level") for n in range(4)]
    assert len(planned([QUALIFIED], *held[:3], programme=bank).lines) == 3
    made = planned([QUALIFIED], *held, programme=bank)
    assert made.credits == 15
    assert kept_out(made, held[3]) == [("cap", "P-1/constraints/0/cap/outcomes")]


def test_what_is_no_qualification_does_not_count_among_the_three() -> None:
    cap = {"cap": {"outcomes": 3}, "of": {"kinds": ["skill-level"]}}
    held = [outcome(f"Q-{n}", kind="skill-level") for n in range(3)]
    course_ = rule({"kind": ["course"]}, [{"category": "liberal", "credits": "3"}], code="R-3")
    made = planned(
        [QUALIFIED, course_], *held, outcome("C"), programme=programme(constraints=[cap])
    )
    assert made.credits == 18


def test_one_qualification_at_most_is_a_general_elective() -> None:
    caps = [
        {"cap": {"outcomes": 3}, "of": {"kinds": ["skill-level"]}},
        {"cap": {"outcomes": 1}, "of": {"kinds": ["skill-level"], "categories": ["elective"]}},
    ]
    held = [outcome(f"Q-{n}", kind="skill-level") for n in range(3)]
    made = planned([QUALIFIED, ELECTIVE], *held, programme=programme(constraints=caps))
    assert made.credits == 6 + 5 + 5
    assert kept_out(made, held[1], "R-2") == [
        ("worse", "R-1"),
        ("cap", "P-1/constraints/1/cap/outcomes"),
    ]


def test_105_credits_come_from_one_institution_and_more_from_another() -> None:
    cap = [{"cap": {"credits": "105", "per": "body"}}]
    block = rule({"kind": ["course"]}, [{"category": "major", "credits": "15"}])
    bank = programme(
        categories=[{"code": "major", "title": "t", "title_en": "t", "credits": "140"}],
        courses=[course("A")],
        constraints=cap,
    )
    held = [outcome(f"I-{n}", body=SENDER, credits="15") for n in range(8)]
    assert planned([block], *held[:7], programme=bank).credits == 105
    made = planned([block], *held, programme=bank)
    assert made.credits == 105
    (found,) = obstacles(made, held[7])
    assert (found.code, found.group, str(found.drawn)) == ("cap", SENDER, "105.00")
    elsewhere = outcome("I-9", body=OTHER, credits="15")
    assert planned([block], *held, elsewhere, programme=bank).credits == 120
