"""R34, approval in several steps (审批链).

Source C18: student, college, academic office, assessment organisation, credit bank: five steps.
"""

from __future__ import annotations

from typing import Any

import pytest

from creditbank.institutions.kinds import InstitutionKind, Role
from creditbank.institutions.models import Institution
from creditbank.recognition.models import Decision, DecisionState
from creditbank.recognition.workflow import decisions, reviewing
from creditbank.recognition.workflow.errors import StageNotYours
from creditbank.users.models import User
from tests.institutions.cast import make_institution, make_member
from tests.recognition.world import World

STAGES = ["college", "academic-office", "assessor", "bank"]


@pytest.fixture
def people(bare_world: World) -> dict[str, User]:
    """One reviewer for each step after the student's."""
    body = Institution.objects.get(uscc=bare_world.certificate.body_uscc)
    bank = make_institution(kind=InstitutionKind.BANK)
    return {
        "college": bare_world.officer(),
        "academic-office": bare_world.officer(1),
        "assessor": make_member(body, Role.REVIEWER, serial=901).user,
        "bank": make_member(bank, Role.REVIEWER, serial=902).user,
    }


def proposed(world: World, **procedure: Any) -> Decision:
    world.publish(procedure={"mode": "review", "chain": STAGES, **procedure})
    return world.decide(world.request(world.graduate()))


def test_a_decision_passes_every_step_in_order(bare_world: World, people: dict[str, User]) -> None:
    decision = proposed(bare_world)
    for stage in STAGES[1:]:
        assert decision.state == DecisionState.PROPOSED
        assert reviewing.stage_of(decision) == stage
        decision = decisions.agree(decision=decision, acting_user=people[stage])
    assert decision.state == DecisionState.IN_FORCE
    package = decisions.package_of(decision)
    assert [one.stage for one in package.reviews] == STAGES
    assert len({one.by for one in package.reviews}) == 4


def test_nobody_passes_over_a_step(bare_world: World, people: dict[str, User]) -> None:
    decision = proposed(bare_world)
    for stage in ("assessor", "bank"):
        with pytest.raises(StageNotYours):
            decisions.agree(decision=decision, acting_user=people[stage])
    decisions.agree(decision=decision, acting_user=people["academic-office"])
    with pytest.raises(StageNotYours):
        decisions.agree(decision=decision, acting_user=bare_world.officer(3))


def test_it_stands_in_the_queue_of_whose_step_it_is(
    bare_world: World, people: dict[str, User]
) -> None:
    decision = proposed(bare_world)
    body = Institution.objects.get(uscc=bare_world.certificate.body_uscc)
    bank = Institution.objects.get(kind=InstitutionKind.BANK)
    assert reviewing.queue(body) == reviewing.queue(bank) == []
    decisions.agree(decision=decision, acting_user=people["academic-office"])
    (waiting,) = reviewing.queue(body)
    assert (waiting.request, waiting.stage) == (decision.request, "assessor")
    assert reviewing.queue(bank) == []


def test_at_each_step_it_can_be_sent_back(bare_world: World, people: dict[str, User]) -> None:
    decision = proposed(bare_world)
    decisions.agree(decision=decision, acting_user=people["academic-office"])
    decisions.return_decision(
        decision=decision, reason="证书级别有误", acting_user=people["assessor"]
    )
    decision.refresh_from_db()
    assert decision.state == DecisionState.RETURNED


def test_without_a_chain_the_college_alone_decides(bare_world: World) -> None:
    bare_world.publish(procedure={"mode": "review"})
    decision = bare_world.decide(bare_world.request(bare_world.graduate()))
    assert decision.state == DecisionState.IN_FORCE
    assert [one.stage for one in decisions.package_of(decision).reviews] == ["college"]
