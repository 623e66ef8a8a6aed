"""GET /api/v1/notices."""

from __future__ import annotations

from creditbank.recognition.models import DecisionState
from tests.api.cases import strict, world
from tests.api.clients import anyone
from tests.recognition.world import World

__all__ = ["world"]


def test_anybody_reads_what_is_in_notice_and_not_whose(world: World) -> None:
    request = strict(world, notice_days=5)
    decision = world.decide(request)
    assert decision.state == DecisionState.IN_NOTICE
    answer = anyone().get("/api/v1/notices")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "public, max-age=60"
    (notice,) = answer.json()["notices"]
    assert notice["number"] == decision.number
    assert notice["institution"] == world.college.slug
    (line,) = notice["lines"]
    assert (line["target"], line["credits"]) == ("ELE-1", "3.00")
    body = answer.content.decode()
    for secret in ("王𪟝", request.number, str(request.learner_id)):
        assert secret not in body


def test_without_notices_the_list_is_empty(world: World) -> None:
    assert anyone().get("/api/v1/notices").json() == {"notices": []}
