"""A learner with several accounts: each award is used where it stands, by one decision."""

from __future__ import annotations

import pytest

from creditbank.ledger import log, operations, queries, recognitions
from creditbank.ledger.audit import audit
from learners import operations as learners
from tests.learners.people import register
from tests.ledger.cast import College, make_college, make_own_stream, published
from tests.ledger.recognising import consumed, recognise, recognised


@pytest.fixture
def awarding(bank: object) -> College:
    return make_college()


@pytest.fixture
def college(bank: object) -> College:
    return make_college(courses=1)


@pytest.fixture
def two(bank: object) -> tuple[int, int]:
    """The two accounts of one learner."""
    learner = register()
    second = operations.open_account()
    learners.link_account(learner=learner, account=second)
    return int(learner.account_id), second


def test_one_decision_uses_awards_of_both_accounts(
    awarding: College, college: College, two: tuple[int, int]
) -> None:
    first, second = two
    receipt = awarding.record(
        awarding.award(first), awarding.award(second, item_row=awarding.items[1])
    )
    entered = published(recognise(college, first, receipt.index_of(0), receipt.index_of(1)))
    assert (queries.balance([first]).used, queries.balance([second]).used) == (3, 3)
    assert queries.balance(two).available == 0
    found = recognitions.recognition(entered.first_index)
    assert [use.account for use in found.uses] == [first, second]
    assert recognitions.recognition_using(second, found.uses[1].source) == found
    assert audit().findings == []
    operations.reverse_recognition(index=entered.first_index, reason="r")
    assert queries.balance(two).available == 6
    assert audit().findings == []


def test_the_recognition_may_stand_in_an_account_that_holds_none_of_its_awards(
    awarding: College, college: College, two: tuple[int, int]
) -> None:
    first, second = two
    award = awarding.record(awarding.award(second)).first_index
    entered = published(recognise(college, first, award))
    assert queries.balance([first]).converted > 0
    operations.reverse_entry(index=award, reason="r")
    (use,) = recognitions.recognition(entered.first_index).fallen
    assert use.account == second
    (release,) = recognitions.releases(after=0)
    assert release.recognition.index == entered.first_index
    assert audit().findings == []


def test_a_recognition_is_not_reversed_while_an_award_of_the_other_account_is_used(
    awarding: College, college: College, two: tuple[int, int]
) -> None:
    first, second = two
    award = awarding.record(awarding.award(second)).first_index
    entered = recognise(college, first, award)
    *_, reversal = recognitions.recognition(entered.first_index).undoing(reason="r")
    with pytest.raises(log.ActsOnInvalid) as refused:
        operations.record_statements(
            stream=college.hosted,
            statements=[reversal],
            idempotency_key="k",
            institution_id=college.institution.pk,
        )
    assert refused.value.facts["reason"] == "still-used"


def test_an_outcome_of_one_account_is_not_used_again_through_the_other(
    awarding: College, college: College, two: tuple[int, int]
) -> None:
    """It cannot even be awarded there while it is used: so it is used once over both."""
    first, second = two
    award = awarding.record(awarding.award(first)).first_index
    recognise(college, first, award)
    with pytest.raises(log.DuplicateOutcome):
        awarding.record(awarding.award(second))
    with pytest.raises(log.ActsOnInvalid) as refused:
        recognise(make_college(courses=1), second, award)
    assert refused.value.facts["reason"] == "in-use"


def test_accounts_in_which_one_outcome_is_used_twice_are_not_linked(
    awarding: College, college: College
) -> None:
    learner = register()
    second = operations.open_account()
    receipt = awarding.record(awarding.award(int(learner.account_id)), awarding.award(second))
    recognise(college, int(learner.account_id), receipt.index_of(0))
    recognise(college, second, receipt.index_of(1))
    with pytest.raises(learners.AccountsOverlap):
        learners.link_account(learner=learner, account=second)


def test_a_decision_number_is_recognised_once_over_both_accounts(
    awarding: College, college: College, two: tuple[int, int]
) -> None:
    first, second = two
    receipt = awarding.record(
        awarding.award(first), awarding.award(second, item_row=awarding.items[1])
    )
    recognise(college, first, receipt.index_of(0), decision="认1号")
    with pytest.raises(log.DuplicateOutcome) as refused:
        recognise(college, second, receipt.index_of(1), decision="认1号")
    assert refused.value.facts["rows"] == [1]


def test_without_a_link_the_other_account_is_another_persons(
    awarding: College, college: College
) -> None:
    own = make_own_stream(college)
    first, second = operations.open_accounts(2)
    award = awarding.record(awarding.award(second)).first_index
    said = recognised(college, first)
    with pytest.raises(log.ActsOnInvalid) as refused:
        own.submit(own.prepare(said, consumed(award, said.decision)))
    assert refused.value.facts["reason"] == "other-person"
