"""One case at the desk: outcomes verified now, targets, rules, findings, facts, similar cases."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from creditbank.institutions.kinds import Role
from creditbank.recognition.models import AttestedFact, Judgement, Request
from creditbank.recognition.workflow import requests
from creditbank.securitylog.models import SecurityEvent
from learners import operations as learners
from tests.institutions.cast import make_institution, make_member
from tests.portals.casework import case, desk, filed, officer, someone, waived_second, world
from tests.portals.institution_site import signed_in, signed_in_as, text_of
from tests.recognition.world import INFORMATION, STORAGE, World

__all__ = ["world"]


def opened(world: World, request: Request, number: int = 0) -> Any:
    page = officer(world, number).get(case(world, request))
    assert page.status_code == 200
    return page


def with_similarity(world: World, **changes: Any) -> Request:
    """A request under a rule that asks how similar the contents are."""
    item = world.x_certificate(title="智能仓储职业技能等级证书（中级）")
    world.publish(
        item=item,
        sources={
            "outcome": {
                "all": [{"item": [item.code]}, {"fact": {"name": "similarity", "min": "70"}}]
            }
        },
        allocation={"to": [{"course": "ELE-1", "credits": "2"}]},
        **changes,
    )
    learner = world.learner()
    world.record_certificate(learner, item)
    return world.request(learner)


def test_the_outcome_stands_beside_what_it_could_count_for(world: World) -> None:
    request = filed(world)
    page = opened(world, request)
    text = text_of(page)
    assert "李龑" in text
    assert request.learner is not None
    assert "物流管理职业技能等级证书（中级）" in text
    assert "2025年6月20日" in text
    assert "仓储与配送管理 LOG-101" in text
    assert "4.00 学分" in text
    assert "物流信息技术 LOG-102" in text
    assert "按提交申请之日" in text
    assert "没有指定，凡能认定的都申请" in text


def test_seven_checks_are_numbered_and_made_now(world: World) -> None:
    page = opened(world, filed(world))
    body = page.content.decode()
    assert body.count('data-testid="check"') == 7
    assert "7 项中 7 项通过" in text_of(page)
    assert [one for one in "①②③④⑤⑥⑦" if one in body] == list("①②③④⑤⑥⑦")


def tamper(db: Any, statement: str, table: str, *values: Any) -> None:
    with psycopg.connect(db.superuser_url, autocommit=True) as session:
        session.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL".encode())
        session.execute(statement.encode(), values)


def test_a_manifest_that_was_tampered_with_does_not_pass(world: World, db: Any) -> None:
    request = filed(world)
    index = request.sources.get().index
    tamper(
        db,
        "UPDATE ledger_manifest SET note = overlay(note placing"
        " CASE WHEN substr(note, length(note) - 9, 1) = 'A' THEN 'B'::bytea ELSE 'A'::bytea END"
        " from length(note) - 9 for 1)"
        " WHERE idx = (SELECT max(idx) FROM ledger_manifest WHERE idx < %s)",
        "ledger_manifest",
        index,
    )
    page = opened(world, request)
    (source,) = page.context["sources"]
    assert source.checks[2].state == "check-invalid"
    assert source.state == "check-invalid"
    assert "不成立" in text_of(page)


def test_an_outcome_that_the_register_does_not_hold_any_more_is_missed(
    world: World, db: Any
) -> None:
    request = filed(world)
    tamper(
        db,
        "UPDATE ledger_entry SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'),"
        " '\"q\":800', '\"q\":900'), 'UTF8') WHERE idx = %s",
        "ledger_entry",
        request.sources.get().index,
    )
    text = text_of(opened(world, request))
    assert "有 1 项所凭的成果在登记簿中找不到" in text
    assert "没有可以认定的课程或类别" in text


def test_without_the_signers_keys_nothing_is_drawn_as_passed(
    world: World, bank: Any, settings: Any, tmp_path: Any
) -> None:
    request = filed(world)
    client = officer(world)
    settings.SIGNER_SOCKET = tmp_path / "nobody.sock"
    (settings.BANK_HOME / "anchor" / "keys.json").unlink(missing_ok=True)
    page = client.get(case(world, request))
    text = text_of(page)
    assert page.status_code == 200
    assert "未能检查" in text
    assert "7 项中 5 项通过" in text
    assert "这不表示有效，也不表示无效" in text


def test_the_rule_is_named_with_version_and_link(world: World) -> None:
    page = opened(world, filed(world))
    assert world.rule is not None
    assert f'href="/rules/{world.rule.code}/3"' in page.content.decode()
    assert "物流管理职业技能等级证书（中级）认定" in text_of(page)


def test_a_refusal_says_what_was_found_and_asked_for(world: World) -> None:
    item = world.x_certificate(title="冷链职业技能等级证书（中级）")
    world.publish(
        item=item,
        sources={"outcome": {"all": [{"item": [item.code]}, {"score": {"min": "90"}}]}},
        allocation={"to": [{"course": "ELE-1"}]},
    )
    learner = world.learner()
    leaf = world.record_certificate(learner, item)
    request = world.request(learner, leaves=[leaf])
    text = text_of(opened(world, request))
    assert "不符合" in text
    assert "分数：86，要求：≥ 90（还差 4）" in text
    assert "没有可以认定的课程或类别" in text


def test_the_learners_choice_and_words_are_shown(world: World) -> None:
    request = world.request(someone(world), targets=[STORAGE], words="只需要这一门。")
    text = text_of(opened(world, request))
    assert "只需要这一门。" in text
    page = opened(world, request)
    assert page.content.decode().count('data-testid="proposed"') == 1
    assert INFORMATION not in [line.target.code for line in page.context["lines"]]


def test_similar_cases_name_no_person(world: World) -> None:
    earlier = world.decide(world.request(someone(world, name="张伟")), *waived_second())
    text = text_of(opened(world, filed(world)))
    similar = text.partition("类似的往例")[2]
    assert "免修不计学分" in similar
    assert "已具备本课程要求的能力" in similar
    assert "张伟" not in text
    assert earlier.request.number not in text


def test_opening_a_case_tells_the_learner(world: World) -> None:
    request = filed(world)
    client = officer(world)
    assert "开始审核" in text_of(client.get(case(world, request)))
    request.refresh_from_db()
    assert request.state == "submitted"
    client.post(case(world, request, "open"))
    request.refresh_from_db()
    assert request.state == "reviewing"
    assert "您的意见" in text_of(client.get(case(world, request)))


def test_whoever_looks_is_in_the_security_log(world: World) -> None:
    request = filed(world)
    before = SecurityEvent.objects.count()
    opened(world, request)
    noted = SecurityEvent.objects.filter(seq__gt=before)
    (viewed,) = [one for one in noted if one.kind == "personal-data-viewed"]
    assert viewed.actor == world.officer().pk
    assert request.number in viewed.facts
    assert "李龑" not in viewed.facts


def test_a_fact_is_attested_and_the_finding_follows(world: World) -> None:
    request = with_similarity(world)
    client = officer(world)
    client.post(case(world, request, "open"))
    page = client.get(case(world, request))
    assert "内容相近度（%）" in text_of(page)
    assert "≥ 70" in text_of(page)
    assert page.content.decode().count('data-testid="proposed"') == 0
    form = {"leaf": request.sources.get().leaf.hex(), "name": "similarity", "value": "80"}
    answer = client.post(case(world, request, "facts"), form, follow=True)
    assert "已记下核实的事实" in text_of(answer)
    assert answer.content.decode().count('data-testid="proposed"') == 1
    fact = AttestedFact.objects.get()
    assert fact.by == world.officer()
    assert world.officer().get_full_name() in text_of(answer)


def test_a_fact_that_nobody_asks_for_is_refused(world: World) -> None:
    request = with_similarity(world)
    client = officer(world)
    leaf = request.sources.get().leaf.hex()
    for form in (
        {"leaf": leaf, "name": "height", "value": "80"},
        {"leaf": leaf, "name": "similarity", "value": ""},
        {"leaf": "00", "name": "similarity", "value": "80"},
    ):
        assert client.post(case(world, request, "facts"), form).status_code == 422
    assert not AttestedFact.objects.exists()


def test_a_reviewer_judges_what_the_computation_cannot_tell(world: World) -> None:
    request = with_similarity(world)
    client = officer(world)
    client.post(case(world, request, "open"))
    page = client.get(case(world, request))
    assert 'data-testid="judge"' in page.content.decode()
    (shown,) = page.context["rules"]
    (finding,) = shown.findings
    form = {"rule": finding.rule, "version": str(finding.version), "leaves": finding.leaves}
    answer = client.post(case(world, request, "judge"), form, follow=True)
    assert "经判断符合" in text_of(answer)
    assert Judgement.objects.get().by == world.officer()
    assert 'data-testid="judge"' not in answer.content.decode()


@pytest.mark.parametrize("leaves", ["", "zz", "00" * 31, "00" * 32])
def test_a_judgement_on_nothing_is_refused(world: World, leaves: str) -> None:
    request = with_similarity(world)
    assert world.rule is not None
    form = {"rule": world.rule.code, "version": "3", "leaves": leaves}
    answer = officer(world).post(case(world, request, "judge"), form, follow=True)
    assert "这条规则不需要判断" in text_of(answer)
    assert not Judgement.objects.exists()


def test_a_withdrawn_request_is_shown_and_nothing_can_be_done(world: World) -> None:
    request = filed(world)
    requests.withdraw_request(request=request, acting_user=request.learner.user)
    page = opened(world, request)
    assert "已撤回" in text_of(page)
    assert "<form" not in page.content.decode().partition("<main")[2].partition("</main>")[0]


def test_a_forgotten_persons_case_shows_no_content(world: World) -> None:
    request = filed(world)
    requests.withdraw_request(request=request, acting_user=request.learner.user)
    learners.forget_learner(request.learner)
    page = officer(world).get(case(world, request))
    assert page.status_code == 410
    assert "登记簿已不再保存此人的信息" in text_of(page)
    assert "李龑" not in text_of(page)


def test_nobody_decides_for_themselves(world: World) -> None:
    learner = world.learner()
    world.record_certificate(learner)
    member = make_member(world.college.institution, Role.REVIEWER, serial=9101)
    member.user.person_digest = learner.identity_digest
    member.user.save()
    request = world.request(learner)
    client = signed_in(member)
    text = text_of(client.get(case(world, request)))
    assert "不能为自己办理" in text
    client.post(case(world, request, "open"))
    request.refresh_from_db()
    assert request.state == "submitted"


def test_a_clerk_looks_and_is_told_that_reviewers_decide(world: World) -> None:
    request = filed(world)
    client = signed_in_as(world.college.clerk)
    page = client.get(case(world, request))
    assert "须由复核人办理" in text_of(page)
    assert 'data-testid="open"' not in page.content.decode()
    for step in ("open", "facts", "judge", "propose", "agree", "return"):
        assert client.post(case(world, request, step)).status_code == 403


def test_another_institution_finds_no_such_case(world: World) -> None:
    request = filed(world)
    other = make_institution()
    stranger = signed_in(make_member(other, Role.REVIEWER, serial=9102))
    address = f"/org/{other.slug}/requests/{request.number}"
    assert stranger.get(address).status_code == 404
    for step in ("open", "facts", "judge", "propose", "agree", "return"):
        assert stranger.post(f"{address}/{step}").status_code == 404


def test_a_number_that_nobody_drew_is_not_found(world: World) -> None:
    assert officer(world).get(desk(world, "requests", "R-2026-0000-0000")).status_code == 404
