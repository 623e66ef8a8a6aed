"""Ledger proofs: an entry checked by a stranger, and every way of forging one refused."""

from __future__ import annotations

import dataclasses

import pytest

from creditbank.proofs import bundles, canonical, commitments, merkle, notes, signatures
from creditbank.proofs.bundles import ProofBundle
from creditbank.proofs.canonical import NotCanonical
from creditbank.proofs.manifests import Manifest
from creditbank.proofs.merkle import ProofInvalid
from creditbank.proofs.notes import NoteMalformed, SignedNote, TlogProof
from creditbank.proofs.signatures import SignatureInvalid

REFUSED = (NotCanonical, NoteMalformed, ProofInvalid, SignatureInvalid)


def test_every_entry_of_the_log_proves_itself_to_a_stranger(log):
    entries = [index for index, leaf in enumerate(log.leaves) if leaf[:1] == b"{"]
    assert len(entries) == 12
    for index in entries:
        bundle = ProofBundle.parse(log.prove(index).encode())
        verified = bundles.verify(bundle=bundle, **log.keys())
        assert verified.index == index
        assert verified.leaf_hash == log.hashes[index]
        assert verified.leaf == commitments.parse_leaf(log.leaves[index])
        assert verified.time == 1_790_000_000
        assert verified.checkpoint.size == len(log.leaves)
        assert verified.checkpoint.root == merkle.root_of(log.hashes)
        assert verified.disclosure is not None
        core = verified.disclosure.part("core")
        assert core is not None
        assert (core["k"], core["q"]) == ("award", 300)


@pytest.mark.parametrize("shown", [(), ("core",), ("core", "holder"), commitments.PARTS])
def test_a_proof_holds_whatever_part_of_the_opening_is_shown(log, shown):
    data = log.prove(4, shown).encode()
    bundle = ProofBundle.parse(data)
    assert bundle.encode() == data
    verified = bundles.verify(bundle=bundle, **log.keys())
    if not shown:
        assert verified.disclosure is None
    else:
        hidden = set(commitments.PARTS) - set(shown)
        assert all(verified.disclosure.part(name) is None for name in hidden)
        assert all(verified.disclosure.part(name) is not None for name in shown)


def test_a_ledger_proof_is_a_tlog_proof_with_extra_data(log):
    bundle = log.prove(8)
    proof = TlogProof.parse(bundle.encode())
    assert (proof.index, proof.path) == (8, bundle.path)
    assert proof.checkpoint == bundle.checkpoint
    extra = canonical.decode(proof.extra)
    assert extra == {
        "kind": "award",
        "leaf": log.leaves[8].decode(),
        "manifest": log.leaves[6].decode(),
        "manifest_index": 6,
        "manifest_path": [notes.b64(item) for item in bundle.manifest_path],
        "opening": bundle.disclosure.to_json(),
        "position": 1,
        "v": 1,
    }


def test_a_ledger_proof_of_any_byte_changed_is_refused(log):
    """Every byte, one bit of it; all of them lie under a signature or name what does."""
    data = log.prove(4, ("core", "reference")).encode()
    keys = log.keys()
    for at in range(len(data)):
        wrong = bytearray(data)
        wrong[at] ^= 1
        with pytest.raises(REFUSED):
            bundles.verify(bundle=ProofBundle.parse(bytes(wrong)), **keys)


@pytest.mark.parametrize("bit", range(1, 8))
def test_a_ledger_proof_of_any_other_bit_changed_is_refused(log, bit):
    data = log.prove(2).encode()
    keys = log.keys()
    for at in range(bit, len(data), 23):
        wrong = bytearray(data)
        wrong[at] ^= 1 << bit
        with pytest.raises(REFUSED):
            bundles.verify(bundle=ProofBundle.parse(bytes(wrong)), **keys)


def test_every_byte_inside_the_extra_data_is_bound(log):
    """The extra data is base64 in the proof: here each of its own bytes is changed."""
    proof = TlogProof.parse(log.prove(4, ("core", "reference")).encode())
    keys = log.keys()
    for at in range(len(proof.extra)):
        for bit in (1, 4):
            wrong = bytearray(proof.extra)
            wrong[at] ^= bit
            changed = dataclasses.replace(proof, extra=bytes(wrong)).encode()
            with pytest.raises(REFUSED):
                bundles.verify(bundle=ProofBundle.parse(changed), **keys)


def test_a_ledger_proof_cut_short_or_continued_is_refused(log):
    data = log.prove(4).encode()
    keys = log.keys()
    for wrong in (*(data[:cut] for cut in range(0, len(data), 37)), data + b"x", data + b"\n"):
        with pytest.raises(REFUSED):
            bundles.verify(bundle=ProofBundle.parse(wrong), **keys)


def _refused(log, bundle, error=REFUSED, **other) -> None:
    with pytest.raises(error):
        bundles.verify(bundle=bundle, **{**log.keys(), **other})


def test_parts_of_two_proofs_do_not_mix(log):
    ours, theirs = log.prove(4), log.prove(8)
    neighbour = log.prove(3)
    for field in dataclasses.fields(ProofBundle):
        if field.name == "checkpoint":
            continue  # The same head signed twice (ML-DSA draws randomness): either will do.
        for other in (theirs, neighbour):
            value = getattr(other, field.name)
            if value == getattr(ours, field.name):
                continue
            _refused(log, dataclasses.replace(ours, **{field.name: value}))


def test_hashes_extra_missing_or_swapped_in_either_path_are_refused(log):
    bundle = log.prove(4)
    for name in ("path", "manifest_path"):
        path = getattr(bundle, name)
        for wrong in (
            (*path, bytes(32)),
            (bytes(32), *path),
            path[:-1],
            path[1:],
            (path[1], path[0], *path[2:]),
            (),
        ):
            _refused(log, dataclasses.replace(bundle, **{name: wrong}), ProofInvalid)


# -- who signed, and when ----------------------------------------------------------------------------
def test_a_manifest_signed_by_a_key_that_was_not_in_force_is_refused(log):
    bundle = log.prove(4)
    asked = []

    def none_in_force(stream: str, index: int) -> list[signatures.Verifier]:
        asked.append((stream, index))
        return []

    _refused(log, bundle, SignatureInvalid, stream_keys=none_in_force)
    assert asked == [("edu.example/2026a", 0)]


def test_a_manifest_signed_by_another_key_or_another_streams_is_refused(log, seeded_signer):
    bundle = log.prove(4)
    manifest = Manifest.parse(bundle.manifest.text)
    for number, name in ((99, manifest.stream), (11, manifest.stream), (10, "works.example/2026")):
        note = notes.sign_note(
            manifest.text(),
            notes.NoteSigner(name, notes.ED25519, seeded_signer("Ed25519", number)),
        )
        _refused(log, dataclasses.replace(bundle, manifest=note), SignatureInvalid)


def test_a_manifest_with_a_strangers_line_besides_is_refused(log, seeded_signer):
    bundle = log.prove(4)
    stranger = notes.sign_note(
        bundle.manifest.text,
        notes.NoteSigner("stranger.example", notes.ED25519, seeded_signer("Ed25519", 77)),
    )
    for lines in (bundle.manifest.lines + stranger.lines, bundle.manifest.lines * 2):
        both = SignedNote(bundle.manifest.text, lines)
        _refused(log, dataclasses.replace(bundle, manifest=both), NoteMalformed)


def test_any_one_of_several_keys_in_force_will_do(log, seeded_signer):
    def two(stream: str, index: int) -> list[signatures.Verifier]:
        other = seeded_signer("Ed25519", 60)
        return [signatures.verifier("Ed25519", other.public), *log.stream_keys(stream, index)]

    bundles.verify(bundle=log.prove(4), **{**log.keys(), "stream_keys": two})


def _without(bundle: ProofBundle, at: int) -> ProofBundle:
    note = bundle.checkpoint
    lines = note.lines[:at] + note.lines[at + 1 :]
    return dataclasses.replace(bundle, checkpoint=SignedNote(note.text, lines))


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_checkpoint_needs_the_logs_line_and_both_cosignatures(log, missing):
    _refused(log, _without(log.prove(4), missing), SignatureInvalid)


def test_a_checkpoint_with_a_line_twice_or_a_strangers_is_refused(log, seeded_signer):
    bundle = log.prove(4)
    note = bundle.checkpoint
    stranger = notes.cosign(
        notes.Checkpoint.parse(note.text),
        name="stranger.example",
        signer=seeded_signer("Ed25519", 70),
        timestamp=1_790_000_000,
    )
    for extra in (note.lines[0], note.lines[2], stranger):
        more = SignedNote(note.text, (*note.lines, extra))
        _refused(log, dataclasses.replace(bundle, checkpoint=more), NoteMalformed)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_checkpoint_signed_by_another_key_is_refused(log, seeded_signer, which):
    bundle = log.prove(4)
    head = notes.Checkpoint.parse(bundle.checkpoint.text)
    lines = list(bundle.checkpoint.lines)
    name = lines[which].name
    if which == 0:
        forged = notes.sign_note(
            head.text(), notes.NoteSigner(name, notes.ED25519, seeded_signer("Ed25519", 66))
        ).lines[0]
    else:
        algorithm = ("", "Ed25519", "ML-DSA-44")[which]
        forged = notes.cosign(
            head, name=name, signer=seeded_signer(algorithm, 66), timestamp=1_790_000_000
        )
    for line in (
        forged,
        notes.SignatureLine(name, lines[which].key_id, forged.signature),
    ):
        lines[which] = line
        _refused(
            log,
            dataclasses.replace(bundle, checkpoint=SignedNote(head.text(), tuple(lines))),
            SignatureInvalid,
        )


def test_cosignatures_that_disagree_on_the_time_are_refused(log):
    bundle = log.prove(4)
    other = log.checkpoint(1_790_000_001)
    lines = (*bundle.checkpoint.lines[:2], other.lines[2])
    mixed = SignedNote(bundle.checkpoint.text, lines)
    _refused(log, dataclasses.replace(bundle, checkpoint=mixed), SignatureInvalid)


def test_a_checkpoint_of_another_log_is_refused_although_its_keys_are_known(log):
    bundle = log.prove(4)
    log.origin = "other.example/log"
    _refused(log, dataclasses.replace(bundle, checkpoint=log.checkpoint()), SignatureInvalid)


def test_no_cosigner_at_all_gives_no_time_and_is_refused(log):
    bundle = log.prove(4)
    alone = SignedNote(bundle.checkpoint.text, bundle.checkpoint.lines[:1])
    _refused(log, dataclasses.replace(bundle, checkpoint=alone), SignatureInvalid, cosigners=[])


def test_an_older_checkpoint_that_covers_the_entry_proves_it_too(log, an_opening):
    before = log.prove(4)
    log.submit("edu.example/2026a", [an_opening(50), an_opening(51)])
    after = log.prove(4)
    assert before.checkpoint != after.checkpoint
    for bundle in (before, after):
        bundles.verify(bundle=bundle, **log.keys())
    _refused(log, dataclasses.replace(before, checkpoint=after.checkpoint), ProofInvalid)


# -- what the leaf says --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "changes",
    [
        {"stream": "works.example/2026"},
        {"seq": 4},
        {"quantity": 900},
        {"kind": "recognise"},
        {"acts_on": bytes(32)},
        {"commitment": bytes(32)},
    ],
    ids=repr,
)
def test_a_leaf_the_institution_did_not_sign_is_refused_although_the_log_holds_it(log, changes):
    leaf = commitments.parse_leaf(log.leaves[4])
    bundle = log.prove(4, ())
    manifest_path = bundle.manifest_path
    log.leaves[4] = commitments.leaf(**{**dataclasses.asdict(leaf), **changes})
    forged = dataclasses.replace(log.prove(4, ()), manifest_path=manifest_path)
    assert forged.leaf == log.leaves[4]
    _refused(log, forged, ProofInvalid)


@pytest.mark.parametrize("shown", [(), commitments.PARTS])
def test_a_proof_that_names_another_kind_than_its_leaf_is_refused(log, shown):
    bundle = log.prove(4, shown)
    _refused(log, dataclasses.replace(bundle, kind="recognise"), ProofInvalid)


def test_an_opening_of_another_entry_is_refused(log, an_opening):
    bundle = log.prove(4)
    for other in (an_opening(4), an_opening(3, quantity=301)):
        disclosure = commitments.disclose(other, commitments.PARTS)
        _refused(log, dataclasses.replace(bundle, disclosure=disclosure), ProofInvalid)


def _logged(log, derived_as: dict[str, object], opening: bytes) -> ProofBundle:
    """Sign and log a leaf that says something else than the opening it commits to."""
    stream = "lies.example/2026"
    signer = signatures.signer("Ed25519", bytes(32))
    log.streams[stream] = signer
    leaf = commitments.leaf(
        **{
            "commitment": commitments.commitment(opening),
            "stream": stream,
            "kind": "award",
            "seq": 0,
            "quantity": 300,
            **derived_as,
        }
    )
    manifest = Manifest(
        stream=stream, first=0, count=1, root=merkle.leaf_hash(leaf), previous=bytes(32)
    )
    note = notes.sign_note(manifest.text(), notes.NoteSigner(stream, notes.ED25519, signer))
    index = len(log.leaves)
    log.manifests.append((index, note, manifest, [opening]))
    log.leaves += [note.encode(), leaf]
    return log.prove(index + 1)


def test_a_leaf_signed_and_logged_as_its_opening_says_is_accepted(log, an_opening):
    bundles.verify(bundle=_logged(log, {}, an_opening(1)), **log.keys())


@pytest.mark.parametrize(
    "lie",
    [{"quantity": 900}, {"kind": "recognise"}, {"acts_on": bytes(32)}, {"seq": 1}],
    ids=repr,
)
def test_a_leaf_that_says_another_thing_than_its_opening_is_refused(log, an_opening, lie):
    _refused(log, _logged(log, lie, an_opening(1)), ProofInvalid)


def test_a_reversal_names_the_entry_it_acts_on_in_leaf_and_opening(log, an_opening):
    target = log.hashes[4]
    opening = an_opening(1, kind="award-reverse", quantity=-300, leaf=notes.b64(target))
    said = {"kind": "award-reverse", "quantity": -300}
    good = _logged(log, {**said, "acts_on": target}, opening)
    assert bundles.verify(bundle=good, **log.keys()).leaf.acts_on == target


@pytest.mark.parametrize("acts_on", [None, bytes(32)])
def test_a_reversal_whose_leaf_names_another_entry_than_its_opening_is_refused(
    log, an_opening, acts_on
):
    opening = an_opening(1, kind="award-reverse", quantity=-300, leaf=notes.b64(log.hashes[4]))
    said = {"kind": "award-reverse", "quantity": -300, "acts_on": acts_on}
    _refused(log, _logged(log, said, opening), ProofInvalid)


# -- one signature is never another ------------------------------------------------------------------
def test_no_signature_of_one_purpose_serves_another(seeded_signer):
    """One key under every message we sign: leaf, node, checkpoint, manifest, cosignature."""
    signer = seeded_signer("Ed25519", 5)
    verifier = signatures.verifier("Ed25519", signer.public)
    root = bytes(range(32))
    head = notes.Checkpoint("edu.example/2026a", 40, root)
    manifest = Manifest(stream="edu.example/2026a", first=40, count=2, root=root, previous=root)
    line = notes.cosign(head, name="w", signer=signer, timestamp=5)
    messages = {
        "checkpoint": head.text().encode(),
        "manifest": manifest.text().encode(),
        "cosignature": f"cosignature/v1\ntime 5\n{head.text()}".encode(),
        "possession": b"llcb/possession/v1\0edu.example/2026a\0" + signer.public,
        "part": b"llcb/part/v1\0core\0{}",
        "commitment": b"llcb/commit/v1\0" + root * 4,
        "leaf": b"\0{}",
        "node": b"\1" + root * 2,
    }
    verifier.verify(messages["cosignature"], line.signature[8:])
    made = {name: signer.sign(message) for name, message in messages.items()}
    for name, message in messages.items():
        for other, signature in made.items():
            if name == other:
                verifier.verify(message, signature)
            else:
                with pytest.raises(SignatureInvalid):
                    verifier.verify(message, signature)
    # The texts a parser would take for another kind are refused by it.
    with pytest.raises(NoteMalformed):
        notes.Checkpoint.parse(manifest.text())
    with pytest.raises(NoteMalformed):
        Manifest.parse(head.text())
    with pytest.raises(NotCanonical):
        commitments.parse_leaf(manifest.text().encode())


def test_a_manifest_is_no_checkpoint_although_one_key_signed_it(log):
    """The log's key under a manifest's text, and a stream's key under a checkpoint's."""
    bundle = log.prove(4)
    manifest_by_log = notes.sign_note(bundle.manifest.text, log.log)
    _refused(log, dataclasses.replace(bundle, checkpoint=manifest_by_log))
    stream_key = notes.NoteSigner(
        "edu.example/2026a", notes.ED25519, log.streams["edu.example/2026a"]
    )
    checkpoint_by_stream = notes.sign_note(bundle.checkpoint.text, stream_key)
    _refused(log, dataclasses.replace(bundle, manifest=checkpoint_by_stream))


def test_the_same_ed25519_key_as_note_and_cosigner_has_two_ids(seeded_signer):
    signer = seeded_signer("Ed25519", 5)
    assert notes.key_id("a", notes.ED25519, signer.public) != notes.key_id(
        "a", notes.COSIGNATURE, signer.public
    )


# -- malformed proofs ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"v": "1"},
        {"kind": 1},
        {"kind": None},
        {"leaf": None},
        {"leaf": ""},
        {"leaf": ["x"]},
        {"manifest": ""},
        {"manifest": 1},
        {"manifest_index": -1},
        {"manifest_index": "0"},
        {"manifest_index": True},
        {"position": -1},
        {"position": None},
        {"position": 5},
        {"position": 2**53 - 1},
        {"manifest_path": None},
        {"manifest_path": "AAAA"},
        {"manifest_path": [1]},
        {"manifest_path": ["AAAA"]},
        {"manifest_path": ["!"]},
        {"manifest_path": {}},
        {"opening": {}},
        {"opening": []},
        {"opening": "x"},
        {"opening": False},
        {"more": 1},
    ],
    ids=repr,
)
def test_extra_data_of_another_form_is_refused(log, change):
    proof = TlogProof.parse(log.prove(4).encode())
    extra = canonical.decode(proof.extra)
    assert isinstance(extra, dict)
    changed = dataclasses.replace(proof, extra=canonical.encode({**extra, **change}))
    with pytest.raises(REFUSED):
        bundles.verify(bundle=ProofBundle.parse(changed.encode()), **log.keys())


@pytest.mark.parametrize("member", sorted(bundles._MEMBERS))
def test_extra_data_with_a_member_missing_is_refused(log, member):
    proof = TlogProof.parse(log.prove(4).encode())
    extra = canonical.decode(proof.extra)
    assert isinstance(extra, dict)
    rest = {name: value for name, value in extra.items() if name != member}
    with pytest.raises(NotCanonical):
        ProofBundle.parse(dataclasses.replace(proof, extra=canonical.encode(rest)).encode())


@pytest.mark.parametrize(
    "extra", [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"v":1 }']
)
def test_extra_data_that_is_no_object_of_ours_is_refused(log, extra):
    proof = TlogProof.parse(log.prove(4).encode())
    with pytest.raises((NotCanonical, NoteMalformed)):
        ProofBundle.parse(dataclasses.replace(proof, extra=extra).encode())


@pytest.mark.parametrize(
    "mangle",
    [
        lambda data: b"",
        lambda data: data.replace(b"@v1", b"@v2", 1),
        lambda data: data.replace(b"c2sp.org", b"C2SP.org", 1),
        lambda data: b"\n" + data,
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"index 4", b"index 04"),
        lambda data: data.replace(b"index 4", b"index -4"),
        lambda data: data.replace(b"index 4", b"index 4 "),
        lambda data: data.replace(b"index 4", b"index  4"),
        lambda data: data.replace(b"index 4", b"Index 4"),
        lambda data: data.replace(b"index 4\n", b""),
        lambda data: data.replace(b"index 4\n", b"index 4\nindex 4\n"),
        lambda data: data.replace(b"index 4\n", b"index 4\nAAAA\n"),
        lambda data: data.replace(b"index 4\n", b"index 4\n" + b"A" * 43 + b"=\n" + b"\n"),
        lambda data: data.replace(b"index 4\n", b"index 4\n" + (b"A" * 43 + b"=\n") * 64),
        lambda data: data.replace(b"index 4\n", "index 4\né\n".encode()),
        lambda data: data.replace(b"extra ", b"extra"),
        lambda data: data.replace(b"extra ", b"extra  "),
        lambda data: data.replace(b"extra ", b"more "),
        lambda data: data.replace(b"\n\nbank.example", b"\nbank.example"),
        lambda data: data.replace(b"\n\nbank.example", b"\n\n\nbank.example"),
        lambda data: data + b"x" * notes.PROOF_MAX,
    ],
)
def test_bytes_that_are_no_log_proof_are_refused(log, mangle):
    data = log.prove(4).encode()
    assert mangle(data) != data
    with pytest.raises(REFUSED):
        bundles.verify(bundle=ProofBundle.parse(mangle(data)), **log.keys())


def test_a_log_proof_without_extra_data_and_with_an_empty_path_is_read_back(log):
    note = log.checkpoint()
    proof = TlogProof(index=0, path=(), checkpoint=note)
    assert proof.encode() == b"c2sp.org/tlog-proof@v1\nindex 0\n\n" + note.encode()
    assert TlogProof.parse(proof.encode()) == proof
    with pytest.raises(NoteMalformed):
        TlogProof.parse(proof.encode().replace(b"index", b"extra \nindex"))
