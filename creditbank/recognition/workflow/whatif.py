"""What a learner sees of a programme: what counts, what is pending, what is missing, what could be.

Nothing is stored. The same engine that decides answers here, so that what is
shown is what would be proposed today.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from creditbank.clock import today
from creditbank.recognition.deciding import admission, computation
from creditbank.recognition.deciding.computation import Computed
from creditbank.recognition.deciding.packages import Decided
from creditbank.recognition.engine.findings import Finding, Line, Verdict
from creditbank.recognition.language.programmes import Course, Programme
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.models import (
    Decision,
    DecisionState,
    ProgrammeVersion,
    Request,
    RequestState,
    RuleVersion,
)
from creditbank.recognition.planning import missing, standing
from creditbank.recognition.planning.missing import Missing
from creditbank.recognition.planning.standing import CourseStanding, Source, Standing
from creditbank.recognition.register import rulebook
from creditbank.recognition.workflow import cases, situations
from creditbank.recognition.workflow.holdings import Holding
from creditbank.recognition.workflow.situations import Book, Situation
from learners.models import Learner

NEW_FOR: Final = timedelta(days=30)
"""For how long a rule is new."""


@dataclass(frozen=True, kw_only=True)
class Usable:
    """An outcome that could be recognised today, and for what."""

    holding: Holding
    lines: tuple[Decided, ...]


@dataclass(frozen=True, kw_only=True)
class Pending:
    """Lines that an open request would get, or a decision that is not in force yet gives."""

    request: Request
    decision: Decision | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True)
class MetBy:
    """What meets a course: an outcome of one's own, or a decision under a version of a rule."""

    source: Source
    holdings: tuple[Holding, ...]
    decision: str = ""


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """A course of the programme: what meets it, what could today, or why nothing does.

    `near` are the findings of rules for this course that do not apply, with their
    reasons: what was found, what was wanted, the smallest change.
    """

    course: Course
    standing: CourseStanding
    met_by: tuple[MetBy, ...] = ()
    could_be: tuple[Decided, ...] = ()
    near: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NewRules:
    """What rules that took effect lately make of outcomes that were there before.

    `credits` count towards the programme besides; `leaves` are the outcomes that
    can be used because of them, `bank_credits` what those are worth in the bank.
    """

    rows: tuple[RuleVersion, ...]
    since: date
    credits: Decimal
    bank_credits: Decimal
    leaves: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True)
class Look:
    """Where a learner stands in a programme, and where they could stand.

    `now` is what counts, with what is pending; `preview` the same with the best
    plan for the outcomes that can still be used. `usable` are those outcomes.
    """

    row: ProgrammeVersion
    programme: Programme
    situation: Situation
    now: Standing
    preview: Standing
    computed: Computed
    proposed: tuple[Decided, ...]
    usable: tuple[Usable, ...]
    pending: tuple[Pending, ...]
    requirements: tuple[Requirement, ...]
    missing: Missing
    new: NewRules | None
    rules: Mapping[tuple[str, int], RuleVersion] = field(repr=False)

    @property
    def counted(self) -> Decimal:
        """Credits that count now."""
        return self.now.counted

    @property
    def short(self) -> Decimal:
        """Credits that are missing now."""
        return self.now.missing


def look(
    *,
    learner: Learner,
    programme: ProgrammeVersion,
    leaves: Collection[bytes] | None = None,
    targets: Iterable[str] = (),
    award_on: date | None = None,
) -> Look:
    """Look at a programme as a learner: what counts, what could. Stores nothing.

    `leaves` and `targets` keep the preview to some outcomes and courses. Raises
    PersonForgotten.
    """
    on = today()
    found = situations.situation(learner, programme)
    book = situations.book(found, filed_on=on, law_on=on)
    pending = tuple(_pending(learner, programme))
    waiting = tuple(line for one in pending for line in one.lines)

    def compute(rules: Iterable[Rule]) -> Computed:
        return computation.compute(
            situations.inputs(
                found,
                rules,
                filed_on=on,
                law_on=on,
                award_on=award_on,
                leaves=leaves,
                targets=targets,
                pending=waiting,
            )
        )

    computed = compute(book.rules)
    proposed = admission.proposal(computed.plan.lines, book.by_key(), filed_on=on, law_on=on)
    standings = _standings(found, waiting, computed.plan.lines)
    return Look(
        row=programme,
        programme=found.programme,
        situation=found,
        now=standings[0],
        preview=standings[1],
        computed=computed,
        proposed=proposed,
        usable=tuple(_usable(found, proposed)),
        pending=pending,
        requirements=tuple(_requirements(found, book, standings[0], computed, proposed)),
        missing=missing.shortest(
            found.programme, native=found.held, lines=found.lines, held=found.held
        ),
        new=_new(found, book, computed, compute, on),
        rules=book.rows,
    )


def _standings(
    found: Situation, waiting: tuple[Line, ...], planned: tuple[Line, ...]
) -> tuple[Standing, Standing]:
    """Return where the learner stands now, and where with everything that could be decided."""
    now = standing.standing(
        found.programme,
        native=found.held,
        lines=found.lines,
        pending=waiting,
        held=found.held,
    )
    preview = standing.standing(
        found.programme,
        native=found.held,
        lines=(*found.lines, *waiting, *planned),
        held=found.held,
    )
    return now, preview


# -- what is pending --------------------------------------------------------------------------
def _pending(learner: Learner, row: ProgrammeVersion) -> Iterable[Pending]:
    """Give what open requests for a programme would get as they are now, and decisions on their way.

    What one of several people has proposed is not decided: the learner sees the
    rules' answer until all have agreed.
    """
    open_ = Request.objects.select_related("learner", "institution", "programme__owner").filter(
        learner=learner, programme__code=row.code, withdrawn_at__isnull=True
    )
    for request in open_.exclude(state=RequestState.IN_FORCE):
        decision = request.decisions.filter(
            state__in=[DecisionState.DECIDED, DecisionState.IN_NOTICE]
        ).first()
        if decision is not None:
            given = [line for line in decision.lines.all() if line.verdict != "refused"]
            lines = tuple(situations.line_of(line) for line in given)
        elif request.is_open:
            lines = tuple(line.line() for line in cases.current(request).proposed)
        else:
            continue
        yield Pending(request=request, decision=decision, lines=lines)


# -- what could be ----------------------------------------------------------------------------
def _usable(found: Situation, proposed: tuple[Decided, ...]) -> Iterable[Usable]:
    for holding in found.holdings:
        lines = tuple(line for line in proposed if holding.leaf in line.leaves)
        if lines:
            yield Usable(holding=holding, lines=lines)


def _requirements(
    found: Situation,
    book: Book,
    now: Standing,
    computed: Computed,
    proposed: tuple[Decided, ...],
) -> Iterable[Requirement]:
    reach = {
        (rule.code, rule.version): frozenset(_courses_of(rule.allocation, found.programme))
        for rule in book.rules
    }
    decisions = {
        (one.line.rule, one.line.version, one.line.leaves, one.line.grant.course): one.decision
        for one in found.earlier
    }
    standings = {one.code: one for one in now.courses}
    for course in found.programme.courses:
        at = standings[course.code]
        could = tuple(line for line in proposed if line.course == course.code)
        yield Requirement(
            course=course,
            standing=at,
            met_by=tuple(_met_by(found, course, source, decisions) for source in at.sources),
            could_be=could,
            near=()
            if at.sources or could
            else tuple(
                one
                for one in computed.findings
                if one.verdict is not Verdict.APPLIES
                and course.code in reach[one.rule, one.version]
            ),
        )


def _met_by(
    found: Situation,
    course: Course,
    source: Source,
    decisions: Mapping[tuple[str, int, tuple[bytes, ...], str], str],
) -> MetBy:
    key = (source.rule, source.version, source.leaves, course.code)
    return MetBy(
        source=source,
        holdings=tuple(one for one in found.holdings if one.leaf in source.leaves),
        decision=decisions.get(key, ""),
    )


def _courses_of(allocation: Mapping[str, Any], programme: Programme) -> Iterable[str]:
    """Give the courses that a rule could give something for."""
    for target in allocation["to"]:
        if "course" in target:
            yield target["course"]
        elif "courses" in target:
            yield from (course.code for course in programme.tagged(target["courses"]["tag"]))


# -- what is new --------------------------------------------------------------------------------
def _new(
    found: Situation,
    book: Book,
    computed: Computed,
    compute: Any,
    on: date,
) -> NewRules | None:
    """Return what rules that took effect lately add, if they add anything."""
    rows = [row for row in book.rows.values() if on - NEW_FOR < row.first_day <= on]
    if not rows:
        return None
    since = min(row.first_day for row in rows)
    before = {
        (row.code, row.version): row.parsed()
        for row in rulebook.rules_in_force(programme=found.programme, on=since - timedelta(days=1))
    }
    promised = [rule for rule in book.rules if rule.code in book.promised]
    earlier: Computed = compute([*before.values(), *promised])
    gained = computed.plan.credits - earlier.plan.credits
    if gained <= 0:
        return None
    used = {leaf for line in computed.plan.lines for leaf in line.leaves}
    were = {leaf for line in earlier.plan.lines for leaf in line.leaves}
    fresh = tuple(one for one in found.holdings if one.leaf in used - were)
    return NewRules(
        rows=tuple(sorted(rows, key=lambda row: (row.code, row.version))),
        since=since,
        credits=gained,
        bank_credits=sum((one.evidence.credits for one in fresh), Decimal(0)),
        leaves=tuple(one.leaf for one in fresh),
    )
