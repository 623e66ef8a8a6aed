"""Constraints of rules and programmes as linear limits over what could be granted (pure).

A limit says: what these candidates draw on it gives together at most so much. Each
carries whose it is and where it stands in the document, so that what is left out
can be told what keeps it out. What was recognised before has drawn on it already.
`docs/recognition.md` says what each constraint means.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any, Final, NamedTuple

from creditbank.ledger.statements import hundredths
from creditbank.recognition.engine.conditions import FAILED, UNKNOWN, Asked, Budget, Truth, answer
from creditbank.recognition.engine.evaluation import law_day
from creditbank.recognition.engine.evidence import Context, Evidence
from creditbank.recognition.engine.findings import Grant
from creditbank.recognition.language.figures import number
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.language.schemas import pointer
from creditbank.recognition.planning.samename import same_name
from creditbank.recognition.planning.uses import Candidate, Use

Steps = tuple[str | int, ...]


class Draw(NamedTuple):
    """What is drawn on a limit once any of the candidates, all of one use, is chosen."""

    places: Sequence[int]
    amount: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Limit:
    """Draws that are at most `most` together: 1/100 credits, or a number of outcomes or courses.

    `holder`, `version` and `pointer` name the constraint; the two limits that are
    not written down have no pointer. `group` says what it is counted for (an
    item, a period, a name), `favoured` the outcome that stands in the way.
    """

    code: str
    holder: str = ""
    version: int = 0
    pointer: str = ""
    group: str = ""
    favoured: bytes | None = None
    draws: tuple[Draw, ...]
    taken: int = 0
    """What was recognised before has drawn."""
    most: int

    @property
    def left(self) -> int:
        """What is left to be drawn; never below 0, for what was recognised stays so."""
        return max(0, self.most - self.taken)


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """All that limits are counted over."""

    programme: Programme
    context: Context
    rules: Mapping[tuple[str, int], Rule]
    """By code and version."""
    outcomes: Mapping[bytes, Evidence]
    """All that the learner holds, and what is asked about."""
    uses: Sequence[Use]
    candidates: Sequence[Candidate]
    earlier: Sequence[Use]
    """What was recognised before."""
    native: Mapping[str, Sequence[Evidence]]
    """By course, the outcomes that meet it natively."""
    _activities: dict[str, list[list[Evidence]]] = field(default_factory=dict)

    @cached_property
    def uses_of(self) -> Mapping[str, list[Use]]:
        """The uses by their rule."""
        found: dict[str, list[Use]] = {}
        for use in self.uses:
            found.setdefault(use.rule, []).append(use)
        return found

    @cached_property
    def everything(self) -> list[Covered]:
        """All uses, as what a constraint is about that is about everything."""
        return [Covered(use, use.outcomes, use.gives) for use in self.uses]

    @cached_property
    def grants_before(self) -> list[Grant]:
        """What was granted before."""
        return [grant for use in self.earlier for grant in use.grants]

    @cached_property
    def native_outcomes(self) -> list[Evidence]:
        """The outcomes that meet courses natively: of one course the best."""
        return [own[0] for own in self.native.values()]

    def activities(self, by: str) -> list[list[Evidence]]:
        """Return the outcomes in force of one activity each, where there are several."""
        if by not in self._activities:
            groups: dict[tuple[str, ...], list[Evidence]] = {}
            for outcome in self.outcomes.values():
                group = ACTIVITY[by](outcome)
                if group and outcome.state != "lapsed":
                    groups.setdefault(group, []).append(outcome)
            self._activities[by] = [own for own in groups.values() if len(own) > 1]
        return self._activities[by]

    def category_of(self, grant: Grant) -> str:
        """Return the category that a grant's credits go to."""
        if grant.category:
            return grant.category
        course = self.programme.course(grant.course)
        assert course is not None
        return course.category


class Covered(NamedTuple):
    """A use that a constraint is about: the outcomes that make it so, and what it gives there."""

    use: Use
    outcomes: Sequence[Evidence]
    given: Sequence[int | None]
    """By grant, the credits given where the constraint looks; None: nothing goes there."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scope:
    """One constraint in its document, and the uses that it is about."""

    world: World
    holder: str
    version: int
    steps: Steps
    of: Mapping[str, Any]

    def covered(self, uses: Iterable[Use]) -> list[Covered]:
        """Return the uses that the constraint is about, of those."""
        of = self.of
        rules, categories = of.get("rules"), of.get("categories")
        every_outcome = OUTCOMES.isdisjoint(of)
        found = []
        for use in uses:
            if rules is not None and use.rule not in rules:
                continue
            outcomes: Sequence[Evidence] = use.outcomes
            if not every_outcome:
                outcomes = [one for one in outcomes if covers(of, one)]
                if not outcomes:
                    continue
            given: Sequence[int | None] = use.gives
            if categories is not None:
                given = [
                    self._given(grant, *amounts, categories)
                    for grant, amounts in zip(use.grants, use.credits, strict=True)
                ]
                if all(amount is None for amount in given):
                    continue
            found.append(Covered(use, outcomes, given))
        return found

    def new(self) -> list[Covered]:
        """Return the uses that could be chosen and that the constraint is about."""
        if not self.of or "everything" in self.of:
            return self.world.everything
        rules = self.of.get("rules")
        if rules is None:
            return self.covered(self.world.uses)
        uses_of = self.world.uses_of
        return self.covered(use for rule in rules for use in uses_of.get(rule, ()))

    def earlier(self) -> list[Covered]:
        """Return the uses that were decided before and that the constraint is about."""
        return self.covered(self.world.earlier)

    def contested(self, by: str) -> list[list[Evidence]]:
        """Return the outcomes in force of one activity each, where there are several that are meant."""
        return [
            own
            for group in self.world.activities(by)
            if len(own := [one for one in group if covers(self.of, one)]) > 1
        ]

    def counted_natively(self) -> Iterator[Evidence]:
        """Give the outcomes that count without a rule, of the kinds, bodies and items meant."""
        for outcome in self.world.native_outcomes:
            if covers(self.of, outcome):
                yield outcome

    def limit(
        self,
        code: str,
        draws: Iterable[Draw],
        *,
        most: int,
        taken: int = 0,
        group: str = "",
        favoured: bytes | None = None,
        steps: Steps = (),
    ) -> Limit:
        """Make a limit of this constraint."""
        return Limit(
            code=code,
            holder=self.holder,
            version=self.version,
            pointer=pointer((*self.steps, *steps)),
            group=group,
            favoured=favoured,
            draws=tuple(draws),
            taken=taken,
            most=most,
        )

    def _given(
        self, grant: Grant, direct: int, surplus: int, categories: Sequence[str]
    ) -> int | None:
        found = direct if self.world.category_of(grant) in categories else None
        if surplus and grant.surplus_category in categories:
            found = (found or 0) + surplus
        return found


OUTCOMES: Final = frozenset({"kinds", "bodies", "items"})
"""What a scope can say of outcomes."""


def covers(of: Mapping[str, Any], outcome: Evidence) -> bool:
    """Say whether the kinds, bodies and items of a scope cover an outcome."""
    own = outcome.outcome
    return (
        ("kinds" not in of or own.kind in of["kinds"])
        and ("bodies" not in of or own.body in of["bodies"])
        and ("items" not in of or own.item in of["items"])
    )


def limits(world: World) -> list[Limit]:
    """Return all limits over the candidates: those that always hold, then those written down.

    Raises KeyError for a constraint of a kind that is not known, and TooManySteps
    for a condition of `never` that takes too long.
    """
    found = [limit for always in ALWAYS.values() for limit in always(world)]
    for rule in world.rules.values():
        for steps, name, value, of in _written(rule.constraints, {"rules": [rule.code]}):
            scope = Scope(world=world, holder=rule.code, version=rule.version, steps=steps, of=of)
            found += CONSTRAINTS[name](value, scope)
    programme = world.programme
    for steps, name, value, of in _written(programme.constraints, {}):
        scope = Scope(
            world=world, holder=programme.code, version=programme.version, steps=steps, of=of
        )
        found += CONSTRAINTS[name](value, scope)
    return [limit for limit in found if limit.draws]


def _written(
    constraints: Sequence[Mapping[str, Any]], default: Mapping[str, Any]
) -> Iterator[tuple[Steps, str, Any, Mapping[str, Any]]]:
    """Give each constraint of a document: steps to it, its kind, its value, what it is about."""
    for place, constraint in enumerate(constraints):
        for name, value in constraint.items():
            if name != "of":
                of = constraint.get("of", {} if name in OVERALL else default)
                yield ("constraints", place, name), name, value, of


# -- what is never written down ---------------------------------------------------------------
def once(world: World) -> Iterator[Limit]:
    """An outcome is used once and whole, and not at all when it counts natively."""
    draws: dict[bytes, list[Draw]] = {}
    for use in world.uses:
        for leaf in use.leaves:
            draws.setdefault(leaf, []).append(Draw(use.places, 1))
    used = {leaf for use in world.earlier for leaf in use.leaves}
    natively = {one.leaf for own in world.native.values() for one in own}
    for leaf, own in draws.items():
        state = world.outcomes[leaf].state
        if leaf in natively:
            yield Limit(code="native", group=leaf.hex(), draws=tuple(own), taken=1, most=1)
        elif state == "lapsed":
            yield Limit(code="lapsed", group=leaf.hex(), draws=tuple(own), taken=1, most=1)
        else:
            taken = int(leaf in used or state == "used")
            yield Limit(code="once", group=leaf.hex(), draws=tuple(own), taken=taken, most=1)


def one_source(world: World) -> Iterator[Limit]:
    """A course has one source: native, recognised before, or one grant."""
    draws: dict[str, list[Draw]] = {}
    for place, candidate in enumerate(world.candidates):
        if candidate.grant.course:
            draws.setdefault(candidate.grant.course, []).append(Draw((place,), 1))
    before = {grant.course for use in world.earlier for grant in use.grants}
    for course, own in draws.items():
        native = world.native.get(course)
        taken = int(bool(native) or course in before or course in world.context.met)
        yield Limit(
            code="one-source",
            group=course,
            favoured=native[0].leaf if native else None,
            draws=tuple(own),
            taken=taken,
            most=1,
        )


def replaceable(world: World) -> Iterator[Limit]:
    """What the programme says is not replaceable is never replaced."""
    programme = world.programme
    places: dict[str, list[int]] = {}
    for place, candidate in enumerate(world.candidates):
        places.setdefault(candidate.grant.course, []).append(place)
    for position, course in enumerate(programme.courses):
        if not course.replaceable and course.code in places:
            yield Limit(
                code="not-replaceable",
                holder=programme.code,
                version=programme.version,
                pointer=pointer(("courses", position, "replaceable")),
                group=course.code,
                draws=tuple(Draw((place,), 1) for place in places[course.code]),
                most=0,
            )


ALWAYS: Final[dict[str, Callable[[World], Iterator[Limit]]]] = {
    "once": once,
    "one-source": one_source,
    "replaceable": replaceable,
}
"""What holds without being written as a constraint."""


# -- caps -------------------------------------------------------------------------------------
def _by_credits(covered: Covered) -> Iterator[Draw]:
    for place, amount in zip(covered.use.places, covered.given, strict=True):
        if amount:
            yield Draw((place,), amount)


def _credits(covered: Covered) -> int:
    return sum(amount for amount in covered.given if amount)


def _whole(covered: Covered, amount: int) -> Draw:
    """What is drawn once the use gives anything where the constraint looks."""
    if None not in covered.given:
        return Draw(covered.use.places, amount)
    return Draw(
        tuple(
            place
            for place, given in zip(covered.use.places, covered.given, strict=True)
            if given is not None
        ),
        amount,
    )


def cap(value: Mapping[str, Any], scope: Scope) -> Iterator[Limit]:
    """So many credits, outcomes or courses at most; credits perhaps for each item, body ..."""
    if "credits" in value:
        yield from _cap_credits(value, scope)
    elif "outcomes" in value:
        yield scope.limit(
            "cap",
            (_whole(one, len(one.outcomes)) for one in scope.new()),
            most=value["outcomes"],
            taken=sum(len(one.outcomes) for one in scope.earlier()),
            steps=("outcomes",),
        )
    else:
        yield scope.limit(
            "cap",
            (
                Draw((place,), 1)
                for one in scope.new()
                for place, given, grant in zip(
                    one.use.places, one.given, one.use.grants, strict=True
                )
                if given is not None and grant.course
            ),
            most=value["courses"],
            taken=len(
                {
                    grant.course
                    for one in scope.earlier()
                    for given, grant in zip(one.given, one.use.grants, strict=True)
                    if given is not None and grant.course
                }
            ),
            steps=("courses",),
        )


def _cap_credits(value: Mapping[str, Any], scope: Scope) -> Iterator[Limit]:
    key = PER[value.get("per", "")]
    most = _hundredths(value["credits"])
    draws: dict[str, list[Draw]] = {}
    taken: dict[str, int] = {}
    for one in scope.new():
        for group in {key(outcome): None for outcome in one.outcomes}:
            draws.setdefault(group, []).extend(_by_credits(one))
    for one in scope.earlier():
        for group in {key(outcome) for outcome in one.outcomes}:
            taken[group] = taken.get(group, 0) + _credits(one)
    for group, own in draws.items():
        yield scope.limit(
            "cap", own, most=most, taken=taken.get(group, 0), group=group, steps=("credits",)
        )


PER: Final[dict[str, Callable[[Evidence], str]]] = {
    "": lambda _: "",
    "outcome": lambda one: one.leaf.hex(),
    "item": lambda one: one.outcome.item,
    "body": lambda one: one.outcome.body,
    "kind": lambda one: one.outcome.kind,
}
"""What a cap is counted for: everything, or each of these."""


def share(value: Mapping[str, Any], scope: Scope) -> Iterator[Limit]:
    """So much of the programme's total at most."""
    step = _hundredths(value.get("step", "0.01"))
    steps = Fraction(hundredths(scope.world.programme.total) * value["percent"], 100 * step)
    most = step * _ROUNDED[value.get("mode", "down")](steps)
    yield _all_credits("share", scope, most)


_ROUNDED: Final[dict[str, Callable[[Fraction], int]]] = {
    "down": lambda value: value.__floor__(),
    "half-up": lambda value: (value + Fraction(1, 2)).__floor__(),
    "up": lambda value: value.__ceil__(),
}


def residency(value: Mapping[str, Any], scope: Scope) -> Iterator[Limit]:
    """What must be earned at the owner is not open to recognition."""
    total = hundredths(scope.world.programme.total)
    if "credits" in value:
        kept = _hundredths(value["credits"])
    else:
        kept = Fraction(total * value["percent"], 100).__ceil__()
    yield _all_credits("residency", scope, total - kept)


def _all_credits(code: str, scope: Scope, most: int) -> Limit:
    return scope.limit(
        code,
        (draw for one in scope.new() for draw in _by_credits(one)),
        most=most,
        taken=sum(_credits(one) for one in scope.earlier()),
    )


# -- periods ----------------------------------------------------------------------------------
class Period(NamedTuple):
    """One period of one year: its name, and its first and last day."""

    name: str
    first: date
    last: date


def periods_of(day: date, periods: Sequence[Mapping[str, str]]) -> list[Period]:
    """Return the periods in which a day lies. One that ends before it begins ends a year later."""
    found = []
    for period in periods:
        for year in (day.year - 1, day.year):
            first = in_year(year, period["from"])
            last = in_year(year, period["until"])
            if last < first:
                last = in_year(year + 1, period["until"])
            if first <= day <= last:
                found.append(Period(period["name"], first, last))
    return found


def in_year(year: int, month_day: str) -> date:
    """Return a day (MM-DD) of a year; 02-29 is the last day of February."""
    month, day = int(month_day[:2]), int(month_day[3:])
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def bucket(value: Mapping[str, Any], scope: Scope) -> Iterator[Limit]:
    """So many credits at most in each period, by the day on which the last outcome was completed."""
    most = _hundredths(value["credits"])
    draws: dict[Period, list[Draw]] = {}
    taken: dict[Period, int] = {}
    covered = scope.new()
    for one in covered:
        for period in periods_of(one.use.ended_on, value["periods"]):
            draws.setdefault(period, []).extend(_by_credits(one))
    for one in scope.earlier():
        for period in periods_of(one.use.ended_on, value["periods"]):
            taken[period] = taken.get(period, 0) + _credits(one)
    for period, own in draws.items():
        yield scope.limit(
            "bucket",
            own,
            most=most,
            taken=taken.get(period, 0),
            group=f"{period.first.isoformat()}/{period.last.isoformat()}",
        )
    yield from _last(value, scope, covered)


def _last(value: Mapping[str, Any], scope: Scope, covered: Sequence[Covered]) -> Iterator[Limit]:
    """In the period of graduation, what ended after a certain day does not count."""
    award_on = scope.world.context.award_on
    if award_on is None:
        return
    for position, cut in enumerate(value.get("last", ())):
        for period in periods_of(award_on, value["periods"]):
            if period.name != cut["period"]:
                continue
            last = in_year(period.first.year, cut["until"])
            if last < period.first:
                last = in_year(period.first.year + 1, cut["until"])
            yield scope.limit(
                "bucket",
                (_whole(one, 1) for one in covered if last < one.use.ended_on <= period.last),
                most=0,
                group=f"{period.first.isoformat()}/{last.isoformat()}",
                steps=("last", position),
            )


# -- one of several ---------------------------------------------------------------------------
def exclusive(value: Mapping[str, Any], scope: Scope) -> Iterator[Limit]:
    """Of the outcomes of these items, or of one name, one counts at most."""
    if "items" in value:
        items = value["items"]
        yield from _one_of(scope, lambda one: "items" if one.outcome.item in items else "", "items")
    else:
        yield from _one_of(scope, lambda one: same_name(one.outcome.title), "same_name")


def _one_of(scope: Scope, key: Callable[[Evidence], str], member: str) -> Iterator[Limit]:
    groups: dict[str, list[Draw]] = {}
    for one in scope.new():
        for group, count in _counted(one.outcomes, key).items():
            groups.setdefault(group, []).append(_whole(one, count))
    counts: dict[str, bytes] = {}
    for one in scope.earlier():
        for outcome in one.outcomes:
            counts.setdefault(key(outcome), outcome.leaf)
    for outcome in scope.counted_natively():
        counts.setdefault(key(outcome), outcome.leaf)
    for group, draws in groups.items():
        yield scope.limit(
            "exclusive",
            draws,
            most=1,
            taken=int(group in counts),
            group="" if member == "items" else group,
            favoured=counts.get(group),
            steps=(member,),
        )


def _counted(outcomes: Iterable[Evidence], key: Callable[[Evidence], str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for outcome in outcomes:
        group = key(outcome)
        if group:
            found[group] = found.get(group, 0) + 1
    return found


def highest(value: Mapping[str, Any], scope: Scope) -> Iterator[Limit]:
    """Of one activity only the highest award can be used, even when that is used elsewhere.

    The higher award has the greater bank value, then gives the most under the
    uses that the constraint is about, then has the better score, then is older.
    """
    contested = scope.contested(value["by"])
    if not contested:
        return
    covered = scope.new()
    most: dict[bytes, int] = {}
    for one in covered:
        gives = max(amount or 0 for amount in one.given)
        for outcome in one.outcomes:
            most[outcome.leaf] = max(most.get(outcome.leaf, 0), gives)
    for own in contested:
        best = min(
            own,
            key=lambda one: (
                -one.credits,
                -most.get(one.leaf, 0),
                -(number(one.result.score) or 0),
                one.index,
            ),
        )
        lower = {one.leaf for one in own} - {best.leaf}
        yield scope.limit(
            "highest",
            (_whole(one, 1) for one in covered if lower.intersection(one.use.leaves)),
            most=0,
            group=best.occurrence or best.outcome.item,
            favoured=best.leaf,
        )


ACTIVITY: Final[dict[str, Callable[[Evidence], tuple[str, ...]]]] = {
    "occurrence": lambda one: (
        (one.outcome.kind, one.outcome.body, one.occurrence) if one.occurrence else ()
    ),
    "item": lambda one: (one.outcome.item,),
}
"""What one activity is."""


# -- never ------------------------------------------------------------------------------------
def never(value: Mapping[str, Any], scope: Scope) -> Iterator[Limit]:
    """These courses are never replaced, these outcomes never used."""
    if "courses" in value:
        courses = value["courses"]
        yield scope.limit(
            "never",
            (
                Draw((place,), 1)
                for one in scope.new()
                for place, given, grant in zip(
                    one.use.places, one.given, one.use.grants, strict=True
                )
                if given is not None and grant.course in courses
            ),
            most=0,
            steps=("courses",),
        )
    if "outcome" in value:
        yield from _never_outcome(value["outcome"], scope)


def _never_outcome(condition: Mapping[str, Any], scope: Scope) -> Iterator[Limit]:
    """Leave out what meets the condition; what may meet it too, until a person has looked."""
    context = scope.world.context
    budget = Budget()
    known: dict[tuple[bytes, date], Truth] = {}
    draws: dict[str, list[Draw]] = {"never": [], "never-unknown": []}
    for one in scope.new():
        day = law_day(scope.world.rules[one.use.rule, one.use.version], context)
        for outcome in one.outcomes:
            truth = known.get((outcome.leaf, day))
            if truth is None:
                asked = Asked(evidence=outcome, context=context, day=day, budget=budget)
                truth, _ = answer(condition, asked, ())
                known[outcome.leaf, day] = truth
            if truth is not FAILED:
                code = "never-unknown" if truth is UNKNOWN else "never"
                draws[code].append(_whole(one, 1))
    for code, own in draws.items():
        yield scope.limit(code, own, most=0, steps=("outcome",))


def _hundredths(text: str) -> int:
    """Read an amount of credits as a constraint says it."""
    return int(Fraction(text) * 100)


OVERALL: Final = frozenset({"residency"})
"""What is about everything in a rule too, for it leaves room for what is earned at the owner."""

CONSTRAINTS: Final[dict[str, Callable[[Any, Scope], Iterator[Limit]]]] = {
    "cap": cap,
    "share": share,
    "bucket": bucket,
    "exclusive": exclusive,
    "highest": highest,
    "residency": residency,
    "never": never,
}
"""The constraints by their names in a rule or programme."""
