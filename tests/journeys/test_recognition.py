"""A certificate becomes courses: goal, preview, request, decision, a new rule, an appeal (journey J2).

Everything runs as in operation: gunicorn, worker, signer, and a Chromium whose
pages share nothing with each other. The figures are the journey's: 41 of 76,
48 previewed, 41 and 7 pending, 45, and 48 after the appeal.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from creditbank.clock import today
from creditbank.demo.people import PEOPLE
from creditbank.institutions.kinds import Role
from creditbank.recognition.register import publishing
from creditbank.recognition.workflow import cases, decisions, requests
from creditbank.recognition.workflow.decisions import Verdict
from tests.looking import Looks, Size
from tests.pages import DESKTOP, PHONE, NewPage
from tests.portals.receiving import (
    CLASSMATE,
    LEARNER,
    PASSWORD,
    Receiving,
    Student,
    receiving,
    rule_file,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from creditbank.users.models import User
    from tests.sites import Site

assert receiving is not None  # pytest finds the fixture here
ROOT = Path(__file__).resolve().parent.parent.parent
BEFORE = PEOPLE[20:23]
"""Three whose certificates were recognised before: the similar cases."""
WHY = "考核大纲第 3 章覆盖了仓储管理系统的数据库部分，请见附件。"


class Walk:
    """The pages of the journey at one width: each is looked at when it is reached."""

    def __init__(self, site: Site, new_page: NewPage, size: Size) -> None:
        self.site = site
        self._new_page = new_page
        self._size = size
        self._look = Looks("recognition-journey", [size])

    def sign_in(self, user: User) -> Page:
        page = self._new_page(viewport=self._size)
        page.goto(f"{self.site.url}/account/login/")
        page.fill("input[name=login]", user.username)
        page.fill("input[name=password]", PASSWORD)
        page.locator("main button[type=submit]").first.click()
        page.wait_for_url(re.compile(r"/(me|org)\b"))
        return page

    def go(self, page: Page, path: str) -> None:
        page.goto(f"{self.site.url}{path}")

    def look(self, page: Page, name: str, *, again: bool = True) -> None:
        """Look at a page as the journey shows it.

        In English too, but for what stands in no address: `again` is false then.
        """
        if again:
            self._switch(page, "en")
            self._look(page, f"{name}-en")
            self._switch(page, "zh-hans")
        self._look(page, f"{name}-zh")

    @staticmethod
    def _switch(page: Page, language: str) -> None:
        """Press the language switch: it keeps the address."""
        before = page.url
        page.locator("form[data-language-switch] button").click()
        expect(page.locator("html")).to_have_attribute("lang", language)
        assert page.url.partition("#")[0] == before.partition("#")[0]


def recognised_before(college: Receiving) -> None:
    """Three people whose certificate was recognised for both courses."""
    for person in BEFORE:
        one = college.student(person)
        filed = requests.request_recognition(
            learner=one.learner,
            programme=college.programme,
            leaves=[one.leaf()],
            consent=requests.CONSENT,
            acting_user=one.user,
        )
        whole = [
            Verdict(position=at, verdict="credit")
            for at in range(len(cases.current(filed).proposed))
        ]
        decisions.propose_decision(
            request=filed, verdicts=whole, acting_user=college.college.user(Role.REVIEWER)
        )


def figure(page: Page, counted: str, note: str = "") -> None:
    """The ring says how many of the 76 are there."""
    expect(page.get_by_test_id("ring-figure").first).to_have_text(
        re.compile(rf"\s*{counted}\s*/76\s*{re.escape(note)}\s*")
    )


# -- the learner asks -------------------------------------------------------------------------
def learner_adds_the_goal(walk: Walk, page: Page) -> None:
    page.get_by_role("link", name="选择目标").click()
    walk.look(page, "no-goal")
    page.fill("input[name=q]", "南浦 物流")
    page.get_by_role("button", name="查找").click()
    page.get_by_test_id("add").click()
    figure(page, "41")
    expect(page.get_by_test_id("missing")).to_have_text("还差 35 学分")
    expect(page.get_by_test_id("category")).to_have_count(3)
    expect(page.get_by_test_id("usable")).to_have_text("您有 1 项成果可用")
    walk.look(page, "goal-added")


def learner_sees_what_it_counts_for(walk: Walk, page: Page) -> None:
    page.get_by_test_id("look").click()
    figure(page, "48", "预计")
    expect(page.locator("[data-part=possible]")).to_have_count(1)
    use = page.get_by_test_id("use")
    expect(use).to_contain_text("规则已匹配，需学院确认")
    expect(use).to_contain_text("智慧仓配运营职业技能等级证书（中级）")
    expect(use).to_contain_text("规则 R-017 第 3 版 · 2025年1月1日 起生效")
    expect(use).to_contain_text("仓储与配送管理")
    # The rule in plain words: the age it allows, and what it gives.
    expect(use.locator("details")).to_contain_text("5 年")
    walk.look(page, "preview", again=False)
    page.reload()
    figure(page, "41")
    expect(page.get_by_test_id("use")).to_have_count(0)


def learner_asks(walk: Walk, page: Page) -> str:
    page.get_by_test_id("look").click()
    page.get_by_test_id("ask").click()
    expect(page.get_by_test_id("choice").get_by_role("checkbox")).to_be_checked()
    targets = page.get_by_test_id("target").get_by_role("checkbox")
    expect(targets).to_have_count(2)
    for target in targets.all():
        expect(target).to_be_checked()
    expect(page.get_by_test_id("expected")).to_contain_text("10 个工作日内")
    walk.look(page, "form")
    page.get_by_test_id("send").click()
    expect(page.get_by_test_id("refused")).to_contain_text("须同意")
    page.get_by_test_id("consent").check()
    page.get_by_test_id("send").click()
    page.wait_for_url(re.compile(r"/me/requests/R-"))
    expect(page.get_by_test_id("days-left")).to_contain_text("还有 10 个工作日")
    expect(page.locator(".lead")).to_contain_text("已提交")
    walk.look(page, "request-submitted")
    number = page.url.rpartition("/")[2]
    walk.go(page, "/me/goals")
    figure(page, "41", "+ 7 待定")
    walk.look(page, "goal-pending")
    return number


# -- the college decides ----------------------------------------------------------------------
def officer_decides(walk: Walk, officer: Page, desk: str, number: str) -> None:
    walk.go(officer, f"{desk}/requests")
    walk.look(officer, "queue")
    officer.get_by_role("link", name=number).click()
    expect(officer.get_by_test_id("source")).to_contain_text("智慧仓配运营职业技能等级证书（中级）")
    expect(officer.get_by_test_id("check")).to_have_count(7)
    expect(officer.get_by_test_id("rule").first).to_contain_text("R-017 第 3 版")
    expect(officer.get_by_test_id("similar")).to_have_count(2 * len(BEFORE))
    walk.look(officer, "case")
    officer.get_by_test_id("open").click()
    officer.locator("input[name=verdict_0][value=credit]").check()
    officer.locator("input[name=verdict_1][value=waived]").check()
    officer.select_option("select[name=reason_1]", "requirement-met-without-credit")
    officer.fill("textarea[name=note_1]", "数据库部分以本校考核为准。")
    officer.get_by_test_id("preview").click()
    expect(officer.get_by_test_id("letter")).to_be_visible()
    walk.look(officer, "letter", again=False)
    officer.get_by_test_id("submit").click()
    expect(officer.get_by_test_id("decision")).to_contain_text("D-")
    walk.look(officer, "case-decided")


def learner_sees_the_decision(walk: Walk, page: Page, number: str) -> str:
    walk.go(page, f"/me/requests/{number}")
    decision = page.get_by_test_id("decision")
    lines = decision.get_by_test_id("line")
    expect(lines).to_have_count(2)
    for line in lines.all():
        expect(line).to_contain_text("规则 R-017 第 3 版")
    expect(lines.nth(1)).to_contain_text("免修不计学分")
    walk.look(page, "request-in-force")
    made = decision.get_attribute("id")
    assert made is not None
    walk.go(page, "/me/goals")
    figure(page, "45")
    expect(page.get_by_test_id("missing")).to_have_text("还差 31 学分")
    page.get_by_role("link", name="逐项查看要求").click()
    waived = page.locator("#c-LOG-103")
    expect(waived).to_contain_text("免修（0 学分）")
    waived.locator("summary").click()
    for course in (page.locator("#c-LOG-102"), waived):
        expect(course).to_contain_text("规则 R-017 第 3 版")
        expect(course).to_contain_text(f"决定 {made}")
    walk.look(page, "goal-45")
    return made


def learner_cannot_use_it_again(walk: Walk, page: Page, student: Student, decision: str) -> None:
    walk.go(page, f"/me/records/{student.index()}")
    expect(page.get_by_test_id("used-by")).to_have_text(f"认定决定 {decision}")
    walk.look(page, "record-used")
    walk.go(page, f"/me/goals/NP-LOG/request?o={student.index()}")
    expect(page.get_by_test_id("refused")).to_contain_text("这项成果已被使用。")
    expect(page.get_by_test_id("send")).to_have_count(0)
    walk.look(page, "request-refused")
    page.get_by_test_id("earlier-use").click()
    page.wait_for_url(re.compile(rf"/me/requests/R-[^#]+#{decision}"))


# -- a new version of the rule ----------------------------------------------------------------
def authority_publishes_version_4(walk: Walk, receiving: Receiving) -> None:
    clerk = receiving.college.user(Role.CLERK)
    document = json.loads(rule_file(4).read()) | {"in_force": {"from": today().isoformat()}}
    row = publishing.prepare_rule(
        institution=receiving.college.institution,
        document=json.dumps(document, ensure_ascii=False).encode(),
        acting_user=clerk,
    )
    publishing.file_rule(rule=row, acting_user=clerk)
    page = walk.sign_in(receiving.authority.user(Role.REVIEWER))
    walk.go(page, f"/org/{receiving.authority.slug}/rules/R-017/4")
    page.get_by_test_id("publish").click()
    expect(page.locator("main")).to_contain_text("现行")


def the_decision_stays_and_others_preview_5(
    walk: Walk, page: Page, receiving: Receiving, number: str
) -> None:
    walk.go(page, "/me/goals")
    figure(page, "45")
    walk.go(page, f"/me/requests/{number}")
    expect(page.get_by_test_id("line").first).to_contain_text("规则 R-017 第 3 版")
    other = walk.sign_in(receiving.student(CLASSMATE).user)
    walk.go(other, "/me/goals/NP-LOG")
    before = other.get_by_test_id("ring-figure").locator("strong").inner_text()
    other.get_by_test_id("look").click()
    expect(other.get_by_test_id("use")).to_contain_text("规则 R-017 第 4 版")
    figure(other, str(int(before) + 5), "预计")
    walk.look(other, "preview-version-4", again=False)


# -- the appeal -------------------------------------------------------------------------------
def learner_appeals(walk: Walk, page: Page, number: str) -> str:
    walk.go(page, f"/me/requests/{number}")
    page.get_by_text("不同意，申请复议").click()
    page.get_by_label("物流信息技术").check()
    page.fill("textarea[name=text]", WHY)
    syllabus = {"name": "考核大纲.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 x"}
    page.set_input_files("input[name=file]", files=[syllabus])
    page.get_by_test_id("send-appeal").click()
    page.wait_for_url(re.compile(r"#A-"))
    made = page.url.rpartition("#")[2]
    expect(page.get_by_test_id("thread")).to_contain_text(WHY)
    expect(page.get_by_test_id("appeal-days")).to_contain_text("还有 15 个工作日")
    walk.look(page, "appealed")
    return made


def another_officer_changes_it(walk: Walk, receiving: Receiving, appeal: str) -> None:
    desk = f"/org/{receiving.college.slug}"
    first = walk.sign_in(receiving.college.user(Role.REVIEWER))
    walk.go(first, f"{desk}/appeals/{appeal}")
    expect(first.get_by_test_id("refusal")).to_be_visible()
    page = walk.sign_in(receiving.college.user(Role.ADMIN))
    walk.go(page, f"{desk}/appeals/{appeal}")
    walk.look(page, "appeal-at-the-desk")
    page.locator("input[name=verdict_0][value=credit]").check()
    page.locator("input[name=verdict_1][value=credit]").check()
    page.locator("section[aria-labelledby=answer-title] > form textarea[name=text]").fill(
        "附件证明考核覆盖数据库部分，改为计 3 学分。"
    )
    page.get_by_test_id("preview").click()
    page.get_by_test_id("submit").click()
    expect(page.locator("main")).to_contain_text("已作出新决定")
    walk.look(page, "appeal-answered")


def learner_sees_both_decisions(walk: Walk, page: Page, number: str, first: str) -> bytes:
    walk.go(page, "/me/goals")
    figure(page, "48")
    expect(page.get_by_test_id("missing")).to_have_text("还差 28 学分")
    walk.look(page, "goal-48")
    walk.go(page, f"/me/requests/{number}")
    found = page.get_by_test_id("decision")
    expect(found).to_have_count(2)
    expect(found.nth(0)).to_contain_text("认定 7 学分")
    expect(found.nth(0)).to_contain_text(f"取代决定 {first}")
    expect(found.nth(1)).to_contain_text("已由新决定取代")
    for line in found.get_by_test_id("line").all():
        expect(line).to_contain_text("规则 R-017 第 3 版")
    walk.look(page, "both-decisions")
    found.nth(0).get_by_text("任何人都能重算这个决定").click()
    with page.expect_download() as download:
        found.nth(0).get_by_test_id("decision-file").click()
    return Path(download.value.path()).read_bytes()


def anyone_computes_it_again(walk: Walk, file: bytes, folder: Path) -> None:
    """Offline, as a program of its own: the same; with one figure changed, different."""
    import urllib.request

    trust = folder / "trust.json"
    with urllib.request.urlopen(f"{walk.site.url}/.well-known/trust.json") as answer:
        trust.write_bytes(answer.read())

    def replay(data: bytes) -> subprocess.CompletedProcess[str]:
        path = folder / "decision.json"
        path.write_bytes(data)
        return subprocess.run(
            [sys.executable, "-m", "creditbank.recognition.replay", path, "--trust", trust],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    same = replay(file)
    assert same.returncode == 0, same.stdout + same.stderr
    changed = replay(file.replace(b'"credits":"3"', b'"credits":"4"'))
    assert changed.returncode == 1, changed.stdout + changed.stderr


@pytest.mark.timeout(600)
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["390", "1280"])
def test_a_certificate_is_recognised_for_two_courses(
    size: Size,
    receiving: Receiving,
    site: Site,
    worker: Any,
    new_page: NewPage,
    tmp_path: Path,
) -> None:
    receiving.rule(3)
    recognised_before(receiving)
    student = receiving.student(LEARNER)
    walk = Walk(site, new_page, size)
    page = walk.sign_in(student.user)
    learner_adds_the_goal(walk, page)
    learner_sees_what_it_counts_for(walk, page)
    number = learner_asks(walk, page)
    officer = walk.sign_in(receiving.college.user(Role.REVIEWER))
    officer_decides(walk, officer, f"/org/{receiving.college.slug}", number)
    decision = learner_sees_the_decision(walk, page, number)
    learner_cannot_use_it_again(walk, page, student, decision)
    authority_publishes_version_4(walk, receiving)
    the_decision_stays_and_others_preview_5(walk, page, receiving, number)
    appeal = learner_appeals(walk, page, number)
    another_officer_changes_it(walk, receiving, appeal)
    file = learner_sees_both_decisions(walk, page, number, decision)
    anyone_computes_it_again(walk, file, tmp_path)
