"""GET and POST /api/v1/me/requests, GET .../NUMBER, POST .../withdraw and .../person."""

from __future__ import annotations

from typing import Any

from api.models import IdempotentAct
from creditbank.jobs import outbox
from creditbank.recognition.models import Request
from learners import operations as learners
from tests.api.cases import college, filed, filing, holder, own, world
from tests.api.clients import Program, problem
from tests.recognition.world import STORAGE, World

__all__ = ["world"]


def ask(program: Program, body: Any, key: str = "k1") -> Any:
    return program.post("me/requests", body, Idempotency_Key=key)


def test_a_request_is_filed_and_followed(world: World) -> None:
    learner = holder(world)
    program = own(learner)
    answer = ask(program, filing(world, words="请尽快。", targets=[STORAGE]))
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert answer["Location"] == f"/api/v1/me/requests/{made['number']}"
    assert made["state"] == "submitted"
    assert made["clock"] == "on-time"
    assert made["words"] == "请尽快。"
    assert made["targets"] == [STORAGE]
    (source,) = made["sources"]
    assert source["credits"] == "8.00"
    assert source["reserved"] is True
    assert [step["state"] for step in made["steps"]] == [
        "submitted",
        "reviewing",
        "decided",
        "in-notice",
        "in-force",
    ]
    assert program.get(f"me/requests/{made['number']}").json() == made
    listed = program.get("me/requests").json()
    assert listed["total"] == 1
    assert listed["requests"][0]["number"] == made["number"]
    assert "words" not in listed["requests"][0]


def test_sent_again_under_its_key_it_is_the_same_request(world: World) -> None:
    program = own(holder(world))
    first, again = ask(program, filing(world)), ask(program, filing(world))
    assert again.status_code == 201
    assert first.json()["number"] == again.json()["number"]
    assert Request.objects.count() == 1
    other = ask(program, filing(world, words="another"))
    problem(other, 409, "idempotency-key-reused")


def test_the_same_key_of_somebody_else_is_another_request(world: World) -> None:
    first = ask(own(holder(world)), filing(world)).json()
    second = ask(own(holder(world)), filing(world)).json()
    assert first["number"] != second["number"]


def test_without_a_key_nothing_is_filed(world: World) -> None:
    answer = own(holder(world)).post("me/requests", filing(world))
    problem(answer, 400, "idempotency-key-missing")


def test_every_problem_is_said_at_once_and_nothing_is_kept(world: World) -> None:
    other = filed(world).sources.get().index
    program = own(holder(world))
    body = filing(world, indexes=[other, 0], targets=["NO-SUCH"], consent="")
    found = problem(ask(program, body), 422, "request-refused")
    codes = [one["code"] for one in found["problems"]]
    assert codes.count("source-foreign") == 2
    assert "consent-missing" in codes
    assert Request.objects.count() == 1
    assert not IdempotentAct.objects.exists()
    assert ask(program, filing(world)).status_code == 201


def test_an_outcome_is_asked_for_once(world: World) -> None:
    program = own(holder(world))
    first = ask(program, filing(world)).json()
    indexes = [first["sources"][0]["index"]]
    again = problem(ask(program, filing(world, indexes=indexes), "k2"), 422, "request-refused")
    (found,) = again["problems"]
    assert found["code"] == "source-reserved"
    assert found["value"] == first["number"]


def test_a_request_is_withdrawn_and_filed_anew_with_the_earlier_one(world: World) -> None:
    program = own(holder(world))
    first = ask(program, filing(world)).json()
    gone = program.post(f"me/requests/{first['number']}/withdraw", None)
    assert gone.status_code == 200
    assert gone.json()["withdrawn_at"] is not None
    assert gone.json()["sources"][0]["reserved"] is False
    again = ask(program, filing(world, resubmits=first["number"]), "k2")
    assert again.json()["resubmits"] == first["number"]
    withdrawn = program.post(f"me/requests/{first['number']}/withdraw", None)
    assert withdrawn.status_code == 200


def test_a_decided_request_is_not_withdrawn(world: World) -> None:
    learner = holder(world)
    request = world.request(learner)
    world.decide(request)
    answer = own(learner).post(f"me/requests/{request.number}/withdraw", None)
    assert problem(answer, 409, "request-not-open")["facts"]["state"] == "in-force"


def test_a_person_is_asked_for_where_nobody_looked(world: World) -> None:
    learner = holder(world)
    request = world.request(learner)
    program = own(learner)
    problem(program.post(f"me/requests/{request.number}/person", None), 409, "not-automatic")
    item = world.x_certificate()
    world.publish(
        item=item,
        procedure={"mode": "automatic"},
        sources={"outcome": {"all": [{"item": [item.code]}, {"score": {"min": "90"}}]}},
        allocation={"to": [{"course": "ELE-1"}]},
    )
    leaf = world.record_certificate(learner, item)
    refused = world.request(learner, leaves=[leaf])
    outbox.run_due()
    answer = program.post(f"me/requests/{refused.number}/person", None)
    assert answer.status_code == 200, answer.content
    assert answer.json()["state"] == "submitted"
    assert answer.json()["person_asked_at"] is not None


def test_anothers_request_is_not_found(world: World) -> None:
    number = filed(world).number
    stranger = own(holder(world))
    problem(stranger.get(f"me/requests/{number}"), 404, "not-found")
    for step in ("withdraw", "person"):
        problem(stranger.post(f"me/requests/{number}/{step}", None), 404, "not-found")
    problem(ask(stranger, filing(world, resubmits=number)), 404, "not-found")
    problem(college(world).get(f"me/requests/{number}"), 403, "scope-missing")


def test_an_institution_without_a_hosted_stream_takes_no_requests(world: World) -> None:
    learner = holder(world)
    stream = world.college.institution.streams.get()
    stream.active = False
    stream.save()
    problem(ask(own(learner), filing(world)), 403, "own-key-stream")


def test_what_a_forgotten_learners_programs_did_is_deleted(world: World) -> None:
    learner = holder(world)
    ask(own(learner), filing(world))
    assert IdempotentAct.objects.count() == 1
    learners.forget_learner(learner)
    assert not IdempotentAct.objects.exists()
