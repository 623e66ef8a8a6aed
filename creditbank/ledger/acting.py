"""What entries do to others, checked under the lock: only there is it settled what an account holds.

Few entries need it: those that act on another, later generations, and rows of
people with several accounts. Each account concerned is read once, and what the
same append enters before is taken into account.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings

from creditbank.errors import DomainError, Problem, Refusals
from creditbank.ledger import kinds, learnerkeys, linked
from creditbank.ledger.kinds import Kind
from creditbank.ledger.learnerkeys import AccountKeys
from creditbank.ledger.statements import rule_u, split_generation
from creditbank.proofs import commitments, merkle

if TYPE_CHECKING:
    from creditbank.ledger.log import Batch


class DuplicateOutcome(DomainError):
    """The bank already holds these outcomes; the facts list the rows."""

    code: ClassVar[str] = "duplicate-outcome"


class ActsOnInvalid(Refusals):
    """Entries act on what is not there, not theirs, or already undone or used: all of them.

    The facts name the first one's row and reason; each problem's code is a reason.
    """

    code: ClassVar[str] = "acts-on-invalid"

    def __init__(self, problems: Sequence[Problem], *, stream: str) -> None:
        first = problems[0]
        expected = {"expected": first.expected} if first.expected else {}
        super().__init__(problems, row=first.row, reason=first.code, **expected)
        self.stream = stream


_SAID: Final = {
    "not-found": ("leaf", "没有所指的分录"),
    "other-stream": ("leaf", "所指的分录不是这个序列记的"),
    "quantity": ("q", "数量与所指的分录不符"),
    "already-undone": ("leaf", "所指的分录已被冲正或已到期"),
    "in-use": ("leaf", "所指的学习成果已被一项认定使用"),
    "generation": ("u", "前一代尚未冲正"),
    "other-person": ("a", "所使用的学习成果不属于该项认定的学习者"),
    "other-decision": ("decision", "所写的决定不是所指分录的决定"),
    "still-used": ("decision", "还有学习成果被这项认定使用，须在同一次报送中先撤回"),
}
"""The reasons for which an entry is refused, with the member at fault and the sentence."""


class _Refused(Exception):
    """One row is refused."""

    def __init__(self, reason: str, *, value: object = "", expected: object = "") -> None:
        super().__init__(reason)
        self.reason, self.value, self.expected = reason, value, expected

    def problem(self, row: int) -> Problem:
        field, message = _SAID[self.reason]
        return Problem(
            code=self.reason,
            row=row,
            field=field,
            value=str(self.value)[:120],
            expected=str(self.expected)[:200],
            message=message,
        )


def check(cursor: Any, batches: Sequence[Batch], others: linked.Others) -> None:
    """Check what only the lock can settle of batches about to be placed, in their order.

    Raises ActsOnInvalid with every row of the first batch that has any, and
    DuplicateOutcome with the rows that another account of the person holds.
    """
    checked = [(batch, _positions(batch, others)) for batch in batches]
    accounts = {batch.rows[position][0] for batch, watched in checked for position in watched}
    if accounts:
        _Check(cursor, accounts, others).run(checked)


def _positions(batch: Batch, others: linked.Others) -> list[int]:
    """Return what to look at in a submission: what is watched, and rows of linked accounts."""
    if not others:
        return batch.watched
    rows = [position for position, row in enumerate(batch.rows) if row[0] in others]
    return sorted({*batch.watched, *rows}) if rows else batch.watched


class _Check:
    """One look at the accounts that an append concerns."""

    def __init__(self, cursor: Any, accounts: set[int], others: linked.Others) -> None:
        self._cursor, self._others = cursor, others
        wanted = {account for account in accounts if account}
        for account in list(wanted):
            wanted.update(others.get(account, ()))
        keys = learnerkeys.keys_of(wanted)
        self._keys = keys
        self._views = {
            account: _AccountView(cursor, account, keys.get(account)) for account in wanted
        }

    def run(self, checked: Sequence[tuple[Batch, Sequence[int]]]) -> None:
        duplicates: list[int] = []
        start = 0
        for batch, watched in checked:
            recognised = _recognised(batch, watched)
            problems: list[Problem] = []
            for position in watched:
                try:
                    if self._row(batch, position, recognised):
                        duplicates.append(start + position + 1)
                except _Refused as refused:
                    problems.append(refused.problem(position + 1))
            if problems:
                raise ActsOnInvalid(problems, stream=batch.stream)
            start += len(batch.rows)
        if duplicates:
            raise DuplicateOutcome(rows=duplicates)

    def _row(self, batch: Batch, position: int, recognised: Mapping[str, int]) -> bool:
        """Check a row and enter it. Raises _Refused; tells whether another account holds it."""
        account, dkey, number, quantity, _ = batch.rows[position]
        _, core, _, reference, _ = batch.opened[position]
        if account == 0:
            self._publication(core, reference)
            return False
        kind = kinds.BY_NUMBER[number]
        view = self._views[account]
        entry = _Entry(
            kind=kind,
            quantity=quantity,
            stream=batch.stream,
            acts_on=b64decode(reference["leaf"]) if kind.acts_on else None,
            said=str(core.get("decision", "")),
        )
        held_elsewhere = False
        if kind.acts_on:
            view.check_target(entry)
            if kind is kinds.CONSUME:
                self._belongs(account, recognised.get(entry.decision))
            elif kind is kinds.RECOGNISE_REVERSE:
                self._nothing_uses(account, entry)
        if kind.klass in ("award", "use"):
            base, generation = split_generation(str(reference["u"]))
            dedup = self._secret(account)
            before = learnerkeys.dedup_key(dedup, kind.klass, f"{base}/{generation - 1}")
            view.check_generation(before, generation)
            held_elsewhere = kind.klass == "award" and self._holds_elsewhere(account, base)
        view.enter(dkey, batch.leaves[position][1], entry)
        return held_elsewhere

    def _group(self, account: int) -> tuple[int, ...]:
        """Return the accounts of an account's person."""
        return (account, *self._others.get(account, ()))

    def _secret(self, account: int) -> bytes:
        if account not in self._keys:
            raise learnerkeys.PersonForgotten(account=account)
        return self._keys[account].dedup

    def _holds_elsewhere(self, account: int, base: str) -> bool:
        return any(
            self._views[other].holds(self._keys[other].dedup, "award", base)
            for other in self._others.get(account, ())
            if other in self._keys
        )

    def _belongs(self, account: int, recognised: int | None) -> None:
        """Refuse a use whose recognition stands in an account of somebody else."""
        if recognised not in self._group(account):
            raise _Refused("other-person")

    def _nothing_uses(self, account: int, reversal: _Entry) -> None:
        """Refuse to reverse a recognition while something is used under its decision."""
        assert reversal.acts_on is not None
        recognition = self._views[account].entries[reversal.acts_on]
        for other in self._group(account):
            for leaf in self._views[other].used_by(recognition):
                raise _Refused("still-used", value=leaf.hex())

    def _publication(self, core: commitments.Members, reference: commitments.Members) -> None:
        """Refuse to withdraw what the owner has not published under that code and version."""
        u = rule_u(
            schema=str(core["schema"]),
            owner=str(core["owner"]),
            code=str(core["code"]),
            version=int(core["version"]),
        )
        self._cursor.execute(
            "SELECT leaf FROM ledger_entry WHERE acct = 0 AND dkey = %s",
            [learnerkeys.dedup_key(learnerkeys.PUBLIC_DEDUP, kinds.RULE_PUBLISH.klass, u)],
        )
        row = self._cursor.fetchone()
        if row is None or merkle.leaf_hash(bytes(row[0])) != b64decode(reference["leaf"]):
            raise _Refused("not-found", expected=kinds.RULE_PUBLISH.name)


def _recognised(batch: Batch, watched: Sequence[int]) -> dict[str, int]:
    """Return in which account each decision of a submission recognises, when anything is used."""
    if not any(batch.rows[position][2] == kinds.CONSUME.number for position in watched):
        return {}
    return {
        str(core["decision"]): row[0]
        for row, (_, core, *_) in zip(batch.rows, batch.opened, strict=True)
        if row[2] == kinds.RECOGNISE.number
    }


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """One entry of an account: what it moves, who signed it, what it acts on, its decision."""

    kind: Kind
    quantity: int
    stream: str
    acts_on: bytes | None
    said: str = ""
    sealed: bytes = b""
    keys: AccountKeys | None = None

    @cached_property
    def decision(self) -> str:
        """The number of the decision that an entry belongs to; read when it is asked for.

        Nothing for an entry of a forgotten person.
        """
        if not self.sealed or self.keys is None:
            return self.said
        core = json.loads(commitments.split(self.keys.unseal(self.sealed))[0])
        return str(core["decision"])


class _AccountView:
    """What one account holds, read under the lock: for the few entries that depend on it."""

    def __init__(self, cursor: Any, account: int, keys: AccountKeys | None) -> None:
        self.entries: dict[bytes, _Entry] = {}
        self._by_dkey: dict[int, bytes] = {}
        self._undone: set[bytes] = set()
        self._used: set[bytes] = set()
        cursor.execute(
            "SELECT dkey, kind, qty, leaf, CASE WHEN kind = ANY(%s) THEN opening ELSE '' END"
            " FROM ledger_entry WHERE acct = %s ORDER BY idx",
            [[kinds.CONSUME.number, kinds.RECOGNISE.number], account],
        )
        for dkey, number, quantity, leaf, sealed in cursor.fetchall():
            data = bytes(leaf)
            parsed = commitments.parse_leaf(data)
            entry = _Entry(
                kind=kinds.BY_NUMBER[number],
                quantity=quantity,
                stream=parsed.stream,
                acts_on=parsed.acts_on,
                sealed=bytes(sealed),
                keys=keys,
            )
            self.enter(dkey, merkle.leaf_hash(data), entry)

    def enter(self, dkey: int, leaf_hash: bytes, entry: _Entry) -> None:
        """Take an entry into account."""
        self.entries[leaf_hash] = entry
        self._by_dkey[dkey] = leaf_hash
        if entry.acts_on is None:
            return
        if entry.kind.klass == "use":
            self._used.add(entry.acts_on)
            return
        self._undone.add(entry.acts_on)
        use = self.entries.get(entry.acts_on)
        if entry.kind is kinds.CONSUME_REVERSE and use is not None and use.acts_on is not None:
            self._used.discard(use.acts_on)

    def check_target(self, entry: _Entry) -> None:
        """Refuse an entry that acts on nothing of this account, or on what is undone or used.

        Any body may use an award, whoever recorded it; nobody undoes another's entry
        but the bank.
        """
        assert entry.acts_on is not None
        target = self.entries.get(entry.acts_on)
        if target is None or target.kind.name not in entry.kind.acts_on:
            raise _Refused("not-found", expected=", ".join(entry.kind.acts_on))
        if entry.kind is not kinds.CONSUME and entry.stream not in (
            target.stream,
            settings.BANK_STREAM,
        ):
            raise _Refused("other-stream", value=entry.stream, expected=target.stream)
        if entry.quantity != -target.quantity:
            raise _Refused("quantity", value=entry.quantity, expected=-target.quantity)
        if entry.acts_on in self._undone:
            raise _Refused("already-undone")
        if entry.acts_on in self._used:
            raise _Refused("in-use")
        if (
            entry.kind in (kinds.CONSUME_REVERSE, kinds.RECOGNISE_REVERSE)
            and entry.decision != target.decision
        ):
            raise _Refused("other-decision", value=entry.decision, expected=target.decision)

    def used_by(self, recognition: _Entry) -> Iterator[bytes]:
        """Yield the leaf hashes of the awards that are used under a recognition's decision."""
        for leaf_hash, use in self.entries.items():
            if (
                use.kind is kinds.CONSUME
                and use.stream == recognition.stream
                and leaf_hash not in self._undone
                and use.decision == recognition.decision
                and use.acts_on is not None
            ):
                yield use.acts_on

    def holds(self, secret: bytes, klass: str, base: str) -> bool:
        """Say whether the account holds an outcome in force, of any generation."""
        generation = 1
        while True:
            dkey = learnerkeys.dedup_key(secret, klass, f"{base}/{generation}")
            leaf_hash = self._by_dkey.get(dkey)
            if leaf_hash is None or leaf_hash not in self._undone:
                return leaf_hash is not None
            generation += 1

    def check_generation(self, before: int, generation: int) -> None:
        """Refuse generation g unless g - 1 is there and undone."""
        if generation == 1:
            return
        leaf_hash = self._by_dkey.get(before)
        if leaf_hash is None or leaf_hash not in self._undone:
            raise _Refused("generation", expected=generation - 1)
