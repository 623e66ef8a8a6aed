"""The desk's pages of recognition in a real browser: every page at two widths, in both languages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from creditbank.recognition.workflow import preapprovals
from tests.looking import Looks
from tests.pages import NewPage
from tests.portals.casework import appeal, promise, someone, waived_second
from tests.recognition.world import World, with_rule

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from creditbank.users.models import User
    from tests.sites import Site

PASSWORD = "corréct-horse-battery-staple"
LANGUAGES = {"zh": "zh-CN", "en": "en-GB"}


@pytest.fixture
def world(begun_world: World, settings: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    settings.STAFF_SECOND_FACTOR = False
    monkeypatch.setenv("STAFF_SECOND_FACTOR", "0")
    world = with_rule(begun_world)
    for user in (world.officer(), world.officer(1), world.officer(2), world.college.clerk):
        user.set_password(PASSWORD)
        user.save()
    return world


def sign_in(page: Page, site: Site, user: User) -> None:
    page.goto(f"{site.url}/account/login/")
    page.fill("input[name=login]", user.username)
    page.fill("input[name=password]", PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/org/"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("language", list(LANGUAGES))
def test_every_page_of_recognition_is_accessible(
    language: str, world: World, site: Site, new_page: NewPage
) -> None:
    waiting = world.request(someone(world, name="阿卜杜热合曼·买买提艾力·示例"))
    two = world.publish(
        procedure={"mode": "review", "reviewers": 2, "notice_days": 5},
        item=world.x_certificate(title="智能仓储职业技能等级证书（中级）"),
        allocation={"to": [{"course": "ELE-1"}]},
    )
    similar = world.publish(
        item=world.x_certificate(title="供应链运营职业技能等级证书（中级）"),
        sources={
            "outcome": {
                "all": [
                    {"kind": ["x-certificate"]},
                    {"fact": {"name": "similarity", "min": "70"}},
                ]
            }
        },
        allocation={"to": [{"course": "ELE-2", "credits": "2"}]},
    )
    assert two.version == similar.version
    decided = world.decide(world.request(someone(world, name="张伟")), *waived_second())
    appealed = world.decide(world.request(someone(world)), *waived_second())
    open_appeal = appeal(appealed)
    prepared = promise(world)
    bound = preapprovals.approve_pre_approval(
        pre_approval=promise(world), acting_user=world.officer()
    )
    look = Looks(f"recognition-{language}")
    page = new_page(locale=LANGUAGES[language])
    sign_in(page, site, world.officer())
    desk = f"{site.url}/org/{world.college.slug}"
    for address, name in (
        ("", "today"),
        ("/requests", "queue"),
        ("/requests?show=in-notice", "queue-empty"),
        (f"/requests/{waiting.number}", "case"),
        (f"/requests/{decided.request.number}", "case-decided"),
        ("/appeals", "appeals"),
        (f"/appeals/{open_appeal.number}", "appeal-of-own-decision"),
        ("/recognitions", "recognitions"),
        ("/pre-approvals", "pre-approvals"),
        (f"/pre-approvals/{prepared.number}", "pre-approval"),
        (f"/pre-approvals/{bound.number}", "pre-approval-in-force"),
    ):
        page.goto(desk + address)
        look(page, name)
    page.goto(f"{desk}/requests/{waiting.number}")
    page.get_by_test_id("open").click()
    look(page, "case-opened")
    page.locator("input[name=verdict_1][value=part]").check()
    page.get_by_test_id("preview").click()
    look(page, "case-mistakes")
    page.locator("input[name=verdict_1][value=waived]").check()
    page.select_option("select[name=reason_1]", "requirement-met-without-credit")
    page.fill("textarea[name=note_1]", "信息技术课程以本校考核为准。")
    page.get_by_test_id("preview").click()
    expect(page.get_by_test_id("letter")).to_be_visible()
    look(page, "letter")
    page.get_by_test_id("submit").click()
    expect(page.get_by_test_id("file")).to_be_visible()
    look(page, "case-after-decision")
    other = new_page(locale=LANGUAGES[language])
    sign_in(other, site, world.officer(1))
    other.goto(f"{desk}/appeals/{open_appeal.number}")
    look(other, "appeal")
    clerk = new_page(locale=LANGUAGES[language])
    sign_in(clerk, site, world.college.clerk)
    clerk.goto(f"{desk}/pre-approvals/new?programme={world.programme.code}")
    look(clerk, "pre-approval-form")
    stranger = new_page(locale=LANGUAGES[language])
    stranger.goto(f"{site.url}/notices")
    look(stranger, "notices")
