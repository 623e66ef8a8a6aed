"""A college with a hosted stream and one it signs itself, and what it awards."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from creditbank.institutions import operations as institutions
from creditbank.institutions.kinds import OutcomeKind
from creditbank.institutions.models import CatalogueItem, Institution
from creditbank.ledger import operations, queries, submissions, submit
from creditbank.ledger.operations import add_key, signer
from creditbank.ledger.statements import (
    CreditAwarded,
    Outcome,
    Reference,
    Result,
    Statement,
    award_u,
    possession_message,
)
from creditbank.proofs import signatures
from tests.institutions.cast import approve, make_institution, propose

_serial = itertools.count(1)
OUTCOME_FIELDS = frozenset(member.name for member in fields(Outcome))


@dataclass
class College:
    """A college that records courses."""

    institution: Institution
    hosted: str
    items: list[CatalogueItem] = field(default_factory=list)

    def award(self, account: int, **changes: Any) -> CreditAwarded:
        """An award of the college's first course, with any part of it changed."""
        item = changes.pop("item_row", self.items[0])
        assert item.approved_credits is not None
        generation = changes.pop("generation", 1)
        outcome: dict[str, Any] = {
            "item": item.code,
            "item_version": item.version,
            "kind": item.kind,
            "title": item.title,
            "title_en": item.title_en,
            "body": item.body_uscc,
            "body_name": item.body_name,
            "credits": item.approved_credits,
            "framework": item.framework,
            "level": item.level,
            "category": item.category,
            "completed_on": date(2026, 6, 17),
        } | {name: changes.pop(name) for name in list(changes) if name in OUTCOME_FIELDS}
        occurrence = changes.pop("occurrence", "")
        facts: dict[str, Any] = {
            "account": account,
            "outcome": Outcome(**outcome),
            "result": Result(grade="良好", score="86", hours="48"),
            "reference": Reference(
                u=award_u(
                    body=outcome["body"],
                    item=outcome["item"],
                    occurrence=occurrence,
                    generation=generation,
                ),
                occurrence=occurrence,
            ),
            "prepared_by": "p-1",
            "approved_by": "p-2",
        } | changes
        return CreditAwarded(**facts)

    def record(self, *awards: CreditAwarded, key: str = "") -> operations.Receipt:
        """Record awards on the hosted stream."""
        return operations.record_credits(
            stream=self.hosted,
            awards=awards,
            idempotency_key=key or f"key-{next(_serial)}",
            institution_id=self.institution.pk,
        )


def make_college(*, courses: int = 3) -> College:
    """Found a college with a hosted stream and approved courses."""
    institution = make_institution()
    institutions.grant_scope(
        institution=institution, outcome_kind=OutcomeKind.COURSE, valid_from=date(2020, 1, 1)
    )
    name = f"{institution.slug}.example/2026"
    institutions.add_stream(institution=institution, name=name, mode="hosted", acting_user=None)
    key = signer().stream_key(name)
    add_key(stream=name, algorithm=key.algorithm, public=key.public, possession=key.possession)
    items = [approve(propose(institution)) for _ in range(courses)]
    return College(institution=institution, hosted=name, items=items)


@dataclass
class OwnStream:
    """A stream whose institution signs with its own key, and what it knows of its state."""

    name: str
    key: signatures.Signer
    first: int = 0
    previous: bytes = bytes(32)

    def prepare(self, *statements: Statement, **changes: Any) -> bytes:
        """Prepare a submission with the stream's next number (or another, to be refused)."""
        facts: dict[str, Any] = {
            "stream": self.name,
            "statements": statements,
            "first": self.first,
            "previous": self.previous,
            "signer": self.key,
        } | changes
        return submit.prepare(**facts)

    def submit(self, data: bytes) -> operations.Receipt:
        """Send a submission; on success move on to the next number."""
        receipt = operations.record_submission(data=data)
        self.first = receipt.first_seq + receipt.count
        self.previous = submissions.parse(data).manifest.root
        return receipt


def make_own_stream(college: College, *, suffix: str = "own") -> OwnStream:
    """Open a stream the college signs itself, and enter its key."""
    name = f"{college.institution.slug}.example/{suffix}"
    institutions.add_stream(
        institution=college.institution, name=name, mode="own", acting_user=None
    )
    key = signatures.generate("Ed25519")
    possession = key.sign(possession_message(name, key.public))
    add_key(stream=name, algorithm=key.algorithm, public=key.public, possession=possession)
    return OwnStream(name=name, key=key)


def published(receipt: operations.Receipt) -> operations.Receipt:
    """Wait until a checkpoint covers a receipt."""
    queries.wait_until_published(receipt.size)
    return receipt
