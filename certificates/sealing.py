"""What a transcript holds of a person, sealed under the account's key.

A document moved to another row does not open. Deleting the account's key makes
all of it unreadable.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Protocol

from certificates.models import Transcript
from creditbank import sealing
from creditbank.ledger import learnerkeys

_LABEL: Final = "llcb/transcript/v1\0"


class Owned(Protocol):
    """What can be sealed for: a transcript, or as much of its row as says whose it is."""

    @property
    def pk(self) -> Any:
        """The transcript's id."""

    @property
    def account_id(self) -> int:
        """The account whose key seals."""


def _place(transcript: Owned, column: str) -> bytes:
    return f"{_LABEL}{transcript.pk}/{column}".encode()


def seal(transcript: Owned, column: str, data: bytes) -> bytes:
    """Seal bytes for one column of a transcript. Raises PersonForgotten."""
    key = learnerkeys.keys_for(transcript.account_id).person
    return sealing.seal(key, _place(transcript, column), data)


def unseal(transcript: Transcript, column: str) -> bytes:
    """Open one column of a transcript. Raises PersonForgotten, SealBroken."""
    return open_sealed(transcript, column, bytes(getattr(transcript, column) or b""))


def open_sealed(transcript: Owned, column: str, sealed: bytes) -> bytes:
    """Open bytes that were sealed for a place. Raises PersonForgotten, SealBroken."""
    key = learnerkeys.keys_for(transcript.account_id).person
    return sealing.unseal(key, _place(transcript, column), sealed)


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What the holder alone knows: the QR link's token, the printed code, the chosen entries."""

    token: str
    code: str
    indexes: tuple[int, ...] | None

    def seal(self, transcript: Transcript) -> bytes:
        """Seal them for their transcript."""
        value = {"token": self.token, "code": self.code, "indexes": self.indexes}
        return seal(transcript, "secrets_sealed", json.dumps(value).encode())

    @classmethod
    def of(cls, transcript: Transcript) -> Secrets:
        """Open the secrets of a transcript. Raises PersonForgotten, SealBroken."""
        value = json.loads(unseal(transcript, "secrets_sealed"))
        indexes = value["indexes"]
        return cls(
            token=value["token"],
            code=value["code"],
            indexes=None if indexes is None else tuple(indexes),
        )
