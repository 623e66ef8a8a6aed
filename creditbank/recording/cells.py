"""One cell: what was found, read as a date, a number or a text, or refused with a code (pure).

Nothing is guessed. A figure that a spreadsheet has rounded is refused even where
one could think of what it was.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

TEXT_MAX: Final = 200
EARLIEST: Final = date(1950, 1, 1)
_SERIAL_START: Final = date(1899, 12, 30)
"""Day 0 of Excel's calendar, for days after its 29 February 1900, which never was."""

_ISO: Final = re.compile(
    r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?:[ T]0?0:00(?::00)?)?"
)
_PLAIN: Final = re.compile(r"([12][0-9]{3})([01][0-9])([0-3][0-9])")
_SERIAL: Final = re.compile(r"[0-9]{5}")
_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,12}(?:\.[0-9]{1,15})?")
_SCIENTIFIC: Final = re.compile(r"[0-9](?:\.[0-9]+)?[Ee]\+?[0-9]{1,3}")
_HIDDEN: Final = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f")
_BIDI: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Unreadable(Exception):
    """A cell that cannot be read: a stable code, and what was expected."""

    def __init__(self, code: str, expected: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.expected = expected


@dataclass(frozen=True)
class Number:
    """A numeric cell, as the spreadsheet shows it at full length (15 digits)."""

    text: str


@dataclass(frozen=True)
class Broken:
    """A cell with an error (#N/A …), or a formula whose result was not stored."""


Value = str | Number | date | bool | Broken | None
"""What a cell holds. None and blank text are the same: nothing."""


def text_of(value: Value) -> str:
    """Write a cell's content as the reader of the file would see it."""
    if value is None:
        return ""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, Broken):
        return "#"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, date):
        return value.isoformat()
    return value.strip()


def is_blank(value: Value) -> bool:
    """Say whether a cell holds nothing."""
    return value is None or (isinstance(value, str) and not _line(value))


def _line(text: str) -> str:
    """NFC, hidden characters gone, blanks and line breaks made single blanks."""
    kept = "".join(character for character in text if character not in _HIDDEN)
    return " ".join(unicodedata.normalize("NFC", kept).split())


def read_text(value: Value, *, limit: int = TEXT_MAX) -> str:
    """Read a line of text; blank is "". Raises Unreadable."""
    if isinstance(value, Broken):
        raise Unreadable("cell-error")
    line = _line(text_of(value))
    if len(line) > limit:
        raise Unreadable("text-too-long", f"≤ {limit}")
    if any(unicodedata.category(c) in ("Cc", "Cs") or c in _BIDI for c in line):
        raise Unreadable("text-character")
    return line


def read_part(value: Value) -> str:
    """Read a text by which an outcome is told from another: half width, without `|`.

    Raises Unreadable.
    """
    part = " ".join(unicodedata.normalize("NFKC", read_text(value, limit=60)).split())
    if "|" in part:
        raise Unreadable("text-character", "|")
    return part


def read_number(value: Value) -> Decimal:
    """Read a decimal number: a numeric cell, or its digits as text. Raises Unreadable."""
    if isinstance(value, Broken):
        raise Unreadable("cell-error")
    if isinstance(value, bool | date):
        raise Unreadable("number-unreadable", "12.5")
    text = unicodedata.normalize("NFKC", text_of(value)).replace(" ", "")
    if _NUMBER.fullmatch(text) is None:
        raise Unreadable("number-unreadable", "12.5")
    return Decimal(text)


def read_date(value: Value, *, serials: bool = True) -> date:
    """Read a civil date, however it was typed. Raises Unreadable.

    2025-06-03, 2025/6/3, 2025.6.3, 2025年6月3日, 20250603, a date cell, and a
    serial number of Excel (45811) are one day. Two-digit years are refused.
    `serials` is false for a workbook that counts its days from 1904.
    """
    if isinstance(value, date):
        return value
    if isinstance(value, Broken):
        raise Unreadable("cell-error")
    expected = "2025-06-03"
    if isinstance(value, bool):
        raise Unreadable("date-unreadable", expected)
    text = unicodedata.normalize("NFKC", _line(text_of(value)))
    compact = re.sub(r"\s*([-/.年月日])\s*", r"\1", text)
    match = _ISO.fullmatch(compact) or _PLAIN.fullmatch(compact)
    if match is not None:
        try:
            return date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            raise Unreadable("date-unreadable", expected) from None
    whole = compact.removesuffix(".0") if isinstance(value, str) else compact.partition(".")[0]
    if serials and _SERIAL.fullmatch(whole):
        return _SERIAL_START + timedelta(days=int(whole))
    raise Unreadable("date-unreadable", expected)


def refuse_mangled(value: Value, code: str) -> None:
    """Refuse a long number that a spreadsheet has turned into a figure. Raises Unreadable.

    Any numeric cell is refused: leading zeros and the last digits may be gone,
    and nobody can tell.
    """
    if isinstance(value, Number | bool | date):
        raise Unreadable(code)
    if isinstance(value, str):
        plain = unicodedata.normalize("NFKC", value).strip()
        if _SCIENTIFIC.fullmatch(plain):
            raise Unreadable(code)


# -- hiding -----------------------------------------------------------------------------------
def mask_number(text: str) -> str:
    """Hide the middle of what was given as an identity number."""
    plain = text.strip()
    if len(plain) >= 15:
        return plain[:4] + "*" * (len(plain) - 8) + plain[-4:]
    if len(plain) >= 6:
        return plain[:1] + "*" * (len(plain) - 3) + plain[-2:]
    return "*" * len(plain)


def mask_name(text: str) -> str:
    """Hide a name but for its first character."""
    plain = text.strip()
    return plain[:1] + "*" * max(len(plain) - 1, 1) if plain else ""
