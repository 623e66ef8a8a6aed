"""Many at once for one outcome: exactly one has it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections

from creditbank.errors import DomainError
from creditbank.ledger import audit
from creditbank.ledger import operations as ledger
from creditbank.ledger.statements import CreditConsumed, CreditRecognised
from creditbank.recognition.models import DecisionState, Request, RequestSource
from creditbank.recognition.workflow import decisions, records
from creditbank.recognition.workflow.errors import RequestRefused
from tests.recognition.world import World, whole

THREADS = 50


def at_once(count: int, work: Callable[[int], Any]) -> tuple[list[Any], list[Exception]]:
    """Run work in so many threads that all start together; return what came of it."""
    start = threading.Barrier(count)
    done: list[Any] = []
    refused: list[Exception] = []

    def run(number: int) -> None:
        try:
            start.wait(60)
            done.append(work(number))
        except Exception as error:  # noqa: BLE001 - told to the test
            refused.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(150)
    assert not any(thread.is_alive() for thread in threads)
    return done, refused


def test_of_fifty_requests_for_one_outcome_one_is_filed(world: World) -> None:
    learner = world.graduate()
    leaf = world.record_certificate(learner)
    filed, refused = at_once(THREADS, lambda _: world.request(learner, [leaf]))
    assert len(filed) == 1, [repr(one) for one in refused[:3]]
    assert len(refused) == THREADS - 1
    assert all(isinstance(one, RequestRefused) for one in refused), refused
    codes = {one.problems[0].code for one in refused if isinstance(one, RequestRefused)}
    assert codes == {"source-reserved"}
    assert Request.objects.count() == 1
    assert RequestSource.objects.filter(active=True).count() == 1
    assert world.decide(filed[0]).state == DecisionState.IN_FORCE
    assert records.totals(learner).converted == 7


def test_of_fifty_uses_of_one_outcome_in_the_ledger_one_is_entered(world: World) -> None:
    """Whoever comes past the reservations meets the ledger's own rule."""
    learner = world.graduate()
    leaf = world.record_certificate(learner)
    college = world.college.institution
    stream = college.streams.get().name

    def use(number: int) -> Any:
        decision = f"D-2026-RACE-{number:04}"
        return ledger.recognise(
            stream=stream,
            recognised=CreditRecognised(
                account=learner.account_id,
                decision=decision,
                digest=number.to_bytes(32, "big"),
                programme=world.programme.code,
                programme_version=1,
                body=college.uscc,
                body_name=college.name,
                credits=world.programme.parsed().courses[0].credits,
                decided_on=world.programme.first_day,
            ),
            consumed=[
                CreditConsumed(
                    account=learner.account_id,
                    leaf=leaf,
                    quantity_consumed=800,
                    decision=decision,
                )
            ],
            idempotency_key=decision,
            institution_id=college.pk,
        )

    entered, refused = at_once(THREADS, use)
    assert len(entered) == 1
    assert all(isinstance(one, DomainError) for one in refused), refused
    assert records.totals(learner).used == 8
    assert audit.audit().findings == []


def test_of_two_who_decide_one_request_at_once_one_does(world: World) -> None:
    request = world.request(world.graduate())
    officers = [world.officer(number) for number in range(4)]
    verdicts = whole(request)
    made, refused = at_once(
        4,
        lambda number: decisions.propose_decision(
            request=request, verdicts=verdicts, acting_user=officers[number]
        ),
    )
    assert len(made) == 1
    assert len(refused) == 3
    assert all(isinstance(one, DomainError) for one in refused), refused
    assert request.decisions.count() == 1
    assert records.totals(request.learner).converted == 7


def test_one_decision_entered_by_many_is_entered_once(world: World) -> None:
    request = world.request(world.graduate())
    decision = world.decide(request)
    done, refused = at_once(8, lambda _: decisions.finish(decision.pk).entry_index)
    assert refused == []
    assert set(done) == {decision.entry_index}
    assert audit.audit().findings == []
