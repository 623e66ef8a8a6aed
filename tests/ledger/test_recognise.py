"""A decision is one submission: what it recognises, and a use of each award."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from creditbank.errors import Problem
from creditbank.institutions.kinds import InstitutionStatus
from creditbank.institutions.models import Institution
from creditbank.ledger import kinds, log, operations, queries, recognitions
from creditbank.ledger.audit import audit
from creditbank.ledger.statements import (
    CreditConsumed,
    CreditExpired,
    EntryReversed,
    Statement,
)
from tests.ledger.cast import College, make_college, published
from tests.ledger.recognising import consumed, recognise, recognised, verified


@pytest.fixture
def awarding(bank: object) -> College:
    return make_college()


@pytest.fixture
def college(bank: object) -> College:
    return make_college(courses=1)


def submit(college: College, *statements: Statement, key: str = "k") -> log.Receipt:
    return operations.record_statements(
        stream=college.hosted,
        statements=statements,
        idempotency_key=key,
        institution_id=college.institution.pk,
    )


def told(refused: pytest.ExceptionInfo[Any]) -> set[tuple[int | None, str, str | None]]:
    problems: tuple[Problem, ...] = refused.value.problems
    return {(problem.row, problem.code, problem.field) for problem in problems}


def test_a_decision_uses_awards_of_another_college_and_gives_credits_of_its_own(
    awarding: College, college: College
) -> None:
    account = operations.open_account()
    receipt = awarding.record(
        awarding.award(account), awarding.award(account, item_row=awarding.items[1])
    )
    entered = published(recognise(college, account, *map(receipt.index_of, (0, 1))))
    assert (entered.stream, entered.count) == (college.hosted, 3)
    balance = queries.balance([account])
    assert (balance.awarded, balance.used, balance.available) == (6, 6, 0)
    assert balance.converted == Decimal("8.50")
    (line, second, first) = queries.statement([account])
    assert (line.kind, line.outcome, line.credits) == (kinds.RECOGNISE, None, Decimal("8.50"))
    assert line.recognised is not None
    assert (first.state, second.state, line.state) == ("used", "used", "entered")
    assert first.used_by == second.used_by == line.recognised.decision
    assert first.acted_by_index == entered.index_of(1)
    assert audit().findings == []


def test_a_recognition_says_what_it_uses_and_an_award_says_by_which_it_is_used(
    awarding: College, college: College
) -> None:
    account = operations.open_account()
    award = awarding.record(awarding.award(account)).first_index
    leaf = queries.entry(award).leaf_hash
    assert recognitions.consumption_of(account, leaf) is None
    assert recognitions.recognition_using(account, leaf) is None
    entered = recognise(college, account, award, decision="认1号", credits=Decimal("2.25"))
    found = recognitions.recognition(entered.first_index)
    assert [found] == recognitions.recognitions([account])
    assert (found.decision, found.credits, found.state) == ("认1号", Decimal("2.25"), "entered")
    assert found.sources == (leaf,)
    assert found.fallen == ()
    use = recognitions.consumption_of(account, leaf)
    assert use is not None
    assert (use,) == found.uses
    assert (use.index, use.decision, use.quantity) == (entered.index_of(1), "认1号", -300)
    assert recognitions.recognition_using(account, leaf) == found
    with pytest.raises(queries.UnknownEntry):
        recognitions.recognition(award)


def test_a_recognition_and_its_uses_are_proved_like_any_credit(
    awarding: College, college: College
) -> None:
    account = operations.open_account()
    award = awarding.record(awarding.award(account)).first_index
    entered = published(recognise(college, account, award, decision="认1号"))
    for position, kind in ((0, "recognise"), (1, "consume")):
        found = verified(entered.index_of(position))
        assert (found.leaf.kind, found.leaf.stream) == (kind, college.hosted)
        assert found.disclosure is not None
        core = found.disclosure.part("core")
        assert core is not None
        assert core["decision"] == "认1号"


def test_a_waiver_uses_an_award_and_gives_no_credits(awarding: College, college: College) -> None:
    account = operations.open_account()
    award = awarding.record(awarding.award(account)).first_index
    published(recognise(college, account, award, credits=Decimal(0)))
    assert queries.balance([account]).converted == 0
    assert queries.balance([account]).used == 3
    assert audit().findings == []


def test_the_same_decision_again_returns_the_first_receipt_and_another_is_refused(
    awarding: College, college: College
) -> None:
    account = operations.open_account()
    award = awarding.record(awarding.award(account)).first_index
    first = recognise(college, account, award, decision="认1号", key="once")
    # The second try asks for the next generation of the use, as any retry does.
    assert recognise(college, account, award, decision="认1号", key="once") == first
    with pytest.raises(log.KeyReused):
        recognise(college, account, award, decision="认2号", key="once")


def test_a_decision_number_is_recognised_once(awarding: College, college: College) -> None:
    account = operations.open_account()
    receipt = awarding.record(
        awarding.award(account), awarding.award(account, item_row=awarding.items[1])
    )
    recognise(college, account, receipt.index_of(0), decision="认1号")
    with pytest.raises(log.DuplicateOutcome) as refused:
        recognise(college, account, receipt.index_of(1), decision="认1号")
    assert refused.value.facts["rows"] == [1]
    assert queries.balance([account]).used == 3


def test_what_is_used_or_undone_cannot_be_used_and_all_such_rows_are_told(
    awarding: College, college: College
) -> None:
    account = operations.open_account()
    receipt = awarding.record(
        awarding.award(account),
        awarding.award(account, item_row=awarding.items[1]),
        awarding.award(account, item_row=awarding.items[2], valid_until=date(2026, 7, 1)),
    )
    used, reversed_, expired = map(receipt.index_of, range(3))
    recognise(college, account, used)
    operations.reverse_entry(index=reversed_, reason="误记")
    operations.expire_credits(on=date(2026, 11, 2))
    with pytest.raises(log.ActsOnInvalid) as refused:
        recognise(college, account, used, reversed_, expired)
    assert told(refused) == {
        (2, "in-use", "leaf"),
        (3, "already-undone", "leaf"),
        (4, "already-undone", "leaf"),
    }
    assert (refused.value.facts["row"], refused.value.facts["reason"]) == (2, "in-use")
    assert audit().findings == []


def test_one_award_cannot_be_used_twice_in_one_submission(
    awarding: College, college: College
) -> None:
    account = operations.open_account()
    award = awarding.record(awarding.award(account)).first_index
    with pytest.raises(log.ActsOnInvalid) as refused:
        recognise(college, account, award, award)
    assert told(refused) == {(3, "in-use", "leaf")}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"quantity_consumed": 200}, "quantity"),
        ({"leaf": bytes(32)}, "not-found"),
        ({"generation": 2}, "generation"),
    ],
)
def test_a_use_that_fits_no_award_is_refused(
    awarding: College, college: College, changes: dict[str, Any], reason: str
) -> None:
    account = operations.open_account()
    award = awarding.record(awarding.award(account)).first_index
    said = recognised(college, account)
    with pytest.raises(log.ActsOnInvalid) as refused:
        submit(college, said, consumed(award, said.decision, **changes))
    assert refused.value.facts["reason"] == reason


def test_another_persons_award_cannot_be_used(awarding: College, college: College) -> None:
    mine, theirs = operations.open_accounts(2)
    award = awarding.record(awarding.award(theirs)).first_index
    with pytest.raises(log.ActsOnInvalid) as refused:
        recognise(college, mine, award)
    assert told(refused) == {(2, "other-person", "a")}


def test_a_recognition_itself_cannot_be_used(awarding: College, college: College) -> None:
    account = operations.open_account()
    award = awarding.record(awarding.award(account)).first_index
    entered = recognise(college, account, award)
    with pytest.raises(log.ActsOnInvalid) as refused:
        recognise(make_college(courses=1), account, entered.first_index)
    assert refused.value.facts["reason"] == "not-found"


def test_a_recognition_without_uses_and_uses_without_one_are_named_by_row(
    awarding: College, college: College
) -> None:
    account = operations.open_account()
    award = awarding.record(awarding.award(account)).first_index
    lone = recognised(college, account)
    with pytest.raises(operations.SubmissionRefused) as refused:
        submit(college, lone, consumed(award, "认别号"), lone)
    assert told(refused) == {
        (1, "recognise-unpaired", "decision"),
        (2, "consume-unpaired", "decision"),
        (3, "decision-repeated", "decision"),
        (3, "recognise-unpaired", "decision"),
    }


CHANGES: dict[str, tuple[Callable[[Any], Any], tuple[str, str]]] = {
    "another's code": (lambda s: replace(s, body="12220000X00000009X"), ("not-own-body", "body")),
    "another's name": (lambda s: replace(s, body_name="别的大学"), ("not-own-body", "body_name")),
    "decided in the future": (
        lambda s: replace(s, decided_on=date(2999, 1, 1)), ("date-in-future", "decided_on"),
    ),
    "decided long ago": (
        lambda s: replace(s, decided_on=date(1949, 12, 31)), ("date-too-old", "decided_on"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_body_recognises_in_its_own_name_and_time(
    awarding: College, college: College, change: str
) -> None:
    account = operations.open_account()
    award = awarding.record(awarding.award(account)).first_index
    alter, expected = CHANGES[change]
    said = alter(recognised(college, account))
    with pytest.raises(operations.SubmissionRefused) as refused:
        submit(college, said, consumed(award, said.decision))
    assert (1, *expected) in told(refused)


def test_a_suspended_institution_recognises_nothing_and_can_still_take_back(
    awarding: College, college: College
) -> None:
    account = operations.open_account()
    receipt = awarding.record(
        awarding.award(account), awarding.award(account, item_row=awarding.items[1])
    )
    entered = recognise(college, account, receipt.index_of(0))
    Institution.objects.filter(pk=college.institution.pk).update(status=InstitutionStatus.SUSPENDED)
    with pytest.raises(operations.SubmissionRefused) as refused:
        recognise(college, account, receipt.index_of(1))
    assert told(refused) == {(1, "institution-not-active", "k")}
    operations.reverse_recognition(index=entered.first_index, reason="撤销")
    assert queries.balance([account]).converted == 0


def test_the_bank_recognises_nothing_itself(awarding: College, college: College) -> None:
    account = operations.open_account()
    award = awarding.record(awarding.award(account)).first_index
    said = recognised(college, account)
    with pytest.raises(operations.SubmissionRefused) as refused:
        operations.record_statements(
            stream="bank.example/bank",
            statements=[said, consumed(award, said.decision)],
            idempotency_key="k",
            institution_id=0,
        )
    assert {code for _, code, _ in told(refused)} == {"kind-not-allowed"}


def test_a_used_award_does_not_expire(awarding: College, college: College) -> None:
    account = operations.open_account()
    award = awarding.record(awarding.award(account, valid_until=date(2026, 11, 1))).first_index
    entered = recognise(college, account, award)
    assert operations.expire_credits(on=date(2026, 11, 2)) == []
    operations.reverse_recognition(index=entered.first_index, reason="撤销")
    (receipt,) = operations.expire_credits(on=date(2026, 11, 2))
    published(receipt)
    assert queries.balance([account]).lapsed == 3
    assert audit().findings == []


def test_an_award_that_is_used_while_the_night_works_is_left_out_and_the_others_expire(
    awarding: College, college: College
) -> None:
    one, other = operations.open_accounts(2)
    receipt = awarding.record(
        *(awarding.award(account, valid_until=date(2026, 11, 1)) for account in (one, other))
    )
    seen = [
        CreditExpired(
            account=line.account,
            leaf=line.leaf_hash,
            quantity_undone=line.quantity,
            valid_until=line.valid_until,
        )
        for line in queries.expiring(before=date(2026, 11, 2))
    ]
    assert len(seen) == 2
    recognise(college, one, receipt.index_of(0))
    (expiry,) = operations._expire(seen, date(2026, 11, 2))
    published(expiry)
    assert expiry.count == 1
    assert queries.balance([one]).used == queries.balance([other]).lapsed == 3
    assert audit().findings == []


def test_an_award_of_no_credits_is_used_like_any_other(awarding: College, college: College) -> None:
    account = operations.open_account()
    award = awarding.record(
        awarding.award(account, credits=Decimal(0), occurrence="2025-2026-2")
    ).first_index
    published(recognise(college, account, award))
    (_, line) = queries.statement([account])
    assert (line.state, line.credits) == ("used", 0)
    with pytest.raises(log.ActsOnInvalid):
        recognise(college, account, award)
    assert audit().findings == []


def test_a_use_is_no_way_around_the_reversal_of_an_award(
    awarding: College, college: College
) -> None:
    """A college may use what another recorded, but never reverse it."""
    account = operations.open_account()
    award = queries.entry(awarding.record(awarding.award(account)).first_index)
    with pytest.raises(log.ActsOnInvalid) as refused:
        submit(
            college,
            EntryReversed(
                account=account,
                leaf=award.leaf_hash,
                quantity_undone=award.quantity,
                reason="r",
            ),
        )
    assert refused.value.facts["reason"] == "other-stream"


def test_an_entry_is_unique_by_what_it_acts_on_and_by_nothing_else(
    awarding: College, college: College
) -> None:
    account = operations.open_account()
    award = awarding.record(awarding.award(account)).first_index
    said = recognised(college, account)

    class Renamed(CreditConsumed):
        """A use that goes by another name."""

        @property
        def u(self) -> str:
            return "something else/1"

    use = consumed(award, said.decision)
    renamed = Renamed(**{one.name: getattr(use, one.name) for one in fields(use)})
    with pytest.raises(operations.SubmissionRefused) as refused:
        submit(college, said, renamed)
    assert told(refused) == {(2, "u-mismatch", "u")}
