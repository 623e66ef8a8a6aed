"""The public pages in a real browser: what a stranger sees, drops and checks for themselves."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from certificates import queries
from certificates.models import Transcript
from creditbank.jobs.models import Job
from creditbank.ledger import operations
from tests.certificates.holders import Holder, code_of, make_holder, token_of
from tests.ledger.cast import published
from tests.looking import Looks
from tests.pages import DESKTOP, PHONE, NewPage

if TYPE_CHECKING:
    from tests.sites import Site


@pytest.fixture
def holder(bank: Any, site: Site) -> Holder:
    return make_holder(lines=2)


def issue(holder: Holder) -> Transcript:
    """Request a transcript and let the site's worker issue it."""
    made = holder.request()
    limit = time.monotonic() + 60
    while made.state in ("requested", "registered"):
        assert time.monotonic() < limit, Job.objects.get(pk=made.job_id).step
        time.sleep(0.1)
        made.refresh_from_db()
    assert made.state == "issued"
    return made


def test_a_stranger_opens_the_link_drops_the_file_and_types_the_number(
    holder: Holder, site: Site, worker: Any, new_page: NewPage, tmp_path: Path
) -> None:
    transcript = issue(holder)
    file = tmp_path / "证明.pdf"
    file.write_bytes(queries.pdf(transcript))
    altered = tmp_path / "altered.json"
    altered.write_bytes(queries.json(transcript).replace(b'"86"', b'"96"', 1))
    for size in (PHONE, DESKTOP):
        page, look = new_page(viewport=size), Looks("verify", [size])
        page.goto(f"{site.url}/v/{token_of(transcript)}")
        assert page.locator(".verdict-word").inner_text() == "有效"
        look(page, "link")

        page.goto(f"{site.url}/verify")
        look(page, "form")
        with page.expect_navigation():
            page.locator("#id_file").set_input_files(file)
        assert page.locator(".verdict-word").inner_text() == "有效"

        page.goto(f"{site.url}/verify")
        with page.expect_navigation():
            page.locator("#id_file").set_input_files(altered)
        assert "不一致" in page.locator(".verdict-word").inner_text()
        row = page.locator("tr.differs").first
        assert [cell.strip() for cell in row.locator("td").all_inner_texts()] == [
            "第 1 项 分数",
            "96",
            "86",
        ]
        look(page, "altered")

        page.goto(f"{site.url}/verify")
        page.get_by_role("textbox", name="证明编号").fill(transcript.number.lower())
        page.get_by_role("textbox", name="验证码").fill(code_of(transcript))
        page.get_by_role("button", name="核验", exact=True).click()
        assert page.locator(".verdict-word").inner_text() == "有效"
        page.get_by_role("link", name="核验另一份").click()
        page.get_by_role("textbox", name="证明编号").fill("ABCD")
        page.get_by_role("textbox", name="验证码").fill("ABCD")
        page.get_by_role("button", name="核验", exact=True).click()
        assert page.locator(".field-error").count() == 1
        look(page, "typo")


def test_the_number_is_verified_without_any_script(
    holder: Holder, site: Site, worker: Any, new_page: NewPage, tmp_path: Path
) -> None:
    transcript = issue(holder)
    file = tmp_path / "transcript.pdf"
    file.write_bytes(queries.pdf(transcript))
    page = new_page(java_script_enabled=False)
    page.goto(f"{site.url}/verify")
    page.get_by_role("textbox", name="证明编号").fill(transcript.number)
    page.get_by_role("textbox", name="验证码").fill(code_of(transcript))
    page.get_by_role("button", name="核验", exact=True).click()
    assert page.locator(".verdict-word").inner_text() == "有效"
    page.goto(f"{site.url}/verify")
    page.locator("#id_file").set_input_files(file)
    page.get_by_role("button", name="核验文件").click()
    assert page.locator(".verdict-word").inner_text() == "有效"


def test_the_browser_checks_an_entry_by_itself(
    holder: Holder, site: Site, new_page: NewPage
) -> None:
    accounts = operations.open_accounts(600)
    published(holder.college.record(*(holder.college.award(account) for account in accounts)))
    page = new_page()
    for index in (0, 1, holder.indexes()[0], 255, 256, 300, 511, 512, 600):
        page.goto(f"{site.url}/log/{index}")
        page.get_by_role("button", name="用我的浏览器核对").click()
        box = page.locator("#browser-check")
        result = box.locator("[data-result]")
        # Ed25519 in WebCrypto is younger than the rest: without it nothing is claimed.
        knows = page.evaluate(
            "crypto.subtle.generateKey('Ed25519', false, ['sign']).then(() => true, () => false)"
        )
        expected = box.get_attribute("data-all" if knows else "data-some")
        assert expected
        expect(result).to_have_text(expected)
    Looks("entry")(page, "checked")
    page.evaluate("document.getElementById('browser-check').dataset.leaf = '00'.repeat(32)")
    page.get_by_role("button", name="用我的浏览器核对").click()
    expect(page.locator("[data-result]")).to_have_text(
        page.locator("#browser-check").get_attribute("data-bad") or "?"
    )
    assert page.locator('[data-step="leaf"] .state').inner_text() == "未通过"
    assert page.locator('[data-step="root"] .state').inner_text() == "通过"


def test_the_register_pages_can_be_used_on_phone_and_desk(
    holder: Holder, site: Site, new_page: NewPage
) -> None:
    slug = holder.college.institution.slug
    page, look = new_page(), Looks("public")
    for name, address in (
        ("log", "/log"),
        ("institutions", "/institutions"),
        ("institution", f"/institutions/{slug}"),
        ("entry", f"/log/{holder.indexes()[0]}"),
        ("manifest", "/log/0"),
        ("unknown", f"/v/{'A' * 22}"),
    ):
        page.goto(f"{site.url}{address}")
        look(page, name)
