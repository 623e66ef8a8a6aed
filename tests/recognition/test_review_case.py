"""What reviewers see: the queue with its clocks, a case in full, facts, judgements."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from creditbank import access
from creditbank.clock import now, today
from creditbank.recognition.deciding import workdays
from creditbank.recognition.engine.findings import Verdict as Found
from creditbank.recognition.models import DecisionState, RequestState
from creditbank.recognition.workflow import reviewing
from creditbank.recognition.workflow.decisions import Verdict
from creditbank.recognition.workflow.errors import (
    FactRefused,
    NothingToJudge,
    RequestNotOpen,
    StageNotYours,
)
from creditbank.securitylog.models import SecurityEvent
from tests.recognition.world import STORAGE, World


# -- the queue ----------------------------------------------------------------------------------
def test_the_most_urgent_request_stands_first(world: World) -> None:
    with time_machine.travel(now() - timedelta(days=7), tick=True):
        older = world.request(world.graduate())
    newer = world.request(world.graduate())
    queue = reviewing.queue(world.college.institution)
    assert [one.request for one in queue] == [older, newer]
    assert [one.days_left for one in queue] == [
        workdays.between(today(), one.request.expected_on) for one in queue
    ]
    assert queue[1].days_left == 10
    assert [one.outcomes for one in queue] == [1, 1]


def test_what_is_past_its_day_says_by_how_much(world: World) -> None:
    request = world.request(world.graduate())
    (late,) = reviewing.queue(world.college.institution, day=workdays.after(request.expected_on, 2))
    assert late.days_left == -2


def test_what_is_decided_or_withdrawn_is_not_in_it(world: World) -> None:
    from creditbank.recognition.workflow import requests

    decided = world.request(world.graduate())
    world.decide(decided)
    withdrawn = world.request(world.graduate())
    assert withdrawn.learner.user is not None
    requests.withdraw_request(request=withdrawn, acting_user=withdrawn.learner.user)
    assert reviewing.queue(world.college.institution) == []


def test_another_institutions_queue_is_its_own(world: World) -> None:
    world.request(world.graduate())
    assert reviewing.queue(world.trainer) == []


# -- a case -------------------------------------------------------------------------------------
def test_opening_a_case_is_seen_by_the_learner_and_noted(world: World) -> None:
    request = world.request(world.graduate())
    found = reviewing.open_case(request=request, acting_user=world.officer())
    request.refresh_from_db()
    assert (request.state, request.reviewing_at is not None) == (RequestState.REVIEWING, True)
    event = SecurityEvent.objects.filter(kind="personal-data-viewed").get()
    assert event.actor == world.officer().pk
    assert request.number in event.facts
    assert found.stage == "college"
    first = request.reviewing_at
    reviewing.open_case(request=request, acting_user=world.officer(1))
    request.refresh_from_db()
    assert request.reviewing_at == first


def test_only_a_reviewer_of_the_stage_opens_it(world: World) -> None:
    request = world.request(world.graduate())
    with pytest.raises(StageNotYours):
        reviewing.open_case(request=request, acting_user=world.college.clerk)


def test_the_certificate_is_verified_now_by_seven_checks(world: World) -> None:
    (verified,) = reviewing.look(world.request(world.graduate())).verified
    assert [(one.number, one.code, one.state.value) for one in verified.checks] == [
        (1, "opening", "valid"),
        (2, "manifest", "valid"),
        (3, "signature", "valid"),
        (4, "inclusion", "valid"),
        (5, "checkpoint", "valid"),
        (6, "in-force", "valid"),
        (7, "unused", "valid"),
    ]
    assert verified.state.value == "valid"


def test_the_rule_and_what_it_proposes_are_there(world: World) -> None:
    found = reviewing.look(world.request(world.graduate()))
    assert [row.version for row in found.rules] == [3]
    assert {line.course: line.credits for line in found.case.proposed} == {
        STORAGE: 4,
        "LOG-102": 3,
    }


def test_similar_cases_tell_how_the_rule_was_applied_and_to_nobody(world: World) -> None:
    for verdict in ("credit", "waived"):
        world.decide(
            world.request(world.graduate()),
            Verdict(position=0, verdict="credit"),
            Verdict(
                position=1,
                verdict=verdict,
                reason="" if verdict == "credit" else "requirement-met-without-credit",
            ),
        )
    found = reviewing.look(world.request(world.graduate()))
    assert [one.verdict for one in found.similar[0]] == ["credit", "credit"]
    assert [(one.verdict, one.reason) for one in found.similar[1]] == [
        ("waived", "requirement-met-without-credit"),
        ("credit", ""),
    ]
    assert not hasattr(found.similar[0][0], "learner")


# -- facts --------------------------------------------------------------------------------------
def asked_for_similarity(world: World, **changes: Any) -> tuple[Any, bytes]:
    """R10: at least 70 % of the content must correspond."""
    item = world.x_certificate()
    world.publish(
        item,
        sources={
            "outcome": {
                "all": [{"item": [item.code]}, {"fact": {"name": "similarity", "min": "70"}}]
            }
        },
        allocation={"to": [{"course": STORAGE}]},
        **changes,
    )
    learner = world.graduate()
    leaf = world.record_certificate(learner, item)
    return world.request(learner, [leaf]), leaf


def test_the_facts_that_rules_ask_for_are_named(world: World) -> None:
    request, leaf = asked_for_similarity(world)
    (wanted,) = reviewing.look(request).wanted
    assert (wanted.leaf, wanted.name, wanted.wanted, wanted.value) == (
        leaf,
        "similarity",
        "min 70",
        "",
    )


@pytest.mark.parametrize(("value", "state"), [("70", "in-force"), ("69", "refused")])
def test_what_is_attested_decides_on_its_boundary(world: World, value: str, state: str) -> None:
    request, leaf = asked_for_similarity(world)
    fact = reviewing.attest_fact(
        request=request, leaf=leaf, name="similarity", value=value, acting_user=world.officer()
    )
    assert value.encode() not in bytes(fact.value_sealed)
    assert world.decide(request).state == DecisionState(state)


def test_attested_anew_the_newer_value_counts_and_the_older_stays(world: World) -> None:
    request, leaf = asked_for_similarity(world)
    for value, by in (("60", 0), ("75", 1), ("75", 1)):
        reviewing.attest_fact(
            request=request,
            leaf=leaf,
            name="similarity",
            value=value,
            acting_user=world.officer(by),
        )
    assert request.facts.count() == 2
    (wanted,) = reviewing.look(request).wanted
    assert wanted.value == "75"
    assert world.decide(request).credits == 4


def test_what_no_rule_asks_for_is_not_attested(world: World) -> None:
    request, leaf = asked_for_similarity(world)
    for name, value in (("height", "170"), ("similarity", " ")):
        with pytest.raises(FactRefused):
            reviewing.attest_fact(
                request=request, leaf=leaf, name=name, value=value, acting_user=world.officer()
            )


def test_nobody_attests_to_their_own(world: World) -> None:
    request, leaf = asked_for_similarity(world)
    assert request.learner.user is not None
    with pytest.raises(access.OwnAward):
        reviewing.attest_fact(
            request=request,
            leaf=leaf,
            name="similarity",
            value="99",
            acting_user=request.learner.user,
        )


# -- judgements ---------------------------------------------------------------------------------
def test_where_a_score_is_missing_a_person_may_hold_the_rule_to_be_met(world: World) -> None:
    item = world.x_certificate()
    rule = world.publish(
        item,
        sources={"outcome": {"all": [{"item": [item.code]}, {"score": {"min": "60"}}]}},
        allocation={"to": [{"course": STORAGE}]},
    )
    learner = world.graduate()
    leaf = world.record_certificate(learner, item, result={"score": ""})
    request = world.request(learner, [leaf])
    case = reviewing.look(request).case
    assert [one.verdict for one in case.computed.findings] == [Found.UNKNOWN]
    assert case.proposed == ()
    for _ in range(2):
        reviewing.judge(
            request=request,
            rule=rule.code,
            version=1,
            leaves=(leaf,),
            acting_user=world.officer(),
        )
    decision = world.decide(request, by=1)
    assert decision.credits == 4
    from creditbank.recognition import replay
    from creditbank.recognition.workflow import decisionfile, decisions

    package = decisions.package_of(decision)
    assert [(one.rule, one.by) for one in package.judged] == [
        (rule.code, world.college.reviewer_member.pseudonym)
    ]
    report = replay.verify(decisionfile.build(decision), trust=None)
    assert all(check.state != "invalid" for check in report.checks)


def test_what_is_settled_is_not_judged(world: World) -> None:
    request = world.request(world.graduate())
    assert world.rule is not None
    with pytest.raises(NothingToJudge):
        reviewing.judge(
            request=request,
            rule=world.rule.code,
            version=3,
            leaves=(bytes(request.sources.get().leaf),),
            acting_user=world.officer(),
        )


def test_after_the_decision_nothing_is_attested(world: World) -> None:
    request, leaf = asked_for_similarity(world)
    reviewing.attest_fact(
        request=request, leaf=leaf, name="similarity", value="80", acting_user=world.officer()
    )
    world.decide(request)
    request.refresh_from_db()
    with pytest.raises((RequestNotOpen, FactRefused)):
        reviewing.attest_fact(
            request=request, leaf=leaf, name="similarity", value="81", acting_user=world.officer()
        )
