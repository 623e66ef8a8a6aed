"""The best use of a learner's outcomes for a programme, under all rules at once (pure).

Caps, exclusions and residency hold over sets of decisions: one rule after the
other gives wrong answers. `best` solves the whole choice exactly, and tells of
everything left out what keeps it out. `docs/recognition.md` says what best means.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final, Literal

from creditbank.errors import Refusals
from creditbank.ledger.statements import credits_of
from creditbank.recognition.engine.evidence import Context, Evidence
from creditbank.recognition.engine.findings import Finding, Line
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.planning.leftout import LeftOut, left_out
from creditbank.recognition.planning.limits import Limit, World, limits
from creditbank.recognition.planning.planinputs import problems
from creditbank.recognition.planning.planmodel import PlanModel
from creditbank.recognition.planning.tally import given, tally
from creditbank.recognition.planning.uses import candidates, decided, natives, offered

__all__ = ["LeftOut", "Plan", "PlanInconsistent", "PlanRefused", "best"]

LIMIT_SECONDS: Final = 2.0
"""How long a plan may take before the best one found is given as not proved."""


class PlanRefused(Refusals):
    """Inputs that name what does not exist: each with the JSON pointer of its place among them."""

    code: ClassVar[str] = "plan-refused"


class PlanInconsistent(RuntimeError):
    """A plan that does not hold when it is counted again: a fault of the engine, never a result."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which outcomes are best used under which rules, and why the others are not.

    `optimal`: no other plan is better. `not-proved`: time ran out, and this is the
    best found so far; it breaks no limit either.
    """

    state: Literal["optimal", "not-proved"]
    lines: tuple[Line, ...]
    """In the order of the outcomes: those that expire first before the others."""
    credits: Decimal
    """What the lines add to the credits that count towards the programme."""
    counted: Decimal
    """What counts in all, with native outcomes and what was recognised before."""
    required: int
    """How many required courses the lines meet."""
    outcomes: int
    """How many outcomes the lines use."""
    left_out: tuple[LeftOut, ...]
    """The findings that apply and are not used, each with what keeps it out."""


def best(
    *,
    programme: Programme,
    findings: Sequence[Finding],
    rules: Sequence[Rule],
    evidence: Sequence[Evidence],
    context: Context,
    earlier: Sequence[Line] = (),
    limit_seconds: float | None = LIMIT_SECONDS,
) -> Plan:
    """Choose among the findings that apply.

    `rules` are those that the findings are of, and others whose constraints are
    to hold; `evidence` the outcomes that the findings are about, besides
    `context.held`; `earlier` the lines in force of earlier decisions for this
    programme. Outcomes that are used or lapsed are not used; reserved ones are,
    for a request's own are reserved by it. After `limit_seconds` (none: never) the best plan found is returned
    as not proved. Raises PlanRefused when the inputs name what does not exist,
    TooManySteps for a condition that takes too long, and PlanInconsistent (or
    SolverInconsistent) when a plan does not stand its own check.
    """
    deadline = None if limit_seconds is None else time.monotonic() + limit_seconds
    world = _world(programme, findings, rules, evidence, context, earlier)
    found = limits(world)
    given_before = given(programme, _met_without(world), world.grants_before)
    before = tally(programme, given_before)
    places, proved = PlanModel(world, found, before).chosen(deadline=deadline)
    _verify(world, found, places)
    chosen = [world.candidates[place] for place in places]
    lines = tuple(
        Line(rule=one.use.rule, version=one.use.version, leaves=one.use.leaves, grant=one.grant)
        for one in chosen
    )
    after = tally(
        programme,
        given(
            programme, _met_without(world), (*world.grants_before, *(one.grant for one in chosen))
        ),
    )
    return Plan(
        state="optimal" if proved else "not-proved",
        lines=lines,
        credits=credits_of(after.total - before.total),
        counted=credits_of(after.total),
        required=sum(_required(programme, one.grant.course) for one in chosen),
        outcomes=len({leaf for one in chosen for leaf in one.use.leaves}),
        left_out=tuple(left_out(world, found, places)),
    )


def _world(
    programme: Programme,
    findings: Sequence[Finding],
    rules: Sequence[Rule],
    evidence: Sequence[Evidence],
    context: Context,
    earlier: Sequence[Line],
) -> World:
    outcomes = {one.leaf: one for one in (*context.held, *evidence)}
    wrong = problems(programme, findings, rules, outcomes, context, earlier)
    if wrong:
        raise PlanRefused(wrong)
    uses = offered(findings, outcomes)
    return World(
        programme=programme,
        context=context,
        rules={
            (rule.code, rule.version): rule
            for rule in sorted(rules, key=lambda rule: (rule.code, rule.version))
        },
        outcomes=outcomes,
        uses=uses,
        candidates=candidates(uses),
        earlier=decided(earlier, outcomes),
        native=natives(programme, outcomes.values()),
    )


def _met_without(world: World) -> set[str]:
    """Return the courses that are met by something else than lines."""
    before = {grant.course for grant in world.grants_before}
    return {*world.native, *(world.context.met - before)}


def _required(programme: Programme, code: str) -> bool:
    course = programme.course(code)
    return course is not None and course.required


def _verify(world: World, found: Sequence[Limit], places: Sequence[int]) -> None:
    """Count every limit and every use again. Raises PlanInconsistent."""
    chosen = set(places)
    for limit in found:
        drawn = sum(draw.amount for draw in limit.draws if not chosen.isdisjoint(draw.places))
        if drawn > limit.left:
            raise PlanInconsistent(
                f"{limit.code} {limit.holder}{limit.pointer}: {drawn} of {limit.left}"
            )
    for use in world.uses:
        taken = [place for place in use.places if place in chosen]
        if not taken:
            continue
        if len(taken) > use.choose if use.choose else len(taken) < len(use.grants):
            raise PlanInconsistent(f"{use.rule} gives {len(taken)} of {len(use.grants)} grants")
        gives = sum(use.gives[place - use.places.start] for place in taken)
        if use.most is not None and gives > use.most:
            raise PlanInconsistent(f"{use.rule} gives {gives}, at most {use.most}")
