"""Awards that an open request asks to use: they do not expire before it is decided.

Who asks for what is known in the layers above; one of them registers how to
find out. So nobody loses an outcome because an office took its time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

Reserved = Callable[[Iterable[bytes]], frozenset[bytes]]
"""Returns which of these awards, by leaf hash, are asked for."""


class _Reservations:
    def __init__(self) -> None:
        self.source: Reserved | None = None


_reservations = _Reservations()


def register(source: Reserved) -> None:
    """Take what tells which awards are asked for; recognition registers itself when it is ready."""
    _reservations.source = source


def reserved(leaves: Iterable[bytes]) -> frozenset[bytes]:
    """Return which of these awards, by leaf hash, an open request asks to use."""
    return frozenset() if _reservations.source is None else _reservations.source(leaves)
