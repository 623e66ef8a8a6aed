"""Credits as a ring or a bar: counted, pending, possible, missing; the figures to draw (pure).

Both answer one question: how much of what a programme asks for is there. The
parts differ by pattern as well as by colour (solid, hatched, dotted, empty), so
they can be told apart in grey print.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import pi
from typing import Final

RADIUS: Final = 50
CIRCUMFERENCE: Final = 2 * pi * RADIUS
WHOLE: Final = 100.0
_LEAST: Final = 1.5
"""What is there at all is drawn at least so wide, and what is not all stays so far from it."""

NOTHING: Final = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a ring or bar: where it begins and how long it is, in hundredths of the whole."""

    start: float
    length: float

    @property
    def dashes(self) -> str:
        """The dash of the ring's stroke, and the gap that ends the turn."""
        dash = CIRCUMFERENCE * self.length / WHOLE
        return f"{dash:.3f} {CIRCUMFERENCE - dash:.3f}"

    @property
    def turn(self) -> str:
        """How far the stroke is turned to begin there, in degrees; the ring begins at the top."""
        return f"{self.start * 3.6 - 90:.2f}"

    @property
    def x(self) -> str:
        """Where it begins in a bar, in percent."""
        return f"{self.start:.2f}%"

    @property
    def width(self) -> str:
        """How wide it is in a bar, in percent."""
        return f"{self.length:.2f}%"


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many credits are there of those that are asked for.

    `counted` are recognised or earned; `pending` would come on top by requests
    that are not in force yet; `possible` by what could be asked for besides.
    """

    needed: Decimal
    counted: Decimal
    pending: Decimal = NOTHING
    possible: Decimal = NOTHING

    @property
    def expected(self) -> Decimal:
        """What would be counted with all that is pending and possible."""
        return self.counted + self.pending + self.possible

    @property
    def missing(self) -> Decimal:
        """What is missing of what is asked for, by what is counted alone."""
        return max(self.needed - self.counted, NOTHING)

    @property
    def missing_then(self) -> Decimal:
        """What would still be missing with all that is pending and possible."""
        return max(self.needed - self.expected, NOTHING)

    @property
    def complete(self) -> bool:
        """Whether all that is asked for is counted."""
        return self.missing == 0

    @property
    def parts(self) -> tuple[Part, Part, Part]:
        """The counted, the pending and the possible part as they are drawn, one after the other."""
        ends = [
            _percent(amount, self.needed)
            for amount in (self.counted, self.counted + self.pending, self.expected)
        ]
        starts = [0.0, *ends[:-1]]
        counted, pending, possible = (
            Part(start=start, length=max(end - start, 0.0))
            for start, end in zip(starts, ends, strict=True)
        )
        return counted, pending, possible


def _percent(part: Decimal, whole: Decimal) -> float:
    if part <= 0 < whole:
        return 0.0
    if part >= whole:
        return WHOLE
    return min(max(float(part / whole) * WHOLE, _LEAST), WHOLE - _LEAST)
