"""POST /api/v1/me/decisions/NUMBER/appeals, GET /api/v1/me/appeals and .../NUMBER, messages, withdraw."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import time_machine

from creditbank.recognition.models import Appeal, Decision
from tests.api.cases import decided, holder, own, world
from tests.api.clients import Program, problem
from tests.recognition.world import World

__all__ = ["world"]

BODY = {"positions": [1], "text": "我完成了全部信息系统模块。"}


def file(program: Program, decision: Decision, body: Any = None, key: str = "k1") -> Any:
    path = f"me/decisions/{decision.number}/appeals"
    return program.post(path, BODY if body is None else body, Idempotency_Key=key)


def test_an_appeal_is_filed_once_for_each_key(world: World) -> None:
    decision = decided(world)
    program = own(decision.request.learner)
    first, again = file(program, decision), file(program, decision)
    assert first.status_code == 201, first.content
    made = first.json()
    assert again.json() == made
    assert first["Location"] == f"/api/v1/me/appeals/{made['number']}"
    assert made["decision"] == decision.number
    assert made["positions"] == [1]
    assert made["state"] == "open"
    (message,) = made["messages"]
    assert message["text"] == BODY["text"]
    assert message["by_learner"] is True
    listed = program.get("me/appeals").json()
    assert listed["total"] == 1
    assert "messages" not in listed["appeals"][0]
    assert Appeal.objects.count() == 1


def test_something_is_added_and_the_appeal_withdrawn(world: World) -> None:
    decision = decided(world)
    program = own(decision.request.learner)
    number = file(program, decision).json()["number"]
    said = program.post(f"me/appeals/{number}/messages", {"text": "大纲另寄。"})
    assert said.status_code == 201
    assert [one["text"] for one in said.json()["messages"]] == [BODY["text"], "大纲另寄。"]
    gone = program.post(f"me/appeals/{number}/withdraw", None)
    assert gone.json()["state"] == "withdrawn"
    late = program.post(f"me/appeals/{number}/messages", {"text": "还有。"})
    problem(late, 409, "appeal-not-open")


def test_all_that_is_wrong_with_an_appeal_is_said_at_once(world: World) -> None:
    decision = decided(world)
    program = own(decision.request.learner)
    assert decision.appeal_until is not None
    with time_machine.travel(decision.appeal_until + timedelta(days=2), tick=False):
        answer = file(program, decision, {"positions": [7], "text": "晚了。"})
    found = problem(answer, 422, "appeal-refused")
    assert {one["code"] for one in found["problems"]} == {"appeal-too-late", "position-unknown"}
    assert not Appeal.objects.exists()


def test_a_body_of_another_shape_is_refused(world: World) -> None:
    decision = decided(world)
    program = own(decision.request.learner)
    for body in ({}, {"positions": "1", "text": "x"}, {"positions": [-1], "text": "x"}):
        problem(file(program, decision, body), 422, "request-invalid")
    answer = program.post(f"me/decisions/{decision.number}/appeals", BODY)
    problem(answer, 400, "idempotency-key-missing")


def test_anothers_decision_and_appeal_are_not_found(world: World) -> None:
    decision = decided(world)
    number = file(own(decision.request.learner), decision).json()["number"]
    stranger = own(holder(world))
    problem(file(stranger, decision), 404, "not-found")
    problem(stranger.get(f"me/appeals/{number}"), 404, "not-found")
    problem(stranger.post(f"me/appeals/{number}/withdraw", None), 404, "not-found")
    problem(stranger.post(f"me/appeals/{number}/messages", {"text": "x"}), 404, "not-found")
