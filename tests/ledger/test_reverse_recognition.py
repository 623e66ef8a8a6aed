"""Taking a recognition back, and what happens to it when one of its awards falls."""

from __future__ import annotations

from decimal import Decimal

import pytest

from creditbank.ledger import kinds, log, operations, queries, recognitions
from creditbank.ledger.audit import audit
from creditbank.ledger.statements import (
    ConsumptionReversed,
    EntryReversed,
    RecognitionReversed,
    Statement,
)
from tests.ledger.cast import College, make_college, make_own_stream, published
from tests.ledger.recognising import consumed, recognise, recognised


@pytest.fixture
def awarding(bank: object) -> College:
    return make_college()


@pytest.fixture
def college(bank: object) -> College:
    return make_college(courses=1)


def submit(college: College, *statements: Statement) -> log.Receipt:
    return operations.record_statements(
        stream=college.hosted,
        statements=statements,
        idempotency_key="k",
        institution_id=college.institution.pk,
    )


def two_awards(awarding: College) -> tuple[int, int, int]:
    """An account and the indexes of two awards in it."""
    account = operations.open_account()
    receipt = awarding.record(
        awarding.award(account), awarding.award(account, item_row=awarding.items[1])
    )
    return account, receipt.index_of(0), receipt.index_of(1)


# -- by its own body --------------------------------------------------------------------------
def test_a_recognition_is_reversed_with_its_uses_in_one_submission(
    awarding: College, college: College
) -> None:
    account, *awards = two_awards(awarding)
    entered = recognise(college, account, *awards)
    receipt = published(
        operations.reverse_recognition(index=entered.first_index, reason="决定有误")
    )
    assert [queries.entry(index).kind for index in range(receipt.first_index, receipt.size)] == [
        kinds.CONSUME_REVERSE,
        kinds.CONSUME_REVERSE,
        kinds.RECOGNISE_REVERSE,
    ]
    balance = queries.balance([account])
    assert (balance.available, balance.used, balance.converted) == (6, 0, 0)
    (line, second, first) = queries.statement([account])
    assert (line.state, line.acted_reason) == ("reversed", "决定有误")
    assert {(one.state, one.used_by) for one in (first, second)} == {("entered", "")}
    found = recognitions.recognition(entered.first_index)
    assert (found.state, found.fallen) == ("reversed", ())
    assert {use.released and use.released.by_bank for use in found.uses} == {False}
    assert audit().findings == []


def test_reversing_a_recognition_twice_returns_the_receipt_of_the_first_time(
    awarding: College, college: College
) -> None:
    account, award, _ = two_awards(awarding)
    entered = recognise(college, account, award)
    first = operations.reverse_recognition(index=entered.first_index, reason="r")
    assert operations.reverse_recognition(index=entered.first_index, reason="r") == first


def test_an_award_that_was_released_is_used_again_as_the_next_generation(
    awarding: College, college: College
) -> None:
    account, award, _ = two_awards(awarding)
    for generation in (1, 2, 3):
        leaf = queries.entry(award).leaf_hash
        assert recognitions.next_generation(account, leaf) == generation
        entered = recognise(make_college(courses=1), account, award)
        published(operations.reverse_recognition(index=entered.first_index, reason="r"))
    recognise(college, account, award)
    assert len(recognitions.uses([account])) == 4
    assert queries.balance([account]).used == 3
    operations.reverse_recognition(index=recognitions.recognitions([account])[0].index, reason="r")
    again = recognised(college, account)
    with pytest.raises(log.DuplicateOutcome):
        submit(college, again, consumed(award, again.decision, generation=2))
    assert audit().findings == []


def test_a_new_decision_takes_the_place_of_an_earlier_one_in_one_submission(
    awarding: College, college: College
) -> None:
    account, one, other = two_awards(awarding)
    first = recognise(college, account, one, decision="认1号", credits=Decimal(3))
    earlier = recognitions.recognition(first.first_index)
    second = published(
        recognise(
            college,
            account,
            one,
            other,
            decision="认2号",
            credits=Decimal(5),
            replacing=earlier.undoing(reason="复议后变更"),
        )
    )
    assert second.count == 5
    assert queries.balance([account]).converted == 5
    newest, oldest = recognitions.recognitions([account])
    assert (newest.decision, newest.state, len(newest.uses)) == ("认2号", "entered", 2)
    assert (oldest.decision, oldest.state) == ("认1号", "reversed")
    assert {line.used_by for line in queries.statement([account])[2:]} == {"认2号"}
    assert audit().findings == []


def test_a_recognition_is_not_reversed_while_anything_is_used_under_it(
    awarding: College, college: College
) -> None:
    account, *awards = two_awards(awarding)
    found = recognitions.recognition(recognise(college, account, *awards).first_index)
    first, _, last = found.undoing(reason="r")
    with pytest.raises(log.ActsOnInvalid) as refused:
        submit(college, first, last)
    assert [(one.row, one.code) for one in refused.value.problems] == [(2, "still-used")]
    assert refused.value.problems[0].value == queries.entry(awards[1]).leaf_hash.hex()


def test_a_body_does_not_release_an_award_and_keep_the_credits(
    awarding: College, college: College
) -> None:
    account, *awards = two_awards(awarding)
    found = recognitions.recognition(recognise(college, account, *awards).first_index)
    first, *_ = found.undoing(reason="r")
    with pytest.raises(operations.SubmissionRefused) as refused:
        submit(college, first)
    assert [(one.row, one.code) for one in refused.value.problems] == [(1, "release-unpaired")]


def test_reversals_name_the_decision_that_they_are_about(
    awarding: College, college: College
) -> None:
    account, award, _ = two_awards(awarding)
    found = recognitions.recognition(recognise(college, account, award).first_index)
    release, reversal = found.undoing(reason="r")
    assert isinstance(release, ConsumptionReversed)
    assert isinstance(reversal, RecognitionReversed)
    facts = {"account": account, "reason": "r", "decision": "认别号"}
    with pytest.raises(log.ActsOnInvalid) as refused:
        submit(
            college,
            ConsumptionReversed(leaf=release.leaf, quantity_undone=-300, **facts),  # type: ignore[arg-type]
            RecognitionReversed(leaf=reversal.leaf, quantity_undone=850, **facts),  # type: ignore[arg-type]
        )
    assert {one.code for one in refused.value.problems} == {"other-decision"}


def test_another_body_reverses_neither_the_recognition_nor_the_use(
    awarding: College, college: College
) -> None:
    account, award, _ = two_awards(awarding)
    found = recognitions.recognition(recognise(college, account, award).first_index)
    with pytest.raises(log.ActsOnInvalid) as refused:
        submit(awarding, *found.undoing(reason="r"))
    assert [one.code for one in refused.value.problems] == ["other-stream", "other-stream"]


def test_only_a_recognition_is_reversed_as_one(awarding: College, college: College) -> None:
    account, award, _ = two_awards(awarding)
    entered = recognise(college, account, award)
    with pytest.raises(queries.UnknownEntry):
        operations.reverse_recognition(index=award, reason="r")
    with pytest.raises(operations.NotReversible):
        operations.reverse_entry(index=entered.first_index, reason="r")


# -- when an award falls ----------------------------------------------------------------------
def test_a_used_award_that_is_reversed_is_released_by_the_bank_in_the_same_transaction(
    awarding: College, college: College
) -> None:
    account, fallen, kept = two_awards(awarding)
    entered = recognise(college, account, fallen, kept, decision="认1号")
    receipt = published(operations.reverse_entry(index=fallen, reason="成绩登记有误"))
    assert receipt.stream == awarding.hosted
    release = queries.entry(receipt.manifest_index - 1)
    assert (release.kind, release.stream) == (kinds.CONSUME_REVERSE, "bank.example/bank")
    balance = queries.balance([account])
    assert (balance.awarded, balance.lapsed, balance.used, balance.available) == (6, 3, 3, 0)
    assert balance.converted == Decimal("8.50")
    (recognition, other, line) = queries.statement([account])
    assert (line.state, line.used_by, line.acted_reason) == ("reversed", "", "成绩登记有误")
    assert (other.state, other.used_by, recognition.state) == ("used", "认1号", "entered")
    (use,) = recognitions.recognition(entered.first_index).fallen
    assert use.source == queries.entry(fallen).leaf_hash
    assert use.released is not None
    assert (use.released.by_bank, use.released.index) == (True, release.index)
    assert use.released.reason == operations.SOURCE_REVERSED
    (found,) = recognitions.releases(after=entered.first_index)
    assert (found.index, found.recognition.decision) == (release.index, "认1号")
    assert recognitions.releases(after=release.index) == []
    assert audit().findings == []


def test_doing_it_twice_changes_nothing_more(awarding: College, college: College) -> None:
    account, award, _ = two_awards(awarding)
    recognise(college, account, award)
    first = operations.reverse_entry(index=award, reason="r")
    size = operations.head_size()
    assert operations.reverse_entry(index=award, reason="r") == first
    assert operations.head_size() == size


def test_the_body_then_confirms_by_reversing_what_is_left_of_its_recognition(
    awarding: College, college: College
) -> None:
    account, fallen, kept = two_awards(awarding)
    entered = recognise(college, account, fallen, kept)
    operations.reverse_entry(index=fallen, reason="r")
    receipt = published(
        operations.reverse_recognition(index=entered.first_index, reason="来源冲正")
    )
    assert receipt.count == 2
    balance = queries.balance([account])
    assert (balance.available, balance.used, balance.lapsed, balance.converted) == (3, 0, 3, 0)
    assert recognitions.recognition(entered.first_index).fallen == ()
    assert audit().findings == []


def test_a_recognition_of_which_nothing_is_left_is_reversed_alone(
    awarding: College, college: College
) -> None:
    account, award, _ = two_awards(awarding)
    entered = recognise(college, account, award)
    operations.reverse_entry(index=award, reason="r")
    assert operations.reverse_recognition(index=entered.first_index, reason="r").count == 1
    assert queries.balance([account]).converted == 0


def test_an_order_of_an_authority_releases_it_too(awarding: College, college: College) -> None:
    account, award, _ = two_awards(awarding)
    recognise(college, account, award)
    receipt = published(
        operations.reverse_entry(index=award, reason="行政决定", order="示教决〔2026〕1号")
    )
    assert receipt.stream == "bank.example/bank"
    assert queries.entry(receipt.manifest_index - 1).kind is kinds.CONSUME_REVERSE
    assert queries.balance([account]).used == 0
    assert audit().findings == []


def test_a_better_retake_of_a_used_course_releases_the_earlier_attempt(
    awarding: College, college: College
) -> None:
    account, award, _ = two_awards(awarding)
    recognise(college, account, award)
    view = queries.entry(award)
    retake = published(
        submit(
            awarding,
            EntryReversed(
                account=account, leaf=view.leaf_hash, quantity_undone=view.quantity, reason="重修"
            ),
            awarding.award(account, generation=2),
        )
    )
    assert retake.count == 2
    balance = queries.balance([account])
    assert (balance.available, balance.used) == (6, 0)
    assert audit().findings == []


def test_an_own_key_college_that_reverses_a_used_award_has_it_released(
    awarding: College, college: College
) -> None:
    own = make_own_stream(awarding)
    one, other = operations.open_accounts(2)
    awards = own.submit(own.prepare(awarding.award(one), awarding.award(other)))
    entered = recognise(college, one, awards.index_of(0))
    recognise(college, other, awards.index_of(1))
    data = own.prepare(
        *(
            EntryReversed(
                account=view.account,
                leaf=view.leaf_hash,
                quantity_undone=view.quantity,
                reason="成绩登记有误",
            )
            for view in map(queries.entry, map(awards.index_of, (0, 1)))
        )
    )
    receipt = published(own.submit(data))
    release = queries.receipt(receipt.manifest_index - 1)
    assert (release.stream, release.count) == ("bank.example/bank", 2)
    assert operations.record_submission(data=data) == receipt
    assert recognitions.recognition(entered.first_index).fallen
    assert queries.balance([one, other]).lapsed == 6
    assert audit().findings == []


def test_what_else_is_wrong_with_the_submission_is_still_refused(
    awarding: College, college: College
) -> None:
    account, used, other = two_awards(awarding)
    recognise(college, account, used)
    size = operations.head_size()
    views = [queries.entry(index) for index in (used, other)]
    with pytest.raises(log.ActsOnInvalid) as refused:
        submit(
            awarding,
            *(
                EntryReversed(
                    account=account, leaf=view.leaf_hash, quantity_undone=quantity, reason="r"
                )
                for view, quantity in zip(views, (300, 100), strict=True)
            ),
        )
    assert [(one.row, one.code) for one in refused.value.problems] == [(2, "quantity")]
    assert operations.head_size() == size


def test_nobody_but_the_college_that_awarded_makes_the_bank_release_it(
    awarding: College, college: College
) -> None:
    account, used, _ = two_awards(awarding)
    recognise(college, account, used)
    view = queries.entry(used)
    reversal = EntryReversed(
        account=account, leaf=view.leaf_hash, quantity_undone=view.quantity, reason="r"
    )
    size = operations.head_size()
    with pytest.raises(log.ActsOnInvalid) as refused:
        submit(college, reversal)
    assert refused.value.facts["reason"] == "other-stream"
    assert operations.head_size() == size
