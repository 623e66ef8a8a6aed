"""Submissions that arrive together are appended together, and judged one by one."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg
import pytest
from django.db import ProgrammingError, connections

from creditbank.ledger import basis, learnerkeys, log, operations
from creditbank.ledger.audit import audit
from creditbank.ledger.log import Batch, Receipt
from creditbank.ledger.models import Entry
from tests.conftest import Database
from tests.ledger.cast import College, OwnStream, make_college, make_own_stream


@pytest.fixture
def college(bank: object) -> College:
    return make_college()


@pytest.fixture
def own(college: College) -> OwnStream:
    return make_own_stream(college)


def at_once(calls: list[Callable[[], Receipt]]) -> list[Receipt | Exception]:
    """Make all calls at the same moment, each in a thread of its own."""
    answers: list[Receipt | Exception] = [RuntimeError("no answer")] * len(calls)
    barrier = threading.Barrier(len(calls))

    def run(at: int) -> None:
        barrier.wait()
        try:
            answers[at] = calls[at]()
        except Exception as error:  # noqa: BLE001 - handed to the test
            answers[at] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def test_a_retired_key_is_refused_from_the_next_submission_on(
    college: College, own: OwnStream
) -> None:
    own.submit(own.prepare(college.award(operations.open_account())))
    operations.retire_key(stream=own.name, public=own.key.public)
    with pytest.raises(operations.KeyNotInForce):
        own.submit(own.prepare(college.award(operations.open_account())))


def test_a_key_just_added_is_known_to_the_next_submission(college: College) -> None:
    basis.current()
    late = make_own_stream(college, suffix="late")
    receipt = late.submit(late.prepare(college.award(operations.open_account())))
    assert receipt.first_seq == 0


def test_nothing_is_sealed_for_a_person_just_forgotten(college: College, own: OwnStream) -> None:
    account = operations.open_account()
    own.submit(own.prepare(college.award(account)))
    learnerkeys.forget([account])
    with pytest.raises(operations.SubmissionRefused) as refused:
        own.submit(own.prepare(college.award(account, item_row=college.items[1])))
    assert [problem.code for problem in refused.value.problems] == ["unknown-account"]
    assert Entry.objects.filter(acct=account).count() == 1


def test_many_streams_at_once_are_appended_in_fewer_transactions_than_they_are(
    college: College, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = [make_own_stream(college, suffix=f"s{n}") for n in range(24)]
    accounts = operations.open_accounts(24)
    sizes: list[int] = []
    append = log.append

    def counted(batches: list[Batch]) -> list[Receipt]:
        sizes.append(len(batches))
        return append(batches)

    monkeypatch.setattr(log, "append", counted)
    data = [
        stream.prepare(college.award(account))
        for stream, account in zip(streams, accounts, strict=True)
    ]
    answers = at_once([lambda d=d: operations.record_submission(data=d) for d in data])  # type: ignore[misc]
    assert {answer.stream for answer in answers if isinstance(answer, Receipt)} == {
        stream.name for stream in streams
    }
    assert sum(sizes) == 24
    assert len(sizes) < 24
    assert audit().findings == []


def test_of_those_that_arrive_together_only_the_guilty_are_refused(college: College) -> None:
    streams = [make_own_stream(college, suffix=f"s{n}") for n in range(12)]
    accounts = operations.open_accounts(12)
    data = [
        stream.prepare(college.award(account))
        for stream, account in zip(streams, accounts, strict=True)
    ]
    data[3] = data[3].replace(b'"score":"86"', b'"score":"99"')
    data[5] = streams[5].prepare(college.award(accounts[5]), first=9)
    data[7] = streams[7].prepare(college.award(accounts[6]))  # what stream 6 enters as well
    answers = at_once([lambda d=d: operations.record_submission(data=d) for d in data])  # type: ignore[misc]
    refused = {
        at: type(answer).__name__
        for at, answer in enumerate(answers)
        if not isinstance(answer, Receipt)
    }
    assert refused.pop(3) == "SubmissionMalformed"
    assert refused.pop(5) == "StreamGap"
    assert list(refused.values()) == ["DuplicateOutcome"]
    assert set(refused) < {6, 7}
    assert audit().findings == []


def test_when_keys_cannot_be_read_everybody_is_told_and_nobody_waits_for_ever(
    college: College, db: Database
) -> None:
    streams = [make_own_stream(college, suffix=f"s{n}") for n in range(6)]
    data = [
        stream.prepare(college.award(account))
        for stream, account in zip(streams, operations.open_accounts(6), strict=True)
    ]
    calls = [lambda d=d: operations.record_submission(data=d) for d in data]  # type: ignore[misc]
    with psycopg.connect(db.superuser_url, autocommit=True) as superuser:
        superuser.execute("REVOKE SELECT ON keys.learner_key FROM bank_app")
        refused = at_once(calls)
        superuser.execute("GRANT SELECT ON keys.learner_key TO bank_app")
    assert [type(answer) for answer in refused] == [ProgrammingError] * 6
    assert all(isinstance(answer, Receipt) for answer in at_once(calls))


def test_the_hosted_streams_of_one_moment_get_numbers_without_gaps(college: College) -> None:
    accounts = operations.open_accounts(20)
    answers = at_once(
        [lambda a=account: college.record(college.award(a)) for account in accounts]  # type: ignore[misc]
    )
    receipts = [answer for answer in answers if isinstance(answer, Receipt)]
    assert sorted(receipt.first_seq for receipt in receipts) == list(range(20))
    assert audit().findings == []
