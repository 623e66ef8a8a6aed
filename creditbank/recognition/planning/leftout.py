"""Why a finding that applies is not in the plan: what stands in its way (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from creditbank.ledger.statements import credits_of
from creditbank.recognition.engine.findings import Grant
from creditbank.recognition.planning.limits import Limit, World
from creditbank.recognition.planning.uses import Use

CREDITS: Final = frozenset({"share", "residency", "bucket"})
"""Limits that are in credits; a cap is when its pointer says so."""


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """One thing that keeps a use out of the plan.

    `code` is a limit's (`cap`, `share`, `bucket`, `exclusive`, `highest`,
    `residency`, `never`, `never-unknown`, `not-replaceable`, `once`, `native`,
    `lapsed`, `one-source`), with the document that holds it and the JSON pointer
    in it; or `worse`: what it needs serves better in the plan, as `in_favour_of`
    says; or `at-most`: the use alone would give more than its rule lets it; or
    `no-gain`: it could be added, and nothing more would count.
    """

    code: str
    holder: str = ""
    version: int = 0
    pointer: str = ""
    group: str = ""
    """What the limit is counted for: an item, a period, a name, a course, a category."""
    most: Decimal | None = None
    """What the limit allows, where it is in credits."""
    drawn: Decimal | None = None
    """What the plan and earlier decisions have drawn on it."""
    course: str = ""
    """The course that has another source."""
    leaf: bytes | None = None
    """The outcome that is used otherwise, or stands in the way."""
    in_favour_of: str = ""
    """The rule of the plan's line that has the outcome or the course."""


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A finding that applies and is not used, and all that keeps it out."""

    rule: str
    version: int
    leaves: tuple[bytes, ...]
    grants: tuple[Grant, ...]
    obstacles: tuple[Obstacle, ...]


def left_out(world: World, limits: Sequence[Limit], places: Sequence[int]) -> Iterator[LeftOut]:
    """Give the uses that are not in a plan, in their order, each with what adding it would break."""
    return _Reasons(world, limits, set(places)).given()


class _Reasons:
    """A plan's room on every limit, and what each use would draw on it."""

    def __init__(self, world: World, limits: Sequence[Limit], chosen: set[int]) -> None:
        self.world = world
        self.limits = limits
        self.chosen = chosen
        self.taken = _Taken(world, chosen)
        self.obstacles: dict[int, Obstacle] = {}
        self.drawn: list[int] = []
        self.room: list[int] = []
        self.alone: dict[int, list[tuple[int, int]]] = {}
        """By place, the limits that its grant draws on by itself, and how much."""
        self.together: dict[int, list[tuple[int, Sequence[int], int]]] = {}
        """By use, the limits that several of its grants draw on once."""
        self.by_use: dict[int, dict[int, int]] = {}
        """By use of the plan, what it draws on limits."""
        for number, limit in enumerate(limits):
            drawn = 0
            for own, amount in limit.draws:
                if own[0] in chosen if len(own) == 1 else not chosen.isdisjoint(own):
                    drawn += amount
                    draws = self.by_use.setdefault(world.candidates[own[0]].use.number, {})
                    draws[number] = draws.get(number, 0) + amount
                elif len(own) == 1:
                    self.alone.setdefault(own[0], []).append((number, amount))
                else:
                    use = world.candidates[own[0]].use.number
                    self.together.setdefault(use, []).append((number, own, amount))
            self.drawn.append(drawn)
            self.room.append(limit.left - drawn)

    def given(self) -> Iterator[LeftOut]:
        """Give what is left out."""
        for use in self.world.uses:
            if self.chosen.isdisjoint(use.places):
                yield LeftOut(
                    rule=use.rule,
                    version=use.version,
                    leaves=use.leaves,
                    grants=use.grants,
                    obstacles=self._against(use),
                )

    def _against(self, use: Use) -> tuple[Obstacle, ...]:
        """Return what adding a use breaks; of grants to choose from, the one that breaks the least."""
        options = [(place,) for place in use.places] if use.choose else [tuple(use.places)]
        fewest = min((self._broken(use, option) for option in options), key=len)
        if fewest:
            return tuple(fewest)
        free = next(option[0] for option in options if not self._broken(use, option))
        return (_no_gain(self.world, free),)

    def _broken(self, use: Use, option: tuple[int, ...]) -> list[Obstacle]:
        """Return what a use with some of its grants would break.

        Where an outcome of it serves elsewhere in the plan, that use is looked
        away from: what is broken still would keep this one out in its place.
        """
        found = []
        if use.most is not None:
            gives = sum(use.gives[place - use.places.start] for place in option)
            if gives > use.most:
                at = "/allocation/at_most"
                found.append(
                    Obstacle(code="at-most", holder=use.rule, version=use.version, pointer=at)
                )
        together = self.together.get(use.number)
        if len(option) == 1 and not together:
            added: Iterable[tuple[int, int]] = self.alone.get(option[0], ())
        else:
            sums: dict[int, int] = {}
            for place in option:
                for number, amount in self.alone.get(place, ()):
                    sums[number] = sums.get(number, 0) + amount
            for number, places, amount in together or ():
                if any(place in places for place in option):
                    sums[number] = sums.get(number, 0) + amount
            added = sorted(sums.items())
        room = self.room
        freed = self._freed(use)
        for number, more in added:
            if more > room[number]:
                limit = self.limits[number]
                elsewhere = limit.code == "once" and not limit.taken
                if elsewhere or more > room[number] + freed.get(number, 0):
                    found.append(self._obstacle(number))
        return found

    def _freed(self, use: Use) -> Mapping[int, int]:
        """Return what the uses of the plan draw on limits that have an outcome of this one."""
        others = {self.taken.leaves[leaf] for leaf in use.leaves if leaf in self.taken.leaves}
        if len(others) == 1:
            return self.by_use[others.pop()]
        freed: dict[int, int] = {}
        for other in others:
            for number, amount in self.by_use[other].items():
                freed[number] = freed.get(number, 0) + amount
        return freed

    def _obstacle(self, number: int) -> Obstacle:
        if number not in self.obstacles:
            limit = self.limits[number]
            self.obstacles[number] = _obstacle(limit, self.drawn[number], self.taken)
        return self.obstacles[number]


class _Taken:
    """What the plan uses: outcomes and courses, and what for."""

    def __init__(self, world: World, chosen: set[int]) -> None:
        self.uses = world.uses
        self.leaves: dict[bytes, int] = {}
        """By outcome, the number of the use that has it."""
        self.courses: dict[str, tuple[str, bytes]] = {}
        for place in sorted(chosen):
            use, grant = world.candidates[place][:2]
            for leaf in use.leaves:
                self.leaves[leaf] = use.number
            if grant.course:
                self.courses[grant.course] = (use.rule, use.leaves[0])


def _obstacle(limit: Limit, drawn: int, taken: _Taken) -> Obstacle:
    if limit.code == "once" and not limit.taken:
        leaf = bytes.fromhex(limit.group)
        rule = taken.uses[taken.leaves[leaf]].rule
        return Obstacle(code="worse", leaf=leaf, in_favour_of=rule)
    if limit.code == "one-source" and not limit.taken and limit.group in taken.courses:
        rule, leaf = taken.courses[limit.group]
        return Obstacle(code="worse", course=limit.group, leaf=leaf, in_favour_of=rule)
    if limit.code in {"once", "native", "lapsed"}:
        return Obstacle(code=limit.code, leaf=bytes.fromhex(limit.group))
    in_credits = limit.code in CREDITS or limit.pointer.endswith("/cap/credits")
    return Obstacle(
        code=limit.code,
        holder=limit.holder,
        version=limit.version,
        pointer=limit.pointer,
        group="" if limit.code == "one-source" else limit.group,
        most=credits_of(limit.most) if in_credits else None,
        drawn=credits_of(limit.taken + drawn) if in_credits else None,
        course=limit.group if limit.code == "one-source" else "",
        leaf=limit.favoured,
    )


def _no_gain(world: World, place: int) -> Obstacle:
    """Nothing more would count: the category that it would go to has all it asks for, or the total is."""
    grant = world.candidates[place].grant
    return Obstacle(code="no-gain", group=world.category_of(grant))
