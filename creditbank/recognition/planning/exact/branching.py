"""Solving one part over its linear relaxation: sums first, then preferences (pure).

A relaxation's value, rounded down, bounds each sum. It is supposed that all sums
reach their bounds; then the preferences are gone through in their order, and the
first solution found that way is the best there is. Where that does not come to an
end soon, HiGHS's own search says what the sums can reach.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor, gcd
from typing import Final

import numpy as np

from creditbank.recognition.planning.exact.models import (
    Row,
    SolverInconsistent,
    Sparse,
    total,
    verify,
)
from creditbank.recognition.planning.exact.parts import Part
from creditbank.recognition.planning.exact.reducing import reduced
from creditbank.recognition.planning.exact.relaxation import (
    TOLERANCE,
    Floats,
    Relaxation,
    Undecided,
    search,
)

RADIX: Final = 1_000_000
"""Preferences are packed into one sum while it stays below: a double holds it with room to spare."""
SUPPOSING: Final = 12
"""Relaxations to be solved on the supposition that all sums reach their bounds."""
STEPS: Final = 10
"""Relaxations to be solved for the preferences before HiGHS decides the first few of them."""
PER_COLUMNS: Final = 30
"""For so many columns one more: the more there are, the longer HiGHS's own search takes."""
LOOKED_AT: Final = 400
"""Rows of more columns are left to the relaxation when a decision is followed up."""
WHOLE: Final = 1e-6
"""How far from a whole number a relaxation's figure may be to be taken for it."""


class OutOfTime(Exception):
    """The deadline passed."""


class TooManySteps(Exception):
    """Branching does not come to an end soon."""


@dataclass
class _Frame:
    """A preference that was decided: what could be tried instead, and what was bound before."""

    level: int
    options: list[int | None]
    """Columns still to try, the last first; None: none of the preference's columns."""
    mark: int
    pack: _Pack


@dataclass
class _Pack:
    """Some preferences in their order, as one sum that the relaxation aims at."""

    units: dict[int, int] = field(default_factory=dict)
    """By level, what one rank of it weighs."""
    ranks: dict[int, dict[int, int]] = field(default_factory=dict)
    """By level, the ranks of the columns that were open: the best has the greatest."""
    gains: Sparse = field(default_factory=dict)
    size: int = 1
    """More than the sum can come to."""


class Branching:
    """One part, with bounds that tighten as decisions are taken and loosen as they are given up."""

    def __init__(self, part: Part, start: list[int], deadline: float | None) -> None:
        self.part = part
        self.deadline = deadline
        self.best = start
        self.sums = [_smaller(gains) for gains in part.sums]
        preferred = {column for columns in part.preferences for column in columns}
        # What is whole besides comes last: once all else is decided, nothing depends on it.
        self.levels = part.preferences + [
            (column,)
            for column, integral in enumerate(part.integral)
            if integral and column not in preferred
        ]
        self.must = np.array(
            [column for column, integral in enumerate(part.integral) if integral], dtype=np.int32
        )
        self.lower = [0] * len(part.bounds)
        self.upper = list(part.bounds)
        self.trail: list[tuple[int, int, int]] = []
        self.rows = list(part.rows)
        self.numbers = list(range(len(part.rows)))
        """Of the rows in the relaxation."""
        self.rows_of: list[list[Row]] = [[] for _ in part.bounds]
        for row in part.rows:
            for column in row.weights:
                self.rows_of[column].append(row)
        self.relaxation = Relaxation(part.bounds, part.rows)
        self.steps_left = 0
        self.last_bound = RADIX

    def solved(self) -> tuple[list[int], bool]:
        """Return the best values found, and whether they are proved."""
        try:
            if not self._supposing():
                self._reach_sums()
                self._follow_preferences()
        except OutOfTime:
            return self.best, False
        return self.best, True

    # -- sums ---------------------------------------------------------------------------------

    def _supposing(self) -> bool:
        """Suppose that every sum reaches its bound, and say whether that solved everything."""
        mark, rows = len(self.trail), len(self.rows)
        self.steps_left = SUPPOSING + len(self.must) // PER_COLUMNS
        found = None
        try:
            if all(self._suppose(gains) for gains in self.sums):
                found = self._preferred(0)
        except (TooManySteps, Undecided):
            pass
        if found is not None:
            self._take(found)
            return True
        self._undo(mark)
        self._give_up_rows(rows)
        return False

    def _suppose(self, gains: Sparse) -> bool:
        """Suppose that a sum reaches its bound. Say whether anything is left then."""
        figures = self._relaxed(gains)
        if figures is None:
            return False
        value, margin = self.relaxation.value, _margin(gains)
        bound = floor(value + margin)
        self.last_bound = bound
        self._fix_dear(figures, value - bound + margin)
        self._at_least(gains, bound)
        return True

    def _reach_sums(self) -> None:
        """Find what each sum can reach: all but the last their bounds, if that can be.

        Otherwise one after the other, by the relaxation if that shows it, else by searching.
        """
        if len(self.sums) > 1:
            mark, rows = len(self.trail), len(self.rows)
            try:
                supposed = all(self._suppose(gains) for gains in self.sums[:-1])
            except Undecided:
                supposed = False
            if supposed:
                # The last sum and the first preferences in one: to prove both costs as much as one.
                room = RADIX // (1 + 2 * abs(self.last_bound))
                last, pack = self.sums[-1], self._pack(self._next_open(0), room)
                gains = dict(pack.gains)
                for column, gain in last.items():
                    gains[column] = gains.get(column, 0) + gain * pack.size
                if self._searched(gains, anew=True) is not None:
                    self._at_least(last, total(last, self.best))
                    self._decide_as_best(pack)
                    return
            self._undo(mark)
            self._give_up_rows(rows)
        for gains in self.sums:
            self._at_least(gains, self._reach(gains))

    def _reach(self, gains: Sparse) -> int:
        """Make the best solution reach the most of a sum that can be, and return that.

        The relaxation may show it; else HiGHS searches. What then would cost too
        much to be otherwise is fixed.
        """
        try:
            figures = self._relaxed(gains)
        except Undecided:
            figures = None
        if figures is None:
            found = self._searched(gains)
            assert found is not None
            return found
        value, margin = self.relaxation.value, _margin(gains)
        costs = self.relaxation.costs()
        whole = self._whole(figures)
        if whole is not None:
            self._take(whole)
        reached = total(gains, self.best)
        if reached < floor(value + margin):
            found = self._searched(gains)
            assert found is not None
            reached = found
        self._fix_dear(figures, value - reached + margin, costs)
        return reached

    def _relaxed(self, gains: Sparse) -> Floats | None:
        self.relaxation.aim(gains)
        return self._look()

    def _searched(self, gains: Sparse, *, anew: bool = False) -> int | None:
        """Make the best solution reach the most of a sum that can be, and return that.

        HiGHS is asked for more than the best reaches: that there is none is a proof.
        With `anew` the best is not known to hold the rows: then there may be none at all.
        """
        seconds = None
        if self.deadline is not None:
            seconds = self.deadline - time.monotonic()
            if seconds <= 0:
                raise OutOfTime
        more = [] if anew else [_at_least(gains, total(gains, self.best) + 1)]
        model = reduced([*self.rows, *more], gains, self.lower, self.upper)
        if model is None:
            return None if anew else total(gains, self.best)
        if not model.columns:
            self._take(model.restored([]))
            return total(gains, self.best)
        found = search(model.rows, model.gains, model.bounds, seconds=seconds)
        if found.figures is not None:
            values = [int(figure) for figure in np.rint(found.figures).tolist()]
            self._take(model.restored(values))
        if found.out_of_time:
            raise OutOfTime
        if found.none and anew:
            return None
        reached = total(gains, self.best)
        proved = found.best and floor(found.bound + _margin(model.gains)) + model.already == reached
        if not proved and not found.none:
            raise SolverInconsistent(f"{found.status.name}: {found.bound}, not {reached}")
        return reached

    def _take(self, values: list[int]) -> None:
        """Take a solution for the best, if it is better, after computing it with integers."""
        verify(self.rows, self.part.bounds, values)
        if self._merit(values) > self._merit(self.best):
            self.best = values

    def _merit(self, values: Sequence[int]) -> list[int]:
        """Return what solutions are compared by: sums first, then preferences, then all else."""
        ranks = [
            next((len(columns) - n for n, column in enumerate(columns) if values[column]), 0)
            for columns in self.levels
        ]
        return [*(total(gains, values) for gains in self.sums), *ranks]

    # -- preferences --------------------------------------------------------------------------

    def _follow_preferences(self) -> None:
        """Follow the preferences in their order, now that the sums are settled."""
        level = 0
        while True:
            mark = len(self.trail)
            self.steps_left = STEPS + len(self.must) // PER_COLUMNS
            try:
                found = self._preferred(level)
            except (TooManySteps, Undecided):
                found = None
            if found is not None:
                self._take(found)
                return
            self._undo(mark)
            level = self._next_open(level)
            if level == len(self.levels):
                return
            level = self._settle_some(level)

    def _settle_some(self, level: int) -> int:
        """Let HiGHS decide the next few preferences; return the first that is not decided."""
        pack = self._pack(level)
        self._reach(pack.gains)
        self._decide_as_best(pack)
        return max(pack.units) + 1

    def _decide_as_best(self, pack: _Pack) -> None:
        for level in pack.units:
            columns = self.levels[level]
            self._decide(level, next((column for column in columns if self.best[column]), None))

    def _preferred(self, level: int) -> list[int] | None:
        """Return the first solution in the order of preferences from a level on, or none.

        Whatever is possible in the relaxation is decided, the better options first;
        what turns out not to be possible is given up again, the last decision first.
        """
        frames: list[_Frame] = []
        pack = _Pack()
        figures: Floats | None = None
        while True:
            level = self._next_open(level)
            end = level == len(self.levels)
            if not end and level not in pack.units:
                pack = self._pack(level)
                self.relaxation.aim(pack.gains)
                figures = None
            if figures is None:
                figures = self._step()
            if figures is not None and end:
                whole = self._whole(figures)
                if whole is None:
                    raise TooManySteps
                return whole
            if figures is not None:
                frames.append(_Frame(level, self._options(level, pack), len(self.trail), pack))
            frame = self._last_open(frames)
            if frame is None:
                return None
            if frame.pack is not pack:
                pack = frame.pack
                self.relaxation.aim(pack.gains)
            if frame.level != level:
                figures = None
            touched = self._decide(frame.level, frame.options.pop())
            if figures is not None and any(
                abs(figures[column] - self.lower[column]) > WHOLE for column in touched
            ):
                figures = None
            level = frame.level + 1

    def _last_open(self, frames: list[_Frame]) -> _Frame | None:
        """Give up the last decisions until one can be taken otherwise; return it."""
        while frames:
            frame = frames[-1]
            self._undo(frame.mark)
            if frame.options:
                return frame
            frames.pop()
        return None

    def _next_open(self, level: int) -> int:
        """Return the first level from this on that is not decided yet."""
        while level < len(self.levels) and all(
            self.lower[column] == self.upper[column] for column in self.levels[level]
        ):
            level += 1
        return level

    def _pack(self, level: int, room: int = 0) -> _Pack:
        """Put the next open levels into one sum, each so that it outweighs all later ones."""
        pack = _Pack()
        while level < len(self.levels):
            open_ = [c for c in self.levels[level] if self.upper[c]]
            if pack.ranks and pack.size * (len(open_) + 1) > (room or RADIX):
                break
            pack.size *= len(open_) + 1
            pack.ranks[level] = {c: len(open_) - n for n, c in enumerate(open_)}
            level = self._next_open(level + 1)
        unit = 1
        pack.units = dict.fromkeys(pack.ranks, 0)
        for level, ranks in reversed(pack.ranks.items()):
            pack.units[level] = unit
            for column, rank in ranks.items():
                pack.gains[column] = pack.gains.get(column, 0) + rank * unit
            unit *= len(ranks) + 1
        return pack

    def _options(self, level: int, pack: _Pack) -> list[int | None]:
        """Return the columns that a level can be decided for, as the relaxation's value bounds them."""
        before = 0
        for other, unit in pack.units.items():
            if other >= level:
                break
            for column, rank in pack.ranks[other].items():
                if self.lower[column]:
                    before += rank * unit
                    break
        left = self.relaxation.value + _margin(pack.gains) - before
        ranks = pack.ranks[level]
        possible = [c for c, rank in ranks.items() if rank * pack.units[level] <= left]
        taken = [column for column in possible if self.lower[column]]
        return list(taken) or [None, *(c for c in reversed(possible) if self.upper[c])]

    # -- bounds -------------------------------------------------------------------------------

    def _decide(self, level: int, option: int | None) -> list[int]:
        """Fix the columns of a level, and what then cannot be other than 0; return all of them."""
        touched = []
        for column in self.levels[level]:
            value = int(column == option)
            if self.lower[column] != value or self.upper[column] != value:
                self._bound(column, value, value)
                touched.append(column)
        if option is not None:
            for row in self.rows_of[option]:
                if len(row.weights) > LOOKED_AT:
                    continue
                room = row.most
                for column, weight in row.weights.items():
                    room -= weight * (self.lower[column] if weight > 0 else self.upper[column])
                for column, weight in row.weights.items():
                    if weight > room and self.upper[column] == 1 and not self.lower[column]:
                        self._bound(column, 0, 0)
                        touched.append(column)
        return touched

    def _fix_dear(self, figures: Floats, slack: float, costs: Floats | None = None) -> None:
        """Fix what costs more than lies between a sum's bound and what it is to reach."""
        if costs is None:
            costs = self.relaxation.costs()
        for column in np.flatnonzero(np.abs(costs) > slack).tolist():
            at = round(float(figures[column]))
            if self.part.integral[column] and at in (self.lower[column], self.upper[column]):
                self._bound(column, at, at)

    def _at_least(self, gains: Sparse, value: int) -> None:
        row = _at_least(gains, value)
        self.rows.append(row)
        self.numbers.append(self.relaxation.add(row))

    def _give_up_rows(self, kept: int) -> None:
        """Keep only so many rows."""
        for number in self.numbers[kept:]:
            self.relaxation.lift(number)
        del self.rows[kept:], self.numbers[kept:]

    def _bound(self, column: int, lower: int, upper: int) -> None:
        if (lower, upper) != (self.lower[column], self.upper[column]):
            self.trail.append((column, self.lower[column], self.upper[column]))
            self.lower[column], self.upper[column] = lower, upper
            self.relaxation.bound(column, lower, upper)

    def _undo(self, mark: int) -> None:
        while len(self.trail) > mark:
            column, lower, upper = self.trail.pop()
            self.lower[column], self.upper[column] = lower, upper
            self.relaxation.bound(column, lower, upper)

    # -- relaxations --------------------------------------------------------------------------

    def _step(self) -> Floats | None:
        self.steps_left -= 1
        if self.steps_left < 0:
            raise TooManySteps
        return self._look()

    def _look(self) -> Floats | None:
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise OutOfTime
        return self.relaxation.solved()

    def _whole(self, figures: Floats) -> list[int] | None:
        """Return figures as whole numbers, or nothing if they are not."""
        whole = np.rint(figures)
        if np.any(np.abs(figures - whole)[self.must] > WHOLE):
            return None
        return [int(figure) for figure in whole.tolist()]


def _at_least(gains: Sparse, value: int) -> Row:
    return Row({column: -gain for column, gain in gains.items()}, -value)


def _smaller(gains: Sparse) -> Sparse:
    divisor = gcd(*gains.values()) or 1
    return {column: gain // divisor for column, gain in gains.items()}


def _margin(gains: Sparse) -> float:
    """More than what the tolerances explain of a sum's value, less than the next whole number."""
    return min(0.4, 1e-5 + 100 * TOLERANCE * max(map(abs, gains.values()), default=0))
