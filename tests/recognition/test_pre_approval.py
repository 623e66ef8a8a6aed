"""A commitment made before the outcome is earned (预认定), and kept after."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from creditbank import access
from creditbank.clock import today
from creditbank.ledger import recognitions
from creditbank.proofs import canonical
from creditbank.recognition import replay
from creditbank.recognition.deciding import packages
from creditbank.recognition.language import schemas
from creditbank.recognition.models import DecisionState, PreApproval, PreApprovalState
from creditbank.recognition.workflow import decisionfile, preapprovals, requests
from creditbank.recognition.workflow.decisions import Verdict
from creditbank.recognition.workflow.errors import (
    PreApprovalNotOpen,
    PreApprovalRefused,
    VerdictsRefused,
)
from creditbank.recognition.workflow.preapprovals import Promised
from learners.models import Learner
from tests.recognition.world import INFORMATION, STORAGE, World

BOTH = (
    Promised(course=STORAGE, credits=Decimal(4)),
    Promised(course=INFORMATION, credits=Decimal(3)),
)


@pytest.fixture
def world(bare_world: World) -> World:
    return bare_world


def prepared(world: World, learner: Learner, **changes: Any) -> PreApproval:
    facts: dict[str, Any] = {
        "learner": learner,
        "programme": world.programme,
        "item": world.certificate.code,
        "until": today() + timedelta(days=200),
        "targets": BOTH,
        "acting_user": world.college.clerk,
    } | changes
    return preapprovals.prepare_pre_approval(**facts)


def approved(world: World, learner: Learner, **changes: Any) -> PreApproval:
    return preapprovals.approve_pre_approval(
        pre_approval=prepared(world, learner, **changes), acting_user=world.officer()
    )


# -- making it ----------------------------------------------------------------------------------
def test_it_is_a_signed_entry_with_the_digest_of_a_rule(world: World) -> None:
    learner = world.learner()
    row = approved(world, learner)
    assert row.state == PreApprovalState.IN_FORCE
    (entered,) = recognitions.pre_approvals([learner.account_id])
    document = preapprovals.document_of(row)
    assert entered.approved.number == row.number
    assert entered.approved.digest == packages.digest(document) == bytes(row.digest)
    assert entered.approved.before == row.until
    assert schemas.problems("rule-v1", canonical.decode(document)) == []
    assert document not in bytes(row.document_sealed)
    assert preapprovals.rule_of(row).code == row.number


def test_two_people_make_it(world: World) -> None:
    row = prepared(world, world.learner(), acting_user=world.officer())
    with pytest.raises(access.SamePerson):
        preapprovals.approve_pre_approval(pre_approval=row, acting_user=world.officer())
    for _ in range(2):
        row = preapprovals.approve_pre_approval(pre_approval=row, acting_user=world.officer(1))
    assert row.state == PreApprovalState.IN_FORCE


def test_every_problem_is_told_at_once(world: World) -> None:
    with pytest.raises(PreApprovalRefused) as caught:
        prepared(
            world,
            world.learner(),
            item="NO-SUCH-ITEM",
            until=date(2020, 1, 1),
            targets=[Promised(course="NO-SUCH-COURSE"), Promised(category="required")],
        )
    assert [one.code for one in caught.value.problems] == [
        "item-unknown",
        "day-past",
        "target-unknown",
    ]


def test_before_it_is_approved_it_can_be_taken_back_and_afterwards_it_binds(world: World) -> None:
    learner = world.learner()
    row = prepared(world, learner)
    for _ in range(2):
        row = preapprovals.withdraw_pre_approval(pre_approval=row, acting_user=world.college.clerk)
    assert row.state == PreApprovalState.WITHDRAWN
    with pytest.raises(PreApprovalNotOpen):
        preapprovals.withdraw_pre_approval(
            pre_approval=approved(world, learner), acting_user=world.college.clerk
        )


# -- keeping it ---------------------------------------------------------------------------------
def test_it_gives_what_was_promised_where_no_rule_gives_anything(world: World) -> None:
    learner = world.learner()
    row = approved(world, learner)
    world.record_certificate(learner, completed_on=today())
    decision = world.decide(world.request(learner))
    assert (decision.state, decision.credits) == (DecisionState.IN_FORCE, 7)
    assert {line.rule_code for line in decision.lines.all()} == {row.number}
    row.refresh_from_db()
    assert (row.state, row.used_by) == (PreApprovalState.USED, decision)


def test_what_the_rules_say_by_then_does_not_lessen_it(world: World) -> None:
    learner = world.learner()
    approved(world, learner)
    world.publish(
        allocation={
            "to": [
                {"course": STORAGE, "credits": "3"},
                {"course": INFORMATION, "credits": "2"},
            ]
        }
    )
    world.record_certificate(learner, completed_on=today())
    assert world.decide(world.request(learner)).credits == 7


@pytest.mark.parametrize("verdict", ["part", "waived", "refused"])
def test_reviewers_cannot_give_less(world: World, verdict: str) -> None:
    learner = world.learner()
    approved(world, learner)
    world.record_certificate(learner, completed_on=today())
    request = world.request(learner)
    reasons = {
        "part": "credits-lower-than-course",
        "waived": "requirement-met-without-credit",
        "refused": "content-differs",
    }
    with pytest.raises(VerdictsRefused) as caught:
        world.decide(
            request,
            Verdict(
                position=0,
                verdict=verdict,
                reason=reasons[verdict],
                credits=Decimal(1) if verdict == "part" else None,
            ),
            Verdict(position=1, verdict="credit"),
        )
    assert [one.code for one in caught.value.problems] == ["promised"]


def test_it_counts_until_its_last_day_and_not_after(world: World) -> None:
    learner = world.learner()
    last = today() - timedelta(days=1)
    row = approved(world, learner)
    assert row.until > last
    with pytest.raises(PreApprovalRefused):
        prepared(world, learner, until=last)
    approved(world, learner, until=today())
    assert requests.prepare(learner=learner, programme=world.programme).lines == ()
    world.record_certificate(learner, completed_on=today())
    assert len(requests.prepare(learner=learner, programme=world.programme).lines) == 2


def test_a_score_that_was_asked_for_is_asked_for(world: World) -> None:
    """86 where 90 was a condition: the promise does not apply."""
    learner = world.learner()
    approved(world, learner, score=Decimal(90))
    world.record_certificate(learner, completed_on=today())
    form = requests.prepare(learner=learner, programme=world.programme)
    assert form.lines == ()
    (finding,) = form.everything.findings
    assert [(one.found, one.wanted) for one in finding.reasons] == [("86", "≥ 90")]


def test_it_is_for_one_learner_alone(world: World) -> None:
    approved(world, world.learner())
    other = world.learner()
    world.record_certificate(other, completed_on=today())
    assert requests.prepare(learner=other, programme=world.programme).choices == ()


def test_a_decision_under_it_replays(world: World) -> None:
    learner = world.learner()
    approved(world, learner)
    world.record_certificate(learner, completed_on=today())
    decision = world.decide(world.request(learner))
    report = replay.verify(decisionfile.build(decision), trust=None)
    assert report.outcome == "could-not-be-checked"
    assert all(check.state != "invalid" for check in report.checks)
