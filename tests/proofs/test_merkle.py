"""Merkle trees of RFC 6962 / RFC 9162: reference vectors, every small tree, forgeries."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creditbank.proofs import merkle
from creditbank.proofs.merkle import Frontier, ProofInvalid

SIZES = 257
LEAVES = [merkle.leaf_hash(number.to_bytes(2, "big")) for number in range(SIZES)]


# -- the definition of RFC 6962 section 2.1, written down as it stands there ------------------
def _split(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k


@cache
def mth(low: int, high: int) -> bytes:
    if high == low:
        return sha256(b"").digest()
    if high - low == 1:
        return LEAVES[low]
    k = _split(high - low)
    return sha256(b"\x01" + mth(low, low + k) + mth(low + k, high)).digest()


@cache
def path(index: int, low: int, high: int) -> tuple[bytes, ...]:
    if high - low == 1:
        return ()
    k = _split(high - low)
    if index < k:
        return (*path(index, low, low + k), mth(low + k, high))
    return (*path(index - k, low + k, high), mth(low, low + k))


@cache
def subproof(old: int, low: int, high: int, whole: bool) -> tuple[bytes, ...]:
    if old == high - low:
        return () if whole else (mth(low, high),)
    k = _split(high - low)
    if old <= k:
        return (*subproof(old, low, low + k, whole), mth(low + k, high))
    return (*subproof(old - k, low + k, high, False), mth(low, low + k))


# -- reference vectors -------------------------------------------------------------------------
@pytest.fixture(scope="module")
def reference(vectors):
    return vectors("rfc6962/vectors.json")


@pytest.fixture(scope="module")
def reference_hashes(reference):
    return [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in reference["leaves"]]


def _path(hexadecimal: list[str]) -> list[bytes]:
    return [bytes.fromhex(item) for item in hexadecimal]


def test_the_roots_of_the_reference_tree(reference, reference_hashes):
    assert merkle.EMPTY_ROOT.hex() == merkle.root_of([]).hex() == reference["empty_root"]
    for size, root in enumerate(reference["roots"], 1):
        assert merkle.root_of(reference_hashes[:size]).hex() == root


def test_the_inclusion_paths_of_the_reference_tree(reference, reference_hashes):
    for case in reference["inclusion"]:
        index, size, wanted = case["index"], case["size"], _path(case["path"])
        assert merkle.inclusion_path(reference_hashes[:size], index) == wanted
        merkle.verify_inclusion(
            leaf=reference_hashes[index],
            index=index,
            size=size,
            path=wanted,
            root=bytes.fromhex(reference["roots"][size - 1]),
        )


def test_the_consistency_paths_of_the_reference_tree(reference, reference_hashes):
    for case in reference["consistency"]:
        old, new, wanted = case["old"], case["new"], _path(case["path"])
        assert merkle.consistency_path(reference_hashes[:new], old) == wanted
        merkle.verify_consistency(
            old_size=old,
            new_size=new,
            old_root=bytes.fromhex(reference["roots"][old - 1]),
            new_root=bytes.fromhex(reference["roots"][new - 1]),
            path=wanted,
        )


def test_the_example_of_rfc_9162_section_2_1_5(reference_hashes):
    a, b, c, d, e, f, j = reference_hashes[:7]
    node = merkle.node_hash
    g, h, i = node(a, b), node(c, d), node(e, f)
    k, last = node(g, h), node(i, j)
    seven = reference_hashes[:7]
    assert merkle.root_of(seven) == node(k, last)
    assert merkle.inclusion_path(seven, 0) == [b, h, last]
    assert merkle.inclusion_path(seven, 3) == [c, g, last]
    assert merkle.inclusion_path(seven, 4) == [f, j, k]
    assert merkle.inclusion_path(seven, 6) == [i, k]
    assert merkle.consistency_path(seven, 3) == [c, d, g, last]
    assert merkle.consistency_path(seven, 4) == [last]
    assert merkle.consistency_path(seven, 6) == [i, j, k]


# -- every tree of 0 to 257 leaves -------------------------------------------------------------
def test_every_root_and_frontier_of_0_to_257_leaves_is_the_one_defined():
    frontier = Frontier.empty()
    for size in range(SIZES + 1):
        assert merkle.root_of(LEAVES[:size]) == mth(0, size)
        assert frontier.size == size
        assert frontier.root() == mth(0, size)
        assert Frontier.unpack(size, frontier.pack()) == frontier
        if size < SIZES:
            frontier = frontier.extend([LEAVES[size]])


def test_every_inclusion_path_of_1_to_257_leaves_is_the_one_defined_and_verifies():
    for size in range(1, SIZES + 1):
        leaves, root = LEAVES[:size], mth(0, size)
        for index in range(size):
            found = merkle.inclusion_path(leaves, index)
            assert tuple(found) == path(index, 0, size)
            merkle.verify_inclusion(
                leaf=leaves[index], index=index, size=size, path=found, root=root
            )


def test_every_consistency_path_of_1_to_257_leaves_is_the_one_defined_and_verifies():
    for new in range(1, SIZES + 1):
        leaves, root = LEAVES[:new], mth(0, new)
        for old in range(1, new + 1):
            found = merkle.consistency_path(leaves, old)
            assert tuple(found) == subproof(old, 0, new, True)
            merkle.verify_consistency(
                old_size=old, new_size=new, old_root=mth(0, old), new_root=root, path=found
            )


# -- what must be refused ----------------------------------------------------------------------
def _forgeries(proof: tuple[bytes, ...], strange: bytes) -> list[tuple[bytes, ...]]:
    wrong = [(*proof, strange), (strange, *proof), (*proof, b"")]
    for at in range(len(proof)):
        wrong.append(proof[:at] + proof[at + 1 :])
        wrong.append((*proof[:at], proof[at][:-1] + bytes([proof[at][-1] ^ 1]), *proof[at + 1 :]))
        wrong.append((*proof[:at], proof[at][:-1], *proof[at + 1 :]))
        wrong.append((*proof[:at], proof[at], proof[at], *proof[at + 1 :]))
    for at in range(len(proof) - 1):
        wrong.append((*proof[:at], proof[at + 1], proof[at], *proof[at + 2 :]))
    return wrong


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 8, 13, 64, 100, 256, 257])
def test_an_inclusion_proof_with_a_hash_extra_missing_swapped_or_changed_is_refused(size):
    root = mth(0, size)
    for index in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
        good = path(index, 0, size)
        for wrong in _forgeries(good, root):
            with pytest.raises(ProofInvalid):
                merkle.verify_inclusion(
                    leaf=LEAVES[index], index=index, size=size, path=wrong, root=root
                )
        for other in {index - 1, index + 1, index ^ 2, size, -1} - {index}:
            with pytest.raises(ProofInvalid):
                merkle.verify_inclusion(
                    leaf=LEAVES[index], index=other, size=size, path=good, root=root
                )
        for other in (LEAVES[index - 1] if size > 1 else bytes(32), b"", bytes(31)):
            with pytest.raises(ProofInvalid):
                merkle.verify_inclusion(leaf=other, index=index, size=size, path=good, root=root)
        for other in (merkle.EMPTY_ROOT, b"", root[:-1]):
            with pytest.raises(ProofInvalid):
                merkle.verify_inclusion(
                    leaf=LEAVES[index], index=index, size=size, path=good, root=other
                )


@settings(max_examples=200, deadline=None)
@given(st.integers(2, SIZES), st.data())
def test_no_bit_of_an_inclusion_proof_may_change(size, data):
    index = data.draw(st.integers(0, size - 1))
    good = path(index, 0, size)
    at = data.draw(st.integers(0, len(good) - 1))
    changed = int.from_bytes(good[at], "big") ^ 1 << data.draw(st.integers(0, 255))
    wrong = (*good[:at], changed.to_bytes(32, "big"), *good[at + 1 :])
    with pytest.raises(ProofInvalid):
        merkle.verify_inclusion(
            leaf=LEAVES[index], index=index, size=size, path=wrong, root=mth(0, size)
        )


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 2), (1, 2), (2, 3), (5, 8), (256, 257)])
def test_a_path_of_another_length_leads_to_no_root_at_all(index, size):
    good = path(index, 0, size)
    assert merkle.root_from_inclusion(LEAVES[index], index, size, good) == mth(0, size)
    for wrong in ((*good, bytes(32)), good[:-1] if good else (bytes(32), bytes(32))):
        with pytest.raises(ProofInvalid):
            merkle.root_from_inclusion(LEAVES[index], index, size, wrong)


@pytest.mark.parametrize("size", [0, 1, 2, 8])
def test_no_index_outside_the_tree_has_a_proof(size):
    for index in (-1, size, size + 1, 2**63):
        with pytest.raises(ProofInvalid):
            merkle.root_from_inclusion(LEAVES[0], index, size, [])
        with pytest.raises(IndexError):
            merkle.inclusion_path(LEAVES[:size], index)


@pytest.mark.parametrize(
    ("old", "new"), [(1, 2), (2, 3), (3, 7), (4, 7), (6, 8), (7, 8), (8, 8), (100, 257), (256, 257)]
)
def test_a_consistency_proof_with_a_hash_extra_missing_swapped_or_changed_is_refused(old, new):
    good = subproof(old, 0, new, True)
    before, after = mth(0, old), mth(0, new)

    def refused(**changes: object) -> None:
        given = {
            "old_size": old,
            "new_size": new,
            "old_root": before,
            "new_root": after,
            "path": good,
        } | changes
        with pytest.raises(ProofInvalid):
            merkle.verify_consistency(**given)

    for wrong in _forgeries(good, before) + _forgeries(good, after):
        refused(path=wrong)
    refused(old_size=old - 1)
    refused(old_size=old + 1)
    refused(new_size=new * 2)
    refused(new_size=new // 2)
    refused(old_size=0)
    refused(old_size=new + 1)
    for root in (merkle.EMPTY_ROOT, b"", b"\x00"):
        refused(old_root=root)
        refused(new_root=root)
    if old != new:
        refused(old_root=after, new_root=before)
        refused(path=())


def test_two_trees_of_one_size_are_consistent_only_with_themselves_and_an_empty_proof():
    merkle.verify_consistency(
        old_size=8, new_size=8, old_root=mth(0, 8), new_root=mth(0, 8), path=[]
    )
    with pytest.raises(ProofInvalid):
        merkle.verify_consistency(
            old_size=8, new_size=8, old_root=mth(0, 8), new_root=mth(8, 16), path=[]
        )


def test_a_tree_in_which_an_old_leaf_was_changed_has_no_consistency_proof():
    changed = [*LEAVES[:40], merkle.leaf_hash(b"changed"), *LEAVES[41:100]]
    forged = merkle.consistency_path(changed, 60)
    with pytest.raises(ProofInvalid):
        merkle.verify_consistency(
            old_size=60,
            new_size=100,
            old_root=mth(0, 60),
            new_root=merkle.root_of(changed),
            path=forged,
        )


def test_a_node_cannot_be_shown_as_a_leaf():
    """Second preimage: the two children of a node, concatenated, are no leaf of the tree."""
    leaves = [merkle.leaf_hash(data) for data in (b"a", b"b", b"c", b"d")]
    root = merkle.root_of(leaves)
    left, right = merkle.node_hash(leaves[0], leaves[1]), merkle.node_hash(leaves[2], leaves[3])
    as_leaf = merkle.leaf_hash(leaves[0] + leaves[1])
    assert as_leaf != left
    with pytest.raises(ProofInvalid):
        merkle.verify_inclusion(leaf=as_leaf, index=0, size=2, path=[right], root=root)
    assert merkle.leaf_hash(b"\x01" + leaves[0] + leaves[1]) != left
    assert merkle.leaf_hash(left + right) != root
    assert merkle.leaf_hash(b"") != merkle.EMPTY_ROOT


@pytest.mark.parametrize(("size", "length"), [(0, 32), (1, 0), (1, 31), (3, 32), (3, 96), (-1, 0)])
def test_a_frontier_whose_length_does_not_fit_its_size_is_refused(size, length):
    with pytest.raises(ProofInvalid):
        Frontier.unpack(size, bytes(length))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 90), max_size=8))
def test_a_frontier_extended_in_pieces_is_that_of_the_whole(pieces):
    frontier, size = Frontier.empty(), 0
    for piece in pieces:
        piece = min(piece, SIZES - size)
        frontier = frontier.extend(LEAVES[size : size + piece])
        size += piece
        assert frontier.size == size
        assert frontier.root() == mth(0, size)
        assert len(frontier.peaks) == size.bit_count()
