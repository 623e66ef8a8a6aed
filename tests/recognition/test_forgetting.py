"""A person is forgotten: what recognition held of them can be read no more, and nobody waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from creditbank.clock import today
from creditbank.ledger import audit
from creditbank.ledger.learnerkeys import PersonForgotten
from creditbank.recognition.models import (
    AppealState,
    Decision,
    DecisionState,
    Goal,
    Request,
    RequestSource,
)
from creditbank.recognition.workflow import (
    appeals,
    decisions,
    goals,
    preapprovals,
    records,
    reviewing,
)
from creditbank.recognition.workflow.preapprovals import Promised
from learners import operations as learners
from tests.recognition.world import STORAGE, World


def test_nothing_can_be_read_and_the_entries_stay(world: World) -> None:
    learner = world.graduate()
    user = learner.user
    assert user is not None
    goals.add_goal(learner=learner, programme=world.programme, acting_user=user)
    request = world.request(learner, words="我叫金丝雀")
    decision = world.decide(request)
    appeal = appeals.file_appeal(
        decision=decision,
        positions=[0],
        text="金丝雀的理由",
        attachment=appeals.Attachment(name="金丝雀.pdf", data=b"%PDF-canary"),
        acting_user=user,
    )
    waiting = world.x_certificate()
    world.publish(waiting, allocation={"to": [{"category": "elective", "credits": "2"}]})
    world.record_certificate(learner, waiting)
    open_request = world.request(learner)
    preapprovals.prepare_pre_approval(
        learner=learner,
        programme=world.programme,
        item=world.certificate.code,
        until=today() + timedelta(days=9),
        targets=[Promised(course=STORAGE)],
        acting_user=world.college.clerk,
    )
    learners.forget_learner(learner)
    assert not Goal.objects.exists()
    assert not RequestSource.objects.filter(active=True).exists()
    assert {bytes(row.details_sealed) for row in Request.objects.all()} == {b""}
    open_request.refresh_from_db()
    assert open_request.withdrawn_at is not None
    appeal.refresh_from_db()
    assert appeal.state == AppealState.WITHDRAWN
    decision.refresh_from_db()
    assert decision.state == DecisionState.IN_FORCE
    for read in (
        lambda: decisions.package_of(decision),
        lambda: reviewing.look(request),
        lambda: records.totals(learner) and decisions.package_bytes(decision),
    ):
        with pytest.raises(PersonForgotten):
            read()
    assert [one.text for one in appeals.thread(appeal)] == [""]
    assert reviewing.queue(world.college.institution) == []
    assert audit.audit().findings == []


def test_a_decision_in_notice_does_not_come_into_force(bare_world: World) -> None:
    world = bare_world
    world.publish(procedure={"mode": "review", "notice_days": 5})
    learner = world.graduate()
    decision = world.decide(world.request(learner))
    learners.forget_learner(learner)
    decision.refresh_from_db()
    assert decision.state == DecisionState.VOID
    assert decisions.enter_due(today() + timedelta(days=99)) == 0
    assert decisions.finish(decision.pk).state == DecisionState.VOID
    assert Decision.objects.count() == 1
