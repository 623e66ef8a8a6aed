"""The bank records only while what guards the ledger in the database is in place.

Triggers can be switched off and rights granted by whoever owns the database. That
is seen at the start of every process and every five minutes; until it is mended
nothing is recorded. The last look is one row, read by each process every few
seconds, so that no request pays for it.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from typing import ClassVar, Final

from django.db import OperationalError, connection, connections

from creditbank import guards
from creditbank.clock import now
from creditbank.errors import DomainError
from creditbank.ledger.models import GuardState
from creditbank.ledger.routers import KEYS

logger = logging.getLogger(__name__)

REMEMBERED_SECONDS: Final = 5.0
OVERDUE_SECONDS: Final = 900
"""After this nobody seems to look any more, so whoever asks does."""


class LedgerReadOnly(DomainError):
    """What guards the ledger is not in place: nothing is recorded until it is."""

    code: ClassVar[str] = "ledger-read-only"


@dataclass(frozen=True, kw_only=True)
class _Look:
    database: str
    at: float
    problems: tuple[str, ...]


_last: _Look | None = None


def check() -> tuple[str, ...]:
    """Look now, in both databases; remember it for every process. Returns what is wrong."""
    found: dict[str, None] = {}
    for alias, schema in (("default", "public"), (KEYS, "keys")):
        with connections[alias].cursor() as cursor:
            found |= dict.fromkeys(guards.problems(cursor, schema))
    problems = tuple(found)
    GuardState.objects.update_or_create(
        id=1, defaults={"checked_at": now(), "problems": list(problems)}
    )
    _remember(problems)
    for problem in problems:
        logger.critical("the ledger is read-only: %s", problem)
    return problems


def check_at_start() -> None:
    """Look before serving. A database that is not there yet is looked at when it is used."""
    try:
        check()
    except OperationalError as error:
        logger.warning("the ledger's guards cannot be checked yet: %s", type(error).__name__)
    finally:
        # The process may fork its workers now: they must not share a connection.
        connections.close_all()


def known() -> tuple[str, ...]:
    """Return what was wrong when somebody last looked, at most some seconds ago.

    Looks itself when nobody has for long.
    """
    last = _last
    if (
        last is not None
        and last.database == _database()
        and 0 <= time.monotonic() - last.at < REMEMBERED_SECONDS
    ):
        return last.problems
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT problems::text FROM guard_state WHERE id = 1"
            " AND abs(extract(epoch FROM now() - checked_at)) < %s",
            [OVERDUE_SECONDS],
        )
        row = cursor.fetchone()
    if row is None:
        return check()
    return _remember(tuple(json.loads(row[0])))


def refuse_unguarded() -> None:
    """Raise LedgerReadOnly unless everything was in place when somebody last looked."""
    problems = known()
    if problems:
        raise LedgerReadOnly(problems=len(problems))


def forget() -> None:
    """Ask the row again at the next use."""
    global _last
    _last = None


def _database() -> str:
    return str(connection.settings_dict["NAME"])


def _remember(problems: tuple[str, ...]) -> tuple[str, ...]:
    global _last
    _last = _Look(database=_database(), at=time.monotonic(), problems=problems)
    return problems
