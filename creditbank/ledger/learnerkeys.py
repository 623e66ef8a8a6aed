"""An account's secret, and the keys that come from it.

Every account has 32 random bytes, wrapped (AES-256-GCM) under a key-encryption
key that the key store holds elsewhere. From the secret come three keys by
HKDF-Expand (RFC 5869 section 2.3): one seals openings, one keys the digests
that find duplicates, one seals a person's columns. Deleting the row forgets
the person: what was sealed can no longer be read, in the tables, the
write-ahead log or a backup, while every proof stays valid.
"""

from __future__ import annotations

import hmac
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import connections

from creditbank import prepared
from creditbank.errors import DomainError
from creditbank.ledger.models import LearnerKey
from creditbank.ledger.routers import KEYS
from creditbank.sharedread import SharedRead

KEK: Final = "kek-1"
CACHE_MAX: Final = 200_000
NONCE_BYTES: Final = 12
PUBLIC_DEDUP: Final = sha256(b"llcb/public/v1").digest()
"""The digest key of account 0, whose openings are published anyway."""


class PersonForgotten(DomainError):
    """The account's secret is gone: the register no longer holds this person."""

    code: ClassVar[str] = "person-forgotten"


@dataclass(frozen=True)
class AccountKeys:
    """The three keys of one account. They are never shown, logged or stored."""

    opening: AESGCM = field(repr=False)
    dedup: bytes = field(repr=False)
    columns: bytes = field(repr=False)
    award: bytes = field(repr=False)
    """What an award's digest key starts with: the digest key, the class and NUL."""

    @classmethod
    def derive(cls, secret: bytes) -> AccountKeys:
        """Derive the keys from the account's secret (HKDF-Expand, one block each)."""

        def expand(label: bytes) -> bytes:
            return hmac.digest(secret, b"llcb/" + label + b"/v1\x01", "sha256")

        dedup = expand(b"dedup")
        return cls(
            opening=AESGCM(expand(b"opening")),
            dedup=dedup,
            columns=expand(b"person"),
            award=dedup + b"award\0",
        )

    @property
    def person(self) -> AESGCM:
        """What seals a person's columns; made when asked for, since recording never does."""
        return AESGCM(self.columns)

    def seal(self, opening: bytes, nonce: bytes) -> bytes:
        """Seal an opening: the nonce, 12 fresh random bytes, then the ciphertext and its tag."""
        return nonce + self.opening.encrypt(nonce, opening, None)

    def unseal(self, sealed: bytes) -> bytes:
        """Open a sealed opening. Raises cryptography's InvalidTag when it was changed."""
        return self.opening.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)


def _kek() -> AESGCM:
    return AESGCM(settings.KEYSTORE.get(KEK))


def _aad(account: int) -> bytes:
    return b"llcb/learner-key/v1\0%d" % account


Epoch = tuple[str, int]
"""The database's name, and how often anyone was forgotten in it."""


def _epoch() -> Epoch:
    [(count,)] = prepared.run("SELECT n FROM forgetting", using=KEYS)
    return str(connections[KEYS].settings_dict["NAME"]), count


class _Cache:
    """The keys a process has in hand, dropped whole as soon as anyone was forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read = SharedRead(_epoch)
        self._epoch: Epoch | None = None
        self._keys: dict[int, AccountKeys] = {}

    def epoch(self) -> Epoch:
        """Look the epoch up; drop what is held when it is another."""
        epoch = self._read.read()
        with self._lock:
            if epoch != self._epoch or len(self._keys) > CACHE_MAX:
                self._keys = {}
                self._epoch = epoch
        return epoch

    def fetch(self, accounts: Iterable[int]) -> dict[int, AccountKeys]:
        """Return the keys held, and those of accounts not yet held from the database."""
        wanted = set(accounts)
        with self._lock:
            held = self._keys
        missing = [account for account in wanted if account not in held]
        if missing:
            held |= self._load(missing)
        return {account: held[account] for account in wanted if account in held}

    def _load(self, accounts: list[int]) -> dict[int, AccountKeys]:
        kek = _kek()
        found: dict[int, AccountKeys] = {}
        with connections[KEYS].cursor() as cursor:
            cursor.execute("SELECT acct, wrapped FROM learner_key WHERE acct = ANY(%s)", [accounts])
            for account, wrapped in cursor.fetchall():
                data = bytes(wrapped)
                try:
                    secret = kek.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], _aad(account))
                except InvalidTag:
                    raise PersonForgotten(
                        account=account, reason="the key store's key is another"
                    ) from None
                found[account] = AccountKeys.derive(secret)
        return found

    def clear(self) -> None:
        with self._lock:
            self._keys = {}
            self._epoch = None


_cache = _Cache()


def create(accounts: Iterable[int]) -> None:
    """Create the secrets of new accounts; durable before anything is sealed under them."""
    kek = _kek()
    rows = []
    for account in accounts:
        nonce = os.urandom(NONCE_BYTES)
        wrapped = nonce + kek.encrypt(nonce, os.urandom(32), _aad(account))
        rows.append(LearnerKey(acct=account, wrapped=wrapped, kek_id=KEK))
    LearnerKey.objects.using(KEYS).bulk_create(rows)


def keys_for(account: int) -> AccountKeys:
    """Return one account's keys. Raises PersonForgotten."""
    found = keys_of([account])
    if account not in found:
        raise PersonForgotten(account=account)
    return found[account]


def keys_of(accounts: Iterable[int]) -> dict[int, AccountKeys]:
    """Return the keys of those accounts that still have any."""
    _cache.epoch()
    return _cache.fetch(accounts)


def epoch() -> Epoch:
    """Look up how often anyone was forgotten; keys held from before are dropped."""
    return _cache.epoch()


def keys_in_hand(accounts: Iterable[int]) -> dict[int, AccountKeys]:
    """Return the accounts' keys without looking the epoch up: for who did so just before."""
    return _cache.fetch(accounts)


def forget(accounts: Iterable[int]) -> int:
    """Delete accounts' secrets; every process drops the keys it holds at its next use.

    Returns how many were deleted. Done twice, the second time deletes nothing.
    """
    deleted, _ = LearnerKey.objects.using(KEYS).filter(acct__in=list(accounts)).delete()
    _cache.clear()
    return deleted


def dedup_key(secret: bytes, klass: str, u: str) -> int:
    """Return the signed 64-bit key under which an entry is unique in its account.

    The first 8 bytes of SHA-256(account's digest key | class | NUL | u): without
    the account's key nobody can tell from it which course it was.
    """
    digest = sha256(secret + klass.encode() + b"\0" + u.encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
