"""Numbers and days as rules reckon with them: exact, and by the Civil Code (pure)."""

from __future__ import annotations

import calendar
import re
from datetime import MAXYEAR, date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

HUNDREDTH: Final = Fraction(1, 100)
_NUMBER: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def number(text: str) -> Decimal | None:
    """Read a figure as institutions write it ("86", "86.5"); None for a text that is no number."""
    text = text.strip()
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def day(text: str) -> date | None:
    """Read a civil date (YYYY-MM-DD); None for a text that is none."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def written(value: Decimal | Fraction) -> str:
    """Write a figure without superfluous zeroes ("3.5"), at most four places."""
    if isinstance(value, Fraction):
        scaled = value * 10_000
        value = Decimal(scaled.numerator // scaled.denominator).scaleb(-4)
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def signed(value: Decimal) -> str:
    """Write a difference with its sign ("+2", "-0.5")."""
    return f"+{written(value)}" if value > 0 else f"-{written(-value)}"


def signed_days(count: int) -> str:
    """Write a difference of days with its sign ("-11 days")."""
    return f"{count:+d} days"


def floored(value: Fraction, step: Fraction = HUNDREDTH) -> Fraction:
    """Round down to a multiple of a step."""
    return (value // step) * step


def credits_of(value: Fraction) -> Decimal:
    """Return an amount as credits: rounded down to 0.01, and never below 0."""
    hundredths = max(value, Fraction(0)) // HUNDREDTH
    return Decimal(hundredths).scaleb(-2)


def last_day(start: date, *, years: int = 0, months: int = 0, days: int = 0) -> date:
    """Return the last day of a period that begins with an event on `start`.

    Civil Code (民法典) articles 201 and 202: the day of the event does not count;
    a period of years or months ends on the corresponding day of the due month,
    and where there is none, on that month's last day. Beyond the calendar's
    last year it is the calendar's last day.
    """
    month = start.month - 1 + months
    year = start.year + years + month // 12
    if year > MAXYEAR:
        return date.max
    month = month % 12 + 1
    due = date(year, month, min(start.day, calendar.monthrange(year, month)[1]))
    try:
        return due + timedelta(days=days)
    except OverflowError:
        return date.max


def years_begun(start: date, until: date, *, after: int) -> int:
    """Count the years that have begun since `after` years from an event on `start` were over."""
    begun = 0
    while until > last_day(start, years=after + begun):
        begun += 1
    return begun
