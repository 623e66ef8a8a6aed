"""GET /api/v1/me/decisions, .../NUMBER and .../NUMBER/file."""

from __future__ import annotations

from creditbank.recognition import replay
from creditbank.recognition.workflow import decisionfile
from tests.api.cases import decided, holder, own, strict, world
from tests.api.clients import problem
from tests.recognition.world import INFORMATION, STORAGE, World

__all__ = ["world"]


def test_a_decision_with_its_lines_and_who_agreed(world: World) -> None:
    decision = decided(world)
    program = own(decision.request.learner)
    found = program.get(f"me/decisions/{decision.number}").json()
    assert found["state"] == "in-force"
    assert found["credits"] == "4.00"
    assert found["request"] == decision.request.number
    assert found["entry_index"] == decision.entry_index
    assert found["digest"] == bytes(decision.digest or b"").hex()
    first, second = found["lines"]
    assert (first["course"], first["verdict"], first["credits"]) == (STORAGE, "credit", "4.00")
    assert (second["course"], second["verdict"], second["proposed"]) == (
        INFORMATION,
        "waived",
        "3.00",
    )
    assert second["reason"] == "requirement-met-without-credit"
    assert second["note"] == "见附件。"
    assert first["indexes"] == [decision.request.sources.get().index]
    (review,) = found["reviews"]
    assert review["stage"] == "college"
    assert review["verdict"] == "agree"
    assert review["reviewer_as"] == world.college.reviewer_member.pseudonym
    listed = program.get("me/decisions").json()
    assert listed == {"total": 1, "decisions": [found]}


def test_the_file_is_what_replay_reads(world: World) -> None:
    decision = decided(world)
    answer = own(decision.request.learner).get(f"me/decisions/{decision.number}/file")
    assert answer["Content-Type"] == "application/json"
    assert answer.content == decisionfile.build(decision)
    assert replay.verify(answer.content, trust=None).outcome != "different"


def test_anothers_decision_is_not_found(world: World) -> None:
    decision = decided(world)
    stranger = own(holder(world))
    for path in ("", "/file"):
        answer = stranger.get(f"me/decisions/{decision.number}{path}")
        problem(answer, 404, "not-found")
    assert stranger.get("me/decisions").json() == {"total": 0, "decisions": []}


def test_what_is_only_proposed_is_not_told(world: World) -> None:
    request = strict(world, reviewers=2)
    proposed = world.decide(request)
    program = own(request.learner)
    problem(program.get(f"me/decisions/{proposed.number}"), 404, "not-found")
    assert program.get("me/decisions").json()["total"] == 0
