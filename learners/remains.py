"""What is left of a forgotten person below the tables: dead row versions and statistics.

PostgreSQL keeps a deleted row's bytes in its file until the page is written
anew, and samples of columns in `pg_statistic`. `erase` rewrites the tables that
forgetting changes. What the write-ahead log and backups keep, their retention
ends (docs/runbook.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from django.db import connections

from creditbank.errors import DomainError
from creditbank.ledger.routers import KEYS


class NotTheOwner(DomainError):
    """Only the role that owns the tables may rewrite them (PostgreSQL would skip them silently)."""

    code: ClassVar[str] = "not-the-owner"


TABLES: Final[dict[str, tuple[str, ...]]] = {
    "default": (
        "learners_learner",
        "learners_claimcode",
        "learners_claimattempts",
        "learners_consent",
        "users_user",
        "account_emailaddress",
        "account_emailconfirmation",
        "mfa_authenticator",
        "usersessions_usersession",
        "django_session",
        "recording_draft",
        "recording_upload",
        "jobs_job",
        "api_key",
    ),
    KEYS: ("learner_key",),
}
"""By database alias. The account book is not among them: what it holds is sealed, and stays."""


def erase(said: Callable[[str], None] = lambda _: None) -> None:
    """Rewrite the tables that forgetting changes, and their statistics.

    Each is locked while it is rewritten. Raises NotTheOwner for any role but
    the tables' own, with nothing done. Done twice, it is done twice.
    """
    for alias, tables in TABLES.items():
        _require_owner(alias, tables)
    for alias, tables in TABLES.items():
        connection = connections[alias]
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            for table in (*tables, "pg_catalog.pg_statistic"):
                said(table)
                cursor.execute(f"VACUUM (FULL, ANALYZE) {table}")
        connection.close()


def _require_owner(alias: str, tables: tuple[str, ...]) -> None:
    with connections[alias].cursor() as cursor:
        for table in tables:
            cursor.execute("SELECT has_table_privilege(%s, 'MAINTAIN')", [table])
            if not cursor.fetchone()[0]:
                raise NotTheOwner(table=table)
