"""The choice among candidates as an integer programme (pure).

What can be said without a solver is said first: candidates that a limit leaves no
room for are out, limits and categories that cannot be filled do not couple, and of
two candidates that differ only in what cannot matter, the one that ties prefer stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb, gcd
from typing import Final

from creditbank.ledger.statements import hundredths
from creditbank.recognition.planning.exact import Model, solve
from creditbank.recognition.planning.limits import Draw, Limit, World
from creditbank.recognition.planning.tally import Tally, downstream
from creditbank.recognition.planning.uses import Expiry, Tie, Use

PATTERNS: Final = 48
"""Up to so many sets of grants that a use may give have a column each: relaxations are tighter so."""


@dataclass(slots=True, eq=False)
class _Column:
    """A column of the model: a use with some of its grants, one grant, or a use with columns for each.

    `weights` are what it draws on limits by their number, `given` what it gives
    to each category, `ties` what it is preferred by at each of its outcomes.
    """

    use: Use
    places: tuple[int, ...]
    outcomes: int
    ties: tuple[tuple[Tie, ...], ...] = ()
    given: dict[str, int] = field(default_factory=dict)
    weights: dict[int, int] = field(default_factory=dict)
    required: int = 0
    number: int = -1


class PlanModel:
    """What is chosen from, as columns and rows. `chosen` solves it."""

    def __init__(self, world: World, limits: Sequence[Limit], before: Tally) -> None:
        self.world = world
        self.limits = limits
        self.before = before
        self.dead = [False] * len(world.candidates)
        self.model = Model()
        self.columns: list[_Column] = []
        self.own: dict[int, list[_Column]] = {}
        """By the number of a use, the columns of its grants."""
        self.alone: dict[int, _Column] = {}
        """By place, the column of a use that has no other grant."""
        self.by_use: dict[int, _Column] = {}
        """By the number of a use that may give many sets of grants, the column of the use itself."""
        self.either: dict[tuple[int, ...], int] = {}
        """Columns that are 1 once one of several grants is chosen."""
        self.groups: dict[tuple[int, ...], int] = {}
        self._bury()
        self._make_columns()
        self._draw()
        self._drop_worse()
        self._number()
        self._limit()
        self._value()
        self._prefer()

    def chosen(self, *, deadline: float | None) -> tuple[list[int], bool]:
        """Return the places of the best candidates, and whether that is proved."""
        solution = solve(self.model, deadline=deadline)
        return (
            sorted(
                place
                for column in self.columns
                if solution.values[column.number]
                for place in column.places
            ),
            solution.proved,
        )

    # -- what is out --------------------------------------------------------------------------

    def _bury(self) -> None:
        """Leave out what no plan can hold, because of one limit or its own use alone."""
        dead = self.dead
        for use in self.world.uses:
            if use.most is not None:
                if use.choose:
                    for place, gives in zip(use.places, use.gives, strict=True):
                        dead[place] = gives > use.most
                elif sum(use.gives) > use.most:
                    self._kill(use.places)
        for limit in self.limits:
            left = limit.left
            for places, amount in limit.draws:
                if amount > left:
                    self._kill(places)
        for use in self.world.uses:
            if not use.choose and len(use.places) > 1 and any(dead[place] for place in use.places):
                self._kill(use.places)

    def _kill(self, places: Iterable[int]) -> None:
        for place in places:
            self.dead[place] = True

    # -- columns ------------------------------------------------------------------------------

    def _make_columns(self) -> None:
        self.category = {course.code: course.category for course in self.world.programme.courses}
        self.required = {c.code for c in self.world.programme.courses if c.required}
        for use in self.world.uses:
            alive = tuple(place for place in use.places if not self.dead[place])
            if not alive:
                continue
            if not use.choose or len(alive) == 1:
                self._add(use, alive, len(use.outcomes))
            elif sum(comb(len(alive), n) for n in range(1, use.choose + 1)) <= PATTERNS:
                for count in range(1, use.choose + 1):
                    for places in combinations(alive, count):
                        if use.most is None or self._gives(use, places) <= use.most:
                            self._add(use, places, len(use.outcomes))
            else:
                self.by_use[use.number] = _Column(use, (), len(use.outcomes))
                self.columns.append(self.by_use[use.number])
                for place in alive:
                    self._add(use, (place,), 0)

    @staticmethod
    def _gives(use: Use, places: Iterable[int]) -> int:
        return sum(use.gives[place - use.places.start] for place in places)

    def _add(self, use: Use, places: tuple[int, ...], outcomes: int) -> None:
        column = _Column(use, places, outcomes)
        self.columns.append(column)
        self.own.setdefault(use.number, []).append(column)
        if len(use.places) == 1:
            self.alone[places[0]] = column
        targets = []
        given = column.given
        for place in places:
            _, grant, direct, surplus = self.world.candidates[place]
            target = grant.course or grant.category
            targets.append(target)
            if direct:
                category = grant.category or self.category[target]
                given[category] = given.get(category, 0) + direct
            if surplus:
                to = grant.surplus_category
                given[to] = given.get(to, 0) + surplus
            column.required += target in self.required and not grant.category
        targets.sort()
        column.ties = tuple(
            tuple((last, index, use.rule, target) for target in targets)
            for last, index in use.expiries
        )

    def _draw(self) -> None:
        """Let columns draw on the limits that could be reached."""
        self.drawn: list[tuple[int, dict[int, int]]] = []
        """Limits that could be reached, and what is drawn on them by no single column: by group."""
        for number, limit in enumerate(self.limits):
            if self._out_of_reach(limit):
                continue
            others: dict[int, int] = {}
            for places, amount in limit.draws:
                if len(places) == 1 and (alone := self.alone.get(places[0])) is not None:
                    alone.weights[number] = alone.weights.get(number, 0) + amount
                    continue
                use = self.world.candidates[places[0]].use
                if use.number in self.by_use:
                    self._draw_linked(number, use, places, amount, others)
                    continue
                for column in self.own.get(use.number, ()):
                    if len(column.places) == 1:
                        if column.places[0] not in places:
                            continue
                    elif not any(place in places for place in column.places):
                        continue
                    column.weights[number] = column.weights.get(number, 0) + amount
            self.drawn.append((number, others))

    def _draw_linked(
        self,
        number: int,
        use: Use,
        places: Sequence[int],
        amount: int,
        others: dict[int, int],
    ) -> None:
        """Let a use with columns for each of its grants draw once, however many of them are chosen."""
        alive = tuple(place for place in places if not self.dead[place])
        if not alive:
            return
        if len(alive) == 1:
            column = self._column_of(use, alive[0])
        elif len(alive) == len(self.own[use.number]):
            column = self.by_use[use.number]
        else:
            group = self.either.setdefault(alive, len(self.either))
            others[group] = others.get(group, 0) + amount
            return
        column.weights[number] = column.weights.get(number, 0) + amount

    def _column_of(self, use: Use, place: int) -> _Column:
        return next(column for column in self.own[use.number] if column.places == (place,))

    def _out_of_reach(self, limit: Limit) -> bool:
        """Say whether even all that could be drawn stays below: an outcome is used once."""
        left = limit.left
        dead = self.dead
        alive = [
            draw
            for draw in limit.draws
            if not (dead[draw[0][0]] if len(draw[0]) == 1 else all(dead[p] for p in draw[0]))
        ]
        if sum([amount for _, amount in alive]) <= left:
            return True
        return limit.code not in {"once", "one-source"} and self._most(alive) <= left

    def _most(self, draws: Iterable[Draw]) -> int:
        """Bound what draws can come to: of each first outcome, one use; of each use, what it may give."""
        by_use: dict[int, list[int]] = {}
        for places, amount in draws:
            by_use.setdefault(self.world.candidates[places[0]].use.number, []).append(amount)
        by_leaf: dict[bytes, int] = {}
        for number, amounts in by_use.items():
            use = self.world.uses[number]
            most = amounts[0] if len(amounts) == 1 else _at_most(amounts, use.choose)
            leaf = use.leaves[0]
            if most > by_leaf.get(leaf, 0):
                by_leaf[leaf] = most
        return sum(by_leaf.values())

    # -- of two that are alike, one -----------------------------------------------------------

    def _drop_worse(self) -> None:
        """Drop a column when another of the same outcomes and targets does all it does, and ties prefer it.

        A plan with the one can hold the other instead: it draws no more on any
        limit, gives each category no less, and is preferred.
        """
        alike: dict[tuple[object, ...], list[_Column]] = {}
        for column in self.columns:
            if column.use.number not in self.by_use:
                targets = tuple(tie[3] for tie in column.ties[0])
                alike.setdefault((column.use.leaves, targets), []).append(column)
        gone: set[int] = set()
        for columns in alike.values():
            if len(columns) < 2:
                continue
            columns.sort(key=lambda column: column.ties)
            kept: list[_Column] = []
            for column in columns:
                if any(_covers(other, column) for other in kept):
                    gone.add(id(column))
                else:
                    kept.append(column)
        if gone:
            self.columns = [column for column in self.columns if id(column) not in gone]

    # -- into the model -----------------------------------------------------------------------

    def _number(self) -> None:
        for column in self.columns:
            column.number = self.model.column()

    def _limit(self) -> None:
        weights: list[dict[int, int]] = [{} for _ in self.limits]
        for column in self.columns:
            for number, weight in column.weights.items():
                weights[number][column.number] = weight
        either: dict[int, int] = {}
        for places, number in self.either.items():
            either[number] = self.model.column()
            for place in places:
                column = self._column_of(self.world.candidates[place].use, place)
                self.model.row({column.number: 1, either[number]: -1}, most=0)
        for number, others in self.drawn:
            row = weights[number] | {either[group]: weight for group, weight in others.items()}
            self.model.row(row, most=self.limits[number].left)
        for whole in self.by_use.values():
            self._link(whole)
        self._one_of_each()

    def _one_of_each(self) -> None:
        """Of the sets of grants that a use may give, one; unless its outcome being used once says so."""
        once = {number for number, _ in self.drawn if self.limits[number].code == "once"}
        by_use: dict[int, list[_Column]] = {}
        for column in self.columns:
            if column.use.choose and column.use.number not in self.by_use:
                by_use.setdefault(column.use.number, []).append(column)
        for columns in by_use.values():
            if len(columns) > 1 and once.isdisjoint(columns[0].weights):
                self.model.row({column.number: 1 for column in columns}, most=1)

    def _link(self, whole: _Column) -> None:
        """A use is taken with one of its grants at least, and with as many as it may give."""
        use = whole.use
        places = [column.places[0] for column in self.own[use.number]]
        grants = [column.number for column in self.own[use.number]]
        for grant in grants:
            self.model.row({grant: 1, whole.number: -1}, most=0)
        self.model.row({whole.number: 1} | dict.fromkeys(grants, -1), most=0)
        if use.choose < len(grants):
            self.model.row(dict.fromkeys(grants, 1) | {whole.number: -use.choose}, most=0)
        if use.most is not None:
            gives = [use.gives[place - use.places.start] for place in places]
            if _at_most(gives, use.choose) > use.most:
                self.model.row(
                    dict(zip(grants, gives, strict=True)) | {whole.number: -use.most}, most=0
                )

    # -- objectives ---------------------------------------------------------------------------

    def _value(self) -> None:
        """Credits that count, then required courses met, then as few outcomes as can be."""
        self.model.maximise(self._counted())
        self.model.maximise({column.number: column.required for column in self.columns})
        self.model.maximise({column.number: -column.outcomes for column in self.columns})

    def _counted(self) -> dict[int, int]:
        """Return by column what counts: directly, or through categories that can be full."""
        model, programme = self.model, self.world.programme
        gains: dict[int, int] = {}
        into: dict[str, dict[int, int]] = {category.code: {} for category in programme.categories}
        asked = {code: ask - self.before.counted[code] for code, ask, _ in downstream(programme)}
        left_in_all = hundredths(programme.total) - self.before.total
        amounts = [given for column in self.columns for given in column.given.values()]
        # In units as large as can be: bounds can then be rounded down further.
        unit = gcd(left_in_all, *asked.values(), *amounts) or 1
        for column in self.columns:
            for code, given in column.given.items():
                into[code][column.number] = given // unit
        own_most = self._most_into()
        most_into = dict.fromkeys(into, 0)
        most_counted = 0
        for code, _, to in downstream(programme):
            left = asked[code] // unit
            most = most_into[code] + own_most.get(code, 0) // unit
            most_counted += min(left, most)
            if not left:
                if to:  # all of it goes on
                    for number, given in into[code].items():
                        into[to][number] = into[to].get(number, 0) + given
                    most_into[to] += most
            elif most <= left:
                for number, given in into[code].items():
                    gains[number] = gains.get(number, 0) + given
            else:
                counted = model.column(most=left, integral=False)
                gains[counted] = 1
                weights = {number: -given for number, given in into[code].items()} | {counted: 1}
                if to:
                    spilled = model.column(most=most - left, integral=False)
                    weights[spilled] = 1
                    into[to][spilled] = 1
                    most_into[to] += most - left
                model.row(weights, most=0)
        left = left_in_all // unit
        if most_counted <= left:
            return gains
        total = model.column(most=left, integral=False)
        model.row({number: -gain for number, gain in gains.items()} | {total: 1}, most=0)
        return {total: 1}

    def _most_into(self) -> dict[str, int]:
        """Bound what can be given to each category: an outcome is used once, a course met once."""
        by_use: dict[str, dict[int, list[int]]] = {}
        by_course: dict[str, dict[str, int]] = {}
        for column in self.columns:
            number = column.use.number
            for code, given in column.given.items():
                by_use.setdefault(code, {}).setdefault(number, []).append(given)
            for place in column.places:
                _, grant, direct, surplus = self.world.candidates[place]
                if direct and grant.course:
                    courses = by_course.setdefault(self.category[grant.course], {})
                    if direct > courses.get(grant.course, 0):
                        courses[grant.course] = direct
                elif direct:
                    # What does not go to a course is bounded by its outcome alone.
                    courses = by_course.setdefault(grant.category, {})
                    courses[""] = courses.get("", 0) + direct
                if surplus:
                    courses = by_course.setdefault(grant.surplus_category, {})
                    courses[""] = courses.get("", 0) + surplus
        most: dict[str, int] = {}
        for code, uses in by_use.items():
            by_leaf: dict[bytes, int] = {}
            for number, amounts in uses.items():
                use = self.world.uses[number]
                linked = number in self.by_use
                reach = _at_most(amounts, use.choose) if linked else max(amounts)
                by_leaf[use.leaves[0]] = max(by_leaf.get(use.leaves[0], 0), reach)
            most[code] = min(sum(by_leaf.values()), sum(by_course[code].values()))
        return most

    def _prefer(self) -> None:
        """Break ties, outcome by outcome, those that expire first before the others."""
        by_leaf: dict[Expiry, list[tuple[int, _Column]]] = {}
        for column in self.columns:
            if column.places:
                for at, expiry in enumerate(column.use.expiries):
                    by_leaf.setdefault(expiry, []).append((at, column))
        several = self.by_use
        alike: set[int] = set()
        for _, own in sorted(by_leaf.items()):
            if any(column.use.number in several for _, column in own):
                groups = self._in_turn(own)
            else:
                groups = self._ranked(own)
            alike.update(number for group in groups if len(group) > 1 for number in group)
        # Plans that hold the same tuples hold the same outcomes in other uses: the first use first.
        for number in sorted(alike):
            self.model.prefer([number])

    def _ranked(self, own: Sequence[tuple[int, _Column]]) -> list[tuple[int, ...]]:
        """Prefer what an outcome can be used for in order: it is used once, so for one of it at most."""
        patterns: dict[tuple[Tie, ...], list[int]] = {}
        for at, column in own:
            patterns.setdefault(column.ties[at], []).append(column.number)
        # The plan that holds the least tuple in which two differ is preferred: the longer one
        # of two that begin alike.
        order = sorted(patterns, key=lambda ties: (*ties, _AFTER_ALL))
        groups = [tuple(patterns[ties]) for ties in order]
        self.model.prefer([self._either_of(group) for group in groups])
        return groups

    def _either_of(self, group: tuple[int, ...]) -> int:
        """Return the column that is 1 where one of a group is: one for each group."""
        if group not in self.groups:
            self.groups[group] = self.model.either(group)
        return self.groups[group]

    def _in_turn(self, own: Sequence[tuple[int, _Column]]) -> list[tuple[int, ...]]:
        """Prefer one tuple of an outcome after the other, where one use may give several."""
        holders: dict[Tie, dict[int, None]] = {}
        for at, column in own:
            for tie in column.ties[at]:
                holders.setdefault(tie, {})[column.number] = None
        groups = [tuple(holders[tie]) for tie in sorted(holders)]
        for group in groups:
            self.model.prefer([self._either_of(group)])
        return groups


_AFTER_ALL: Final[Tie] = (1 << 62, 0, "", "")


def _at_most(amounts: Sequence[int], choose: int) -> int:
    """Return what the greatest `choose` of the amounts come to; with 0, all of them."""
    return sum(sorted(amounts, reverse=True)[:choose]) if choose else sum(amounts)


def _covers(better: _Column, worse: _Column) -> bool:
    """Say whether one column does all that another does, and draws no more."""
    return (
        all(worse.weights.get(n, 0) >= weight for n, weight in better.weights.items())
        and all(better.given.get(code, 0) >= given for code, given in worse.given.items())
        and better.required >= worse.required
    )
