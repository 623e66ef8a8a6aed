"""Reversing and expiring: entries are never changed, they are acted on."""

from __future__ import annotations

from datetime import date

import pytest

from creditbank.ledger import log, operations, queries
from creditbank.ledger.audit import audit
from creditbank.ledger.statements import EntryReversed
from tests.ledger.cast import College, make_college, make_own_stream, published


@pytest.fixture
def college(bank: object) -> College:
    return make_college()


def test_a_reversed_award_counts_no_more_and_says_why(college: College) -> None:
    account = operations.open_account()
    receipt = college.record(college.award(account))
    published(operations.reverse_entry(index=receipt.first_index, reason="成绩登记有误"))
    balance = queries.balance([account])
    assert (balance.awarded, balance.available, balance.lapsed) == (3, 0, 3)
    (line,) = queries.statement([account])
    assert (line.state, line.acted_reason) == ("reversed", "成绩登记有误")
    assert audit().findings == []


def test_reversing_twice_returns_the_receipt_of_the_first_time(college: College) -> None:
    receipt = college.record(college.award(operations.open_account()))
    first = operations.reverse_entry(index=receipt.first_index, reason="r")
    assert operations.reverse_entry(index=receipt.first_index, reason="r") == first


def test_a_reversal_itself_is_not_reversed(college: College) -> None:
    receipt = college.record(college.award(operations.open_account()))
    reversal = operations.reverse_entry(index=receipt.first_index, reason="r")
    with pytest.raises(operations.NotReversible):
        operations.reverse_entry(index=reversal.first_index, reason="r")


def test_an_undone_outcome_can_be_awarded_again_as_the_next_generation(college: College) -> None:
    account = operations.open_account()
    receipt = college.record(college.award(account))
    base = college.award(account).u.removesuffix("/1")
    assert queries.generation(account, base).held_index == receipt.first_index
    with pytest.raises(log.ActsOnInvalid):
        college.record(college.award(account, generation=2))
    operations.reverse_entry(index=receipt.first_index, reason="r")
    free = queries.generation(account, base)
    assert (free.u, free.held_index) == (f"{base}/2", None)
    published(college.record(college.award(account, generation=2)))
    assert queries.balance([account]).available == 3
    assert audit().findings == []


def test_a_better_retake_is_one_submission_of_a_reversal_and_an_award(college: College) -> None:
    account = operations.open_account()
    receipt = college.record(college.award(account))
    earlier = queries.entry(receipt.first_index)
    better = published(
        operations.record_statements(
            stream=college.hosted,
            statements=[
                EntryReversed(
                    account=account,
                    leaf=earlier.leaf_hash,
                    quantity_undone=earlier.quantity,
                    reason="重修",
                ),
                college.award(account, generation=2),
            ],
            idempotency_key="retake",
            institution_id=college.institution.pk,
        )
    )
    assert better.count == 2
    assert queries.balance([account]).available == 3
    assert audit().findings == []


def test_another_stream_does_not_reverse_what_it_did_not_award(college: College) -> None:
    own = make_own_stream(college)
    account = operations.open_account()
    receipt = college.record(college.award(account))
    view = queries.entry(receipt.first_index)
    reversal = EntryReversed(
        account=account, leaf=view.leaf_hash, quantity_undone=view.quantity, reason="r"
    )
    with pytest.raises(log.ActsOnInvalid) as refused:
        own.submit(own.prepare(reversal))  # type: ignore[arg-type]
    assert refused.value.facts["reason"] == "other-stream"


def test_the_bank_reverses_by_an_order_and_names_it(college: College) -> None:
    account = operations.open_account()
    receipt = college.record(college.award(account))
    reversal = operations.reverse_entry(
        index=receipt.first_index, reason="行政决定", order="示教决〔2026〕1号"
    )
    assert reversal.stream == "bank.example/bank"
    assert queries.balance([account]).available == 0


@pytest.mark.parametrize(
    "changes",
    [{"quantity_undone": 100}, {"leaf": bytes(32)}],
    ids=["other-quantity", "unknown-leaf"],
)
def test_a_reversal_that_fits_nothing_is_refused(
    college: College, changes: dict[str, object]
) -> None:
    account = operations.open_account()
    view = queries.entry(college.record(college.award(account)).first_index)
    facts = {
        "account": account,
        "leaf": view.leaf_hash,
        "quantity_undone": view.quantity,
        "reason": "r",
    } | changes
    with pytest.raises(log.ActsOnInvalid):
        operations.record_statements(
            stream=college.hosted,
            statements=[EntryReversed(**facts)],  # type: ignore[arg-type]
            idempotency_key="x",
            institution_id=college.institution.pk,
        )


def test_credits_expire_the_day_after_their_last_valid_day(college: College) -> None:
    account = operations.open_account()
    college.record(college.award(account, valid_until=date(2026, 11, 1)))
    assert operations.expire_credits(on=date(2026, 11, 1)) == []
    (receipt,) = operations.expire_credits(on=date(2026, 11, 2))
    published(receipt)
    assert operations.expire_credits(on=date(2026, 11, 2)) == []
    (line,) = queries.statement([account])
    assert line.state == "expired"
    assert queries.balance([account]).lapsed == 3
    assert audit().findings == []
