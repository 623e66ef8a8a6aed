"""A college commits itself in advance: an entry of its own in the learner's account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from creditbank.ledger import log, operations, queries, recognitions
from creditbank.ledger.audit import audit
from tests.ledger.cast import College, make_college, make_own_stream, published
from tests.ledger.recognising import pre_approved, verified


@pytest.fixture
def college(bank: object) -> College:
    return make_college(courses=1)


def test_a_pre_approval_moves_nothing_and_is_read_back(college: College) -> None:
    account = operations.open_account()
    said = pre_approved(college, account)
    receipt = published(operations.pre_approve(stream=college.hosted, statement=said))
    (found,) = recognitions.pre_approvals([account])
    assert (found.approved, found.index, found.stream) == (
        said,
        receipt.first_index,
        college.hosted,
    )
    assert queries.statement([account]) == []
    assert queries.balance([account]).awarded == 0
    assert verified(receipt.first_index).leaf.kind == "pre-approve"
    assert audit().findings == []


def test_pre_approving_twice_returns_the_first_receipt(college: College) -> None:
    said = pre_approved(college, operations.open_account())
    first = operations.pre_approve(stream=college.hosted, statement=said)
    assert operations.pre_approve(stream=college.hosted, statement=said) == first
    with pytest.raises(log.KeyReused):
        operations.pre_approve(stream=college.hosted, statement=replace(said, digest=bytes(32)))


def test_a_college_commits_only_itself(college: College) -> None:
    other = make_college(courses=1)
    said = pre_approved(college, operations.open_account())
    with pytest.raises(operations.SubmissionRefused) as refused:
        operations.pre_approve(stream=other.hosted, statement=said)
    assert {(one.code, one.field) for one in refused.value.problems} == {
        ("not-own-body", "body"),
        ("u-mismatch", "u"),
    }


def test_an_own_key_college_pre_approves_with_its_own_program(college: College) -> None:
    own = make_own_stream(college)
    account = operations.open_account()
    said = pre_approved(college, account)
    published(own.submit(own.prepare(said)))
    assert [one.approved for one in recognitions.pre_approvals([account])] == [said]
    with pytest.raises(log.DuplicateOutcome):
        own.submit(own.prepare(said))
