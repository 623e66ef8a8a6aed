"""The learner's goals: added and dropped, how far each is, what could be used, what is new."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from creditbank.clock import today
from creditbank.recognition.models import Goal, ProgrammeVersion
from creditbank.recognition.workflow import whatif
from learners.models import Learner
from tests.portals.institution_site import signed_in_as, text_of
from tests.recognition.world import World


def client_of(learner: Learner) -> Client:
    assert learner.user is not None
    return signed_in_as(learner.user)


def add(client: Client, world: World) -> Any:
    return client.post("/me/goals", {"programme": world.programme.code})


def test_without_a_goal_the_page_says_what_to_do(world: World) -> None:
    page = text_of(client_of(world.learner()).get("/me/goals"))
    assert "还没有目标" in page
    assert "现代物流管理" in page


def test_a_programme_is_found_by_institution_or_name_and_added_once(
    world: World,
) -> None:
    learner = world.graduate()
    client = client_of(learner)
    for words in ("南江", "物流 南江", "logistics", world.programme.code):
        assert "现代物流管理" in text_of(client.get("/me/goals", {"q": words})), words
    assert "没有找到" in text_of(client.get("/me/goals", {"q": "畜牧"}))
    assert add(client, world).status_code == 302
    assert add(client, world).status_code == 302
    assert Goal.objects.filter(learner=learner).count() == 1
    page = text_of(client.get("/me/goals"))
    assert "已添加" in page


def test_a_goal_shows_its_figures_and_how_many_outcomes_can_be_used(
    world: World,
) -> None:
    client = client_of(world.graduate())
    add(client, world)
    page = text_of(client.get("/me/goals"))
    assert "41 /76" in page
    assert "还差 35 学分" in page
    assert "必修 35 52 17" in page
    assert "选修 6 16 10" in page
    assert "实践 0 8 8" in page
    assert "您有 1 项成果可用" in page
    account = text_of(client.get("/me"))
    assert "41 /76 · 您有 1 项成果可用" in account


def test_a_goal_is_dropped_and_nothing_else(world: World) -> None:
    learner = world.graduate()
    client = client_of(learner)
    add(client, world)
    request = world.request(learner)
    assert client.post(f"/me/goals/{world.programme.code}/drop").status_code == 302
    assert not Goal.objects.exists()
    assert client.get(f"/me/requests/{request.number}").status_code == 200


def test_a_new_rule_is_told_of_when_it_gives_more(world: World) -> None:
    learner = world.graduate()
    training = world.item()
    world.record_outcome(learner, training)
    client = client_of(learner)
    add(client, world)
    since = (today() - timedelta(days=3)).isoformat()
    changes: dict[str, Any] = {
        "gate": {"catalogue": True},
        "sources": {"outcome": {"item": [training.code]}},
    }
    row = world.publish(
        training,
        in_force={"from": since},
        allocation={"to": [{"course": "ELE-3"}]},
        **changes,
    )
    page = text_of(client.get("/me/goals"))
    assert "新规则生效：您有 3 学分现在可以使用" in page
    assert f"{row.code} 第 1 版" in page
    assert "您有 2 项成果可用" in page
    assert "新规则生效：您有 3 学分现在可以使用" in text_of(client.get("/me"))


def test_an_old_rule_is_not_news(world: World) -> None:
    client = client_of(world.graduate())
    add(client, world)
    assert "新规则生效" not in text_of(client.get("/me/goals"))


def test_a_goal_that_cannot_be_computed_spoils_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = world.graduate()
    client = client_of(learner)
    add(client, world)
    other = world.college.publish_programme()
    client.post("/me/goals", {"programme": other.code})
    whole = whatif.look

    def broken(*, programme: ProgrammeVersion, **asked: Any) -> whatif.Look:
        if programme.code == other.code:
            raise RuntimeError("the solver is gone")
        return whole(programme=programme, **asked)

    monkeypatch.setattr(whatif, "look", broken)
    page = text_of(client.get("/me/goals"))
    assert "这个专业的进度现在算不出来" in page
    assert "还差 35 学分" in page
    assert client.get("/me").status_code == 200


def test_goals_are_a_learners_own(world: World) -> None:
    assert Client().get("/me/goals").status_code == 302
    assert signed_in_as(world.college.clerk).get("/me/goals").status_code in (403, 404)
    client = client_of(world.graduate())
    assert client.get("/me/goals/NO-SUCH").status_code == 404
    assert client.post("/me/goals", {"programme": "NO-SUCH"}).status_code == 404
