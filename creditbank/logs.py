"""What must not stand in a log: the link of a transcript, and what an exception says of people.

The message of an exception quotes what was being handled: psycopg's names the
value that is there twice, a parser's the text that it could not read. A log
tells which exception it was and where, and no more.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Mapping
from types import TracebackType

_TOKEN = re.compile(r"(/v/)[0-9A-Za-z]{8,}")

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class WithoutTokens(logging.Filter):
    """Replace link tokens in what is logged, and exceptions by their kind. Nothing is dropped."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Write the record's message out with its tokens replaced."""
        if isinstance(record.args, Mapping):
            # Celery gives the exception as a text.
            said = dict(record.args)
            if "exc" in said:
                said["exc"] = kind_of(record.exc_info[1] if record.exc_info else None)
            record.args = said
        elif record.args:
            record.args = tuple(
                kind_of(value) if isinstance(value, BaseException) else value
                for value in record.args
            )
        message = record.getMessage()
        shown = _TOKEN.sub(r"\1…", message)
        if shown != message:
            record.msg, record.args = shown, ()
        return True


def kind_of(error: BaseException | None) -> str:
    """Name an exception without its message: its class, its code, the constraint it broke."""
    if error is None:
        return "an error"
    named = [type(error).__name__]
    code = getattr(error, "code", None) or getattr(error, "sqlstate", None)
    constraint = getattr(getattr(error, "diag", None), "constraint_name", None)
    named += [str(part) for part in (code, constraint) if isinstance(part, str)]
    return " ".join(named)


class Line(logging.Formatter):
    """A line for each record; a traceback names the places and the kinds of the exceptions."""

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - logging's own name
        """Write a traceback without what the exceptions say, the first cause first."""
        error: BaseException | None = ei[1]
        parts: list[str] = []
        seen: set[int] = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            frames = traceback.extract_tb(error.__traceback__)
            places = [
                f'  File "{one.filename}", line {one.lineno}, in {one.name}' for one in frames
            ]
            parts.append("\n".join([*places, kind_of(error)]))
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(reversed(parts))
