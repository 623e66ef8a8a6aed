"""Withdrawing what was published: an entry of its own, and nothing vanishes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from creditbank import access
from creditbank.clock import now, today
from creditbank.jobs import outbox
from creditbank.jobs.models import Outbox
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from creditbank.proofs import commitments
from creditbank.recognition.models import VersionStatus
from creditbank.recognition.register import publishing, rulebook
from creditbank.securitylog.models import SecurityEvent
from tests.recognition.shelf import Shelf, make_authority, make_shelf


@pytest.fixture
def shelf(bank: Any, settings: Any) -> Shelf:
    settings.STAFF_SECOND_FACTOR = False
    return make_shelf()


def test_a_withdrawal_stands_in_the_log_with_its_reason(shelf: Shelf) -> None:
    row = shelf.publish(code="R-1")
    gone = publishing.withdraw_rule(rule=row, reason="文件已废止", acting_user=shelf.reviewer)
    assert gone.status == VersionStatus.WITHDRAWN
    assert gone.withdrawn_on == today()
    assert gone.withdrawal_index is not None
    entry = entries.entry(gone.withdrawal_index)
    core = json.loads(commitments.split(entry.opening())[0])
    assert core["reason"] == "文件已废止"
    assert core["code"] == "R-1"
    assert SecurityEvent.objects.filter(kind="rule-withdrawn").get().actor == shelf.reviewer.pk


def test_it_is_in_force_until_the_day_of_its_withdrawal(shelf: Shelf) -> None:
    row = shelf.publish(code="R-1")
    last = today() + timedelta(days=10)
    publishing.withdraw_rule(
        rule=row, reason="期满", acting_user=shelf.reviewer, on=last + timedelta(days=1)
    )
    assert rulebook.rule_in_force("R-1", last).pk == row.pk
    with pytest.raises(rulebook.UnknownRule):
        rulebook.rule_in_force("R-1", last + timedelta(days=1))


def test_a_programme_is_withdrawn_the_same_way(shelf: Shelf) -> None:
    row = shelf.publish_programme(code="P-1")
    gone = publishing.withdraw_programme(
        programme=row, reason="停止招生", acting_user=shelf.reviewer
    )
    assert gone.withdrawal_index is not None


def test_withdrawn_twice_it_is_entered_once(shelf: Shelf) -> None:
    row = shelf.publish()
    first = publishing.withdraw_rule(rule=row, reason="一", acting_user=shelf.reviewer)
    size = ledger.head_size()
    again = publishing.withdraw_rule(rule=row, reason="二", acting_user=shelf.reviewer)
    assert again.withdrawal_reason == first.withdrawal_reason == "一"
    assert ledger.head_size() == size


@pytest.mark.parametrize(("reason", "days"), [("", 0), ("   ", 0), ("x" * 201, 0), ("迟了", -1)])
def test_a_withdrawal_says_why_and_takes_nothing_back(shelf: Shelf, reason: str, days: int) -> None:
    row = shelf.publish()
    with pytest.raises(publishing.WithdrawalInvalid):
        publishing.withdraw_rule(
            rule=row,
            reason=reason,
            acting_user=shelf.reviewer,
            on=today() + timedelta(days=days),
        )
    row.refresh_from_db()
    assert row.status == VersionStatus.PUBLISHED
    assert row.withdrawn_on is None


def test_a_clerk_withdraws_nothing_that_was_published(shelf: Shelf) -> None:
    row = shelf.publish()
    with pytest.raises(access.Forbidden):
        publishing.withdraw_rule(rule=row, reason="改期", acting_user=shelf.clerk)


def test_the_authority_withdraws_a_rule(shelf: Shelf) -> None:
    authority = make_authority()
    row = shelf.publish()
    gone = publishing.withdraw_rule(
        rule=row, reason="与省里的办法抵触", acting_user=authority.reviewer
    )
    assert gone.status == VersionStatus.WITHDRAWN


def test_a_crash_before_the_entry_is_healed(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    row = shelf.publish(code="R-1")
    Outbox.objects.all().delete()

    def gone(**asked: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(publishing.ledger, "withdraw_document", gone)
        with pytest.raises(KeyboardInterrupt):
            publishing.withdraw_rule(rule=row, reason="废止", acting_user=shelf.reviewer)
    row.refresh_from_db()
    assert row.is_being_withdrawn
    # Decided is decided: it is in force no more, though the entry is still to come.
    with pytest.raises(rulebook.UnknownRule):
        rulebook.rule_in_force("R-1", today())
    Outbox.objects.update(due_at=now() - timedelta(seconds=1))
    outbox.run_due()
    row.refresh_from_db()
    assert row.status == VersionStatus.WITHDRAWN
    assert row.withdrawal_index is not None
