"""One credit's whole way: recorded, approved, seen, certified, verified, altered, reversed.

Everything runs as in operation: gunicorn, worker, signer, and a Chromium whose
pages share nothing with each other.
"""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pypdf
import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import expect
from pypdf.generic import NameObject

from learners import operations as learners
from tests.certificates.forgeries import overwritten, saved, with_attachment
from tests.institutions.cast import make_user
from tests.learners.people import register, resident
from tests.looking import Looks, Size
from tests.pages import DESKTOP, PHONE, NewPage
from tests.recording.cast import School, make_school

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from creditbank.users.models import User
    from learners.identity import IdentityDocument
    from tests.sites import Site

PASSWORD = "corréct-horse-battery-staple"
NAME = "王𪟝"
SCORE, FALSE_SCORE = "86", "96"


@pytest.fixture
def without_second_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the demo: signing in with an authenticator is another test's matter."""
    monkeypatch.setenv("STAFF_SECOND_FACTOR", "0")


@dataclass
class Learner:
    """Somebody who has claimed an account."""

    user: User
    document: IdentityDocument


@pytest.fixture
def school(bank: Any) -> School:
    school = make_school()
    for user in (school.clerk, school.reviewer):
        can_sign_in(user)
    return school


@pytest.fixture
def learner(bank: Any) -> Learner:
    document = resident()
    row = register(document=document, name=NAME)
    user = make_user()
    can_sign_in(user)
    learners.claim(user=user, code=learners.issue_claim_code(row, make_user()))
    return Learner(user=user, document=document)


def can_sign_in(user: User) -> None:
    user.set_password(PASSWORD)
    user.save()


class Walk:
    """The pages of one journey at one width: each is looked at when it is reached."""

    def __init__(self, site: Site, new_page: NewPage, size: Size) -> None:
        self.site = site
        self._new_page = new_page
        self._size = size
        self.look = Looks("journey", [size])

    def stranger(self) -> Page:
        """A page in a browser that has never been here."""
        return self._new_page(viewport=self._size)

    def sign_in(self, user: User) -> Page:
        page = self.stranger()
        page.goto(f"{self.site.url}/account/login/")
        self.look(page, "sign-in")
        page.fill("input[name=login]", user.username)
        page.fill("input[name=password]", PASSWORD)
        page.locator("main button[type=submit]").first.click()
        page.wait_for_url(re.compile(r"/(me|org)\b"))
        return page


def drop(page: Page, name: str, data: bytes) -> None:
    """Drop a file on the page's drop zone, as a hand with a mouse does."""
    transfer = page.evaluate_handle(
        """([name, text]) => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            transfer.items.add(new File([bytes], name, {type: "application/pdf"}));
            return transfer;
        }""",
        [name, base64.b64encode(data).decode()],
    )
    zone = page.locator(".drop-zone")
    zone.dispatch_event("dragover", {"dataTransfer": transfer})
    with page.expect_navigation():
        zone.dispatch_event("drop", {"dataTransfer": transfer})


def qr_of(pdf: bytes) -> str:
    """What a telephone reads when it is held over the first page."""
    document = pypdfium2.PdfDocument(pdf)
    picture = document[0].render(scale=3).to_pil()
    document.close()
    (found,) = zxingcpp.read_barcodes(picture)
    return str(found.text)


def digit_changed_in_the_data(pdf: bytes) -> bytes:
    """The attached JSON says a better score than the register."""
    ((_, (attached,)),) = pypdf.PdfReader(io.BytesIO(pdf)).attachments.items()
    assert attached.count(f'"{SCORE}"'.encode()) >= 1
    return with_attachment(
        pdf, attached.replace(f'"{SCORE}"'.encode(), f'"{FALSE_SCORE}"'.encode())
    )


def digit_changed_on_the_page(pdf: bytes) -> bytes:
    """The page shows a better score than the attached JSON and the register."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf))
    page = writer.pages[0]
    stream = overwritten(pypdf.PdfReader(io.BytesIO(pdf)), page, SCORE, FALSE_SCORE)
    page[NameObject("/Contents")] = writer._add_object(stream)
    return saved(writer)


def clerk_records(walk: Walk, school: School, learner: Learner) -> None:
    page = walk.sign_in(school.clerk)
    walk.look(page, "desk")
    page.goto(f"{walk.site.url}/org/{school.slug}/record")
    page.select_option("[name=item]", school.items[0].code)
    page.fill("[name=number]", learner.document.number)
    page.fill("[name=name]", NAME)
    page.fill("[name=completed_on]", "2026-06-17")
    page.fill("[name=score]", SCORE)
    page.fill("[name=hours]", "48")
    walk.look(page, "record")
    page.get_by_role("button", name="预览").click()
    expect(page.get_by_test_id("credits")).to_have_text("3.00")
    walk.look(page, "preview")
    page.get_by_role("button", name="提交复核").click()
    expect(page.locator("main")).to_contain_text("等待另一位同事复核")
    expect(page.get_by_test_id("approve")).to_have_count(0)
    walk.look(page, "draft-of-the-clerk")


def reviewer_approves(walk: Walk, school: School) -> Page:
    page = walk.sign_in(school.reviewer)
    page.goto(f"{walk.site.url}/org/{school.slug}/approvals")
    walk.look(page, "approvals")
    page.get_by_test_id("draft").first.get_by_role("link").click()
    expect(page.get_by_test_id("row")).to_contain_text(NAME)
    walk.look(page, "draft-of-the-reviewer")
    page.get_by_test_id("approve").click()
    expect(page.get_by_test_id("line")).to_contain_text(NAME)
    walk.look(page, "receipt")
    return page


def learner_gets_the_transcript(walk: Walk, learner: Learner) -> bytes:
    page = walk.sign_in(learner.user)
    expect(page.get_by_test_id("totals")).to_contain_text("3.00")
    expect(page.get_by_test_id("entry")).to_have_count(1)
    walk.look(page, "account")
    page.get_by_test_id("entry").get_by_role("link").click()
    expect(page.locator("main")).to_contain_text(SCORE)
    walk.look(page, "entry")
    page.goto(f"{walk.site.url}/me")
    page.get_by_test_id("request-transcript").click()
    button = page.get_by_test_id("download-pdf")
    expect(button).to_be_visible(timeout=60_000)
    walk.look(page, "transcript")
    with page.expect_download() as download:
        button.click()
    return Path(download.value.path()).read_bytes()


def stranger_verifies(walk: Walk, pdf: bytes) -> Page:
    page = walk.stranger()
    address = qr_of(pdf)
    assert address.startswith(f"{walk.site.url}/v/")
    page.goto(address)
    expect(page.locator(".verdict-word")).to_have_text("有效")
    expect(page.locator(".holder")).to_have_text(NAME)
    walk.look(page, "qr-link")

    page.goto(f"{walk.site.url}/verify")
    walk.look(page, "verify")
    drop(page, "证明.pdf", pdf)
    expect(page.locator(".verdict")).to_contain_text("V-OK")
    walk.look(page, "file-genuine")
    return page


def stranger_is_told_what_differs(walk: Walk, page: Page, name: str, file: bytes) -> None:
    page.goto(f"{walk.site.url}/verify")
    drop(page, f"{name}.pdf", file)
    expect(page.locator(".verdict")).to_contain_text("V-TAMPERED")
    row = page.locator("tr.differs").filter(has_text=FALSE_SCORE)
    expect(row).to_have_count(1)
    told = row.get_by_role("cell").all_inner_texts()
    assert "分数" in told[0]
    assert FALSE_SCORE in told[1]
    assert SCORE in told[2]
    expect(page.locator("main")).to_contain_text("登记簿上的内容")
    walk.look(page, name)


def institution_reverses(walk: Walk, page: Page) -> None:
    page.get_by_test_id("line").get_by_role("link").click()
    walk.look(page, "record-of-the-reviewer")
    page.get_by_text("冲正这笔记录").click()
    page.fill("[name=reason]", "成绩登记有误")
    page.get_by_test_id("reverse").click()
    expect(page.locator("main")).to_contain_text("已冲正")
    walk.look(page, "reversed")


def stranger_sees_the_reversal(walk: Walk, page: Page, pdf: bytes) -> None:
    page.goto(qr_of(pdf))
    expect(page.locator(".verdict")).to_contain_text("V-REVOKED")
    walk.look(page, "qr-link-after-reversal")
    page.goto(f"{walk.site.url}/verify")
    drop(page, "证明.pdf", pdf)
    expect(page.locator(".verdict")).to_contain_text("V-REVOKED")
    walk.look(page, "file-after-reversal")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["390", "1280"])
def test_a_credit_reaches_an_employer_and_its_reversal_too(
    size: Size,
    school: School,
    learner: Learner,
    without_second_factor: None,
    site: Site,
    worker: Any,
    new_page: NewPage,
) -> None:
    walk = Walk(site, new_page, size)
    clerk_records(walk, school, learner)
    reviewer = reviewer_approves(walk, school)
    pdf = learner_gets_the_transcript(walk, learner)
    stranger = stranger_verifies(walk, pdf)
    stranger_is_told_what_differs(
        walk, stranger, "digit-changed-in-the-data", digit_changed_in_the_data(pdf)
    )
    stranger_is_told_what_differs(
        walk, stranger, "digit-changed-on-the-page", digit_changed_on_the_page(pdf)
    )
    institution_reverses(walk, reviewer)
    stranger_sees_the_reversal(walk, stranger, pdf)
    account = walk.sign_in(learner.user)
    expect(account.get_by_test_id("totals")).to_contain_text("0.00")
    expect(account.get_by_test_id("entry")).to_contain_text("已冲正")
    walk.look(account, "account-after-reversal")
