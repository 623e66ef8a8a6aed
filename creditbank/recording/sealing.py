"""Drafts and uploads at rest: sealed under the bank's own key, for one row and one column.

A draft names people whose account may not exist yet, so that there is no
account's key to seal it under; it is emptied as soon as it was decided.
"""

from __future__ import annotations

import hmac
import uuid
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from creditbank import sealing

KEY: Final = "media"
_LABEL: Final = b"llcb/recording/v1\0"


def _place(column: str, row: uuid.UUID) -> bytes:
    return _LABEL + column.encode() + b"\0" + row.bytes


def _key() -> AESGCM:
    return AESGCM(settings.KEYSTORE.get(KEY))


def seal(column: str, row: uuid.UUID, data: bytes) -> bytes:
    """Seal bytes for one place."""
    return sealing.seal(_key(), _place(column, row), data)


def unseal(column: str, row: uuid.UUID, sealed: bytes) -> bytes:
    """Open what was sealed for this place. Raises SealBroken."""
    return sealing.unseal(_key(), _place(column, row), sealed)


def content_digest(data: bytes) -> bytes:
    """Return the keyed digest (32 bytes) by which a file handed in again is recognised."""
    return hmac.digest(settings.KEYSTORE.get(KEY), _LABEL + b"file\0" + data, "sha256")
