"""One read that serves everyone who waits for it, and is never older than their question.

Many threads ask the same small question at the same time ("has anything in the
register changed?"). Each may take any answer that was begun after it asked; so
one query answers them all, and nobody is told what was true before they came.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedRead(Generic[T]):
    """Shares the answers of one function between the threads of a process."""

    def __init__(self, fetch: Callable[[], T]) -> None:
        self._fetch = fetch
        self._changed = threading.Condition()
        self._begun = 0
        self._answered = 0
        self._reading = False
        self._answer: T | None = None

    def read(self) -> T:
        """Return an answer that was begun after this call. Raises what the function raises."""
        with self._changed:
            before = self._begun
            while self._reading:
                self._changed.wait()
                if self._answered > before:
                    return self._answer  # type: ignore[return-value]  # answered, so there is one
            self._reading = True
            self._begun += 1
            number = self._begun
        try:
            answer = self._fetch()
        except BaseException:
            with self._changed:
                self._reading = False
                self._changed.notify_all()
            raise
        with self._changed:
            self._reading = False
            self._answer, self._answered = answer, number
            self._changed.notify_all()
        return answer
