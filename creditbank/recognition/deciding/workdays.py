"""Working days, for the clocks that both sides see (pure).

A working day is Monday to Friday: which days of a year are off, and which
week-ends are worked for them, is announced anew each autumn. So a clock may end
while an office is closed, and never later than what was promised.
"""

from __future__ import annotations

from datetime import date, timedelta

_WEEK = 5
_ONE = timedelta(days=1)


def is_working(day: date) -> bool:
    """Say whether a day is a Monday, Tuesday, Wednesday, Thursday or Friday."""
    return day.weekday() < _WEEK


def after(day: date, count: int) -> date:
    """Return the `count`-th working day after a day; the day itself for 0. Raises ValueError."""
    if count < 0:
        raise ValueError("working days are counted forwards")
    found = day
    for _ in range(count):
        found += _ONE
        while not is_working(found):
            found += _ONE
    return found


def between(first: date, last: date) -> int:
    """Count the working days after `first` up to and including `last`; negative when it is past."""
    if last < first:
        return -between(last, first)
    count, day = 0, first
    while day < last:
        day += _ONE
        count += is_working(day)
    return count
