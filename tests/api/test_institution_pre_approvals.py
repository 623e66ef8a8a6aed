"""GET and POST /api/v1/institutions/SLUG/pre-approvals, .../NUMBER, approve, withdraw."""

from __future__ import annotations

from typing import Any

import pytest

from creditbank.recognition.models import PreApproval
from learners import queries as people
from learners.models import Learner
from tests.api.cases import at, college, world
from tests.api.clients import Program, problem, program_of
from tests.learners.people import resident
from tests.recognition.world import INFORMATION, STORAGE, World

__all__ = ["world"]


def body(world: World, learner: Learner, **changes: Any) -> dict[str, Any]:
    document = people.identity(learner)
    return {
        "document_type": document.type.value,
        "number": document.number,
        "programme": world.programme.code,
        "item": world.certificate.code,
        "until": "2030-12-31",
        "score": "60",
        "targets": [{"course": STORAGE, "credits": "4"}, {"course": INFORMATION, "waived": True}],
    } | changes


def prepare(program: Program, world: World, said: dict[str, Any], key: str = "k1") -> Any:
    return program.post(at(world, "pre-approvals"), said, Idempotency_Key=key)


def test_it_is_prepared_once_for_each_key_and_approved_by_another(world: World) -> None:
    learner = world.learner()
    program = college(world)
    first = prepare(program, world, body(world, learner))
    assert first.status_code == 201, first.content
    made = first.json()
    assert prepare(program, world, body(world, learner)).json() == made
    assert first["Location"] == f"/api/v1/{at(world, 'pre-approvals', made['number'])}"
    assert made["state"] == "prepared"
    assert made["document"]["allocation"]["to"] == [
        {"course": STORAGE, "credits": "4"},
        {"course": INFORMATION, "waived": True},
    ]
    path = at(world, "pre-approvals", made["number"])
    problem(program.post(f"{path}/approve", None), 403, "same-person")
    approved = college(world).post(f"{path}/approve", None)
    assert approved.status_code == 200, approved.content
    assert approved.json()["state"] == "in-force"
    assert approved.json()["entry_index"] is not None
    problem(program.post(f"{path}/withdraw", None), 409, "pre-approval-not-open")
    listed = program.get(at(world, "pre-approvals")).json()
    assert listed["total"] == 1
    assert people.identity(learner).number not in first.content.decode()


def test_it_is_withdrawn_before_that(world: World) -> None:
    program = college(world)
    made = prepare(program, world, body(world, world.learner())).json()
    path = at(world, "pre-approvals", made["number"])
    assert program.post(f"{path}/withdraw", None).json()["state"] == "withdrawn"
    problem(college(world).post(f"{path}/approve", None), 409, "pre-approval-not-open")
    assert program.get(path).json()["state"] == "withdrawn"


def test_every_problem_is_said_at_once(world: World) -> None:
    said = body(
        world,
        world.learner(),
        item="NO-SUCH",
        until="2020-01-01",
        targets=[{"course": "NO-SUCH"}],
    )
    found = problem(prepare(college(world), world, said), 422, "pre-approval-refused")
    assert {one["code"] for one in found["problems"]} == {
        "item-unknown",
        "day-past",
        "target-unknown",
    }
    assert not PreApproval.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": "123"}, "number"),
        ({"document_type": "ticket"}, "document_type"),
        ({"until": "soon"}, "until"),
        ({"targets": [{"course": "X", "colour": "red"}]}, "colour"),
        ({"score": "high"}, "score"),
    ],
)
def test_a_body_of_another_shape_is_refused(
    world: World, changes: dict[str, Any], field: str
) -> None:
    said = body(world, world.learner()) | changes
    found = problem(prepare(college(world), world, said), 422, "request-invalid")
    assert field in {one["field"] for one in found["problems"]}


def test_an_unknown_person_and_another_owners_programme(world: World) -> None:
    said = body(world, world.learner(), number=resident(45_001).number)
    problem(prepare(college(world), world, said), 404, "not-found")
    said = body(world, world.learner())
    path = f"institutions/{world.trainer.slug}/pre-approvals"
    answer = program_of(world.trainer).post(path, said, Idempotency_Key="k")
    problem(answer, 404, "unknown-programme")
    assert not PreApproval.objects.exists()


def test_another_institutions_pre_approval_is_not_found(world: World) -> None:
    made = prepare(college(world), world, body(world, world.learner())).json()
    stranger = program_of(world.trainer)
    path = f"institutions/{world.trainer.slug}/pre-approvals/{made['number']}"
    problem(stranger.get(path), 404, "not-found")
    for step in ("approve", "withdraw"):
        problem(stranger.post(f"{path}/{step}", None), 404, "not-found")
