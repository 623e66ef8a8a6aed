"""A rule or programme is published by its owner, in the open, and withdrawn by nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest

from creditbank.institutions.kinds import InstitutionStatus
from creditbank.institutions.models import Institution
from creditbank.ledger import log, operations, queries, recognitions
from creditbank.ledger.audit import audit
from creditbank.ledger.statements import PROGRAMME, RulePublished
from creditbank.proofs import commitments
from tests.conftest import Database
from tests.ledger.cast import College, make_college, make_own_stream, published
from tests.ledger.recognising import rule, verified, withdrawal


@pytest.fixture
def college(bank: object) -> College:
    return make_college(courses=1)


def found(said: RulePublished) -> recognitions.Publication | None:
    return recognitions.publication(
        schema=said.schema, owner=said.owner, code=said.code, version=said.version
    )


def test_a_publication_stands_in_the_open_and_is_proved_like_any_entry(college: College) -> None:
    said = rule(college.institution, last_day=date(2027, 8, 31))
    assert found(said) is None
    receipt = published(operations.publish_document(stream=college.hosted, statement=said))
    entry = verified(receipt.first_index)
    assert (entry.leaf.kind, entry.leaf.stream) == ("rule-publish", college.hosted)
    view = queries.entry(receipt.first_index)
    core = commitments.read_opening(view.opening())[1]
    assert (view.account, core["code"], core["version"]) == (0, "R-017", 3)
    assert (core["owner"], core["from"], core["until"]) == (
        college.institution.uscc,
        "2026-09-01",
        "2027-08-31",
    )
    publication = found(said)
    assert publication is not None
    assert (publication.index, publication.digest) == (receipt.first_index, said.digest)
    assert publication.withdrawn_index is None
    assert audit().findings == []


def test_publishing_twice_returns_the_first_receipt_and_never_another_content(
    college: College,
) -> None:
    said = rule(college.institution)
    first = operations.publish_document(stream=college.hosted, statement=said)
    assert operations.publish_document(stream=college.hosted, statement=said) == first
    with pytest.raises(log.KeyReused):
        operations.publish_document(
            stream=college.hosted, statement=replace(said, digest=bytes(32))
        )


def test_a_rule_and_a_programme_of_one_code_and_two_versions_stand_side_by_side(
    college: College,
) -> None:
    said = rule(college.institution)
    for other in (said, replace(said, schema=PROGRAMME), replace(said, version=4)):
        operations.publish_document(stream=college.hosted, statement=other)
    assert audit().findings == []


def test_nobody_publishes_anothers_rule(college: College) -> None:
    other = make_college(courses=1)
    with pytest.raises(operations.SubmissionRefused) as refused:
        operations.publish_document(stream=other.hosted, statement=rule(college.institution))
    assert {(one.code, one.field) for one in refused.value.problems} == {
        ("not-own-body", "owner"),
        ("u-mismatch", "u"),
    }


def test_the_bank_publishes_nobodys_rule(college: College) -> None:
    with pytest.raises(operations.SubmissionRefused) as refused:
        operations.publish_document(stream="bank.example/bank", statement=rule(college.institution))
    assert [one.code for one in refused.value.problems] == ["kind-not-allowed"]


def test_a_suspended_owner_publishes_nothing_and_can_still_withdraw(college: College) -> None:
    said = rule(college.institution)
    receipt = operations.publish_document(stream=college.hosted, statement=said)
    Institution.objects.filter(pk=college.institution.pk).update(status=InstitutionStatus.SUSPENDED)
    with pytest.raises(operations.SubmissionRefused) as refused:
        operations.publish_document(stream=college.hosted, statement=replace(said, version=4))
    assert [one.code for one in refused.value.problems] == ["institution-not-active"]
    leaf = queries.entry(receipt.first_index).leaf_hash
    operations.withdraw_document(stream=college.hosted, statement=withdrawal(said, leaf))


def test_a_withdrawal_names_the_publication_and_happens_once(college: College) -> None:
    said = rule(college.institution)
    receipt = operations.publish_document(stream=college.hosted, statement=said)
    statement = withdrawal(said, queries.entry(receipt.first_index).leaf_hash)
    first = published(operations.withdraw_document(stream=college.hosted, statement=statement))
    assert operations.withdraw_document(stream=college.hosted, statement=statement) == first
    publication = found(said)
    assert publication is not None
    assert publication.withdrawn_index == first.first_index
    assert verified(first.first_index).leaf.acts_on == publication.leaf_hash
    assert audit().findings == []


def test_an_owner_withdraws_in_another_stream_of_its_own_too(college: College) -> None:
    own = make_own_stream(college)
    said = rule(college.institution)
    receipt = operations.publish_document(stream=college.hosted, statement=said)
    leaf = queries.entry(receipt.first_index).leaf_hash
    published(own.submit(own.prepare(withdrawal(said, leaf))))
    assert audit().findings == []


@pytest.mark.parametrize(
    "changes", [{"version": 4}, {"code": "R-018"}, {"leaf": bytes(32)}, {"schema": PROGRAMME}]
)
def test_what_was_not_published_is_not_withdrawn(college: College, changes: dict[str, Any]) -> None:
    said = rule(college.institution)
    receipt = operations.publish_document(stream=college.hosted, statement=said)
    statement = withdrawal(said, queries.entry(receipt.first_index).leaf_hash)
    with pytest.raises(log.ActsOnInvalid) as refused:
        operations.withdraw_document(stream=college.hosted, statement=replace(statement, **changes))
    assert refused.value.facts["reason"] == "not-found"


def test_nobody_withdraws_anothers_rule(college: College) -> None:
    other = make_college(courses=1)
    said = rule(college.institution)
    receipt = operations.publish_document(stream=college.hosted, statement=said)
    leaf = queries.entry(receipt.first_index).leaf_hash
    with pytest.raises(operations.SubmissionRefused) as refused:
        operations.withdraw_document(stream=other.hosted, statement=withdrawal(said, leaf))
    assert [(one.code, one.field) for one in refused.value.problems] == [("not-own-body", "owner")]
    with pytest.raises(log.ActsOnInvalid):
        operations.withdraw_document(
            stream=other.hosted,
            statement=replace(withdrawal(said, leaf), owner=other.institution.uscc),
        )


def test_the_database_keeps_withdrawals_in_account_zero_and_without_credits(
    college: College, db: Database
) -> None:
    with psycopg.connect(db.superuser_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_follows")
        for account, quantity, constraint in (
            (7, 0, "entry_public_in_account_zero"),
            (0, 5, "entry_sign_follows_kind"),
        ):
            with pytest.raises(psycopg.errors.CheckViolation) as refused:
                connection.execute(
                    "INSERT INTO ledger_entry (idx, acct, dkey, kind, qty, leaf, opening)"
                    " VALUES (100, %s, 1, 49, %s, '', '')",
                    [account, quantity],
                )
            assert refused.value.diag.constraint_name == constraint
