"""Waiting until a published checkpoint covers what was recorded.

One thread of a process hears the signer's announcements and wakes those whose
entries are covered, each by a lock of its own: a crowd woken at once for every
checkpoint would cost more than the checkpoint.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from typing import ClassVar, Final

from django.db import connection

from creditbank.errors import DomainError

LISTEN_AGAIN: Final = 1.0
"""Seconds after which whoever waits looks whether the listening thread still lives."""


class NotYetPublished(DomainError):
    """The entry is recorded, but no published checkpoint covers it yet."""

    code: ClassVar[str] = "not-yet-published"


class _Follower:
    """The newest published size of one database, and who waits for a larger one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._size = 0
        self._waiting: list[tuple[int, int, threading.Lock]] = []
        self._turns = itertools.count()
        self._listener: threading.Thread | None = None

    def wait(self, size: int, timeout: float) -> bool:
        """Return True once `size` is covered, False when the time is over."""
        deadline = time.monotonic() + timeout
        bell = threading.Lock()
        bell.acquire()
        with self._lock:
            if self._size >= size:
                return True
            heapq.heappush(self._waiting, (size, next(self._turns), bell))
        while True:
            # A listener that lost its connection is started again by whoever waits.
            self._listen()
            left = deadline - time.monotonic()
            if left <= 0:
                return self._give_up(bell)
            if bell.acquire(timeout=min(left, LISTEN_AGAIN)):
                return True

    def _give_up(self, bell: threading.Lock) -> bool:
        with self._lock:
            left = [waiting for waiting in self._waiting if waiting[2] is not bell]
            rung = len(left) == len(self._waiting)
            heapq.heapify(left)
            self._waiting = left
        return rung

    def _listen(self) -> None:
        with self._lock:
            if self._listener is None or not self._listener.is_alive():
                self._listener = threading.Thread(
                    target=self._follow, name="checkpoints", daemon=True
                )
                self._listener.start()

    def _follow(self) -> None:
        listener = connection.copy()
        try:
            listener.settings_dict["OPTIONS"] = {
                **listener.settings_dict["OPTIONS"],
                "options": "-c search_path=public",
            }
            with listener.cursor() as cursor:
                cursor.execute("LISTEN ledger_checkpoint")
                raw = listener.connection
                assert raw is not None
                while True:
                    cursor.execute("SELECT coalesce(max(size), 0) FROM ledger_checkpoint")
                    self._tell(int(cursor.fetchone()[0]))
                    for note in raw.notifies(timeout=1.0):
                        self._tell(int(note.payload))
        except Exception:  # noqa: BLE001 - whoever waits next starts a new listener
            return
        finally:
            listener.close()

    def _tell(self, size: int) -> None:
        with self._lock:
            self._size = max(self._size, size)
            while self._waiting and self._waiting[0][0] <= self._size:
                heapq.heappop(self._waiting)[2].release()


_followers: Final[dict[str, _Follower]] = {}
_guard: Final = threading.Lock()


def _follower() -> _Follower:
    with _guard:
        return _followers.setdefault(str(connection.settings_dict["NAME"]), _Follower())


def wait_until_published(size: int, *, timeout: float = 10.0) -> None:
    """Wait until a published checkpoint covers `size` leaves. Raises NotYetPublished."""
    if not _follower().wait(size, timeout):
        raise NotYetPublished(size=size)
