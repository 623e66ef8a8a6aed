"""Tiles (C2SP tlog-tiles): paths, bundles, tiles made while appending, proofs from tiles."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creditbank.proofs import merkle, tiles
from creditbank.proofs.merkle import Frontier, ProofInvalid
from creditbank.proofs.tiles import BadBundle, BadTilePath, TileAddress

LEAVES = [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(70_000)]


# -- paths -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("level", "n", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 7, 256, "tile/0/007"),
        (0, 999, 256, "tile/0/999"),
        (0, 1000, 256, "tile/0/x001/000"),
        (0, 1234, 256, "tile/0/x001/234"),
        (0, 1234067, 256, "tile/0/x001/x234/067"),
        (1, 0, 17, "tile/1/000.p/17"),
        (2, 0, 1, "tile/2/000.p/1"),
        (0, 273, 112, "tile/0/273.p/112"),
        (0, 1234067, 255, "tile/0/x001/x234/067.p/255"),
        (None, 273, 112, "tile/entries/273.p/112"),
        (None, 0, 256, "tile/entries/000"),
        (None, 5001, 256, "tile/entries/x005/001"),
    ],
)
def test_a_tile_has_one_path_and_a_path_names_one_tile(level, n, width, path):
    assert tiles.tile_path(level, n, width) == path
    assert tiles.parse_tile_path(path) == TileAddress(level=level, n=n, width=width)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/1234",
        "tile/0/x000/001",
        "tile/0/001/234",
        "tile/0/x001/x234",
        "tile/0/x1/234",
        "tile/00/000",
        "tile/01/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/entry/000",
        "tile/data/000",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/00",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/1000",
        "tile/0/000\n",
        "tile/0/٠٠٠",
        "tile/0/../000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/" + "x999/" * 6 + "999",
        "tile/0/" + "x999/" * 2000 + "999",
        "tile/7/x001/000",
        "tile/63/001",
    ],
)
def test_another_spelling_or_an_impossible_tile_is_refused(path):
    with pytest.raises(BadTilePath):
        tiles.parse_tile_path(path)


@given(
    st.none() | st.integers(0, 3),
    st.integers(0, 2**30),
    st.integers(1, 256),
)
def test_every_path_written_is_read_back(level, n, width):
    address = tiles.parse_tile_path(tiles.tile_path(level, n, width))
    assert address == TileAddress(level=level, n=n, width=width)


@pytest.mark.parametrize(
    ("level", "n", "width"), [(0, -1, 256), (0, 0, 0), (0, 0, 257), (64, 0, 1)]
)
def test_no_path_is_written_for_what_cannot_be(level, n, width):
    with pytest.raises(BadTilePath):
        tiles.tile_path(level, n, width)


# -- bundles -----------------------------------------------------------------------------------
@given(st.lists(st.binary(max_size=40), max_size=12))
def test_a_bundle_is_read_back_and_no_shorter_one_is_accepted_as_it(entries):
    data = tiles.encode_bundle(entries)
    assert tiles.decode_bundle(data) == entries
    for cut in range(len(data)):
        try:
            assert tiles.decode_bundle(data[:cut]) != entries
        except BadBundle:
            continue


def test_a_bundle_is_a_sequence_of_entries_after_their_lengths():
    assert tiles.encode_bundle([b"ab", b"", b"c" * 256]) == (
        b"\x00\x02ab" + b"\x00\x00" + b"\x01\x00" + b"c" * 256
    )
    assert tiles.decode_bundle(tiles.encode_bundle([b"x" * 65_535])) == [b"x" * 65_535]
    with pytest.raises(BadBundle):
        tiles.encode_bundle([b"x" * 65_536])


@pytest.mark.parametrize(
    "data", [b"\x00", b"\x00\x01", b"\x00\x02a", b"\x00\x00\x00", b"\xff\xffa"]
)
def test_a_bundle_that_ends_too_early_is_refused(data):
    with pytest.raises(BadBundle):
        tiles.decode_bundle(data)


# -- tiles made while appending ------------------------------------------------------------------
def _all_tiles(leaves: list[bytes]) -> dict[tuple[int, int], bytes]:
    """Every tile, full or partial, of a tree, straight from the definition."""
    made: dict[tuple[int, int], bytes] = {}
    level, row = 0, leaves
    while row:
        for at in range(0, len(row), 256):
            made[level, at // 256] = b"".join(row[at : at + 256])
        row = [
            merkle.root_of(row[at : at + 256]) for at in range(0, len(row) - len(row) % 256, 256)
        ]
        level += 1
    return made


def _append(
    frontier: Frontier, rows: dict[int, list[bytes]], added: list[bytes]
) -> tuple[Frontier, list[tiles.Tile]]:
    """Append as a writer does, who keeps what stands in the unfinished tiles."""
    grown, made = merkle.extend_with_tiles(
        frontier,
        added,
        partial=rows.get(0, []),
        uppers={level: row for level, row in rows.items() if level},
    )
    rows[0] = [*rows.get(0, []), *added]
    for tile in made:
        rows.setdefault(tile.level + 1, []).append(tile.root)
    for level, row in rows.items():
        rows[level] = row[len(row) - (grown.size >> 8 * level) % 256 :]
    return grown, made


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=8), st.integers(0, 67_000))
def test_appending_in_any_pieces_completes_each_tile_once_with_the_hashes_defined(pieces, start):
    frontier, rows = Frontier.empty(), {}
    frontier, made = _append(frontier, rows, LEAVES[:start])
    found = {(tile.level, tile.n): tile for tile in made}
    size = start
    for piece in pieces:
        added = LEAVES[size : size + piece]
        frontier, made = _append(frontier, rows, added)
        size += len(added)
        for tile in made:
            assert (tile.level, tile.n) not in found
            found[tile.level, tile.n] = tile
    assert (frontier.size, frontier.root()) == (size, merkle.root_of(LEAVES[:size]))
    full = {at: data for at, data in _all_tiles(LEAVES[:size]).items() if len(data) == 8192}
    assert {at: tile.data for at, tile in found.items()} == full
    for tile in found.values():
        hashes = [tile.data[at : at + 32] for at in range(0, 8192, 32)]
        assert tile.root == merkle.root_of(hashes)


def test_a_tree_of_70000_is_made_of_the_tiles_that_the_specification_counts():
    made = _all_tiles(LEAVES)
    widths = {at: len(data) // 32 for at, data in made.items()}
    assert sum(level == 0 and width == 256 for (level, _), width in widths.items()) == 273
    assert widths[0, 273] == 112
    assert widths[1, 0] == 256
    assert widths[1, 1] == 17
    assert widths[2, 0] == 1
    assert len(widths) == 277


def test_tiles_come_lowest_level_first_so_that_a_writer_may_store_them_as_they_come():
    frontier, rows = _append(Frontier.empty(), {}, LEAVES[:65_500])[0], {}
    _append(Frontier.empty(), rows, LEAVES[:65_500])
    _, made = _append(frontier, rows, LEAVES[65_500:66_000])
    assert [(tile.level, tile.n) for tile in made] == [(0, 255), (0, 256), (1, 0)]


@pytest.mark.parametrize("wrong", [255, 1, 0])
def test_an_unfinished_tile_that_is_not_whole_is_refused_instead_of_hashed(wrong):
    frontier = Frontier.empty().extend(LEAVES[:254])
    with pytest.raises(ProofInvalid):
        merkle.extend_with_tiles(frontier, LEAVES[254:300], partial=LEAVES[:wrong], uppers={})


def test_upper_hashes_that_are_missing_are_refused():
    frontier = Frontier.empty().extend(LEAVES[:65_500])
    with pytest.raises(ProofInvalid):
        merkle.extend_with_tiles(
            frontier, LEAVES[65_500:65_600], partial=LEAVES[65_500 // 256 * 256 : 65_500], uppers={}
        )


def test_an_append_that_completes_no_tile_needs_no_standing_hashes():
    frontier = Frontier.empty().extend(LEAVES[:65_537])
    grown, made = merkle.extend_with_tiles(frontier, LEAVES[65_537:65_600], partial=[], uppers={})
    assert made == []
    assert grown.root() == merkle.root_of(LEAVES[:65_600])


# -- proofs from tiles ---------------------------------------------------------------------------
class Recording:
    """A reader that remembers which tiles it was asked for."""

    def __init__(self, reader: tiles.LoadedTiles) -> None:
        self.reader = reader
        self.read: set[tuple[int, int]] = set()

    def hashes(self, level: int, start: int, stop: int) -> list[bytes]:
        assert start // 256 == (stop - 1) // 256
        self.read.add((level, start // 256))
        return self.reader.hashes(level, start, stop)


@pytest.mark.parametrize(
    "size", [1, 2, 3, 255, 256, 257, 511, 512, 513, 1000, 4096, 65_535, 65_536, 65_537, 70_000]
)
def test_proofs_from_tiles_are_those_of_the_leaves_and_read_the_tiles_named(size):
    leaves = LEAVES[:size]
    every = _all_tiles(leaves)
    points = {0, 1, 255, 256, 257, size // 3, size // 2, size - 257, size - 2, size - 1}
    if size > 10_000:
        points = {0, 257, size // 2, size - 1}
    for index in sorted(points & set(range(size))):
        needed = tiles.needed(index, size)
        reader = Recording(tiles.LoadedTiles({at: every[at] for at in needed}))
        assert tiles.prove_inclusion(reader, index, size) == merkle.inclusion_path(leaves, index)
        assert reader.read == needed
        old = index + 1
        needed = tiles.needed_for_consistency(old, size)
        reader = Recording(tiles.LoadedTiles({at: every[at] for at in needed}))
        assert tiles.prove_consistency(reader, old, size) == merkle.consistency_path(leaves, old)
        assert reader.read == needed


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_proof_from_tiles_verifies_at_any_size(data):
    size = data.draw(st.integers(1, 3000))
    index = data.draw(st.integers(0, size - 1))
    reader = tiles.LoadedTiles(_all_tiles(LEAVES[:size]))
    root = merkle.root_of(LEAVES[:size])
    merkle.verify_inclusion(
        leaf=LEAVES[index],
        index=index,
        size=size,
        path=tiles.prove_inclusion(reader, index, size),
        root=root,
    )
    merkle.verify_consistency(
        old_size=index + 1,
        new_size=size,
        old_root=merkle.root_of(LEAVES[: index + 1]),
        new_root=root,
        path=tiles.prove_consistency(reader, index + 1, size),
    )


def test_a_million_leaves_need_few_tiles():
    assert len(tiles.needed(123_456, 1_000_000)) <= 6
    assert len(tiles.needed_for_consistency(123_456, 1_000_000)) <= 6


def test_a_proof_outside_the_tree_is_not_made():
    reader = tiles.LoadedTiles(_all_tiles(LEAVES[:10]))
    for index, size in ((-1, 10), (10, 10), (0, 0)):
        with pytest.raises(IndexError):
            tiles.prove_inclusion(reader, index, size)
        with pytest.raises(IndexError):
            tiles.needed(index, size)
    for old, new in ((0, 10), (11, 10), (-1, 10)):
        with pytest.raises(IndexError):
            tiles.prove_consistency(reader, old, new)


def test_a_missing_or_short_tile_is_named_instead_of_a_wrong_proof_made():
    every = _all_tiles(LEAVES[:600])
    for at in tiles.needed(300, 600):
        short = {**every, at: every[at][:-1] if len(every[at]) <= 32 else every[at][:32]}
        gone = {key: value for key, value in every.items() if key != at}
        for given_tiles in (gone, short):
            try:
                proof = tiles.prove_inclusion(tiles.LoadedTiles(given_tiles), 300, 600)
            except tiles.TileMissing:
                continue
            assert given_tiles is short
            assert proof == merkle.inclusion_path(LEAVES[:600], 300)


def test_a_range_of_a_manifest_has_a_root_of_its_own_wherever_it_begins():
    reader = tiles.LoadedTiles(_all_tiles(LEAVES[:2000]))
    for start, stop in ((1, 6), (7, 10), (255, 258), (3, 1003), (0, 1), (512, 768)):
        assert tiles.range_root(reader, start, stop) == merkle.root_of(LEAVES[start:stop])


def test_only_a_range_aligned_with_the_tree_is_a_subtree():
    reader = tiles.LoadedTiles(_all_tiles(LEAVES[:2000]))
    for start, stop in ((0, 2000), (0, 1), (8, 13), (1024, 2000), (512, 1024), (1536, 1792)):
        assert tiles.subtree_root(reader, start, stop) == merkle.root_of(LEAVES[start:stop])
    for start, stop in ((1, 3), (4, 12), (256, 1024), (5, 5), (6, 5)):
        with pytest.raises(ValueError, match="no subtree"):
            tiles.subtree_root(reader, start, stop)
