"""Accounts and secrets side by side: each account has a secret, or its person was forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from creditbank.ledger.auditing.findings import Found
from creditbank.ledger.auditing.secrets import unwrap

Connection = psycopg.Connection[tuple[Any, ...]]

_BEYOND: Final = (1 << 63,)
"""Comes after every account."""


def check_accounts(
    ledger: Connection, keys: Connection, *, kek: bytes, kek_id: str, found: Found
) -> list[int]:
    """Go through accounts and secrets, both in order of the number, and unwrap each secret.

    Returns the accounts that have a secret and are not there (yet): a secret is
    durable before its account, so they are looked for once more afterwards.
    """
    key = AESGCM(kek)
    missing: list[int] = []
    accounts = _stream(ledger, "SELECT number FROM ledger_account ORDER BY 1")
    secrets = _stream(keys, "SELECT acct, wrapped, kek_id FROM learner_key ORDER BY 1")
    forgotten = _stream(keys, "SELECT acct FROM forgotten ORDER BY 1")
    account, secret, gone = next(accounts), next(secrets), next(forgotten)
    while min(account, secret[:1]) != _BEYOND:
        if secret[0] <= account[0]:
            where = f"keys.learner_key {secret[0]}"
            if secret[2] != kek_id:
                found("unknown-kek", where, detail=str(secret[2]))
            if unwrap(key, secret[0], secret[1]) is None:
                found("secret-does-not-unwrap", where)
            if secret[0] == account[0]:
                account = next(accounts)
            else:
                missing.append(secret[0])
            secret = next(secrets)
            continue
        while gone[0] < account[0]:
            gone = next(forgotten)
        if gone[0] != account[0]:
            found("account-without-secret", f"ledger_account {account[0]}")
        account = next(accounts)
    return missing


def check_missing(ledger: Connection, missing: list[int], found: Found) -> None:
    """Look once more for accounts whose secret was there before them."""
    with ledger.cursor(binary=True) as cursor:
        cursor.execute("SELECT number FROM ledger_account WHERE number = ANY(%s)", [missing])
        there = {number for (number,) in cursor.fetchall()}
    for number in missing:
        if number not in there:
            found("secret-without-account", f"keys.learner_key {number}")


def _stream(connection: Connection, query: str) -> Iterator[tuple[Any, ...]]:
    """Yield rows, and then for ever a row beyond them all."""
    name = f"audit_{query.split(' FROM ')[1].split()[0]}"
    with connection.cursor(name, binary=True) as cursor:
        cursor.itersize = 4_096
        yield from cursor.execute(query.encode())
    while True:
        yield _BEYOND
