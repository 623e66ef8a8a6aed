"""Signatures behind one port: Ed25519 and ML-DSA-44."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from creditbank.proofs import signatures
from creditbank.proofs.signatures import KeyInvalid, SignatureInvalid

ALGORITHMS = ["Ed25519", "ML-DSA-44"]
SIZES = {"Ed25519": (32, 64), "ML-DSA-44": (1312, 2420)}

# RFC 8032 section 7.1: seed, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]


@pytest.mark.parametrize("case", RFC_8032)
def test_ed25519_gives_the_signatures_of_rfc_8032(case):
    seed, public, message, signature = (bytes.fromhex(part) for part in case)
    signer = signatures.signer("Ed25519", seed)
    assert signer.public == public
    assert signer.sign(message) == signature
    signatures.verifier("Ed25519", public).verify(message, signature)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signature_verifies_under_its_key_over_its_message_only(algorithm):
    signer = signatures.generate(algorithm)
    verifier = signatures.verifier(algorithm, signer.public)
    message = "一条记录".encode()
    signature = signer.sign(message)
    assert (len(signer.public), len(signature)) == SIZES[algorithm]
    assert (signer.algorithm, verifier.algorithm) == (algorithm, algorithm)
    assert verifier.public == signer.public
    verifier.verify(message, signature)
    other = signatures.verifier(algorithm, signatures.generate(algorithm).public)
    for wrong in (
        lambda: verifier.verify(message + b" ", signature),
        lambda: verifier.verify(b"", signature),
        lambda: other.verify(message, signature),
        lambda: verifier.verify(message, signature[:-1]),
        lambda: verifier.verify(message, signature + b"\0"),
        lambda: verifier.verify(message, b""),
        lambda: verifier.verify(message, bytes(len(signature))),
        lambda: verifier.verify(message, b"\xff" * len(signature)),
    ):
        with pytest.raises(SignatureInvalid):
            wrong()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_byte_of_a_signature_may_change(algorithm):
    signer = signatures.signer(algorithm, bytes(range(32)))
    verifier = signatures.verifier(algorithm, signer.public)
    signature = signer.sign(b"message")
    for at in range(0, len(signature), 1 if algorithm == "Ed25519" else 7):
        wrong = bytearray(signature)
        wrong[at] ^= 1 << at % 8
        with pytest.raises(SignatureInvalid):
            verifier.verify(b"message", bytes(wrong))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_seed_gives_the_same_key_again(algorithm):
    first = signatures.generate(algorithm)
    again = signatures.signer(algorithm, first.secret)
    assert again.public == first.public
    signatures.verifier(algorithm, first.public).verify(b"x", again.sign(b"x"))
    assert signatures.generate(algorithm).public != first.public


def test_an_ed25519_signature_with_the_group_order_added_is_refused():
    """Malleability: s and s + L would be two signatures of one message."""
    order = 2**252 + 27742317777372353535851937790883648493
    signer = signatures.signer("Ed25519", bytes(32))
    signature = signer.sign(b"message")
    s = int.from_bytes(signature[32:], "little") + order
    with pytest.raises(SignatureInvalid):
        signatures.verifier("Ed25519", signer.public).verify(
            b"message", signature[:32] + s.to_bytes(32, "little")
        )


@pytest.mark.parametrize("algorithm", ["", "ed25519", "SM2", "none", "RSA"])
def test_an_unknown_algorithm_is_refused(algorithm):
    with pytest.raises(KeyInvalid):
        signatures.verifier(algorithm, bytes(32))
    with pytest.raises(KeyInvalid):
        signatures.signer(algorithm, bytes(32))
    with pytest.raises(KeyInvalid):
        signatures.generate(algorithm)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_seed_or_a_key_of_another_length_is_refused(algorithm, length):
    with pytest.raises(KeyInvalid):
        signatures.signer(algorithm, bytes(length))
    with pytest.raises(KeyInvalid):
        signatures.verifier(algorithm, bytes([7]) * length)


def test_a_key_of_one_algorithm_is_none_of_the_other():
    ed, ml = signatures.generate("Ed25519"), signatures.generate("ML-DSA-44")
    with pytest.raises(KeyInvalid):
        signatures.verifier("ML-DSA-44", ed.public)
    with pytest.raises(KeyInvalid):
        signatures.verifier("Ed25519", ml.public)


# -- points of small order ------------------------------------------------------------------------
P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P


def _add(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + k, P - 2, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - k, P - 2, P) % P
    return x, y


def _small_order_points() -> list[tuple[int, int]]:
    """All eight, found without a list: multiples of one of order 8."""
    y = int.from_bytes(
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
    )
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    points, point = [(0, 1)], (x, y)
    while point != (0, 1):
        points.append(point)
        point = _add(point, (x, y))
    return points


def _encodings(x: int, y: int) -> set[bytes]:
    """A point's encoding, those with the field's prime added to y, and zero x with a sign."""
    signs = (0, 1) if x == 0 else (x & 1,)
    return {
        (value | sign << 255).to_bytes(32, "little")
        for value in (y, y + P)
        if value < 2**255
        for sign in signs
    }


def test_every_point_of_small_order_in_every_spelling_is_refused_as_a_key():
    points = _small_order_points()
    assert len(points) == 8
    refused = set().union(*(_encodings(x, y) for x, y in points))
    assert len(refused) == 14
    for public in refused:
        with pytest.raises(KeyInvalid):
            signatures.verifier("Ed25519", public)


def test_a_key_of_small_order_would_let_one_signature_fit_every_message():
    """Why they are refused: the library underneath accepts this."""
    identity = (1).to_bytes(32, "little")
    for message in (b"a", b"b"):
        Ed25519PublicKey.from_public_bytes(identity).verify(identity + bytes(32), message)
    with pytest.raises(KeyInvalid):
        signatures.verifier("Ed25519", identity)


@pytest.mark.parametrize("y", [P + 2, P + 18])
@pytest.mark.parametrize("sign", [0, 1])
def test_a_key_whose_y_is_not_reduced_is_refused(y, sign):
    with pytest.raises(KeyInvalid, match="spelling"):
        signatures.verifier("Ed25519", (y | sign << 255).to_bytes(32, "little"))


def test_a_thousand_honest_keys_pass():
    for number in range(1000):
        signer = signatures.signer("Ed25519", number.to_bytes(32, "big"))
        assert signatures.verifier("Ed25519", signer.public).public == signer.public
