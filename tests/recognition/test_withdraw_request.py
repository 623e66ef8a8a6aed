"""Taking a request back, and asking again with the earlier data."""

from __future__ import annotations

import pytest

from creditbank.access import NotFound
from creditbank.recognition.models import DecisionState, Request
from creditbank.recognition.workflow import decisions, records, requests
from creditbank.recognition.workflow.decisions import Verdict
from creditbank.recognition.workflow.errors import DecisionNotOpen, RequestNotOpen
from tests.recognition.world import INFORMATION, STORAGE, World


def withdraw(request: Request) -> Request:
    assert request.learner.user is not None
    return requests.withdraw_request(request=request, acting_user=request.learner.user)


def test_its_outcome_is_free_again(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    for _ in range(2):
        request = withdraw(request)
    assert request.withdrawn_at is not None
    assert not request.is_open
    assert records.totals(learner).reserved == 0
    world.request(learner)


def test_after_the_decision_it_is_too_late(world: World) -> None:
    request = world.request(world.graduate())
    world.decide(request)
    with pytest.raises(RequestNotOpen):
        withdraw(request)


def test_nobody_withdraws_another_persons(world: World) -> None:
    request = world.request(world.graduate())
    with pytest.raises(NotFound):
        requests.withdraw_request(request=request, acting_user=world.officer())


def test_what_was_proposed_waits_no_more(bare_world: World) -> None:
    world = bare_world
    world.publish(procedure={"mode": "review", "reviewers": 2})
    request = world.request(world.graduate())
    decision = world.decide(request)
    withdraw(request)
    decision.refresh_from_db()
    assert decision.state == DecisionState.RETURNED
    with pytest.raises(DecisionNotOpen):
        decisions.agree(decision=decision, acting_user=world.officer(1))
    with pytest.raises(RequestNotOpen):
        world.decide(request)


def test_asking_again_begins_with_what_was_asked_before(world: World) -> None:
    learner = world.graduate()
    first = world.request(learner, targets=[STORAGE])
    world.decide(first, Verdict(position=0, verdict="refused", reason="evidence-insufficient"))
    form = requests.resubmission(first)
    assert form.leaves == (bytes(first.sources.get().leaf),)
    assert {one.code: one.chosen for one in form.targets} == {STORAGE: True, INFORMATION: False}
    again = world.request(learner, form.leaves, [STORAGE], resubmits=first)
    assert again.resubmits == first
    assert world.decide(again).credits == 4


def test_nobody_resubmits_another_persons(world: World) -> None:
    theirs = world.request(world.graduate())
    with pytest.raises(NotFound):
        world.request(world.graduate(), resubmits=theirs)
