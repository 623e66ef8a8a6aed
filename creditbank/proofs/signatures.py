"""Signatures behind one port: Ed25519 (RFC 8032) and ML-DSA-44 (FIPS 204).

A verifier takes its algorithm from the key it was made with, never from what is
verified. `verify` raises; there is no bool to forget. Another algorithm, such
as SM2, is one more pair of classes and a line in the two tables.
"""

from __future__ import annotations

import os
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

ED25519: Final = "Ed25519"
ML_DSA_44: Final = "ML-DSA-44"
SEED_BYTES: Final = 32

_FIELD: Final = 2**255 - 19

# The eight points of small order, as encoded, and the two that spell a zero x with a sign:
# whoever registers one of them can show signatures that fit any message.
_SMALL_ORDER: Final = frozenset(
    bytes.fromhex(text)
    for text in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    )
)


class SignatureInvalid(ValueError):
    """A signature that is not that of this key over this message."""


class KeyInvalid(ValueError):
    """Bytes that are no usable key of the algorithm."""


class Verifier(Protocol):
    """Checks signatures of one key."""

    @property
    def algorithm(self) -> str:
        """The algorithm's name."""
        ...

    @property
    def public(self) -> bytes:
        """The public key's bytes."""
        ...

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raise SignatureInvalid unless the signature is this key's over the message."""
        ...


class Signer(Protocol):
    """Makes signatures of one key."""

    @property
    def algorithm(self) -> str:
        """The algorithm's name."""
        ...

    @property
    def public(self) -> bytes:
        """The public key's bytes."""
        ...

    @property
    def secret(self) -> bytes:
        """The 32-byte seed, for storing the key encrypted."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature over the message."""
        ...


class Ed25519Verifier:
    """Checks Ed25519 signatures (64 bytes) of one key (32 bytes)."""

    algorithm = ED25519

    def __init__(self, public: bytes) -> None:
        if len(public) != 32 or public in _SMALL_ORDER:
            raise KeyInvalid("not a usable Ed25519 key")
        # One point, one spelling: RFC 8032 section 5.1.3 refuses a y not below the field's prime.
        if int.from_bytes(public, "little") & (1 << 255) - 1 >= _FIELD:
            raise KeyInvalid("an Ed25519 key in another spelling")
        self.public = public
        try:
            self._key = ed25519.Ed25519PublicKey.from_public_bytes(public)
        except ValueError as error:
            raise KeyInvalid(str(error)) from error

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raise SignatureInvalid unless the signature is this key's over the message."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            raise SignatureInvalid("the Ed25519 signature does not verify") from None


class Ed25519Signer:
    """Makes Ed25519 signatures from a 32-byte seed."""

    algorithm = ED25519

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SEED_BYTES:
            raise KeyInvalid("a seed is 32 bytes")
        self.secret = secret
        self._key = ed25519.Ed25519PrivateKey.from_private_bytes(secret)
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return the signature over the message."""
        return self._key.sign(message)


class MlDsa44Verifier:
    """Checks ML-DSA-44 signatures (2,420 bytes, empty context) of one key (1,312 bytes)."""

    algorithm = ML_DSA_44

    def __init__(self, public: bytes) -> None:
        self.public = public
        try:
            self._key = mldsa.MLDSA44PublicKey.from_public_bytes(public)
        except ValueError as error:
            raise KeyInvalid(str(error)) from error

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raise SignatureInvalid unless the signature is this key's over the message."""
        try:
            self._key.verify(signature, message)
        except (InvalidSignature, ValueError):
            raise SignatureInvalid("the ML-DSA-44 signature does not verify") from None


class MlDsa44Signer:
    """Makes ML-DSA-44 signatures from a 32-byte seed."""

    algorithm = ML_DSA_44

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SEED_BYTES:
            raise KeyInvalid("a seed is 32 bytes")
        self.secret = secret
        self._key = mldsa.MLDSA44PrivateKey.from_seed_bytes(secret)
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return the signature over the message."""
        return self._key.sign(message)


_VERIFIERS: Final[dict[str, type[Ed25519Verifier] | type[MlDsa44Verifier]]] = {
    ED25519: Ed25519Verifier,
    ML_DSA_44: MlDsa44Verifier,
}
_SIGNERS: Final[dict[str, type[Ed25519Signer] | type[MlDsa44Signer]]] = {
    ED25519: Ed25519Signer,
    ML_DSA_44: MlDsa44Signer,
}


def verifier(algorithm: str, public: bytes) -> Verifier:
    """Make a verifier. Raises KeyInvalid for an unknown algorithm or an unusable key."""
    if algorithm not in _VERIFIERS:
        raise KeyInvalid(f"unknown algorithm {algorithm!r}")
    return _VERIFIERS[algorithm](public)


def signer(algorithm: str, secret: bytes) -> Signer:
    """Make a signer from its 32-byte seed. Raises KeyInvalid."""
    if algorithm not in _SIGNERS:
        raise KeyInvalid(f"unknown algorithm {algorithm!r}")
    return _SIGNERS[algorithm](secret)


def generate(algorithm: str) -> Signer:
    """Make a signer with a new random key."""
    return signer(algorithm, os.urandom(SEED_BYTES))
