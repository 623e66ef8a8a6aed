"""Many decisions at one moment: an award is used by one of them, and nothing else changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from creditbank.ledger import log, operations, queries, recognitions
from creditbank.ledger.audit import audit
from creditbank.ledger.log import Receipt
from tests.ledger.cast import College, make_college, make_own_stream, published
from tests.ledger.recognising import consumed, recognise, recognised
from tests.ledger.test_group_commit import at_once

THREADS = 60


@pytest.fixture
def awarding(bank: object) -> College:
    return make_college()


@pytest.fixture
def colleges(bank: object) -> list[College]:
    return [make_college(courses=1) for _ in range(4)]


def refusals(answers: list[Receipt | Exception]) -> Counter[str]:
    return Counter(
        str(answer.facts["reason"]) if isinstance(answer, log.ActsOnInvalid) else repr(answer)
        for answer in answers
        if not isinstance(answer, Receipt)
    )


def test_of_sixty_decisions_that_use_one_award_exactly_one_is_entered(
    awarding: College, colleges: list[College]
) -> None:
    account = operations.open_account()
    award = awarding.record(awarding.award(account)).first_index
    calls: list[Callable[[], Receipt]] = []
    for number in range(THREADS):
        college = colleges[number % len(colleges)]
        said = recognised(college, account)
        use = consumed(award, said.decision)
        calls.append(
            lambda college=college, said=said, use=use: operations.recognise(  # type: ignore[misc]
                stream=college.hosted,
                recognised=said,
                consumed=[use],
                idempotency_key=said.decision,
                institution_id=college.institution.pk,
            )
        )
    answers = at_once(calls)
    receipts = [answer for answer in answers if isinstance(answer, Receipt)]
    assert len(receipts) == 1
    assert refusals(answers) == {"in-use": THREADS - 1}
    published(receipts[0])
    (found,) = recognitions.recognitions([account])
    assert found.index == receipts[0].first_index
    balance = queries.balance([account])
    assert (balance.used, balance.available, balance.converted) == (3, 0, found.credits)
    assert audit().findings == []


def test_own_key_and_hosted_colleges_race_for_one_award_alike(
    awarding: College, colleges: list[College]
) -> None:
    account = operations.open_account()
    award = awarding.record(awarding.award(account)).first_index
    calls: list[Callable[[], Receipt]] = []
    for number in range(26):
        college = colleges[number % len(colleges)]
        own = make_own_stream(college, suffix=f"own-{number}")
        said = recognised(college, account)
        data = own.prepare(said, consumed(award, said.decision))
        calls += [
            lambda data=data: operations.record_submission(data=data),  # type: ignore[misc]
            lambda college=college: recognise(college, account, award),  # type: ignore[misc]
        ]
    answers = at_once(calls)
    assert sum(isinstance(answer, Receipt) for answer in answers) == 1
    assert sum(refusals(answers).values()) == 51
    assert len(recognitions.uses([account])) == 1
    assert audit().findings == []


def test_a_decision_and_a_reversal_at_one_moment_leave_nothing_half_done(
    awarding: College, colleges: list[College]
) -> None:
    """Whoever comes first: either the award is used and then released, or it is never used."""
    accounts = operations.open_accounts(25)
    receipt = awarding.record(*(awarding.award(account) for account in accounts))
    calls: list[Callable[[], Receipt]] = []
    for position, account in enumerate(accounts):
        index = receipt.index_of(position)
        college = colleges[position % len(colleges)]
        calls += [
            lambda college=college, account=account, index=index: recognise(  # type: ignore[misc]
                college, account, index
            ),
            lambda index=index: operations.reverse_entry(index=index, reason="r"),  # type: ignore[misc]
        ]
    answers = at_once(calls)
    assert all(isinstance(answer, Receipt) for answer in answers[1::2])
    assert set(refusals(answers)) <= {"already-undone"}
    for account, answer in zip(accounts, answers[::2], strict=True):
        assert queries.balance([account]).used == 0
        found = recognitions.recognitions([account])
        assert len(found) == isinstance(answer, Receipt)
        assert all(one.fallen for one in found)
    assert queries.balance(accounts).lapsed == 75
    assert audit().findings == []


def test_one_award_is_reversed_many_times_at_once_and_released_once(
    awarding: College, colleges: list[College]
) -> None:
    account = operations.open_account()
    award = awarding.record(awarding.award(account)).first_index
    entered = recognise(colleges[0], account, award)
    answers = at_once([lambda: operations.reverse_entry(index=award, reason="r")] * 20)
    assert len({answer for answer in answers if isinstance(answer, Receipt)}) == 1
    assert all(isinstance(answer, Receipt) for answer in answers)
    assert len(recognitions.releases(after=0)) == 1
    assert recognitions.recognition(entered.first_index).fallen
    assert audit().findings == []


def test_a_body_and_the_bank_that_take_back_one_use_at_once_do_not_hinder_each_other(
    awarding: College, colleges: list[College]
) -> None:
    accounts = operations.open_accounts(12)
    receipt = awarding.record(*(awarding.award(account) for account in accounts))
    calls: list[Callable[[], Receipt]] = []
    for position, account in enumerate(accounts):
        index = receipt.index_of(position)
        entered = recognise(colleges[position % len(colleges)], account, index)
        calls += [
            lambda index=index: operations.reverse_entry(index=index, reason="r"),  # type: ignore[misc]
            lambda at=entered.first_index: operations.reverse_recognition(index=at, reason="r"),  # type: ignore[misc]
        ]
    answers = at_once(calls)
    assert [answer for answer in answers if not isinstance(answer, Receipt)] == []
    balance = queries.balance(accounts)
    assert (balance.lapsed, balance.used, balance.converted) == (36, 0, 0)
    assert audit().findings == []
