"""R35, public notice (公示) before a decision takes effect.

Source C30b: the result is published first, then filed: three dated stages. Five
working days stand for the days, whose number no source gives.
"""

from __future__ import annotations

from datetime import date

import time_machine

from creditbank.jobs import outbox
from creditbank.recognition.models import Decision, DecisionState, Request, RequestState
from creditbank.recognition.workflow import decisions, records
from tests.recognition.world import World

FRIDAY = "2026-12-04T10:00:00+08:00"
LAST = date(2026, 12, 11)
"""The fifth working day after Friday, 4 December 2026."""


def in_notice(world: World) -> tuple[Request, Decision]:
    world.publish(procedure={"mode": "review", "notice_days": 5})
    learner = world.graduate()
    with time_machine.travel(FRIDAY, tick=True):
        request = world.request(learner)
        decision = world.decide(request)
        request.refresh_from_db()
    return request, decision


def run_on(day: str) -> None:
    with time_machine.travel(f"{day}T00:10:00+08:00", tick=True):
        decisions.enter_due()
        outbox.run_due()


def test_a_decision_is_shown_for_five_working_days(bare_world: World) -> None:
    request, decision = in_notice(bare_world)
    assert decision.state == DecisionState.IN_NOTICE
    assert request.state == RequestState.IN_NOTICE
    assert decision.notice_until == request.notice_until == LAST
    assert decision.entry_index is None
    assert records.totals(request.learner).reserved == 8


def test_it_is_in_force_on_the_day_after_the_last_and_not_before(bare_world: World) -> None:
    request, decision = in_notice(bare_world)
    run_on("2026-12-11")
    decision.refresh_from_db()
    assert decision.state == DecisionState.IN_NOTICE
    run_on("2026-12-12")
    decision.refresh_from_db()
    request.refresh_from_db()
    assert (decision.state, request.state) == (DecisionState.IN_FORCE, RequestState.IN_FORCE)
    assert records.totals(request.learner).converted == 7


def test_looking_twice_enters_it_once(bare_world: World) -> None:
    _, decision = in_notice(bare_world)
    for day in ("2026-12-12", "2026-12-12", "2026-12-13"):
        run_on(day)
    decision.refresh_from_db()
    index = decision.entry_index
    decisions.finish(decision.pk)
    decision.refresh_from_db()
    assert decision.entry_index == index is not None


def test_without_notice_it_is_in_force_at_once(bare_world: World) -> None:
    bare_world.publish(procedure={"mode": "review"})
    request = bare_world.request(bare_world.graduate())
    assert bare_world.decide(request).state == DecisionState.IN_FORCE


def test_the_steps_have_their_dates(bare_world: World) -> None:
    request, _ = in_notice(bare_world)
    steps = {step.state: step for step in records.progress(request)}
    assert [state for state, step in steps.items() if step.reached_at is not None] == [
        RequestState.SUBMITTED,
        RequestState.REVIEWING,
        RequestState.DECIDED,
        RequestState.IN_NOTICE,
    ]
    assert steps[RequestState.IN_NOTICE].current
    assert steps[RequestState.IN_FORCE].expected_on == LAST
