"""The average of a programme's marks, weighted by credits (pure).

What was recognised counts in it only where its rule says so, and a waived
course never: it has no mark of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from creditbank.recognition.deciding.packages import Decided
from creditbank.recognition.language.figures import number
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.planning.standing import Standing

HUNDREDTH: Final = Decimal("0.01")


def average(
    standing: Standing, programme: Programme, decided: Iterable[Decided] = ()
) -> Decimal | None:
    """Return the average of the marks that count, to 0.01; None where there is none.

    `decided` are the lines of decisions in force, with their marks. A course that
    is met natively counts with that mark.
    """
    credits_of = {course.code: course.credits for course in programme.courses}
    marks: list[tuple[Decimal, Decimal]] = []
    native = set()
    for course in standing.courses:
        own = next((one for one in course.sources if one.kind == "native"), None)
        mark = number(own.mark) if own is not None else None
        if mark is not None:
            native.add(course.code)
            marks.append((credits_of[course.code], mark))
    for line in decided:
        mark = number(line.mark)
        if line.average and line.course not in native and line.credits and mark is not None:
            marks.append((line.credits, mark))
    weight = sum((part for part, _ in marks), Decimal(0))
    if not weight:
        return None
    total = sum((part * mark for part, mark in marks), Decimal(0))
    return (total / weight).quantize(HUNDREDTH, ROUND_HALF_UP)
