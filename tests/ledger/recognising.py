"""A college that recognises what another awarded, and what it says in the ledger."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

from creditbank.institutions import queries as institutions
from creditbank.institutions.models import Institution
from creditbank.ledger import logkeys, operations, queries, recognitions
from creditbank.ledger.log import Receipt
from creditbank.ledger.statements import (
    RULE,
    CreditConsumed,
    CreditPreApproved,
    CreditRecognised,
    RulePublished,
    RuleWithdrawn,
)
from creditbank.proofs import bundles, signatures
from tests.ledger.cast import College

_serial = itertools.count(1)
TODAY = date(2026, 6, 30)


def new_decision() -> str:
    """A number that no decision had before."""
    return f"认〔2026〕{next(_serial)}号"


def recognised(
    college: College, account: int, decision: str = "", **changes: Any
) -> CreditRecognised:
    """What the college recognises for a learner: eight and a half credits of its programme."""
    number = decision or new_decision()
    facts: dict[str, Any] = {
        "account": account,
        "decision": number,
        "digest": sha256(number.encode()).digest(),
        "programme": "LOG-2026",
        "programme_version": 2,
        "body": college.institution.uscc,
        "body_name": college.institution.name,
        "credits": Decimal("8.50"),
        "decided_on": TODAY,
    } | changes
    return CreditRecognised(**facts)


def consumed(index: int, decision: str, **changes: Any) -> CreditConsumed:
    """The use of the award at an index, in its next generation."""
    award = queries.entry(index)
    facts: dict[str, Any] = {
        "account": award.account,
        "leaf": award.leaf_hash,
        "quantity_consumed": award.quantity,
        "decision": decision,
        "generation": recognitions.next_generation(award.account, award.leaf_hash),
    } | changes
    return CreditConsumed(**facts)


def recognise(college: College, account: int, *awards: int, **changes: Any) -> Receipt:
    """Recognise the awards at some indexes on the college's hosted stream."""
    replacing = changes.pop("replacing", ())
    key = changes.pop("key", f"recognise-{next(_serial)}")
    said = recognised(college, account, **changes)
    return operations.recognise(
        stream=college.hosted,
        recognised=said,
        consumed=[consumed(index, said.decision) for index in awards],
        replacing=replacing,
        idempotency_key=key,
        institution_id=college.institution.pk,
    )


def verified(index: int) -> bundles.VerifiedEntry:
    """Take the proof of an entry as anyone gets it, and verify it like a stranger."""
    keys = logkeys.log_keys()

    def stream_keys(stream: str, manifest_index: int) -> list[signatures.Verifier]:
        return [
            signatures.verifier(key.algorithm, key.public)
            for key in institutions.signing_keys(stream)
            if key.added_index <= manifest_index
        ]

    return bundles.verify(
        bundle=bundles.ProofBundle.parse(queries.proof(index).encode()),
        log_key=keys.log,
        cosigners=keys.cosigners,
        stream_keys=stream_keys,
    )


def rule(owner: Institution, **changes: Any) -> RulePublished:
    """The publication of a rule of an institution."""
    facts: dict[str, Any] = {
        "schema": RULE,
        "owner": owner.uscc,
        "code": "R-017",
        "version": 3,
        "digest": sha256(b"R-017/3").digest(),
        "first_day": date(2026, 9, 1),
    } | changes
    return RulePublished(**facts)


def withdrawal(published: RulePublished, leaf: bytes, **changes: Any) -> RuleWithdrawn:
    """The withdrawal of a publication."""
    facts: dict[str, Any] = {
        "schema": published.schema,
        "owner": published.owner,
        "code": published.code,
        "version": published.version,
        "leaf": leaf,
        "reason": "依据已废止",
        "on": date(2027, 3, 1),
    } | changes
    return RuleWithdrawn(**facts)


def pre_approved(college: College, account: int, **changes: Any) -> CreditPreApproved:
    """What the college commits itself to in advance."""
    number = changes.pop("number", f"预〔2026〕{next(_serial)}号")
    facts: dict[str, Any] = {
        "account": account,
        "number": number,
        "digest": sha256(number.encode()).digest(),
        "programme": "LOG-2026",
        "programme_version": 2,
        "before": date(2027, 7, 15),
        "body": college.institution.uscc,
    } | changes
    return CreditPreApproved(**facts)
