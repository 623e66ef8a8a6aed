"""R29, recognition without an application (免申请), carried out.

Source C26: who holds a bachelor's degree gets all public courses without applying.
"""

from __future__ import annotations

from typing import Any

import pytest

from creditbank.institutions.models import CatalogueItem
from creditbank.jobs import outbox
from creditbank.recognition import replay
from creditbank.recognition.models import DecisionState, Request, RequestState, RuleVersion
from creditbank.recognition.workflow import automatic, decisionfile, decisions, goals, records
from learners import operations as learners
from learners.models import ConsentPurpose, Learner
from tests.recognition.world import INFORMATION, STORAGE, World


@pytest.fixture
def world(bare_world: World) -> World:
    return bare_world


def degree_rule(world: World, degree: CatalogueItem, **changes: Any) -> RuleVersion:
    """All courses with the tag are met; here the two of the world's programme."""
    facts: dict[str, Any] = {
        "gate": None,
        "sources": {"outcome": {"item": [degree.code]}},
        "allocation": {"to": [{"course": STORAGE}, {"course": INFORMATION}]},
        "procedure": {"mode": "automatic"},
    }
    return world.publish(degree, **facts | changes)


def follower(world: World, *, consents: bool = True) -> Learner:
    learner = world.learner()
    assert learner.user is not None
    goals.add_goal(learner=learner, programme=world.programme, acting_user=learner.user)
    if consents:
        learners.give_consent(
            learner=learner, purpose=ConsentPurpose.MUTUAL_RECOGNITION, wording="recognition/1"
        )
    return learner


def everything_runs() -> None:
    automatic.follow()
    outbox.run_due()


def test_a_new_outcome_is_recognised_without_an_application(world: World) -> None:
    degree = world.item()
    degree_rule(world, degree)
    learner = follower(world)
    automatic.follow()
    world.record_outcome(learner, degree)
    everything_runs()
    assert Request.objects.count() == 1
    request = Request.objects.get()
    (decision,) = records.history(request)
    assert (request.automatic, request.state) == (True, RequestState.IN_FORCE)
    assert (decision.automatic, decision.state, decision.credits) == (
        True,
        DecisionState.IN_FORCE,
        7,
    )
    assert not decision.reviews.exists()
    report = replay.verify(decisionfile.build(decision), trust=None)
    assert all(check.state != "invalid" for check in report.checks)


def test_a_new_rule_finds_those_who_hold_the_outcome(world: World) -> None:
    degree = world.item()
    learner = follower(world)
    world.record_outcome(learner, degree)
    automatic.follow()
    degree_rule(world, degree)
    everything_runs()
    assert records.totals(learner).converted == 7


def test_looking_again_changes_nothing(world: World) -> None:
    degree = world.item()
    learner = follower(world)
    world.record_outcome(learner, degree)
    degree_rule(world, degree)
    for _ in range(3):
        automatic.consider(learner=learner, programme=world.programme)
    everything_runs()
    assert Request.objects.count() == 1


@pytest.mark.parametrize("missing", ["goal", "consent"])
def test_it_is_done_for_who_follows_the_programme_and_consents(world: World, missing: str) -> None:
    degree = world.item()
    degree_rule(world, degree)
    if missing == "goal":
        learner = world.learner()
        learners.give_consent(
            learner=learner, purpose=ConsentPurpose.MUTUAL_RECOGNITION, wording="recognition/1"
        )
    else:
        learner = follower(world, consents=False)
    automatic.follow()
    world.record_outcome(learner, degree)
    everything_runs()
    assert not Request.objects.exists()


def test_a_withdrawn_consent_ends_it(world: World) -> None:
    degree = world.item()
    degree_rule(world, degree)
    learner = follower(world)
    learners.withdraw_consent(learner=learner, purpose=ConsentPurpose.MUTUAL_RECOGNITION)
    assert automatic.consider(learner=learner, programme=world.programme) is None


def test_what_people_decide_is_left_to_a_request(world: World) -> None:
    degree = world.item()
    degree_rule(world, degree, procedure={"mode": "review"})
    learner = follower(world)
    automatic.follow()
    world.record_outcome(learner, degree)
    everything_runs()
    assert not Request.objects.exists()


def test_what_would_bring_more_by_a_request_is_left_for_one(world: World) -> None:
    """Automatically the outcome gives 3 credits, by review 7."""
    degree = world.item()
    degree_rule(world, degree, allocation={"to": [{"course": INFORMATION}]})
    degree_rule(world, degree, procedure={"mode": "review"})
    learner = follower(world)
    world.record_outcome(learner, degree)
    assert automatic.consider(learner=learner, programme=world.programme) is None


def test_what_is_not_known_is_left_to_people(world: World) -> None:
    degree = world.item()
    degree_rule(
        world,
        degree,
        sources={
            "outcome": {"all": [{"item": [degree.code]}, {"fact": {"name": "rank", "max": "3"}}]}
        },
    )
    learner = follower(world)
    leaf = world.record_outcome(learner, degree)
    assert automatic.consider(learner=learner, programme=world.programme) is None
    request = world.request(learner, [leaf])
    outbox.run_due()
    request.refresh_from_db()
    assert request.state == RequestState.SUBMITTED


def test_a_request_under_such_a_rule_is_decided_by_itself(world: World) -> None:
    degree = world.item()
    degree_rule(world, degree)
    learner = world.learner()
    world.record_outcome(learner, degree)
    request = world.request(learner)
    outbox.run_due()
    request.refresh_from_db()
    assert (request.state, request.automatic) == (RequestState.IN_FORCE, False)
    assert records.totals(learner).converted == 7


def test_a_crash_in_between_is_made_good(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    degree = world.item()
    degree_rule(world, degree)
    learner = world.learner()
    world.record_outcome(learner, degree)
    request = world.request(learner)

    def crash(*_: Any) -> Any:
        raise RuntimeError("the process died here")

    monkeypatch.setattr(decisions, "conclude", crash)
    with pytest.raises(RuntimeError):
        decisions.decide_automatically(request)
    monkeypatch.undo()
    outbox.run_due()
    assert records.totals(learner).converted == 7
    assert [one.state for one in request.decisions.all()] == [
        DecisionState.RETURNED,
        DecisionState.IN_FORCE,
    ]


def test_a_batch_holds_on_when_one_of_it_fails(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    degree = world.item()
    degree_rule(world, degree)
    first, second = follower(world), follower(world)
    for learner in (first, second):
        world.record_outcome(learner, degree)
    pairs = [f"{one.pk}/{world.programme.pk}" for one in (first, second)]
    consider = automatic.consider

    def failing(*, learner: Learner, programme: Any) -> Any:
        if learner == first:
            raise RuntimeError("as if the database was away")
        return consider(learner=learner, programme=programme)

    monkeypatch.setattr(automatic, "consider", failing)
    automatic.consider_all(*pairs)
    assert records.totals(second).converted == 7
    monkeypatch.setattr(automatic, "consider", consider)
    outbox.run_due()
    assert records.totals(first).converted == 7
