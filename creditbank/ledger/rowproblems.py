"""The problems of a submission's rows, as the checks find them (pure)."""

from __future__ import annotations

from datetime import date
from typing import Final

from creditbank.errors import Problem

EARLIEST: Final = "1950-01-01"
"""Nothing was completed or decided before: an earlier year is a typing error."""


class RowProblems:
    """The problems found so far, with the row they belong to."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(
        self, row: int, code: str, field: str, value: object, expected: object, message: str
    ) -> None:
        """Note a problem of a row (from 1) and a member of its opening."""
        self.problems.append(
            Problem(
                code=code,
                row=row,
                field=field,
                value=str(value)[:120],
                expected=str(expected)[:200],
                message=message,
            )
        )


def civil(text: object) -> date | None:
    """Read a civil date, `YYYY-MM-DD` and nothing else; None when it is none."""
    if not isinstance(text, str) or len(text) != 10:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
