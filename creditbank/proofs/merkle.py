"""Merkle trees over SHA-256 (RFC 6962 section 2.1, RFC 9162 section 2.1).

Leaf hash = SHA-256(00 | data), node hash = SHA-256(01 | left | right). Hashes
are 32 bytes. What does not verify raises ProofInvalid; nothing returns a bool.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from creditbank.proofs.hashing import (
    EMPTY_ROOT,
    HASH_BYTES,
    leaf_hash,
    level_up,
    node_hash,
    root_of,
)
from creditbank.proofs.tiles import HEIGHT, TILE_WIDTH, Tile, consistency_ranges

__all__ = [
    "EMPTY_ROOT",
    "HASH_BYTES",
    "Frontier",
    "ProofInvalid",
    "consistency_path",
    "extend_with_tiles",
    "inclusion_path",
    "leaf_hash",
    "node_hash",
    "root_from_inclusion",
    "root_of",
    "verify_consistency",
    "verify_inclusion",
]


class ProofInvalid(ValueError):
    """A proof that does not prove what it should."""


def inclusion_path(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Return the audit path of leaf `index` over leaf hashes (RFC 6962 section 2.1.1)."""
    if not 0 <= index < len(hashes):
        raise IndexError(index)
    path: list[bytes] = []
    level = list(hashes)
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        above = level_up(level)
        if len(level) & 1:
            above.append(level[-1])
        level = above
        index >>= 1
    return path


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Compute the root an audit path leads to (RFC 9162 section 2.1.3.2). Raises ProofInvalid."""
    if not 0 <= index < size:
        raise ProofInvalid(f"no leaf {index} in a tree of {size}")
    if len(leaf) != HASH_BYTES or any(len(item) != HASH_BYTES for item in path):
        raise ProofInvalid("a hash is not 32 bytes")
    node, last, root = index, size - 1, leaf
    for item in path:
        if last == 0:
            raise ProofInvalid("the path is too long")
        if node & 1 or node == last:
            root = node_hash(item, root)
            # A last node without a right neighbour was promoted: climb to where it has a left one.
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            root = node_hash(root, item)
        node >>= 1
        last >>= 1
    if last:
        raise ProofInvalid("the path is too short")
    return root


def verify_inclusion(
    *, leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Check that leaf hash `leaf` is number `index` in the tree of `size` with this root."""
    if root_from_inclusion(leaf, index, size, path) != root:
        raise ProofInvalid("the path does not lead to the root")


def consistency_path(hashes: Sequence[bytes], old_size: int) -> list[bytes]:
    """Return the proof that the first `old_size` leaves are a prefix (RFC 6962 section 2.1.2)."""
    return [root_of(hashes[low:high]) for low, high in consistency_ranges(old_size, len(hashes))]


def verify_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Check that the tree of `old_size` is a prefix of the tree of `new_size` (RFC 9162 2.1.4.2)."""
    if not 0 < old_size <= new_size:
        raise ProofInvalid(f"{old_size} is no prefix of {new_size}")
    if any(len(item) != HASH_BYTES for item in (old_root, new_root, *path)):
        raise ProofInvalid("a hash is not 32 bytes")
    if old_size == new_size:
        if path or old_root != new_root:
            raise ProofInvalid("two trees of one size differ")
        return
    steps = list(path)
    if old_size & (old_size - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        raise ProofInvalid("the proof is empty")
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node >>= 1
        last >>= 1
    old = new = steps[0]
    for item in steps[1:]:
        if last == 0:
            raise ProofInvalid("the proof is too long")
        if node & 1 or node == last:
            old = node_hash(item, old)
            new = node_hash(item, new)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            new = node_hash(new, item)
        node >>= 1
        last >>= 1
    if last or old != old_root or new != new_root:
        raise ProofInvalid("the proof does not connect the two roots")


@dataclass(frozen=True)
class Frontier:
    """The roots of the complete subtrees that make up a tree of `size`, the highest first."""

    size: int
    peaks: tuple[bytes, ...]

    @classmethod
    def empty(cls) -> Frontier:
        """Return the frontier of the empty tree."""
        return cls(0, ())

    @classmethod
    def unpack(cls, size: int, data: bytes) -> Frontier:
        """Read what `pack` wrote. Raises ProofInvalid when the length does not fit the size."""
        if size < 0 or len(data) != HASH_BYTES * size.bit_count():
            raise ProofInvalid(f"{len(data)} bytes are no frontier of {size}")
        return cls(
            size, tuple(data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES))
        )

    def pack(self) -> bytes:
        """Return the peaks one after the other, the highest first."""
        return b"".join(self.peaks)

    def root(self) -> bytes:
        """Return the tree's root."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def extend(self, hashes: Sequence[bytes]) -> Frontier:
        """Return the frontier after appending leaf hashes."""
        return _extend(self, hashes)[0]


def _extend(frontier: Frontier, hashes: Sequence[bytes]) -> tuple[Frontier, dict[int, list[bytes]]]:
    """Append leaf hashes; return the new frontier and the nodes made at each level."""
    levels = [level for level in range(frontier.size.bit_length()) if frontier.size >> level & 1]
    peaks = dict(zip(reversed(levels), frontier.peaks, strict=True))
    made: dict[int, list[bytes]] = {}
    current = list(hashes)
    start, level = frontier.size, 0
    while current:
        if level:
            made[level] = current
        if start & 1:
            current = [peaks.pop(level), *current]
            start -= 1
        if len(current) & 1:
            peaks[level] = current[-1]
        else:
            peaks.pop(level, None)
        current = level_up(current)
        start >>= 1
        level += 1
    size = frontier.size + len(hashes)
    ordered = tuple(peaks[level] for level in sorted(peaks, reverse=True))
    return Frontier(size, ordered), made


def extend_with_tiles(
    frontier: Frontier,
    hashes: Sequence[bytes],
    *,
    partial: Sequence[bytes],
    uppers: Mapping[int, Sequence[bytes]],
) -> tuple[Frontier, list[Tile]]:
    """Append leaf hashes; return the new frontier and every tile they complete, lowest level first.

    `partial` holds the leaf hashes of the unfinished level-0 tile, `uppers` for
    each level >= 1 the hashes that stand in its unfinished tile. Either may be
    empty when the append completes no tile of that level. Raises ProofInvalid
    when what is given does not fill the tiles that the sizes say.
    """
    grown, made = _extend(frontier, hashes)
    tiles: list[Tile] = []
    level = 0
    standing: Sequence[bytes] = partial
    added: list[bytes] = list(hashes)
    while True:
        before, after = frontier.size >> (HEIGHT * level), grown.size >> (HEIGHT * level)
        first, last = before // TILE_WIDTH, after // TILE_WIDTH
        if first == last:
            return grown, tiles
        row = [*standing, *added]
        if len(row) != after - first * TILE_WIDTH:
            raise ProofInvalid(f"level {level}: the unfinished tile is not whole")
        # The roots of this level's full tiles are the nodes made eight levels higher.
        roots = made[HEIGHT * (level + 1)][: last - first]
        for number in range(first, last):
            at = (number - first) * TILE_WIDTH
            tiles.append(
                Tile(
                    level=level,
                    n=number,
                    data=b"".join(row[at : at + TILE_WIDTH]),
                    root=roots[number - first],
                )
            )
        level += 1
        standing = uppers.get(level, ())
        added = list(roots)
