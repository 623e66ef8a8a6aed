"""The public notice: decisions that are about to be in force, without the person."""

from __future__ import annotations

from typing import Any

import time_machine
from django.test import Client

from creditbank.jobs import outbox
from creditbank.recognition.deciding import workdays
from creditbank.recognition.models import Decision, DecisionState
from creditbank.recognition.workflow import decisions
from creditbank.recognition.workflow.decisions import Verdict
from tests.portals.casework import world
from tests.portals.institution_site import text_of
from tests.recognition.world import World

__all__ = ["world"]


def in_notice(world: World, *verdicts: Verdict, name: str = "王𪟝") -> Decision:
    item = world.x_certificate(title="智能仓储职业技能等级证书（中级）")
    world.publish(
        item=item,
        procedure={"mode": "review", "notice_days": 5},
        allocation={"to": [{"course": "ELE-1"}, {"course": "ELE-2", "credits": "2"}]},
    )
    learner = world.learner(name=name)
    world.record_certificate(learner, item)
    decision = world.decide(world.request(learner), *verdicts)
    assert decision.state == DecisionState.IN_NOTICE
    return decision


def notices(query: str = "") -> Any:
    page = Client().get(f"/notices{query}")
    assert page.status_code == 200
    return page


def test_anybody_sees_what_is_to_be_recognised_and_by_which_rule(world: World) -> None:
    decision = in_notice(world)
    page = notices()
    text = text_of(page)
    assert decision.number in text
    assert "南江示例职业学院" in text
    assert "现代物流管理" in text
    assert "选修课程1" in text
    assert "2.00" in text
    line = decision.lines.first()
    assert line is not None
    assert f'href="/rules/{line.rule_code}/1"' in page.content.decode()
    assert decision.notice_until is not None
    assert f"{decision.notice_until.month}月{decision.notice_until.day}日" in text
    assert "对公示有异议" in text


def test_nothing_tells_who_it_is(world: World) -> None:
    decision = in_notice(world)
    body = notices().content.decode()
    request = decision.request
    for secret in ("王𪟝", request.number, str(request.learner_id), "智能仓储", "ZS-"):
        assert secret not in body
    for line in decision.lines.all():
        assert bytes(line.leaves).hex() not in body


def test_what_was_refused_is_nobodys_business(world: World) -> None:
    in_notice(
        world,
        Verdict(position=0, verdict="credit"),
        Verdict(position=1, verdict="refused", reason="content-differs"),
    )
    body = notices().content.decode()
    assert body.count('data-testid="notice"') == 1
    assert "不予认定" not in body


def test_it_stands_there_until_its_last_day_and_no_longer(world: World) -> None:
    decision = in_notice(world)
    assert decision.notice_until is not None
    with time_machine.travel(decision.notice_until, tick=False):
        decisions.enter_due()
        outbox.run_due()
        assert decision.number in text_of(notices())
    with time_machine.travel(workdays.after(decision.notice_until, 1), tick=False):
        decisions.enter_due()
        outbox.run_due()
        text = text_of(notices())
    assert decision.number not in text
    assert "目前没有公示中的决定" in text


def test_one_institutions_notices(world: World) -> None:
    decision = in_notice(world)
    assert decision.number in text_of(notices(f"?institution={world.college.slug}"))
    assert decision.number not in text_of(notices("?institution=another"))


def test_a_decision_without_notice_is_not_shown(world: World) -> None:
    learner = world.learner()
    world.record_certificate(learner)
    decision = world.decide(world.request(learner))
    assert decision.number not in text_of(notices())
