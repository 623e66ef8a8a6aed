"""The learner's account: totals that open their lists, entries, transcripts, claiming, forgetting."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from creditbank.jobs import outbox
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries
from creditbank.users.models import User
from learners import operations as learners
from learners.models import Learner
from tests.institutions.cast import make_user
from tests.learners.people import register, resident
from tests.ledger.cast import College, make_college, published
from tests.looking import Looks
from tests.portals.institution_site import text_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.pages import NewPage
    from tests.sites import Site


@pytest.fixture
def college(bank: Any) -> College:
    return make_college()


PASSWORD = "corréct-horse-battery-staple"


def claimed(name: str = "王𪟝") -> tuple[User, Learner]:
    """A learner who claimed their account with a clerk's code."""
    learner = register(document=resident(), name=name)
    user = make_user()
    user.set_password(PASSWORD)
    user.save()
    code = learners.issue_claim_code(learner, make_user())
    learners.claim(user=user, code=code)
    learner.refresh_from_db()
    return user, learner


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def holder(college: College) -> tuple[Client, Learner, College]:
    user, learner = claimed()
    account = learner.account_id
    first = college.record(college.award(account))
    college.record(college.award(account, item_row=college.items[1]))
    published(ledger.reverse_entry(index=first.first_index, reason="成绩登记有误"))
    return signed_in(user), learner, college


def test_the_four_totals_open_lists_that_add_up_to_them(
    holder: tuple[Client, Learner, College],
) -> None:
    client, learner, _ = holder
    page = client.get("/me").content.decode()
    assert "王𪟝" in page
    balance = queries.balance([learner.account_id])
    assert balance.available + balance.used + balance.lapsed == balance.awarded == 6
    for state, lines in (("entered", 1), ("used", 0), ("lapsed", 1), ("", 2)):
        listed = client.get(f"/me/records?state={state}").content.decode()
        assert listed.count('data-testid="entry"') == lines


def test_an_entry_shows_where_it_comes_from_and_its_proof(
    holder: tuple[Client, Learner, College],
) -> None:
    client, learner, _ = holder
    line = queries.statement([learner.account_id])[0]
    page = client.get(f"/me/records/{line.index}").content.decode()
    assert "新能源汽车技术基础" in page
    assert "任何人可核对" in page
    assert client.get(f"/log/{line.index}/proof").status_code == 200


def test_an_entry_is_told_in_the_readers_language(
    holder: tuple[Client, Learner, College],
) -> None:
    client, learner, college = holder
    index = queries.statement([learner.account_id])[0].index
    chinese = text_of(client.get(f"/me/records/{index}"))
    assert re.search(r"资历等级 [一二三四五六七]级 · 终身教育资历框架", chinese)
    assert "成绩等级 良好 分数 86" in chinese
    client.cookies["lang"] = "en"
    english = text_of(client.get(f"/me/records/{index}"))
    assert re.search(r"Qualification level Level \d · Lifelong Education", english)
    assert "Grade 良好 (good) Score 86" in english
    assert f"Awarding body {college.institution.name_en}" in english
    title, title_en = college.items[0].title, college.items[0].title_en
    assert english.index(title_en) < english.index(title)
    assert title_en in text_of(client.get("/me"))


def test_anothers_entry_is_not_found(holder: tuple[Client, Learner, College]) -> None:
    client, learner, _ = holder
    other, _ = claimed("阿依古丽·买买提")
    line = queries.statement([learner.account_id])[0]
    assert signed_in(other).get(f"/me/records/{line.index}").status_code == 404
    assert client.get("/me/records/999999").status_code == 404


def test_without_signing_in_there_is_no_account(db: Any) -> None:
    for path in ("/me", "/me/records", "/me/transcripts", "/me/settings"):
        response = Client().get(path)
        assert response.status_code == 302
        assert response["Location"].startswith("/account/login/")


def test_a_transcript_is_requested_made_and_downloaded(
    holder: tuple[Client, Learner, College],
) -> None:
    client, _, _ = holder
    response = client.post("/me/transcripts")
    address = response["Location"]
    waiting = client.get(address).content.decode()
    assert "正在出具学分证明" in waiting
    outbox.run_due()
    ready = client.get(address).content.decode()
    assert "下载 PDF" in ready
    pdf = client.get(f"{address}/pdf")
    assert pdf["Content-Type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")
    assert client.get(f"{address}/json").json()["type"]
    other, _ = claimed("张伟")
    assert signed_in(other).get(f"{address}/pdf").status_code == 404


def test_typing_a_wrong_code_claims_nothing_and_says_so(db: Any, bank: Any) -> None:
    client = signed_in(make_user())
    assert client.get("/me").status_code == 302
    response = client.post("/me/claim", {"code": "0000-0000-0000-0000"})
    assert response.status_code == 422
    assert "callout state-bad" in response.content.decode()


def test_a_learner_who_asks_is_forgotten(holder: tuple[Client, Learner, College]) -> None:
    client, learner, _ = holder
    index = queries.statement([learner.account_id])[0].index
    assert client.post("/me/settings/forget", {"word": "不"}).status_code == 422
    assert client.post("/me/settings/forget", {"word": "删除"}).status_code == 302
    assert client.get("/me").status_code == 302
    page = Client().get(f"/log/{index}")
    assert page.status_code == 200
    assert "王𪟝" not in page.content.decode()


def opened(page: Page, site: Site, user: User) -> Page:
    """The account, just signed in to."""
    page.goto(f"{site.url}/account/login/")
    page.fill("input[name=login]", user.username)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{site.url}/me")
    return page


def test_on_a_phone_the_header_is_one_row_and_the_present_page_is_in_sight(
    college: College, site: Site, new_page: NewPage
) -> None:
    user, _learner = claimed()
    page = opened(new_page(), site, user)
    for width, language in itertools.product((320, 390), ("zh-hans", "en")):
        page.set_viewport_size({"width": width, "height": 700})
        page.context.add_cookies([{"name": "lang", "value": language, "url": site.url}])
        for path in ("/me", "/me/transcripts", "/me/settings"):
            page.goto(site.url + path)
            boxes = [
                page.locator(f".bank-header {part}").bounding_box()
                for part in (".brand", ".header-tools")
            ]
            brand, tools = boxes
            assert brand is not None
            assert tools is not None
            assert brand["x"] + brand["width"] <= tools["x"]
            assert abs(brand["y"] + brand["height"] / 2 - tools["y"] - tools["height"] / 2) < 2
            here = page.locator(".area [aria-current=page]").bounding_box()
            assert here is not None
            assert 0 <= here["x"] < here["x"] + here["width"] <= width
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_pages_are_accessible_in_a_browser(
    college: College, site: Site, new_page: NewPage
) -> None:
    user, learner = claimed()
    account = learner.account_id
    published(college.record(*(college.award(account, item_row=item) for item in college.items)))
    page, look = opened(new_page(), site, user), Looks("account")
    index = queries.statement([account])[0].index
    for path in (
        "/",
        "/me",
        "/me/records",
        f"/me/records/{index}",
        "/me/transcripts",
        "/me/settings",
    ):
        page.goto(site.url + path)
        look(page, path)
