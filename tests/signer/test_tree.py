"""The right edge of the tree, carried from append to append, is the tree of the definition."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.proofs import merkle
from creditbank.proofs.tiles import Tile
from creditbank.signer.database import connect
from creditbank.signer.errors import RowsDiffer
from creditbank.signer.tree import Edge, check_tiles, read_leaves
from tests.signer.support import superuser
from tests.signer.writer import Writer

HASHES = [sha256(b"%d" % n).digest() for n in range(70_000)]


def by_definition(size: int) -> dict[tuple[int, int], bytes]:
    """Return every tile, full or not, of a tree of `size`, computed level by level."""
    found: dict[tuple[int, int], bytes] = {}
    row, level = HASHES[:size], 0
    while row:
        for n in range(0, len(row), 256):
            found[level, n // 256] = b"".join(row[n : n + 256])
        row = [merkle.root_of(row[n : n + 256]) for n in range(0, len(row) - 255, 256)]
        level += 1
    return found


def carried(sizes: list[int]) -> tuple[Edge, list[Tile]]:
    edge, tiles = Edge.empty(), []
    for size in sizes:
        edge, made = edge.extend(HASHES[edge.frontier.size : size])
        tiles += made
    return edge, tiles


def check(sizes: list[int]) -> None:
    edge, tiles = carried(sizes)
    size = sizes[-1]
    assert edge.frontier.root() == merkle.root_of(HASHES[:size])
    expected = by_definition(size)
    found = {(tile.level, tile.n): tile.data for tile in tiles}
    assert len(found) == len(tiles)
    assert found == {key: data for key, data in expected.items() if len(data) == 8192}
    partial = {(level, n): data for level, n, data in edge.partial_tiles()}
    assert partial == {key: data for key, data in expected.items() if len(data) < 8192}


@given(st.lists(st.integers(0, 2_000), min_size=1, max_size=12).map(sorted))
def test_appends_of_any_size_carry_the_edge_of_the_whole(sizes: list[int]) -> None:
    check(sizes)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 65_792])
def test_the_edge_is_right_where_tiles_of_a_level_end(size: int) -> None:
    check([size])
    check([size - 1, size])
    check(sorted({size // 3, size // 2, size}))


def test_the_edge_read_from_the_database_is_the_one_carried(writer: Writer, db: Any) -> None:
    edge = Edge.empty()
    with connect(db.signer_url) as connection:
        for count in (1, 200, 52, 1, 255, 256, 300):
            size = writer.append(count)
            edge, tiles = edge.extend(
                [merkle.leaf_hash(leaf) for leaf in writer.leaves(edge.frontier.size, size)]
            )
            loaded = Edge.load(connection, size)
            assert loaded.frontier == edge.frontier
            assert {level: list(row) for level, row in loaded.rows.items() if row} == {
                level: list(row) for level, row in edge.rows.items() if row
            }
            check_tiles(connection, tiles)
        for earlier in (0, 1, 2, 256, 257, 700):
            assert Edge.load(connection, earlier).frontier.root() == writer.root(earlier)


def test_the_edge_of_a_log_of_three_levels_is_read_from_the_database(
    writer: Writer, db: Any
) -> None:
    for _ in range(7):
        size = writer.append(9_999)
    with connect(db.signer_url) as connection:
        for at in (65_535, 65_536, 65_537, size):
            assert Edge.load(connection, at).frontier.root() == writer.root(at)


def test_leaves_come_in_the_logs_order_manifests_among_entries(writer: Writer, db: Any) -> None:
    for count in (3, 1, 7):
        size = writer.append(count)
    with connect(db.signer_url) as connection:
        assert read_leaves(connection, 0, size) == writer.leaves()
        assert read_leaves(connection, 4, 6) == writer.leaves(4, 6)
        assert read_leaves(connection, 5, 5) == []


def test_missing_and_doubled_rows_are_named(writer: Writer, db: Any) -> None:
    size = writer.append(20)
    with superuser(db.superuser_url) as tampering:
        tampering.execute("DELETE FROM ledger_entry WHERE idx IN (7, 9)")
    with connect(db.signer_url) as connection:
        with pytest.raises(RowsDiffer) as refusal:
            read_leaves(connection, 0, size)
        assert refusal.value.facts["first_missing"] == 7
        with superuser(db.superuser_url) as tampering:
            tampering.execute(
                "INSERT INTO ledger_manifest (idx, stream, first_seq, n, note)"
                " VALUES (7, 'x', 0, 1, ''), (8, 'x', 1, 1, '')"
            )
            tampering.execute(
                "INSERT INTO ledger_entry (idx, acct, dkey, kind, qty, leaf, opening)"
                " VALUES (9, 7, 0, 1, 0, '', '')"
            )
        with pytest.raises(RowsDiffer):
            read_leaves(connection, 0, size)
