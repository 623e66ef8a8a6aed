"""Drafts and uploads at rest: sealed under the bank's own key, for one row and one column.

A draft names people whose account may not exist yet, so that there is no
account's key to seal it under; it is emptied as soon as it was decided.
"""

from __future__ import annotations

import hmac
import os
import uuid
from typing import ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from creditbank.errors import DomainError

KEY: Final = "media"
_NONCE: Final = 12
_LABEL: Final = b"llcb/recording/v1\0"


class SealBroken(DomainError):
    """A sealed column was changed, or stands in another row than it was sealed for."""

    code: ClassVar[str] = "seal-broken"


def _place(column: str, row: uuid.UUID) -> bytes:
    return _LABEL + column.encode() + b"\0" + row.bytes


def seal(column: str, row: uuid.UUID, data: bytes) -> bytes:
    """Seal bytes for one place: 12 random bytes of nonce, AES-256-GCM ciphertext and tag."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(settings.KEYSTORE.get(KEY)).encrypt(nonce, data, _place(column, row))


def unseal(column: str, row: uuid.UUID, sealed: bytes) -> bytes:
    """Open what was sealed for this place. Raises SealBroken."""
    key = AESGCM(settings.KEYSTORE.get(KEY))
    try:
        return key.decrypt(sealed[:_NONCE], sealed[_NONCE:], _place(column, row))
    except (InvalidTag, ValueError) as error:
        raise SealBroken(column=column, row=str(row)) from error


def content_digest(data: bytes) -> bytes:
    """Return the keyed digest (32 bytes) by which a file handed in again is recognised."""
    return hmac.digest(settings.KEYSTORE.get(KEY), _LABEL + b"file\0" + data, "sha256")
