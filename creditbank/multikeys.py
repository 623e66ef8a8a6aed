"""Ed25519 public keys as Multikey, `z6Mk...` (W3C Controlled Identifiers 1.0, section 2.2.2)."""

from __future__ import annotations

from typing import ClassVar, Final

import base58

from creditbank.errors import DomainError

_ED25519_PUBLIC: Final = b"\xed\x01"


class MultikeyInvalid(DomainError):
    """A text that is not an Ed25519 public key as Multikey."""

    code: ClassVar[str] = "multikey-invalid"


def multikey(public: bytes) -> str:
    """Write an Ed25519 public key (32 bytes) as `publicKeyMultibase` (z6Mk...)."""
    return "z" + base58.b58encode(_ED25519_PUBLIC + public).decode("ascii")


def public_of(text: str) -> bytes:
    """Read an Ed25519 public key (32 bytes) from `publicKeyMultibase`. Raises MultikeyInvalid."""
    try:
        data = base58.b58decode(text[1:]) if text.startswith("z") else b""
    except ValueError:
        data = b""
    if len(data) != 34 or not data.startswith(_ED25519_PUBLIC):
        raise MultikeyInvalid(value=text[:80])
    return data[2:]
