"""The log's tree recomputed: each leaf hashed into its tile once, the tiles' roots into the top."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from creditbank.proofs import merkle
from creditbank.proofs.merkle import Frontier
from creditbank.proofs.tiles import HEIGHT, TILE_WIDTH
from creditbank.signer.tree import Edge


class Tree:
    """A tree that grows: the frontier over its full tiles, and the hashes after them."""

    def __init__(self, edge: Edge | None = None) -> None:
        """Begin empty, or at the edge of what stands before a range."""
        edge = edge or Edge.empty()
        full = edge.frontier.size >> HEIGHT
        self._tiles = Frontier(full, edge.frontier.peaks[: full.bit_count()])
        self._rest: list[bytes] = list(edge.rows[0])

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return (self._tiles.size << HEIGHT) + len(self._rest)

    def extend(self, hashes: Sequence[bytes]) -> Iterator[tuple[int, bytes, bytes]]:
        """Append leaf hashes; yield number, bytes and root of each tile they fill."""
        row = [*self._rest, *hashes]
        full = len(row) - len(row) % TILE_WIDTH
        self._rest = row[full:]
        for at in range(0, full, TILE_WIDTH):
            hashes = row[at : at + TILE_WIDTH]
            root, n = merkle.root_of(hashes), self._tiles.size
            self._tiles = self._tiles.extend([root])
            yield n, b"".join(hashes), root

    def frontier(self) -> Frontier:
        """Return the tree's frontier."""
        rest = Frontier.empty().extend(self._rest)
        return Frontier(self.size, self._tiles.peaks + rest.peaks)
