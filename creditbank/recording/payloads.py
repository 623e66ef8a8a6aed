"""What drafts and uploads hold, as bytes to be sealed: rows, problems, the file's own lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from creditbank.errors import Problem
from creditbank.recording.problems import problem
from creditbank.recording.rows import RawRow

VERSION = 1


def _written(rows: Iterable[RawRow]) -> list[list[object]]:
    return [[row.number, dict(row.values)] for row in rows]


def encode_rows(rows: Iterable[RawRow]) -> bytes:
    """Write rows that were read, so that reading them again gives the same."""
    return json.dumps({"v": VERSION, "rows": _written(rows)}, ensure_ascii=False).encode()


def decode_rows(data: bytes) -> list[RawRow]:
    """Read rows back, to be checked anew."""
    held = json.loads(data)
    return [RawRow(number=number, values=values) for number, values in held["rows"]]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was found in a file.

    `rows` are those that can be entered, `originals` the cells of those that
    cannot, by row number, and `unchanged` pairs a row with the log index at
    which the bank already holds it.
    """

    headers: tuple[str, ...]
    rows: tuple[RawRow, ...] = field(repr=False)
    unchanged: tuple[tuple[int, int], ...]
    problems: tuple[Problem, ...] = field(repr=False)
    originals: dict[int, tuple[str, ...]] = field(repr=False)
    ignored: tuple[str, ...] = ()
    sheet: str = ""
    encoding: str = ""


def encode_report(report: Report) -> bytes:
    """Write a report. Problems are kept by code: their sentence is found when they are read."""
    return json.dumps(
        {
            "v": VERSION,
            "headers": report.headers,
            "rows": _written(report.rows),
            "unchanged": report.unchanged,
            "problems": [
                [found.code, found.row, found.field, found.value, found.expected]
                for found in report.problems
            ],
            "originals": {str(number): cells for number, cells in report.originals.items()},
            "ignored": report.ignored,
            "sheet": report.sheet,
            "encoding": report.encoding,
        },
        ensure_ascii=False,
    ).encode()


def decode_report(data: bytes) -> Report:
    """Read a report back, its sentences in the reader's language."""
    held = json.loads(data)
    return Report(
        headers=tuple(held["headers"]),
        rows=tuple(RawRow(number=number, values=values) for number, values in held["rows"]),
        unchanged=tuple((row, index) for row, index in held["unchanged"]),
        problems=tuple(
            problem(code, row, name, value or "", expected or "")
            for code, row, name, value, expected in held["problems"]
        ),
        originals={int(number): tuple(cells) for number, cells in held["originals"].items()},
        ignored=tuple(held["ignored"]),
        sheet=held["sheet"],
        encoding=held["encoding"],
    )
