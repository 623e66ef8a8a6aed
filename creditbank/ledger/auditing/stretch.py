"""A stretch of the log, from one manifest to another, read row by row.

Each stretch can be read by a process of its own. What ties it to the one before,
where each stream stands and the tree up to it, is handed back to be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from creditbank.ledger.auditing.effects import Effects
from creditbank.ledger.auditing.entries import Entries, Row
from creditbank.ledger.auditing.findings import AuditReport
from creditbank.ledger.auditing.secrets import Secrets
from creditbank.ledger.auditing.streamkeys import StreamKeys
from creditbank.ledger.auditing.tree import Tree
from creditbank.proofs import merkle, signatures
from creditbank.proofs.manifests import Manifest
from creditbank.proofs.merkle import Frontier
from creditbank.proofs.notes import Checkpoint, NoteMalformed, SignedNote
from creditbank.proofs.tiles import TILE_WIDTH
from creditbank.signer.tree import Edge

ROWS_AT_ONCE: Final = 4_096
LEAVES_AT_ONCE: Final = 2_048
END: Final = 2**63 - 1
ZERO_ROOT: Final = bytes(32)

_ENTRIES: Final = (
    "SELECT idx, acct, dkey, kind, qty, leaf, opening FROM ledger_entry"
    " WHERE idx >= %s AND idx < %s ORDER BY idx"
)
_MANIFESTS: Final = (
    "SELECT idx, stream, first_seq, n, note FROM ledger_manifest"
    " WHERE idx >= %s AND idx < %s ORDER BY idx"
)
_TILES: Final = (
    "SELECT n, data, root FROM ledger_tile WHERE level = 0 AND n >= %s AND n < %s ORDER BY n"
)
_CHECKPOINTS: Final = (
    "SELECT size, note FROM ledger_checkpoint WHERE size > %s AND size <= %s ORDER BY size"
)

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(kw_only=True)
class StreamRun:
    """What a stretch holds of a stream: where it begins, and where the stream stands after it."""

    index: int
    first: int
    previous: bytes
    next_seq: int
    root: bytes


@dataclass(kw_only=True)
class StretchResult:
    """What a stretch gives: findings, what must be followed, and its two ends."""

    start: int
    before: Frontier
    after: Frontier
    report: AuditReport
    effects: Effects
    streams: dict[str, StreamRun] = field(default_factory=dict)
    wrong_checkpoints: list[tuple[str, int]] = field(default_factory=list)
    """(code, size) of checkpoints whose root, read as it stands, is not the tree's."""


def read_stretch(
    *,
    ledger: Connection,
    secrets: Secrets,
    keys: StreamKeys,
    origin: str,
    bank: str,
    start: int,
    stop: int,
    tell: Callable[[int], None],
) -> StretchResult:
    """Read the manifests and entries `start` .. `stop` - 1; `tell` is told how many are done.

    `start` is 0 or a manifest's index. Raises RowsDiffer when what stands before
    a later start cannot be made out.
    """
    return _Stretch(ledger, secrets, keys, origin, bank, start, stop).read(tell)


class _Stretch:
    def __init__(
        self,
        ledger: Connection,
        secrets: Secrets,
        keys: StreamKeys,
        origin: str,
        bank: str,
        start: int,
        stop: int,
    ) -> None:
        self._ledger, self._keys, self._origin = ledger, keys, origin
        self._start, self._stop = start, stop
        self._tree = Tree(Edge.load(ledger, start) if start else None)
        report, effects = AuditReport(), Effects()
        self._report, self._effects = report, effects
        self._result = StretchResult(
            start=start,
            before=self._tree.frontier(),
            after=self._tree.frontier(),
            report=report,
            effects=effects,
        )
        self._entries = Entries(secrets=secrets, effects=effects, report=report, bank=bank)
        self._secrets = secrets
        self._rows: list[Row] = []
        self._at = 0
        self._hashes: list[bytes] = []
        self._size = start
        self._source = self._stream_of(_ENTRIES, start, stop, size=ROWS_AT_ONCE)
        self._tiles = _flat(
            self._stream_of(
                _TILES, start // TILE_WIDTH, END if stop == END else stop // TILE_WIDTH, size=256
            )
        )
        self._tile = next(self._tiles, None)
        self._checkpoints = self._roots()
        self._checkpoint = next(self._checkpoints, None)

    def _stream_of(self, query: str, *bounds: int, size: int) -> Iterator[list[Any]]:
        """Read rows through a cursor of the server, some at a time."""
        name = f"audit_{query.split(' FROM ')[1].split()[0]}"
        with self._ledger.cursor(name, binary=True) as cursor:
            cursor.execute(query.encode(), bounds)
            while rows := cursor.fetchmany(size):
                yield rows

    def read(self, tell: Callable[[int], None]) -> StretchResult:
        expected = self._start
        for manifests in self._stream_of(_MANIFESTS, self._start, self._stop, size=512):
            for index, stream, first, count, data in manifests:
                self._strays(below=index)
                if index != expected:
                    self._report.found(
                        "index-gap", f"ledger_manifest {index}", min(index, expected)
                    )
                self._read_one(index, stream, first, count, data)
                expected = index + 1 + count
                if self._checkpoint is not None and self._size >= self._checkpoint[0]:
                    self._check_checkpoints()
                elif len(self._hashes) >= LEAVES_AT_ONCE:
                    self._grow()
                    tell(self._size - self._start)
        self._strays(below=None)
        self._grow()
        self._check_checkpoints(last=True)
        self._result.after = self._tree.frontier()
        while self._tile is not None:
            self._report.found("tile-beyond-log", f"ledger_tile 0/{self._tile[0]}")
            self._tile = next(self._tiles, None)
        tell(self._size - self._start)
        return self._result

    # -- rows -----------------------------------------------------------------------------------
    def _fill(self) -> bool:
        """Read on; have the keys of everyone in the rows at hand."""
        more = next(self._source, None)
        if more is None:
            return False
        self._rows = self._rows[self._at :] + more
        self._at = 0
        self._secrets.load(row[1] for row in self._rows)
        return True

    def _next_entries(self, index: int, count: int) -> list[Row]:
        """Take the entries `index` .. `index + count - 1`, up to the first that is missing."""
        taken: list[Row] = []
        while len(taken) < count:
            if self._at >= len(self._rows) and not self._fill():
                break
            rows = self._rows[self._at : self._at + count - len(taken)]
            begin = index + len(taken)
            if [row[0] for row in rows] != list(range(begin, begin + len(rows))):
                good = 0
                while good < len(rows) and rows[good][0] == begin + good:
                    good += 1
                self._at += good
                return taken + rows[:good]
            self._at += len(rows)
            taken += rows
        return taken

    def _strays(self, below: int | None) -> None:
        """Find the entries that stand before a manifest and belong to none."""
        while self._at < len(self._rows) or self._fill():
            index = self._rows[self._at][0]
            if below is not None and index >= below:
                return
            self._report.found("entry-without-manifest", f"ledger_entry {index}", index)
            self._at += 1

    def _read_one(self, index: int, stream: str, first: int, count: int, data: bytes) -> None:
        """Read a manifest and its entries."""
        manifest = self._manifest(index, stream, first, count, data)
        rows = self._next_entries(index + 1, count)
        if len(rows) < count:
            missing = index + 1 + len(rows)
            self._report.found("entry-missing", f"ledger_entry {missing}", missing)
        self._secrets.load({row[1] for row in rows})
        hashes = self._entries.check(rows, stream, first)
        if manifest is not None and merkle.root_of(hashes) != manifest.root:
            self._report.found("manifest-root", f"ledger_manifest {index}", index)
        self._hashes.append(merkle.leaf_hash(data))
        self._hashes += hashes
        self._size += 1 + len(hashes)

    def _manifest(
        self, index: int, stream: str, first: int, count: int, data: bytes
    ) -> Manifest | None:
        where, found = f"ledger_manifest {index}", self._report.found
        self._report.manifests += 1
        try:
            note = SignedNote.parse(data)
            manifest = Manifest.parse(note.text)
        except NoteMalformed as error:
            found("manifest-malformed", where, index, str(error))
            return None
        if (stream, first, count) != (manifest.stream, manifest.first, manifest.count):
            found("manifest-columns", where, index)
        run = self._result.streams.get(manifest.stream)
        if run is None:
            run = self._result.streams[manifest.stream] = StreamRun(
                index=index,
                first=manifest.first,
                previous=manifest.previous,
                next_seq=manifest.first,
                root=manifest.previous,
            )
        check_follows(manifest.first, manifest.previous, run.next_seq, run.root, index, found)
        run.next_seq = manifest.first + manifest.count
        run.root = manifest.root
        if index > 0:  # The genesis is signed by the key that its own entry declares.
            try:
                self._keys.verify(note, manifest.stream, index)
            except signatures.SignatureInvalid as error:
                found("manifest-signature", where, index, str(error))
        return manifest

    # -- tree, tiles, checkpoints -----------------------------------------------------------------
    def _grow(self) -> None:
        """Put the hashes that wait into the tree; compare the tiles they fill."""
        for n, data, root in self._tree.extend(self._hashes):
            self._report.tiles += 1
            while self._tile is not None and self._tile[0] < n:
                self._report.found("tile-beyond-log", f"ledger_tile 0/{self._tile[0]}")
                self._tile = next(self._tiles, None)
            where = f"ledger_tile 0/{n}"
            if self._tile is None or self._tile[0] != n:
                self._report.found("tile-missing", where, n * TILE_WIDTH)
                continue
            if (data, root) != self._tile[1:]:
                self._report.found("tile-differs", where, n * TILE_WIDTH)
            self._tile = next(self._tiles, None)
        self._hashes = []

    def _roots(self) -> Iterator[tuple[int, bytes]]:
        """Yield size and root of the stretch's checkpoints; what is malformed is found elsewhere."""
        low = self._start if self._start else -END
        for rows in self._stream_of(_CHECKPOINTS, low, self._stop, size=256):
            for size, data in rows:
                try:
                    checkpoint = Checkpoint.parse(SignedNote.parse(data).text)
                except NoteMalformed:
                    continue
                if (checkpoint.size, checkpoint.origin) == (size, self._origin):
                    yield size, checkpoint.root

    def _check_checkpoints(self, *, last: bool = False) -> None:
        """Compare the checkpoints up to here, which must all be at the end of a manifest."""
        self._grow()
        while self._checkpoint is not None and (last or self._checkpoint[0] <= self._size):
            size, root = self._checkpoint
            if size != self._size:
                self._result.wrong_checkpoints.append(("checkpoint-not-at-a-manifest", size))
            elif root != self._tree.frontier().root():
                self._result.wrong_checkpoints.append(("checkpoint-not-a-prefix", size))
            self._checkpoint = next(self._checkpoints, None)


def check_follows(
    first: int,
    previous: bytes,
    next_seq: int,
    root: bytes,
    index: int,
    found: Callable[..., None],
) -> None:
    """Check that a manifest goes on where its stream stands."""
    where = f"ledger_manifest {index}"
    if first != next_seq:
        found("stream-gap", where, index, f"{first}, not {next_seq}")
    if previous != root:
        found("stream-chain", where, index)


def _flat(batches: Iterator[list[Any]]) -> Iterator[Any]:
    for batch in batches:
        yield from batch
