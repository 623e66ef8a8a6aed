"""Where a learner stands in a programme: what counts, where, through what, and what is short (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from creditbank.ledger.statements import credits_of, hundredths
from creditbank.recognition.engine.evidence import Evidence
from creditbank.recognition.engine.findings import Line
from creditbank.recognition.language.figures import number
from creditbank.recognition.language.programmes import Course, Minimum, Programme
from creditbank.recognition.planning.tally import Tally, given, tally
from creditbank.recognition.planning.uses import natives

__all__ = [
    "CategoryStanding",
    "CourseStanding",
    "MinimumStanding",
    "Shortfall",
    "Source",
    "Standing",
    "ThresholdStanding",
    "standing",
]

ZERO: Final = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Source:
    """What meets a course: an outcome of the owner's own, or a line of a decision.

    `credits` is what it counts there: of a course with several sources one counts
    and the others stand beside it with 0. `rule` and `version` name the rule of a
    line; a native outcome has none.
    """

    kind: Literal["native", "recognised", "waived"]
    leaves: tuple[bytes, ...]
    credits: Decimal
    mark: str = ""
    rule: str = ""
    version: int = 0


@dataclass(frozen=True, kw_only=True)
class CourseStanding:
    """A course, and all that meets it, what counts first; nothing: it is not met.

    `mark` is the better one of what meets it, nothing being overwritten.
    """

    code: str
    required: bool
    sources: tuple[Source, ...]
    mark: str = ""
    pending: bool = False
    """Not met yet, but by what is pending."""


@dataclass(frozen=True, kw_only=True)
class CategoryStanding:
    """What a category asks for and what counts there.

    `given` is all that came in, `spilled` what of it counts in another category or
    could, `pending` what would count besides once all that is pending is decided.
    """

    code: str
    asked: Decimal
    given: Decimal
    counted: Decimal
    pending: Decimal
    spilled: Decimal

    @property
    def missing(self) -> Decimal:
        """What is still short, whatever is pending."""
        return self.asked - self.counted


@dataclass(frozen=True, kw_only=True)
class MinimumStanding:
    """So many of the counted credits must come from outcomes like these."""

    code: str
    asked: Decimal
    counted: Decimal

    @property
    def missing(self) -> Decimal:
        """What is still short."""
        return max(ZERO, self.asked - self.counted)


@dataclass(frozen=True, kw_only=True)
class ThresholdStanding:
    """What a sum of counted credits opens, and how much is missing for it (0: it is open)."""

    code: str
    asked: Decimal
    missing: Decimal


@dataclass(frozen=True, kw_only=True)
class Shortfall:
    """One reason why a programme is not finished.

    `total`: too few credits count; `misplaced`: enough credits were earned, but not
    in the categories that ask for them; `category`: one asks for more; `required`: a
    required course is not met; `minimum`: too few from what a minimum asks for.
    """

    code: Literal["total", "misplaced", "category", "required", "minimum"]
    subject: str = ""
    """The category, the course or the minimum."""
    credits: Decimal = ZERO
    """So many are short."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a learner stands. It is finished when there is no shortfall."""

    state: Literal["finished", "unfinished"]
    shortfalls: tuple[Shortfall, ...]
    asked: Decimal
    """The programme's total."""
    given: Decimal
    """All credits earned, whether or not they count."""
    counted: Decimal
    pending: Decimal
    """What would count besides, once all that is pending is decided."""
    categories: tuple[CategoryStanding, ...]
    courses: tuple[CourseStanding, ...]
    minimums: tuple[MinimumStanding, ...]
    thresholds: tuple[ThresholdStanding, ...]

    @property
    def missing(self) -> Decimal:
        """Credits that still do not count, whatever is pending."""
        return self.asked - self.counted

    @property
    def met(self) -> frozenset[str]:
        """The courses that are met."""
        return frozenset(course.code for course in self.courses if course.sources)


def standing(
    programme: Programme,
    *,
    native: Sequence[Evidence],
    lines: Sequence[Line],
    pending: Sequence[Line] = (),
    held: Sequence[Evidence] = (),
) -> Standing:
    """Say where a learner stands.

    `native` are outcomes that may meet courses without a rule (others among them
    are passed over), `lines` those of decisions in force, `pending` those of open
    requests. `held` are the outcomes of the lines: minimums that ask for kinds or
    bodies look there, and a line whose outcomes are not there does not count for
    them.
    """
    own = natives(programme, native)
    sources = {course.code: _sources(course, own, lines) for course in programme.courses}
    now = given(programme, own, (line.grant for line in lines))
    counted = tally(programme, now)
    later = tally(programme, given(programme, own, (line.grant for line in (*lines, *pending))))
    outcomes = {one.leaf: one for one in (*held, *native)}
    minimums = tuple(
        MinimumStanding(
            code=minimum.code,
            asked=minimum.credits,
            # As if there were nothing else: what counts of others never takes its place.
            counted=credits_of(
                tally(programme, given_for(minimum, programme, own, lines, outcomes)).total
            ),
        )
        for minimum in programme.minimums
    )
    categories = _categories(programme, now, counted, later)
    courses = _courses(programme, sources, pending)
    earned = sum(now.values())
    counts = _Counts(
        programme=programme,
        counted=counted.total,
        earned=earned,
        categories=categories,
        courses=courses,
        minimums=minimums,
    )
    shortfalls = tuple(one for looked_for in SHORTFALLS.values() for one in looked_for(counts))
    return Standing(
        state="unfinished" if shortfalls else "finished",
        shortfalls=shortfalls,
        asked=programme.total,
        given=credits_of(earned),
        counted=credits_of(counted.total),
        pending=credits_of(later.total - counted.total),
        categories=categories,
        courses=courses,
        minimums=minimums,
        thresholds=OPENS["thresholds"](programme, credits_of(counted.total)),
    )


def given_for(
    minimum: Minimum,
    programme: Programme,
    native: Mapping[str, Sequence[Evidence]],
    lines: Iterable[Line],
    outcomes: Mapping[bytes, Evidence],
) -> dict[str, int]:
    """Return by category what comes from outcomes that a minimum asks for."""
    own = [code for code, found in native.items() if any(_asked(minimum, one) for one in found)]
    grants = (
        line.grant
        for line in lines
        if any(leaf in outcomes and _asked(minimum, outcomes[leaf]) for leaf in line.leaves)
    )
    return given(programme, own, () if minimum.native else grants)


def _asked(minimum: Minimum, outcome: Evidence) -> bool:
    return (not minimum.kinds or outcome.outcome.kind in minimum.kinds) and (
        not minimum.bodies or outcome.outcome.body in minimum.bodies
    )


def _sources(
    course: Course, own: Mapping[str, Sequence[Evidence]], lines: Sequence[Line]
) -> tuple[Source, ...]:
    """Return what meets a course, what counts first: the owner's own before what was recognised."""
    found = [
        Source(
            kind="native",
            leaves=(one.leaf,),
            credits=course.credits,
            mark=one.result.score or one.result.grade,
        )
        for one in own.get(course.code, ())
    ]
    recognised = [line for line in lines if line.grant.course == course.code]
    recognised.sort(key=lambda line: -line.grant.credits)
    found += [
        Source(
            kind="waived" if line.grant.waived else "recognised",
            leaves=line.leaves,
            credits=line.grant.credits,
            mark=line.grant.mark,
            rule=line.rule,
            version=line.version,
        )
        for line in recognised
    ]
    return (*found[:1], *(_beside(one) for one in found[1:]))


def _beside(source: Source) -> Source:
    return Source(
        kind=source.kind,
        leaves=source.leaves,
        credits=ZERO,
        mark=source.mark,
        rule=source.rule,
        version=source.version,
    )


def _courses(
    programme: Programme, sources: Mapping[str, tuple[Source, ...]], pending: Sequence[Line]
) -> tuple[CourseStanding, ...]:
    soon = {line.grant.course for line in pending}
    return tuple(
        CourseStanding(
            code=course.code,
            required=course.required,
            sources=sources[course.code],
            mark=_better(sources[course.code]),
            pending=course.code in soon and not sources[course.code],
        )
        for course in programme.courses
    )


def _better(sources: Sequence[Source]) -> str:
    """Return the best mark, by its number; without numbers the first that there is."""
    marks = [source.mark for source in sources if source.mark]
    numbers = [(number(mark), -place) for place, mark in enumerate(marks)]
    known = [(value, place) for value, place in numbers if value is not None]
    return marks[-max(known)[1]] if known else next(iter(marks), "")


def _categories(
    programme: Programme, now: Mapping[str, int], counted: Tally, later: Tally
) -> tuple[CategoryStanding, ...]:
    return tuple(
        CategoryStanding(
            code=one.code,
            asked=one.credits,
            given=credits_of(now[one.code]),
            counted=credits_of(counted.counted[one.code]),
            pending=credits_of(later.counted[one.code] - counted.counted[one.code]),
            spilled=credits_of(counted.spilled.get(one.code, 0)),
        )
        for one in programme.categories
    )


@dataclass(frozen=True, kw_only=True)
class _Counts:
    """What shortfalls are looked for in. `earned` is all that was given, 1/100 credits."""

    programme: Programme
    counted: int
    earned: int
    categories: tuple[CategoryStanding, ...]
    courses: tuple[CourseStanding, ...]
    minimums: tuple[MinimumStanding, ...]


def _total(counts: _Counts) -> Iterator[Shortfall]:
    total = hundredths(counts.programme.total)
    if counts.counted < total:
        yield Shortfall(
            code="total" if counts.earned < total else "misplaced",
            credits=credits_of(total - counts.counted),
        )


def _category(counts: _Counts) -> Iterator[Shortfall]:
    for one in counts.categories:
        if one.missing:
            yield Shortfall(code="category", subject=one.code, credits=one.missing)


def _required(counts: _Counts) -> Iterator[Shortfall]:
    for one in counts.courses:
        if one.required and not one.sources:
            yield Shortfall(code="required", subject=one.code)


def _minimum(counts: _Counts) -> Iterator[Shortfall]:
    for one in counts.minimums:
        if one.missing:
            yield Shortfall(code="minimum", subject=one.code, credits=one.missing)


def _thresholds(programme: Programme, counted: Decimal) -> tuple[ThresholdStanding, ...]:
    return tuple(
        ThresholdStanding(
            code=one.code, asked=one.credits, missing=max(ZERO, one.credits - counted)
        )
        for one in programme.thresholds
    )


SHORTFALLS: Final[dict[str, Callable[[_Counts], Iterable[Shortfall]]]] = {
    "total": _total,
    "category": _category,
    "required": _required,
    "minimum": _minimum,
}
"""What keeps a programme from being finished."""

OPENS: Final[dict[str, Callable[[Programme, Decimal], tuple[ThresholdStanding, ...]]]] = {
    "thresholds": _thresholds
}
"""What a sum of counted credits opens."""
