"""Which version of a rule decides: that of the day of filing, or that of the day of decision."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import time_machine

from creditbank.clock import today
from creditbank.recognition import replay
from creditbank.recognition.models import Decision, DecisionState, RuleVersion
from creditbank.recognition.register import publishing
from creditbank.recognition.workflow import decisionfile, decisions
from tests.recognition.world import INFORMATION, STORAGE, World

FILED = "2026-12-07T12:00:00+08:00"
BETWEEN = date(2026, 12, 14)
DECIDED = "2026-12-21T12:00:00+08:00"


@pytest.fixture
def world(bare_world: World) -> World:
    return bare_world


def gives(storage: str, information: str) -> dict[str, Any]:
    return {
        "to": [
            {"course": STORAGE, "credits": storage},
            {"course": INFORMATION, "credits": information},
        ]
    }


def decided(world: World, **more: Any) -> Decision:
    """Filed under version 3, decided a fortnight later."""
    learner = world.graduate()
    with time_machine.travel(FILED, tick=True):
        request = world.request(learner)
    with time_machine.travel(DECIDED, tick=True):
        return world.decide(request, **more)


def next_version(world: World, rule: RuleVersion, **changes: Any) -> RuleVersion:
    facts = {
        "code": rule.code,
        "version": rule.version + 1,
        "in_force": {"from": BETWEEN.isoformat()},
        "allocation": gives("3", "2"),
    }
    return world.publish(**facts | changes)


@pytest.mark.parametrize(
    ("law", "version", "credits", "day"),
    [("filing", 3, 7, "2026-12-07"), ("decision", 4, 5, "2026-12-21")],
)
def test_a_new_version_in_between_holds_where_the_law_is_the_decisions(
    world: World, law: str, version: int, credits: int, day: str
) -> None:
    rule = world.publish(version=3, law=law)
    next_version(world, rule, law=law)
    decision = decided(world)
    assert decision.credits == credits
    assert {(line.rule_version, line.law, str(line.law_on)) for line in decision.lines.all()} == {
        (version, law, day)
    }


def test_a_version_that_begins_today_decides_what_was_filed_this_morning(world: World) -> None:
    rule = world.publish(version=3)
    request = world.request(world.graduate())
    next_version(world, rule, in_force={"from": today().isoformat()})
    decision = world.decide(request)
    assert decision.credits == 5
    assert {line.rule_version for line in decision.lines.all()} == {4}


def test_a_rule_withdrawn_after_filing_still_decides_and_the_decision_says_so(
    world: World,
) -> None:
    rule = world.publish(law="filing")
    with time_machine.travel(FILED, tick=True):
        publishing.withdraw_rule(
            rule=rule, reason="办法修订", acting_user=world.officer(), on=BETWEEN
        )
    decision = decided(world)
    assert decision.credits == 7
    package = decisions.package_of(decision)
    assert {(line.law, str(line.law_on)) for line in package.lines} == {("filing", "2026-12-07")}


def test_where_the_law_is_the_decisions_a_withdrawn_rule_gives_nothing(world: World) -> None:
    rule = world.publish(law="decision")
    with time_machine.travel(FILED, tick=True):
        publishing.withdraw_rule(
            rule=rule, reason="办法修订", acting_user=world.officer(), on=BETWEEN
        )
    decision = decided(world)
    assert decision.state == DecisionState.REFUSED
    assert [line.reason for line in decision.lines.all()] == ["no-rule-applies"]


def test_a_decision_keeps_its_version_when_the_next_one_comes(world: World) -> None:
    rule = world.publish(version=3)
    decision = world.decide(world.request(world.graduate()))
    next_version(world, rule)
    with time_machine.travel(DECIDED, tick=True):
        decision.refresh_from_db()
        assert decision.credits == 7
        report = replay.verify(decisionfile.build(decision), trust=None)
        assert all(check.state != "invalid" for check in report.checks)
        # Somebody who files now gets what the new version gives.
        assert world.decide(world.request(world.graduate())).credits == 5


def test_a_case_that_changed_after_it_was_proposed_is_proposed_anew(world: World) -> None:
    rule = world.publish(version=3, law="decision", procedure={"mode": "review", "reviewers": 2})
    next_version(world, rule, law="decision", procedure={"mode": "review", "reviewers": 2})
    learner = world.graduate()
    with time_machine.travel(FILED, tick=True):
        request = world.request(learner)
        decision = world.decide(request)
    with time_machine.travel(DECIDED, tick=True):
        with pytest.raises(decisions.CaseChanged):
            decisions.agree(decision=decision, acting_user=world.officer(1))
        decision.refresh_from_db()
        assert decision.state == DecisionState.RETURNED
        again = world.decide(request)
        again = decisions.agree(decision=again, acting_user=world.officer(1))
        assert again.credits == 5
