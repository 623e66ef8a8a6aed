"""The best plan by going through all of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from creditbank.recognition.engine.findings import Finding, Grant
from tests.recognition.plan.counting import Count, Taken
from tests.recognition.plan.instances import Instance


def options(finding: Finding) -> Iterator[tuple[Grant, ...]]:
    """Every set of grants that a use may give."""
    sizes = [len(finding.grants)] if finding.choose == 0 else range(1, finding.choose + 1)
    for size in sizes:
        for grants in itertools.combinations(finding.grants, size):
            given = sum(one.credits + one.surplus for one in grants)
            if finding.credits_max is None or given <= finding.credits_max:
                yield grants


def best(instance: Instance) -> list[Taken]:
    """Return the best plan. What breaks a limit is not looked at further: more use never mends it."""
    count = Count(instance)
    findings = []
    for finding in instance.findings:
        if finding.verdict.value == "applies" and finding not in findings:
            findings.append(finding)
    found: list[Taken] = []
    merit = count.merit([])
    tie = count.tie([])

    def go(place: int, uses: list[Taken]) -> None:
        nonlocal found, merit, tie
        if place == len(findings):
            here = count.merit(uses)
            if here > merit or (here == merit and count.tie(uses) < tie):
                found, merit, tie = uses, here, count.tie(uses)
            return
        go(place + 1, uses)
        for grants in options(findings[place]):
            more = [*uses, count.use(findings[place], grants)]
            if not count.broken(more):
                go(place + 1, more)

    go(0, [])
    return found
