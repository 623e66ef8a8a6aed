"""The two hashes of a Merkle tree over SHA-256 (RFC 6962 section 2.1), and a root over leaves.

A leaf and a node are hashed with different first bytes, so that nobody can show
a node's content as a leaf.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()

# Copying a state that has taken the first byte is a little quicker than making a new one.
_node_state: Final = sha256(b"\1").copy


def leaf_hash(data: bytes) -> bytes:
    """Return SHA-256(00 | data), the hash of a leaf's bytes."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(01 | left | right), the hash over two subtrees' roots."""
    return sha256(b"\1" + left + right).digest()


def level_up(hashes: Sequence[bytes]) -> list[bytes]:
    """Hash neighbours pairwise; an odd last hash is left out."""
    above: list[bytes] = []
    append, state = above.append, _node_state
    pairs = iter(hashes)
    for left, right in zip(pairs, pairs, strict=False):
        node = state()
        node.update(left)
        node.update(right)
        append(node.digest())
    return above


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes (MTH of RFC 6962); of none, SHA-256 of nothing.

    Level by level, an odd last node being promoted, which is the same tree as
    the RFC's split at the largest power of two.
    """
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        above = level_up(level)
        if len(level) & 1:
            above.append(level[-1])
        level = above
    return level[0]
