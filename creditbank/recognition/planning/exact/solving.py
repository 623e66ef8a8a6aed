"""Solving a model: tightened, taken apart, each part as suits its size (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from creditbank.recognition.planning.exact.branching import Branching
from creditbank.recognition.planning.exact.models import Model, Solution, verify
from creditbank.recognition.planning.exact.parts import Part, parts, tightened
from creditbank.recognition.planning.exact.searching import searched

SEARCHED: Final = 10
"""Parts of so few columns are searched through without a solver."""


def solve(
    model: Model, *, deadline: float | None = None, start: Sequence[int] | None = None
) -> Solution:
    """Solve a model; `start` is a solution to begin with, else nothing at all (all columns 0).

    `deadline` is a time of `time.monotonic`; after it the best solution so far is
    returned as not proved. Raises SolverInconsistent when the solver contradicts
    the integers, or the start is no solution.
    """
    values = list(start) if start is not None else [0] * len(model.bounds)
    verify(model.rows, model.bounds, values)
    bounds, rows = tightened(model)
    proved = True
    for part in parts(model, bounds, rows):
        found, part_proved = _solved(part, [values[column] for column in part.columns], deadline)
        for column, value in zip(part.columns, found, strict=True):
            values[column] = value
        proved = proved and part_proved
    verify(model.rows, model.bounds, values)
    return Solution(values=tuple(values), proved=proved)


def _solved(part: Part, start: list[int], deadline: float | None) -> tuple[list[int], bool]:
    if all(most == 1 for most in part.bounds):
        if not part.rows:
            return [int(gain > 0) for gain in part.gains()], True
        if len(part.columns) <= SEARCHED:
            return searched(part), True
    return Branching(part, start, deadline).solved()
