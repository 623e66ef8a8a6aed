"""The statements that rows become: an award for each, and before a better attempt a reversal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from creditbank.ledger.statements import (
    RETAKEN,
    CreditAwarded,
    EntryReversed,
    Outcome,
    Reference,
    Result,
    Statement,
)
from creditbank.recording.checks import Accepted


def of(
    accepted: Sequence[Accepted],
    accounts: Mapping[bytes, int],
    *,
    prepared_by: str,
    approved_by: str,
) -> tuple[list[Statement], list[int]]:
    """Return the statements of rows in their order, and for each the number of its row.

    `accounts` gives the account of a person whom the bank did not know, by the
    digest of the person's document.
    """
    said: list[Statement] = []
    numbers: list[int] = []
    for one in accepted:
        account = one.account if one.account is not None else accounts[one.digest]
        if one.replaces is not None:
            said.append(
                EntryReversed(
                    account=account,
                    leaf=one.replaces.leaf_hash,
                    quantity_undone=one.replaces.quantity,
                    reason=RETAKEN,
                )
            )
            numbers.append(one.row.number)
        said.append(_award(one, account, prepared_by, approved_by))
        numbers.append(one.row.number)
    return said, numbers


def outcome(one: Accepted) -> Outcome:
    """Return what a row says was achieved: everything but the day is the catalogue's."""
    item, row = one.item, one.row
    return Outcome(
        item=item.code,
        item_version=item.version,
        kind=item.kind,
        title=item.title,
        title_en=item.title_en,
        body=item.body_uscc,
        body_name=item.body_name,
        credits=one.credits,
        framework=item.framework,
        level=item.level,
        category=item.category,
        completed_on=row.completed_on,
        valid_until=row.valid_until,
    )


def result(one: Accepted) -> Result:
    """Return how well, as the row says it."""
    return Result(grade=one.row.grade, score=one.row.score, hours=one.row.hours)


def reference(one: Accepted) -> Reference:
    """Return which one: what the outcome is unique by, and the numbers on its papers."""
    return Reference(
        u=one.u,
        certificate=one.row.certificate,
        batch=one.row.batch,
        occurrence=one.row.occurrence(one.item.kind),
    )


def _award(one: Accepted, account: int, prepared_by: str, approved_by: str) -> CreditAwarded:
    return CreditAwarded(
        account=account,
        outcome=outcome(one),
        result=result(one),
        reference=reference(one),
        prepared_by=prepared_by,
        approved_by=approved_by,
    )
