"""Programs of a learner and of the college that recognises, for the tests of the API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation

from api import keys
from api.models import OF_LEARNERS
from creditbank.clock import today
from creditbank.institutions.kinds import Role
from creditbank.recognition.models import Decision, Request
from creditbank.recognition.workflow import requests
from creditbank.recognition.workflow.decisions import Verdict
from learners.models import Learner
from tests.api.clients import Program, program_of
from tests.institutions.cast import make_member
from tests.recognition.world import World, with_rule

_people = iter(range(880_000, 890_000))


@pytest.fixture
def world(begun_world: World, settings: Any) -> Iterator[World]:
    """The world, with sentences in Chinese."""
    settings.STAFF_SECOND_FACTOR = False
    with translation.override("zh-hans"):
        yield with_rule(begun_world)


def own(learner: Learner, *scopes: str) -> Program:
    """A program of a learner who has claimed their account."""
    assert learner.user is not None
    made = keys.create_learner_key(
        scopes=scopes or [scope.value for scope in OF_LEARNERS],
        expires_on=today() + timedelta(days=90),
        acting_user=learner.user,
    )
    return Program(token=made.token, user=learner.user, prefix=made.key.prefix)


def college(world: World, *scopes: str) -> Program:
    """A program of the college; each acts for another administrator."""
    member = make_member(world.college.institution, Role.ADMIN, serial=next(_people))
    return program_of(world.college.institution, *scopes, user=member.user)


def at(world: World, *parts: str) -> str:
    """An address below the college."""
    return "/".join(["institutions", world.college.slug, *parts])


def holder(world: World, name: str = "李龑") -> Learner:
    """A learner with the certificate and nothing else."""
    learner = world.learner(name=name)
    world.record_certificate(learner)
    return learner


def filing(world: World, **changes: Any) -> dict[str, Any]:
    """The body of a request."""
    return {"programme": world.programme.code, "consent": requests.CONSENT} | changes


def filed(world: World) -> Request:
    return world.request(holder(world))


def verdicts(*said: str, **reasons: str) -> dict[str, Any]:
    """The body of a proposal: a verdict for each line, `reason_1` for the second."""
    return {
        "verdicts": [
            {"position": place, "verdict": verdict}
            | ({"reason": reasons[f"reason_{place}"]} if f"reason_{place}" in reasons else {})
            for place, verdict in enumerate(said)
        ]
    }


WAIVED = (
    Verdict(position=0, verdict="credit"),
    Verdict(position=1, verdict="waived", reason="requirement-met-without-credit", note="见附件。"),
)


def decided(world: World) -> Decision:
    return world.decide(filed(world), *WAIVED)


def strict(world: World, **procedure: Any) -> Request:
    """A request for one course under a rule with a procedure of its own."""
    item = world.x_certificate()
    world.publish(
        item=item,
        procedure={"mode": "review"} | procedure,
        allocation={"to": [{"course": "ELE-1"}]},
    )
    learner = world.learner(name="王𪟝")
    world.record_certificate(learner, item)
    return world.request(learner)
