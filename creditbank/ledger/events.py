"""What later entries did to earlier ones, and the lives of keys, as the log tells them.

Nothing in the database says of an entry that it was undone; only the later
entry says so. This follows the published log once and keeps what it saw in
memory, so that a status snapshot, the trust list or a page about one entry
costs no scan. It reads nothing beyond the newest checkpoint: what it knows,
anyone can find in the published leaves.
"""

from __future__ import annotations

import json
import threading
from base64 import b64decode
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.conf import settings
from django.db import connection

from creditbank.ledger import kinds, queries
from creditbank.proofs import commitments

CHUNK: Final = 200_000
"""Rows of the account book looked through by one query, so that none runs into the time-out."""

REVERSALS: Final = (kinds.AWARD_REVERSE, kinds.RECOGNISE_REVERSE)
"""An expiry is not among them: the last valid day stands in the entry itself."""

KEY_KINDS: Final = (kinds.GENESIS, kinds.KEY_ADD, kinds.KEY_RETIRE, kinds.KEY_COMPROMISE)


@dataclass(frozen=True, kw_only=True)
class Reversal:
    """An entry at `index` that reverses another; `ordered` when the bank did it by an order."""

    index: int
    leaf_hash: bytes
    ordered: bool


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """An entry at `index` that revokes a registered document."""

    index: int
    leaf_hash: bytes
    number: str
    digest: bytes
    reason: str
    successor: str


@dataclass(frozen=True, kw_only=True)
class KeyEvent:
    """An entry at `index` about a stream's key: added, retired, or compromised from an index."""

    index: int
    kind: kinds.Kind
    stream: str
    algorithm: str
    public: bytes
    from_index: int


@dataclass(frozen=True, kw_only=True)
class KeyLife:
    """A stream's key and the log indexes at which its life changed.

    A key declared compromised signs nothing after that declaration either, so
    it is retired there at the latest; of two declarations the earlier index
    counts, since trust only shrinks.
    """

    algorithm: str
    public: bytes
    added: int
    retired: int | None = None
    compromised_from: int | None = None

    def signed_in_force(self, manifest_index: int) -> bool:
        """Tell whether a manifest at a log index was signed while the key was in force.

        The genesis is the one entry signed by a key that it adds itself.
        """
        return (
            (self.added < manifest_index or (self.added, manifest_index) == (1, 0))
            and (self.retired is None or manifest_index < self.retired)
            and (self.compromised_from is None or manifest_index < self.compromised_from)
        )


@dataclass(kw_only=True)
class Events:
    """All reversals, revocations and key events below `size`, in the order of the log."""

    size: int = 0
    reversals: list[Reversal] = field(default_factory=list)
    revocations: list[Revocation] = field(default_factory=list)
    reversal_of: dict[bytes, Reversal] = field(default_factory=dict)
    """By the hash of the leaf that was reversed."""
    revocation_of: dict[bytes, Revocation] = field(default_factory=dict)
    """By the hash of the leaf that registered the document."""
    revocation_of_number: dict[str, Revocation] = field(default_factory=dict)
    key_events: list[KeyEvent] = field(default_factory=list)

    def reversals_below(self, size: int) -> list[Reversal]:
        """Return the reversals that a checkpoint of this size covers."""
        return self.reversals[: bisect_left(self.reversals, size, key=lambda event: event.index)]

    def revocations_below(self, size: int) -> list[Revocation]:
        """Return the revocations that a checkpoint of this size covers."""
        return self.revocations[
            : bisect_left(self.revocations, size, key=lambda event: event.index)
        ]

    def keys_below(self, size: int) -> dict[str, list[KeyLife]]:
        """Return every key each stream ever had under a checkpoint of this size, oldest first."""
        streams: dict[str, dict[bytes, KeyLife]] = {}
        for event in self.key_events:
            if event.index >= size:
                break
            keys = streams.setdefault(event.stream, {})
            held = keys.get(event.public)
            if event.kind in (kinds.KEY_ADD, kinds.GENESIS):
                if held is None:
                    keys[event.public] = KeyLife(
                        algorithm=event.algorithm, public=event.public, added=event.index
                    )
            elif held is not None:
                retired = event.index if held.retired is None else held.retired
                compromised = held.compromised_from
                if event.kind is kinds.KEY_COMPROMISE:
                    compromised = min(
                        event.from_index if compromised is None else compromised, event.from_index
                    )
                keys[event.public] = replace(held, retired=retired, compromised_from=compromised)
        return {stream: list(keys.values()) for stream, keys in streams.items()}

    def _take(self, index: int, kind: kinds.Kind, leaf: bytes, opening: bytes) -> None:
        if kind in KEY_KINDS:
            core: dict[str, Any] = json.loads(commitments.split(opening)[0])
            self.key_events.append(
                KeyEvent(
                    index=index,
                    kind=kind,
                    stream=str(core["stream"]),
                    algorithm=str(core["algorithm"]),
                    public=b64decode(core["public"], validate=True),
                    from_index=int(core.get("from", 0)),
                )
            )
            return
        parsed = commitments.parse_leaf(leaf)
        if parsed.acts_on is None:
            return
        if kind is kinds.TRANSCRIPT_REVOKE:
            core = json.loads(commitments.split(opening)[0])
            revocation = Revocation(
                index=index,
                leaf_hash=parsed.acts_on,
                number=str(core["number"]),
                digest=b64decode(core["digest"], validate=True),
                reason=str(core["reason"]),
                successor=str(core.get("successor", "")),
            )
            self.revocations.append(revocation)
            self.revocation_of[parsed.acts_on] = revocation
            self.revocation_of_number[revocation.number] = revocation
        else:
            reversal = Reversal(
                index=index,
                leaf_hash=parsed.acts_on,
                ordered=parsed.stream == settings.BANK_STREAM,
            )
            self.reversals.append(reversal)
            self.reversal_of[parsed.acts_on] = reversal


class _Follower:
    """Follows the published log of the database in use, once per process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._database = ""
        self._note = b""
        self._events = Events()

    def follow(self, size: int, note: bytes) -> Events:
        """Read on to a published checkpoint and return what is known there."""
        database = str(connection.settings_dict["NAME"])
        with self._lock:
            if (database, note) == (self._database, self._note):
                return self._events
            if not self._still_the_same_log(database):
                self._events = Events()
                self._database, self._note = database, b""
            if size > self._events.size:
                try:
                    self._read(size)
                except BaseException:
                    # Half a chunk may have been taken: begin again, never twice the same.
                    self._events = Events()
                    self._note = b""
                    raise
                self._note = note
            return self._events

    def _still_the_same_log(self, database: str) -> bool:
        """Tell whether the database still holds the checkpoint this stands on.

        After a restore, or in another database, what was seen before means nothing.
        """
        if self._database != database:
            return False
        if self._events.size == 0:
            return True
        try:
            return queries.checkpoint(self._events.size) == self._note
        except queries.CheckpointMissing:
            return False

    def _read(self, size: int) -> None:
        wanted = [kind.number for kind in (*REVERSALS, kinds.TRANSCRIPT_REVOKE, *KEY_KINDS)]
        for start in range(self._events.size, size, CHUNK):
            stop = min(start + CHUNK, size)
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT idx, kind, leaf, opening FROM ledger_entry"
                    " WHERE idx >= %s AND idx < %s AND kind = ANY(%s) ORDER BY idx",
                    [start, stop, wanted],
                )
                for index, kind, leaf, opening in cursor.fetchall():
                    self._events._take(index, kinds.BY_NUMBER[kind], bytes(leaf), bytes(opening))
            self._events.size = stop


_follower = _Follower()


@dataclass(frozen=True, kw_only=True)
class Newest:
    """The newest published checkpoint; size 0 and no note before the first."""

    size: int
    note: bytes


def newest_checkpoint() -> Newest:
    """Return the newest published checkpoint, in one query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT size, note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1")
        row = cursor.fetchone()
    return Newest(size=row[0], note=bytes(row[1])) if row else Newest(size=0, note=b"")


def published(newest: Newest | None = None) -> Events:
    """Return the reversals, revocations and key events of the published log.

    `newest` saves a query to those who have it. The object grows as the log
    does; ask it for what lies below a size.
    """
    known = newest_checkpoint() if newest is None else newest
    return _follower.follow(known.size, known.note)


def index_of_leaf(account: int, leaf_hash: bytes) -> int | None:
    """Return the index of the entry of an account that has this leaf hash (RFC 6962: 00 | leaf).

    Leaves name each other in public; the account only makes the search short.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT idx FROM ledger_entry WHERE acct = %s AND sha256('\\x00'::bytea || leaf) = %s",
            [account, leaf_hash],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else None


@dataclass(frozen=True, kw_only=True)
class LeafView:
    """One leaf in a list: an entry of a kind, or a manifest over `count` entries."""

    index: int
    stream: str
    kind: kinds.Kind | None
    count: int


def newest_leaves(size: int, count: int) -> list[LeafView]:
    """Return the `count` newest leaves below a size, newest first."""
    window = [max(0, size - count), size]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT idx, kind, leaf FROM ledger_entry WHERE idx >= %s AND idx < %s", window
        )
        leaves = [
            LeafView(
                index=index,
                stream=commitments.parse_leaf(bytes(leaf)).stream,
                kind=kinds.BY_NUMBER[kind],
                count=1,
            )
            for index, kind, leaf in cursor.fetchall()
        ]
        cursor.execute(
            "SELECT idx, stream, n FROM ledger_manifest WHERE idx >= %s AND idx < %s", window
        )
        leaves += [
            LeafView(index=index, stream=stream, kind=None, count=n)
            for index, stream, n in cursor.fetchall()
        ]
    return sorted(leaves, key=lambda leaf: -leaf.index)
