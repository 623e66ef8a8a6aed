"""The desk in a real browser: the form by keyboard alone, and every page at two widths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from creditbank.jobs import outbox
from creditbank.recording import operations, uploads
from creditbank.recording.models import Draft, DraftState
from tests.looking import Looks
from tests.pages import NewPage
from tests.recording.cast import School, line, make_school, somebody, workbook

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from creditbank.users.models import User
    from tests.sites import Site

PASSWORD = "corréct-horse-battery-staple"


@pytest.fixture
def school(bank: Any, monkeypatch: pytest.MonkeyPatch) -> School:
    monkeypatch.setenv("STAFF_SECOND_FACTOR", "0")
    school = make_school(name="示例省高等职业技术学院与示例县职业教育中心联合体（长名）")
    for user in (school.clerk, school.reviewer):
        user.set_password(PASSWORD)
        user.save()
    return school


def sign_in(page: Page, site: Site, user: User) -> None:
    page.goto(f"{site.url}/account/login/")
    page.fill("input[name=login]", user.username)
    page.fill("input[name=password]", PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/org/"))


def test_an_outcome_is_recorded_by_keyboard_in_twelve_stops(
    school: School, site: Site, page: Page
) -> None:
    document = somebody()
    sign_in(page, site, school.clerk)
    page.goto(f"{site.url}/org/{school.slug}/record")
    stops = 0
    page.locator("main").focus()

    def tab() -> str:
        nonlocal stops
        stops += 1
        page.keyboard.press("Tab")
        return str(page.evaluate("document.activeElement.name || document.activeElement.value"))

    wanted = {
        "number": document.number,
        "name": "张示例",
        "completed_on": "2026.6.17",
        "score": "86",
        "term": "2025-2026-2",
    }
    while (name := tab()) != "step":
        if name in wanted:
            page.keyboard.type(wanted.pop(name))
    assert wanted == {}
    page.keyboard.press("Enter")
    # The preview's button has the focus already: one stop, and no tabulator.
    submit = page.get_by_role("button", name="提交复核")
    expect(submit).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/approvals/[0-9a-f-]{36}$"))
    assert stops + 1 <= 12
    assert Draft.objects.get().state == DraftState.SUBMITTED


def test_every_page_of_the_desk_is_accessible_at_two_widths(
    school: School, site: Site, new_page: NewPage
) -> None:
    code = school.items[0].code
    receipt = school.record(*school.rows(3, name="阿卜杜热合曼·买买提艾力·示例", score="86"))
    waiting = school.submit(*school.rows(2))
    returned = school.submit()
    operations.refuse_draft(draft=returned, reason="成绩单缺盖章", acting_user=school.reviewer)
    rows = [line(somebody(), code), line(somebody(), "NO-SUCH-CODE-OF-SOME-LENGTH", score="2000")]
    upload = uploads.start_upload(
        institution=school.institution,
        stream=school.stream,
        name="2026年春季学期成绩（最终版）.xlsx",
        data=workbook(rows),
        acting_user=school.clerk,
    )
    bad = uploads.start_upload(
        institution=school.institution,
        stream=school.stream,
        name="证书.pdf",
        data=b"%PDF-1.7\n",
        acting_user=school.clerk,
    )
    outbox.run_due()
    clerk, reviewer = new_page(), new_page()
    sign_in(clerk, site, school.clerk)
    sign_in(reviewer, site, school.reviewer)
    desk = f"{site.url}/org/{school.slug}"
    look = Looks("desk")
    for address in (
        "",
        "/record",
        "/imports",
        f"/imports/{upload.pk}",
        f"/imports/{bad.pk}",
        "/approvals",
        f"/approvals/{returned.pk}",
        "/records",
        f"/receipts/{receipt.manifest_index}",
        f"/records/{receipt.first_index}",
        "/members",
        "/keys",
        "/claim-codes",
    ):
        clerk.goto(desk + address)
        look(clerk, address.strip("/").partition("/")[0] or "today")
    clerk.goto(f"{desk}/record")
    clerk.get_by_role("button", name="预览").click()
    look(clerk, "record-with-mistakes")
    clerk.fill("input[name=number]", somebody().number)
    clerk.fill("input[name=name]", "张示例")
    clerk.fill("input[name=completed_on]", "2026-06-17")
    clerk.get_by_role("button", name="预览").click()
    expect(clerk.get_by_role("button", name="提交复核")).to_be_visible()
    look(clerk, "preview")
    reviewer.goto(desk)
    look(reviewer, "reviewer-today")
    reviewer.goto(f"{desk}/approvals/{waiting.pk}")
    look(reviewer, "draft")
    reviewer.get_by_test_id("approve").click()
    reviewer.wait_for_url(re.compile(r"/receipts/\d+$"))
    look(reviewer, "receipt-after-approval")
    reviewer.goto(f"{desk}/records/{receipt.first_index}")
    reviewer.get_by_text("冲正这笔记录").click()
    reviewer.fill("textarea[name=reason]", "成绩登记有误")
    look(reviewer, "reverse")
    reviewer.get_by_test_id("reverse").click()
    expect(reviewer.get_by_text("已冲正。原记录仍在登记簿上")).to_be_visible()
    look(reviewer, "reversed")
