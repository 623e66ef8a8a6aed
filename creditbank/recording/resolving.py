"""Preparing for an institution that keeps its own key: identities in, account numbers out.

The institution signs offline and cannot ask the register while it signs. So it
asks once, over TLS with a key of its own, gets for each row the account, the
item's version and the next free uniqueness string, and signs those.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from creditbank.access import InstitutionSuspended, NotFound
from creditbank.clock import today
from creditbank.institutions.models import Institution, Stream
from creditbank.ledger.numbers import format_account
from creditbank.ledger.statements import Outcome, Reference, Result
from creditbank.recording import people, statements
from creditbank.recording.checks import Accepted, Unchanged, check_rows
from creditbank.recording.errors import NoRows, RowsRefused, TooManyRows
from creditbank.recording.rows import RawRow
from creditbank.securitylog import operations as security
from creditbank.securitylog.kinds import EventKind
from creditbank.users.models import User

logger = logging.getLogger(__name__)

ROWS_MAX: Final = 5_000

Retake = Literal["", "better", "not-better"]


@dataclass(frozen=True, kw_only=True)
class ResolvedRow:
    """What an institution needs to sign one row.

    `reverses` names the entry (log index, leaf hash, quantity in 1/100) that a
    better attempt at a course takes the place of: its reversal is signed before
    the award, in the same submission. `retake` says how an attempt compares with
    one that the bank holds: a `not-better` one is signed with 0 credits and its
    term. `waiting`: nobody has claimed the account.
    """

    row: int
    account: str
    waiting: bool
    u: str
    credits: Decimal
    outcome: Outcome = field(repr=False)
    result: Result = field(repr=False)
    reference: Reference = field(repr=False)
    reverses: tuple[int, bytes, int] | None = None
    retake: Retake = ""


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """The rows to sign, in their order, and those that the bank already holds."""

    rows: tuple[ResolvedRow, ...]
    unchanged: tuple[Unchanged, ...]


def resolve_identities(
    *,
    institution: Institution,
    stream: Stream,
    rows: Sequence[RawRow],
    acting_users: Sequence[User] = (),
) -> Resolved:
    """Resolve at most 5,000 rows for an own-key stream; opens waiting accounts for new people.

    The rows pass the checks that a hosted draft passes. Raises RowsRefused with
    every problem of every row, in which case no account is opened; NoRows,
    TooManyRows, NotFound for another institution's stream, InstitutionSuspended.
    Logged by counts: no identity, name or account is written to the log.
    """
    if stream.institution_id != institution.pk or not stream.active:
        raise NotFound
    if not institution.is_active:
        raise InstitutionSuspended(institution=institution.slug)
    if not rows:
        raise NoRows
    if len(rows) > ROWS_MAX:
        raise TooManyRows(found=len(rows), expected=ROWS_MAX)
    checked = check_rows(institution, rows, today(), stream=stream.name, acting=acting_users)
    if checked.problems:
        raise RowsRefused(checked.problems)
    accounts, problems = people.accounts_for(checked.accepted)
    if problems:
        raise RowsRefused(problems)
    security.record(
        EventKind.IDENTITIES_RESOLVED,
        actor=acting_users[0].pk if acting_users else None,
        stream=stream.name,
        count=len(rows),
        opened=len(accounts),
    )
    logger.info(
        "resolved for %s: %s rows, %s people new to the bank, %s unchanged",
        stream.name,
        len(rows),
        len(accounts),
        len(checked.unchanged),
    )
    return Resolved(
        rows=tuple(
            ResolvedRow(
                row=one.row.number,
                account=format_account(
                    one.account if one.account is not None else accounts[one.digest]
                ),
                waiting=one.learner is None or one.learner.is_waiting,
                u=one.u,
                credits=one.credits,
                outcome=statements.outcome(one),
                result=statements.result(one),
                reference=statements.reference(one),
                reverses=(
                    (one.replaces.index, one.replaces.leaf_hash, one.replaces.quantity)
                    if one.replaces is not None
                    else None
                ),
                retake=_retake(one),
            )
            for one in checked.accepted
        ),
        unchanged=checked.unchanged,
    )


def _retake(one: Accepted) -> Retake:
    if not one.retake:
        return ""
    return "better" if one.replaces is not None else "not-better"
