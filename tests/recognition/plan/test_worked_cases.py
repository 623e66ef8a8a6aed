"""The worked cases that are about sets: what every engine must get right."""

from __future__ import annotations

from decimal import Decimal

from creditbank.recognition.planning.standing import standing
from tests.recognition.make import OWNER, SENDER, course, outcome, programme, rule
from tests.recognition.planned import chosen, kept_out, line, obstacles, planned


def test_the_postal_express_certificate_gives_three_courses_and_is_used_once() -> None:
    """OUC: 3 courses, 8 credits."""
    college = programme(course("LOG-1", "3"), course("LOG-2", "3"), course("LOG-3", "2"))
    express = rule(
        {"item": ["X-EXPRESS"]}, [{"course": "LOG-1"}, {"course": "LOG-2"}, {"course": "LOG-3"}]
    )
    held = outcome("X-EXPRESS", kind="x-certificate", credits="8")
    made = planned([express], held, programme=college)
    assert made.credits == 8
    assert made.outcomes == 1
    assert {one.leaves for one in made.lines} == {(held.leaf,)}
    again = [line(held, course="LOG-1", credits="3", rule="R-1")]
    assert planned([express], held, programme=college, earlier=again).lines == ()


def test_an_intermediate_certificate_is_for_core_courses_up_to_eight_credits_and_its_value() -> (
    None
):
    """C18: only core courses, at most 8 credits, at most the bank value, one course one certificate."""
    core = {"tags": ["core"]}
    college = programme(
        course("CORE-1", "4", **core),
        course("CORE-2", "4", **core),
        course("CORE-3", "3", **core),
        course("BASIC", "6", tags=["basic"]),
    )
    certificate = rule(
        {"all": [{"kind": ["x-certificate"]}, {"certificate_level": ["中级"]}]},
        [{"courses": {"tag": "core"}}],
        allocation={"choose": 3, "at_most": {"lower": ["8", {"of": "bank"}]}},
    )

    def level(item: str, credits: str) -> object:
        return outcome(item, kind="x-certificate", credits=credits, certificate_level="中级")

    big, small = level("X-1", "12"), level("X-2", "7")
    assert chosen([certificate], big, programme=college) == {"X-1": {"CORE-1": "4", "CORE-2": "4"}}
    assert chosen([certificate], small, programme=college) == {
        "X-2": {"CORE-1": "4", "CORE-3": "3"}
    }
    both = planned([certificate], big, small, programme=college)
    assert both.credits == 11
    taken = [line(big, course=code, credits=4, rule="R-1") for code in ("CORE-1", "CORE-2")]
    taken.append(line(big, course="CORE-3", credits=3, rule="R-1"))
    second = planned([certificate], big, small, programme=college, earlier=taken)
    assert second.lines == ()
    assert kept_out(second, small) == [("one-source", "CORE-1")]


def test_one_of_two_where_taking_the_first_would_block_another() -> None:
    """The open tools take A, and C is blocked; the optimum takes B."""
    college = programme(course("A", "3"), course("B", "3"))
    first = rule({"item": ["I"]}, [{"course": "A"}, {"course": "B"}], allocation={"choose": 1})
    other = rule({"item": ["C"]}, [{"course": "A"}], code="R-2")
    one, two = outcome("I"), outcome("C")
    assert chosen([first, other], one, two, programme=college) == {
        "I": {"B": "3"},
        "C": {"A": "3"},
    }


def test_one_of_two_outcomes_where_the_first_is_needed_elsewhere() -> None:
    college = programme(course("A", "3"), course("B", "3"))
    either = rule(
        {"any": [{"outcome": {"item": ["I"]}}, {"outcome": {"item": ["J"]}}]}, [{"course": "A"}]
    )
    only = rule({"item": ["I"]}, [{"course": "B"}], code="R-2")
    assert chosen([either, only], outcome("I"), outcome("J"), programme=college) == {
        "I": {"B": "3"},
        "J": {"A": "3"},
    }


def test_waived_with_no_credits_meets_the_requirement_and_changes_no_credits() -> None:
    college = programme(course("PE", "2", required=True))
    waived = rule({"item": ["I"]}, [{"course": "PE", "waived": True}])
    held = outcome("I")
    made = planned([waived], held, programme=college)
    assert (made.credits, made.required) == (0, 1)
    found = standing(college, native=[], lines=made.lines)
    (one,) = [each for each in found.courses if each.code == "PE"]
    assert [(source.kind, source.credits) for source in one.sources] == [("waived", 0)]
    assert found.counted == 0
    assert "required" not in [short.code for short in found.shortfalls]


def test_a_waiver_of_a_course_that_is_not_required_is_not_worth_an_outcome() -> None:
    college = programme(course("PE", "2"))
    waived = rule({"item": ["I"]}, [{"course": "PE", "waived": True}])
    held = outcome("I")
    made = planned([waived], held, programme=college)
    assert made.lines == ()
    assert kept_out(made, held) == [("no-gain", "")]


def test_a_course_taken_twice_counts_once_at_its_best() -> None:
    """Retaken, or held at two credit values: the other stands beside it and counts 0."""
    college = programme(course("A", "4", items=["OWN-A"]))
    first, second = (outcome("OWN-A", body=OWNER, score=score) for score in ("61", "85"))
    found = standing(college, native=[first, second], lines=[])
    (one,) = found.courses
    assert one.mark == "85"
    assert [(source.leaves, source.credits) for source in one.sources] == [
        ((second.leaf,), 4),
        ((first.leaf,), 0),
    ]
    assert found.counted == 4


def test_an_outcome_held_at_two_credit_values_is_recognised_once() -> None:
    college = programme(course("A", "4"))
    to_a = rule(
        {"item": ["I"]},
        [{"course": "A", "credits": {"lower": [{"of": "bank"}, {"of": "target"}]}}],
        constraints=[{"highest": {"by": "item"}}],
    )
    small, large = outcome("I", credits="2"), outcome("I", credits="3")
    made = planned([to_a], small, large, programme=college)
    assert made.credits == 3
    (found,) = [one for one in obstacles(made, small) if one.code == "highest"]
    assert found.leaf == large.leaf


def test_of_a_transferred_and_an_own_result_the_better_counts_and_both_stay() -> None:
    college = programme(course("A", "4", items=["OWN-A"]))
    own, other = outcome("OWN-A", body=OWNER, score="70"), outcome("I", body=SENDER)
    recognised = line(other, course="A", credits="3", rule="R-1", version=2, mark="88")
    found = standing(college, native=[own], lines=[recognised])
    (one,) = found.courses
    assert one.mark == "88"
    assert [
        (source.kind, source.rule, source.version, source.credits, source.mark)
        for source in one.sources
    ] == [
        ("native", "", 0, 4, "70"),
        ("recognised", "R-1", 2, 0, "88"),
    ]
    assert found.counted == 4
    worse = line(other, course="A", credits="3", rule="R-1", version=2, mark="60")
    assert standing(college, native=[own], lines=[worse]).courses[0].mark == "70"


def test_a_source_worth_more_gives_the_surplus_to_the_electives_or_loses_it() -> None:
    college = programme(course("A", "3"))
    held = outcome("I", credits="4.5")
    allowed = rule(
        {"item": ["I"]},
        [{"course": "A", "credits": {"of": "bank"}}],
        allocation={"excess": {"to": "elective"}},
    )
    assert planned([allowed], held, programme=college).credits == Decimal("4.5")
    forbidden = rule({"item": ["I"]}, [{"course": "A", "credits": {"of": "bank"}}])
    assert planned([forbidden], held, programme=college).credits == 3


def test_140_are_60_and_30_and_the_rest_from_anywhere() -> None:
    """Korea: what major has beyond 60 fills the rest; liberal short stays short."""
    bank = programme(course("A"))
    give = [
        rule({"kind": [kind]}, [{"category": to, "credits": {"of": "bank"}}], code=f"R-{to}")
        for kind, to in (("course", "major"), ("training", "liberal"))
    ]
    major = [outcome(f"M-{n}", credits="22") for n in range(5)]
    liberal = outcome("L", kind="training", credits="30")
    made = planned(give, *major, liberal, programme=bank)
    assert made.counted == 140
    short = outcome("L", kind="training", credits="20")
    lacking = planned(give, *major, short, programme=bank)
    assert lacking.counted == 130
    found = standing(bank, native=[], lines=lacking.lines)
    assert [(one.code, one.subject) for one in found.shortfalls] == [
        ("total", ""),
        ("category", "liberal"),
    ]
