"""Taking a record back: by a reviewer, with a reason, on a stream whose key the bank keeps."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from creditbank import access
from creditbank.institutions.kinds import Role
from creditbank.ledger import log
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from creditbank.ledger.audit import audit
from creditbank.recording import errors, operations, queries
from learners import queries as people
from learners.sealing import identity_digest
from tests.institutions.cast import make_member
from tests.ledger.cast import College, make_own_stream
from tests.recording.cast import School, make_school, somebody


@pytest.fixture
def school(bank: object) -> School:
    return make_school()


def test_a_reversed_record_counts_no_more_and_the_institution_sees_why(school: School) -> None:
    document = somebody()
    receipt = school.record(school.row(document=document))
    reversal = operations.reverse_record(
        institution=school.institution,
        index=receipt.first_index,
        reason="成绩登记有误",
        acting_user=school.reviewer,
    )
    learner = people.by_identity(document)
    assert learner is not None
    assert entries.balance([learner.account_id]).available == Decimal(0)
    (line,) = queries.record_lines(receipt)
    assert line.state == "reversed"
    (undoing,) = queries.record_lines(queries.receipt(school.institution, reversal.manifest_index))
    assert (undoing.reason, undoing.credits) == ("成绩登记有误", Decimal("-3.00"))
    assert audit().findings == []


def test_an_expired_record_is_not_told_as_a_reversed_one(school: School) -> None:
    row = school.row(completed_on="2025-06-20", valid_until="2026-06-20")
    receipt = school.record(row)
    (expiry,) = ledger.expire_credits(on=date(2026, 6, 21))
    entries.wait_until_published(expiry.size)
    (line,) = queries.record_lines(receipt)
    assert line.state == "expired"
    with pytest.raises(log.ActsOnInvalid):
        operations.reverse_record(
            institution=school.institution,
            index=receipt.first_index,
            reason="r",
            acting_user=school.reviewer,
        )


def test_reversing_twice_returns_the_first_receipt(school: School) -> None:
    index = school.record(school.row()).first_index
    first, second = (
        operations.reverse_record(
            institution=school.institution, index=index, reason="r", acting_user=school.reviewer
        )
        for _ in range(2)
    )
    assert first == second


def test_a_reversal_needs_a_reviewer_and_a_reason(school: School) -> None:
    index = school.record(school.row()).first_index
    with pytest.raises(access.Forbidden):
        operations.reverse_record(
            institution=school.institution, index=index, reason="r", acting_user=school.clerk
        )
    with pytest.raises(errors.ReasonMissing):
        operations.reverse_record(
            institution=school.institution, index=index, reason=" ", acting_user=school.reviewer
        )


def test_what_another_institution_recorded_is_not_found(school: School) -> None:
    stranger = make_school()
    index = stranger.record(stranger.row()).first_index
    for foreign in (index, index - 1, 10**9):
        with pytest.raises(access.NotFound):
            operations.reverse_record(
                institution=school.institution,
                index=foreign,
                reason="r",
                acting_user=school.reviewer,
            )


def test_a_reviewer_does_not_reverse_credits_of_their_own(school: School) -> None:
    document = somebody()
    index = school.record(school.row(document=document)).first_index
    reviewer = make_member(school.institution, Role.REVIEWER)
    reviewer.user.person_digest = identity_digest(document)
    reviewer.user.save()
    with pytest.raises(access.OwnAward):
        operations.reverse_record(
            institution=school.institution, index=index, reason="r", acting_user=reviewer.user
        )


def test_what_an_institution_signed_itself_it_reverses_itself(school: School) -> None:
    college = College(institution=school.institution, hosted=school.stream.name, items=school.items)
    own = make_own_stream(college)
    receipt = own.submit(own.prepare(college.award(ledger.open_account())))
    with pytest.raises(access.OwnKeyStream):
        operations.reverse_record(
            institution=school.institution,
            index=receipt.first_index,
            reason="r",
            acting_user=school.reviewer,
        )


def test_a_forgotten_persons_records_show_no_name_and_no_outcome(school: School) -> None:
    from learners import operations as learners

    document = somebody()
    receipt = school.record(school.row(document=document))
    learner = people.by_identity(document)
    assert learner is not None
    learners.forget_learner(learner)
    (line,) = queries.record_lines(receipt)
    assert (line.name, line.outcome, line.prepared_by) == ("", None, "")
    assert line.quantity == 300
