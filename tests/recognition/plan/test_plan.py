"""What a plan says, how ties are broken, and what it refuses."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any

import pytest

from creditbank.recognition.engine.findings import Finding, Grant, Line, Verdict
from creditbank.recognition.planning import plan
from creditbank.recognition.planning.exact import solving
from tests.recognition.make import (
    OWNER,
    context,
    course,
    findings,
    outcome,
    programme,
    rule,
)
from tests.recognition.plan.instances import LARGE, instance
from tests.recognition.planned import chosen, kept_out, line, planned

COLLEGE = programme(course("A", "3", required=True), course("B", "3"), course("C", "2"))


def test_nothing_held_gives_an_empty_plan() -> None:
    made = planned([], programme=COLLEGE)
    assert (made.state, made.lines, made.credits, made.left_out) == ("optimal", (), 0, ())


def test_credits_come_before_required_courses() -> None:
    one_of = rule(
        {"item": ["I"]},
        [{"course": "A", "credits": "2.5"}, {"course": "B"}],
        allocation={"choose": 1},
    )
    assert chosen([one_of], outcome("I"), programme=COLLEGE) == {"I": {"B": "3"}}


def test_required_courses_come_before_fewer_outcomes() -> None:
    both = [
        rule({"item": ["I"]}, [{"category": "major", "credits": "60"}], code="R-1"),
        rule({"item": ["J"]}, [{"course": "A", "waived": True}], code="R-2"),
    ]
    here = programme(
        course("A", required=True),
        total="60",
        categories=[{"code": "major", "title": "t", "title_en": "t", "credits": "60"}],
    )
    made = planned(both, outcome("I"), outcome("J"), programme=here)
    assert (made.credits, made.required, made.outcomes) == (60, 1, 2)


def test_fewer_outcomes_come_before_earlier_expiry() -> None:
    whole = rule({"item": ["WHOLE"]}, [{"category": "liberal", "credits": "30"}], code="R-1")
    half = rule({"item": ["H-1", "H-2"]}, [{"category": "liberal", "credits": "15"}], code="R-2")
    halves = [outcome(f"H-{n}", valid_until="2026-06-01") for n in (1, 2)]
    here = programme(
        course("A", category="liberal"),
        categories=[{"code": "liberal", "title": "t", "title_en": "t", "credits": "30"}],
        total="30",
    )
    made = planned([whole, half], *halves, outcome("WHOLE"), programme=here)
    assert [one.rule for one in made.lines] == ["R-1"]


@pytest.mark.parametrize("first", [0, 1])
def test_what_expires_first_is_used_then_what_is_older_in_the_log(first: int) -> None:
    to_b = rule({"item": ["I"]}, [{"course": "B"}])
    days = ["2027-01-01", "2027-01-02"]
    held = [outcome("I", valid_until=days[first]), outcome("I", valid_until=days[1 - first])]
    made = planned([to_b], *held, programme=COLLEGE)
    assert [one.leaves for one in made.lines] == [(held[first].leaf,)]
    lasting = [outcome("I"), outcome("I")]
    made = planned([to_b], *reversed(lasting), programme=COLLEGE)
    assert [one.leaves for one in made.lines] == [(lasting[0].leaf,)]
    mixed = [outcome("I"), outcome("I", valid_until="2030-01-01")]
    made = planned([to_b], *mixed, programme=COLLEGE)
    assert [one.leaves for one in made.lines] == [(mixed[1].leaf,)]


def test_then_the_lesser_rule_then_the_lesser_target() -> None:
    two = [
        rule({"item": ["I"]}, [{"course": "B"}], code="R-2"),
        rule({"item": ["I"]}, [{"course": "B"}], code="R-1"),
    ]
    made = planned(two, outcome("I"), programme=COLLEGE)
    assert [one.rule for one in made.lines] == ["R-1"]
    targets = rule(
        {"item": ["I"]},
        [{"course": "B"}, {"course": "A", "credits": "3"}],
        allocation={"choose": 1},
    )
    here = programme(course("A", "3"), course("B", "3"))
    assert chosen([targets], outcome("I"), programme=here) == {"I": {"A": "3"}}


def test_a_plan_says_what_it_adds_and_what_counts_in_all() -> None:
    here = programme(course("A", "3", items=["OWN-A"]), course("B", "3"), course("C", "2"))
    own, before, now = outcome("OWN-A", body=OWNER), outcome("BEFORE"), outcome("I")
    to_c = rule({"item": ["I"]}, [{"course": "C"}])
    earlier = [line(before, course="B", credits="2.5")]
    made = planned([to_c], own, before, now, programme=here, earlier=earlier)
    assert (made.credits, made.counted) == (2, Decimal("7.5"))


def test_after_its_time_a_plan_is_not_proved_and_breaks_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(solving, "SEARCHED", 0)
    states = set()
    for seed in range(10):
        asked = instance(seed, LARGE).asked()
        late = plan.best(**asked, limit_seconds=0)
        states.add(late.state)
        assert late.credits <= plan.best(**asked, limit_seconds=None).credits
    assert "not-proved" in states


def test_each_finding_left_out_is_told_once_with_what_keeps_it_out() -> None:
    to_b = rule({"item": ["I"]}, [{"course": "B"}])
    held = [outcome("I"), outcome("I"), outcome("I")]
    made = planned([to_b], *held, programme=COLLEGE)
    assert [one.leaves for one in made.left_out] == [(held[1].leaf,), (held[2].leaf,)]
    assert kept_out(made, held[2]) == [("worse", "B")]


def test_what_a_use_may_give_at_most_keeps_a_finding_out() -> None:
    held = outcome("I")
    to_b = rule({"item": ["I"]}, [{"course": "B"}])
    (found,) = findings(to_b, held, programme=COLLEGE)
    for choose in (0, 1):
        tight = dataclasses.replace(found, choose=choose, credits_max=Decimal("2.99"))
        made = plan.best(
            programme=COLLEGE,
            findings=[tight],
            rules=[to_b],
            evidence=[held],
            context=context(COLLEGE),
        )
        assert kept_out(made, held) == [("at-most", "R-1/allocation/at_most")]


def test_the_same_finding_twice_is_one() -> None:
    held = outcome("I")
    to_b = rule({"item": ["I"]}, [{"course": "B"}])
    found = findings(to_b, held, programme=COLLEGE)
    made = plan.best(
        programme=COLLEGE,
        findings=[*found, *found],
        rules=[to_b],
        evidence=[held],
        context=context(COLLEGE),
    )
    assert len(made.lines) == 1
    assert made.left_out == ()


HELD = outcome("I")
TO_B = rule({"item": ["I"]}, [{"course": "B"}])
GIVEN = Finding(
    rule="R-1",
    version=1,
    leaves=(HELD.leaf,),
    verdict=Verdict.APPLIES,
    grants=(Grant(course="B", credits=Decimal(3)),),
)


def refused(*found: Finding, **changes: Any) -> set[tuple[str, str | None]]:
    said: dict[str, Any] = {
        "programme": COLLEGE,
        "findings": found,
        "rules": [TO_B],
        "evidence": [HELD],
        "context": context(COLLEGE),
    }
    with pytest.raises(plan.PlanRefused) as caught:
        plan.best(**(said | changes))
    return {(problem.code, problem.field) for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"rule": "R-9"}, ("rule-unknown", "/findings/0/rule")),
        ({"version": 2}, ("rule-unknown", "/findings/0/rule")),
        ({"leaves": (b"\0" * 32,)}, ("outcome-unknown", "/findings/0/leaves/0")),
        ({"leaves": (HELD.leaf, HELD.leaf)}, ("outcome-repeated", "/findings/0/leaves/1")),
        ({"leaves": ()}, ("no-outcome", "/findings/0/leaves")),
        ({"grants": ()}, ("no-grant", "/findings/0/grants")),
    ],
)
def test_a_finding_that_names_what_does_not_exist_is_refused(
    change: dict[str, Any], problem: tuple[str, str]
) -> None:
    assert refused(dataclasses.replace(GIVEN, **change)) == {problem}


@pytest.mark.parametrize(
    ("grant", "problem"),
    [
        (Grant(course="Z"), ("course-unknown", "/findings/0/grants/0/course")),
        (Grant(category="Z"), ("category-unknown", "/findings/0/grants/0/category")),
        (Grant(), ("target-unclear", "/findings/0/grants/0")),
        (Grant(course="B", category="major"), ("target-unclear", "/findings/0/grants/0")),
        (
            Grant(course="B", credits=Decimal("3.01")),
            ("beyond-course", "/findings/0/grants/0/credits"),
        ),
        (
            Grant(category="major", credits=Decimal("0.001")),
            ("credits-invalid", "/findings/0/grants/0/credits"),
        ),
        (
            Grant(category="major", credits=Decimal(-1)),
            ("credits-invalid", "/findings/0/grants/0/credits"),
        ),
        (
            Grant(category="major", credits=Decimal("NaN")),
            ("credits-invalid", "/findings/0/grants/0/credits"),
        ),
        (
            Grant(course="B", surplus=Decimal(1)),
            ("surplus-unclear", "/findings/0/grants/0/surplus"),
        ),
        (
            Grant(course="B", surplus=Decimal(1), surplus_category="Z"),
            ("category-unknown", "/findings/0/grants/0/surplus_category"),
        ),
        (
            Grant(course="B", credits=Decimal(1), waived=True),
            ("waived-with-credits", "/findings/0/grants/0/waived"),
        ),
    ],
)
def test_a_grant_that_cannot_be_is_refused(grant: Grant, problem: tuple[str, str]) -> None:
    assert refused(dataclasses.replace(GIVEN, grants=(grant,))) == {problem}


def test_all_problems_are_told_at_once() -> None:
    twice = dataclasses.replace(GIVEN, grants=(Grant(course="B"), Grant(course="B")))
    gone = Line(rule="R-1", version=1, leaves=(b"\1" * 32,), grant=Grant(course="Z"))
    other = dataclasses.replace(COLLEGE, version=2)
    assert refused(
        dataclasses.replace(GIVEN, rule="R-9"),
        twice,
        earlier=[gone],
        rules=[TO_B, TO_B],
        context=context(other),
    ) == {
        ("rule-unknown", "/findings/0/rule"),
        ("target-repeated", "/findings/1/grants"),
        ("outcome-unknown", "/earlier/0/leaves/0"),
        ("course-unknown", "/earlier/0/grant/course"),
        ("rule-repeated", "/rules"),
        ("programme-differs", "/programme"),
    }


def test_a_circle_of_spilling_is_refused() -> None:
    major, *others = COLLEGE.categories
    circle = dataclasses.replace(
        COLLEGE,
        categories=(major, *(dataclasses.replace(one, spills_to="major") for one in others)),
    )
    assert refused(GIVEN, programme=circle) == {("spills-in-a-circle", "/programme/categories")}


def test_findings_that_do_not_apply_are_not_looked_at() -> None:
    unknown = dataclasses.replace(GIVEN, verdict=Verdict.UNKNOWN, grants=(), rule="R-9")
    made = plan.best(
        programme=COLLEGE,
        findings=[unknown],
        rules=[],
        evidence=[HELD],
        context=context(COLLEGE),
    )
    assert (made.lines, made.left_out) == ((), ())
