"""What sums the log up: the head, the upper tiles, the streams' heads; and the proofs of forks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from creditbank.ledger.auditing.findings import Found
from creditbank.ledger.auditing.streamkeys import StreamKeys
from creditbank.ledger.auditing.stretch import ZERO_ROOT
from creditbank.proofs import merkle, notes, signatures
from creditbank.proofs.manifests import Manifest
from creditbank.proofs.merkle import Frontier
from creditbank.proofs.tiles import HEIGHT, TILE_WIDTH

Connection = psycopg.Connection[tuple[Any, ...]]


def check_head(connection: Connection, frontier: Frontier, found: Found) -> None:
    """Compare the head with the tree of all leaves."""
    with connection.cursor(binary=True) as cursor:
        cursor.execute("SELECT size, frontier, root FROM ledger_head WHERE id = 1")
        rows = cursor.fetchall()
    if not rows:
        found("head-missing", "ledger_head 1")
    for row in rows:
        if row != (frontier.size, frontier.pack(), frontier.root()):
            found("head-differs", "ledger_head 1", min(row[0], frontier.size))


def check_upper_tiles(connection: Connection, size: int, found: Found) -> None:
    """Compare each upper tile with the roots of the stored tiles below it."""
    with connection.cursor(binary=True) as cursor:
        cursor.execute("SELECT level, n, data, root FROM ledger_tile WHERE level > 0 ORDER BY 1, 2")
        stored = {(level, n): (data, root) for level, n, data, root in cursor.fetchall()}
        level = 1
        while count := size >> (HEIGHT * (level + 1)):
            for n in range(count):
                cursor.execute(
                    "SELECT root FROM ledger_tile WHERE level = %s AND n >= %s AND n < %s ORDER BY n",
                    [level - 1, n * TILE_WIDTH, (n + 1) * TILE_WIDTH],
                )
                below = [root for (root,) in cursor.fetchall()]
                if stored.pop((level, n), None) != (b"".join(below), merkle.root_of(below)):
                    found("tile-differs", f"ledger_tile {level}/{n}", n << (HEIGHT * (level + 1)))
            level += 1
    for level, n in stored:
        found("tile-beyond-log", f"ledger_tile {level}/{n}")


def check_stream_heads(
    connection: Connection, streams: Mapping[str, tuple[int, bytes]], found: Found
) -> None:
    """Compare the streams' heads with where their manifests end."""
    with connection.cursor(binary=True) as cursor:
        cursor.execute("SELECT stream, next_seq, prev_root FROM ledger_streamhead")
        stored = {stream: (seq, root) for stream, seq, root in cursor.fetchall()}
    for stream in sorted(stored.keys() | streams.keys()):
        if stored.get(stream) != streams.get(stream, (0, ZERO_ROOT)):
            found("stream-head-differs", f"ledger_streamhead {stream}")


def check_fork_evidence(connection: Connection, keys: StreamKeys, found: Found) -> None:
    """Check that each kept manifest is signed by its stream, and its columns are its own."""
    with connection.cursor("audit_forks", binary=True) as cursor:
        cursor.execute("SELECT stream, first_seq, note, digest FROM ledger_forkevidence")
        for stream, first, data, digest in cursor:
            where = f"ledger_forkevidence {stream}/{first}"
            try:
                note = notes.SignedNote.parse(data)
                manifest = Manifest.parse(note.text)
                keys.verify_ever(note, stream)
            except (notes.NoteMalformed, signatures.SignatureInvalid) as error:
                found("fork-evidence", where, detail=str(error))
                continue
            told = (manifest.stream, manifest.first, merkle.leaf_hash(data))
            if told != (stream, first, digest):
                found("fork-evidence", where, detail="columns differ from the note")
