"""GET /api/v1/institutions/SLUG/requests and .../NUMBER; POST .../open, facts, judgements."""

from __future__ import annotations

from typing import Any

import pytest

from creditbank.institutions.kinds import Role
from creditbank.recognition.models import AttestedFact, Judgement, Request
from creditbank.securitylog.models import SecurityEvent
from tests.api.cases import at, college, decided, filed, own, world
from tests.api.clients import problem, program_of
from tests.institutions.cast import make_institution, make_member
from tests.recognition.world import INFORMATION, STORAGE, World

__all__ = ["world"]


def similarity(world: World) -> Request:
    item = world.x_certificate()
    world.publish(
        item=item,
        sources={
            "outcome": {
                "all": [{"item": [item.code]}, {"fact": {"name": "similarity", "min": "70"}}]
            }
        },
        allocation={"to": [{"course": "ELE-1", "credits": "2"}]},
    )
    learner = world.learner()
    world.record_certificate(learner, item)
    return world.request(learner)


def test_the_queue_holds_no_person(world: World) -> None:
    request = filed(world)
    program = college(world)
    answer = program.get(at(world, "requests"))
    assert answer.status_code == 200, answer.content
    assert answer.json()["total"] == 1
    (row,) = answer.json()["requests"]
    assert row["number"] == request.number
    assert row["outcomes"] == 1
    assert row["clock"] == "on-time"
    assert "李龑" not in answer.content.decode()


def test_the_queue_is_filtered_and_read_in_parts(world: World) -> None:
    waiting = [filed(world) for _ in range(3)]
    done = decided(world).request
    program = college(world)

    def numbers(**query: Any) -> list[str]:
        found = program.get(at(world, "requests"), query).json()
        return [one["number"] for one in found["requests"]]

    assert set(numbers()) == {one.number for one in waiting}
    assert numbers(show="in-force") == [done.number]
    assert len(numbers(show="all")) == 4
    assert numbers(limit=2) + numbers(limit=2, offset=2) == numbers()
    assert numbers(programme="OTHER") == []
    problem(program.get(at(world, "requests"), {"show": "everything"}), 422, "request-invalid")


def test_a_case_is_read_in_full_and_the_reading_noted(world: World) -> None:
    request = filed(world)
    program = college(world)
    before = SecurityEvent.objects.count()
    found = program.get(at(world, "requests", request.number)).json()
    assert found["name"] == "李龑"
    assert "*" in found["identity"]
    (outcome,) = found["outcomes"]
    assert outcome["title"] == "物流管理职业技能等级证书（中级）"
    assert outcome["verified"] == "valid"
    assert [check["number"] for check in outcome["checks"]] == [1, 2, 3, 4, 5, 6, 7]
    assert [line["course"] for line in found["lines"]] == [STORAGE, INFORMATION]
    (finding,) = found["findings"]
    assert finding["verdict"] == "applies"
    assert finding["indexes"] == [outcome["index"]]
    assert found["procedure"]["people"] == 1
    assert found["stage"] == "college"
    assert found["proposal"] is None
    events = SecurityEvent.objects.filter(seq__gt=before, kind="personal-data-viewed")
    assert any(request.number in event.facts for event in events)


def test_opening_tells_the_learner(world: World) -> None:
    request = filed(world)
    answer = college(world).post(at(world, "requests", request.number, "open"), None)
    assert answer.status_code == 200, answer.content
    assert answer.json()["request"]["state"] == "reviewing"


def test_a_fact_is_attested_and_the_proposal_follows(world: World) -> None:
    request = similarity(world)
    program = college(world)
    path = at(world, "requests", request.number)
    (wanted,) = program.get(path).json()["facts"]
    assert (wanted["name"], wanted["value"]) == ("similarity", "")
    body = {"index": wanted["index"], "name": "similarity", "value": "80"}
    answer = program.post(f"{path}/facts", body)
    assert answer.status_code == 200, answer.content
    assert [line["course"] for line in answer.json()["lines"]] == ["ELE-1"]
    assert answer.json()["facts"][0]["value"] == "80"
    for changes in ({"name": "height"}, {"index": 0}):
        problem(program.post(f"{path}/facts", body | changes), 422, "fact-refused")
    problem(program.post(f"{path}/facts", body | {"value": " "}), 422, "request-invalid")
    assert AttestedFact.objects.count() == 1


def test_a_finding_is_judged_to_be_met(world: World) -> None:
    request = similarity(world)
    program = college(world)
    path = at(world, "requests", request.number)
    (finding,) = program.get(path).json()["findings"]
    assert finding["verdict"] == "unknown"
    body = {name: finding[name] for name in ("rule", "version", "indexes")}
    answer = program.post(f"{path}/judgements", body)
    assert answer.status_code == 200, answer.content
    assert answer.json()["findings"][0]["verdict"] == "applies"
    assert Judgement.objects.count() == 1
    problem(program.post(f"{path}/judgements", body | {"indexes": [0]}), 409, "nothing-to-judge")


@pytest.mark.parametrize("step", ["", "/open", "/facts", "/judgements", "/decision", "/agree"])
def test_another_institutions_case_is_not_found(world: World, step: str) -> None:
    request = filed(world)
    other = make_institution()
    member = make_member(other, Role.ADMIN, serial=9701)
    stranger = program_of(other, user=member.user)
    own_path = f"institutions/{other.slug}/requests/{request.number}{step}"
    its_path = at(world, "requests", request.number) + step
    for path in (own_path, its_path):
        answer = stranger.post(path, {}) if step else stranger.get(path)
        problem(answer, 404, "not-found")


def test_reading_and_deciding_are_two_scopes(world: World) -> None:
    request = filed(world)
    path = at(world, "requests", request.number)
    reader = college(world, "read-requests")
    assert reader.get(path).status_code == 200
    problem(reader.post(f"{path}/open", None), 403, "scope-missing")
    decider = college(world, "decide")
    problem(decider.get(path), 403, "scope-missing")
    assert decider.post(f"{path}/open", None).status_code == 200
    problem(own(request.learner).get(path), 403, "scope-missing")
