"""What is wrong with a rule among others: each flaw with its place, and nothing where nothing is."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rulechecks import (
    CatalogueFacts,
    Flaw,
    Item,
    check,
    check_programme,
    check_rule,
)
from creditbank.recognition.language.rules import Rule
from tests.recognition.make import OTHER, OWNER, SENDER, course, programme, rule


def item(code: str, kind: str = "course", **facts: Any) -> Item:
    said: dict[str, Any] = {"body": SENDER, "category": "degree", "credits": Decimal(3)}
    return Item(**{"code": code, "kind": kind, "framework": "qf/1", "level": "5"} | said | facts)


ITEMS = (
    item("A"),
    item("B", credits=Decimal(2)),
    item("X-1", "x-certificate", certificate_level="初级", category="vocational"),
    item("X-2", "x-certificate", certificate_level="中级", category="vocational"),
    item("OWN", body=OWNER),
)
CATALOGUE = CatalogueFacts(
    items={one.code: (one,) for one in ITEMS},
    frameworks=frozenset({"qf/1"}),
    withdrawn=frozenset({"qf/9"}),
)
PROGRAMME = programme(
    course("C-1", "3", tags=["core"]),
    course("C-2", "4"),
    course("THESIS", "8", replaceable=False),
    course("PRACTICE", "4"),
    constraints=[{"never": {"courses": ["PRACTICE"]}}],
)
TO_C1 = [{"course": "C-1"}]


def flaws(
    of: Rule, *others: Rule, programmes: Sequence[Programme] = (PROGRAMME,)
) -> list[tuple[str, str, str]]:
    """The flaws of a rule: severity, code and pointer."""
    found = check_rule(of, among=others, programmes=programmes, catalogue=CATALOGUE)
    return [(one.severity, one.problem.code, one.problem.field or "") for one in found]


def conditioned(*conditions: dict[str, Any], **changes: Any) -> Rule:
    return rule({"all": list(conditions)}, TO_C1, **changes)


def test_a_rule_that_is_in_order_has_no_flaw() -> None:
    assert flaws(conditioned({"item": ["A", "B"]}, {"score": {"min": "80"}})) == []


# -- references -------------------------------------------------------------------------------
def test_everything_that_does_not_exist_is_named_at_once() -> None:
    of = rule(
        {
            "all": [
                {"item": ["A", "NONE"]},
                {"met": "C-9"},
                {"any": [{"level": {"framework": "qf/7", "min": 3}}, {"valid": True}]},
            ]
        },
        [
            {"course": "C-8"},
            {"category": "none", "credits": "2"},
            {"courses": {"tag": "none"}},
            {
                "course": "C-1",
                "credits": {
                    "table": {"by": "item", "rows": [{"is": ["A", "GONE"], "credits": "1"}]}
                },
            },
        ],
        allocation={"excess": {"to": "nowhere"}},
        programmes=["P-1", "P-9"],
        constraints=[
            {"of": {"rules": ["R-9"]}, "cap": {"credits": "8"}},
            {"of": {"items": ["LOST"]}, "cap": {"credits": "8"}},
            {"exclusive": {"items": ["A", "MISSING"]}},
            {"never": {"courses": ["C-7"]}},
        ],
    )
    assert set(flaws(of)) == {
        ("error", "item-unknown", "/sources/outcome/all/0/item/1"),
        ("error", "course-unknown", "/sources/outcome/all/1/met"),
        ("error", "framework-unknown", "/sources/outcome/all/2/any/0/level/framework"),
        ("error", "course-unknown", "/allocation/to/0/course"),
        ("error", "category-unknown", "/allocation/to/1/category"),
        ("error", "tag-unknown", "/allocation/to/2/courses/tag"),
        ("error", "item-unknown", "/allocation/to/3/credits/table/rows/0/is/1"),
        ("error", "category-unknown", "/allocation/excess/to"),
        ("error", "programme-unknown", "/programmes/1"),
        ("error", "rule-unknown", "/constraints/0/of/rules/0"),
        ("error", "item-unknown", "/constraints/1/of/items/0"),
        ("error", "item-unknown", "/constraints/2/exclusive/items/1"),
        ("error", "course-unknown", "/constraints/3/never/courses/0"),
    }


def test_a_withdrawn_framework_is_named() -> None:
    of = conditioned({"item": ["A"]}, {"level": {"framework": "qf/9", "min": 3}})
    assert ("error", "framework-withdrawn", "/sources/outcome/all/1/level/framework") in flaws(of)


def test_a_rule_without_programmes_is_held_against_all_of_its_owner() -> None:
    other = programme(course("C-9"), code="P-2")
    assert flaws(rule({"item": ["A"]}, TO_C1), programmes=(PROGRAMME, other)) == [
        ("error", "course-unknown", "/allocation/to/0/course")
    ]
    # Another owner's programme is nothing to it.
    elsewhere = programme(course("C-9"), code="P-3", owner=OTHER)
    assert flaws(rule({"item": ["A"]}, TO_C1), programmes=(PROGRAMME, elsewhere)) == []


def test_an_authoritys_rule_is_held_against_every_programme() -> None:
    of = rule({"item": ["A"]}, TO_C1, owner=SENDER)
    elsewhere = programme(course("C-9"), code="P-3", owner=OTHER)
    assert [code for _, code, _ in flaws(of, programmes=(PROGRAMME, elsewhere))] == [
        "course-unknown"
    ]


# -- contradictions ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("first", "second", "place"),
    [
        ({"score": {"min": "80"}}, {"score": {"max": "79.5"}}, "score"),
        ({"hours": {"max": "8"}}, {"hours": {"min": "9"}}, "hours"),
        ({"kind": ["course"]}, {"kind": ["training", "community"]}, "kind"),
        ({"body": [SENDER]}, {"body": [OTHER]}, "body"),
        (
            {"completed": {"until": "2024-06-30"}},
            {"completed": {"from": "2024-07-01", "until": "2025-01-01"}},
            "completed",
        ),
        (
            {"level": {"framework": "qf/1", "min": 5}},
            {"level": {"framework": "qf/1", "max": 4}},
            "level",
        ),
        (
            {"grade": {"scale": ["C", "B", "A"], "min": "A"}},
            {"not": {"grade": {"scale": ["C", "B", "A"], "min": "B"}}},
            "not/grade",
        ),
        ({"certificate_level": ["中级"]}, {"skill_level": ["3"]}, "skill_level"),
        ({"certificate_level": ["中级"]}, {"kind": ["course"]}, "kind"),
        ({"fact": {"name": "rank", "max": "3"}}, {"fact": {"name": "rank", "min": "4"}}, "fact"),
        ({"fact": {"name": "role", "is": ["a"]}}, {"fact": {"name": "role", "is": ["b"]}}, "fact"),
        ({"valid": True}, {"not": {"valid": True}}, "not/valid"),
        ({"score": {"min": "60"}}, {"not": {"score": {"min": "50"}}}, "not/score"),
    ],
)
def test_conditions_that_cannot_hold_together_are_named(
    first: dict[str, Any], second: dict[str, Any], place: str
) -> None:
    of = conditioned(first, second)
    assert flaws(of) == [("error", "contradiction", f"/sources/outcome/all/1/{place}")]
    (flaw,) = check_rule(of, among=(), programmes=(PROGRAMME,), catalogue=CATALOGUE)
    assert str(flaw.problem.value).startswith("/sources/outcome/all/0/")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"score": {"min": "80"}}, {"score": {"max": "80"}}),
        ({"completed": {"until": "2024-06-30"}}, {"completed": {"from": "2024-06-30"}}),
        ({"level": {"framework": "qf/1", "min": 5}}, {"level": {"framework": "qf/1", "max": 5}}),
        ({"score": {"min": "60"}}, {"not": {"score": {"min": "90"}}}),
        ({"fact": {"name": "rank", "max": "3"}}, {"fact": {"name": "place", "min": "4"}}),
        ({"not": {"kind": ["course"]}}, {"kind": ["course", "training"]}),
    ],
)
def test_conditions_that_just_meet_are_no_contradiction(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    assert flaws(conditioned(first, second)) == []


def test_the_gate_can_contradict_the_conditions() -> None:
    of = conditioned({"kind": ["course"]}, {"score": {"min": "60"}}, gate={"kinds": ["training"]})
    assert flaws(of) == [("error", "contradiction", "/sources/outcome/all/0/kind")]


def test_a_rule_that_never_uses_what_it_is_for_is_named() -> None:
    never = [{"never": {"outcome": {"score": {"max": "59"}}}}]
    assert flaws(conditioned({"score": {"max": "50"}}, constraints=never)) == [
        ("error", "contradiction", "/constraints/0/never/outcome/score")
    ]
    assert flaws(conditioned({"score": {"max": "60"}}, constraints=never)) == []
    elsewhere = [{"of": {"rules": ["R-1", "R-2"]}} | never[0]]
    other_ = rule({"item": ["A"]}, [{"course": "C-2"}], code="R-2")
    assert flaws(conditioned({"score": {"max": "60"}}, constraints=elsewhere), other_) == []


def test_items_that_are_never_what_else_is_asked_for_are_named() -> None:
    of = conditioned({"item": ["X-1", "A"]}, {"certificate_level": ["高级"]})
    assert flaws(of) == [("error", "no-item-meets", "/sources/outcome/all/0/item")]
    assert flaws(conditioned({"item": ["X-1", "X-2"]}, {"certificate_level": ["中级"]})) == []
    too_many = conditioned({"item": ["B"]}, {"credits": {"min": "2.5"}})
    assert [code for _, code, _ in flaws(too_many)] == ["no-item-meets"]


def test_what_another_outcome_cannot_be_is_named() -> None:
    of = conditioned(
        {"item": ["A"]}, {"held": {"all": [{"item": ["B"]}, {"kind": ["x-certificate"]}]}}
    )
    assert [code for _, code, _ in flaws(of)] == ["no-item-meets"]


# -- branches ---------------------------------------------------------------------------------
def test_a_branch_that_is_never_taken_is_warned_of() -> None:
    of = conditioned(
        {"score": {"min": "60"}}, {"any": [{"score": {"max": "50"}}, {"hours": {"min": "48"}}]}
    )
    assert flaws(of) == [("warning", "unreachable", "/sources/outcome/all/1/any/0")]


def test_a_source_that_is_never_filled_is_warned_of_while_another_can_be() -> None:
    dead = {"outcome": {"all": [{"kind": ["course"]}, {"kind": ["training"]}]}}
    alive = {"outcome": {"item": ["A"]}}
    assert flaws(rule({"any": [dead, alive]}, TO_C1)) == [
        ("warning", "unreachable", "/sources/any/0")
    ]
    assert [one[:2] for one in flaws(rule({"all": [dead, alive]}, TO_C1))] == [
        ("error", "contradiction")
    ]
    assert [one[:2] for one in flaws(rule({"n": 2, "of": [dead, alive]}, TO_C1))] == [
        ("error", "contradiction")
    ]
    assert flaws(rule({"n": 2, "of": [alive, dead, alive]}, TO_C1)) == [
        ("warning", "unreachable", "/sources/of/1")
    ]


def test_a_row_that_no_outcome_can_have_is_warned_of() -> None:
    rows = [{"is": ["初级"], "credits": "1"}, {"is": ["中级"], "credits": "2"}]
    to = [{"category": "elective", "credits": {"table": {"by": "certificate_level", "rows": rows}}}]
    assert flaws(rule({"certificate_level": ["中级", "高级"]}, to)) == [
        ("warning", "unreachable", "/allocation/to/0/credits/table/rows/0")
    ]
    scores = [{"from": "90", "credits": "3"}, {"from": "60", "until": "69", "credits": "1"}]
    to = [{"category": "elective", "credits": {"table": {"by": "score", "rows": scores}}}]
    assert flaws(rule({"score": {"min": "70"}}, to)) == [
        ("warning", "unreachable", "/allocation/to/0/credits/table/rows/1")
    ]


# -- days -------------------------------------------------------------------------------------
YEAR = {"from": "2025-09-01", "until": "2026-08-31"}


@pytest.mark.parametrize(
    ("conditions", "place"),
    [
        # Completed after the last day on which the rule can be the law.
        ([{"completed": {"from": "2026-09-01"}}], "all/1/completed"),
        # Too old on the first.
        ([{"completed": {"until": "2018-08-31"}}, {"age": {"years": 7}}], "all/2/age"),
    ],
)
def test_a_window_that_the_rules_days_never_reach_is_named(
    conditions: list[dict[str, Any]], place: str
) -> None:
    of = conditioned({"item": ["A"]}, *conditions, in_force=YEAR)
    assert flaws(of) == [("error", "window-impossible", f"/sources/outcome/{place}")]


@pytest.mark.parametrize(
    "conditions",
    [
        [{"completed": {"from": "2026-08-31"}}],
        [{"completed": {"until": "2018-09-01"}}, {"age": {"years": 7}}],
    ],
)
def test_a_window_that_they_reach_on_one_day_is_possible(conditions: list[dict[str, Any]]) -> None:
    assert flaws(conditioned({"item": ["A"]}, *conditions, in_force=YEAR)) == []


def test_an_agreement_that_begins_after_the_rule_ends_is_named() -> None:
    agreement = {"number": "1", "partner": SENDER, "from": "2026-09-01", "until": "2027-08-31"}
    of = conditioned({"item": ["A"]}, in_force=YEAR, gate={"agreement": agreement})
    assert flaws(of) == [("error", "window-impossible", "/gate/agreement/completed")]


def version(number: int, first: str, last: str = "") -> Rule:
    days = {"from": first} | ({"until": last} if last else {})
    return rule({"item": ["A"]}, TO_C1, version=number, in_force=days)


@pytest.mark.parametrize(
    ("last", "first", "expected"),
    [
        ("2025-08-31", "2025-09-01", []),
        ("2025-08-31", "2025-09-02", [("warning", "versions-gap", "/in_force/from")]),
        ("2025-08-31", "2025-08-31", [("warning", "versions-overlap", "/in_force/from")]),
        # Without a last day, a version ends when the next begins.
        ("", "2025-09-02", []),
        ("", "2020-09-01", [("error", "versions-out-of-order", "/in_force/from")]),
    ],
)
def test_days_between_versions_without_a_rule_are_warned_of(
    last: str, first: str, expected: list[tuple[str, str, str]]
) -> None:
    assert flaws(version(2, first), version(1, "2020-09-01", last)) == expected


def test_the_version_right_before_is_the_one_that_counts() -> None:
    others = (version(1, "2020-09-01", "2021-08-31"), version(2, "2021-09-01", "2025-08-31"))
    assert flaws(version(3, "2025-09-01"), *others, version(4, "2030-01-01")) == []


# -- figures ----------------------------------------------------------------------------------
def test_a_cap_above_the_programmes_total_is_named() -> None:
    of = rule(
        {"item": ["A"]},
        TO_C1,
        allocation={"at_most": "150"},
        constraints=[
            {"cap": {"credits": "140"}},
            {"cap": {"credits": "140.5"}},
            {"residency": {"credits": "141"}},
            {
                "bucket": {
                    "credits": "200",
                    "periods": [{"name": "year", "from": "01-01", "until": "12-31"}],
                }
            },
        ],
    )
    assert flaws(of) == [
        ("error", "cap-above-total", "/allocation/at_most"),
        ("error", "cap-above-total", "/constraints/1/cap/credits"),
        ("error", "cap-above-total", "/constraints/2/residency/credits"),
        ("error", "cap-above-total", "/constraints/3/bucket/credits"),
    ]


def test_more_than_the_course_has_is_warned_of_unless_something_is_said_of_the_excess() -> None:
    to = [{"course": "C-1", "credits": "3.5"}]
    assert flaws(rule({"item": ["A"]}, to)) == [
        ("warning", "more-than-course", "/allocation/to/0/credits")
    ]
    assert flaws(rule({"item": ["A"]}, to, allocation={"excess": "lost"})) == []
    assert flaws(rule({"item": ["A"]}, [{"course": "C-1", "credits": "3"}])) == []


@pytest.mark.parametrize("code", ["THESIS", "PRACTICE"])
def test_a_course_that_is_never_replaced_is_named(code: str) -> None:
    assert flaws(rule({"item": ["A"]}, [{"course": code}])) == [
        ("error", "target-never-replaced", "/allocation/to/0/course")
    ]


# -- other rules ------------------------------------------------------------------------------
def other(
    sources: dict[str, Any] | None = None, to: list[dict[str, Any]] | None = None, **changes: Any
) -> Rule:
    return rule(sources or {"item": ["A"]}, to or TO_C1, **{"code": "R-2"} | changes)


MINE = rule({"item": ["A", "B"]}, TO_C1, programmes=["P-1"])
OVERLAP = ("warning", "overlap", "/allocation/to/0")


def test_a_second_rule_for_the_same_outcome_and_target_is_warned_of() -> None:
    assert flaws(MINE, other()) == [OVERLAP]
    (flaw,) = check_rule(MINE, among=(other(),), programmes=(PROGRAMME,), catalogue=CATALOGUE)
    assert flaw.other == "R-2/1"


def test_a_tag_means_its_courses() -> None:
    assert flaws(MINE, other(to=[{"courses": {"tag": "core"}}])) == [OVERLAP]


@pytest.mark.parametrize(
    "apart",
    [
        other({"item": ["X-1"]}),
        other(to=[{"course": "C-2"}]),
        other({"all": [{"item": ["A"]}, {"kind": ["training"]}]}),
        other({"kind": ["x-certificate"]}),
        other(in_force={"from": "2019-01-01", "until": "2020-08-31"}),
        other(programmes=["P-2"]),
        other(gate={"bodies": [OTHER]}),
        other({"all": [{"outcome": {"item": ["A"]}}, {"outcome": {"item": ["B"]}}]}),
    ],
)
def test_rules_that_never_meet_do_not_overlap(apart: Rule) -> None:
    second = programme(course("C-1"), code="P-2")
    found = flaws(MINE, apart, programmes=(PROGRAMME, second))
    assert [one for one in found if one[1] in ("overlap", "contradicts-another")] == []


def test_conditions_keep_rules_apart() -> None:
    low = rule({"all": [{"item": ["A"]}, {"score": {"max": "79"}}]}, TO_C1)
    assert flaws(low, other({"all": [{"item": ["A"]}, {"score": {"min": "80"}}]})) == []
    assert flaws(low, other({"all": [{"item": ["A"]}, {"score": {"min": "79"}}]})) == [OVERLAP]


def test_two_figures_for_the_same_thing_contradict_each_other() -> None:
    two, three = [{"course": "C-1", "credits": "2"}], [{"course": "C-1", "credits": "3"}]
    contradicts = [("error", "contradicts-another", "/allocation/to/0")]
    assert flaws(rule({"item": ["A"]}, two), other(to=three)) == contradicts
    waived = [{"course": "C-1", "waived": True}]
    assert flaws(rule({"item": ["A"]}, TO_C1), other(to=waived)) == contradicts
    assert flaws(rule({"item": ["A"]}, two), other(to=two)) == [OVERLAP]


def test_another_owners_rule_overlaps_and_does_not_contradict() -> None:
    waived = [{"course": "C-1", "waived": True}]
    assert flaws(MINE, other(to=waived, owner=SENDER, programmes=["P-1"])) == [OVERLAP]


def test_a_course_that_another_rule_excludes_for_all_is_named() -> None:
    excluding = [{"of": {"everything": True}, "never": {"courses": ["C-1"]}}]
    third = other({"item": ["X-1"]}, [{"course": "C-2"}], constraints=excluding)
    assert flaws(MINE, third) == [("error", "excluded-by-another", "/allocation/to/0/course")]
    of_itself = [{"never": {"courses": ["C-1"]}}]
    assert flaws(MINE, other({"item": ["X-1"]}, [{"course": "C-2"}], constraints=of_itself)) == []


# -- sets and programmes ----------------------------------------------------------------------
def test_a_set_is_checked_as_a_whole() -> None:
    bad = programme(course("C-1", items=["NONE", "A", "OWN"]), framework="qf/9")
    found = check([MINE, other()], [bad], CATALOGUE)
    assert [(one.code, one.problem.code, one.problem.field) for one in found] == [
        ("R-1", "overlap", "/allocation/to/0"),
        ("R-2", "overlap", "/allocation/to/0"),
        ("P-1", "item-unknown", "/courses/0/items/0"),
        ("P-1", "native-item-of-another", "/courses/0/items/1"),
        ("P-1", "framework-withdrawn", "/framework"),
    ]


def test_a_programmes_constraints_are_held_against_what_there_is() -> None:
    of = programme(
        constraints=[
            {"of": {"rules": ["R-1", "R-9"]}, "cap": {"credits": "8"}},
            {"never": {"outcome": {"item": ["A", "NONE"]}}},
        ]
    )
    found: list[Flaw] = check_programme(of, among=(), rules=(MINE,), catalogue=CATALOGUE)
    assert [(one.severity, one.problem.code, one.problem.field) for one in found] == [
        ("error", "rule-unknown", "/constraints/0/of/rules/1"),
        ("error", "item-unknown", "/constraints/1/never/outcome/item/1"),
    ]


def test_versions_of_a_programme_follow_each_other_too() -> None:
    first = programme(in_force={"from": "2020-09-01", "until": "2024-08-31"})
    second = programme(version=2, in_force={"from": "2024-09-02"})
    found = check_programme(second, among=(first,), rules=(), catalogue=CATALOGUE)
    assert [one.problem.code for one in found] == ["versions-gap"]
