"""One entry after the other: opened, derived again, compared.

Most entries are plain: what their opening gives is, byte for byte and column for
column, what is stored. Such an entry is opened, its leaf written anew from the
opening and compared, and that proves everything an entry must be. Whatever is
not plain, or differs anywhere, is read again by `_examine`, member by member,
which says what is wrong.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import b2a_base64
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag

from creditbank.errors import DomainError
from creditbank.ledger import kinds
from creditbank.ledger.auditing.decisions import OF_DECISIONS, Decisions
from creditbank.ledger.auditing.effects import Effects
from creditbank.ledger.auditing.findings import AuditReport
from creditbank.ledger.auditing.secrets import NONCE, Held, Secrets, dedup_key
from creditbank.ledger.numbers import format_account
from creditbank.ledger.statements import split_generation
from creditbank.proofs import commitments, merkle
from creditbank.proofs.canonical import INTEGER_MAX, NotCanonical
from creditbank.proofs.names import NameMalformed, check_stream

Row = tuple[int, int, int, int, int, bytes, bytes]
"""(index, account, digest key, kind number, quantity, leaf, sealed opening)."""

_PLAIN: Final = {
    kind.name: (kind.number, kind.klass.encode() + b"\0", kind.sign == "zero")
    for kind in kinds.KINDS
    if kind.klass not in ("key", "undo", "use")
    and not kind.acts_on
    and kind.sign != "minus"
    and kind not in OF_DECISIONS
}
"""Kinds that act on nothing and belong to nothing: name -> (number, class as it is hashed, moves nothing)."""

FIRST: Final = "/1"
"""The end of a first generation's uniqueness string."""


class Entries:
    """Checks entries; notes what they do to others, to be followed afterwards."""

    def __init__(
        self, *, secrets: Secrets, effects: Effects, report: AuditReport, bank: str
    ) -> None:
        """Prepare; `bank` is the name of the bank's own stream."""
        self._secrets, self._effects, self._report = secrets, effects, report
        self._bank = bank
        self._decisions = Decisions()

    def check(self, rows: Sequence[Row], stream: str, first: int) -> list[bytes]:
        """Check a manifest's entries, numbered from `first` on in a stream; return their leaf hashes."""
        self._report.entries += len(rows)
        middles = _middles(stream, first, len(rows))
        # Written out in one loop: this runs for every entry there is.
        held, plain, read = self._secrets.held, _PLAIN, commitments.read_opening
        hashes: list[bytes] = []
        examined = 0
        seq = first
        for row in rows:
            _, account, dkey, number, quantity, leaf, sealed = row
            try:
                decrypt, secret, printed = held[account]
                commitment, core, _, reference, holder = read(
                    decrypt(sealed[:NONCE], sealed[NONCE:], None)
                )
                kind, u = core["k"], reference["u"]
                expected, klass, moves_nothing = plain[kind]
                good = (
                    leaf
                    == b'{"c":"%b%b%d,"q":%d,"v":1}'
                    % (b2a_base64(commitment, newline=False), middles[kind], seq, quantity)
                    and sha256(secret + klass + u.encode()).digest()[:8]
                    == dkey.to_bytes(8, "big", signed=True)
                    and number == expected
                    and core["q"] == quantity >= 0
                    and not (quantity and moves_nothing)
                    and holder["a"] == printed
                    and "leaf" not in reference
                    and u[-2:] == FIRST
                    and len(u) > 2
                )
            except (InvalidTag, ValueError, KeyError, TypeError, AttributeError):
                good = False
            if good:
                hashes.append(sha256(b"\0" + leaf).digest())
            else:
                examined += 1
                hashes.append(self._examine(row, stream, seq))
            seq += 1
        self._report.opened += len(rows) - examined
        if examined:
            self._effects.pairs += self._decisions.settle(
                by_bank=stream == self._bank, found=self._report.found
            )
        return hashes

    # -- what is not plain ----------------------------------------------------------------------
    def _examine(self, row: Row, stream: str, seq: int) -> bytes:
        """Check one entry member by member; return its leaf hash."""
        found = self._report.found
        index, account, dkey, number, quantity, leaf, sealed = row
        where = f"ledger_entry {index}"
        leaf_hash = merkle.leaf_hash(leaf)
        try:
            parsed = commitments.parse_leaf(leaf)
        except NotCanonical as error:
            found("leaf-malformed", where, index, str(error))
            return leaf_hash
        kind = kinds.BY_NAME.get(parsed.kind)
        if kind is None or (parsed.stream, parsed.seq) != (stream, seq):
            found("leaf-place", where, index)
            return leaf_hash
        if (number, quantity) != (kind.number, parsed.quantity):
            found("entry-columns", where, index, "kind or quantity differs from the leaf")
        if account and account in self._secrets.unknown:
            found("entry-account", where, index, "no such account")
        if (kind.sign == "plus" and parsed.quantity < 0) or (
            kind.sign == "zero" and parsed.quantity
        ):
            found("sign", where, index)
        if kind.acts_on and parsed.acts_on is None:
            found("acts-on-nothing", where, index)
        if parsed.acts_on is not None or parsed.quantity < 0:
            self._effects.follow(account, parsed.acts_on)
        decision = self._opening(where, index, kind, account, dkey, parsed, sealed)
        if kind in OF_DECISIONS:
            self._decisions.add(kind, index, account, decision)
        return leaf_hash

    def _keys(self, account: int) -> Held | None:
        return self._secrets.held.get(account) or self._secrets.strangers.get(account)

    def _opening(
        self,
        where: str,
        index: int,
        kind: kinds.Kind,
        account: int,
        dkey: int,
        leaf: commitments.Leaf,
        sealed: bytes,
    ) -> str | None:
        """Check an entry's opening; return the decision it names, None when it names none."""
        found = self._report.found
        keys = self._keys(account)
        if keys is None:
            if account not in self._secrets.forgotten:
                found("opening-unreadable", where, index)
            self._report.forgotten += 1
            return None
        decrypt, secret, _ = keys
        try:
            opening = decrypt(sealed[:NONCE], sealed[NONCE:], None)
        except (InvalidTag, ValueError):
            found("opening-sealed", where, index, "does not open under its account's key")
            return None
        self._report.opened += 1
        try:
            core, _, reference, holder = self._parts(opening)
            if commitments.commitment(opening) != leaf.commitment:
                found("commitment", where, index)
            expected = (kind.name, leaf.quantity, format_account(account))
            if (core["k"], core["q"], holder["a"]) != expected:
                found("opening-columns", where, index, "kind, quantity or account differs")
            acts_on = b64decode(reference["leaf"]) if "leaf" in reference else None
            if acts_on != leaf.acts_on:
                found("opening-acts-on", where, index)
            if dedup_key(secret, kind.klass, reference["u"]) != dkey:
                found("entry-digest-key", where, index)
            base, generation = split_generation(reference["u"])
            if kind.acts_on and (
                base != (acts_on or b"").hex() or (kind.klass == "undo" and generation != 1)
            ):
                found("opening-unique", where, index, "not unique by what it acts on")
            if kind.klass in ("award", "use") and generation > 1:
                before = dedup_key(secret, kind.klass, f"{base}/{generation - 1}")
                self._effects.follow_generation(index, account, before)
            return str(core["decision"]) if kind in OF_DECISIONS else None
        except (NotCanonical, KeyError, ValueError, TypeError, DomainError) as error:
            found("opening-malformed", where, index, type(error).__name__)
            return None

    @staticmethod
    def _parts(opening: bytes) -> list[dict[str, Any]]:
        return [orjson.loads(part) for part in commitments.split(opening)]


def _middles(stream: str, first: int, count: int) -> dict[str, bytes]:
    """Return, by kind, what stands in the leaf of a plain entry between commitment and number.

    Nothing for a place where no leaf can stand, so that every entry is examined.
    """
    try:
        check_stream(stream)
    except NameMalformed:
        return {}
    if not 0 <= first <= INTEGER_MAX - count:
        return {}
    return {kind: f'","i":"{stream}","k":"{kind}","n":'.encode() for kind in _PLAIN}
