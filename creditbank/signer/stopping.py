"""The wish to stop, which threads can wait on together with a socket."""

from __future__ import annotations

import contextlib
import os
import select


class Stopping:
    """A flag with a descriptor: whoever waits for work wakes at once when it is set."""

    def __init__(self) -> None:
        self._set = False
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def set(self) -> None:
        """Ask everyone to stop. Safe in a signal handler."""
        self._set = True
        with contextlib.suppress(BlockingIOError):
            os.write(self._writer, b"x")

    def is_set(self) -> bool:
        """Tell whether to stop."""
        return self._set

    def wait(self, seconds: float, *, readable: int | None = None) -> None:
        """Wait until asked to stop, until a descriptor is readable, or for some seconds."""
        poll = select.poll()
        # The byte in the pipe is never read: every later wait returns at once.
        poll.register(self._reader, select.POLLIN)
        if readable is not None:
            poll.register(readable, select.POLLIN)
        poll.poll(seconds * 1000)

    def close(self) -> None:
        """Give the descriptors back, once nobody waits any more."""
        for descriptor in (self._reader, self._writer):
            os.close(descriptor)
