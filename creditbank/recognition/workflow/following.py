"""Following the log: what is new since the last look, in stretches, each seen once.

Entries are committed in the order of their indexes (the log's head is locked
for each append), so that whoever has seen all below the head's size misses none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

from creditbank.ledger import kinds
from creditbank.ledger import operations as ledger
from creditbank.proofs import commitments
from creditbank.recognition.models import Follower

STRETCH: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A new entry: its index, account and kind, and the leaf hash of the entry that it acts on."""

    index: int
    account: int
    kind: kinds.Kind
    sealed: bytes
    acts_on: bytes | None


Handler = Callable[[Sequence[Seen]], None]


def follow(name: str, wanted: Sequence[kinds.Kind], handler: Handler) -> int:
    """Hand new entries of some kinds to a handler, and remember how far it came.

    One process at a time follows under a name; another finds the row locked and
    returns at once. A stretch whose handler raises is handed over again. Returns
    how many indexes were passed. A new follower begins at the log's head: what is
    older was looked at by whoever put it there.
    """
    passed = 0
    while True:
        with transaction.atomic():
            row = _row(name)
            if row is None:
                return passed
            size = ledger.head_size()
            stop = min(size, row.next_index + STRETCH)
            if stop <= row.next_index:
                return passed
            handler(_entries(row.next_index, stop, wanted))
            passed += stop - row.next_index
            row.next_index = stop
            row.save(update_fields=["next_index"])


def _row(name: str) -> Follower | None:
    Follower.objects.get_or_create(name=name, defaults={"next_index": ledger.head_size()})
    return Follower.objects.select_for_update(skip_locked=True).filter(name=name).first()


def _entries(start: int, stop: int, wanted: Sequence[kinds.Kind]) -> list[Seen]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT idx, acct, kind, leaf, opening FROM ledger_entry"
            " WHERE idx >= %s AND idx < %s AND kind = ANY(%s) ORDER BY idx",
            [start, stop, [kind.number for kind in wanted]],
        )
        rows = cursor.fetchall()
    return [
        Seen(
            index=index,
            account=account,
            kind=kinds.BY_NUMBER[kind],
            sealed=bytes(opening),
            acts_on=commitments.parse_leaf(bytes(leaf)).acts_on,
        )
        for index, account, kind, leaf, opening in rows
    ]
