"""R33, expert review (专家评审).

Sources C12, C3: a review panel of at least three, industry experts with at least
five years; outcomes already mature in the catalogue may be decided by one person.
"""

from __future__ import annotations

from datetime import date

import pytest
import time_machine

from creditbank import access
from creditbank.institutions.kinds import Role
from creditbank.recognition.deciding import packages
from creditbank.recognition.models import DecisionState, Request
from creditbank.recognition.workflow import decisions, reviewing
from creditbank.recognition.workflow.errors import ExpertNeeded
from tests.institutions.cast import make_member
from tests.recognition.world import World

PANEL = {"members": 3, "industry_experts": 1, "industry_years": 5}
TODAY = "2026-11-30T12:00:00+08:00"


def asked(world: World, **procedure: object) -> Request:
    world.publish(procedure={"mode": "review", **procedure})
    return world.request(world.graduate())


def expert(world: World, number: int, since: date) -> None:
    world.officer(number)
    member = world.others[number - 1]
    admin = make_member(world.college.institution, Role.ADMIN).user
    reviewing.note_expert(member=member, since=since, acting_user=admin)


def test_three_people_decide_together_and_one_of_them_from_industry(bare_world: World) -> None:
    world = bare_world
    request = asked(world, panel=PANEL)
    expert(world, 2, date(2015, 1, 1))
    decision = world.decide(request)
    assert decision.state == DecisionState.PROPOSED
    decision = decisions.agree(decision=decision, acting_user=world.officer(1))
    assert decision.state == DecisionState.PROPOSED
    decision = decisions.agree(decision=decision, acting_user=world.officer(2))
    assert decision.state == DecisionState.IN_FORCE
    package = decisions.package_of(decision)
    assert [one.years for one in package.reviews] == [0, 0, 11]
    assert packages.to_json(package)["procedure"]["people"] == 3


def test_the_last_place_is_the_experts(bare_world: World) -> None:
    world = bare_world
    request = asked(world, panel=PANEL)
    decision = world.decide(request)
    decisions.agree(decision=decision, acting_user=world.officer(1))
    with pytest.raises(ExpertNeeded):
        decisions.agree(decision=decision, acting_user=world.officer(2))
    decision.refresh_from_db()
    assert decision.state == DecisionState.PROPOSED


@pytest.mark.parametrize(("since", "counts"), [("2021-11-30", True), ("2021-12-01", False)])
def test_an_expert_has_five_years_on_the_day(
    bare_world: World, since: str, *, counts: bool
) -> None:
    world = bare_world
    with time_machine.travel(TODAY, tick=True):
        request = asked(world, panel=PANEL)
        expert(world, 1, date.fromisoformat(since))
        decision = world.decide(request, by=2)
        decisions.agree(decision=decision, acting_user=world.officer(3))
        if counts:
            decision = decisions.agree(decision=decision, acting_user=world.officer(1))
            assert decision.state == DecisionState.IN_FORCE
        else:
            with pytest.raises(ExpertNeeded):
                decisions.agree(decision=decision, acting_user=world.officer(1))


def test_nobody_counts_twice_under_two_names(bare_world: World) -> None:
    world = bare_world
    request = asked(world, reviewers=2)
    decision = world.decide(request)
    again = decisions.agree(decision=decision, acting_user=world.officer())
    assert (again.state, again.reviews.count()) == (DecisionState.PROPOSED, 1)
    # The same person with another user, whose document was seen too.
    digest = world.officer().person_digest
    assert digest is not None
    second = make_member(world.college.institution, Role.REVIEWER).user
    second.person_digest = digest
    second.save()
    with pytest.raises(access.SamePerson):
        decisions.agree(decision=decision, acting_user=second)
    unseen = make_member(world.college.institution, Role.REVIEWER).user
    with pytest.raises(access.PersonUnknown):
        decisions.agree(decision=decision, acting_user=unseen)


def test_what_is_mature_in_the_catalogue_one_person_decides(bare_world: World) -> None:
    world = bare_world
    decision = world.decide(asked(world, reviewers=1))
    assert decision.state == DecisionState.IN_FORCE


def test_who_does_not_agree_sends_it_back_with_a_reason(bare_world: World) -> None:
    world = bare_world
    request = asked(world, reviewers=2)
    decision = world.decide(request)
    returned = decisions.return_decision(
        decision=decision, reason="请核对证书编号", acting_user=world.officer(1)
    )
    assert returned.state == DecisionState.RETURNED
    request.refresh_from_db()
    assert request.is_open
    review = returned.reviews.get(verdict="return")
    assert decisions.note_of(review) == "请核对证书编号"
    assert "请核对证书编号".encode() not in bytes(review.note_sealed)
    # It is proposed anew, by whoever.
    assert world.decide(request, by=1).state == DecisionState.PROPOSED
