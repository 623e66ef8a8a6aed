"""The log: order and proof, no meaning. The only module that writes ledger rows.

An append is one transaction. Locks are taken in one order everywhere: the
streams by name, then the head. The stream's row covers numbering and signing,
the head's row covers placing. State lives in the rows read under those locks
and nowhere else, so that an exception leaves nothing stale behind.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from creditbank import prepared
from creditbank.errors import DomainError
from creditbank.ledger import acting, guard, linked, submissions
from creditbank.ledger.acting import ActsOnInvalid as ActsOnInvalid
from creditbank.ledger.acting import DuplicateOutcome as DuplicateOutcome
from creditbank.proofs import commitments, merkle
from creditbank.proofs.manifests import Manifest
from creditbank.proofs.notes import SignedNote
from creditbank.proofs.tiles import Tile

ZERO_ROOT: Final = bytes(32)
TILE: Final = 256
SMALL: Final = 256
"""Leaves up to which rows are stored by INSERT, in one trip with all else; beyond, COPY is quicker."""
_ENTRY_TYPES: Final = ["int8", "int8", "int8", "int2", "int4", "bytea", "bytea"]
_MANIFEST_TYPES: Final = ["int8", "text", "int8", "int4", "bytea"]
_TILE_TYPES: Final = ["int2", "int8", "bytea", "bytea"]

SignManifest = Callable[[Manifest], bytes]
"""Signs a hosted stream's manifest and returns the whole note."""


class UnknownStream(DomainError):
    """The bank has no stream of this name."""

    code: ClassVar[str] = "unknown-stream"


class StreamGap(DomainError):
    """The submission starts after the stream's next number: something before it is missing."""

    code: ClassVar[str] = "stream-gap"


class StreamForked(DomainError):
    """The number was used with other content; both manifests are kept as evidence."""

    code: ClassVar[str] = "stream-forked"


class StalePreviousRoot(DomainError):
    """The manifest does not name the stream's last manifest as the one before it."""

    code: ClassVar[str] = "stale-previous-root"


class KeyReused(DomainError):
    """The idempotency key was used for a submission with other content."""

    code: ClassVar[str] = "idempotency-key-reused"


class AccountOverdrawn(DomainError):
    """An account would fall below 0."""

    code: ClassVar[str] = "account-overdrawn"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Where a submission stands in the log: manifest at `manifest_index`, entries after it."""

    stream: str
    first_seq: int
    count: int
    manifest_index: int

    @property
    def first_index(self) -> int:
        """The log index of the first entry."""
        return self.manifest_index + 1

    @property
    def size(self) -> int:
        """The least tree size that covers the whole submission."""
        return self.manifest_index + 1 + self.count

    def index_of(self, position: int) -> int:
        """Return the log index of the entry at a 0-based position in the submission."""
        if not 0 <= position < self.count:
            raise IndexError(position)
        return self.first_index + position


@dataclass(frozen=True, kw_only=True)
class Idempotency:
    """The client's key for a hosted submission, and the digest of what was asked."""

    institution_id: int
    key: str
    digest: bytes

    def mac(self, index: int) -> bytes:
        """Return the MAC under which the row of this key is stored."""
        message = b"%d\0%s\0%s%d" % (
            self.institution_id,
            self.key.encode(),
            self.digest,
            index,
        )
        return hmac.digest(settings.KEYSTORE.get("submission-keys"), message, "sha256")


@dataclass(kw_only=True)
class Batch:
    """A submission that was checked: its openings, what they say, and each one's account.

    For an own-key stream manifest and leaves are given, for a hosted one they
    are made when it gets its numbers. `creditbank.ledger.sealing` fills in
    `rows`, (account, digest key, kind number, quantity, sealed opening) each.
    """

    stream: str
    openings: Sequence[bytes]
    opened: list[commitments.Opened]
    accounts: Sequence[int]
    rows: list[tuple[int, int, int, int, bytes]] = field(default_factory=list)
    watched: list[int] = field(default_factory=list)
    """Positions whose entry acts on another or is of a later generation: checked under the lock."""
    sign: SignManifest | None = None
    note: bytes = b""
    manifest: Manifest | None = None
    leaves: commitments.Leaves = field(default_factory=list)
    idempotency: Idempotency | None = None


@dataclass(frozen=True, kw_only=True)
class _LockedHead:
    """The head's frontier, and how often a link between accounts has changed, under the lock."""

    frontier: merkle.Frontier
    linkage: int

    @classmethod
    def of(cls, head: list[tuple[Any, ...]], linkage: list[tuple[Any, ...]]) -> _LockedHead:
        [(size, packed)] = head
        return cls(frontier=merkle.Frontier.unpack(size, packed), linkage=linkage[0][0])


def _lock_head() -> list[prepared.Statement]:
    return [
        ("SELECT size, frontier FROM ledger_head WHERE id = 1 FOR UPDATE", []),
        (linked.version_query(), []),
    ]


def _manifest_row(receipt: Receipt, batch: Batch) -> tuple[int, str, int, int, bytes]:
    return (
        receipt.manifest_index,
        batch.stream,
        receipt.first_seq,
        receipt.count,
        batch.note,
    )


def _inserts(
    placed: Sequence[tuple[Receipt, Batch]], tiles: Sequence[Tile]
) -> list[prepared.Statement]:
    """The statements that store few rows: no trip of their own, as each COPY has two."""
    manifests = [_manifest_row(receipt, batch) for receipt, batch in placed]
    entries = [
        (receipt.first_index + at, *row[:4], leaf, row[4])
        for receipt, batch in placed
        for at, (row, (leaf, _)) in enumerate(zip(batch.rows, batch.leaves, strict=True))
    ]
    statements: list[prepared.Statement] = [
        (
            (
                "INSERT INTO ledger_manifest (idx, stream, first_seq, n, note) SELECT * FROM"
                " unnest(%b::int8[], %b::text[], %b::int8[], %b::int4[], %b::bytea[])"
            ),
            _columns(manifests),
        ),
        (
            (
                "INSERT INTO ledger_entry (idx, acct, dkey, kind, qty, leaf, opening) SELECT * FROM"
                " unnest(%b::int8[], %b::int8[], %b::int8[], %b::int2[], %b::int4[], %b::bytea[],"
                " %b::bytea[])"
            ),
            _columns(entries),
        ),
        *_keys(placed),
    ]
    if tiles:
        statements.append(
            (
                (
                    "INSERT INTO ledger_tile (level, n, data, root) SELECT * FROM"
                    " unnest(%b::int2[], %b::int8[], %b::bytea[], %b::bytea[])"
                ),
                _columns([(tile.level, tile.n, tile.data, tile.root) for tile in tiles]),
            )
        )
    return statements


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _keys(placed: Sequence[tuple[Receipt, Batch]]) -> list[prepared.Statement]:
    """The statements that store the clients' idempotency keys."""
    return [
        (
            (
                "INSERT INTO ledger_submissionkey (institution_id, key, digest, idx, mac)"
                " VALUES (%s, %s, %s, %s, %s)"
            ),
            [
                batch.idempotency.institution_id,
                batch.idempotency.key,
                batch.idempotency.digest,
                receipt.manifest_index,
                batch.idempotency.mac(receipt.manifest_index),
            ],
        )
        for receipt, batch in placed
        if batch.idempotency is not None
    ]


class OpenLog:
    """The log while its head is locked. Exists only inside `open_for_append`."""

    def __init__(
        self,
        cursor: Any,
        streams: dict[str, tuple[int, bytes]],
        head: _LockedHead | None,
    ) -> None:
        self._cursor = cursor
        self._streams = streams
        self._head = head

    def append(self, batches: Sequence[Batch]) -> list[Receipt]:
        """Number, sign where hosted, check, place and store the batches: all of them or none."""
        receipts: list[Receipt | None] = [None] * len(batches)
        fresh: list[int] = []
        for position, batch in enumerate(batches):
            receipts[position] = self._earlier(batch)
            if receipts[position] is None:
                self._number(batch)
                fresh.append(position)
        if not fresh:
            return [receipt for receipt in receipts if receipt is not None]
        head = self._head or _LockedHead.of(*prepared.run_all(_lock_head()))
        hashes: list[bytes] = []
        placed: list[tuple[Receipt, Batch]] = []
        index = size = head.frontier.size
        for position in fresh:
            batch = batches[position]
            assert batch.manifest is not None
            receipt = receipts[position] = Receipt(
                stream=batch.stream,
                first_seq=batch.manifest.first,
                count=batch.manifest.count,
                manifest_index=index,
            )
            placed.append((receipt, batch))
            hashes.append(merkle.leaf_hash(batch.note))
            hashes += [digest for _, digest in batch.leaves]
            index += 1 + batch.manifest.count
        acting.check(self._cursor, [batch for _, batch in placed], linked.others(head.linkage))
        frontier, tiles = merkle.extend_with_tiles(
            head.frontier,
            hashes,
            partial=self._partial(size, index),
            uppers=self._uppers(size, index),
        )
        if index - size <= SMALL:
            prepared.run_all([*_inserts(placed, tiles), self._advance(placed, frontier)])
        else:
            self._copy(placed, tiles)
            prepared.run_all([*_keys(placed), self._advance(placed, frontier)])
        return [receipt for receipt in receipts if receipt is not None]

    def _earlier(self, batch: Batch) -> Receipt | None:
        """Return the receipt of the first time, when this very submission came before."""
        cursor = self._cursor
        if batch.idempotency is not None:
            cursor.execute(
                "SELECT k.digest, m.stream, m.first_seq, m.n, m.idx FROM ledger_submissionkey k"
                " JOIN ledger_manifest m ON m.idx = k.idx"
                " WHERE k.institution_id = %s AND k.key = %s",
                [batch.idempotency.institution_id, batch.idempotency.key],
            )
            row = cursor.fetchone()
            if row is None:
                return None
            if bytes(row[0]) != batch.idempotency.digest:
                raise KeyReused(key=batch.idempotency.key)
            return Receipt(stream=row[1], first_seq=row[2], count=row[3], manifest_index=row[4])
        if batch.manifest is None:
            return None
        next_seq, _ = self._streams[batch.stream]
        if batch.manifest.first >= next_seq:
            return None
        cursor.execute(
            "SELECT idx, n, note FROM ledger_manifest WHERE stream = %s AND first_seq = %s",
            [batch.stream, batch.manifest.first],
        )
        row = cursor.fetchone()
        if (
            row is not None
            and Manifest.parse(SignedNote.parse(bytes(row[2])).text) == batch.manifest
        ):
            return Receipt(
                stream=batch.stream,
                first_seq=batch.manifest.first,
                count=row[1],
                manifest_index=row[0],
            )
        raise StreamForked(stream=batch.stream, first=batch.manifest.first, next_seq=next_seq)

    def _number(self, batch: Batch) -> None:
        next_seq, previous = self._streams[batch.stream]
        if batch.manifest is None:
            assert batch.sign is not None
            leaves = submissions.number(batch.stream, next_seq, batch.opened)
            batch.leaves = leaves.rows
            batch.manifest = Manifest(
                stream=batch.stream,
                first=next_seq,
                count=len(batch.opened),
                root=leaves.root,
                previous=previous,
            )
            batch.note = batch.sign(batch.manifest)
        elif batch.manifest.first != next_seq:
            raise StreamGap(stream=batch.stream, first=batch.manifest.first, next_seq=next_seq)
        elif batch.manifest.previous != previous:
            raise StalePreviousRoot(
                stream=batch.stream,
                found=batch.manifest.previous.hex(),
                expected=previous.hex(),
            )
        self._streams[batch.stream] = (
            next_seq + batch.manifest.count,
            batch.manifest.root,
        )

    def _copy(self, placed: Sequence[tuple[Receipt, Batch]], tiles: Sequence[Tile]) -> None:
        cursor = self._cursor
        with cursor.copy(
            "COPY ledger_manifest (idx, stream, first_seq, n, note) FROM STDIN (FORMAT BINARY)"
        ) as copy:
            copy.set_types(_MANIFEST_TYPES)
            for receipt, batch in placed:
                copy.write_row(_manifest_row(receipt, batch))
        with cursor.copy(
            "COPY ledger_entry (idx, acct, dkey, kind, qty, leaf, opening)"
            " FROM STDIN (FORMAT BINARY)"
        ) as copy:
            copy.set_types(_ENTRY_TYPES)
            write = copy.write_row
            for receipt, batch in placed:
                index = receipt.first_index
                for (account, dkey, kind, quantity, sealed), leaf in zip(
                    batch.rows, batch.leaves, strict=True
                ):
                    write((index, account, dkey, kind, quantity, leaf[0], sealed))
                    index += 1
        if tiles:
            with cursor.copy(
                "COPY ledger_tile (level, n, data, root) FROM STDIN (FORMAT BINARY)"
            ) as copy:
                copy.set_types(_TILE_TYPES)
                for tile in tiles:
                    copy.write_row((tile.level, tile.n, tile.data, tile.root))

    def _advance(
        self, placed: Sequence[tuple[Receipt, Batch]], frontier: merkle.Frontier
    ) -> prepared.Statement:
        """Move the streams' heads and the log's, and tell the signer."""
        streams = sorted({batch.stream for _, batch in placed})
        return (
            (
                "WITH streams AS ("
                "  UPDATE ledger_streamhead s SET next_seq = u.seq, prev_root = u.root"
                "  FROM unnest(%s::text[], %s::bigint[], %s::bytea[]) AS u(stream, seq, root)"
                "  WHERE s.stream = u.stream"
                "), head AS ("
                "  UPDATE ledger_head SET size = %s, frontier = %s, root = %s WHERE id = 1"
                "  RETURNING size"
                ") SELECT pg_notify('ledger_head', size::text) FROM head"
            ),
            [
                streams,
                [self._streams[stream][0] for stream in streams],
                [self._streams[stream][1] for stream in streams],
                frontier.size,
                frontier.pack(),
                frontier.root(),
            ],
        )

    def _partial(self, size: int, new_size: int) -> list[bytes]:
        """Hash again the leaves of the unfinished tile, when this append finishes it."""
        start = size - size % TILE
        if new_size // TILE == size // TILE or start == size:
            return []
        return leaf_hashes(self._cursor, start, size)

    def _uppers(self, size: int, new_size: int) -> dict[int, list[bytes]]:
        uppers: dict[int, list[bytes]] = {}
        level = 1
        while new_size >> (8 * level):
            stop = size >> (8 * level)
            start = stop - stop % TILE
            uppers[level] = tile_roots(self._cursor, level - 1, start, stop) if stop > start else []
            level += 1
        return uppers


def leaf_hashes(cursor: Any, start: int, stop: int) -> list[bytes]:
    """Hash the stored leaves `start` .. `stop - 1`, manifests and entries together."""
    cursor.execute(
        "SELECT idx, leaf FROM ledger_entry WHERE idx >= %s AND idx < %s UNION ALL"
        " SELECT idx, note FROM ledger_manifest WHERE idx >= %s AND idx < %s ORDER BY 1",
        [start, stop, start, stop],
    )
    rows = cursor.fetchall()
    if len(rows) != stop - start:
        raise LedgerDamaged(start=start, stop=stop, found=len(rows))
    return [merkle.leaf_hash(bytes(leaf)) for _, leaf in rows]


def tile_roots(cursor: Any, level: int, start: int, stop: int) -> list[bytes]:
    """Return the roots of the full tiles `start` .. `stop - 1` of a level."""
    cursor.execute(
        "SELECT root FROM ledger_tile WHERE level = %s AND n >= %s AND n < %s ORDER BY n",
        [level, start, stop],
    )
    rows = [bytes(root) for (root,) in cursor.fetchall()]
    if len(rows) != stop - start:
        raise LedgerDamaged(level=level, start=start, stop=stop, found=len(rows))
    return rows


class LedgerDamaged(DomainError):
    """Rows that must be there are not: stop, and audit the ledger."""

    code: ClassVar[str] = "ledger-damaged"


@contextmanager
def open_for_append(streams: Sequence[str], *, head: bool = False) -> Iterator[OpenLog]:
    """Lock the streams, by name, and hand out the log; the head is locked by its `append`.

    With `head` that lock is taken in the same trip: for submissions that come
    signed. One that a key server is still to sign must not hold up the province.
    Commits on leaving. Refuses to run inside another transaction, since an
    acknowledged append must be durable. Raises UnknownStream.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        wanted = sorted(set(streams))
        rows, *locked = prepared.run_all(
            [
                (
                    (
                        "SELECT stream, next_seq, prev_root FROM ledger_streamhead"
                        " WHERE stream = ANY(%s) ORDER BY stream FOR UPDATE"
                    ),
                    [wanted],
                ),
                *(_lock_head() if head else []),
            ]
        )
        found = {stream: (seq, root) for stream, seq, root in rows}
        missing = [stream for stream in wanted if stream not in found]
        if missing:
            raise UnknownStream(streams=missing)
        yield OpenLog(cursor, found, _LockedHead.of(*locked) if head else None)


def append(batches: Sequence[Batch]) -> list[Receipt]:
    """Append submissions in one transaction and return a receipt for each.

    Raises the first refusal; nothing of any of them is then entered. A unique
    violation is told as DuplicateOutcome with the rows the bank already holds.
    Raises LedgerReadOnly while the database's own guards are not in place.
    """
    guard.refuse_unguarded()
    signed = all(batch.manifest is not None for batch in batches)
    try:
        with open_for_append([batch.stream for batch in batches], head=signed) as log:
            return log.append(batches)
    except (psycopg.Error, DatabaseError) as error:
        violated = _constraint(error)
        if violated == "entry_once_per_outcome":
            raise DuplicateOutcome(rows=_duplicate_rows(batches)) from None
        if violated == "ledger_never_overdrawn":
            raise AccountOverdrawn from None
        raise


def _constraint(error: Exception) -> str | None:
    """Return the name of the constraint that an error of psycopg, or Django's around it, names."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    return cause.diag.constraint_name if isinstance(cause, psycopg.Error) else None


def _duplicate_rows(batches: Sequence[Batch]) -> list[int]:
    """Name the 1-based rows (of a single submission) that repeat each other or the ledger."""
    pairs = [(row[0], row[1]) for batch in batches for row in batch.rows]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.acct, e.dkey FROM ledger_entry e"
            " JOIN unnest(%s::bigint[], %s::bigint[]) AS u(acct, dkey)"
            " ON e.acct = u.acct AND e.dkey = u.dkey",
            [[acct for acct, _ in pairs], [dkey for _, dkey in pairs]],
        )
        held = {(acct, dkey) for acct, dkey in cursor.fetchall()}
    rows: list[int] = []
    seen: set[tuple[int, int]] = set()
    for number, pair in enumerate(pairs, 1):
        if pair in held or pair in seen:
            rows.append(number)
        seen.add(pair)
    return rows


def keep_fork_evidence(*, stream: str, first_seq: int, note: bytes) -> None:
    """Keep the second of two manifests for one number; the first stands in the log."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_forkevidence (stream, first_seq, note, digest)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [stream, first_seq, note, merkle.leaf_hash(note)],
        )


def open_stream(stream: str) -> None:
    """Give a stream its head: next number 0, no manifest before it. Done twice, nothing happens."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_streamhead (stream, next_seq, prev_root) VALUES (%s, 0, %s)"
            " ON CONFLICT DO NOTHING",
            [stream, ZERO_ROOT],
        )
