"""Rules and programmes at the desk: who may do what, and what is said of mistakes."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from creditbank.institutions.kinds import Role
from creditbank.jobs import outbox
from creditbank.recognition.models import ProgrammeVersion, RuleVersion, VersionStatus
from creditbank.recognition.register import publishing
from tests.institutions.cast import make_member
from tests.portals.institution_site import signed_in, text_of
from tests.recognition.shelf import Shelf, make_authority, make_shelf, written


@pytest.fixture
def shelf(bank: Any, settings: Any) -> Any:
    settings.STAFF_SECOND_FACTOR = False
    with translation.override("zh-hans"):
        yield make_shelf()


@pytest.fixture
def clerk(shelf: Shelf) -> Client:
    return signed_in(shelf.clerk_member)


@pytest.fixture
def reviewer(shelf: Shelf) -> Client:
    return signed_in(shelf.reviewer_member)


def url(shelf: Shelf, *parts: object) -> str:
    return "/".join([f"/org/{shelf.slug}", *map(str, parts)])


def problems(response: Any) -> set[str]:
    """The pointers that the page lists."""
    body = response.content.decode()
    rows = re.findall(r'data-testid="problem">.*?<code>(.*?)</code>', body, flags=re.S)
    return {html.unescape(row) for row in rows}


def typed(response: Any) -> str:
    """What stands in the page's text area."""
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", response.content.decode(), flags=re.S)
    assert found
    return html.unescape(found[1]).lstrip("\n")


# -- writing ----------------------------------------------------------------------------------------
def test_a_new_document_begins_with_the_owners_code(clerk: Client, shelf: Shelf) -> None:
    for kind in ("rules", "programmes"):
        text = typed(clerk.get(url(shelf, kind, "new")))
        assert f'"owner": "{shelf.institution.uscc}"' in text


def test_a_check_lists_every_problem_and_keeps_nothing(clerk: Client, shelf: Shelf) -> None:
    said = written(shelf.rule(law="someday", title="")).decode()
    page = clerk.post(url(shelf, "rules/new"), {"document": said, "step": "check"})
    assert page.status_code == 200
    assert problems(page) == {"/law", "/title"}
    assert typed(page) == said
    fragment = clerk.post(
        url(shelf, "rules/new"),
        {"document": said, "step": "check"},
        headers={"HX-Request": "true"},
    )
    assert problems(fragment) == {"/law", "/title"}
    assert "<html" not in fragment.content.decode()
    assert not RuleVersion.objects.exists()


def test_what_is_good_is_read_back_in_words(clerk: Client, shelf: Shelf) -> None:
    page = clerk.post(
        url(shelf, "rules/new"), {"document": written(shelf.rule()).decode(), "step": "check"}
    )
    assert "没有发现问题" in text_of(page)
    assert "分数不低于 60" in text_of(page)


def test_a_draft_with_mistakes_is_not_kept(clerk: Client, shelf: Shelf) -> None:
    page = clerk.post(url(shelf, "rules/new"), {"document": "{", "step": "save"})
    assert page.status_code == 422
    assert problems(page) == {"/"}
    assert not RuleVersion.objects.exists()


def test_a_draft_is_kept_from_the_text_or_from_a_file(clerk: Client, shelf: Shelf) -> None:
    answer = clerk.post(
        url(shelf, "rules/new"),
        {"document": written(shelf.rule(code="R-1")).decode(), "step": "save"},
    )
    assert answer["Location"] == url(shelf, "rules/R-1/1")
    answer = clerk.post(
        url(shelf, "programmes/new"),
        {
            "document": "ignored",
            "step": "save",
            "file": SimpleUploadedFile("p.json", written(shelf.programme(code="P-1"))),
        },
    )
    assert answer["Location"] == url(shelf, "programmes/P-1/1")
    assert ProgrammeVersion.objects.get().prepared_by == shelf.clerk


def test_a_draft_is_changed_by_whoever_prepared_it(
    clerk: Client, reviewer: Client, shelf: Shelf
) -> None:
    shelf.draft(code="R-1")
    where = url(shelf, "rules/R-1/1/edit")
    assert '"code": "R-1"' in typed(clerk.get(where))
    said = written(shelf.rule(code="R-1", title="改过的")).decode()
    assert clerk.post(where, {"document": said, "step": "save"}).status_code == 302
    assert RuleVersion.objects.get().title == "改过的"
    assert reviewer.post(where, {"document": said, "step": "save"}).status_code == 409
    assert "修改草稿" in text_of(clerk.get(url(shelf, "rules/R-1/1")))
    assert "修改草稿" not in text_of(reviewer.get(url(shelf, "rules/R-1/1")))


def test_the_next_version_begins_with_the_one_before(clerk: Client, shelf: Shelf) -> None:
    shelf.publish(code="R-1", title="从前的")
    text = typed(clerk.get(url(shelf, "rules/new") + "?from=R-1/1"))
    assert '"version": 2' in text
    assert "从前的" in text


# -- filing, publishing, withdrawing ------------------------------------------------------------------
def test_a_rule_goes_the_whole_way(clerk: Client, reviewer: Client, shelf: Shelf) -> None:
    shelf.draft(code="R-1")
    page = url(shelf, "rules/R-1/1")
    assert clerk.post(f"{page}/file").status_code == 302
    assert "等待另一个人公布" in text_of(clerk.get(page))
    # The clerk has no button, and pressing it all the same does nothing.
    assert clerk.post(f"{page}/publish").status_code == 403
    assert reviewer.get(page).context["may_publish"]
    answer = reviewer.post(f"{page}/publish", follow=True)
    assert "已公布，任何人可以在登记簿里核对" in text_of(answer)
    answer = reviewer.post(f"{page}/withdraw", {"reason": ""})
    assert answer.status_code == 422
    answer = reviewer.post(f"{page}/withdraw", {"reason": "过时", "on": "2020-01-01"})
    assert "不能从过去的日子起撤回" in text_of(answer)
    answer = reviewer.post(f"{page}/withdraw", {"reason": "过时"}, follow=True)
    assert "已撤回" in text_of(answer)
    assert RuleVersion.objects.get().status == VersionStatus.WITHDRAWN


def test_a_programme_goes_the_whole_way(clerk: Client, reviewer: Client, shelf: Shelf) -> None:
    publishing.prepare_programme(
        institution=shelf.institution,
        document=written(shelf.programme(code="P-1")),
        acting_user=shelf.clerk,
    )
    page = url(shelf, "programmes/P-1/1")
    clerk.post(f"{page}/file")
    reviewer.post(f"{page}/publish")
    assert ProgrammeVersion.objects.get().status == VersionStatus.PUBLISHED
    assert "毕业要求" in text_of(clerk.get(page))
    reviewer.post(f"{page}/withdraw", {"reason": "停招"})
    assert ProgrammeVersion.objects.get().status == VersionStatus.WITHDRAWN


def test_a_draft_with_problems_is_not_filed(clerk: Client, shelf: Shelf) -> None:
    shelf.publish_programme(code="P-1")
    shelf.draft(code="R-1", allocation={"to": [{"course": "NO-SUCH"}]})
    page = clerk.get(url(shelf, "rules/R-1/1"))
    assert problems(page) == {"/allocation/to/0/course"}
    assert not page.context["may_file"]
    answer = clerk.post(url(shelf, "rules/R-1/1/file"), follow=True)
    assert "还有问题没有解决，没有备案" in text_of(answer)
    assert RuleVersion.objects.get().status == VersionStatus.DRAFT


def test_a_clerk_drops_a_draft(clerk: Client, shelf: Shelf) -> None:
    shelf.draft(code="R-1")
    answer = clerk.post(url(shelf, "rules/R-1/1/withdraw"), {"reason": "写错了"})
    assert answer["Location"] == url(shelf, "rules")
    assert clerk.get(url(shelf, "rules/R-1/1")).status_code == 404


def test_a_reviewer_who_prepared_it_is_told_to_wait(shelf: Shelf, reviewer: Client) -> None:
    row = publishing.prepare_rule(
        institution=shelf.institution,
        document=written(shelf.rule(code="R-1")),
        acting_user=shelf.reviewer,
    )
    publishing.file_rule(rule=row, acting_user=shelf.clerk)
    page = url(shelf, "rules/R-1/1")
    assert "须由另一个人公布" in text_of(reviewer.get(page))
    assert "您与经办人是同一人" in text_of(reviewer.post(f"{page}/publish", follow=True))
    row.refresh_from_db()
    assert not row.is_published


# -- who sees what --------------------------------------------------------------------------------
def test_viewers_read_and_do_nothing(shelf: Shelf) -> None:
    shelf.draft(code="R-1")
    viewer = signed_in(make_member(shelf.institution, Role.VIEWER, serial=42))
    assert "写一份新的" not in text_of(viewer.get(url(shelf, "rules")))
    assert viewer.get(url(shelf, "rules/R-1/1")).status_code == 200
    for path in ("rules/new", "rules/R-1/1/edit"):
        assert viewer.get(url(shelf, path)).status_code == 403
    for path in ("file", "withdraw", "simulate"):
        assert viewer.post(url(shelf, "rules/R-1/1", path)).status_code == 403


def test_strangers_find_nothing(shelf: Shelf) -> None:
    shelf.filed(code="R-1")
    stranger = make_shelf(stream=False)
    client = signed_in(stranger.reviewer_member)
    assert client.get(url(shelf, "rules")).status_code == 404
    assert client.get(url(stranger, "rules/R-1/1")).status_code == 404
    assert client.post(url(stranger, "rules/R-1/1/publish")).status_code == 404


def test_the_authority_sees_what_was_filed_and_publishes_it(shelf: Shelf) -> None:
    authority = make_authority()
    shelf.draft(code="R-1", title="还是草稿")
    shelf.filed(code="R-2", title="已经备案")
    client = signed_in(authority.reviewer_member)
    listed = text_of(client.get(url(authority, "rules")))
    assert "已经备案" in listed
    assert "还是草稿" not in listed
    assert client.get(url(authority, "rules/R-1/1")).status_code == 404
    answer = client.post(url(authority, "rules/R-2/1/publish"), follow=True)
    assert "已公布" in text_of(answer)
    row = RuleVersion.objects.get(code="R-2")
    assert row.published_by == authority.reviewer
    assert row.owner == shelf.institution


# -- simulating -----------------------------------------------------------------------------------
def test_a_simulation_is_started_watched_and_read(clerk: Client, shelf: Shelf) -> None:
    shelf.publish_programme(code="P-1")
    shelf.draft(code="R-1")
    page = url(shelf, "rules/R-1/1")
    answer = clerk.post(f"{page}/simulate", {"programme": "P-1"})
    assert answer["Location"] == f"{page}#simulation"
    fragment = clerk.get(f"{page}/simulation", headers={"HX-Request": "true"})
    assert "hx-get" in fragment.content.decode()
    assert "HX-Refresh" not in fragment
    outbox.run_due()
    assert clerk.get(f"{page}/simulation", headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    text = text_of(clerk.get(page))
    assert "0 人会得到更多" in text
    assert clerk.get(f"{page}/simulation").status_code == 302


def test_a_simulation_for_no_programme_is_refused(clerk: Client, shelf: Shelf) -> None:
    shelf.draft(code="R-1")
    page = url(shelf, "rules/R-1/1")
    answer = clerk.post(f"{page}/simulate", {"programme": "P-9"}, follow=True)
    assert "请选择一个现行的专业" in text_of(answer)
    assert clerk.get(f"{page}/simulation", headers={"HX-Request": "true"}).status_code == 404
