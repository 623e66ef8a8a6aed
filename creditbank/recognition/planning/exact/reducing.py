"""Making a search smaller, with integers alone: what is decided already, what another column does better (pure).

HiGHS could do this itself and more, but its presolve has lost solutions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import gcd

from creditbank.recognition.planning.exact.models import Row, Sparse


@dataclass
class Reduced:
    """A smaller model: its columns are those of `columns`, counted from their lower bounds."""

    columns: list[int]
    lower: list[int]
    """Of all columns of the larger model."""
    bounds: list[int]
    """Of the columns that are left."""
    rows: list[Row]
    gains: Sparse
    already: int
    """What the lower bounds gain."""

    def restored(self, values: Sequence[int]) -> list[int]:
        """Return the values of the larger model's columns."""
        whole = list(self.lower)
        for column, value in zip(self.columns, values, strict=True):
            whole[column] += value
        return whole


def reduced(
    rows: Iterable[Row], gains: Sparse, lower: Sequence[int], upper: Sequence[int]
) -> Reduced | None:
    """Return a smaller model with the same most to gain; nothing when it has no solution."""
    low, up = list(lower), list(upper)
    left = _bounded(rows, low, up)
    if left is None:
        return None
    if _outdone(left, gains, low, up):
        left = _bounded(left, low, up)
        if left is None:
            return None
    columns = [column for column in range(len(low)) if low[column] < up[column]]
    place = {column: n for n, column in enumerate(columns)}
    return Reduced(
        columns=columns,
        lower=low,
        bounds=[up[column] - low[column] for column in columns],
        rows=_moved(left, low, place),
        gains={place[column]: gain for column, gain in gains.items() if column in place},
        already=sum(gain * low[column] for column, gain in gains.items()),
    )


def _bounded(rows: Iterable[Row], low: list[int], up: list[int]) -> list[Row] | None:
    """Bound columns by single rows until nothing changes; return the rows that could be broken."""
    while True:
        kept: list[Row] = []
        changed = False
        for row in rows:
            least = most = 0
            for column, weight in row.weights.items():
                if weight > 0:
                    least += weight * low[column]
                    most += weight * up[column]
                else:
                    least += weight * up[column]
                    most += weight * low[column]
            if most <= row.most:
                continue
            room = row.most - least
            if room < 0:
                return None
            kept.append(row)
            for column, weight in row.weights.items():
                span = up[column] - low[column]
                if span and abs(weight) * span > room:
                    changed = True
                    if weight > 0:
                        up[column] = low[column] + room // weight
                    else:
                        low[column] = up[column] - room // -weight
        rows = kept
        if not changed:
            return kept


def _outdone(rows: Sequence[Row], gains: Sparse, low: list[int], up: list[int]) -> bool:
    """Leave out columns that another does all for, of which not both can be 1; say whether there were any."""
    weights: dict[int, dict[int, int]] = {}
    for number, row in enumerate(rows):
        for column, weight in row.weights.items():
            if low[column] < up[column]:
                weights.setdefault(column, {})[number] = weight
    out: set[int] = set()
    for row in rows:
        columns = [c for c in row.weights if c in weights and c not in out and up[c] == 1]
        if len(columns) < 2 or min(row.weights.values()) < 0:
            continue
        fixed = sum(weight * low[column] for column, weight in row.weights.items())
        smallest = sorted(row.weights[column] for column in columns)[:2]
        if sum(smallest) <= row.most - fixed:
            continue
        for column in columns:
            if any(
                other != column
                and other not in out
                and _outdoes(weights[other], weights[column], gains, other, column)
                for other in columns
            ):
                out.add(column)
    for column in out:
        up[column] = 0
    return bool(out)


def _outdoes(
    better: dict[int, int], worse: dict[int, int], gains: Sparse, other: int, column: int
) -> bool:
    """Say whether a column gains no less and weighs no more in any row; of equal ones the first does."""
    more = gains.get(other, 0) - gains.get(column, 0)
    if more < 0:
        return False
    if any(weight > worse.get(row, 0) for row, weight in better.items()):
        return False
    if any(weight < better.get(row, 0) for row, weight in worse.items()):
        return False
    return more > 0 or better != worse or other < column


def _moved(rows: Iterable[Row], low: Sequence[int], place: dict[int, int]) -> list[Row]:
    """Return rows over the columns that are left, divided by what divides them, each once."""
    found: dict[frozenset[tuple[int, int]], Row] = {}
    for row in rows:
        weights: Sparse = {}
        most = row.most
        for column, weight in row.weights.items():
            most -= weight * low[column]
            if column in place:
                weights[place[column]] = weight
        divisor = gcd(*weights.values())
        if divisor > 1:
            weights = {column: weight // divisor for column, weight in weights.items()}
            most //= divisor
        key = frozenset(weights.items())
        if weights and (key not in found or most < found[key].most):
            found[key] = Row(weights, most)
    return list(found.values())
