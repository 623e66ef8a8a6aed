"""How a rule is held against outcomes: what it is about, what is selected, what stands in the way."""

from __future__ import annotations

import pytest

from creditbank.recognition.engine import conditions, evaluation
from creditbank.recognition.engine.evaluation import RuleUnfit
from creditbank.recognition.engine.findings import Verdict
from tests.recognition.make import (
    OTHER,
    SENDER,
    against,
    context,
    course,
    finding,
    findings,
    given,
    outcome,
    programme,
    rule,
    unknown,
)

SCORE = {"score": {"min": "60"}}
ONE, TWO = {"outcome": {"item": ["A"]}}, {"outcome": {"item": ["B"]}}


# -- what a rule is about ---------------------------------------------------------------------
@pytest.mark.parametrize(
    "naming",
    [
        {"item": ["A"]},
        {"kind": ["training"]},
        {"body": [OTHER]},
        {"category": ["vocational"]},
        {"any": [{"item": ["A"]}, {"item": ["B"]}]},
        {"not": {"kind": ["course"]}},
    ],
)
def test_an_outcome_that_the_rule_is_not_about_is_passed_over(naming: dict[str, object]) -> None:
    of = rule({"all": [naming, SCORE]})
    assert findings(of, outcome("C", score="59")) == []


def test_an_outcome_that_it_is_about_is_refused_with_reasons() -> None:
    of = rule({"all": [{"item": ["A"]}, SCORE]})
    assert set(against(of, outcome("A", score="59"))) == {"score"}


def test_a_rule_that_names_no_outcomes_is_about_all_of_them() -> None:
    assert set(against(rule(SCORE), outcome("C", score="59"))) == {"score"}


def test_an_outcome_is_refused_for_the_branch_that_it_is_about() -> None:
    of = rule(
        {
            "any": [
                {"all": [{"item": ["A"]}, SCORE]},
                {"all": [{"item": ["B"]}, {"met": "MATH-115"}]},
            ]
        }
    )
    assert set(against(of, outcome("A", score="59"))) == {"score", "item", "met"}
    assert findings(of, outcome("C", score="59")) == []


# -- states -----------------------------------------------------------------------------------
@pytest.mark.parametrize("state", ["used", "reserved", "lapsed"])
def test_an_outcome_that_is_not_available_is_refused_by_its_state(state: str) -> None:
    of = rule({"all": [{"item": ["A"]}, SCORE]})
    assert set(against(of, outcome("A", score="60", state=state))) == {state}  # type: ignore[arg-type]


def test_all_reasons_are_told_together() -> None:
    of = rule(
        {"all": [{"item": ["A"]}, SCORE, {"valid": True}]},
        in_force={"from": "2020-01-01", "until": "2026-03-01"},
        programmes=["P-2"],
    )
    held = outcome("A", score="59", valid_until="2026-02-28", state="used")
    assert set(against(of, held)) == {"used", "not-in-force", "programme", "score", "valid"}


def test_a_refusal_names_what_failed_and_not_what_is_unknown() -> None:
    of = rule({"all": [{"item": ["A"]}, SCORE, {"hours": {"min": "8"}}]})
    assert set(against(of, outcome("A", score="59"))) == {"score"}
    assert unknown(of, outcome("A", score="60")) == {"hours-unknown"}


# -- selections -------------------------------------------------------------------------------
def test_each_way_to_fill_the_sources_is_a_finding_of_its_own() -> None:
    of = rule({"all": [ONE, TWO]})
    a, b, c = outcome("A"), outcome("B"), outcome("B")
    assert [one.leaves for one in findings(of, c, b, a)] == [
        (a.leaf, b.leaf),
        (a.leaf, c.leaf),
    ]


def test_outcomes_that_fill_alike_places_are_counted_once() -> None:
    alike = rule({"n": 2, "of": [ONE, ONE, ONE]})
    held = [outcome("A") for _ in range(4)]
    assert len(findings(alike, *held)) == 6


def test_sources_may_stand_within_sources() -> None:
    of = rule({"any": [{"all": [ONE, TWO]}, {"n": 1, "of": [{"outcome": {"item": ["C"]}}, TWO]}]})
    a, b, c = outcome("A"), outcome("B"), outcome("C")
    assert {one.leaves for one in findings(of, a, b, c)} == {
        (a.leaf, b.leaf),
        (b.leaf,),
        (c.leaf,),
    }


def test_an_outcome_whose_condition_is_unknown_makes_the_whole_unknown() -> None:
    of = rule({"all": [{"outcome": {"all": [{"item": ["A"]}, SCORE]}}, TWO]})
    assert unknown(of, outcome("A"), outcome("B")) == {"score-unknown"}


def test_the_way_that_stands_best_is_the_one_that_is_found() -> None:
    known, other = {"outcome": {"all": [{"item": ["A"]}, SCORE]}}, {"outcome": {"kind": ["course"]}}
    of = rule({"any": [known, other]})
    assert finding(of, outcome("A")).verdict is Verdict.APPLIES


def test_too_many_selections_are_an_error_of_their_own() -> None:
    any_ = {"outcome": {"kind": ["course"]}}
    of = rule({"all": [any_, any_, any_, any_, any_]})
    with pytest.raises(conditions.TooManySteps):
        findings(of, *(outcome("A") for _ in range(60)))


def test_sixty_outcomes_in_pairs_are_not_too_many() -> None:
    of = rule({"all": [{"outcome": {"kind": ["course"]}}, {"outcome": {"kind": ["course"]}}]})
    assert len(findings(of, *(outcome("A") for _ in range(60)))) == 60 * 59 // 2


# -- references -------------------------------------------------------------------------------
def test_a_rule_that_names_what_the_programme_does_not_have_is_refused_as_a_whole() -> None:
    of = rule(
        {"all": [{"item": ["A"]}, {"met": "C-9"}]},
        [{"course": "C-8"}, {"category": "none", "credits": "1"}, {"courses": {"tag": "none"}}],
        allocation={"excess": {"to": "nowhere"}},
        constraints=[
            {"of": {"categories": ["lost"]}, "cap": {"credits": "1"}},
            {"never": {"courses": ["C-7"]}},
        ],
    )
    with pytest.raises(RuleUnfit) as refused:
        findings(of, outcome("A"))
    assert {(one.field, one.code) for one in refused.value.problems} == {
        ("/sources/outcome/all/1/met", "course-unknown"),
        ("/allocation/to/0/course", "course-unknown"),
        ("/allocation/to/1/category", "category-unknown"),
        ("/allocation/to/2/courses/tag", "tag-unknown"),
        ("/allocation/excess/to", "category-unknown"),
        ("/constraints/0/of/categories/0", "category-unknown"),
        ("/constraints/1/never/courses/0", "course-unknown"),
    }


def test_it_is_refused_even_where_the_learner_holds_nothing() -> None:
    with pytest.raises(RuleUnfit):
        evaluation.evaluate(rule({"item": ["A"]}, [{"course": "C-9"}]), [], context())


# -- what is never used -----------------------------------------------------------------------
def test_an_outcome_that_the_rule_never_uses_is_refused() -> None:
    of = rule({"kind": ["course"]}, constraints=[{"never": {"outcome": {"score": {"max": "59"}}}}])
    assert set(against(of, outcome("A", score="59"))) == {"never"}
    assert given(of, outcome("A", score="60"))
    assert unknown(of, outcome("A")) == {"never-unknown"}


def test_an_outcome_that_the_programme_never_uses_is_refused_under_every_rule() -> None:
    strict = programme(constraints=[{"never": {"outcome": {"category": ["leisure"]}}}])
    of = rule({"kind": ["course"]})
    assert set(against(of, outcome("A", category="leisure"), programme=strict)) == {
        "never-programme"
    }
    assert given(of, outcome("A"), programme=strict)


@pytest.mark.parametrize(
    ("of", "covered"),
    [
        ({"everything": True}, True),
        ({"rules": ["R-1"]}, True),
        ({"rules": ["R-2"]}, False),
        ({"kinds": ["course"]}, True),
        ({"kinds": ["training"]}, False),
        ({"bodies": [SENDER]}, True),
        ({"bodies": [OTHER]}, False),
        ({"items": ["A"]}, True),
        ({"items": ["B"]}, False),
        ({"kinds": ["course"], "bodies": [OTHER]}, False),
    ],
)
def test_it_is_never_used_where_the_constraint_reaches(
    of: dict[str, object], covered: bool
) -> None:
    never = {"of": of, "never": {"outcome": {"item": ["A"]}}}
    found = finding(rule({"item": ["A"]}, constraints=[never]), outcome("A"))
    assert (found.verdict is Verdict.REFUSED) == covered


COURSES = programme(
    course("C-1", tags=["t"]),
    course("C-2", tags=["t"], replaceable=False),
    course("C-3", tags=["t"]),
    constraints=[{"never": {"courses": ["C-3"]}}],
)


def test_courses_that_are_never_replaced_are_left_out_of_a_tag() -> None:
    of = rule({"item": ["A"]}, [{"courses": {"tag": "t"}}])
    assert given(of, outcome("A"), programme=COURSES) == {"C-1": "3"}


@pytest.mark.parametrize("code", ["C-2", "C-3"])
def test_a_rule_that_gives_such_a_course_by_name_is_refused(code: str) -> None:
    of = rule({"item": ["A"]}, [{"course": "C-1"}, {"course": code}])
    assert against(of, outcome("A"), programme=COURSES) == {"course-irreplaceable": (code, "", "")}


def test_where_there_is_a_choice_the_others_are_offered() -> None:
    of = rule({"item": ["A"]}, [{"course": "C-1"}, {"course": "C-2"}], allocation={"choose": 1})
    assert given(of, outcome("A"), programme=COURSES) == {"C-1": "3"}
    none_left = rule({"item": ["A"]}, [{"course": "C-2"}], allocation={"choose": 1})
    assert set(against(none_left, outcome("A"), programme=COURSES)) == {"course-irreplaceable"}


# -- what is given ----------------------------------------------------------------------------
def test_a_course_named_itself_and_by_its_tag_is_given_once() -> None:
    of = rule({"item": ["A"]}, [{"courses": {"tag": "t"}}, {"course": "C-1", "credits": "1"}])
    assert given(of, outcome("A"), programme=COURSES) == {"C-1": "1"}


def test_a_course_without_credits_is_met_all_the_same() -> None:
    drill = programme(course("DRILL", "0"))
    assert given(rule({"item": ["A"]}, [{"course": "DRILL"}]), outcome("A"), programme=drill) == {
        "DRILL": "0"
    }


def test_what_gives_nothing_is_refused_so_that_nothing_is_used_up() -> None:
    of = rule({"item": ["A"]}, [{"category": "elective", "credits": {"of": "bank"}}])
    assert set(against(of, outcome("A", credits="0"))) == {"nothing-given"}


def test_the_surplus_is_cut_before_the_courses() -> None:
    of = rule(
        {"item": ["A"]},
        [
            {"course": "MATH-115", "credits": {"of": "bank"}},
            {"category": "liberal", "credits": "2"},
        ],
        allocation={"excess": {"to": "elective"}, "at_most": "4.5"},
    )
    assert given(of, outcome("A", credits="5")) == {"MATH-115": "3", "liberal": "1.5"}
    assert given(of, outcome("A", credits="3")) == {"MATH-115": "3", "liberal": "1.5"}
    more = rule(
        {"item": ["A"]},
        [{"course": "MATH-115", "credits": {"of": "bank"}}],
        allocation={"excess": {"to": "elective"}, "at_most": "4.5"},
    )
    assert given(more, outcome("A", credits="5")) == {"MATH-115": "3 + 1.5 elective"}


def test_several_outcomes_give_the_sum_of_their_values() -> None:
    of = rule({"all": [ONE, TWO]}, [{"category": "elective", "credits": {"of": "bank"}}])
    assert given(of, outcome("A", credits="1.5"), outcome("B", credits="2")) == {"elective": "3.5"}


def test_a_table_looks_each_of_several_outcomes_up() -> None:
    rows = [{"is": ["A"], "credits": "1"}, {"is": ["B"], "credits": {"of": "bank"}}]
    of = rule(
        {"all": [ONE, TWO]},
        [{"category": "elective", "credits": {"table": {"by": "item", "rows": rows}}}],
    )
    assert given(of, outcome("A", credits="9"), outcome("B", credits="2")) == {"elective": "3"}


def test_amounts_are_added_and_never_below_nothing() -> None:
    total = {"sum": ["1", {"of": "bank"}, {"hours_per_credit": "16"}]}
    of = rule({"item": ["A"]}, [{"category": "elective", "credits": total}])
    assert given(of, outcome("A", credits="2", hours="8")) == {"elective": "3.5"}
    less = {"less": {"amount": "1", "by": "2", "when": {"item": ["A"]}}}
    of = rule({"item": ["A"]}, [{"category": "elective", "credits": {"sum": ["1", less]}}])
    assert set(against(of, outcome("A"))) == {"nothing-given"}


def test_an_amount_that_is_not_known_leaves_the_finding_to_a_person_without_grants() -> None:
    of = rule({"item": ["A"]}, [{"category": "elective", "credits": {"hours_per_credit": "16"}}])
    found = finding(of, outcome("A"))
    assert (found.verdict, found.grants) == (Verdict.UNKNOWN, ())


def test_a_person_who_decides_sees_what_would_be_given() -> None:
    of = rule({"all": [{"item": ["A"]}, SCORE]})
    found = finding(of, outcome("A"))
    assert found.verdict is Verdict.UNKNOWN
    assert [grant.course for grant in found.grants] == ["MATH-115"]


# -- conditions that no kind of rule is named for ---------------------------------------------
@pytest.mark.parametrize(
    ("condition", "held", "reason"),
    [
        ({"hours": {"min": "48"}}, outcome("A", hours="47"), ("47", "≥ 48", "+1")),
        ({"credits": {"max": "2.5"}}, outcome("A"), ("3", "≤ 2.5", "-0.5")),
        (
            {"skill_level": ["3", "2"]},
            outcome("A", kind="skill-level", skill_level="4"),
            ("4", "3, 2", "3"),
        ),
        ({"category": ["degree"]}, outcome("A", category="leisure"), ("leisure", "degree", "")),
        ({"body": [SENDER]}, outcome("A", body=OTHER), (OTHER, SENDER, "")),
        ({"kind": ["training"]}, outcome("A"), ("course", "training", "")),
        (
            {"fact": {"name": "started_on", "until": "2024-01-01"}},
            outcome("A", facts={"started_on": "2024-01-03"}),
            ("2024-01-03", "≤ 2024-01-01", "-2 days"),
        ),
    ],
)
def test_a_condition_fails_with_what_was_found_wanted_and_to_be_changed(
    condition: dict[str, object], held: object, reason: tuple[str, str, str]
) -> None:
    # Beside another way to meet it, so that the rule is about every outcome.
    of = rule({"any": [condition, {"met": "MATH-115"}]})
    found = finding(of, held)  # type: ignore[arg-type]
    (name,) = condition
    assert [
        (one.found, one.wanted, one.change)
        for one in found.reasons
        if one.code == name.replace("_", "-")
    ] == [reason]


def test_a_certificates_level_is_nothing_a_course_could_have() -> None:
    for condition in ({"certificate_level": ["初级"]}, {"skill_level": ["5"]}):
        assert against(rule(condition), outcome("A"))
    assert unknown(rule({"certificate_level": ["初级"]}), outcome("X", kind="x-certificate"))
