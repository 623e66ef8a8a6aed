"""A learner's way to a programme as a page shows it: shares, requirements, what met each, or why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final, Literal

from creditbank.portals import outcomewords, reasonwords
from creditbank.portals.reasonwords import Words
from creditbank.portals.ring import NOTHING, Share
from creditbank.recognition.engine.evidence import Evidence
from creditbank.recognition.engine.findings import Finding, Line, Verdict
from creditbank.recognition.language.programmes import (
    Category,
    Course,
    Minimum,
    Programme,
    Threshold,
)
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.models import Decision
from creditbank.recognition.planning import missing
from creditbank.recognition.planning.missing import Missing
from creditbank.recognition.workflow.whatif import Look, Requirement

NeedState = Literal["met", "waived", "pending", "possible", "missing"]
"""How a course stands: counted, met without credits, asked for, could be asked for, or none of it."""

RuleKey = tuple[str, int]
_ORDER: Final[tuple[NeedState, ...]] = ("met", "waived", "pending", "possible", "missing")


@dataclass(frozen=True, kw_only=True)
class OwnOutcome:
    """One of the learner's outcomes: its place in the log, by which its page is found, and its title."""

    index: int
    title: str


def own_outcome(evidence: Evidence) -> OwnOutcome:
    """Return an outcome as a page names it."""
    return OwnOutcome(index=evidence.index, title=outcomewords.title(evidence.outcome))


def own_outcomes(look: Look, leaves: Iterable[bytes]) -> tuple[OwnOutcome, ...]:
    """Return outcomes by their leaf hashes, as a page names them."""
    by_leaf = {one.leaf: one.evidence for one in look.situation.holdings}
    return tuple(own_outcome(by_leaf[leaf]) for leaf in leaves if leaf in by_leaf)


@dataclass(frozen=True, kw_only=True)
class MetBy:
    """What meets a course, or would: natively, or by a rule's version and a decision or request.

    `number` is the decision's, or the request's while it is pending; `request`
    is the number of the request under which either is found.
    """

    outcomes: tuple[OwnOutcome, ...]
    standing: NeedState
    credits: Decimal = NOTHING
    rule: str = ""
    version: int = 0
    number: str = ""
    request: str = ""

    @property
    def native(self) -> bool:
        """Whether the course was taken at the institution itself."""
        return not self.rule


@dataclass(frozen=True, kw_only=True)
class WhyNot:
    """Why an outcome does not meet a rule: every reason, with the smallest change."""

    outcomes: tuple[OwnOutcome, ...]
    rule: str
    version: int
    unknown: bool
    reasons: tuple[Words, ...]


def why_not(look: Look, finding: Finding) -> WhyNot:
    """Say why a finding does not apply, in its rule's own words."""
    row = look.rules.get((finding.rule, finding.version))
    rule = None if row is None else row.parsed()
    return WhyNot(
        outcomes=own_outcomes(look, finding.leaves),
        rule=finding.rule,
        version=finding.version,
        unknown=finding.verdict is Verdict.UNKNOWN,
        reasons=tuple(reasonwords.all_words(finding.reasons, rule, look.programme)),
    )


@dataclass(frozen=True, kw_only=True)
class Need:
    """A course that a programme has, how it stands, and what can be said of it.

    `rules` are those by which other outcomes could meet it, for one that is not met.
    """

    course: Course
    standing: NeedState
    met_by: tuple[MetBy, ...] = ()
    why_not: tuple[WhyNot, ...] = ()
    rules: tuple[RuleKey, ...] = ()

    @property
    def state(self) -> str:
        """The state that the page draws."""
        return f"need-{self.standing}"

    @property
    def credits(self) -> Decimal:
        """What it counts now, or would."""
        return max((one.credits for one in self.met_by), default=NOTHING)


@dataclass(frozen=True, kw_only=True)
class ShownCategory:
    """A category of the programme: its share, its courses, and what counts in it without a course.

    `spills` is how much of it is beyond what is asked, and counts in `spills_to`.
    """

    category: Category
    share: Share
    needs: tuple[Need, ...] = ()
    others: tuple[MetBy, ...] = ()
    spills: Decimal = NOTHING
    spills_to: Category | None = None

    @property
    def done(self) -> int:
        """How many of its courses are met."""
        return sum(need.standing in ("met", "waived") for need in self.needs)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A minimum or a threshold of the programme, and how many credits there are for it."""

    of: Minimum | Threshold
    counted: Decimal

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.counted >= self.of.credits


class Way:
    """A look at a programme, as a page shows it; `previewed`: with what could be asked for."""

    def __init__(self, look: Look, *, previewed: bool = False) -> None:
        self.look = look
        self.previewed = previewed

    @property
    def programme(self) -> Programme:
        """The programme."""
        return self.look.programme

    # -- shares -------------------------------------------------------------------------------
    @property
    def share(self) -> Share:
        """How many of the programme's credits are there."""
        now = self.look.now
        more = self.look.preview.counted - now.counted - now.pending
        return Share(
            needed=now.asked,
            counted=now.counted,
            pending=now.pending,
            possible=more if self.previewed else NOTHING,
        )

    @cached_property
    def categories(self) -> list[ShownCategory]:
        """The categories with their shares and their courses."""
        look = self.look
        needs = self._needs()
        found = zip(
            look.programme.categories, look.now.categories, look.preview.categories, strict=True
        )
        return [
            ShownCategory(
                category=category,
                share=Share(
                    needed=now.asked,
                    counted=now.counted,
                    pending=now.pending,
                    possible=then.counted - now.counted - now.pending
                    if self.previewed
                    else NOTHING,
                ),
                needs=tuple(needs[category.code]),
                others=self._others(category),
                spills=now.spilled,
                spills_to=look.programme.category(category.spills_to),
            )
            for category, now, then in found
        ]

    @property
    def minimums(self) -> list[Asked]:
        """The minimums of the programme, and what counts for each."""
        found = zip(self.programme.minimums, self.look.now.minimums, strict=True)
        return [Asked(of=one, counted=at.counted) for one, at in found]

    @property
    def thresholds(self) -> list[Asked]:
        """What sums of counted credits open."""
        return [Asked(of=one, counted=self.look.counted) for one in self.programme.thresholds]

    @cached_property
    def shortest(self) -> Missing:
        """The fewest courses that complete the programme once everything asked for is given."""
        look = self.look
        more = [line for one in look.pending for line in one.lines]
        if self.previewed:
            more += look.computed.plan.lines
        if not more:
            return look.missing
        return missing.shortest(
            look.programme,
            native=look.situation.held,
            lines=[*look.situation.lines, *more],
            held=look.situation.held,
        )

    # -- courses ------------------------------------------------------------------------------
    def _needs(self) -> dict[str, list[Need]]:
        """Return the courses by category: the required ones first, each as the programme has it."""
        found: dict[str, list[Need]] = {one.code: [] for one in self.programme.categories}
        ordered = sorted(self.look.requirements, key=lambda one: not one.course.required)
        for requirement in ordered:
            found[requirement.course.category].append(self._need(requirement))
        return found

    def _need(self, requirement: Requirement) -> Need:
        course = requirement.course
        met_by = (
            *self._met(requirement),
            *self._pending(course.code),
            *self._possible(requirement),
        )
        if met_by:
            best = min((one.standing for one in met_by), key=_ORDER.index)
            return Need(course=course, standing=best, met_by=met_by)
        return Need(
            course=course,
            standing="missing",
            why_not=tuple(why_not(self.look, one) for one in requirement.near),
            rules=self._rules_for(course),
        )

    def _met(self, requirement: Requirement) -> Iterable[MetBy]:
        for one in requirement.met_by:
            source = one.source
            yield MetBy(
                outcomes=tuple(own_outcome(holding.evidence) for holding in one.holdings),
                standing="waived" if source.kind == "waived" else "met",
                credits=source.credits,
                rule=source.rule,
                version=source.version,
                number=one.decision,
                request=self._requests.get(one.decision, ""),
            )

    def _pending(self, course: str) -> Iterable[MetBy]:
        for one in self.look.pending:
            for line in one.lines:
                if line.grant.course == course:
                    number = one.request.number
                    yield self._met_by(line, "pending", line.grant.credits, number, number)

    def _possible(self, requirement: Requirement) -> Iterable[MetBy]:
        for decided in requirement.could_be:
            yield self._met_by(decided.line(), "possible", decided.credits)

    def _met_by(
        self,
        line: Line,
        standing: NeedState,
        credits: Decimal,
        number: str = "",
        request: str = "",
    ) -> MetBy:
        return MetBy(
            outcomes=own_outcomes(self.look, line.leaves),
            standing=standing,
            credits=credits,
            rule=line.rule,
            version=line.version,
            number=number,
            request=request,
        )

    @cached_property
    def _requests(self) -> Mapping[str, str]:
        """The numbers of requests, by those of the decisions in force."""
        numbers = [one.decision for one in self.look.situation.earlier]
        return dict(
            Decision.objects.filter(number__in=numbers).values_list("number", "request__number")
        )

    def _others(self, category: Category) -> tuple[MetBy, ...]:
        """Return what counts in a category without meeting a course of it, surplus included."""
        look = self.look
        lines: list[tuple[Line, NeedState, str, str]] = [
            (one.line, "met", one.decision, self._requests.get(one.decision, ""))
            for one in look.situation.earlier
        ]
        lines += [
            (line, "pending", one.request.number, one.request.number)
            for one in look.pending
            for line in one.lines
        ]
        lines += [(line, "possible", "", "") for line in look.computed.plan.lines]
        return tuple(
            self._met_by(line, standing, amount, number, request)
            for line, standing, number, request in lines
            for amount in _beside(line, category.code)
        )

    def _rules_for(self, course: Course) -> tuple[RuleKey, ...]:
        if not course.replaceable:
            return ()
        return tuple(
            key for key, row in self.look.rules.items() if course.code in self._reach(row.parsed())
        )

    def _reach(self, rule: Rule) -> Sequence[str]:
        """Return the codes of the courses that a rule can give."""
        found: list[str] = []
        for target in rule.allocation["to"]:
            if "course" in target:
                found.append(target["course"])
            elif "courses" in target:
                found += [one.code for one in self.programme.tagged(target["courses"]["tag"])]
        return found


def _beside(line: Line, category: str) -> Iterable[Decimal]:
    """Give the credits of a line that go to a category without meeting a course of it."""
    grant = line.grant
    if grant.category == category and not grant.course:
        yield grant.credits
    if grant.surplus and grant.surplus_category == category:
        yield grant.surplus
