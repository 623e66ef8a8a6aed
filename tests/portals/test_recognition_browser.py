"""The desk's pages of recognition in a real browser: every page at two widths, in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from creditbank.recognition.workflow import preapprovals
from tests.pages import DESKTOP, PHONE, NewPage
from tests.portals.casework import appeal, promise, someone, waived_second
from tests.recognition.world import World, make_world

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from creditbank.users.models import User
    from tests.sites import Site

PASSWORD = "corréct-horse-battery-staple"
SERIOUS = ("serious", "critical")
LANGUAGES = {"zh": "zh-CN", "en": "en-GB"}
Look = Callable[["Page", str], None]


@pytest.fixture
def world(bank: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    settings.STAFF_SECOND_FACTOR = False
    monkeypatch.setenv("STAFF_SECOND_FACTOR", "0")
    world = make_world()
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


def looker(folder: Path, size: dict[str, int], language: str) -> Look:
    """Leave a picture of a page; no serious fault of accessibility, nothing scrolls sideways."""
    seen = 0

    def look(page: Page, name: str) -> None:
        nonlocal seen
        seen += 1
        page.screenshot(
            path=folder / f"{size['width']}-{language}-{seen:02}-{name}.png", full_page=True
        )
        faults = [
            (fault["id"], [node["html"][:200] for node in fault["nodes"]])
            for fault in Axe().run(page).response["violations"]
            if fault["impact"] in SERIOUS
        ]
        assert faults == [], name
        assert page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        ), name

    return look


@pytest.mark.timeout(600)
@pytest.mark.parametrize("language", list(LANGUAGES))
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["390", "1280"])
def test_every_page_of_recognition_is_accessible(
    size: dict[str, int],
    language: str,
    world: World,
    site: Site,
    new_page: NewPage,
    tmp_path: Path,
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
    look = looker(tmp_path, size, language)
    page = new_page(viewport=size, locale=LANGUAGES[language])
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
    other = new_page(viewport=size, locale=LANGUAGES[language])
    sign_in(other, site, world.officer(1))
    other.goto(f"{desk}/appeals/{open_appeal.number}")
    look(other, "appeal")
    clerk = new_page(viewport=size, locale=LANGUAGES[language])
    sign_in(clerk, site, world.college.clerk)
    clerk.goto(f"{desk}/pre-approvals/new?programme={world.programme.code}")
    look(clerk, "pre-approval-form")
    stranger = new_page(viewport=size, locale=LANGUAGES[language])
    stranger.goto(f"{site.url}/notices")
    look(stranger, "notices")
