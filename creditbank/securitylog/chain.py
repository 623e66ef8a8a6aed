"""The chain's arithmetic (pure): what the code of an event covers.

Each event's code is HMAC-SHA256 under a key of the key store over the code of
the event before it and the event's canonical bytes. So whoever owns the
database but not the key store can neither change an event nor make one up.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import Final

from creditbank.proofs import canonical

TAG: Final = b"llcb/security-event/v1\0"
START: Final = bytes(32)
"""Stands before the first event."""


def facts_text(facts: dict[str, str | int]) -> str:
    """Return facts as canonical JSON."""
    return canonical.encode(facts).decode()


def event_bytes(*, seq: int, at: datetime, kind: str, actor: int | None, facts: str) -> bytes:
    """Return the bytes of an event; `at` is told in UTC, to the microsecond."""
    return canonical.encode(
        {
            "actor": actor,
            "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
            "facts": facts,
            "kind": kind,
            "seq": seq,
        }
    )


def code(key: bytes, previous: bytes, event: bytes) -> bytes:
    """Return the code of an event after the one with the code `previous`; 32 bytes."""
    return hmac.digest(key, TAG + previous + event, "sha256")
