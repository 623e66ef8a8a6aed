"""What recognition holds of a person, sealed under the account's key, for one row and one column.

12 random bytes of nonce and the AES-256-GCM ciphertext with its tag. Deleting
the account's key makes all of it unreadable, here and in every backup.
"""

from __future__ import annotations

import os
import uuid
from typing import ClassVar, Final

from cryptography.exceptions import InvalidTag

from creditbank.errors import DomainError
from creditbank.ledger import learnerkeys

_NONCE: Final = 12
_LABEL: Final = "llcb/recognition/v1\0"


class SealBroken(DomainError):
    """A sealed column was changed, or stands in another place than it was sealed for."""

    code: ClassVar[str] = "seal-broken"


def _place(column: str, row: uuid.UUID | int) -> bytes:
    return f"{_LABEL}{column}/{row}".encode()


def seal(account: int, column: str, row: uuid.UUID | int, data: bytes) -> bytes:
    """Seal bytes for one place; what is empty stays so. Raises PersonForgotten."""
    if not data:
        return b""
    nonce = os.urandom(_NONCE)
    key = learnerkeys.keys_for(account).person
    return nonce + key.encrypt(nonce, data, _place(column, row))


def unseal(account: int, column: str, row: uuid.UUID | int, sealed: bytes) -> bytes:
    """Open what was sealed for this place. Raises PersonForgotten, SealBroken."""
    if not sealed:
        return b""
    key = learnerkeys.keys_for(account).person
    try:
        return key.decrypt(sealed[:_NONCE], sealed[_NONCE:], _place(column, row))
    except (InvalidTag, ValueError) as error:
        raise SealBroken(column=column, row=str(row)) from error
