"""What entries do to other entries and to balances, followed account by account.

An account in which nothing was ever taken out, undone or used can neither fall
below 0 nor undo anything twice: those need not be looked at again. The others
are read once more, each by itself and in the order of the log, so that no more
than one account's entries are held at a time. Of account 0, which can be as long
as the log, only those entries are held that others act on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from creditbank.ledger import kinds
from creditbank.ledger.auditing.decisions import Pair
from creditbank.ledger.auditing.findings import Found
from creditbank.proofs import commitments, merkle
from creditbank.proofs.canonical import NotCanonical

ACCOUNTS_AT_ONCE: Final = 500

_OF_ACCOUNTS: Final = (
    "SELECT acct, idx, dkey, leaf FROM ledger_entry WHERE acct = ANY(%s) ORDER BY acct, idx"
)
_ACTS: Final = b'"r":"'
_ON_OTHERS: Final = frozenset({kinds.CONSUME, kinds.RULE_WITHDRAW})
"""Kinds that act on what another stream signed: awards of whoever recorded them, documents of an
owner who has several streams. All else is undone by its own stream, or by the bank's."""


@dataclass(kw_only=True)
class Effects:
    """What must be followed: accounts, leaves of account 0 acted on, later generations, decisions."""

    accounts: set[int] = field(default_factory=set)
    public_targets: set[bytes] = field(default_factory=set)
    generations: list[tuple[int, int, int]] = field(default_factory=list)
    """(index, account, digest key of the generation before)."""
    pairs: list[Pair] = field(default_factory=list)

    def follow(self, account: int, target: bytes | None) -> None:
        """Follow an account in which an entry takes something out or acts on a leaf."""
        self.accounts.add(account)
        if account == 0 and target is not None:
            self.public_targets.add(target)

    def follow_generation(self, index: int, account: int, before: int) -> None:
        """Follow an award or a use that may only stand where the generation before was undone."""
        self.accounts.add(account)
        self.generations.append((index, account, before))

    def add(self, other: Effects) -> None:
        """Add what another part of the log must have followed."""
        self.accounts |= other.accounts
        self.public_targets |= other.public_targets
        self.generations += other.generations
        self.pairs += other.pairs

    def check(
        self,
        connection: psycopg.Connection[tuple[Any, ...]],
        found: Found,
        *,
        bank: str,
        others: Mapping[int, Sequence[int]],
    ) -> None:
        """Follow them all. `bank` is the bank's own stream, `others` are a person's other accounts."""
        undone: dict[int, int] = {}
        later: dict[int, list[tuple[int, int]]] = {}
        for index, account, before in self.generations:
            later.setdefault(account, []).append((index, before))
        accounts = sorted(self.accounts - {0})
        batches = [
            accounts[at : at + ACCOUNTS_AT_ONCE] for at in range(0, len(accounts), ACCOUNTS_AT_ONCE)
        ]
        if 0 in self.accounts:
            batches.append([0])
        for batch in batches:
            undone |= self._check_batch(connection, batch, later, bank, found)
        self._check_pairs(undone, others, found)

    def _check_pairs(
        self, undone: Mapping[int, int], others: Mapping[int, Sequence[int]], found: Found
    ) -> None:
        """Check that a use is its own person's, and that none outlives its recognition."""
        for pair in self.pairs:
            if pair.account != pair.recognised_in and pair.account not in others.get(
                pair.recognised_in, ()
            ):
                found("use-of-another", f"ledger_entry {pair.use}", pair.use)
            reversal = undone.get(pair.recognition)
            if reversal is not None and not undone.get(pair.use, reversal) < reversal:
                found("use-outlives-decision", f"ledger_entry {reversal}", reversal)

    def _check_batch(
        self,
        connection: psycopg.Connection[tuple[Any, ...]],
        batch: Sequence[int],
        later: dict[int, list[tuple[int, int]]],
        bank: str,
        found: Found,
    ) -> dict[int, int]:
        """Follow some accounts; return which entry of a decision was undone by which."""
        undone: dict[int, int] = {}
        account, book = 0, _Book(bank)
        with connection.cursor("audit_effects", binary=True) as cursor:
            cursor.itersize = 2_000
            for row_account, index, dkey, leaf in cursor.execute(_OF_ACCOUNTS, [batch]):
                if row_account != account:
                    book.check_generations(later.get(account, ()), found)
                    undone |= book.undone_at
                    account, book = row_account, _Book(bank)
                leaf_hash = merkle.leaf_hash(leaf)
                if account or _ACTS in leaf or leaf_hash in self.public_targets:
                    book.enter(index, dkey, leaf, leaf_hash, found)
        book.check_generations(later.get(account, ()), found)
        return undone | book.undone_at


@dataclass(frozen=True, slots=True)
class _Held:
    """An entry of the account."""

    kind: kinds.Kind
    quantity: int
    stream: str
    index: int


class _Book:
    """One account, in the order of the log."""

    def __init__(self, bank: str) -> None:
        self._bank = bank
        self._balance = 0
        self.undone_at: dict[int, int] = {}
        """By the index of a use or recognition: the index of the entry that undid it."""
        self._leaves: dict[bytes, _Held] = {}
        self._dkeys: dict[int, bytes] = {}
        self._undone: set[bytes] = set()
        self._used: set[bytes] = set()
        self._acts_on: dict[bytes, bytes] = {}

    def enter(self, index: int, dkey: int, leaf: bytes, leaf_hash: bytes, found: Found) -> None:
        """Take the next entry into account."""
        where = f"ledger_entry {index}"
        try:
            parsed = commitments.parse_leaf(leaf)
        except NotCanonical:
            return  # Found where the entry itself is read.
        kind = kinds.BY_NAME.get(parsed.kind)
        if kind is None:
            return
        if 1 <= kind.number <= 5:
            self._balance += parsed.quantity
            if self._balance < 0:
                found("overdrawn", where, index)
        self._leaves[leaf_hash] = _Held(kind, parsed.quantity, parsed.stream, index)
        self._dkeys[dkey] = leaf_hash
        if parsed.acts_on is None:
            return
        target = self._leaves.get(parsed.acts_on)
        if target is None:
            found("acts-on-unknown", where, index)
            return
        if target.kind.name not in kind.acts_on or parsed.quantity != -target.quantity:
            found("acts-on-wrong", where, index)
        if kind not in _ON_OTHERS and parsed.stream not in (target.stream, self._bank):
            found("acts-on-other-stream", where, index)
        if parsed.acts_on in self._undone or parsed.acts_on in self._used:
            found("acted-on-twice", where, index)
        self._acts_on[leaf_hash] = parsed.acts_on
        if kind.klass == "use":
            self._used.add(parsed.acts_on)
        else:
            self._undone.add(parsed.acts_on)
            if target.kind in (kinds.CONSUME, kinds.RECOGNISE):
                self.undone_at.setdefault(target.index, index)
            if kind is kinds.CONSUME_REVERSE:
                self._used.discard(self._acts_on.get(parsed.acts_on, b""))

    def check_generations(self, later: Sequence[tuple[int, int]], found: Found) -> None:
        """Check that the generation before each of these awards is there and was undone."""
        for index, before in later:
            leaf_hash = self._dkeys.get(before)
            if leaf_hash is None or leaf_hash not in self._undone:
                found("generation", f"ledger_entry {index}", index)
