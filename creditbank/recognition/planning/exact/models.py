"""What is to be solved: columns, rows, sums and preferences, all of them whole numbers (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

Sparse: TypeAlias = dict[int, int]
"""Numbers by column; what is not there is 0."""


class SolverInconsistent(RuntimeError):
    """The solver's answer does not hold when it is computed with integers: a fault, never a result."""


class Row(NamedTuple):
    """The columns by their weights give at most `most`."""

    weights: Sparse
    most: int


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Values of all columns. `proved`: no other solution is better; otherwise time ran out."""

    values: tuple[int, ...]
    proved: bool


@dataclass
class Model:
    """Columns are numbered as they are added; sums and preferences count in their order."""

    bounds: list[int] = field(default_factory=list)
    integral: list[bool] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    sums: list[Sparse] = field(default_factory=list)
    preferences: list[tuple[int, ...]] = field(default_factory=list)

    def column(self, *, most: int = 1, integral: bool = True) -> int:
        """Add a column: 0 or 1, or with `integral` false from 0 to `most`, whole where the others are."""
        if integral and most != 1:
            raise ValueError(most)
        self.bounds.append(most)
        self.integral.append(integral)
        return len(self.bounds) - 1

    def row(self, weights: Mapping[int, int], *, most: int) -> None:
        """Add a row: the columns by their weights give at most `most`."""
        self.rows.append(
            Row({column: weight for column, weight in weights.items() if weight}, most)
        )

    def maximise(self, gains: Mapping[int, int]) -> None:
        """Add a sum: the columns by their gains, as much as possible. All sums precede preferences."""
        self.sums.append({column: gain for column, gain in gains.items() if gain})

    def prefer(self, columns: Sequence[int]) -> None:
        """Add a preference: the first of these columns that can be 1. The rows let one be 1 at most."""
        self.preferences.append(tuple(columns))

    def either(self, columns: Sequence[int]) -> int:
        """Return a column that is 1 where one of these is; the rows let one be 1 at most."""
        if len(columns) == 1:
            return columns[0]
        either = self.column()
        self.row(dict.fromkeys(columns, 1) | {either: -1}, most=0)
        self.row(dict.fromkeys(columns, -1) | {either: 1}, most=0)
        return either


def total(gains: Mapping[int, int], values: Sequence[int]) -> int:
    """Return what columns by their gains come to."""
    return sum(gain * values[column] for column, gain in gains.items())


def verify(rows: Iterable[Row], bounds: Sequence[int], values: Sequence[int]) -> None:
    """Compute every row with integers. Raises SolverInconsistent for what does not hold."""
    for column, (value, most) in enumerate(zip(values, bounds, strict=True)):
        if not 0 <= value <= most:
            raise SolverInconsistent(f"column {column} is {value}, at most {most}")
    for number, row in enumerate(rows):
        given = total(row.weights, values)
        if given > row.most:
            raise SolverInconsistent(f"row {number} gives {given}, at most {row.most}")
