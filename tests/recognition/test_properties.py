"""What holds of every rule and every outcome."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from creditbank.ledger.statements import Result
from creditbank.recognition.engine import evaluation, wording
from creditbank.recognition.engine.conditions import (
    FAILED,
    MET,
    UNKNOWN,
    Asked,
    Budget,
    TooManySteps,
    Truth,
    answer,
)
from creditbank.recognition.engine.evidence import Context, Evidence
from creditbank.recognition.engine.findings import Finding, Reason, Verdict
from creditbank.recognition.language import rules
from creditbank.recognition.language.rulechecks import CatalogueFacts, check_rule
from creditbank.recognition.language.rules import Rule
from tests.recognition import strategies
from tests.recognition.make import DECIDED, FILED

# RULE_EXAMPLES=2000 looks much further, and takes as much longer.
MANY = settings(
    max_examples=int(os.environ.get("RULE_EXAMPLES", "60")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
HELD = st.lists(strategies.outcomes(), max_size=4)
MET_COURSES = st.sets(st.sampled_from(strategies.COURSES), max_size=2).map(frozenset)


def circumstances(held: list[Evidence], met: frozenset[str] = frozenset()) -> Context:
    return Context(
        filed_on=FILED,
        decided_on=DECIDED,
        programme=strategies.PROGRAMME,
        held=tuple(held),
        met=met,
    )


def found(rule: Rule, held: list[Evidence], met: frozenset[str] = frozenset()) -> list[Finding]:
    return evaluation.evaluate(rule, held, circumstances(held, met))


def stands(condition: Mapping[str, Any], asked: Asked) -> Truth:
    return answer(condition, asked, ())[0]


def asked_of(one: Evidence, held: list[Evidence], met: frozenset[str] = frozenset()) -> Asked:
    return Asked(evidence=one, context=circumstances([one, *held], met), day=FILED, budget=Budget())


# -- documents --------------------------------------------------------------------------------
@MANY
@given(strategies.any_rule())
def test_a_rule_is_read_back_from_its_bytes_as_it_was(rule: Rule) -> None:
    again = rules.read(rule.canonical())
    assert again == rule
    assert again.digest == rule.digest
    assert rules.stored(rule.canonical()) == rule


# -- evaluation -------------------------------------------------------------------------------
@MANY
@given(strategies.any_rule(), HELD, MET_COURSES)
def test_every_rule_finds_something_of_every_outcome_without_raising(
    rule: Rule, held: list[Evidence], met: frozenset[str]
) -> None:
    try:
        findings = found(rule, held, met)
    except TooManySteps:
        return
    leaves = {one.leaf for one in held}
    for one in findings:
        assert one.leaves
        assert set(one.leaves) <= leaves
        assert (one.rule, one.version) == (rule.code, rule.version)
        if one.verdict is Verdict.APPLIES:
            assert one.grants
            assert not one.reasons
            check_grants(one)
        else:
            assert one.reasons
            unknown = [reason.code.endswith("-unknown") for reason in one.reasons]
            assert all(unknown) if one.verdict is Verdict.UNKNOWN else not any(unknown)


def check_grants(finding: Finding) -> None:
    assert len({grant.target for grant in finding.grants}) == len(finding.grants)
    for grant in finding.grants:
        assert grant.credits >= 0
        assert grant.surplus >= 0
        assert bool(grant.surplus) == bool(grant.surplus_category)
        assert grant.credits == grant.credits.quantize(Decimal("0.01"))
        if grant.course:
            course = strategies.PROGRAMME.course(grant.course)
            assert course is not None
            assert course.replaceable
            assert grant.credits <= course.credits
        if grant.waived:
            assert (grant.credits, grant.surplus) == (0, 0)


@MANY
@given(strategies.any_rule(), HELD, st.randoms(use_true_random=False))
def test_the_order_in_which_outcomes_are_given_does_not_matter(
    rule: Rule, held: list[Evidence], chance: random.Random
) -> None:
    shuffled = list(held)
    chance.shuffle(shuffled)
    assert found(rule, held) == found(rule, shuffled)


@MANY
@given(strategies.any_rule(), HELD)
def test_each_selection_is_found_once(rule: Rule, held: list[Evidence]) -> None:
    leaves = [one.leaves for one in found(rule, held)]
    assert len(leaves) == len(set(leaves))


@MANY
@given(strategies.any_rule(), HELD)
def test_every_reason_points_at_what_the_rule_says(rule: Rule, held: list[Evidence]) -> None:
    for one in found(rule, held):
        for reason in one.reasons:
            holder = (
                strategies.PROGRAMME.document
                if reason.code.startswith("never-programme")
                else rule.document
            )
            assert wording.resolve(holder, reason.pointer) is not None, reason


@MANY
@given(strategies.any_rule(), HELD)
def test_a_used_outcome_is_never_used_again(rule: Rule, held: list[Evidence]) -> None:
    gone = {one.leaf for one in held if one.state != "available"}
    for one in found(rule, held):
        if gone & set(one.leaves):
            assert one.verdict is Verdict.REFUSED
            assert {"used", "reserved"} & {reason.code for reason in one.reasons}


# -- three values -----------------------------------------------------------------------------
CONDITIONS = st.lists(strategies.plain_conditions, min_size=1, max_size=3)


@MANY
@given(CONDITIONS, strategies.outcomes(), HELD)
def test_the_laws_of_three_values(
    parts: list[dict[str, Any]], one: Evidence, held: list[Evidence]
) -> None:
    asked = asked_of(one, held)
    negated = [{"not": part} for part in parts]
    all_, any_ = stands({"all": parts}, asked), stands({"any": parts}, asked)
    assert all_ is min(stands(part, asked) for part in parts)
    assert any_ is max(stands(part, asked) for part in parts)
    # De Morgan, double negation, and order.
    assert stands({"not": {"all": parts}}, asked) is stands({"any": negated}, asked)
    assert stands({"not": {"any": parts}}, asked) is stands({"all": negated}, asked)
    assert stands({"not": {"not": parts[0]}}, asked) is stands(parts[0], asked)
    assert stands({"all": parts[::-1]}, asked) is all_
    # So many of: from any to all, never rising.
    counted = [stands({"n": n, "of": parts}, asked) for n in range(1, len(parts) + 1)]
    assert counted[0] is any_
    assert counted[-1] is all_
    assert counted == sorted(counted, reverse=True)


HIDDEN = st.sets(
    st.sampled_from(["score", "grade", "hours", "facts", "fields", "level", "category", "levels"])
)


def hide(one: Evidence, names: set[str]) -> Evidence:
    """The same outcome of which less is known."""
    said: dict[str, Any] = one.result.members | {}
    for name in ("score", "grade", "hours"):
        if name in names:
            said.pop(name, None)
    outcome = one.outcome
    if "level" in names:
        outcome = replace(outcome, framework="", level="")
    if "category" in names:
        outcome = replace(outcome, category="")
    levels = "levels" in names
    return replace(
        one,
        outcome=outcome,
        result=Result(**said),
        facts={} if "facts" in names else one.facts,
        fields=() if "fields" in names else one.fields,
        certificate_level="" if levels else one.certificate_level,
        skill_level="" if levels else one.skill_level,
    )


@MANY
@given(strategies.conditions, strategies.outcomes(), HELD, HIDDEN)
def test_to_know_more_never_changes_what_was_known(
    condition: dict[str, Any], one: Evidence, held: list[Evidence], hidden: set[str]
) -> None:
    less = stands(condition, asked_of(hide(one, hidden), held))
    more = stands(condition, asked_of(one, held))
    assert less in (more, UNKNOWN)


# -- the change that flips a condition --------------------------------------------------------
DAYS = re.compile(r"([+-][0-9]+) days")


def apply(reason: Reason, condition: Mapping[str, Any], asked: Asked, less: int = 0) -> Asked:
    """The circumstances after the change; `less`: short of it by so many of its smallest units."""
    one, outcome, result = asked.evidence, asked.evidence.outcome, asked.evidence.result
    days = DAYS.fullmatch(reason.change)
    if days:
        count = int(days[1])
        step = timedelta(days=count - less * (1 if count > 0 else -1))
        if reason.code == "completed":
            moved = replace(outcome, completed_on=outcome.completed_on + step, valid_until=None)
            return replace(asked, evidence=replace(one, outcome=moved))
        if reason.code in ("age", "valid"):
            return replace(asked, day=asked.day + step)
        name = condition["fact"]["name"]
        moved_day = (date.fromisoformat(one.facts[name]) + step).isoformat()
        return replace(asked, evidence=replace(one, facts=one.facts | {name: moved_day}))
    if reason.change[:1] in "+-":
        change = Decimal(reason.change)
        unit = Decimal(1) if reason.code == "level" else Decimal("0.01")
        change -= less * unit * (1 if change > 0 else -1)
        if reason.code in ("score", "hours"):
            figure = str(Decimal(getattr(result, reason.code)) + change)
            return replace(
                asked, evidence=replace(one, result=replace(result, **{reason.code: figure}))
            )
        if reason.code == "fact":
            name = condition["fact"]["name"]
            said = str(Decimal(one.facts[name]) + change)
            return replace(asked, evidence=replace(one, facts=one.facts | {name: said}))
        if reason.code == "credits":
            moved = replace(outcome, credits=outcome.credits + change)
        else:
            moved = replace(outcome, level=str(int(outcome.level) + int(change)))
        return replace(asked, evidence=replace(one, outcome=moved))
    if reason.code == "grade":
        return replace(asked, evidence=replace(one, result=replace(result, grade=reason.change)))
    if reason.code == "fact":
        facts = one.facts | {condition["fact"]["name"]: reason.change}
        return replace(asked, evidence=replace(one, facts=facts))
    if reason.code == "met":
        context = replace(asked.context, met=asked.context.met | {reason.change})
        return replace(asked, context=context)
    name = reason.code.replace("-", "_")
    return replace(asked, evidence=replace(one, **{name: reason.change}))


@MANY
@given(strategies.conditions, strategies.outcomes(), HELD)
def test_the_change_that_a_reason_names_meets_its_condition(
    condition: dict[str, Any], one: Evidence, held: list[Evidence]
) -> None:
    asked = asked_of(one, held)
    _, reasons = answer(condition, asked, ())
    for reason in reasons:
        if not reason.change:
            continue
        name = reason.pointer.rsplit("/", 1)[1]
        part = {name: wording.resolve(condition, reason.pointer)}
        assert stands(part, asked) is FAILED
        assert stands(part, apply(reason, part, asked)) is MET, reason
        if reason.change[:1] in "+-":
            # And a smaller one does not.
            assert stands(part, apply(reason, part, asked, less=1)) is FAILED, reason


@MANY
@given(strategies.conditions, strategies.outcomes(), HELD)
def test_a_condition_has_reasons_as_long_as_it_is_not_met(
    condition: dict[str, Any], one: Evidence, held: list[Evidence]
) -> None:
    truth, reasons = answer(condition, asked_of(one, held), ())
    assert (truth is MET) == (not reasons)


# -- checks -----------------------------------------------------------------------------------
NOTHING_KNOWN = CatalogueFacts(frameworks=frozenset({"qf/1"}))
IMPOSSIBLE = {"contradiction", "window-impossible"}


@MANY
@given(strategies.any_rule(), HELD, MET_COURSES)
def test_a_rule_that_is_called_impossible_never_applies(
    rule: Rule, held: list[Evidence], met: frozenset[str]
) -> None:
    flaws = check_rule(rule, among=(), programmes=(strategies.PROGRAMME,), catalogue=NOTHING_KNOWN)
    errors = {
        one.problem.field or ""
        for one in flaws
        if one.problem.code in IMPOSSIBLE and one.severity == "error"
    }
    if any(place.startswith(("/sources", "/gate")) and "/held" not in place for place in errors):
        applies = [one for one in found(rule, held, met) if one.verdict is Verdict.APPLIES]
        assert applies == []


# -- words ------------------------------------------------------------------------------------
@MANY
@given(strategies.any_rule(), HELD)
def test_every_rule_and_every_reason_can_be_said_in_both_languages(
    rule: Rule, held: list[Evidence]
) -> None:
    assert all(wording.lines(rule, "zh-hans"))
    assert all(wording.lines(rule, "en"))
    for one in found(rule, held):
        for reason in one.reasons:
            assert wording.reason_text(reason, "zh-hans", rule=rule)
            assert wording.reason_text(reason, "en")
