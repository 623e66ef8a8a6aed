"""Holding a plan against brute force and against counting by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from creditbank.recognition.engine.findings import Grant
from creditbank.recognition.planning import plan
from creditbank.recognition.planning.plan import Plan
from tests.recognition.plan import brute
from tests.recognition.plan.counting import Count
from tests.recognition.plan.instances import Instance


def as_brute_force(instance: Instance) -> Plan:
    """Hold the plan against the best of all plans: in value and in tie-break."""
    found = plan.best(**instance.asked(), limit_seconds=None)
    best = brute.best(instance)
    count = Count(instance)
    assert found.state == "optimal"
    assert (found.counted, found.required, -found.outcomes) == count.merit(best)
    assert found.credits == found.counted - count.counted([])
    assert lines(found) == sorted(
        _told(use.rule, use.version, [one.leaf for one in use.outcomes], grant)
        for use in best
        for grant in use.grants
    )
    return found


def by_hand(instance: Instance, *, seconds: float | None = None) -> Plan:
    """Count a plan by hand: it breaks nothing, and is worth what it says."""
    found = plan.best(**instance.asked(), limit_seconds=seconds)
    count = Count(instance)
    uses = count.uses_of(found.lines)
    assert count.broken(uses) == ""
    assert count.merit(uses) == (found.counted, found.required, -found.outcomes)
    assert found.credits == found.counted - count.counted([])
    return found


def lines(found: Plan) -> list[Any]:
    return sorted(_told(one.rule, one.version, one.leaves, one.grant) for one in found.lines)


def _told(rule: str, version: int, leaves: Iterable[bytes], grant: Grant) -> tuple[Any, ...]:
    return (rule, version, tuple(sorted(leaves)), repr(grant))
