"""The tree over the stored rows, recomputed: the signer believes no hash that others computed.

A log died of one flipped bit under a signed head: so what is signed is computed
here, from the bytes of the rows, and compared with what the writers computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, cast

import psycopg

from creditbank.proofs import merkle
from creditbank.proofs.merkle import Frontier
from creditbank.proofs.tiles import HEIGHT, TILE_WIDTH, Tile
from creditbank.signer.errors import RowsDiffer

WINDOW: Final = 16_384
"""Rows read at once: enough that the round trip costs nothing, few enough for the memory."""

# Without ORDER BY: sorting the two tables' rows into one sequence would cost the server
# as much as reading them, and each row says where it belongs.
_ROWS: Final = (
    "SELECT idx, leaf FROM ledger_entry WHERE idx >= %(start)s AND idx < %(stop)s"
    " UNION ALL"
    " SELECT idx, note FROM ledger_manifest WHERE idx >= %(start)s AND idx < %(stop)s"
)
_RANGE: Final = (
    " FROM ledger_tile WHERE level = %(level)s AND n >= %(start)s AND n < %(stop)s ORDER BY n"
)
_ROOTS: Final = "SELECT n, root" + _RANGE
_TILES: Final = "SELECT n, root, data" + _RANGE

Connection = psycopg.Connection[tuple[Any, ...]]


def read_leaves(connection: Connection, start: int, stop: int) -> list[bytes]:
    """Return the log's leaves `start` .. `stop - 1`: manifest notes and entries' leaf bytes.

    Raises RowsDiffer at the first index that is missing or there twice.
    """
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(_ROWS, {"start": start, "stop": stop}, prepare=True).fetchall()
    leaves: list[bytes | None] = [None] * (stop - start)
    for index, leaf in rows:
        leaves[index - start] = leaf
    if None in leaves or len(rows) != len(leaves):
        raise RowsDiffer(
            f"the log's rows {start} to {stop - 1} are not all there, each once",
            start=start,
            stop=stop,
            found=len(rows),
            first_missing=start + leaves.index(None) if None in leaves else None,
        )
    return cast(list[bytes], leaves)


def windows(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Cut a range of indexes into windows of at most WINDOW."""
    for low in range(start, stop, WINDOW):
        yield low, min(low + WINDOW, stop)


def hash_leaves(leaves: Sequence[bytes]) -> list[bytes]:
    """Hash leaves (RFC 6962 section 2.1); in place, since a call a leaf would cost as much again."""
    return [sha256(b"\0" + leaf).digest() for leaf in leaves]


def tile_roots(connection: Connection, level: int, start: int, stop: int) -> list[bytes]:
    """Return the stored roots of the full tiles `start` .. `stop - 1` of a level.

    Raises RowsDiffer when one is missing.
    """
    return [root for _, root in _read_tiles(connection, _ROOTS, level, start, stop)]


def read_tiles(connection: Connection, level: int, start: int, stop: int) -> list[Tile]:
    """Return the stored full tiles `start` .. `stop - 1` of a level. Raises RowsDiffer."""
    rows = _read_tiles(connection, _TILES, level, start, stop)
    return [Tile(level=level, n=n, data=data, root=root) for n, root, data in rows]


def _read_tiles(
    connection: Connection, query: str, level: int, start: int, stop: int
) -> list[tuple[Any, ...]]:
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(
            query.encode(), {"level": level, "start": start, "stop": stop}, prepare=True
        ).fetchall()
    if [row[0] for row in rows] != list(range(start, stop)):
        raise RowsDiffer(
            f"tiles {start} to {stop - 1} of level {level} are not all there",
            level=level,
            start=start,
            stop=stop,
        )
    return rows


@dataclass(frozen=True)
class Edge:
    """A tree's right edge: its frontier, and the hashes in its unfinished tiles.

    `rows[0]` holds the leaf hashes of the unfinished tile of level 0, `rows[L]`
    the hashes that stand in the unfinished tile of level L, for each level that
    the tree reaches.
    """

    frontier: Frontier
    rows: Mapping[int, Sequence[bytes]]

    @classmethod
    def empty(cls) -> Edge:
        """Return the edge of the empty tree."""
        return cls(Frontier.empty(), {0: ()})

    @classmethod
    def load(cls, connection: Connection, size: int) -> Edge:
        """Read the edge at a size from the stored rows and tiles. Raises RowsDiffer.

        The frontier is computed from what was read: whoever has signed this size
        compares it with the one remembered.
        """
        first = size - size % TILE_WIDTH
        rows = {0: hash_leaves(read_leaves(connection, first, size))}
        level = 1
        while count := size >> (HEIGHT * level):
            start = count - count % TILE_WIDTH
            rows[level] = tile_roots(connection, level - 1, start, count)
            level += 1
        return cls(_frontier(size, rows), rows)

    def extend(self, hashes: Sequence[bytes]) -> tuple[Edge, list[Tile]]:
        """Return the edge after appending leaf hashes, and the tiles they complete."""
        frontier, tiles = merkle.extend_with_tiles(
            self.frontier,
            hashes,
            partial=self.rows[0],
            uppers={level: row for level, row in self.rows.items() if level},
        )
        rows: dict[int, Sequence[bytes]] = {0: _tail(self.rows[0], hashes, frontier.size)}
        level = 1
        while count := frontier.size >> (HEIGHT * level):
            made = [tile.root for tile in tiles if tile.level == level - 1]
            rows[level] = _tail(self.rows.get(level, ()), made, count)
            level += 1
        return Edge(frontier, rows), tiles

    def partial_tiles(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield level, number and bytes of each unfinished tile that holds anything."""
        for level, row in self.rows.items():
            if row:
                yield level, self.frontier.size >> (HEIGHT * (level + 1)), b"".join(row)


def _tail(standing: Sequence[bytes], added: Sequence[bytes], count: int) -> Sequence[bytes]:
    """Return what stands in a level's unfinished tile once it holds `count` hashes in all."""
    width = count % TILE_WIDTH
    if not width:
        return ()
    if width <= len(added):
        return added[len(added) - width :]
    return [*standing[len(standing) + len(added) - width :], *added]


def _frontier(size: int, rows: Mapping[int, Sequence[bytes]]) -> Frontier:
    """Compute the peaks from the unfinished tiles: each tile gives those of its eight heights."""
    peaks: list[bytes] = []
    for level in sorted(rows, reverse=True):
        row = rows[level]
        at = 0
        for height in range(HEIGHT - 1, -1, -1):
            if len(row) >> height & 1:
                peaks.append(merkle.root_of(row[at : at + (1 << height)]))
                at += 1 << height
    return Frontier(size, tuple(peaks))


def check_tiles(connection: Connection, tiles: Sequence[Tile]) -> None:
    """Compare the stored tiles with the ones computed from the rows. Raises RowsDiffer."""
    for level in sorted({tile.level for tile in tiles}):
        computed = [tile for tile in tiles if tile.level == level]
        stored = read_tiles(connection, level, computed[0].n, computed[-1].n + 1)
        for mine, theirs in zip(computed, stored, strict=True):
            if mine != theirs:
                raise RowsDiffer(
                    f"tile {mine.n} of level {level} is not the one of the stored rows",
                    level=level,
                    n=mine.n,
                )
