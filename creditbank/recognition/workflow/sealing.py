"""What recognition holds of a person, sealed under the account's key, for one row and one column.

Deleting the account's key makes all of it unreadable, here and in every backup.
"""

from __future__ import annotations

import uuid
from typing import Final

from creditbank import sealing
from creditbank.ledger import learnerkeys

_LABEL: Final = "llcb/recognition/v1\0"


def _place(column: str, row: uuid.UUID | int) -> bytes:
    return f"{_LABEL}{column}/{row}".encode()


def seal(account: int, column: str, row: uuid.UUID | int, data: bytes) -> bytes:
    """Seal bytes for one place; what is empty stays so. Raises PersonForgotten."""
    if not data:
        return b""
    return sealing.seal(learnerkeys.keys_for(account).person, _place(column, row), data)


def unseal(account: int, column: str, row: uuid.UUID | int, sealed: bytes) -> bytes:
    """Open what was sealed for this place. Raises PersonForgotten, SealBroken."""
    if not sealed:
        return b""
    return sealing.unseal(learnerkeys.keys_for(account).person, _place(column, row), sealed)
