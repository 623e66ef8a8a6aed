"""An outcome falls: what rests on it is flagged, and reversed when the college confirms."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from creditbank import access
from creditbank.clock import now, today
from creditbank.ledger import audit, recognitions
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from creditbank.recognition.models import (
    Appeal,
    AppealState,
    Decision,
    DecisionState,
    Request,
    RequestSource,
    RequestState,
)
from creditbank.recognition.workflow import (
    appeals,
    cascade,
    decisions,
    records,
    requests,
    reviewing,
)
from creditbank.recognition.workflow.errors import AppealRefused, NotFlagged, TextMissing
from learners.models import Learner
from tests.recognition.world import World


def decided(world: World) -> tuple[Learner, Decision]:
    learner = world.graduate()
    return learner, world.decide(world.request(learner))


def fall(decision: Decision, leaf: bytes | None = None) -> None:
    sources = RequestSource.objects.filter(request=decision.request)
    source = sources.get() if leaf is None else sources.get(leaf=leaf)
    ledger.reverse_entry(index=source.index, reason="证书登记有误")


def test_the_decision_is_flagged_and_the_account_is_at_once_without_the_outcome(
    world: World,
) -> None:
    learner, decision = decided(world)
    cascade.follow()
    fall(decision)
    totals = records.totals(learner)
    assert (totals.used, totals.lapsed, totals.converted) == (0, 8, 7)
    cascade.follow()
    assert cascade.flagged(world.college.institution) == [decision]
    decision.refresh_from_db()
    assert decision.state == DecisionState.IN_FORCE
    assert decision.flagged_at is not None


def test_flagging_twice_flags_once(world: World) -> None:
    _, decision = decided(world)
    leaf = bytes(decision.request.sources.get().leaf)
    assert cascade.flag([leaf]) == 1
    decision.refresh_from_db()
    first = decision.flagged_at
    assert cascade.flag([leaf]) == 0
    decision.refresh_from_db()
    assert decision.flagged_at == first


def test_confirmed_it_is_reversed_by_entries(world: World) -> None:
    learner, decision = decided(world)
    cascade.follow()
    fall(decision)
    cascade.follow()
    for _ in range(2):
        decision = cascade.confirm_reversal(
            decision=decision, reason="所依据的证书已被撤销", acting_user=world.officer(1)
        )
    assert decision.state == DecisionState.REVERSED
    assert decision.entry_index is not None
    found = recognitions.recognition(decision.entry_index)
    assert found.reversed_ is not None
    assert found.reversed_.index == decision.reversal_index
    assert records.totals(learner).converted == 0
    assert records.history(decision.request) == [decision]
    assert cascade.flagged(world.college.institution) == []
    assert audit.audit().findings == []


def test_the_outcomes_that_stand_are_asked_for_anew_with_the_first_day_of_filing(
    world: World,
) -> None:
    """Two certificates in one request: one falls, the other is not lost."""
    other = world.x_certificate()
    world.publish(other, allocation={"to": [{"category": "elective", "credits": "2"}]})
    learner = world.graduate()
    second = world.record_certificate(learner, other)
    request = world.request(learner)
    decision = world.decide(request)
    assert decision.credits == 9
    first = next(bytes(row.leaf) for row in request.sources.all() if bytes(row.leaf) != second)
    cascade.follow()
    fall(decision, first)
    cascade.follow()
    cascade.confirm_reversal(decision=decision, reason="撤销", acting_user=world.officer(1))
    again = Request.objects.exclude(pk=request.pk).get()
    assert (again.resubmits, again.filed_on, again.state) == (
        request,
        request.filed_on,
        RequestState.SUBMITTED,
    )
    assert [bytes(row.leaf) for row in again.sources.filter(active=True)] == [second]
    assert world.decide(again).credits == 2


def test_nobody_appeals_against_what_is_to_be_reversed_and_an_open_appeal_is_closed(
    world: World,
) -> None:
    def appeal(decision: Decision) -> Appeal:
        return appeals.file_appeal(
            decision=decision,
            positions=[0],
            text="…",
            acting_user=decision.request.learner.user,  # type: ignore[arg-type]
        )

    _, decision = decided(world)
    opened = appeal(decision)
    cascade.follow()
    fall(decision)
    cascade.follow()
    cascade.confirm_reversal(decision=decision, reason="撤销", acting_user=world.officer(1))
    opened.refresh_from_db()
    assert opened.state == AppealState.WITHDRAWN
    _, other = decided(world)
    fall(other)
    cascade.follow()
    other.refresh_from_db()
    with pytest.raises(AppealRefused) as caught:
        appeal(other)
    assert [one.code for one in caught.value.problems] == ["decision-flagged"]


def test_an_outcome_that_is_asked_for_does_not_expire_before_it_is_decided(world: World) -> None:
    """The office took its time; the law is that of the day of filing."""
    learner = world.learner()
    world.record_certificate(learner, valid_until=today())
    request = world.request(learner)
    with time_machine.travel(now() + timedelta(days=5), tick=True):
        ledger.expire_credits(on=today())
        (verified,) = reviewing.look(request).verified
        assert verified.state.value == "valid"
        assert world.decide(request).credits == 7
    other = world.learner()
    world.record_certificate(other, valid_until=today())
    withdrawn = world.request(other)
    assert other.user is not None
    requests.withdraw_request(request=withdrawn, acting_user=other.user)
    with time_machine.travel(now() + timedelta(days=5), tick=True):
        ledger.expire_credits(on=today())
        assert records.totals(other).lapsed == 8


def test_what_stands_is_not_reversed_this_way(world: World) -> None:
    _, decision = decided(world)
    with pytest.raises(NotFlagged):
        cascade.confirm_reversal(decision=decision, reason="…", acting_user=world.officer(1))
    with pytest.raises(TextMissing):
        cascade.confirm_reversal(decision=decision, reason="  ", acting_user=world.officer(1))
    with pytest.raises(access.Forbidden):
        cascade.confirm_reversal(decision=decision, reason="…", acting_user=world.college.clerk)


def test_a_decision_in_notice_whose_outcome_falls_is_void(bare_world: World) -> None:
    world = bare_world
    world.publish(procedure={"mode": "review", "notice_days": 5})
    learner = world.graduate()
    request = world.request(learner)
    decision = world.decide(request)
    assert decision.state == DecisionState.IN_NOTICE
    fall(decision)
    assert decision.notice_until is not None
    with time_machine.travel(f"{decision.notice_until}T23:59:59+08:00", tick=True) as clock:
        clock.shift(60)
        decision = decisions.finish(decision.pk)
    assert decision.state == DecisionState.VOID
    request.refresh_from_db()
    assert request.is_open
    form = requests.prepare(learner=learner, programme=world.programme)
    assert form.lines == ()
    # Whoever opens it sees that the outcome is gone, and the answer says so.
    answer = world.decide(request)
    assert [line.reason for line in answer.lines.all()] == ["source-lapsed"]
    assert answer.state == DecisionState.REFUSED


def test_an_open_request_shows_that_its_outcome_fell(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    source = request.sources.get()
    ledger.reverse_entry(index=source.index, reason="证书登记有误")
    (verified,) = reviewing.look(request).verified
    assert [(one.number, one.state.value) for one in verified.checks if one.state != "valid"] == [
        (6, "invalid")
    ]
    assert entries.is_undone(learner.account_id, bytes(source.leaf))
