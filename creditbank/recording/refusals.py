"""Why a file is refused, as the reading process says it (pure)."""

from __future__ import annotations


class Refused(Exception):
    """A file that is not read: a stable code that begins with `file-`, and the facts."""

    def __init__(self, code: str, **facts: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts
