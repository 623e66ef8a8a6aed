"""Pre-approvals at the desk: prepared by one person, approved by another, listed, withdrawn."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from creditbank.institutions.kinds import Role
from creditbank.recognition.models import PreApproval, PreApprovalState
from creditbank.recognition.workflow import preapprovals
from creditbank.recognition.workflow.preapprovals import Promised
from learners import queries as people
from learners.models import Learner
from tests.institutions.cast import make_institution, make_member
from tests.learners.people import resident
from tests.portals.casework import desk, officer, promise, world
from tests.portals.institution_site import hidden, signed_in, signed_in_as, text_of
from tests.recognition.world import INFORMATION, STORAGE, World

__all__ = ["world"]


def form(world: World, learner: Learner, **changes: str) -> dict[str, str]:
    document = people.identity(learner)
    return {
        "programme": world.programme.code,
        "document_type": document.type.value,
        "number": document.number,
        "item": world.certificate.code,
        "until": "2027-12-31",
        "score": "60",
        "target_1": f"course/{STORAGE}",
        "credits_1": "4",
        "target_2": f"course/{INFORMATION}",
        "credits_2": "0",
    } | changes


def new(world: World) -> str:
    return desk(world, "pre-approvals", "new")


def test_a_promise_is_seen_once_more_before_it_is_handed_on(world: World) -> None:
    learner = world.learner(name="王𪟝")
    client = signed_in_as(world.college.clerk)
    page = client.post(new(world), form(world, learner))
    text = text_of(page)
    assert "请核对" in text
    assert "王𪟝" in text
    assert people.identity(learner).number not in text
    assert "物流管理职业技能等级证书（中级）" in text
    assert "仓储与配送管理 LOG-101 · 4.00 学分" in text
    assert "物流信息技术 LOG-102 · 免修不计学分" in text
    assert not PreApproval.objects.exists()
    sent = hidden(page) | {"step": "submit"}
    answer = client.post(new(world), sent, follow=True)
    made = PreApproval.objects.get()
    assert made.state == PreApprovalState.PREPARED
    assert answer.redirect_chain == [(desk(world, "pre-approvals", made.number), 302)]
    assert "等待另一位同事复核" in text_of(answer)
    rule = preapprovals.rule_of(made)
    assert rule.allocation["to"] == [
        {"course": STORAGE, "credits": "4"},
        {"course": INFORMATION, "waived": True},
    ]


def test_another_person_approves_and_it_binds(world: World) -> None:
    made = promise(world)
    client = officer(world)
    address = desk(world, "pre-approvals", made.number)
    assert "等待复核的预认定 1" in text_of(client.get(desk(world)))
    assert 'data-testid="approve"' in client.get(address).content.decode()
    answer = client.post(f"{address}/approve", follow=True)
    made.refresh_from_db()
    assert made.state == PreApprovalState.IN_FORCE
    text = text_of(answer)
    assert "预认定已生效" in text
    assert f"/log/{made.entry_index}" in answer.content.decode()
    assert "撤回" not in text


def test_a_request_under_a_promise_is_given_whole(world: World) -> None:
    learner = world.learner()
    targets = [
        Promised(course=STORAGE, credits=Decimal(4)),
        Promised(course=INFORMATION, credits=Decimal(3)),
    ]
    made = promise(world, learner, targets=targets)
    preapprovals.approve_pre_approval(pre_approval=made, acting_user=world.officer())
    world.record_certificate(learner)
    request = world.request(learner)
    client = officer(world)
    client.post(desk(world, "requests", request.number, "open"))
    page = client.get(desk(world, "requests", request.number))
    text = text_of(page)
    assert f"预认定 {made.number}" in text
    assert "须按预认定的学分认定" in text
    assert [line.promised for line in page.context["lines"]] == [True, True]
    for position in (0, 1):
        choices = page.context["form"].fields[f"verdict_{position}"].choices
        assert [name for name, _ in choices] == ["credit"]


def test_whoever_prepared_it_does_not_approve_it(world: World) -> None:
    member = make_member(world.college.institution, Role.REVIEWER, serial=9601)
    made = promise(world, acting_user=member.user)
    address = desk(world, "pre-approvals", made.number)
    page = signed_in(member).get(address)
    assert "您与经办人是同一人" in text_of(page)
    assert 'data-testid="approve"' not in page.content.decode()
    signed_in(member).post(f"{address}/approve")
    made.refresh_from_db()
    assert made.state == PreApprovalState.PREPARED


def test_it_is_withdrawn_before_anybody_approved_it(world: World) -> None:
    made = promise(world)
    client = signed_in_as(world.college.clerk)
    address = desk(world, "pre-approvals", made.number)
    client.post(f"{address}/withdraw")
    made.refresh_from_db()
    assert made.state == PreApprovalState.WITHDRAWN
    assert "已撤回" in text_of(client.get(desk(world, "pre-approvals")))
    bound = promise(world)
    preapprovals.approve_pre_approval(pre_approval=bound, acting_user=world.officer())
    answer = client.post(desk(world, "pre-approvals", bound.number, "withdraw"), follow=True)
    assert "已办结或已撤回" in text_of(answer)
    bound.refresh_from_db()
    assert bound.state == PreApprovalState.IN_FORCE


def test_one_whose_day_has_passed_has_lapsed(world: World) -> None:
    made = promise(world, until=date(2027, 6, 30))
    preapprovals.approve_pre_approval(pre_approval=made, acting_user=world.officer())
    for day, word in ((date(2027, 6, 30), "已生效"), (date(2027, 7, 1), "已过期")):
        with time_machine.travel(day, tick=False):
            assert word in text_of(officer(world).get(desk(world, "pre-approvals")))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"number": "123"}, "证件号码"),
        ({"item": "NO-SUCH-ITEM"}, "名录中没有这个已核定的项目"),
        ({"until": "2020-01-01"}, "完成的最后一天不能早于今天"),
        ({"until": "someday"}, ""),
        ({"target_1": ""}, ""),
        ({"target_1": "course/NO-SUCH"}, ""),
        ({"target_2": f"course/{STORAGE}"}, "同一课程或类别只写一次"),
        ({"target_2": "category/elective", "credits_2": ""}, "类别须写明学分"),
        ({"target_2": "", "credits_2": "3"}, "请选择课程或类别"),
    ],
)
def test_mistakes_are_said_and_nothing_is_kept(
    world: World, changes: dict[str, str], sentence: str
) -> None:
    learner = world.learner()
    client = signed_in_as(world.college.clerk)
    page: Any = client.post(new(world), form(world, learner, step="submit", **changes))
    assert page.status_code == 422
    assert sentence in text_of(page)
    assert "需要改正" in text_of(page)
    assert not PreApproval.objects.exists()


def test_somebody_the_bank_never_met_is_not_known(world: World) -> None:
    learner = world.learner()
    client = signed_in_as(world.college.clerk)
    data = form(world, learner, number=resident(45_678).number)
    page = client.post(new(world), data)
    assert page.status_code == 422
    assert "没有这个证件号码的记录" in text_of(page)


def test_without_a_programme_one_is_sent_to_choose(world: World) -> None:
    client = signed_in_as(world.college.clerk)
    for query in ("", "?programme=OTHER"):
        assert client.get(new(world) + query)["Location"] == desk(world, "pre-approvals")
    page = client.get(f"{new(world)}?programme={world.programme.code}")
    assert "现代物流管理" in text_of(page)


def test_a_viewer_prepares_nothing(world: World) -> None:
    viewer = signed_in(make_member(world.college.institution, Role.VIEWER, serial=9602))
    assert viewer.get(new(world)).status_code == 403
    assert "准备预认定" not in text_of(viewer.get(desk(world, "pre-approvals")))


def test_another_institution_finds_no_such_pre_approval(world: World) -> None:
    made = promise(world)
    other = make_institution()
    stranger = signed_in(make_member(other, Role.REVIEWER, serial=9603))
    address = f"/org/{other.slug}/pre-approvals/{made.number}"
    assert stranger.get(address).status_code == 404
    for step in ("approve", "withdraw"):
        assert stranger.post(f"{address}/{step}").status_code == 404
