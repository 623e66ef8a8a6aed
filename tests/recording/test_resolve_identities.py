"""Resolving for an institution that keeps its own key: what it then signs is accepted."""

from __future__ import annotations

import logging
from decimal import Decimal

import pytest

from creditbank import access
from creditbank.institutions import operations as institutions
from creditbank.institutions.models import Stream
from creditbank.ledger import queries as entries
from creditbank.ledger import submit
from creditbank.ledger.audit import audit
from creditbank.ledger.numbers import parse_account
from creditbank.ledger.operations import add_key, record_submission
from creditbank.ledger.statements import CreditAwarded, EntryReversed, possession_message
from creditbank.proofs import signatures
from creditbank.recording import errors, operations, resolving
from creditbank.recording.resolving import Resolved
from learners import queries as people
from tests.recording.cast import School, make_school, somebody


@pytest.fixture
def school(bank: object) -> School:
    return make_school()


@pytest.fixture
def key() -> signatures.Signer:
    return signatures.generate("Ed25519")


@pytest.fixture
def own(school: School, key: signatures.Signer) -> Stream:
    name = f"{school.slug}.example/own"
    stream = institutions.add_stream(
        institution=school.institution, name=name, mode="own", acting_user=None
    )
    possession = key.sign(possession_message(name, key.public))
    add_key(stream=name, algorithm=key.algorithm, public=key.public, possession=possession)
    return stream


def awards(resolved: Resolved) -> list[CreditAwarded]:
    return [
        CreditAwarded(
            account=parse_account(row.account),
            outcome=row.outcome,
            result=row.result,
            reference=row.reference,
        )
        for row in resolved.rows
    ]


def test_what_is_resolved_and_signed_is_recorded(
    school: School, own: Stream, key: signatures.Signer
) -> None:
    known, fresh = somebody(), somebody()
    school.record(school.row(document=known, item=school.items[1].code))
    resolved = operations.resolve_identities(
        institution=school.institution,
        stream=own,
        rows=[school.row(2, document=known), school.row(3, document=fresh)],
    )
    assert [row.row for row in resolved.rows] == [2, 3]
    assert [row.waiting for row in resolved.rows] == [True, True]
    assert {row.credits for row in resolved.rows} == {Decimal("3.00")}
    learner = people.by_identity(fresh)
    assert learner is not None
    assert parse_account(resolved.rows[1].account) == learner.account_id
    data = submit.prepare(
        stream=own.name, statements=awards(resolved), first=0, previous=bytes(32), signer=key
    )
    receipt = record_submission(data=data)
    entries.wait_until_published(receipt.size)
    assert entries.balance([learner.account_id]).available == Decimal("3.00")
    again = operations.resolve_identities(
        institution=school.institution,
        stream=own,
        rows=[school.row(2, document=known), school.row(3, document=fresh)],
    )
    assert again.rows == ()
    assert [one.index for one in again.unchanged] == [receipt.first_index, receipt.first_index + 1]
    assert audit().findings == []


def test_a_better_retake_names_the_entry_to_reverse(
    school: School, own: Stream, key: signatures.Signer
) -> None:
    document = somebody()
    first = operations.resolve_identities(
        institution=school.institution,
        stream=own,
        rows=[school.row(document=document, score="60", completed_on="2025-06-20")],
    )
    data = submit.prepare(
        stream=own.name, statements=awards(first), first=0, previous=bytes(32), signer=key
    )
    receipt = record_submission(data=data)
    again = operations.resolve_identities(
        institution=school.institution,
        stream=own,
        rows=[school.row(document=document, score="90", term="2025-2026-2")],
    )
    (row,) = again.rows
    assert row.u.endswith("/2")
    assert row.reverses is not None
    index, leaf, quantity = row.reverses
    assert (index, quantity) == (receipt.first_index, 300)
    reversal = EntryReversed(
        account=parse_account(row.account), leaf=leaf, quantity_undone=quantity, reason="重修"
    )
    from creditbank.ledger import submissions

    statements = [reversal, *awards(again)]
    data = submit.prepare(
        stream=own.name,
        statements=statements,
        first=1,
        previous=submissions.parse(data).manifest.root,
        signer=key,
    )
    entries.wait_until_published(record_submission(data=data).size)
    account = parse_account(row.account)
    assert entries.balance([account]).available == Decimal("3.00")
    assert audit().findings == []


def test_a_bad_row_opens_no_account(school: School, own: Stream) -> None:
    document = somebody()
    with pytest.raises(errors.RowsRefused) as refused:
        operations.resolve_identities(
            institution=school.institution,
            stream=own,
            rows=[school.row(2, document=document), school.row(3, item="NO-SUCH")],
        )
    assert [one.row for one in refused.value.problems] == [3]
    assert people.by_identity(document) is None


def test_one_question_holds_five_thousand_rows_at_most(
    school: School, own: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resolving.ROWS_MAX == 5_000
    row = school.row()
    with pytest.raises(errors.TooManyRows):
        operations.resolve_identities(
            institution=school.institution, stream=own, rows=[row] * 5_001
        )
    with pytest.raises(errors.NoRows):
        operations.resolve_identities(institution=school.institution, stream=own, rows=[])


def test_a_stream_resolves_for_its_own_institution_only(school: School, own: Stream) -> None:
    stranger = make_school()
    with pytest.raises(access.NotFound):
        operations.resolve_identities(
            institution=stranger.institution, stream=own, rows=[stranger.row()]
        )
    institutions.suspend_institution(institution=school.institution, acting_user=None)
    with pytest.raises(access.InstitutionSuspended):
        operations.resolve_identities(
            institution=school.institution, stream=own, rows=[school.row()]
        )


def test_the_log_holds_counts_and_nobody(
    school: School, own: Stream, caplog: pytest.LogCaptureFixture
) -> None:
    document = somebody()
    with caplog.at_level(logging.DEBUG):
        resolved = operations.resolve_identities(
            institution=school.institution,
            stream=own,
            rows=[school.row(document=document, name="上官示例")],
        )
    assert "1 rows, 1 people new" in caplog.text
    for secret in (document.number, "上官示例", resolved.rows[0].account):
        assert secret not in caplog.text
