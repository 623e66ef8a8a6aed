"""What accounts already hold of given outcomes: found by digest, in a few questions for any number.

The ledger's own `generation` answers for one outcome; a file asks for five
thousand.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from creditbank.ledger import kinds, learnerkeys, queries
from creditbank.ledger.learnerkeys import AccountKeys
from creditbank.proofs import commitments, merkle

Pair = tuple[int, str]
"""An account and what an outcome is unique by, without generation."""


@dataclass(frozen=True, kw_only=True)
class Holding:
    """One award that an account holds: where it stands, what it says, whether it was undone."""

    account: int
    base: str
    generation: int
    index: int
    leaf_hash: bytes
    stream: str
    quantity: int
    undone: bool
    core: Mapping[str, Any] = field(repr=False)
    result: Mapping[str, Any] = field(repr=False)
    reference: Mapping[str, Any] = field(repr=False)

    @property
    def completed_on(self) -> date:
        """The day on which the outcome was completed."""
        return date.fromisoformat(str(self.core["completed_on"]))

    def said(self, part: str, name: str) -> str:
        """Return a member of the part `result` or `reference`; "" where it says nothing."""
        members = self.result if part == "result" else self.reference
        return str(members.get(name, ""))


def held(pairs: Collection[Pair]) -> dict[Pair, list[Holding]]:
    """Return every generation that accounts hold of outcomes, first to last.

    Pairs that nothing is held of, and accounts whose person was forgotten, are
    missing from the answer.
    """
    keys = learnerkeys.keys_of({account for account, _ in pairs})
    found: dict[Pair, list[Holding]] = {}
    wanted: set[Pair] = {pair for pair in pairs if pair[0] in keys}
    generation = 1
    while wanted:
        round_ = _generation(wanted, generation, keys)
        for pair, holding in round_.items():
            found.setdefault(pair, []).append(holding)
        wanted = set(round_)
        generation += 1
    return found


def _generation(
    pairs: Iterable[Pair], generation: int, keys: Mapping[int, AccountKeys]
) -> dict[Pair, Holding]:
    by_digest = {
        (account, _award(keys[account], f"{base}/{generation}")): (account, base)
        for account, base in pairs
    }
    rows = queries.found_at(by_digest)
    hashes = {place: merkle.leaf_hash(row.leaf) for place, row in rows.items()}
    undone = _undone([(place[0], leaf_hash) for place, leaf_hash in hashes.items()], keys)
    answer: dict[Pair, Holding] = {}
    for place, row in rows.items():
        if row.kind is not kinds.AWARD:
            continue
        account, leaf_hash = place[0], hashes[place]
        core, result, reference = (
            json.loads(part) for part in commitments.split(keys[account].unseal(row.sealed))[:3]
        )
        answer[by_digest[place]] = Holding(
            account=account,
            base=by_digest[place][1],
            generation=generation,
            index=row.index,
            leaf_hash=leaf_hash,
            stream=commitments.parse_leaf(row.leaf).stream,
            quantity=row.quantity,
            undone=(account, leaf_hash) in undone,
            core=core,
            result=result,
            reference=reference,
        )
    return answer


def undone(leaves: Collection[tuple[int, bytes]]) -> dict[tuple[int, bytes], kinds.Kind]:
    """Return which entries (account, leaf hash) were undone, and by which kind of entry."""
    keys = learnerkeys.keys_of({account for account, _ in leaves})
    return _undone([leaf for leaf in leaves if leaf[0] in keys], keys)


def _undone(
    leaves: Collection[tuple[int, bytes]], keys: Mapping[int, AccountKeys]
) -> dict[tuple[int, bytes], kinds.Kind]:
    asked = {
        (account, learnerkeys.dedup_key(keys[account].dedup, "undo", f"{leaf_hash.hex()}/1")): (
            account,
            leaf_hash,
        )
        for account, leaf_hash in leaves
    }
    return {asked[place]: kind for place, kind in queries.kinds_at(asked).items()}


def _award(keys: AccountKeys, u: str) -> int:
    return learnerkeys.dedup_key(keys.dedup, "award", u)
