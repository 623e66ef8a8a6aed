"""The few statements that every submission and every balance runs, prepared once a connection.

Django's cursors write the parameters into the text, and the server plans it anew
each time. These go through psycopg's own cursor on the same connection, in the
same transaction, with binary results. Several that do not wait for each other's
answers go to the server in one trip.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

Statement = tuple[LiteralString, Sequence[object]]


def run(
    query: LiteralString, parameters: Sequence[object] = (), *, using: str = DEFAULT_DB_ALIAS
) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows. Raises Django's database errors."""
    connection = connections[using]
    connection.ensure_connection()
    raw = connection.connection
    assert raw is not None
    with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
        cursor.execute(query, parameters, prepare=True, binary=True)
        return cursor.fetchall() if cursor.description else []


def run_all(
    statements: Sequence[Statement], *, using: str = DEFAULT_DB_ALIAS
) -> list[list[tuple[Any, ...]]]:
    """Run statements one after the other in one trip; return each one's rows.

    The first that fails ends the trip: Django's error for it is raised, and
    nothing of those behind it was run.
    """
    connection = connections[using]
    connection.ensure_connection()
    raw = connection.connection
    assert raw is not None
    cursors = [psycopg.Cursor(raw) for _ in statements]
    with connection.wrap_database_errors:
        with raw.pipeline():
            for cursor, (query, parameters) in zip(cursors, statements, strict=True):
                cursor.execute(query, parameters, prepare=True, binary=True)
        return [cursor.fetchall() if cursor.description else [] for cursor in cursors]
