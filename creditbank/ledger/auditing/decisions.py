"""Decisions, manifest by manifest: what is recognised, and what is used for it.

A decision stands in one manifest: its recognition and a use of each award. Which
decision an entry belongs to is in its opening; of forgotten people nobody can
tell any more, so theirs only must not stand alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from creditbank.ledger import kinds
from creditbank.ledger.auditing.findings import Found
from creditbank.ledger.kinds import Kind

OF_DECISIONS: Final = frozenset(
    {kinds.CONSUME, kinds.CONSUME_REVERSE, kinds.RECOGNISE, kinds.RECOGNISE_REVERSE}
)


@dataclass(frozen=True)
class Said:
    """An entry about a decision; the decision is None where the opening cannot be read."""

    index: int
    account: int
    decision: str | None


@dataclass(frozen=True)
class Pair:
    """A use and the recognition it belongs to, by their log indexes and accounts."""

    use: int
    account: int
    recognition: int
    recognised_in: int


class Decisions:
    """The entries about decisions of one manifest."""

    def __init__(self) -> None:
        self._said: dict[Kind, list[Said]] = {}

    def add(self, kind: Kind, index: int, account: int, decision: str | None) -> None:
        """Take an entry of the manifest into account."""
        self._said.setdefault(kind, []).append(Said(index, account, decision))

    def settle(self, *, by_bank: bool, found: Found) -> Iterator[Pair]:
        """Find what stands alone; yield each use with its recognition. Begins anew after it."""
        said, self._said = self._said, {}
        if not said:
            return
        uses, recognitions = said.get(kinds.CONSUME, []), said.get(kinds.RECOGNISE, [])
        _alone("use-alone", uses, recognitions, found)
        _alone("recognition-alone", recognitions, uses, found)
        if not by_bank:
            reversals = said.get(kinds.RECOGNISE_REVERSE, [])
            _alone("release-alone", said.get(kinds.CONSUME_REVERSE, []), reversals, found)
        first: dict[str, Said] = {}
        for one in recognitions:
            if one.decision is not None and first.setdefault(one.decision, one) is not one:
                found("decision-twice", f"ledger_entry {one.index}", one.index)
        for use in uses:
            recognition = None if use.decision is None else first.get(use.decision)
            if recognition is not None:
                yield Pair(use.index, use.account, recognition.index, recognition.account)


def _alone(code: str, these: list[Said], those: list[Said], found: Found) -> None:
    """Find each of these that none of those can belong to."""
    decisions = {one.decision for one in those}
    for one in these:
        if one.decision is None:
            paired = bool(those)
        else:
            paired = one.decision in decisions or None in decisions
        if not paired:
            found(code, f"ledger_entry {one.index}", one.index)
