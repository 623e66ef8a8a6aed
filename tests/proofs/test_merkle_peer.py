"""Our trees and proofs against an independent program, pymerkle."""

from __future__ import annotations

import pymerkle
import pytest

from creditbank.proofs import merkle

SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129]


@pytest.fixture(scope="module")
def peer():
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    tree.append_entries([f"entry {number}".encode() for number in range(max(SIZES))])
    return tree


@pytest.fixture(scope="module")
def hashes():
    return [merkle.leaf_hash(f"entry {number}".encode()) for number in range(max(SIZES))]


def test_leaf_hashes_and_roots_are_those_of_the_other_program(peer, hashes):
    for index, leaf in enumerate(hashes, 1):
        assert peer.get_leaf(index) == leaf
    for size in SIZES:
        assert peer.get_root(size) == merkle.root_of(hashes[:size])


def test_inclusion_paths_are_those_of_the_other_program_and_each_accepts_the_others(peer, hashes):
    for size in SIZES:
        for index in range(size):
            theirs = peer.prove_inclusion(index + 1, size)
            ours = merkle.inclusion_path(hashes[:size], index)
            # Theirs begins with the leaf itself.
            assert theirs.path == [hashes[index], *ours]
            merkle.verify_inclusion(
                leaf=hashes[index],
                index=index,
                size=size,
                path=theirs.path[1:],
                root=peer.get_root(size),
            )
            theirs.path = [hashes[index], *ours]
            pymerkle.verify_inclusion(
                hashes[index], merkle.root_of(hashes[:size]), theirs, index=index + 1, size=size
            )


def test_consistency_proofs_agree_with_the_other_programs(peer, hashes):
    for new in SIZES:
        for old in range(1, new + 1):
            theirs = peer.prove_consistency(old, new)
            ours = merkle.consistency_path(hashes[:new], old)
            old_root, new_root = peer.get_root(old), peer.get_root(new)
            # Theirs is made of complete subtrees only and names the old tree itself; RFC 6962
            # joins what lies to the right, and leaves out an old tree that is one subtree.
            # The hashes within the old tree are the same in both.
            known = {old_root} if old & (old - 1) == 0 else set()
            pairs = zip(theirs.subset, theirs.path, strict=True)
            if old == new:
                assert ours == []
            else:
                assert {digest for mask, digest in pairs if mask} <= {*ours, *known}
            merkle.verify_consistency(
                old_size=old, new_size=new, old_root=old_root, new_root=new_root, path=ours
            )
            pymerkle.verify_consistency(
                merkle.root_of(hashes[:old]),
                merkle.root_of(hashes[:new]),
                theirs,
                prior_size=old,
                later_size=new,
            )
