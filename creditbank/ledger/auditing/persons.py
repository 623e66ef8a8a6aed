"""People with several accounts: an outcome stands in force in one of them, and so is used once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
import psycopg
from cryptography.exceptions import InvalidTag

from creditbank.errors import DomainError
from creditbank.ledger import kinds
from creditbank.ledger.auditing.findings import Found
from creditbank.ledger.auditing.secrets import NONCE, Secrets
from creditbank.ledger.statements import split_generation
from creditbank.proofs import commitments, merkle
from creditbank.proofs.canonical import NotCanonical

Connection = psycopg.Connection[tuple[Any, ...]]

_OF_PERSON: Final = (
    "SELECT acct, idx, leaf, opening FROM ledger_entry WHERE acct = ANY(%s) ORDER BY idx"
)


def check_persons(
    ledger: Connection, secrets: Secrets, others: Mapping[int, tuple[int, ...]], found: Found
) -> None:
    """Go through the accounts of everyone who has several, one person after the other."""
    persons = {tuple(sorted((account, *linked))) for account, linked in others.items()}
    for accounts in sorted(persons):
        secrets.load(accounts)
        with ledger.cursor(binary=True) as cursor:
            _check_person(cursor.execute(_OF_PERSON, [list(accounts)]).fetchall(), secrets, found)


def _check_person(rows: list[tuple[Any, ...]], secrets: Secrets, found: Found) -> None:
    standing: dict[bytes, tuple[int, str]] = {}
    for account, index, leaf, sealed in rows:
        try:
            parsed = commitments.parse_leaf(leaf)
        except NotCanonical:
            continue  # Found where the entry itself is read.
        kind = kinds.BY_NAME.get(parsed.kind)
        if kind is None:
            continue
        if kind.klass == "undo" and parsed.acts_on is not None:
            standing.pop(parsed.acts_on, None)
        if kind.klass != "award":
            continue
        base = _base(account, sealed, secrets)
        if base is not None:
            if any(base == held and account != where for where, held in standing.values()):
                found("outcome-held-twice", f"ledger_entry {index}", index)
            standing[merkle.leaf_hash(leaf)] = (account, base)


def _base(account: int, sealed: bytes, secrets: Secrets) -> str | None:
    """Return what an entry is unique by, without generation; None where it cannot be read."""
    keys = secrets.held.get(account)
    if keys is None:
        return None
    try:
        reference = commitments.split(keys[0](sealed[:NONCE], sealed[NONCE:], None))[2]
        return split_generation(str(orjson.loads(reference)["u"]))[0]
    except (InvalidTag, ValueError, KeyError, DomainError):
        return None  # Found where the entry itself is read.
