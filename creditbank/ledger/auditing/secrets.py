"""The accounts' secrets as the audit needs them: many at a time, and few held.

What a secret gives is computed here from its definition once more, without the
bank's own caches (`ledger.learnerkeys`); a test compares the two.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, Final

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from creditbank.errors import DomainError
from creditbank.ledger.numbers import format_account

Connection = psycopg.Connection[tuple[Any, ...]]
Decrypt = Callable[[bytes, bytes, bytes | None], bytes]
"""Takes nonce, ciphertext with tag, and no further data. Raises InvalidTag, ValueError."""

Held = tuple[Decrypt, bytes, str]
"""(opens sealed openings, keys the digests that find duplicates, the printed account number)."""

NONCE: Final = 12
HELD_MAX: Final = 50_000
"""Accounts whose keys are held at once: 2.9 kB each, most of it the cipher's own state."""

PUBLIC_DEDUP: Final = sha256(b"llcb/public/v1").digest()


def unwrap(kek: AESGCM, account: int, wrapped: bytes) -> bytes | None:
    """Return an account's 32-byte secret, or None when it does not open under this key."""
    try:
        return kek.decrypt(wrapped[:NONCE], wrapped[NONCE:], b"llcb/learner-key/v1\0%d" % account)
    except (InvalidTag, ValueError):
        return None


def dedup_key(secret: bytes, klass: str, u: str) -> int:
    """Return the signed 64-bit digest key of a uniqueness string in its class."""
    digest = sha256(secret + klass.encode() + b"\0" + u.encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _clear(nonce: bytes, rest: bytes, _: bytes | None) -> bytes:
    """Open what was never sealed: the openings of account 0."""
    return nonce + rest


def derive(account: int, secret: bytes) -> Held:
    """Derive what the audit needs of an account's secret (HKDF-Expand, one block each)."""
    try:
        printed = format_account(account)
    except DomainError:
        printed = ""
    opening = hmac.digest(secret, b"llcb/opening/v1\x01", "sha256")
    return AESGCM(opening).decrypt, hmac.digest(secret, b"llcb/dedup/v1\x01", "sha256"), printed


class Secrets:
    """The keys of the accounts of the rows that are being read.

    `held` has the accounts that exist and have a secret; `strangers` those with
    a secret and no account; `unknown` are in no table of accounts, `forgotten`
    had their secret deleted.
    """

    def __init__(self, *, ledger: Connection, keys: Connection, kek: bytes) -> None:
        self._ledger, self._keys, self._kek = ledger, keys, AESGCM(kek)
        self._clear()

    def _clear(self) -> None:
        self.held: dict[int, Held] = {0: (_clear, PUBLIC_DEDUP, "0")}
        self.strangers: dict[int, Held] = {}
        self.unknown: set[int] = set()
        self.forgotten: set[int] = set()
        self._asked: set[int] = {0}

    def load(self, accounts: Iterable[int]) -> None:
        """Have the keys of these accounts at hand; others may be dropped."""
        wanted = set(accounts)
        missing = list(wanted - self._asked)
        if not missing:
            return
        if len(self._asked) + len(missing) > HELD_MAX:
            self._clear()
            missing = list(wanted - self._asked)
        self._asked.update(missing)
        with self._ledger.cursor(binary=True) as cursor:
            cursor.execute("SELECT number FROM ledger_account WHERE number = ANY(%s)", [missing])
            there = {number for (number,) in cursor.fetchall()}
        self.unknown.update(account for account in missing if account not in there)
        without = set(missing)
        with self._keys.cursor(binary=True) as cursor:
            cursor.execute("SELECT acct, wrapped FROM learner_key WHERE acct = ANY(%s)", [missing])
            for account, wrapped in cursor.fetchall():
                secret = unwrap(self._kek, account, wrapped)
                if secret is None:
                    continue
                without.discard(account)
                place = self.held if account in there else self.strangers
                place[account] = derive(account, secret)
            # After the secrets: who is forgotten meanwhile is then in the list.
            if without:
                cursor.execute("SELECT acct FROM forgotten WHERE acct = ANY(%s)", [list(without)])
                self.forgotten.update(account for (account,) in cursor.fetchall())
