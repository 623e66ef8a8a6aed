"""A learner's requests: five states with their days, decisions line by line, withdraw, ask again, appeal."""

from __future__ import annotations

import json
import re
from datetime import datetime, time, timedelta
from typing import Any

import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from creditbank.clock import PROVINCE
from creditbank.jobs import outbox
from creditbank.ledger import operations as ledger
from creditbank.recognition import replay
from creditbank.recognition.models import Appeal, Decision, DecisionState, Request, RequestState
from creditbank.recognition.workflow import appeals, cascade
from creditbank.recognition.workflow.decisions import Verdict
from learners.models import Learner
from tests.portals.institution_site import signed_in_as, text_of
from tests.recognition.world import World

WAIVED = Verdict(
    position=1,
    verdict="waived",
    reason="requirement-met-without-credit",
    note="数据库部分没有覆盖。",
)


def client_of(learner: Learner) -> Client:
    assert learner.user is not None
    return signed_in_as(learner.user)


def page_of(client: Client, request: Request) -> str:
    return text_of(client.get(f"/me/requests/{request.number}"))


def partly(world: World, request: Request) -> Decision:
    """Four credits for the one course, the other waived."""
    return world.decide(request, Verdict(position=0, verdict="credit"), WAIVED)


def test_a_list_without_requests_leads_to_the_goals(world: World) -> None:
    response = client_of(world.learner()).get("/me/requests")
    assert "还没有认定申请" in text_of(response)
    assert 'href="/me/goals"' in response.content.decode()


def test_the_list_shows_number_state_day_and_credits(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    client = client_of(learner)
    page = text_of(client.get("/me/requests"))
    assert f"{request.number} 现代物流管理 南江示例职业学院" in page
    assert "已提交" in page
    partly(world, request)
    page = text_of(client.get("/me/requests"))
    assert "已生效 – 4" in page


def test_the_five_states_have_their_days(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    client = client_of(learner)
    page = page_of(client, request)
    steps = re.search(r"进度(.*?)撤回申请", page)
    assert steps is not None
    assert steps[1].count("未到") == 4
    assert "还有 10 个工作日，最迟" in page
    partly(world, request)
    page = page_of(client, request)
    assert "未到" not in page
    assert "公示 不需要" in page
    assert "④" not in page or "已完成" in page


def test_a_decision_in_notice_says_until_when(world: World) -> None:
    learner = world.learner()
    other = world.x_certificate()
    world.record_certificate(learner, other)
    world.publish(
        other,
        allocation={"to": [{"course": "ELE-3"}]},
        procedure={"mode": "review", "reviewers": 1, "expected_days": 5, "notice_days": 5},
    )
    request = world.request(learner)
    decision = world.decide(request)
    assert decision.state == DecisionState.IN_NOTICE
    client = client_of(learner)
    page = page_of(client, request)
    assert "公示中" in page
    until = decision.notice_until
    assert until is not None
    assert f"到 {until.year}年{until.month}月{until.day}日 为止" in page
    goal = text_of(client.get(f"/me/goals/{world.programme.code}"))
    assert "0 /76 + 3 待定" in goal


def test_a_line_names_rule_version_decision_reason_and_note(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    decision = partly(world, request)
    page = page_of(client_of(learner), request)
    assert f"认定决定 {decision.number} 已生效" in page
    assert "认定 4 学分" in page
    assert page.count(f"规则 {world.rule.code} 第 3 版") == 2  # type: ignore[union-attr]
    assert "已具备本课程要求的能力，可免修；按规定不计学分。" in page
    assert "数据库部分没有覆盖。" in page
    assert f"登记簿 第 {decision.entry_index} 号" in page


def test_the_decisions_file_is_handed_out_and_can_be_computed_again(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    decision = partly(world, request)
    client = client_of(learner)
    assert f"python -m creditbank.recognition.replay {decision.number}.json" in page_of(
        client, request
    )
    response = client.get(f"/me/requests/{request.number}/{decision.number}.json")
    assert response["Content-Disposition"] == f'attachment; filename="{decision.number}.json"'
    assert json.loads(response.content)["package"]["number"] == decision.number
    report = replay.verify(response.content, trust=None)
    assert not [check for check in report.checks if check.state == "invalid"]
    assert client.get(f"/me/requests/{request.number}/D-2026-0000-0000.json").status_code == 404


def test_a_request_is_withdrawn_and_its_outcome_is_free(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    client = client_of(learner)
    client.post(f"/me/requests/{request.number}/withdraw")
    page = page_of(client, request)
    assert "已撤回，成果可以另作他用。" in page
    assert "撤回申请" not in page
    assert "您有 1 项成果可用" in text_of(client.get(f"/me/goals/{world.programme.code}"))


def test_a_decided_request_is_not_withdrawn_any_more(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    partly(world, request)
    client = client_of(learner)
    client.post(f"/me/requests/{request.number}/withdraw")
    assert "已办结或已撤回" in page_of(client, request)
    request.refresh_from_db()
    assert request.state == RequestState.IN_FORCE


def test_it_is_asked_for_again_with_the_earlier_choice(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner, targets=["LOG-102"])
    client = client_of(learner)
    client.post(f"/me/requests/{request.number}/withdraw")
    again = f"/me/goals/{world.programme.code}/request?again={request.number}"
    response = client.get(f"/me/requests/{request.number}")
    assert f'href="{again}"' in response.content.decode()
    form = client.get(again).content.decode()
    assert re.findall(r'name="t" value="([^"]+)"[^>]* checked', form) == ["LOG-102"]
    sent = {
        "o": re.findall(r'name="o" value="(\d+)"[^>]* checked', form),
        "t": "LOG-102",
        "resubmits": request.number,
        "consent": "yes",
        "act": "send",
    }
    client.post(f"/me/goals/{world.programme.code}/request", sent)
    made = Request.objects.get(resubmits=request)
    assert f"接续 {request.number}" in page_of(client, made)
    assert f"再次申请 {made.number}" in page_of(client, request)


def test_a_person_looks_at_what_was_refused_automatically(world: World) -> None:
    learner = world.learner()
    training = world.item()
    world.record_outcome(learner, training, result={"score": "70"})
    world.publish(
        training,
        gate={"catalogue": True},
        sources={"outcome": {"all": [{"item": [training.code]}, {"score": {"min": "80"}}]}},
        allocation={"to": [{"course": "ELE-3"}]},
        procedure={"mode": "automatic"},
    )
    leaf = world_leaf(learner, training.code)
    request = world.request(learner, [leaf])
    outbox.run_due()
    client = client_of(learner)
    page = page_of(client, request)
    assert "不予认定" in page
    assert "请人工复核" in page
    client.post(f"/me/requests/{request.number}/person")
    page = page_of(client, request)
    assert "已转交学院的审核人员" in page
    assert "请人工复核" not in page
    assert "还有" in page


def world_leaf(learner: Learner, item: str) -> bytes:
    from creditbank.recognition.workflow.holdings import holdings_of

    return next(one.leaf for one in holdings_of(learner) if one.evidence.outcome.item == item)


# -- appeals ----------------------------------------------------------------------------------
def appeal(client: Client, request: Request, **changes: Any) -> Any:
    sent: dict[str, Any] = {"positions": ["1"], "text": "考核大纲第 3 章包含数据库。"} | changes
    return client.post(f"/me/requests/{request.number}/appeal", sent)


def test_an_appeal_is_filed_with_a_file_and_has_a_clock(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    partly(world, request)
    client = client_of(learner)
    assert "还有 15 天" in page_of(client, request)
    paper = SimpleUploadedFile("大纲.pdf", b"%PDF-1.4 syllabus", content_type="application/pdf")
    response = appeal(client, request, file=paper)
    made = Appeal.objects.get()
    assert response["Location"].endswith(f"#{made.number}")
    page = page_of(client, request)
    assert f"复议 {made.number} 复议中" in page
    assert "针对：物流信息技术" in page
    assert "考核大纲第 3 章包含数据库。" in page
    assert "还有 15 个工作日，最迟" in page
    assert "不同意，申请复议" not in page
    file = client.get(
        re.search(
            rf'href="(/me/requests/{request.number}/files/[^"]+)"',
            client.get(f"/me/requests/{request.number}").content.decode(),
        )[1]  # type: ignore[index]
    )
    assert file.content == b"%PDF-1.4 syllabus"
    assert file["Content-Disposition"].startswith("attachment")


def test_an_appeal_says_everything_that_is_missing(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    partly(world, request)
    client = client_of(learner)
    response = appeal(client, request, positions=[], text="")
    assert response.status_code == 422
    page = text_of(response)
    assert "请选择对哪几项不同意。" in page
    assert "请写明理由。" in page
    program = SimpleUploadedFile("大纲.pdf", b"MZ program", content_type="application/pdf")
    response = appeal(client, request, file=program)
    assert response.status_code == 422
    assert "只能附 PDF、PNG 或 JPEG 文件" in text_of(response)
    large = SimpleUploadedFile("a.pdf", b"%PDF-" + bytes(appeals.FILE_MAX + (1 << 20)))
    assert "文件不能超过 5" in text_of(appeal(client, request, file=large))
    assert not Appeal.objects.exists()


def test_after_its_last_day_no_appeal_is_offered(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    decision = partly(world, request)
    last = decision.appeal_until
    assert last is not None
    noon = datetime.combine(last, time(12), tzinfo=PROVINCE)
    with time_machine.travel(noon, tick=False):
        assert "今天是最后一天" in page_of(client_of(learner), request)
    with time_machine.travel(noon + timedelta(days=1), tick=False):
        later = client_of(learner)
        assert "申请复议" not in page_of(later, request)
        appeal(later, request)
    assert not Appeal.objects.exists()


def test_the_history_shows_both_decisions_and_the_thread(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    first = partly(world, request)
    client = client_of(learner)
    appeal(client, request)
    found = Appeal.objects.get()
    appeals.say(appeal=found, text="正在核对附件。", acting_user=world.officer(1))
    client.post(f"/me/requests/{request.number}/appeal/say", {"text": "好的。"})
    second = appeals.decide_anew(
        appeal=found,
        verdicts=[Verdict(position=at, verdict="credit") for at in (0, 1)],
        text="改为计 3 学分。",
        acting_user=world.officer(1),
    )
    assert second.state == DecisionState.IN_FORCE
    page = page_of(client, request)
    assert page.index(f"认定决定 {second.number}") < page.index(f"认定决定 {first.number}")
    assert f"取代决定 {first.number}" in page
    assert f"已由决定 {second.number} 取代" in page
    thread = page[page.index("考核大纲") :]
    assert thread.index("正在核对附件。") < thread.index("好的。") < thread.index("改为计 3 学分。")
    goal = text_of(client.get(f"/me/goals/{world.programme.code}"))
    assert "48 /76" in goal
    assert "还差 28 学分" in goal


def test_an_appeal_is_taken_back(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    partly(world, request)
    client = client_of(learner)
    appeal(client, request)
    client.post(f"/me/requests/{request.number}/appeal/withdraw")
    assert "复议已撤回，原决定不变。" in page_of(client, request)


# -- others -----------------------------------------------------------------------------------
def test_anothers_request_is_not_found(world: World) -> None:
    learner, other = world.graduate(), world.graduate()
    request = world.request(learner)
    decision = partly(world, request)
    client = client_of(other)
    path = f"/me/requests/{request.number}"
    assert client.get(path).status_code == 404
    assert client.get(f"{path}/{decision.number}.json").status_code == 404
    for act in ("withdraw", "person", "appeal", "appeal/say", "appeal/withdraw"):
        assert client.post(f"{path}/{act}").status_code == 404, act
    assert (
        client.get(f"/me/goals/{world.programme.code}/request?again={request.number}").status_code
        == 404
    )


def test_a_reversed_source_is_told_of(world: World) -> None:
    learner = world.graduate()
    request = world.request(learner)
    decision = partly(world, request)
    leaf = bytes(request.sources.get().leaf)
    ledger.reverse_entry(index=request.sources.get().index, reason="考核成绩登记有误")
    assert cascade.flag([leaf]) == 1
    assert decision.number in page_of(client_of(learner), request)
    page = page_of(client_of(learner), request)
    assert "有一项依据已变" in page
