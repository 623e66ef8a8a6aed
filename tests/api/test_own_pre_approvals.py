"""GET /api/v1/me/pre-approvals and .../NUMBER."""

from __future__ import annotations

from tests.api.cases import holder, own, world
from tests.api.clients import problem
from tests.portals.casework import promise
from tests.recognition.world import STORAGE, World

__all__ = ["world"]


def test_what_was_promised_is_read_with_its_rule(world: World) -> None:
    learner = world.learner()
    made = promise(world, learner)
    program = own(learner)
    listed = program.get("me/pre-approvals").json()
    assert listed["total"] == 1
    (one,) = listed["pre_approvals"]
    assert one["number"] == made.number
    assert one["state"] == "prepared"
    assert one["until"] == "2030-12-31"
    found = program.get(f"me/pre-approvals/{made.number}").json()
    assert found["document"]["code"] == made.number
    assert found["document"]["allocation"]["to"] == [{"course": STORAGE, "credits": "4"}]
    assert {name: found[name] for name in one} == one


def test_anothers_promise_is_not_found(world: World) -> None:
    made = promise(world)
    stranger = own(holder(world))
    problem(stranger.get(f"me/pre-approvals/{made.number}"), 404, "not-found")
    assert stranger.get("me/pre-approvals").json() == {"total": 0, "pre_approvals": []}
