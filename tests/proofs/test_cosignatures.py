"""Checkpoints (C2SP tlog-checkpoint) and cosignatures (C2SP tlog-cosignature)."""

from __future__ import annotations

import struct
from hashlib import sha256

import pytest

from creditbank.proofs import notes, signatures
from creditbank.proofs.notes import Checkpoint, NoteKey, NoteMalformed, SignatureLine, SignedNote
from creditbank.proofs.signatures import KeyInvalid, SignatureInvalid

HEAD = Checkpoint("example.com/behind-the-sofa", 20852163, sha256(b"root").digest())
TIME = 1679315147
TYPES = {"Ed25519": notes.COSIGNATURE, "ML-DSA-44": notes.ML_DSA_COSIGNATURE}


@pytest.fixture(params=sorted(TYPES))
def cosigner(request, seeded_signer):
    signer = seeded_signer(request.param, 4)
    key = NoteKey(
        "witness.example/w1",
        TYPES[request.param],
        signatures.verifier(signer.algorithm, signer.public),
    )
    return signer, key


def cosigned(cosigner, checkpoint=HEAD, timestamp=TIME) -> SignatureLine:
    signer, key = cosigner
    return notes.cosign(checkpoint, name=key.name, signer=signer, timestamp=timestamp)


# -- vectors: checkpoints cosigned by other programs ------------------------------------------------
@pytest.mark.parametrize(("name", "timestamp"), [("ed25519", 1779573024), ("mldsa44", 1785704691)])
def test_a_cosignature_made_by_another_program_verifies(vectors, name, timestamp):
    case = vectors(f"cosignature/{name}.json")
    note = SignedNote.parse((case["text"] + "\n" + "".join(case["signatures"])).encode())
    keys = [NoteKey.parse_vkey(vkey) for vkey in case["vkeys"]]
    assert len(notes.verify_note(note, keys, required=len(keys))) == len(keys)
    checkpoint = Checkpoint.parse(note.text)
    key = keys[-1]
    line = next(item for item in note.lines if (item.name, item.key_id) == (key.name, key.key_id))
    assert notes.verify_cosignature(checkpoint, line, key) == timestamp
    for wrong in (
        Checkpoint(checkpoint.origin, checkpoint.size + 1, checkpoint.root),
        Checkpoint(checkpoint.origin + "x", checkpoint.size, checkpoint.root),
        Checkpoint(checkpoint.origin, checkpoint.size, bytes(32)),
    ):
        with pytest.raises(SignatureInvalid):
            notes.verify_cosignature(wrong, line, key)


# -- layout -------------------------------------------------------------------------------------------
def test_a_cosignature_line_holds_the_key_id_the_time_and_the_signature(cosigner):
    signer, key = cosigner
    line = cosigned(cosigner)
    kind = TYPES[signer.algorithm]
    expected = sha256(b"witness.example/w1\n" + bytes([kind]) + signer.public).digest()[:4]
    assert line.key_id == key.key_id == expected
    assert line.signature[:8] == struct.pack(">Q", TIME)
    assert len(line.signature) == 8 + {"Ed25519": 64, "ML-DSA-44": 2420}[signer.algorithm]
    assert notes.cosignature_time(line) == TIME
    assert notes.verify_cosignature(HEAD, line, key) == TIME


def test_ed25519_cosigns_two_lines_and_the_checkpoint(seeded_signer):
    signer = seeded_signer("Ed25519", 4)
    line = notes.cosign(HEAD, name="w", signer=signer, timestamp=TIME)
    message = f"cosignature/v1\ntime {TIME}\n{HEAD.text()}".encode()
    signatures.verifier("Ed25519", signer.public).verify(message, line.signature[8:])


def test_ml_dsa_cosigns_the_structure_of_the_specification(seeded_signer):
    signer = seeded_signer("ML-DSA-44", 4)
    line = notes.cosign(HEAD, name="witness.example/w1", signer=signer, timestamp=TIME)
    message = (
        b"subtree/v1\n\0\x12witness.example/w1"
        + struct.pack(">Q", TIME)
        + b"\x1bexample.com/behind-the-sofa"
        + struct.pack(">QQ", 0, 20852163)
        + HEAD.root
    )
    signatures.verifier("ML-DSA-44", signer.public).verify(message, line.signature[8:])


# -- what must be refused -----------------------------------------------------------------------------
def test_a_cosignature_over_another_checkpoint_or_time_is_refused(cosigner):
    _, key = cosigner
    line = cosigned(cosigner)
    for wrong in (
        Checkpoint("example.com/other", HEAD.size, HEAD.root),
        Checkpoint(HEAD.origin, HEAD.size - 1, HEAD.root),
        Checkpoint(HEAD.origin, HEAD.size, sha256(b"other").digest()),
    ):
        with pytest.raises(SignatureInvalid):
            notes.verify_cosignature(wrong, line, key)
    later = struct.pack(">Q", TIME + 1) + line.signature[8:]
    with pytest.raises(SignatureInvalid):
        notes.verify_cosignature(HEAD, SignatureLine(line.name, line.key_id, later), key)


def test_a_line_of_another_cosigner_is_refused(cosigner, seeded_signer):
    signer, key = cosigner
    line = cosigned(cosigner)
    stranger = seeded_signer(signer.algorithm, 5)
    other = NoteKey(key.name, key.type, signatures.verifier(signer.algorithm, stranger.public))
    with pytest.raises(SignatureInvalid):
        notes.verify_cosignature(HEAD, line, other)
    with pytest.raises(SignatureInvalid):
        notes.verify_cosignature(
            HEAD, SignatureLine(line.name, other.key_id, line.signature), other
        )
    renamed = NoteKey("witness.example/w2", key.type, key.verifier)
    with pytest.raises(SignatureInvalid):
        notes.verify_cosignature(HEAD, line, renamed)


def test_an_ml_dsa_cosignature_is_bound_to_its_cosigners_name(seeded_signer):
    signer = seeded_signer("ML-DSA-44", 4)
    line = notes.cosign(HEAD, name="witness.example/w1", signer=signer, timestamp=TIME)
    renamed = NoteKey(
        "witness.example/w2",
        notes.ML_DSA_COSIGNATURE,
        signatures.verifier("ML-DSA-44", signer.public),
    )
    with pytest.raises(SignatureInvalid):
        notes.verify_cosignature(
            HEAD, SignatureLine(renamed.name, renamed.key_id, line.signature), renamed
        )


def test_a_plain_ed25519_key_verifies_no_cosignature(seeded_signer):
    signer = seeded_signer("Ed25519", 4)
    key = NoteKey("w", notes.ED25519, signatures.verifier("Ed25519", signer.public))
    line = SignatureLine("w", key.key_id, bytes(8) + signer.sign(HEAD.text().encode()))
    with pytest.raises(SignatureInvalid):
        notes.verify_cosignature(HEAD, line, key)


@pytest.mark.parametrize("timestamp", [0, -1, 2**63, 2**64])
def test_a_time_that_cannot_be_is_not_cosigned(cosigner, timestamp):
    with pytest.raises(NoteMalformed):
        cosigned(cosigner, timestamp=timestamp)


def test_a_line_without_a_time_or_with_one_too_late_is_refused(cosigner):
    _, key = cosigner
    line = cosigned(cosigner)
    for signature in (b"\0" * 8, b"\0", b"\x80" + line.signature[1:], b"\xff" * 72):
        wrong = SignatureLine(line.name, line.key_id, signature)
        with pytest.raises(NoteMalformed):
            notes.cosignature_time(wrong)
        with pytest.raises(SignatureInvalid):
            notes.verify_cosignature(HEAD, wrong, key)


def test_names_and_origins_are_1_to_255_bytes_under_ml_dsa(seeded_signer):
    signer = seeded_signer("ML-DSA-44", 4)
    longest = Checkpoint("o" * 255, 1, bytes(32))
    line = notes.cosign(longest, name="n" * 255, signer=signer, timestamp=TIME)
    assert notes.cosignature_time(line) == TIME
    for origin, name in (("o" * 256, "n"), ("o", "n" * 256), ("长" * 86, "n")):
        with pytest.raises(NoteMalformed):
            notes.cosign(Checkpoint(origin, 1, bytes(32)), name=name, signer=signer, timestamp=TIME)


def test_a_signer_without_a_cosignature_type_is_refused():
    class Other:
        algorithm = "SM2"
        public = b"x"
        secret = b"x"

        def sign(self, message: bytes) -> bytes:
            return message

    with pytest.raises(KeyInvalid):
        notes.cosign(HEAD, name="w", signer=Other(), timestamp=TIME)


# -- checkpoints --------------------------------------------------------------------------------------
def test_a_checkpoint_is_three_lines():
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    checkpoint = Checkpoint.parse(text)
    assert checkpoint.text() == text
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert Checkpoint.parse(Checkpoint("a", 0, bytes(32)).text()).size == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n\n",
        "a\n1\n",
        "a\n1\n{root}",
        "\n1\n{root}\n",
        "a\n1\n{root}\nextension\n",
        "a\n1\n{root}\n\n",
        "a\n01\n{root}\n",
        "a\n-1\n{root}\n",
        "a\n+1\n{root}\n",
        "a\n 1\n{root}\n",
        "a\n1 \n{root}\n",
        "a\n1_0\n{root}\n",
        "a\n\u0661\n{root}\n",
        "a\n0x1\n{root}\n",
        "a\n\n{root}\n",
        "a\n9223372036854775808\n{root}\n",
        "a\n99999999999999999999\n{root}\n",
        "a\n1\nAAAA\n",
        "a\n1\n{root}=\n",
        "a\n1\n\n",
        "a\r\n1\n{root}\n",
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused(text):
    with pytest.raises(NoteMalformed):
        Checkpoint.parse(text.replace("{root}", notes.b64(bytes(32))))


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [
        ("", 1, bytes(32)),
        ("a\nb", 1, bytes(32)),
        ("a\tb", 1, bytes(32)),
        ("a", -1, bytes(32)),
        ("a", 2**63, bytes(32)),
        ("a", 1, bytes(31)),
    ],
)
def test_a_checkpoint_that_cannot_be_written_is_not_made(origin, size, root):
    with pytest.raises(NoteMalformed):
        Checkpoint(origin, size, root)
