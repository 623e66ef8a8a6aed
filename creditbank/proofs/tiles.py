"""The log as tiles of 256 hashes (C2SP tlog-tiles): paths, entry bundles, proofs from tiles.

A tile of level L and number n holds the roots of the complete subtrees of height
8 * L with numbers 256 * n .. 256 * n + 255, 32 bytes each. Proofs are made from
the few tiles that `needed` names, so that a reader can fetch them at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from creditbank.proofs.hashing import HASH_BYTES, node_hash, root_of

TILE_WIDTH: Final = 256
HEIGHT: Final = 8
ENTRY_MAX: Final = 65_535
SIZE_MAX: Final = 2**63 - 1

_PATH: Final = re.compile(
    r"tile/(?P<level>[0-9]|[1-5][0-9]|6[0-3]|entries)/(?P<n>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class BadTilePath(ValueError):
    """The path names no tile."""


class BadBundle(ValueError):
    """Bytes that are no bundle of entries, or an entry too long for one."""


class TileMissing(LookupError):
    """A proof needs a hash that no tile at hand holds."""


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A full tile: 256 hashes (8,192 bytes), and the root over them."""

    level: int
    n: int
    data: bytes
    root: bytes


@dataclass(frozen=True, kw_only=True)
class TileAddress:
    """Which tile a path names; `level` is None for a bundle of entries."""

    level: int | None
    n: int
    width: int


def tile_path(level: int | None, n: int, width: int = TILE_WIDTH) -> str:
    """Return a tile's path: `tile/0/x001/234`, with `.p/W` for a partial one.

    A level of None names a bundle of entries. Raises BadTilePath for what no log can hold.
    """
    if not 1 <= width <= TILE_WIDTH or n < 0 or not 0 <= (level or 0) < 64:
        raise BadTilePath(f"level {level}, number {n}, width {width}")
    digits = f"{n:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    coded = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{'entries' if level is None else level}/{coded}{partial}"


def parse_tile_path(path: str) -> TileAddress:
    """Read a tile's path; only the one spelling of each is accepted. Raises BadTilePath."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise BadTilePath(path)
    level = None if match["level"] == "entries" else int(match["level"])
    n = int(match["n"].replace("x", "").replace("/", ""))
    width = int(match["width"] or TILE_WIDTH)
    if match["width"] and width >= TILE_WIDTH:
        raise BadTilePath(path)
    # A tile beyond 2**63 leaves cannot be; its number would not fit a database's integer.
    if tile_path(level, n, width) != path or n * TILE_WIDTH << HEIGHT * (level or 0) > SIZE_MAX:
        raise BadTilePath(path)
    return TileAddress(level=level, n=n, width=width)


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return a bundle of log entries, each after its length in two bytes, big-endian.

    Raises BadBundle for an entry longer than 65,535 bytes.
    """
    if any(len(entry) > ENTRY_MAX for entry in entries):
        raise BadBundle(f"an entry is longer than {ENTRY_MAX} bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes) -> list[bytes]:
    """Read a bundle of log entries. Raises BadBundle when bytes are missing."""
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        at += 2
        if len(data) < at + length:
            raise BadBundle("the bundle ends inside an entry")
        entries.append(data[at : at + length])
        at += length
    return entries


class HashReader(Protocol):
    """Reads the hashes of complete subtrees."""

    def hashes(self, level: int, start: int, stop: int) -> Sequence[bytes]:
        """Return the roots of the subtrees `start` .. `stop - 1` of height 8 * level."""
        ...


class LoadedTiles:
    """A reader over tiles that were fetched before, full or partial, by (level, n)."""

    def __init__(self, tiles: Mapping[tuple[int, int], bytes]) -> None:
        self._tiles = tiles

    def hashes(self, level: int, start: int, stop: int) -> list[bytes]:
        """Return the roots of the subtrees `start` .. `stop - 1`. Raises TileMissing."""
        found: list[bytes] = []
        for number in range(start, stop):
            n, at = divmod(number, TILE_WIDTH)
            item = self._tiles.get((level, n), b"")[at * HASH_BYTES : (at + 1) * HASH_BYTES]
            if len(item) != HASH_BYTES:
                raise TileMissing(f"level {level}, tile {n}, hash {at}")
            found.append(item)
        return found


def _subtrees(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yield (height, number) of the complete subtrees that make up a range, the highest first."""
    while start < stop:
        height = (stop - start).bit_length() - 1
        yield height, start >> height
        start += 1 << height


def _place(height: int, number: int) -> tuple[int, int, int]:
    """Return the tile level and the range of its hashes under one complete subtree."""
    level, rest = divmod(height, HEIGHT)
    return level, number << rest, (number + 1) << rest


def _tiles_of(ranges: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return (level, n) of the tiles that hold the hashes of aligned ranges.

    The hashes under one complete subtree never straddle two tiles.
    """
    return {
        (level, first // TILE_WIDTH)
        for start, stop in ranges
        for level, first, _ in (_place(*subtree) for subtree in _subtrees(start, stop))
    }


def subtree_root(reader: HashReader, start: int, stop: int) -> bytes:
    """Return MTH(D[start:stop]) of a range that is a subtree of the log, complete or not.

    That is: `start` is a multiple of the smallest power of two that is no less
    than the range. Raises ValueError for any other range, whose hash the log's
    upper tiles do not hold; see `range_root`.
    """
    size = stop - start
    if size < 1 or start % (1 << (size - 1).bit_length()):
        raise ValueError(f"{start} .. {stop} is no subtree of the log")
    root: bytes | None = None
    for height, number in reversed(list(_subtrees(start, stop))):
        level, first, last = _place(height, number)
        peak = root_of(reader.hashes(level, first, last))
        root = peak if root is None else node_hash(peak, root)
    assert root is not None
    return root


def range_root(reader: HashReader, start: int, stop: int) -> bytes:
    """Return the root over the leaves `start` .. `stop - 1` as a tree of their own: a manifest's."""
    return root_of(reader.hashes(0, start, stop))


def _split(size: int) -> int:
    """Return the largest power of two smaller than `size` (RFC 6962 section 2.1)."""
    return 1 << (size - 1).bit_length() - 1


def _inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Return the sibling ranges on the way from leaf `index` up to the root."""
    if not 0 <= index < size:
        raise IndexError(index)
    siblings: list[tuple[int, int]] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            siblings.append((middle, high))
            high = middle
        else:
            siblings.append((low, middle))
            low = middle
    siblings.reverse()
    return siblings


def consistency_ranges(old_size: int, new_size: int) -> list[tuple[int, int]]:
    """Return the ranges whose roots are the consistency proof (SUBPROOF of RFC 6962 2.1.2)."""
    if not 0 < old_size <= new_size:
        raise IndexError(old_size)
    ranges: list[tuple[int, int]] = []
    low, high, old, whole = 0, new_size, old_size, True
    while old != high - low:
        split = _split(high - low)
        if old <= split:
            ranges.append((low + split, high))
            high = low + split
        else:
            ranges.append((low, low + split))
            low, old, whole = low + split, old - split, False
    if not whole:
        ranges.append((low, high))
    ranges.reverse()
    return ranges


def needed(index: int, size: int) -> set[tuple[int, int]]:
    """Return (level, n) of every tile that `prove_inclusion` will read. Raises IndexError."""
    return _tiles_of(_inclusion_ranges(index, size))


def needed_for_consistency(old_size: int, new_size: int) -> set[tuple[int, int]]:
    """Return (level, n) of every tile that `prove_consistency` will read. Raises IndexError."""
    return _tiles_of(consistency_ranges(old_size, new_size))


def prove_inclusion(reader: HashReader, index: int, size: int) -> list[bytes]:
    """Return the audit path of leaf `index` in the tree of `size`. Raises IndexError."""
    return [subtree_root(reader, *siblings) for siblings in _inclusion_ranges(index, size)]


def prove_consistency(reader: HashReader, old_size: int, new_size: int) -> list[bytes]:
    """Return the proof that the tree of `old_size` is a prefix of that of `new_size`.

    Raises IndexError unless 0 < old_size <= new_size.
    """
    return [subtree_root(reader, *part) for part in consistency_ranges(old_size, new_size)]
