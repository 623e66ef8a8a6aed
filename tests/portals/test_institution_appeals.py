"""Appeals at the desk: the list, the thread, and the answer by people who did not decide."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile

from creditbank.institutions.kinds import Role
from creditbank.recognition.models import Appeal, AppealState, Decision, DecisionState
from creditbank.recognition.workflow import appeals
from creditbank.securitylog.models import SecurityEvent
from tests.institutions.cast import make_institution, make_member
from tests.portals.casework import (
    WHY,
    answers,
    appeal,
    desk,
    officer,
    someone,
    waived_second,
    world,
)
from tests.portals.institution_site import hidden, signed_in, signed_in_as, text_of
from tests.recognition.world import World

__all__ = ["world"]

PDF = b"%PDF-1.7\n% minutes of the module\n"


def open_appeal(world: World) -> Appeal:
    return appeal(world.decide(world.request(someone(world)), *waived_second()))


def place(world: World, found: Appeal, *parts: str) -> str:
    return desk(world, "appeals", found.number, *parts)


def test_appeals_are_listed_with_their_clock(world: World) -> None:
    found = open_appeal(world)
    text = text_of(officer(world).get(desk(world, "appeals")))
    assert found.number in text
    assert found.decision.number in text
    assert "还有 15 个工作日" in text
    assert "李龑" not in text
    with time_machine.travel(found.expected_on + timedelta(days=4), tick=False):
        assert "已逾期" in text_of(officer(world).get(desk(world, "appeals")))


def test_without_appeals_the_list_says_so(world: World) -> None:
    assert "没有复议" in text_of(officer(world).get(desk(world, "appeals")))


def test_an_appeal_shows_what_it_is_against_and_what_was_said(world: World) -> None:
    found = open_appeal(world)
    page = officer(world, 1).get(place(world, found))
    text = text_of(page)
    assert WHY in text
    assert "物流信息技术" in text.partition("不同意的各项")[2].partition("往来意见")[0]
    assert "仓储与配送管理" not in text.partition("不同意的各项")[2].partition("往来意见")[0]
    assert found.decision.number in text
    assert "您的答复" in text


def test_whoever_decided_cannot_answer(world: World) -> None:
    found = open_appeal(world)
    page = officer(world).get(place(world, found))
    assert "您参与过原来的决定" in text_of(page)
    assert "您的答复" not in text_of(page)
    officer(world).post(place(world, found, "uphold"), {"text": "维持。"})
    data = answers("credit", "credit", text="改。", step="submit")
    officer(world).post(place(world, found, "decide"), data)
    found.refresh_from_db()
    assert found.state == AppealState.OPEN
    assert Decision.objects.count() == 1


def test_the_decision_is_upheld_with_words(world: World) -> None:
    found = open_appeal(world)
    other = officer(world, 1)
    assert other.post(place(world, found, "uphold"), {"text": " "}).status_code == 422
    answer = other.post(
        place(world, found, "uphold"), {"text": "考核大纲不含数据库模块。"}, follow=True
    )
    found.refresh_from_db()
    assert found.state == AppealState.UPHELD
    text = text_of(answer)
    assert "维持原决定" in text
    assert "考核大纲不含数据库模块。" in text
    assert "您的答复" not in text
    assert found.decision.state == DecisionState.IN_FORCE


def test_a_new_decision_takes_the_old_ones_place(world: World) -> None:
    found = open_appeal(world)
    other = officer(world, 1)
    page = other.get(place(world, found))
    assert page.context["form"].initial["verdict_1"] == "waived"
    data = answers("credit", "credit", text="经复核，信息系统模块相符。")
    letter = other.post(place(world, found, "decide"), data)
    assert "认定学分合计 7.00" in text_of(letter)
    assert Decision.objects.count() == 1
    sent = hidden(letter) | {"step": "submit"}
    answer = other.post(place(world, found, "decide"), sent, follow=True)
    found.refresh_from_db()
    assert found.state == AppealState.CHANGED
    assert found.outcome is not None
    assert found.outcome.credits == 7
    assert found.outcome.state == DecisionState.IN_FORCE
    text = text_of(answer)
    assert "已作出新决定" in text
    assert "经复核，信息系统模块相符。" in text
    assert "已由新决定取代" in text
    assert found.outcome.number in text


def test_a_new_decision_without_words_is_not_made(world: World) -> None:
    found = open_appeal(world)
    answer = officer(world, 1).post(
        place(world, found, "decide"), answers("credit", "credit", step="submit")
    )
    assert answer.status_code == 422
    assert Decision.objects.count() == 1


def test_a_question_goes_to_the_learner(world: World) -> None:
    found = open_appeal(world)
    client = officer(world, 1)
    assert client.post(place(world, found, "say"), {"text": ""}).status_code == 422
    file = SimpleUploadedFile("李龑的大纲.pdf", PDF)
    client.post(place(world, found, "say"), {"text": "请附考核大纲。", "attachment": file})
    page = client.get(place(world, found))
    assert "请附考核大纲。" in text_of(page)
    (mine,) = [one for one in appeals.thread(found) if not one.row.by_learner]
    address = place(world, found, "files", str(mine.row.pk))
    assert address in page.content.decode()
    answer = client.get(address)
    assert answer.content == PDF
    assert answer["Content-Type"] == "application/pdf"
    assert "attachment" in answer["Content-Disposition"]
    assert answer["Content-Disposition"].isascii()
    assert SecurityEvent.objects.filter(kind="exported").exists()


def test_a_file_of_another_kind_is_refused(world: World) -> None:
    found = open_appeal(world)
    file = SimpleUploadedFile("大纲.pdf", b"MZ\x90\x00")
    answer = officer(world, 1).post(
        place(world, found, "say"), {"text": "请看。", "attachment": file}
    )
    assert answer.status_code == 422
    assert "只能附 PDF、PNG 或 JPEG 文件" in text_of(answer)
    assert len(appeals.thread(found)) == 1


def test_a_file_that_is_not_there_is_not_found(world: World) -> None:
    found = open_appeal(world)
    (first,) = appeals.thread(found)
    client = officer(world)
    assert client.get(place(world, found, "files", str(first.row.pk))).status_code == 404
    assert client.get(place(world, found, "files", str(found.pk))).status_code == 404


def test_two_people_must_agree_to_a_new_decision_where_the_rules_say_so(world: World) -> None:
    item = world.x_certificate()
    world.publish(
        item=item,
        procedure={"mode": "review", "reviewers": 2},
        allocation={"to": [{"course": "ELE-1"}]},
    )
    learner = world.learner()
    world.record_certificate(learner, item)
    request = world.request(learner)
    world.decide(request)
    officer(world, 1).post(desk(world, "requests", request.number, "agree"))
    decision = Decision.objects.get()
    found = appeal(decision, positions=[0])
    for number, word in ((0, "您参与过"), (1, "您参与过")):
        assert word in text_of(officer(world, number).get(place(world, found)))
    data = answers("credit", text="再看一次。", step="submit")
    page = officer(world, 2).post(place(world, found, "decide"), data, follow=True)
    assert "等待下一位同意" in text_of(page)
    last = officer(world, 3)
    assert "到申请页面同意或退回" in text_of(last.get(place(world, found)))
    last.post(desk(world, "requests", request.number, "agree"))
    found.refresh_from_db()
    assert found.state == AppealState.CHANGED


def test_a_clerk_reads_and_does_not_answer(world: World) -> None:
    found = open_appeal(world)
    client = signed_in_as(world.college.clerk)
    text = text_of(client.get(place(world, found)))
    assert "复议须由复核人办理" in text
    for step in ("say", "uphold", "decide"):
        assert client.post(place(world, found, step), {"text": "x"}).status_code == 403


def test_another_institution_finds_no_such_appeal(world: World) -> None:
    found = open_appeal(world)
    other = make_institution()
    stranger = signed_in(make_member(other, Role.REVIEWER, serial=9401))
    address = f"/org/{other.slug}/appeals/{found.number}"
    assert stranger.get(address).status_code == 404
    for step in ("say", "uphold", "decide"):
        assert stranger.post(f"{address}/{step}", {"text": "x"}).status_code == 404
