"""What one process remembers of the register, dropped whole as soon as anything in it changes.

Every submission asks the same few questions: who signs this stream, what does
this item say, may it be recorded. The answers are kept until the register's
version, one row that every change counts up, is another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from typing import Any, Final, TypeVar

from django.db import connection

from creditbank import prepared
from creditbank.institutions import queries
from creditbank.institutions.queries import KeyInForce, RecordingRefusal, StreamOwner
from creditbank.sharedread import SharedRead

ANSWERS_MAX: Final = 50_000

T = TypeVar("T")


class Registry:
    """The answers that hold for one version of the register."""

    def __init__(self) -> None:
        self._answers: dict[tuple[object, ...], Any] = {}

    def _ask(self, question: Callable[..., T], *about: object) -> T:
        key = (question, *about)
        if key not in self._answers:
            if len(self._answers) > ANSWERS_MAX:
                self._answers = {}
            self._answers[key] = question(*about)
        answer: T = self._answers[key]
        return answer

    def is_hosted(self, stream: str) -> bool:
        """Say whether the bank signs for a stream. Raises UnknownStream, StreamClosed."""
        return self._ask(queries.is_hosted, stream)

    def owner(self, stream: str) -> StreamOwner | None:
        """Return in whose name a stream speaks; None for the bank's own."""
        return self._ask(queries.stream_owner, stream)

    def signing_keys(self, stream: str) -> list[KeyInForce]:
        """Return every key a stream ever had, oldest first."""
        return self._ask(queries.signing_keys, stream)

    def ask(self, question: Callable[[Registry, str], T], stream: str) -> T:
        """Return what was worked out of the register for a stream, worked out once."""
        return self._ask(question, self, stream)

    def opening_members(self, item: object, version: object) -> dict[str, object] | None:
        """Return what an award's opening must say of an item; see `queries.opening_members`."""
        if not isinstance(item, str) or type(version) is not int:
            return None
        return self._ask(queries.opening_members, item, version)

    def recording_refusal(
        self, stream: str, item: str, version: int, on: date
    ) -> RecordingRefusal | None:
        """Say why a stream may not record an item completed on a day; None when it may."""
        return self._ask(queries.recording_refusal, stream, item, version, on)


def _version() -> tuple[str, int]:
    [(count,)] = prepared.run("SELECT n FROM institutions_version")
    return str(connection.settings_dict["NAME"]), count


class _Present:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read = SharedRead(_version)
        self._version: tuple[str, int] | None = None
        self._registry = Registry()

    def registry(self) -> Registry:
        version = self._read.read()
        with self._lock:
            if version != self._version:
                self._version, self._registry = version, Registry()
            return self._registry


_present = _Present()


def current() -> Registry:
    """Return the answers for the register as it is now; one query of one row."""
    return _present.registry()
