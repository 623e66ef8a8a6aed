"""Accounts of one person: an outcome that one of them holds is not entered into another.

Who an account belongs to is known in the layer above; it registers a source.
Most people have one account, so what is asked at every append is one small
number: has any link changed? The links themselves are remembered by process.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import LiteralString, Protocol

from django.db import connection

from creditbank import prepared

Others = Mapping[int, tuple[int, ...]]
"""For each account of a person who has several: that person's other accounts."""


class Source(Protocol):
    """Tells which accounts belong together."""

    VERSION: LiteralString
    """A query of one number that every change of a link counts up."""

    def others(self) -> Others:
        """Return the accounts of everyone who has several."""


class _Links:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._source: Source | None = None
        self._version: tuple[str, int] | None = None
        self._others: Others = {}

    def register(self, source: Source) -> None:
        self._source = source

    def version_query(self) -> LiteralString:
        return "SELECT 0" if self._source is None else self._source.VERSION

    def others(self, number: int) -> Others:
        if self._source is None:
            return {}
        version = (str(connection.settings_dict["NAME"]), number)
        with self._lock:
            if version == self._version:
                return self._others
        found = self._source.others()
        with self._lock:
            self._version, self._others = version, found
        return found


_links = _Links()


def register(source: Source) -> None:
    """Take the source of links; the people's app registers itself when it is ready."""
    _links.register(source)


def version_query() -> LiteralString:
    """Return the query whose number says whether any link has changed.

    Asked while the head is locked, so that no link is made between the answer
    and the commit: whoever links holds the same lock (`hold_appends`).
    """
    return _links.version_query()


def others(version: int) -> Others:
    """Return the accounts that belong together, as of the number `version_query` answered."""
    return _links.others(version)


def accounts_with(account: int) -> tuple[int, ...]:
    """Return an account and the other accounts of its person, as they are linked now."""
    return (account, *present().get(account, ()))


def present() -> Others:
    """Return the accounts that belong together now."""
    [(version,)] = prepared.run(version_query())
    return others(version)


def hold_appends() -> None:
    """Keep the log from growing until the present transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM ledger_head WHERE id = 1 FOR UPDATE")
