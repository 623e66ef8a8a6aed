"""GET /api/v1/institutions/SLUG/appeals and .../NUMBER; POST .../messages, uphold, decision."""

from __future__ import annotations

from creditbank.recognition.models import AppealState, DecisionState
from tests.api.cases import at, college, decided, verdicts, world
from tests.api.clients import Program, problem, program_of
from tests.portals.casework import WHY, appeal
from tests.recognition.world import World

__all__ = ["world"]


def of_the_decider(world: World) -> Program:
    member = world.college.reviewer_member
    member.role = "admin"
    member.save()
    return program_of(world.college.institution, user=member.user)


def test_an_appeal_is_listed_read_and_answered_with_a_question(world: World) -> None:
    found = appeal(decided(world))
    program = college(world)
    listed = program.get(at(world, "appeals")).json()
    assert [one["number"] for one in listed["appeals"]] == [found.number]
    path = at(world, "appeals", found.number)
    read = program.get(path).json()
    assert [one["text"] for one in read["messages"]] == [WHY]
    answer = program.post(f"{path}/messages", {"text": "请附大纲。"})
    assert answer.status_code == 201, answer.content
    assert [one["by_learner"] for one in answer.json()["messages"]] == [True, False]


def test_the_decision_is_upheld_by_somebody_else(world: World) -> None:
    found = appeal(decided(world))
    path = at(world, "appeals", found.number, "uphold")
    problem(of_the_decider(world).post(path, {"text": "维持。"}), 403, "same-person")
    answer = college(world).post(path, {"text": "大纲不含数据库模块。"})
    assert answer.status_code == 200, answer.content
    assert answer.json()["state"] == "upheld"
    late = college(world).post(path, {"text": "再说一次。"})
    problem(late, 409, "appeal-not-open")


def test_it_is_decided_anew_by_somebody_else(world: World) -> None:
    found = appeal(decided(world))
    path = at(world, "appeals", found.number, "decision")
    body = verdicts("credit", "credit") | {"text": "经复核相符。"}
    problem(of_the_decider(world).post(path, body), 403, "same-person")
    answer = college(world).post(path, body)
    assert answer.status_code == 200, answer.content
    assert answer.json()["credits"] == "7.00"
    assert answer.json()["replaces"] == found.decision.number
    found.refresh_from_db()
    assert found.state == AppealState.CHANGED
    found.decision.refresh_from_db()
    assert found.decision.state == DecisionState.REPLACED


def test_another_institutions_appeal_is_not_found(world: World) -> None:
    found = appeal(decided(world))
    stranger = program_of(world.trainer)
    for path in (f"institutions/{world.trainer.slug}/appeals/{found.number}",):
        problem(stranger.get(path), 404, "not-found")
        problem(stranger.post(f"{path}/uphold", {"text": "x"}), 404, "not-found")
        problem(stranger.post(f"{path}/messages", {"text": "x"}), 404, "not-found")
    problem(stranger.get(at(world, "appeals", found.number)), 404, "not-found")


def test_words_are_needed(world: World) -> None:
    found = appeal(decided(world))
    program = college(world)
    for step, body in (
        ("uphold", {}),
        ("messages", {"text": ""}),
        ("decision", verdicts("credit", "credit")),
    ):
        path = at(world, "appeals", found.number, step)
        problem(program.post(path, body), 422, "request-invalid")
