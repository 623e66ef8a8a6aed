"""Errors of the domain: a stable code and facts, without any HTTP.

`api.exceptions` gives them a status, the portals a sentence in the reader's
language. Subclasses live beside the operation that raises them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class DomainError(Exception):
    """Something the bank refuses, with a code that never changes and the facts of the case."""

    code: ClassVar[str] = "domain-error"

    def __init__(self, message: str = "", **facts: object) -> None:
        super().__init__(message or self.code)
        self.message = message
        self.facts = facts


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong with one input: where it is, what was found, what was expected."""

    code: str
    message: str
    row: int | None = None
    field: str | None = None
    value: str | None = None
    expected: str | None = None


class Refusals(DomainError):
    """An input refused as a whole, with every problem it has (never the first only)."""

    code: ClassVar[str] = "refused"

    def __init__(self, problems: Sequence[Problem], message: str = "", **facts: object) -> None:
        super().__init__(message, **facts)
        self.problems = tuple(problems)
