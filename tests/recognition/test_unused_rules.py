"""Rules that no decision uses, and what a new version would make of decisions that stand."""

from __future__ import annotations

from datetime import timedelta

import time_machine

from creditbank.clock import today
from creditbank.jobs import outbox
from creditbank.recognition.models import Simulation
from creditbank.recognition.register import publishing, rulebook
from creditbank.recognition.workflow import simulation
from creditbank.recognition.workflow.decisions import Verdict
from creditbank.recognition.workflow.simulation import Counts
from tests.recognition.world import World, rule_document, whole


def codes(world: World, days: int | None) -> list[str]:
    """The unused rules, asked as of today; `days`: for how long, None for never."""
    since = None if days is None else today() - timedelta(days=days)
    return [row.code for row, _used in rulebook.unused(on=today(), since=since)]


def test_a_rule_that_a_decision_used_is_not_among_the_unused(world: World) -> None:
    idle = world.publish(world.x_certificate())
    assert world.rule is not None
    assert set(codes(world, None)) == {world.rule.code, idle.code}
    world.decide(world.request(world.graduate()))
    assert codes(world, None) == [idle.code]
    assert rulebook.last_used() == {world.rule.code: today()}


def test_a_rule_that_was_used_long_ago_is_among_them_again(world: World) -> None:
    world.decide(world.request(world.graduate()))
    assert world.rule is not None
    with time_machine.travel(f"{today() + timedelta(days=400)}T12:00:00+08:00", tick=True):
        assert codes(world, 365) == [world.rule.code]
        assert codes(world, 500) == []
        ((_row, used),) = rulebook.unused(on=today(), since=today() - timedelta(days=365))
        assert used == today() - timedelta(days=400)


def test_a_rule_has_time_to_be_used_first(world: World) -> None:
    assert world.rule is not None
    assert codes(world, 30) == []
    with time_machine.travel(f"{today() + timedelta(days=31)}T12:00:00+08:00", tick=True):
        assert codes(world, 30) == [world.rule.code]


def test_a_refusal_is_no_use(world: World) -> None:
    request = world.request(world.graduate())
    lines = whole(request)
    world.decide(
        request,
        *(
            Verdict(position=one.position, verdict="refused", reason="content-differs")
            for one in lines
        ),
    )
    assert world.rule is not None
    assert codes(world, None) == [world.rule.code]


def test_a_simulation_says_what_would_become_of_uses_that_were_decided(world: World) -> None:
    world.decide(world.request(world.graduate()))
    assert world.rule is not None
    college = world.college

    def simulated(**changes: object) -> Counts:
        document = rule_document(college.institution, world.certificate.code, version=4, **changes)
        row = college.draft(document)
        found = simulation.start_simulation(
            rule=row, programme=world.programme, acting_user=college.clerk
        )
        outbox.run_due()
        publishing.withdraw_rule(rule=row, reason="模拟完了", acting_user=college.clerk)
        return Counts.read(Simulation.objects.get(pk=found.pk).counts)

    later = {"in_force": {"from": "2026-01-01"}}
    less = {"to": [{"course": "LOG-101", "credits": "3"}, {"course": "LOG-102", "credits": "3"}]}
    assert dict(simulated(**later).decisions) == {"same": 1}
    assert dict(simulated(**later, allocation=less).decisions) == {"less": 1}
    strict = {"outcome": {"all": [{"item": [world.certificate.code]}, {"score": {"min": "90"}}]}}
    assert dict(simulated(**later, sources=strict).decisions) == {"refused": 1}
