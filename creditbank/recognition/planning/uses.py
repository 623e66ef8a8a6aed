"""What the plan chooses from: each use that a rule offers, and each grant of it (pure).

Uses and their candidates stand in an order that depends on nothing but what they
say, so that the same inputs give the same plan in whatever order they come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from creditbank.ledger.statements import hundredths
from creditbank.recognition.engine.evidence import Evidence
from creditbank.recognition.engine.findings import Finding, Grant, Line, Verdict
from creditbank.recognition.language.figures import number
from creditbank.recognition.language.programmes import Programme

Expiry: TypeAlias = tuple[int, int]
"""Last valid day (as an ordinal), log index."""
Tie: TypeAlias = tuple[int, int, str, str]
"""Last valid day (as an ordinal), log index, rule, target: what ties are broken by."""

amount: Final = lru_cache(maxsize=4096)(hundredths)
"""Turns credits into 1/100 credits; the same few amounts come again and again."""

NEVER_ENDS: Final = date.max.toordinal()


@dataclass(slots=True, eq=False)
class Use:
    """One use of a rule: its outcomes in the order of the log, what it gives or can give.

    `choose` grants at most, at least one, and no more than `most` 1/100 credits
    together; with `choose` 0 all of them. `places` are the numbers of its
    candidates, one for each grant; a use that was decided before has none.
    """

    number: int
    rule: str
    version: int
    outcomes: tuple[Evidence, ...]
    leaves: tuple[bytes, ...]
    expiries: tuple[Expiry, ...]
    grants: tuple[Grant, ...]
    credits: tuple[tuple[int, int], ...]
    """By grant: 1/100 credits to its target, and to the category of its surplus."""
    gives: tuple[int, ...]
    """By grant: all that it gives, 1/100 credits."""
    choose: int = 0
    most: int | None = None
    places: range = range(0)

    @property
    def ended_on(self) -> date:
        """The day on which the last of its outcomes was completed."""
        return max(outcome.outcome.completed_on for outcome in self.outcomes)


class Candidate(NamedTuple):
    """One grant that could be chosen, of a use that has others perhaps."""

    use: Use
    grant: Grant
    credits: int
    surplus: int


def expiry(outcome: Evidence) -> Expiry:
    """Return by what outcomes are preferred: those that expire first, then the older in the log."""
    last = outcome.outcome.valid_until
    return (NEVER_ENDS if last is None else last.toordinal(), outcome.index)


def offered(findings: Iterable[Finding], outcomes: Mapping[bytes, Evidence]) -> list[Use]:
    """Return the uses of the findings that apply, each once, in their order."""
    expiries = {leaf: expiry(outcome) for leaf, outcome in outcomes.items()}
    ordered = []
    for finding in findings:
        if finding.verdict is not Verdict.APPLIES:
            continue
        leaves = finding.leaves
        if len(leaves) > 1:
            leaves = tuple(sorted(leaves, key=lambda leaf: expiries[leaf][1]))
        grants = [(_grant_order(grant), grant) for grant in finding.grants]
        if len(grants) > 1:
            grants.sort(key=lambda one: one[0])
        order = (
            [expiries[leaf] for leaf in leaves],
            finding.rule,
            finding.version,
            [one for one, _ in grants],
            finding.choose,
            -1 if finding.credits_max is None else amount(finding.credits_max),
        )
        ordered.append((order, leaves, tuple(grant for _, grant in grants)))
    ordered.sort(key=lambda one: one[0])
    found: list[Use] = []
    place = 0
    last: tuple[object, ...] | None = None
    for order, leaves, own in ordered:
        if order == last:
            continue
        last = order
        own_expiries, rule, version, _, choose, most = order
        use = _use(len(found), rule, version, leaves, own, outcomes, tuple(own_expiries))
        use.choose = choose
        use.most = None if most < 0 else most
        use.places = range(place, place + len(own))
        place += len(own)
        found.append(use)
    return found


def candidates(uses: Iterable[Use]) -> list[Candidate]:
    """Return the candidates of uses: each one's number is its place in the list."""
    return [
        Candidate(use, grant, *amounts)
        for use in uses
        for grant, amounts in zip(use.grants, use.credits, strict=True)
    ]


def _use(
    number: int,
    rule: str,
    version: int,
    leaves: tuple[bytes, ...],
    grants: tuple[Grant, ...],
    outcomes: Mapping[bytes, Evidence],
    expiries: tuple[Expiry, ...],
) -> Use:
    credits_ = tuple((amount(grant.credits), amount(grant.surplus)) for grant in grants)
    return Use(
        number=number,
        rule=rule,
        version=version,
        outcomes=tuple(outcomes[leaf] for leaf in leaves),
        leaves=leaves,
        expiries=expiries,
        grants=grants,
        credits=credits_,
        gives=tuple(direct + surplus for direct, surplus in credits_),
    )


def decided(lines: Sequence[Line], outcomes: Mapping[bytes, Evidence]) -> list[Use]:
    """Return the uses that lines were recognised by: one rule, the same outcomes."""
    grants: dict[tuple[str, int, tuple[bytes, ...]], list[Grant]] = {}
    for line in lines:
        grants.setdefault((line.rule, line.version, tuple(sorted(line.leaves))), []).append(
            line.grant
        )
    return [
        _use(number, rule, version, leaves, tuple(given), outcomes, ())
        for number, ((rule, version, leaves), given) in enumerate(grants.items())
    ]


def natives(programme: Programme, outcomes: Iterable[Evidence]) -> dict[str, list[Evidence]]:
    """Return, by course, the outcomes that meet it natively, the best first.

    The owner awarded them and their item stands in the course's items; the better
    score is the better one, then the earlier.
    """
    course_of = {item: course.code for course in programme.courses for item in course.items}
    found: dict[str, list[Evidence]] = {}
    for outcome in outcomes:
        if outcome.outcome.body == programme.owner and outcome.state != "lapsed":
            course = course_of.get(outcome.outcome.item)
            if course is not None:
                found.setdefault(course, []).append(outcome)
    for own in found.values():
        own.sort(key=lambda one: (-(number(one.result.score) or 0), one.index))
    return found


def _grant_order(grant: Grant) -> tuple[object, ...]:
    return (
        grant.target,
        -grant.credits,
        -grant.surplus,
        grant.surplus_category,
        grant.waived,
        grant.mark,
        grant.category,
    )
