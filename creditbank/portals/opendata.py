"""The published rules as open data: everything as JSON, and a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any, Final

from creditbank.clock import today
from creditbank.portals.publicfiles import JSON, PublicFile
from creditbank.recognition.models import Version
from creditbank.recognition.register.rulebook import document
from creditbank.recognition.register.search import Listed, Register

MAX_AGE: Final = 300
CSV: Final = "text/csv; charset=utf-8"
MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""The byte order mark, by which spreadsheets know that a table is UTF-8."""

COLUMNS: Final = (
    "code",
    "version",
    "state",
    "title",
    "title_en",
    "owner",
    "owner_name",
    "first_day",
    "last_day",
    "law",
    "programmes",
    "kinds",
    "items",
    "courses",
    "basis",
    "published_at",
    "withdrawn_on",
    "log_index",
    "sha256",
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_json() -> PublicFile:
    """Return every published version of every rule and programme, with its document."""
    register = Register(today())
    said = {
        "as_of": register.on.isoformat(),
        "rules": [_described(one) for one in register.rules],
        "programmes": [_described(one) for one in register.programmes],
    }
    data = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    return PublicFile(data, content_type=JSON, max_age=MAX_AGE)


def _described(one: Listed[Any]) -> dict[str, Any]:
    row: Version = one.row
    return {
        "code": row.code,
        "version": row.version,
        "state": one.state,
        "published_at": row.published_at.isoformat() if row.published_at else None,
        "withdrawn_on": row.withdrawn_on.isoformat() if row.withdrawn_on else None,
        "withdrawal_reason": row.withdrawal_reason or None,
        "log_index": row.entry_index,
        "withdrawal_log_index": row.withdrawal_index,
        "sha256": bytes(row.digest).hex(),
        "document": document(row),
    }


def as_csv() -> PublicFile:
    """Return a table of every published version of every rule, several values of a cell by blanks."""
    register = Register(today())
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in register.rules:
        row, rule, said = one.row, one.row.parsed(), register.mentions(one.row)
        writer.writerow(
            cell(value)
            for value in (
                row.code,
                row.version,
                one.state,
                row.title,
                row.title_en,
                row.owner.uscc,
                row.owner.name,
                row.first_day.isoformat(),
                row.last_day.isoformat() if row.last_day else "",
                rule.law,
                _many(rule.programmes),
                _many(register.kinds(row)),
                _many(said.items),
                _many(said.courses),
                rule.document["basis"]["title"],
                row.published_at.isoformat() if row.published_at else "",
                row.withdrawn_on.isoformat() if row.withdrawn_on else "",
                row.entry_index,
                bytes(row.digest).hex(),
            )
        )
    return PublicFile((MARK + file.getvalue()).encode(), content_type=CSV, max_age=MAX_AGE)


def _many(values: Iterable[str]) -> str:
    return " ".join(sorted(values))


def cell(value: object) -> str:
    """Return a cell that no spreadsheet takes for a formula: such a text is led by an apostrophe."""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
