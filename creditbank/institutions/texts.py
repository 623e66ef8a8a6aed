"""Checks on what is typed about institutions and catalogue items; problems are collected."""

from __future__ import annotations

import unicodedata
from datetime import date
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext

from creditbank.errors import Problem

CREDITS_MAX: Final = Decimal(200)
HUNDREDTH: Final = Decimal("0.01")
_BIDI: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Problems:
    """The problems of one input, gathered so that all are told at once."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(
        self, code: str, field: str, message: str, *, value: object = "", expected: object = ""
    ) -> None:
        """Note one problem."""
        self.found.append(
            Problem(
                code=code,
                field=field,
                message=message,
                value=str(value)[:120] or None,
                expected=str(expected)[:200] or None,
            )
        )

    def text(self, field: str, value: str, limit: int, *, required: bool = True) -> str:
        """Check a line of text and return it in its stored form: NFC, no outer blanks."""
        line = unicodedata.normalize("NFC", value).strip()
        if not line and required:
            self.add("text-missing", field, gettext("此项必填。"))
        if len(line) > limit:
            self.add(
                "text-too-long",
                field,
                gettext("文字太长。"),
                value=f"{len(line)}",
                expected=f"≤ {limit}",
            )
        for character in line:
            if unicodedata.category(character) in ("Cc", "Cs") or character in _BIDI:
                self.add(
                    "text-character",
                    field,
                    gettext("含有不允许的控制字符。"),
                    value=f"U+{ord(character):04X}",
                )
                break
        return line

    def credits(self, field: str, value: Decimal) -> None:
        """Check credits: 0 to 200, in steps of 0.01."""
        if not value.is_finite() or not 0 <= value <= CREDITS_MAX:
            self.add(
                "credits-out-of-range",
                field,
                gettext("学分须在 0 至 200 之间。"),
                value=value,
                expected="0 – 200",
            )
        elif value != value.quantize(HUNDREDTH):
            self.add(
                "credits-not-hundredths",
                field,
                gettext("学分最多保留两位小数。"),
                value=value,
                expected="0.01",
            )

    def days(self, first: date, last: date | None) -> None:
        """Check that a last day does not come before the first."""
        if last is not None and last < first:
            self.add(
                "days-out-of-order",
                "valid_until",
                gettext("失效日不得早于生效日。"),
                value=last.isoformat(),
                expected=f"≥ {first.isoformat()}",
            )
