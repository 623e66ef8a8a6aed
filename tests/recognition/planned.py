"""Plans for tests, through real rules: what is chosen, and what keeps the rest out."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from creditbank.recognition.engine import evaluation
from creditbank.recognition.engine.evidence import Evidence
from creditbank.recognition.engine.findings import Grant, Line
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.planning import plan
from creditbank.recognition.planning.leftout import Obstacle
from creditbank.recognition.planning.plan import Plan
from tests.recognition.make import amount_of, context

Told = dict[str, dict[str, str]]


def planned(
    rules: Sequence[Rule],
    *evidence: Evidence,
    programme: Programme,
    earlier: Sequence[Line] = (),
    **changes: Any,
) -> Plan:
    """The best plan for all that a learner holds; days of the context may be texts."""
    circumstances = context(programme, **({"held": evidence} | changes))
    found = [one for rule in rules for one in evaluation.evaluate(rule, evidence, circumstances)]
    made = plan.best(
        programme=programme,
        findings=found,
        rules=rules,
        evidence=evidence,
        context=circumstances,
        earlier=earlier,
        limit_seconds=None,
    )
    assert made.state == "optimal"
    return made


def told(made: Plan, *evidence: Evidence) -> Told:
    """What is used for what: by the outcomes' items, the targets with their credits."""
    items = {one.leaf: one.outcome.item for one in evidence}
    found: Told = {}
    for line in made.lines:
        name = " + ".join(items[leaf] for leaf in line.leaves)
        found.setdefault(name, {})[line.grant.target] = amount_of(line.grant)
    return found


def chosen(
    rules: Sequence[Rule], *evidence: Evidence, programme: Programme, **changes: Any
) -> Told:
    """What the best plan uses for what."""
    return told(planned(rules, *evidence, programme=programme, **changes), *evidence)


def obstacles(made: Plan, outcome: Evidence, rule: str = "") -> list[Obstacle]:
    """All that keeps an outcome's findings out of a plan."""
    return [
        obstacle
        for left in made.left_out
        if outcome.leaf in left.leaves and rule in ("", left.rule)
        for obstacle in left.obstacles
    ]


def kept_out(made: Plan, outcome: Evidence, rule: str = "") -> list[tuple[str, str]]:
    """The codes of what keeps an outcome out, with the document and place of each."""
    return [
        (one.code, f"{one.holder}{one.pointer}" or one.course or one.in_favour_of)
        for one in obstacles(made, outcome, rule)
    ]


def line(
    evidence: Evidence,
    *,
    course: str = "",
    category: str = "",
    credits: Any = 0,
    rule: str = "R-0",
    version: int = 1,
    mark: str = "",
    waived: bool = False,
) -> Line:
    """A line of an earlier decision."""
    grant = Grant(
        course=course, category=category, credits=Decimal(credits), mark=mark, waived=waived
    )
    return Line(rule=rule, version=version, leaves=(evidence.leaf,), grant=grant)
