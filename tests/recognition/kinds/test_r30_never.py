"""R30, what is never converted (不可转换).

Sources: C27, the thesis and the practice report never; C22, what was failed or
withdrawn never.
"""

from __future__ import annotations

import pytest

from tests.recognition.make import against, course, findings, outcome, programme, rule, unknown
from tests.recognition.planned import chosen, kept_out, planned

THESIS = course("THESIS", "8", replaceable=False)
REPORT = course("REPORT", "4")
COLLEGE = programme(
    THESIS, REPORT, course("A", "3"), constraints=[{"never": {"courses": ["REPORT"]}}]
)
ANY = rule(
    {"kind": ["course"]},
    [{"course": "THESIS"}, {"course": "REPORT"}, {"course": "A"}],
    allocation={"choose": 1},
)


def test_the_thesis_and_the_report_are_not_replaced_though_they_are_worth_more() -> None:
    assert chosen([ANY], outcome("I"), programme=COLLEGE) == {"I": {"A": "3"}}


@pytest.mark.parametrize("code", ["THESIS", "REPORT"])
def test_a_rule_about_them_alone_refuses_and_says_so(code: str) -> None:
    only = rule({"kind": ["course"]}, [{"course": code}])
    assert list(against(only, outcome("I"), programme=COLLEGE)) == ["course-irreplaceable"]


def test_what_another_rule_forbids_is_kept_out_of_the_plan() -> None:
    forbids = rule(
        {"item": ["NONE"]},
        [{"course": "A"}],
        code="R-N",
        constraints=[
            {"never": {"courses": ["A"]}, "of": {"everything": True}},
            {"never": {"outcome": {"item": ["J"]}}, "of": {"everything": True}},
        ],
    )
    here = programme(course("A", "3"), course("B", "2"))
    to_a = rule({"item": ["I"]}, [{"course": "A"}])
    to_b = rule({"item": ["J"]}, [{"course": "B"}], code="R-2")
    held = [outcome("I"), outcome("J")]
    assert chosen([to_a, to_b], *held, programme=here) == {"I": {"A": "3"}, "J": {"B": "2"}}
    made = planned([to_a, to_b, forbids], *held, programme=here)
    assert made.lines == ()
    assert kept_out(made, held[0]) == [("never", "R-N/constraints/0/never/courses")]
    assert kept_out(made, held[1]) == [("never", "R-N/constraints/1/never/outcome")]


def test_what_may_not_be_replaced_is_not_given_by_findings_made_otherwise() -> None:
    """The plan looks itself: findings may come from an engine without that gate."""
    import dataclasses

    from creditbank.recognition.planning import plan
    from tests.recognition.make import context

    held = outcome("I")
    to_a = rule({"item": ["I"]}, [{"course": "A"}])
    (found,) = findings(to_a, held, programme=COLLEGE)
    forged = dataclasses.replace(
        found, grants=(dataclasses.replace(found.grants[0], course="THESIS"),)
    )
    made = plan.best(
        programme=COLLEGE,
        findings=[forged],
        rules=[to_a],
        evidence=[held],
        context=context(COLLEGE),
    )
    assert made.lines == ()
    assert kept_out(made, held) == [("not-replaceable", "P-1/courses/0/replaceable")]


FAILED = programme(
    course("A", "3"),
    constraints=[
        {
            "never": {
                "outcome": {
                    "any": [
                        {"score": {"max": "59.99"}},
                        {"grade": {"scale": ["缓考", "退选"], "min": "缓考"}},
                    ]
                }
            }
        }
    ],
)
TO_A = rule({"item": ["I"]}, [{"course": "A"}])


def test_a_failed_course_is_never_converted_and_a_passed_one_is() -> None:
    assert list(against(TO_A, outcome("I", score="59.9", grade="不合格"), programme=FAILED)) == [
        "never-programme"
    ]
    assert list(against(TO_A, outcome("I", score="0", grade="退选"), programme=FAILED)) == [
        "never-programme"
    ]


def test_what_may_have_been_failed_is_for_a_person() -> None:
    assert unknown(TO_A, outcome("I"), programme=FAILED)
    elsewhere = rule(
        {"item": ["NONE"]},
        [{"course": "A"}],
        code="R-N",
        constraints=[{"never": {"outcome": {"score": {"max": "59"}}}, "of": {"everything": True}}],
    )
    held = outcome("I")
    made = planned([TO_A, elsewhere], held, programme=programme(course("A", "3")))
    assert kept_out(made, held) == [("never-unknown", "R-N/constraints/0/never/outcome")]
    passed = outcome("I", score="60")
    assert planned([TO_A, elsewhere], passed, programme=programme(course("A", "3"))).credits == 3
