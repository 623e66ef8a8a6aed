"""Text that is signed: not empty where it must say something, bounded, printable, well-formed."""

from __future__ import annotations

import re
from typing import Final

TEXT_MAX: Final = 300
"""Characters."""
_CONTROL: Final = re.compile("[\\x00-\\x1f\\x7f\\u202a-\\u202e\\u2066-\\u2069]")
"""Control characters, and what turns the direction of the text that follows."""


def fault(value: str, *, required: bool) -> tuple[str, str] | None:
    """Return what is wrong with a text, as (found, expected); None when nothing is."""
    if required and not value.strip():
        return value, "some text"
    if len(value) > TEXT_MAX:
        return value[:40], f"at most {TEXT_MAX} characters"
    if _CONTROL.search(value):
        return repr(value), "no control characters"
    try:
        value.encode()
    except UnicodeEncodeError:
        return repr(value), "no lone surrogates"
    return None
