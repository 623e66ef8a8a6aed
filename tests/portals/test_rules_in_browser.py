"""The register and its desk in a real browser: every page at two widths, in both languages."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from creditbank.institutions.kinds import OutcomeKind
from creditbank.institutions.operations import grant_scope
from creditbank.jobs import outbox
from creditbank.recognition.models import VersionStatus
from creditbank.recognition.register import publishing
from creditbank.recognition.workflow import simulation
from tests.institutions.cast import approve, propose
from tests.looking import NARROW, Looks
from tests.pages import DESKTOP, PHONE, NewPage
from tests.recognition.shelf import Shelf, make_authority, make_shelf, written
from tests.recording.cast import School, somebody

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from creditbank.users.models import User
    from tests.sites import Site

PASSWORD = "corréct-horse-battery-staple"


@pytest.fixture
def shelf(bank: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setenv("STAFF_SECOND_FACTOR", "0")
    settings.STAFF_SECOND_FACTOR = False
    shelf = make_shelf(
        name="示例省高等职业技术学院与示例县职业教育中心联合体（长名）",
        name_en="Example Higher Vocational College and County Centre Consortium (long name)",
    )
    for user in (shelf.clerk, shelf.reviewer):
        user.set_password(PASSWORD)
        user.save()
    return shelf


def sign_in(page: Page, site: Site, user: User) -> None:
    page.goto(f"{site.url}/account/login/")
    page.fill("input[name=login]", user.username)
    page.fill("input[name=password]", PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/org/"))


def recorded(shelf: Shelf) -> None:
    """Some learners with courses and scores."""
    school = School(
        institution=shelf.institution,
        stream=shelf.institution.streams.get(),
        clerk_member=shelf.clerk_member,
        reviewer_member=shelf.reviewer_member,
        items=[approve(propose(shelf.institution)) for _ in range(2)],
    )
    grant_scope(institution=shelf.institution, outcome_kind="course", valid_from=date(2020, 1, 1))
    rows = []
    for number, score in enumerate(("95", "90", "85", "70", "65"), 2):
        person = somebody()
        rows += [
            school.row(number * 2, document=person, score=score),
            school.row(number * 2 + 1, document=person, score=score, item=school.items[1].code),
        ]
    school.record(*rows)


def filled(shelf: Shelf) -> None:
    """A register with something of everything."""
    recorded(shelf)
    item = approve(propose(shelf.institution, code="ENG-1", title="大学英语四级", title_en="CET-4"))
    assert item.code
    shelf.publish_programme(code="P-1", version=1)
    shelf.publish_programme(
        code="P-2",
        title="物流管理",
        title_en="Logistics Management",
        minimums=[
            {
                "code": "native",
                "title": "在本校修得",
                "title_en": "Earned at the college",
                "of": {"native": True},
                "credits": "6",
            }
        ],
    )
    shelf.publish(code="R-017", version=1)
    shelf.publish(
        code="R-017",
        version=2,
        in_force={"from": "2026-06-01"},
        title="大学英语四级和六级抵免大学英语（含学术英语方向）的认定规则",
        constraints=[{"cap": {"credits": "6"}}, {"exclusive": {"same_name": True}}],
    )
    gone = shelf.publish(code="R-018", title="已废止的规则")
    publishing.withdraw_rule(rule=gone, reason="依据文件已废止", acting_user=shelf.reviewer)
    make_authority().publish(code="R-900", title="全省通用：职业技能等级证书", gate=None)
    shelf.publish(code="R-019", title="明年的规则", in_force={"from": "2099-01-01"})
    # For outcomes of every kind: the coverage has as many columns as it can have.
    kinds = sorted(OutcomeKind)
    shelf.publish(code="R-020", title="各类成果", gate=None, sources={"outcome": {"kind": kinds}})


@pytest.mark.timeout(600)
def test_every_page_of_the_register_is_accessible_at_every_width(
    shelf: Shelf, site: Site, new_page: NewPage
) -> None:
    filled(shelf)
    filing = shelf.filed(code="R-030", version=1, title="待公布的规则")
    shelf.draft(
        code="R-031",
        allocation={"to": [{"course": "NO-SUCH-COURSE", "credits": "3"}]},
        title="有问题的草稿",
    )
    tried = shelf.draft(
        code="R-032",
        title="模拟过的草稿",
        gate=None,
        sources={"outcome": {"all": [{"kind": ["course"]}, {"score": {"min": "80"}}]}},
        allocation={"to": [{"category": "free", "credits": "2.5"}]},
        constraints=[{"cap": {"credits": "4"}}],
    )
    simulation.start_simulation(
        rule=tried,
        programme=simulation.programmes_for(tried)[0],
        acting_user=shelf.clerk,
    )
    outbox.run_due()
    look = Looks("rules", (PHONE, DESKTOP, NARROW))
    for locale, mark in (("zh-CN", "zh"), ("en", "en")):
        reader = new_page(locale=locale)
        for address in (
            "/rules",
            "/rules?state=&q=R-0",
            "/rules?q=nothing-of-the-sort",
            "/rules/coverage",
            "/rules/coverage?by=body",
            "/rules/R-017",
            "/rules/R-017/1",
            "/rules/R-018/1",
            "/rules/R-019",
            "/programmes",
            "/programmes/P-2",
            "/",
        ):
            answer = reader.goto(site.url + address)
            assert answer is not None
            assert answer.status == 200, address
            look(reader, f"{mark}{address[:30]}")
    clerk, reviewer = new_page(), new_page()
    sign_in(clerk, site, shelf.clerk)
    sign_in(reviewer, site, shelf.reviewer)
    desk = f"{site.url}/org/{shelf.slug}"
    for address in (
        "/rules",
        "/rules/new",
        "/rules/R-031/1",
        "/rules/R-031/1/edit",
        "/rules/R-032/1",
        f"/rules/{filing.code}/1",
        "/rules/R-017/2",
        "/programmes",
        "/programmes/P-1/1",
        "/programmes/new",
    ):
        clerk.goto(desk + address)
        look(clerk, f"desk{address}")
    reviewer.goto(f"{desk}/rules/{filing.code}/1")
    look(reviewer, "desk_publish")


def test_a_rule_is_written_checked_filed_and_published(
    shelf: Shelf, site: Site, new_page: NewPage
) -> None:
    shelf.publish_programme(code="P-1")
    clerk, reviewer = new_page(), new_page()
    sign_in(clerk, site, shelf.clerk)
    sign_in(reviewer, site, shelf.reviewer)
    clerk.goto(f"{site.url}/org/{shelf.slug}/rules/new")
    clerk.get_by_test_id("check").click()
    checked = clerk.get_by_test_id("checked")
    expect(checked.get_by_test_id("problem").first).to_be_visible()
    # Checked without leaving the page: what was typed is still there.
    expect(clerk.locator("#document")).to_have_value(re.compile("llcb/rule/v1"))
    clerk.fill("#document", written(shelf.rule(code="R-100")).decode())
    clerk.get_by_test_id("check").click()
    expect(checked.get_by_test_id("problem")).to_have_count(0)
    clerk.get_by_test_id("save").click()
    clerk.wait_for_url(re.compile(r"/rules/R-100/1$"))
    clerk.get_by_test_id("simulate").click()
    expect(clerk.get_by_role("progressbar")).to_be_visible()
    outbox.run_due()
    # The page is drawn anew by itself when the simulation has ended.
    expect(clerk.get_by_test_id("simulated")).to_be_visible()
    clerk.get_by_test_id("file").click()
    expect(clerk.get_by_text("等待另一个人公布").first).to_be_visible()
    reviewer.goto(f"{site.url}/org/{shelf.slug}/rules/R-100/1")
    reviewer.get_by_test_id("publish").click()
    expect(reviewer.get_by_text("已公布，任何人可以在登记簿里核对")).to_be_visible()
    reviewer.goto(f"{site.url}/rules/R-100")
    expect(reviewer.get_by_role("heading", level=1)).to_contain_text("抵免大学英语")
    row = shelf.institution.ruleversions.get(code="R-100")
    assert row.status == VersionStatus.PUBLISHED
    assert row.published_by == shelf.reviewer
