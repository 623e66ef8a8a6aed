"""The chain over a log's checkpoints: none can be taken out, changed or slipped in unseen.

A checkpoint proves its own prefix of the log and nothing of the other
checkpoints. So each is linked to the one before it:

    chain = SHA-256("llcb/checkpoints/v1" NUL | chain of the one before | note)

with 32 zero bytes before the first. Checkpoints carry no extension lines (C2SP
tlog-checkpoint), so the chain stands beside the note, not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from creditbank.proofs.hashing import HASH_BYTES

TAG: Final = b"llcb/checkpoints/v1\0"


@dataclass(frozen=True, kw_only=True)
class Chain:
    """How many checkpoints there are, the chain's value (32 bytes), and the value before the last."""

    count: int
    last: bytes
    before: bytes

    def extend(self, note: bytes) -> Chain:
        """Return the chain after one more checkpoint."""
        return Chain(count=self.count + 1, last=link(self.last, note), before=self.last)


EMPTY_CHAIN: Final = Chain(count=0, last=bytes(HASH_BYTES), before=bytes(HASH_BYTES))


def link(previous: bytes, note: bytes) -> bytes:
    """Return the chain's value after a note, from its value before."""
    return sha256(TAG + previous + note).digest()
