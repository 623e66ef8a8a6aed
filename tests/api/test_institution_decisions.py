"""POST .../requests/NUMBER/decision, agree, return; GET .../decisions, file; POST .../reverse."""

from __future__ import annotations

from typing import Any

from creditbank.ledger import operations
from creditbank.recognition.models import Decision, DecisionState
from creditbank.recognition.workflow import cascade, decisionfile
from creditbank.securitylog.models import SecurityEvent
from tests.api.cases import at, college, decided, filed, strict, verdicts, world
from tests.api.clients import problem
from tests.recognition.world import World

__all__ = ["world"]


def test_one_person_decides_where_the_rule_asks_for_one(world: World) -> None:
    request = filed(world)
    body = verdicts("credit", "waived", reason_1="requirement-met-without-credit")
    path = at(world, "requests", request.number, "decision")
    answer = college(world).post(path, body)
    assert answer.status_code == 200, answer.content
    made = answer.json()
    assert made["state"] == "in-force"
    assert made["credits"] == "4.00"
    again = college(world).post(path, body)
    problem(again, 409, "request-not-open")
    assert Decision.objects.count() == 1


def test_every_fault_of_the_verdicts_is_said_at_once(world: World) -> None:
    request = filed(world)
    body: dict[str, Any] = {
        "verdicts": [
            {"position": 0, "verdict": "part", "credits": "9"},
            {"position": 5, "verdict": "credit"},
        ]
    }
    path = at(world, "requests", request.number, "decision")
    found = problem(college(world).post(path, body), 422, "verdicts-refused")
    assert {(one["code"], one["row"]) for one in found["problems"]} == {
        ("credits-out-of-range", 1),
        ("reason-missing", 1),
        ("verdict-missing", 2),
        ("position-unknown", 6),
    }
    assert not Decision.objects.exists()


def test_a_figure_that_is_none_is_refused(world: World) -> None:
    request = filed(world)
    for figure in ("x", "NaN", "Infinity"):
        body = {"verdicts": [{"position": 0, "verdict": "part", "credits": figure}]}
        path = at(world, "requests", request.number, "decision")
        found = problem(college(world).post(path, body), 422, "request-invalid")
        assert found["problems"][0]["code"] == "not-a-figure"


def test_two_keys_of_one_person_are_one_and_of_two_are_two(world: World) -> None:
    request = strict(world, reviewers=2)
    path = at(world, "requests", request.number)
    first, second = college(world), college(world)
    made = first.post(f"{path}/decision", verdicts("credit")).json()
    assert made["state"] == "proposed"
    assert first.get(path).json()["proposal"]["number"] == made["number"]
    # Sent twice by the same person it stays one word.
    assert first.post(f"{path}/agree", {}).json()["state"] == "proposed"
    agreed = second.post(f"{path}/agree", {"note": "同意。"})
    assert agreed.status_code == 200, agreed.content
    assert agreed.json()["state"] == "in-force"
    assert len(agreed.json()["reviews"]) == 2


def test_a_proposal_is_returned_by_another_person(world: World) -> None:
    request = strict(world, reviewers=2)
    path = at(world, "requests", request.number)
    first, second = college(world), college(world)
    first.post(f"{path}/decision", verdicts("credit"))
    problem(first.post(f"{path}/return", {"reason": "改主意了"}), 403, "same-person")
    problem(second.post(f"{path}/return", {"reason": "  "}), 422, "request-invalid")
    answer = second.post(f"{path}/return", {"reason": "缺考核大纲"})
    assert answer.json()["state"] == "returned"
    problem(second.post(f"{path}/agree", {}), 404, "not-found")


def test_decisions_are_listed_read_and_taken_away_as_files(world: World) -> None:
    decision = decided(world)
    program = college(world)
    listed = program.get(at(world, "decisions")).json()
    assert listed["total"] == 1
    (row,) = listed["decisions"]
    assert program.get(at(world, "decisions", decision.number)).json() == row
    before = SecurityEvent.objects.count()
    file = program.get(at(world, "decisions", decision.number, "file"))
    assert file.content == decisionfile.build(decision)
    kinds = SecurityEvent.objects.filter(seq__gt=before).values_list("kind", flat=True)
    assert "exported" in kinds


def test_a_decision_whose_outcome_fell_is_reversed(world: World) -> None:
    cascade.follow()
    decision = decided(world)
    program = college(world)
    path = at(world, "decisions", decision.number, "reverse")
    problem(program.post(path, {"reason": "试试"}), 409, "decision-not-flagged")
    operations.reverse_entry(index=decision.request.sources.get().index, reason="登记有误")
    cascade.follow()
    flagged = program.get(at(world, "decisions"), {"flagged": "true"}).json()
    assert [one["number"] for one in flagged["decisions"]] == [decision.number]
    answer = program.post(path, {"reason": "证书已冲正"})
    assert answer.status_code == 200, answer.content
    assert answer.json()["state"] == "reversed"
    assert answer.json()["reversal_index"] is not None
    assert program.get(at(world, "decisions"), {"flagged": "true"}).json()["total"] == 0


def test_a_case_that_changed_is_to_be_proposed_anew(world: World) -> None:
    request = strict(world, reviewers=2)
    path = at(world, "requests", request.number)
    college(world).post(f"{path}/decision", verdicts("credit"))
    operations.reverse_entry(index=request.sources.get().index, reason="登记有误")
    problem(college(world).post(f"{path}/agree", {}), 409, "case-changed")
    assert Decision.objects.get().state == DecisionState.RETURNED
