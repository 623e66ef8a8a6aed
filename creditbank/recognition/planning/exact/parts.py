"""Taking a model apart into what no row couples, after saying what single rows say (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import gcd

from creditbank.recognition.planning.exact.models import Model, Row, Sparse


@dataclass
class Part:
    """What rows couple: a small model, with columns by their place in the part."""

    columns: list[int] = field(default_factory=list)
    """By place, the column in the whole model."""
    bounds: list[int] = field(default_factory=list)
    integral: list[bool] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    sums: list[Sparse] = field(default_factory=list)
    preferences: list[tuple[int, ...]] = field(default_factory=list)

    def gains(self) -> list[int]:
        """Put all sums and preferences into one sum: each outweighs what all later ones can differ by."""
        gains = [0] * len(self.columns)
        unit = 1
        for columns in reversed(self.preferences):
            for rank, column in enumerate(reversed(columns), 1):
                gains[column] += rank * unit
            unit *= len(columns) + 1
        for own in reversed(self.sums):
            for column, gain in own.items():
                gains[column] += gain * unit
            unit *= sum(abs(gain) * self.bounds[column] for column, gain in own.items()) + 1
        return gains


def tightened(model: Model) -> tuple[list[int], list[Row]]:
    """Return columns' bounds as single rows allow them, and the rows that could be broken."""
    bounds = list(model.bounds)
    rows: Iterable[Row] = model.rows
    while True:
        kept: list[Row] = []
        bounded = False
        for row in rows:
            least = most = 0
            for column, weight in row.weights.items():
                if weight > 0:
                    most += weight * bounds[column]
                else:
                    least += weight * bounds[column]
            if most <= row.most:
                continue
            kept.append(row)
            room = row.most - least
            for column, weight in row.weights.items():
                if weight > 0 and bounds[column] and weight * bounds[column] > room:
                    bounds[column] = max(0, room // weight)
                    bounded = True
        rows = kept
        if not bounded:
            return bounds, _distinct(kept, bounds)


def _distinct(rows: Iterable[Row], bounds: Sequence[int]) -> list[Row]:
    """Drop columns that are 0, divide rows by what divides them, keep the tightest of those alike.

    What is lost in the division could not have been reached.
    """
    found: dict[frozenset[tuple[int, int]], Row] = {}
    for row in rows:
        weights = {column: weight for column, weight in row.weights.items() if bounds[column]}
        divisor = gcd(*weights.values())
        if not divisor:
            continue
        if divisor > 1:
            weights = {column: weight // divisor for column, weight in weights.items()}
        most = row.most // divisor
        key = frozenset(weights.items())
        if key not in found or most < found[key].most:
            found[key] = Row(weights, most)
    return list(found.values())


def parts(model: Model, bounds: Sequence[int], rows: Sequence[Row]) -> list[Part]:
    """Return the parts of a model, each with its share of sums and preferences."""
    root = _Roots(len(bounds))
    for row in rows:
        root.join(row.weights)
    for columns in model.preferences:
        root.join(column for column in columns if bounds[column])
    found: dict[int, Part] = {}
    place: dict[int, int] = {}
    of: dict[int, Part] = {}
    for column, most in enumerate(bounds):
        if most:
            part = found.setdefault(root.of(column), Part())
            place[column], of[column] = len(part.columns), part
            part.columns.append(column)
            part.bounds.append(most)
            part.integral.append(model.integral[column])
    for row in rows:
        part = of[next(iter(row.weights))]
        part.rows.append(Row({place[c]: weight for c, weight in row.weights.items()}, row.most))
    for gains in model.sums:
        shares: dict[int, Sparse] = {}
        for column, gain in gains.items():
            if column in place:
                shares.setdefault(id(of[column]), {})[place[column]] = gain
        for part in found.values():
            if id(part) in shares:
                part.sums.append(shares[id(part)])
    for columns in model.preferences:
        own = [column for column in columns if column in place]
        if own:
            of[own[0]].preferences.append(tuple(place[column] for column in own))
    return list(found.values())


class _Roots:
    """Which columns hang together."""

    def __init__(self, size: int) -> None:
        self.parent = list(range(size))

    def of(self, column: int) -> int:
        parent = self.parent
        while parent[column] != column:
            parent[column] = parent[parent[column]]
            column = parent[column]
        return column

    def join(self, columns: Iterable[int]) -> None:
        top = -1
        for column in columns:
            other = self.of(column)
            if top < 0:
                top = other
            elif other != top:
                self.parent[max(other, top)] = top = min(other, top)
