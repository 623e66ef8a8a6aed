"""POST /api/v1/me/what-if."""

from __future__ import annotations

from creditbank.recognition.models import Decision, Request, RequestSource
from tests.api.cases import filed, holder, own, world
from tests.api.clients import problem
from tests.recognition.world import INFORMATION, STORAGE, World

__all__ = ["world"]


def rows() -> tuple[int, int, int]:
    return Request.objects.count(), RequestSource.objects.count(), Decision.objects.count()


def test_the_journeys_figures_and_nothing_is_stored(world: World) -> None:
    program = own(world.graduate())
    before = rows()
    answer = program.post("me/what-if", {"programme": world.programme.code})
    assert answer.status_code == 200, answer.content
    look = answer.json()
    assert look["plan"] == "optimal"
    assert (look["now"]["asked"], look["now"]["counted"]) == ("76.00", "41.00")
    assert look["now"]["missing"] == "35.00"
    assert look["preview"]["counted"] == "48.00"
    assert {line["course"]: line["credits"] for line in look["lines"]} == {
        STORAGE: "4.00",
        INFORMATION: "3.00",
    }
    assert {line["version"] for line in look["lines"]} == {3}
    assert look["pending"] == []
    assert look["missing"]["state"] == "shortest"
    assert rows() == before


def test_what_is_asked_for_is_pending(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    look = own(learner).post("me/what-if", {"programme": world.programme.code}).json()
    assert look["pending"] == [{"request": request.number, "decision": None, "credits": "7.00"}]
    assert look["now"]["pending"] == "7.00"
    assert look["lines"] == []


def test_only_some_outcomes_and_courses(world: World) -> None:
    learner = holder(world)
    program = own(learner)
    body = {"programme": world.programme.code, "targets": [STORAGE]}
    assert [one["course"] for one in program.post("me/what-if", body).json()["lines"]] == [STORAGE]
    body = {"programme": world.programme.code, "indexes": []}
    assert program.post("me/what-if", body).json()["lines"] == []


def test_a_refusal_comes_with_its_reason_as_a_sentence(world: World) -> None:
    item = world.x_certificate()
    world.publish(
        item=item,
        sources={"outcome": {"all": [{"item": [item.code]}, {"score": {"min": "90"}}]}},
        allocation={"to": [{"course": "ELE-1"}]},
    )
    learner = world.learner()
    world.record_certificate(learner, item)
    look = own(learner).post("me/what-if", {"programme": world.programme.code}).json()
    (finding,) = look["findings"]
    assert finding["verdict"] == "refused"
    (reason,) = finding["reasons"]
    assert (reason["code"], reason["found"], reason["change"]) == ("score", "86", "+4")
    assert reason["pointer"] == "/sources/outcome/all/1/score"
    assert "还差 4" in reason["sentence"]
    assert reason["index"] == finding["indexes"][0]


def test_anothers_outcome_counts_for_nothing(world: World) -> None:
    other = filed(world).sources.get().index
    body = {"programme": world.programme.code, "indexes": [other]}
    look = own(holder(world)).post("me/what-if", body).json()
    assert look["lines"] == []


def test_an_unknown_programme_and_a_wrong_shape(world: World) -> None:
    program = own(holder(world))
    problem(program.post("me/what-if", {"programme": "NONE"}), 404, "unknown-programme")
    problem(program.post("me/what-if", {"indexes": [-1]}), 422, "request-invalid")
    problem(own(holder(world), "log").post("me/what-if", {}), 403, "scope-missing")
