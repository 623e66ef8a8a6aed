"""Deciding at the desk: verdicts, the letter, second persons, panels, chains, notice, the file."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
import time_machine

from creditbank.institutions.kinds import InstitutionKind, Role
from creditbank.jobs import outbox
from creditbank.ledger import operations
from creditbank.ledger import queries as ledger
from creditbank.recognition import replay
from creditbank.recognition.deciding import workdays
from creditbank.recognition.models import Decision, DecisionState, Request
from creditbank.recognition.workflow import decisionfile, decisions, reviewing
from creditbank.securitylog.models import SecurityEvent
from tests.institutions.cast import make_institution, make_member
from tests.portals.casework import answers, case, filed, officer, world
from tests.portals.institution_site import hidden, signed_in, text_of
from tests.recognition.world import World

__all__ = ["world"]

WAIVED = {"verdict_1": "waived", "reason_1": "requirement-met-without-credit"}


def opened(world: World, request: Request, number: int = 0) -> Any:
    client = officer(world, number)
    client.post(case(world, request, "open"))
    return client


def form(**changes: str) -> dict[str, str]:
    return answers("credit", "credit") | changes


def strict(world: World, **procedure: Any) -> Request:
    """A request for one course under a rule with a procedure of its own."""
    item = world.x_certificate(title="智能仓储职业技能等级证书（中级）")
    world.publish(
        item=item,
        procedure={"mode": "review"} | procedure,
        allocation={"to": [{"course": "ELE-1"}]},
    )
    learner = world.learner(name="王𪟝")
    world.record_certificate(learner, item)
    return world.request(learner)


def proposed(world: World, request: Request, number: int = 0) -> Any:
    """The page after a reviewer has proposed everything whole."""
    client = opened(world, request, number)
    data = answers("credit") | {"step": "submit"}
    return client.post(case(world, request, "propose"), data, follow=True)


def test_the_letter_is_shown_before_anything_is_decided(world: World) -> None:
    request = filed(world)
    client = opened(world, request)
    page = client.post(
        case(world, request, "propose"),
        form(**WAIVED, note_1="信息技术课程以本校考核为准。"),
    )
    text = text_of(page)
    assert "学分认定决定书" in text
    assert "李龑：您于" in text
    assert "认定学分合计 4.00" in text
    assert "已具备本课程要求的能力" in text
    assert "信息技术课程以本校考核为准。" in text
    assert "15 天内申请复议" in text
    assert "不计入平均学分绩点" in text
    assert "费用：不收费" in text
    assert not Decision.objects.exists()


def test_what_was_previewed_is_what_is_decided(world: World) -> None:
    request = filed(world)
    client = opened(world, request)
    address = case(world, request, "propose")
    page = client.post(address, form(**WAIVED, note_1="以本校考核为准。"))
    answer = client.post(address, hidden(page) | {"step": "submit"}, follow=True)
    decision = Decision.objects.get()
    assert decision.state == DecisionState.IN_FORCE
    assert decision.credits == 4
    first, second = decision.lines.all()
    assert (first.verdict, first.credits) == ("credit", 4)
    assert (second.verdict, second.reason) == ("waived", "requirement-met-without-credit")
    assert decisions.notes_of(decision) == {1: "以本校考核为准。"}
    text = text_of(answer)
    assert f"决定 {decision.number} 已作出" in text
    assert "已生效" in text
    assert f"/log/{decision.entry_index}" in answer.content.decode()


def test_going_back_keeps_what_was_typed(world: World) -> None:
    request = filed(world)
    client = opened(world, request)
    page = client.post(
        case(world, request, "propose"), form(**WAIVED, note_1="以本校考核为准。", step="edit")
    )
    assert page.status_code == 200
    body = page.content.decode()
    assert "以本校考核为准。" in body
    assert 'value="waived" ' in body
    assert not Decision.objects.exists()


def test_a_part_is_decided_with_its_credits(world: World) -> None:
    request = filed(world)
    client = opened(world, request)
    data = form(
        verdict_0="part", credits_0="2.5", reason_0="content-covered-in-part", step="submit"
    )
    client.post(case(world, request, "propose"), data)
    line = Decision.objects.get().lines.first()
    assert line is not None
    assert (line.verdict, str(line.credits)) == ("part", "2.50")


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({"verdict_0": ""}, ["请选择怎样认定"]),
        ({"verdict_0": "whatever"}, []),
        ({"verdict_0": "part"}, ["部分认定的学分须多于 0，少于 4", "请选择理由"]),
        (
            {"verdict_0": "part", "credits_0": "4", "reason_0": "content-covered-in-part"},
            ["部分认定的学分须多于 0，少于 4"],
        ),
        (
            {"verdict_0": "part", "credits_0": "0", "reason_0": "content-covered-in-part"},
            ["部分认定的学分须多于 0，少于 4"],
        ),
        (
            {"verdict_0": "part", "credits_0": "NaN", "reason_0": "content-covered-in-part"},
            ["部分认定的学分须多于 0，少于 4"],
        ),
        (
            {"verdict_0": "part", "credits_0": "1.005", "reason_0": "content-covered-in-part"},
            ["部分认定的学分须"],
        ),
        ({"verdict_0": "refused"}, ["请选择理由"]),
        (
            {"verdict_0": "refused", "reason_0": "requirement-met-without-credit"},
            ["这条理由不适用于所选的认定方式"],
        ),
        (
            {"verdict_0": "refused", "verdict_1": "waived"},
            ["仓储与配送管理的理由", "物流信息技术的理由"],
        ),
    ],
)
def test_mistakes_are_all_said_at_once_and_nothing_is_decided(
    world: World, changes: dict[str, str], sentences: list[str]
) -> None:
    request = filed(world)
    client = opened(world, request)
    page = client.post(case(world, request, "propose"), form(**changes) | {"step": "submit"})
    assert page.status_code == 422
    text = text_of(page)
    for sentence in sentences:
        assert sentence in text
    assert not Decision.objects.exists()


def test_everything_refused_gives_nothing_and_lets_the_outcome_go(world: World) -> None:
    request = filed(world)
    client = opened(world, request)
    size = ledger.log_state().size
    data = answers("refused", "refused", reason_0="content-differs", reason_1="content-differs")
    page = client.post(case(world, request, "propose"), data | {"step": "submit"}, follow=True)
    decision = Decision.objects.get()
    assert decision.state == DecisionState.REFUSED
    assert "所学内容与本课程的教学要求不符" in text_of(page)
    assert ledger.log_state().size == size
    assert not request.sources.get().active


# -- more people ------------------------------------------------------------------------------
def test_a_second_person_agrees_and_the_first_cannot(world: World) -> None:
    request = strict(world, reviewers=2)
    page = proposed(world, request)
    text = text_of(page)
    assert "等待下一位同意" in text
    assert "您与经办人是同一人" in text
    assert 'data-testid="agree"' not in page.content.decode()
    officer(world).post(case(world, request, "agree"))
    decision = Decision.objects.get()
    assert decision.state == DecisionState.PROPOSED
    second = officer(world, 1)
    page = second.get(case(world, request))
    assert 'data-testid="agree"' in page.content.decode()
    assert world.officer().get_full_name() in text_of(page)
    answer = second.post(case(world, request, "agree"), follow=True)
    decision.refresh_from_db()
    assert decision.state == DecisionState.IN_FORCE
    assert text_of(answer).count("同意 ·") == 2


def test_two_users_of_one_person_are_one(world: World) -> None:
    request = strict(world, reviewers=2)
    proposed(world, request)
    second = world.officer(1)
    second.person_digest = world.officer().person_digest
    second.save()
    page = officer(world, 1).get(case(world, request))
    assert "您与经办人是同一人" in text_of(page)
    officer(world, 1).post(case(world, request, "agree"))
    assert Decision.objects.get().state == DecisionState.PROPOSED


def test_somebody_whose_document_nobody_saw_is_told_so(world: World) -> None:
    request = strict(world, reviewers=2)
    proposed(world, request)
    unseen = make_member(world.college.institution, Role.REVIEWER)
    text = text_of(signed_in(unseen).get(case(world, request)))
    assert "尚未核对其中一人的身份证件" in text


def test_a_returned_decision_is_proposed_anew(world: World) -> None:
    request = strict(world, reviewers=2)
    proposed(world, request)
    second = officer(world, 1)
    address = case(world, request, "return")
    assert second.post(address, {"reason": " "}).status_code == 422
    page = second.post(address, {"reason": "请补充证书的考核大纲。"}, follow=True)
    text = text_of(page)
    assert "已退回重议" in text
    assert "请补充证书的考核大纲。" in text
    assert "提出决定" not in text
    proposed(world, request)
    assert [one.state for one in Decision.objects.order_by("proposed_at")] == [
        DecisionState.RETURNED,
        DecisionState.PROPOSED,
    ]


def test_agreeing_where_nothing_is_proposed_is_not_found(world: World) -> None:
    request = filed(world)
    for step in ("agree", "return"):
        assert officer(world).post(case(world, request, step)).status_code == 404


def test_a_panel_of_three_shows_who_is_still_missing(world: World) -> None:
    request = strict(world, panel={"members": 3})
    page = proposed(world, request)
    assert text_of(page).count("待同意") >= 2
    officer(world, 1).post(case(world, request, "agree"))
    assert Decision.objects.get().state == DecisionState.PROPOSED
    officer(world, 2).post(case(world, request, "agree"))
    assert Decision.objects.get().state == DecisionState.IN_FORCE


def test_the_last_place_on_a_panel_is_for_an_industry_expert(world: World) -> None:
    panel = {"members": 2, "industry_experts": 1, "industry_years": 5}
    request = strict(world, panel=panel)
    page = proposed(world, request)
    text = text_of(officer(world, 1).get(case(world, request)))
    assert "评审组还缺行业专家" in text
    admin = make_member(world.college.institution, Role.ADMIN, serial=9301)
    world.officer(1)
    reviewing.note_expert(member=world.others[0], since=date(2015, 1, 1), acting_user=admin.user)
    answer = officer(world, 1).post(case(world, request, "agree"), follow=True)
    assert "行业专家" in text_of(answer)
    assert Decision.objects.get().state == DecisionState.IN_FORCE
    assert page.status_code == 200


def test_a_chain_passes_the_bank_last(world: World) -> None:
    request = strict(world, chain=["college", "bank"])
    proposed(world, request)
    authority = make_institution(kind=InstitutionKind.PROVINCIAL_AUTHORITY, name="示例省主管部门")
    member = make_member(authority, Role.REVIEWER, serial=9302)
    assert "不在由您审核的阶段" in text_of(officer(world, 1).get(case(world, request)))
    desk = signed_in(member)
    home = desk.get(f"/org/{authority.slug}")
    address = f"/org/{authority.slug}/requests/{request.number}"
    assert address in home.content.decode()
    page = desk.get(address)
    assert "学分银行阶段" in text_of(page)
    desk.post(f"{address}/agree")
    assert Decision.objects.get().state == DecisionState.IN_FORCE
    assert desk.get(address).status_code == 200
    assert f"{request.number}" not in desk.get(f"/org/{authority.slug}").content.decode()


def test_a_stage_of_another_institution_is_nobody_elses(world: World) -> None:
    request = strict(world, chain=["college", "bank"])
    assessor = make_institution(kind=InstitutionKind.ASSESSMENT_ORGANISATION)
    member = make_member(assessor, Role.REVIEWER, serial=9303)
    address = f"/org/{assessor.slug}/requests/{request.number}"
    assert signed_in(member).get(address).status_code == 404
    proposed(world, request)
    assert signed_in(member).get(address).status_code == 404


# -- notice and file --------------------------------------------------------------------------
def test_a_decision_in_notice_says_until_when(world: World) -> None:
    request = strict(world, notice_days=5)
    page = proposed(world, request)
    decision = Decision.objects.get()
    text = text_of(page)
    assert "正在公示" in text
    assert "公示中" in text
    assert decision.notice_until is not None
    assert f"{decision.notice_until.day}日" in text.partition("公示至")[2][:20]
    after = workdays.after(decision.notice_until, 1)
    with time_machine.travel(after, tick=False):
        decisions.enter_due()
        outbox.run_due()
        text = text_of(officer(world).get(case(world, request)))
    assert "已生效" in text


def test_the_decisions_file_says_the_same_when_it_is_computed_again(world: World) -> None:
    request = filed(world)
    decision = world.decide(request)
    client = officer(world)
    address = f"/org/{world.college.slug}/decisions/{decision.number}/file"
    assert address in client.get(case(world, request)).content.decode()
    before = SecurityEvent.objects.count()
    answer = client.get(address)
    assert answer["Content-Type"] == "application/json"
    assert f'filename="{decision.number}.json"' in answer["Content-Disposition"]
    assert answer.content == decisionfile.build(decision)
    assert replay.verify(answer.content, trust=None).outcome != "different"
    assert "李龑" not in json.dumps(json.loads(answer.content), ensure_ascii=False)
    exported = SecurityEvent.objects.filter(seq__gt=before).values_list("kind", flat=True)
    assert "exported" in exported


def test_a_decision_that_is_not_made_has_no_file(world: World) -> None:
    request = strict(world, reviewers=2)
    proposed(world, request)
    decision = Decision.objects.get()
    client = officer(world)
    address = f"/org/{world.college.slug}/decisions/{decision.number}/file"
    assert client.get(address).status_code == 404
    stranger = make_member(make_institution(), Role.REVIEWER, serial=9304)
    made = world.decide(filed(world))
    other = f"/org/{stranger.institution.slug}/decisions/{made.number}/file"
    assert signed_in(stranger).get(other).status_code == 404


def test_a_case_that_changed_meanwhile_is_not_decided_as_it_was(world: World) -> None:
    request = strict(world, reviewers=2)
    proposed(world, request)
    index = request.sources.get().index
    operations.reverse_entry(index=index, reason="成绩登记有误")
    answer = officer(world, 1).post(case(world, request, "agree"), follow=True)
    assert "请重新提出" in text_of(answer)
    assert Decision.objects.get().state == DecisionState.RETURNED
