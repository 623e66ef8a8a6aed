"""A decision is agreed to first and entered afterwards, once whoever does it."""

from __future__ import annotations

from typing import Any

import pytest

from creditbank.clock import now
from creditbank.jobs import outbox
from creditbank.jobs.models import Outbox
from creditbank.ledger import audit, recognitions
from creditbank.ledger import operations as ledger
from creditbank.ledger.guard import LedgerReadOnly
from creditbank.recognition.models import Decision, DecisionState, RequestState
from creditbank.recognition.workflow import decisions, records
from tests.recognition.world import World, whole


def outbox_runs() -> None:
    Outbox.objects.filter(state="waiting").update(due_at=now())
    outbox.run_due()


def test_while_the_signer_is_away_it_is_decided_and_entered_later(world: World, bank: Any) -> None:
    request = world.request(world.graduate())
    verdicts = whole(request)
    officer = world.officer()
    bank.stop()
    decision = decisions.propose_decision(request=request, verdicts=verdicts, acting_user=officer)
    assert (decision.state, decision.entry_index) == (DecisionState.DECIDED, None)
    request.refresh_from_db()
    assert request.state == RequestState.DECIDED
    assert records.totals(request.learner).reserved == 8
    bank.start()
    outbox_runs()
    decision.refresh_from_db()
    assert decision.state == DecisionState.IN_FORCE
    assert records.totals(request.learner).converted == 7


def test_a_crash_between_the_ledger_and_the_row_is_made_good(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = world.request(world.graduate())
    verdicts = whole(request)
    entered = decisions._entered

    def crash(*_: Any) -> Any:
        raise RuntimeError("the process died here")

    monkeypatch.setattr(decisions, "_entered", crash)
    with pytest.raises(RuntimeError):
        decisions.propose_decision(request=request, verdicts=verdicts, acting_user=world.officer())
    monkeypatch.setattr(decisions, "_entered", entered)
    decision = Decision.objects.get()
    assert decision.state == DecisionState.DECIDED
    outbox_runs()
    decision.refresh_from_db()
    assert decision.state == DecisionState.IN_FORCE
    (found,) = recognitions.recognitions([request.account_id])
    assert found.index == decision.entry_index
    assert audit.audit().findings == []


def test_while_the_ledger_is_read_only_nothing_is_decided(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = world.request(world.graduate())
    verdicts = whole(request)

    def refuse() -> None:
        raise LedgerReadOnly

    monkeypatch.setattr(decisions.guard, "refuse_unguarded", refuse)
    with pytest.raises(LedgerReadOnly):
        decisions.propose_decision(request=request, verdicts=verdicts, acting_user=world.officer())
    assert not Decision.objects.exists()


def test_a_crash_after_the_last_agreement_is_made_good(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = world.request(world.graduate())
    verdicts = whole(request)
    conclude = decisions.conclude

    def crash(*_: Any) -> Any:
        raise RuntimeError("the process died here")

    monkeypatch.setattr(decisions, "conclude", crash)
    with pytest.raises(RuntimeError):
        decisions.propose_decision(request=request, verdicts=verdicts, acting_user=world.officer())
    decision = Decision.objects.get()
    assert decision.state == DecisionState.PROPOSED
    monkeypatch.setattr(decisions, "conclude", conclude)
    outbox_runs()
    decision.refresh_from_db()
    assert decision.state == DecisionState.IN_FORCE


def test_an_outcome_reversed_between_agreement_and_entry_voids_the_decision(
    world: World, bank: Any
) -> None:
    request = world.request(world.graduate())
    verdicts = whole(request)
    index = request.sources.get().index
    officer = world.officer()
    bank.stop()
    decision = decisions.propose_decision(request=request, verdicts=verdicts, acting_user=officer)
    bank.start()
    ledger.reverse_entry(index=index, reason="登记有误")
    outbox_runs()
    decision.refresh_from_db()
    request.refresh_from_db()
    assert (decision.state, request.state) == (DecisionState.VOID, RequestState.REVIEWING)
    assert records.totals(request.learner).converted == 0
    assert audit.audit().findings == []
