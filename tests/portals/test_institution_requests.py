"""The queue of requests at the desk: clocks, filters, whose move, many pages."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from creditbank.clock import now, today
from creditbank.institutions.kinds import Role
from creditbank.recognition.deciding import numbers, workdays
from creditbank.recognition.models import Request
from creditbank.recognition.workflow import requests
from tests.institutions.cast import make_institution, make_member
from tests.portals.casework import appeal, desk, filed, officer, waived_second, world
from tests.portals.institution_site import signed_in, text_of
from tests.recognition.world import World

__all__ = ["world"]

WEDNESDAY = date(2026, 12, 2)


def queue(world: World, query: str = "") -> str:
    page = officer(world).get(desk(world, f"requests{query}"))
    assert page.status_code == 200
    return text_of(page)


def test_a_request_stands_in_the_queue_with_what_is_asked_and_no_person(world: World) -> None:
    request = filed(world)
    text = queue(world)
    assert request.number in text
    assert "现代物流管理" in text
    assert "1 项成果，8.00 学分" in text
    assert "已提交" in text
    assert "审核人" in text
    assert "李龑" not in text


@pytest.mark.parametrize(
    ("working_days", "word"),
    [(0, "按期"), (7, "按期"), (8, "将到期"), (10, "将到期"), (11, "已逾期")],
)
def test_the_clock_is_told_in_words(world: World, working_days: int, word: str) -> None:
    with time_machine.travel(WEDNESDAY, tick=False):
        request = filed(world)
    assert request.expected_on == workdays.after(WEDNESDAY, 10)
    later = workdays.after(WEDNESDAY, working_days)
    with time_machine.travel(later, tick=False):
        page = officer(world).get(desk(world, "requests"))
    row = text_of(page).partition(request.number)[2]
    assert word in row
    assert ("超过 1 个工作日" in row) is (working_days == 11)


def test_what_is_due_first_stands_first(world: World) -> None:
    with time_machine.travel(WEDNESDAY + timedelta(days=5), tick=False):
        second = filed(world)
    with time_machine.travel(WEDNESDAY, tick=False):
        first = filed(world)
    text = queue(world)
    assert text.index(first.number) < text.index(second.number)


def test_each_state_has_its_list(world: World) -> None:
    waiting = filed(world)
    decided = world.decide(filed(world))
    withdrawn = filed(world)
    requests.withdraw_request(request=withdrawn, acting_user=withdrawn.learner.user)
    appealed = world.decide(filed(world), *waived_second())
    appeal(appealed)
    lists = {
        "": {waiting},
        "?show=in-force": {decided.request, appealed.request},
        "?show=withdrawn": {withdrawn},
        "?show=appealed": {appealed.request},
        "?show=late": set(),
        "?show=in-notice": set(),
        "?show=all": {waiting, decided.request, withdrawn, appealed.request},
        "?show=no-such-list": {waiting},
    }
    everything = {one.number for one in Request.objects.all()}
    for query, wanted in lists.items():
        text = queue(world, query)
        assert {one for one in everything if one in text} == {one.number for one in wanted}, query
    assert "复议人" in queue(world, "?show=appealed")


def test_a_proposed_decision_is_the_next_persons_move(world: World) -> None:
    item = world.x_certificate()
    world.publish(
        item=item,
        procedure={"mode": "review", "reviewers": 2},
        allocation={"to": [{"course": "ELE-1"}]},
    )
    learner = world.learner()
    world.record_certificate(learner, item)
    decision = world.decide(world.request(learner))
    assert not decision.is_decided
    text = queue(world, "?show=to-agree")
    assert decision.request.number in text
    assert "下一位同意的人" in text


def test_the_queue_is_filtered_by_programme(world: World) -> None:
    request = filed(world)
    assert request.number in queue(world, f"?programme={world.programme.code}")
    text = queue(world, "?programme=OTHER")
    assert request.number not in text
    assert "没有符合条件的申请" in text


def test_an_empty_queue_says_so(world: World) -> None:
    assert "没有等待办理的申请" in queue(world)


def test_two_thousand_requests_are_paged_and_cost_no_more_than_a_few(world: World) -> None:
    first = filed(world)
    client = officer(world)

    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(desk(world, "requests?page=2")).status_code == 200
        return len(asked)

    few = questions()
    Request.objects.bulk_create(
        Request(
            pk=uuid.uuid4(),
            number=numbers.draw(numbers.REQUEST, today()),
            learner=first.learner,
            account_id=first.account_id,
            institution=first.institution,
            programme=first.programme,
            filed_at=now(),
            filed_on=today(),
            expected_on=today() + timedelta(days=14),
            consent=first.consent,
            details_sealed=b"",
        )
        for _ in range(1999)
    )
    assert questions() <= few
    page = client.get(desk(world, "requests"))
    assert page.content.decode().count('data-testid="request"') == 50
    assert "2,000 份申请" in text_of(page)
    assert "?page=40" in page.content.decode()


def test_another_institutions_requests_are_not_shown(world: World) -> None:
    request = filed(world)
    other = make_institution()
    stranger = signed_in(make_member(other, Role.REVIEWER, serial=9001))
    assert request.number not in text_of(stranger.get(f"/org/{other.slug}/requests?show=all"))
    assert stranger.get(desk(world, "requests")).status_code == 404


def test_a_viewer_may_look_at_the_queue(world: World) -> None:
    request = filed(world)
    viewer = signed_in(make_member(world.college.institution, Role.VIEWER, serial=9002))
    assert request.number in text_of(viewer.get(desk(world, "requests")))


def test_the_desk_leads_to_what_waits(world: World) -> None:
    with time_machine.travel(WEDNESDAY, tick=False):
        filed(world)
    with time_machine.travel(WEDNESDAY + timedelta(days=60), tick=False):
        text = text_of(officer(world).get(desk(world)))
    assert "学分认定" in text
    assert "等待审核的申请 1" in text
    assert "其中 1 份已逾期" in text


def test_a_college_without_programmes_has_no_such_desk(world: World) -> None:
    school = make_member(world.trainer, Role.REVIEWER, serial=9003)
    page = signed_in(school).get(f"/org/{world.trainer.slug}")
    assert "/requests" not in page.content.decode()


def test_somebody_who_is_not_signed_in_signs_in_first(world: World) -> None:
    answer = Client().get(desk(world, "requests"))
    assert answer.status_code == 302
    assert "/login" in answer["Location"]
