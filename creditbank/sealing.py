"""Columns sealed for the place they stand in: 12 random bytes of nonce, then AES-256-GCM.

What a value belongs to (table, column, row) is authenticated with it, so that
one moved to another place does not open. Whose key seals, and how a place is
written, is said by each kind of column for itself.
"""

from __future__ import annotations

import os
from typing import ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from creditbank.errors import DomainError

_NONCE: Final = 12


class SealBroken(DomainError):
    """A sealed column was changed, or stands in another place than it was sealed for."""

    code: ClassVar[str] = "seal-broken"


def seal(key: AESGCM, place: bytes, data: bytes) -> bytes:
    """Seal bytes for one place: the nonce, the ciphertext, its tag of 16 bytes."""
    nonce = os.urandom(_NONCE)
    return nonce + key.encrypt(nonce, data, place)


def unseal(key: AESGCM, place: bytes, sealed: bytes) -> bytes:
    """Open what was sealed for this place. Raises SealBroken."""
    try:
        return key.decrypt(sealed[:_NONCE], sealed[_NONCE:], place)
    except (InvalidTag, ValueError) as error:
        raise SealBroken(place=place.decode(errors="replace")) from error
