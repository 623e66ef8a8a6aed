"""A writer of ledger rows for the signer's tests: the rows, tiles and head that an append leaves.

It writes what the application writes, as the role that it runs as, under the
same triggers, but its entries mean nothing: the signer asks for none.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import psycopg

from creditbank.proofs import commitments, merkle
from creditbank.proofs.manifests import Manifest
from creditbank.proofs.merkle import Frontier

STREAM = "school.example/2026"


class Writer:
    """Appends submissions to one database."""

    def __init__(self, url: str) -> None:
        self.connection: psycopg.Connection[tuple[Any, ...]] = psycopg.connect(url, autocommit=True)

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(
        self, count: int = 1, *, openings: Sequence[bytes] = (), announce: bool = True
    ) -> int:
        """Append a manifest and its entries; return the log's new size.

        With openings the entries are transcripts' registrations in account 0.
        """
        with self.connection.transaction(), self.connection.cursor() as cursor:
            size, packed = self._fetch(
                "SELECT size, frontier FROM ledger_head WHERE id = 1 FOR UPDATE"
            )
            (first,) = self._fetch(
                "SELECT coalesce(max(first_seq + n), 0) FROM ledger_manifest WHERE stream = %s",
                STREAM,
            )
            count = len(openings) or count
            leaves = [_leaf(first + at, openings[at] if openings else None) for at in range(count)]
            manifest = Manifest(
                stream=STREAM,
                first=first,
                count=count,
                root=merkle.root_of([merkle.leaf_hash(leaf) for leaf in leaves]),
                previous=bytes(32),
            )
            note = manifest.text().encode() + b"\n\xe2\x80\x94 unsigned AAAAAAA=\n"
            cursor.execute(
                "INSERT INTO ledger_manifest (idx, stream, first_seq, n, note)"
                " VALUES (%s, %s, %s, %s, %s)",
                [size, STREAM, first, count, note],
            )
            with cursor.copy(
                "COPY ledger_entry (idx, acct, dkey, kind, qty, leaf, opening)"
                " FROM STDIN (FORMAT BINARY)"
            ) as copy:
                copy.set_types(["int8", "int8", "int8", "int2", "int4", "bytea", "bytea"])
                for at, leaf in enumerate(leaves):
                    dkey = int.from_bytes(os.urandom(8), "big", signed=True)
                    acct, kind = (0, 16) if openings else (7, 1)
                    opening = openings[at] if openings else os.urandom(40)
                    if openings:
                        dkey = _registration_key(opening)
                    copy.write_row((size + 1 + at, acct, dkey, kind, 0, leaf, opening))
            hashes = [merkle.leaf_hash(note), *(merkle.leaf_hash(leaf) for leaf in leaves)]
            return self._place(Frontier.unpack(size, packed), hashes, announce=announce)

    def _fetch(self, query: str, *parameters: object) -> tuple[Any, ...]:
        row = self.connection.execute(query.encode(), parameters).fetchone()
        assert row is not None
        return row

    def _place(self, frontier: Frontier, hashes: list[bytes], *, announce: bool) -> int:
        partial = self._leaf_hashes(frontier.size - frontier.size % 256, frontier.size)
        uppers: dict[int, list[bytes]] = {}
        level = 1
        while stop := (frontier.size + len(hashes)) >> (8 * level):
            stop = frontier.size >> (8 * level)
            rows = self.connection.execute(
                "SELECT root FROM ledger_tile WHERE level = %s AND n >= %s AND n < %s ORDER BY n",
                [level - 1, stop - stop % 256, stop],
            )
            uppers[level] = [root for (root,) in rows]
            level += 1
        grown, tiles = merkle.extend_with_tiles(frontier, hashes, partial=partial, uppers=uppers)
        with self.connection.cursor() as cursor:
            for tile in tiles:
                cursor.execute(
                    "INSERT INTO ledger_tile (level, n, data, root) VALUES (%s, %s, %s, %s)",
                    [tile.level, tile.n, tile.data, tile.root],
                )
        self.connection.execute(
            "UPDATE ledger_head SET size = %s, frontier = %s, root = %s WHERE id = 1",
            [grown.size, grown.pack(), grown.root()],
        )
        if announce:
            self.connection.execute("SELECT pg_notify('ledger_head', %s)", [str(grown.size)])
        return grown.size

    def _leaf_hashes(self, start: int, stop: int) -> list[bytes]:
        return [merkle.leaf_hash(leaf) for leaf in self.leaves(start, stop)]

    def leaves(self, start: int = 0, stop: int = 2**62) -> list[bytes]:
        """Return the log's leaves, in order."""
        rows = self.connection.execute(
            "SELECT idx, leaf FROM ledger_entry WHERE idx >= %(a)s AND idx < %(b)s UNION ALL"
            " SELECT idx, note FROM ledger_manifest WHERE idx >= %(a)s AND idx < %(b)s ORDER BY 1",
            {"a": start, "b": stop},
        )
        return [leaf for _, leaf in rows]

    def root(self, size: int) -> bytes:
        """Return the root at a size, by the definition of the tree."""
        return merkle.root_of(self._leaf_hashes(0, size))

    def checkpoints(self) -> list[tuple[int, bytes]]:
        """Return size and note of every published checkpoint."""
        with self.connection.transaction():
            return [
                (size, note)
                for size, note in self.connection.execute(
                    "SELECT size, note FROM ledger_checkpoint ORDER BY size"
                )
            ]


def registration(number: str, **changes: str | int) -> bytes:
    """Return the opening of a transcript's registration."""
    core: dict[str, str | int] = {
        "k": "transcript-issue",
        "q": 0,
        "number": number,
        "digest": "AAAA",
        **changes,
    }
    return commitments.join(core=core, result={}, reference={"u": f"{number}/1"}, holder={"a": "0"})


def _leaf(seq: int, opening: bytes | None) -> bytes:
    if opening is None:
        commitment, kind = os.urandom(32), "award"
    else:
        commitment, kind = commitments.commitment(opening), "transcript-issue"
    return commitments.leaf(commitment=commitment, stream=STREAM, kind=kind, seq=seq, quantity=0)


def _registration_key(opening: bytes) -> int:
    from creditbank.ledger import learnerkeys
    from creditbank.proofs import canonical

    reference: Any = canonical.decode(commitments.split(opening)[2])
    return learnerkeys.dedup_key(learnerkeys.PUBLIC_DEDUP, "document", reference["u"])
