"""The newest published checkpoint, told by the publisher to the threads that depend on it."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PublishedCheckpoint:
    """A checkpoint that stands in the database: size, root (32 bytes), signed note."""

    size: int
    root: bytes
    note: bytes


class Published:
    """Where the publisher leaves the newest checkpoint, and the others find it."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._newest: PublishedCheckpoint | None = None
        self._closed = False

    def tell(self, checkpoint: PublishedCheckpoint) -> None:
        """Tell a new checkpoint to whoever waits."""
        with self._condition:
            self._newest = checkpoint
            self._condition.notify_all()

    def newest(self) -> PublishedCheckpoint | None:
        """Return the newest checkpoint, or None before the first."""
        return self._newest

    def wait_beyond(self, size: int) -> PublishedCheckpoint | None:
        """Wait for a checkpoint of more leaves than `size`; None when the signer stops."""
        with self._condition:
            while not self._closed and (self._newest is None or self._newest.size <= size):
                self._condition.wait()
            return None if self._closed else self._newest

    def close(self) -> None:
        """Wake all that wait, since nothing more will be published."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
