"""The shortest way to the end: the fewest courses that complete a programme (pure, exact)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from creditbank.ledger.statements import credits_of, hundredths
from creditbank.recognition.engine.evidence import Evidence
from creditbank.recognition.engine.findings import Line
from creditbank.recognition.language.programmes import Minimum, Programme
from creditbank.recognition.planning.exact import Model, SolverInconsistent, solve
from creditbank.recognition.planning.standing import Shortfall, given_for, standing
from creditbank.recognition.planning.tally import Tally, downstream, given, tally
from creditbank.recognition.planning.uses import natives

LIMIT_SECONDS: Final = 2.0
TAKEN: Final = "course"
"""The kind of outcome that a course taken at the owner will be."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """The courses still to take.

    `shortest`: no smaller set completes the programme; `not-proved`: time ran out,
    this set completes it; `not-enough`: even all courses together leave shortfalls,
    which are named.
    """

    state: Literal["shortest", "not-proved", "not-enough"]
    courses: tuple[str, ...]
    """In the order of their codes."""
    credits: Decimal
    shortfalls: tuple[Shortfall, ...] = ()
    """What all courses together would leave short."""


def shortest(
    programme: Programme,
    *,
    native: Sequence[Evidence],
    lines: Sequence[Line],
    held: Sequence[Evidence] = (),
    limit_seconds: float | None = LIMIT_SECONDS,
) -> Missing:
    """Return the fewest courses that complete the programme, taken at the owner.

    Of sets of as many courses the one with the fewest credits, then the one with
    the least code in which two differ. The other inputs are those of `standing`.
    """
    deadline = None if limit_seconds is None else time.monotonic() + limit_seconds
    way = _Way(programme, native, lines, held)
    left = way.short(way.open)
    if left:
        return Missing(
            state="not-enough",
            courses=tuple(way.open),
            credits=way.credits(way.open),
            shortfalls=left,
        )
    courses, proved = way.shortest(deadline)
    if way.short(courses):
        raise SolverInconsistent(f"{courses} leave {way.short(courses)}")
    return Missing(
        state="shortest" if proved else "not-proved",
        courses=tuple(courses),
        credits=way.credits(courses),
    )


class _Way:
    """A programme, what counts already, and the courses that are open."""

    def __init__(
        self,
        programme: Programme,
        native: Sequence[Evidence],
        lines: Sequence[Line],
        held: Sequence[Evidence],
    ) -> None:
        self.programme = programme
        self.lines = lines
        self.own = natives(programme, native)
        self.outcomes = {one.leaf: one for one in (*held, *native)}
        self.now = standing(programme, native=native, lines=lines, held=held)
        self.credits_of = {one.code: hundredths(one.credits) for one in programme.courses}
        self.category_of = {one.code: one.category for one in programme.courses}
        self.open = sorted(course.code for course in self.now.courses if not course.sources)

    def credits(self, courses: Sequence[str]) -> Decimal:
        """Return what courses come to."""
        return credits_of(sum(self.credits_of[code] for code in courses))

    def short(self, courses: Sequence[str]) -> tuple[Shortfall, ...]:
        """Return what is short once these courses are taken as well."""
        taken = set(courses)
        found = []
        counted = self._tally(courses)
        total = hundredths(self.programme.total)
        if counted.total < total:
            found.append(Shortfall(code="total", credits=credits_of(total - counted.total)))
        for category in self.programme.categories:
            missing = category.credits - credits_of(counted.counted[category.code])
            if missing:
                found.append(Shortfall(code="category", subject=category.code, credits=missing))
        found += [
            Shortfall(code="required", subject=course.code)
            for course in self.programme.courses
            if course.required and course.code in self.open and course.code not in taken
        ]
        for minimum in self.programme.minimums:
            missing = minimum.credits - credits_of(self._tally(courses, minimum).total)
            if missing > 0:
                found.append(Shortfall(code="minimum", subject=minimum.code, credits=missing))
        return tuple(found)

    def _tally(self, courses: Sequence[str], minimum: Minimum | None = None) -> Tally:
        into = self._into(minimum)
        if minimum is None or self._counts_for(minimum):
            for code in courses:
                into[self.category_of[code]] += self.credits_of[code]
        return tally(self.programme, into)

    def _into(self, minimum: Minimum | None) -> dict[str, int]:
        """Return by category what came in till now, or what of it a minimum asks for."""
        if minimum is None:
            return given(self.programme, self.own, (line.grant for line in self.lines))
        return given_for(minimum, self.programme, self.own, self.lines, self.outcomes)

    def _counts_for(self, minimum: Minimum) -> bool:
        """Say whether a course that is taken will count for a minimum."""
        return (not minimum.kinds or TAKEN in minimum.kinds) and (
            not minimum.bodies or self.programme.owner in minimum.bodies
        )

    def shortest(self, deadline: float | None) -> tuple[list[str], bool]:
        """Return the fewest courses after which nothing is short; all of them must do."""
        model = Model()
        self.number = {code: model.column() for code in self.open}
        start = [1] * len(self.open)
        required = {course.code for course in self.programme.courses if course.required}
        for code, number in self.number.items():
            if code in required:
                model.row({number: -1}, most=-1)
        self._fill(model, start, None)
        for minimum in self.programme.minimums:
            if self._counts_for(minimum):
                self._fill(model, start, minimum)
        model.maximise(dict.fromkeys(self.number.values(), -1))
        model.maximise({number: -self.credits_of[code] for code, number in self.number.items()})
        for number in self.number.values():
            model.prefer([number])
        solution = solve(model, deadline=deadline, start=start)
        taken = [code for code, number in self.number.items() if solution.values[number]]
        return taken, solution.proved

    def _fill(self, model: Model, start: list[int], minimum: Minimum | None) -> None:
        """Let credits come into categories and spill; all categories, or a minimum, must be filled."""
        into = self._into(minimum)
        most = self._tally(self.open, minimum)
        coming: dict[str, dict[int, int]] = {code: {} for code in into}
        for code, number in self.number.items():
            coming[self.category_of[code]][number] = self.credits_of[code]
        reached: dict[int, int] = {}
        for code, ask, to in downstream(self.programme):
            if minimum is None and ask:
                # What counts here comes to all that is asked for.
                counts, constant = {}, ask
            else:
                counts, constant = {model.column(most=ask, integral=False): 1}, 0
                start.append(most.counted[code])
                reached |= counts
            weights = {number: -credits_ for number, credits_ in coming[code].items()} | counts
            if to:
                spilled = model.column(most=most.spilled[code], integral=False)
                start.append(most.spilled[code])
                weights[spilled] = 1
                coming[to][spilled] = 1
            model.row(weights, most=into[code] - constant)
        if minimum is not None:
            model.row(dict.fromkeys(reached, -1), most=-hundredths(minimum.credits))
