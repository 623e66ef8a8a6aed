"""HiGHS, as it is used here: silent, in one thread, fed by arrays (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from highspy import HighsModelStatus, HighsStatus, kHighsInf

# `highspy.Highs` is this class with Python callbacks, and prints a banner before it can be told not to.
from highspy._core import _Highs as Highs

from creditbank.recognition.planning.exact.models import Row, SolverInconsistent, Sparse

Floats: TypeAlias = npt.NDArray[np.float64]
Options: TypeAlias = Mapping[str, bool | int | float | str]

TOLERANCE: Final = 1e-9
"""What HiGHS may miss a row or a reduced cost by, in relaxations."""

_ALWAYS: Final[Options] = {
    "output_flag": False,
    "threads": 1,
    "parallel": "off",
    "random_seed": 0,
    "primal_feasibility_tolerance": TOLERANCE,
    "dual_feasibility_tolerance": TOLERANCE,
}
_RELAXED: Final[Options] = {"presolve": "off"}
_SEARCHED: Final[Options] = {
    # Its presolve loses solutions where binaries are to come to exactly 1 (HiGHS issue 3216).
    "presolve": "off",
    "mip_allow_restart": False,
    "mip_abs_gap": 0.0,
    "mip_rel_gap": 0.0,
    "mip_feasibility_tolerance": 1e-7,
    "mip_heuristic_run_feasibility_jump": False,
}
_DUAL: Final = 1
_PRIMAL: Final = 4
_BY_ROWS: Final = 2
_MAXIMISE: Final = -1
_FEASIBLE: Final = 2


class Undecided(Exception):
    """HiGHS could not tell whether there is a solution."""


class Relaxation:
    """A linear relaxation kept in HiGHS between small changes."""

    def __init__(self, bounds: Sequence[int], rows: Sequence[Row]) -> None:
        self.size = len(bounds)
        self.every = np.arange(self.size, dtype=np.int32)
        self.lower = np.zeros(self.size)
        self.upper = np.array(bounds, dtype=np.float64)
        self.changed: set[int] = set()
        self.value = 0.0
        self.aimed = True
        self.count = len(rows)
        self.highs = _highs(_RELAXED)
        _hand_over(self.highs, rows, np.zeros(self.size), self.lower, self.upper, integral=False)

    def aim(self, gains: Sparse) -> None:
        """Say what is to be as great as possible."""
        self.highs.changeColsCost(self.size, self.every, _dense(gains, self.size))
        self.aimed = True

    def add(self, row: Row) -> int:
        """Add a row and return its number."""
        self.highs.addRow(
            -kHighsInf,
            float(row.most),
            len(row.weights),
            np.array(list(row.weights), dtype=np.int32),
            np.array(list(row.weights.values()), dtype=np.float64),
        )
        self.count += 1
        return self.count - 1

    def lift(self, number: int) -> None:
        """Let a row hold no longer."""
        self.highs.changeRowBounds(number, -kHighsInf, kHighsInf)

    def bound(self, column: int, lower: int, upper: int) -> None:
        """Bound a column, from the next time on."""
        self.lower[column], self.upper[column] = lower, upper
        self.changed.add(column)

    def solved(self) -> Floats | None:
        """Return the columns' figures, fractions among them; nothing when there is no solution.

        Raises Undecided when HiGHS cannot tell.
        """
        if self.changed:
            columns = np.array(sorted(self.changed), dtype=np.int32)
            self.highs.changeColsBounds(
                len(columns), columns, self.lower[columns], self.upper[columns]
            )
            self.changed.clear()
        # After a change of bounds the last basis is still dual feasible, after one of aims primal.
        self.highs.setOptionValue("simplex_strategy", _PRIMAL if self.aimed else _DUAL)
        self.aimed = False
        self.highs.run()
        status = self.highs.getModelStatus()
        if status not in (HighsModelStatus.kOptimal, HighsModelStatus.kInfeasible):
            self.highs.clearSolver()
            self.highs.run()
            status = self.highs.getModelStatus()
        if status == HighsModelStatus.kInfeasible:
            return None
        if status != HighsModelStatus.kOptimal:
            raise Undecided
        self.value = self.highs.getObjectiveValue()
        return np.array(self.highs.getSolution().col_value)

    def costs(self) -> Floats:
        """Return the reduced costs of the last solution."""
        return np.array(self.highs.getSolution().col_dual)


class Found:
    """What HiGHS's own search ended with: figures (or none), a bound, and whether time ran out."""

    def __init__(self, highs: Highs) -> None:
        information = highs.getInfo()
        self.status: HighsModelStatus = highs.getModelStatus()
        self.figures: Floats | None = None
        if information.primal_solution_status == _FEASIBLE:
            self.figures = np.array(highs.getSolution().col_value)
        self.bound: float = information.mip_dual_bound

    @property
    def out_of_time(self) -> bool:
        """The limit of time was reached."""
        return self.status == HighsModelStatus.kTimeLimit

    @property
    def none(self) -> bool:
        """There is no solution."""
        return self.status == HighsModelStatus.kInfeasible

    @property
    def best(self) -> bool:
        """No solution is better."""
        return self.status == HighsModelStatus.kOptimal


def search(
    rows: Sequence[Row], gains: Sparse, bounds: Sequence[int], *, seconds: float | None
) -> Found:
    """Let HiGHS search for whole numbers, with its cuts and heuristics.

    No start is set: with one, HiGHS 1.16 calls solutions optimal that it has not.
    """
    highs = _highs(_SEARCHED)
    if seconds is not None:
        highs.setOptionValue("time_limit", seconds)
    size = len(bounds)
    upper = np.array(bounds, dtype=np.float64)
    _hand_over(highs, rows, _dense(gains, size), np.zeros(size), upper, integral=True)
    highs.run()
    return Found(highs)


def _dense(gains: Sparse, size: int) -> Floats:
    found = np.zeros(size)
    for column, gain in gains.items():
        found[column] = gain
    return found


def _hand_over(
    highs: Highs,
    rows: Sequence[Row],
    gains: Floats,
    lower: Floats,
    upper: Floats,
    *,
    integral: bool,
) -> None:
    """Give HiGHS a model, all at once: the greatest gain is wanted."""
    starts = np.zeros(len(rows), dtype=np.int32)
    columns: list[int] = []
    weights: list[int] = []
    for number, row in enumerate(rows):
        starts[number] = len(columns)
        columns.extend(row.weights)
        weights.extend(row.weights.values())
    status = highs.passModel(
        len(gains),
        len(rows),
        len(columns),
        _BY_ROWS,
        _MAXIMISE,
        0.0,
        gains,
        lower,
        upper,
        np.full(len(rows), -kHighsInf),
        np.array([row.most for row in rows], dtype=np.float64),
        starts,
        np.array(columns, dtype=np.int32),
        np.array(weights, dtype=np.float64),
        np.full(len(gains), int(integral), dtype=np.int32),
    )
    if status == HighsStatus.kError:
        raise SolverInconsistent("HiGHS did not take the model")


def _highs(options: Options) -> Highs:
    highs = Highs()
    for some in (_ALWAYS, options):
        for name, value in some.items():
            if highs.setOptionValue(name, value) != HighsStatus.kOk:
                raise SolverInconsistent(f"HiGHS knows no option {name}")
    return highs
