"""The learner's pages of recognition in a real browser: every page at two widths, in both languages."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from creditbank.ledger import queries
from creditbank.recognition.workflow import appeals, goals
from creditbank.recognition.workflow.decisions import Verdict
from learners import queries as people
from tests.looking import NARROW, Looks
from tests.pages import PHONE, NewPage
from tests.recognition.world import World, with_rule

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from learners.models import Learner
    from tests.sites import Site

PASSWORD = "corréct-horse-battery-staple"
LANGUAGES = ("zh-hans", "en")


@pytest.fixture
def world(begun_world: World, settings: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    settings.STAFF_SECOND_FACTOR = False
    monkeypatch.setenv("STAFF_SECOND_FACTOR", "0")
    return with_rule(begun_world)


def follow(world: World, learner: Learner) -> Learner:
    """Let somebody sign in, and follow the programme."""
    user = learner.user
    assert user is not None
    user.set_password(PASSWORD)
    user.save()
    goals.add_goal(learner=learner, programme=world.programme, acting_user=user)
    return learner


def sign_in(page: Page, site: Site, learner: Learner) -> Page:
    assert learner.user is not None
    page.goto(f"{site.url}/account/login/")
    page.fill("input[name=login]", learner.user.username)
    page.fill("input[name=password]", PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url(f"{site.url}/me")
    return page


def look_at(page: Page, site: Site, look: Looks, paths: dict[str, str]) -> None:
    """Look at pages in both languages, with everything that can be unfolded."""
    for language in LANGUAGES:
        page.context.add_cookies([{"name": "lang", "value": language, "url": site.url}])
        for name, path in paths.items():
            response = page.goto(site.url + path)
            assert response is not None
            assert response.status == 200, path
            page.evaluate(
                "document.querySelectorAll('main details').forEach(one => { one.open = true; })"
            )
            look(page, f"{language}-{name}")


def test_every_page_reads_well_and_is_accessible(
    world: World, site: Site, new_page: NewPage
) -> None:
    look = Looks("learner")
    learner = follow(world, world.graduate())
    code = world.programme.code
    page = sign_in(new_page(), site, learner)
    before = {
        "goals": "/me/goals",
        "goals-nothing-found": "/me/goals?q=xyz",
        "goal": f"/me/goals/{code}",
        "preview": f"/me/goals/{code}?look=1",
        "form": f"/me/goals/{code}/request",
        "requests-empty": "/me/requests",
        "account": "/me",
    }
    look_at(page, site, look, before)
    request = world.request(learner, words="请尽快办理，谢谢。")
    waiting = {
        "goals-pending": "/me/goals",
        "goal-pending": f"/me/goals/{code}",
        "request-submitted": f"/me/requests/{request.number}",
        "records-reserved": "/me/records?state=reserved",
    }
    look_at(page, site, look, waiting)
    decision = world.decide(
        request,
        Verdict(position=0, verdict="credit"),
        Verdict(
            position=1,
            verdict="waived",
            reason="requirement-met-without-credit",
            note="证书覆盖了系统操作，没有覆盖数据库部分。" * 6,
        ),
    )
    index = request.sources.get().index
    decided = {
        "request-decided": f"/me/requests/{request.number}",
        "goal-decided": f"/me/goals/{code}",
        "form-refused": f"/me/goals/{code}/request?o={index}",
        "record-used": f"/me/records/{index}",
        "record-recognised": f"/me/records/{decision.entry_index}",
        "records": "/me/records?state=recognised",
        "account-decided": "/me",
    }
    look_at(page, site, look, decided)
    assert learner.user is not None
    appeals.file_appeal(
        decision=decision,
        positions=[1],
        text="考核大纲第 3 章包含数据库。\n见附件。",
        attachment=appeals.Attachment(name="考核大纲（2025 年版）.pdf", data=b"%PDF-1.4"),
        acting_user=learner.user,
    )
    look_at(page, site, look, {"request-appealed": f"/me/requests/{request.number}"})


def test_reasons_and_limits_read_well(world: World, site: Site, new_page: NewPage) -> None:
    learner = follow(world, world.learner(name="麦尔哈巴·阿布都热依木江·吐尔逊古丽·买买提依明"))
    world.record_certificate(learner, completed_on=date(2019, 3, 2))
    training = world.item()
    world.record_outcome(learner, training)
    outcome = {"all": [{"item": [training.code]}, {"score": {"min": "90"}}]}
    world.publish(
        training,
        gate={"catalogue": True},
        sources={"outcome": outcome},
        allocation={"to": [{"course": "ELE-3"}]},
    )
    paths = {
        "goal-reasons": f"/me/goals/{world.programme.code}",
        "preview-reasons": f"/me/goals/{world.programme.code}?look=1",
        "form-nothing": f"/me/goals/{world.programme.code}/request",
    }
    page = sign_in(new_page(viewport=PHONE), site, learner)
    look_at(page, site, Looks("learner-reasons", (PHONE, NARROW)), paths)


def test_a_preview_stays_in_the_page_and_is_gone_after_reloading(
    world: World, site: Site, new_page: NewPage
) -> None:
    learner = follow(world, world.graduate())
    other = world.x_certificate()
    world.record_certificate(learner, other)
    world.publish(other, allocation={"to": [{"course": "ELE-3"}]})
    page = sign_in(new_page(), site, learner)
    page.goto(f"{site.url}/me/goals")
    page.get_by_test_id("look").click()
    figure = page.get_by_test_id("ring-figure")
    expect(figure).to_contain_text("51/76")
    assert page.url == f"{site.url}/me/goals/{world.programme.code}"
    expect(page.locator("[data-part=possible]")).to_have_count(1)
    page.get_by_text("换几项成果或课程再算").click()
    first = page.locator("input[name=o]").first
    first.uncheck()
    expect(figure).to_contain_text("44/76")
    expect(page.locator("#live")).to_contain_text("还可申请 3")
    expect(page.get_by_test_id("use")).to_have_count(1)
    page.reload()
    expect(figure).to_have_text(re.compile(r"41\s*/76"))
    expect(page.get_by_test_id("use")).to_have_count(0)


def test_a_request_is_filed_by_keyboard_alone(world: World, site: Site, new_page: NewPage) -> None:
    learner = follow(world, world.graduate())
    page = sign_in(new_page(), site, learner)
    page.goto(f"{site.url}/me/goals/{world.programme.code}/request")
    page.locator("main").focus()
    for _stop in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "id_consent":
            break
    box = page.locator("#id_consent").bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 24
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/me/requests/R-"))
    expect(page.get_by_test_id("steps")).to_contain_text("已提交")


def test_without_scripts_it_reads_and_asks_all_the_same(
    world: World, site: Site, new_page: NewPage
) -> None:
    learner = follow(world, world.graduate())
    page = sign_in(new_page(java_script_enabled=False), site, learner)
    page.goto(f"{site.url}/me/goals")
    page.get_by_test_id("look").click()
    expect(page.get_by_test_id("ring-figure")).to_contain_text("48/76")
    page.get_by_test_id("ask").click()
    page.get_by_test_id("consent").check()
    page.get_by_test_id("send").click()
    expect(page.get_by_test_id("number")).to_contain_text("R-")
    line = queries.statement(people.accounts_of(learner))[0]
    page.goto(f"{site.url}/me/records/{line.index}")
    expect(page.get_by_test_id("reserved-for")).to_contain_text("R-")
