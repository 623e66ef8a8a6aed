"""Recording credits on a stream whose key the bank holds."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest

from creditbank.clock import today
from creditbank.ledger import log, operations, queries
from creditbank.ledger.audit import audit
from creditbank.ledger.statements import StatementInvalid
from tests.institutions.cast import approve, propose
from tests.ledger.cast import College, make_college, published


@pytest.fixture
def college(bank: object) -> College:
    return make_college()


def test_an_award_raises_the_balance_and_stands_in_the_statement(college: College) -> None:
    account = operations.open_account()
    receipt = published(college.record(college.award(account)))
    assert queries.balance([account]).available == Decimal("3.00")
    (line,) = queries.statement([account])
    assert line.index == receipt.first_index
    assert line.state == "entered"
    assert line.outcome is not None
    assert line.outcome.title == "新能源汽车技术基础"
    assert line.result.grade == "良好"
    assert line.recorded_at is not None
    assert audit().findings == []


def test_the_same_key_sent_again_returns_the_first_receipt(college: College) -> None:
    award = college.award(operations.open_account())
    first = college.record(award, key="draft-1")
    assert college.record(award, key="draft-1") == first
    assert operations.head_size() == first.size


def test_the_same_key_with_other_content_is_refused(college: College) -> None:
    account = operations.open_account()
    college.record(college.award(account), key="draft-1")
    with pytest.raises(log.KeyReused):
        college.record(college.award(account, item_row=college.items[1]), key="draft-1")


def test_the_same_outcome_under_another_key_is_a_duplicate_and_names_its_row(
    college: College,
) -> None:
    one, other = operations.open_accounts(2)
    college.record(college.award(one))
    size = operations.head_size()
    with pytest.raises(log.DuplicateOutcome) as refused:
        college.record(college.award(other), college.award(one))
    assert refused.value.facts["rows"] == [2]
    assert operations.head_size() == size
    assert queries.balance([other]).available == 0


def test_two_rows_of_one_submission_for_one_outcome_are_a_duplicate(college: College) -> None:
    account = operations.open_account()
    with pytest.raises(log.DuplicateOutcome) as refused:
        college.record(college.award(account), college.award(account))
    assert refused.value.facts["rows"] == [2]


def test_every_problem_of_every_row_is_told_at_once_and_nothing_is_entered(
    college: College,
) -> None:
    account = operations.open_account()
    size = operations.head_size()
    with pytest.raises(operations.SubmissionRefused) as refused:
        college.record(
            college.award(account, credits=Decimal("9.50"), completed_on=today() + timedelta(1)),
            college.award(account, item_row=college.items[1]),
            college.award(12345, item_row=college.items[2], item="NO-SUCH"),
        )
    told = {(problem.row, problem.field, problem.code) for problem in refused.value.problems}
    assert told == {
        (1, "q", "differs-from-catalogue"),
        (1, "completed_on", "date-in-future"),
        (3, "item", "unknown-item"),
        (3, "a", "unknown-account"),
    }
    assert all(problem.expected for problem in refused.value.problems)
    assert operations.head_size() == size


def test_an_unknown_account_is_an_error_that_names_its_row(college: College) -> None:
    account = operations.open_account()
    with pytest.raises(operations.SubmissionRefused) as refused:
        college.record(college.award(account), college.award(99, item_row=college.items[1]))
    (problem,) = refused.value.problems
    assert (problem.row, problem.code) == (2, "unknown-account")


def test_an_outcome_from_before_its_item_was_in_force_is_refused(college: College) -> None:
    with pytest.raises(operations.SubmissionRefused) as refused:
        college.record(college.award(operations.open_account(), completed_on=date(2019, 12, 31)))
    assert [problem.code for problem in refused.value.problems] == ["item-not-in-force"]


def test_an_outcome_outside_the_institutions_scope_is_refused(college: College) -> None:
    training = approve(
        propose(college.institution, kind="training", category="vocational", title="叉车培训")
    )
    with pytest.raises(operations.SubmissionRefused) as refused:
        college.record(college.award(operations.open_account(), item_row=training))
    assert [problem.code for problem in refused.value.problems] == ["outside-scope"]


def test_another_institutions_course_is_refused(college: College) -> None:
    other = make_college()
    with pytest.raises(operations.SubmissionRefused) as refused:
        college.record(college.award(operations.open_account(), item_row=other.items[0]))
    assert [problem.code for problem in refused.value.problems] == ["not-own-item"]


def test_a_worse_attempt_stands_with_its_term_and_counts_nothing(college: College) -> None:
    account = operations.open_account()
    college.record(college.award(account))
    published(college.record(college.award(account, credits=Decimal(0), occurrence="2026-2027-1")))
    assert queries.balance([account]).awarded == Decimal("3.00")
    assert len(queries.statement([account])) == 2


@pytest.mark.parametrize(
    "credits", [Decimal("-1"), Decimal("200.01"), Decimal("1.005"), Decimal("NaN")]
)
def test_an_impossible_amount_cannot_be_said(college: College, credits: Decimal) -> None:
    with pytest.raises(StatementInvalid):
        college.award(1, credits=credits)


def test_an_institutions_stream_cannot_speak_for_the_bank(college: College) -> None:
    from creditbank.ledger.statements import TranscriptIssued

    with pytest.raises(operations.SubmissionRefused) as refused:
        operations.record_statements(
            stream=college.hosted,
            statements=[TranscriptIssued(number="T-1", digest=bytes(32))],
            idempotency_key="x",
            institution_id=college.institution.pk,
        )
    assert refused.value.problems[0].code == "kind-not-allowed"


def test_many_at_once_are_numbered_without_a_gap(college: College) -> None:
    accounts = operations.open_accounts(24)
    receipts: list[operations.Receipt] = []

    def record(account: int) -> None:
        from django.db import connections

        receipts.append(college.record(college.award(account)))
        connections.close_all()

    threads = [threading.Thread(target=record, args=(account,)) for account in accounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(receipt.first_seq for receipt in receipts) == list(range(24))
    queries.wait_until_published(max(receipt.size for receipt in receipts))
    assert audit().findings == []


def test_of_many_that_award_one_outcome_at_once_exactly_one_wins(college: College) -> None:
    account = operations.open_account()
    won: list[operations.Receipt] = []
    lost: list[Exception] = []

    def record() -> None:
        from django.db import connections

        try:
            won.append(college.record(college.award(account)))
        except log.DuplicateOutcome as error:
            lost.append(error)
        connections.close_all()

    threads = [threading.Thread(target=record) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 11)
    assert queries.balance([account]).available == Decimal("3.00")
