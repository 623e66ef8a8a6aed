"""The record form: typed, looked at, handed to a reviewer; few steps, every mistake beside its field."""

from __future__ import annotations

import re
from typing import Any

from creditbank.institutions.kinds import OutcomeKind
from creditbank.portals.forms import DETAILS
from creditbank.recording import operations, queries
from creditbank.recording.models import Draft, DraftState
from tests.portals.institution_site import hidden, school, signed_in, text_of
from tests.recording.cast import School, add_item, make_school, somebody

__all__ = ["school"]

TABBED = re.compile(r"<(?:input|select|textarea|button|a)\b[^>]*>")


def typed(school: School, **changes: str) -> dict[str, str]:
    return {
        "item": school.items[0].code,
        "document_type": "resident-id",
        "number": somebody().number,
        "name": "张示例",
        "completed_on": "2026年6月17日",
        "score": "86",
        "grade": "",
        "hours": "48",
        "term": "2025-2026-2",
    } | changes


def tab_stops(response: Any) -> int:
    """What the tabulator key stops at in the page's main part."""
    main = response.content.decode().split('<main id="main"')[1].split("</main>")[0]
    return sum('type="hidden"' not in tag for tag in TABBED.findall(main))


def test_an_outcome_is_previewed_and_then_waits_for_another_person(school: School) -> None:
    client = signed_in(school.clerk_member)
    address = f"/org/{school.slug}/record"
    preview = client.post(address, typed(school) | {"step": "preview"})
    assert preview.status_code == 200
    text = text_of(preview)
    assert "3.00" in text
    assert "2026年6月17日" in text
    assert "学分银行第一次遇到此人" in text
    assert not Draft.objects.exists()
    sent = client.post(address, hidden(preview) | {"step": "submit"}, follow=True)
    draft = Draft.objects.get()
    assert sent.redirect_chain == [(f"/org/{school.slug}/approvals/{draft.pk}", 302)]
    assert (draft.state, draft.prepared_by) == (DraftState.SUBMITTED, school.clerk)
    assert "已提交，等待另一位同事复核。" in text_of(sent)
    (row,) = queries.rows_of(draft)
    assert row.values["completed_on"] == "2026-06-17"


def test_the_way_by_keyboard_has_twelve_stops_at_most(school: School) -> None:
    client = signed_in(school.clerk_member)
    address = f"/org/{school.slug}/record"
    form = client.get(address)
    assert tab_stops(form) + 1 <= 12
    preview = client.post(address, typed(school) | {"step": "preview"})
    assert "autofocus" in preview.content.decode()
    for kind in DETAILS:
        if kind != OutcomeKind.COURSE:
            item = add_item(school, kind)
            first = client.get(address)
            second = client.get(f"{address}?item={item.code}")
            # The link to another kind stands after the button and is not on the way.
            assert tab_stops(first) + tab_stops(second) - 1 + 1 <= 12, kind


def test_mistakes_come_back_beside_their_fields_and_keep_what_was_typed(school: School) -> None:
    client = signed_in(school.clerk_member)
    response = client.post(
        f"/org/{school.slug}/record",
        typed(school, number="22999919900101001X", completed_on="去年", score="2000"),
    )
    assert response.status_code == 422
    form = response.context["form"]
    assert set(form.errors) == {"number", "completed_on", "score"}
    page = response.content.decode()
    assert 'value="去年"' in page
    assert page.count("data-error-summary") == 1
    assert not Draft.objects.exists()


def test_a_submission_is_checked_again_whatever_the_preview_said(school: School) -> None:
    client = signed_in(school.clerk_member)
    response = client.post(
        f"/org/{school.slug}/record", typed(school, name="张3") | {"step": "submit"}
    )
    assert response.status_code == 422
    assert not Draft.objects.exists()


def test_what_the_bank_holds_is_named_and_not_submitted(school: School) -> None:
    document = somebody()
    receipt = school.record(school.row(document=document))
    client = signed_in(school.clerk_member)
    row = typed(school, number=document.number, hours="", term="")
    preview = client.post(f"/org/{school.slug}/record", row)
    assert "学分银行已有这笔记录" in text_of(preview)
    assert f"/records/{receipt.first_index}" in preview.content.decode()
    sent = client.post(f"/org/{school.slug}/record", row | {"step": "submit"}, follow=True)
    assert f"登记簿第 {receipt.first_index} 号" in text_of(sent)
    assert Draft.objects.count() == 1


def test_a_retake_is_explained_before_it_is_submitted(school: School) -> None:
    document = somebody()
    school.record(school.row(document=document, score="71", completed_on="2025-06-20"))
    client = signed_in(school.clerk_member)
    better = typed(school, number=document.number, score="88")
    assert "同时冲正" in text_of(client.post(f"/org/{school.slug}/record", better))
    worse = typed(school, number=document.number, score="70")
    text = text_of(client.post(f"/org/{school.slug}/record", worse))
    assert "计 0 学分" in text
    assert "0.00" in text


def test_another_kind_asks_for_what_it_needs(school: School) -> None:
    item = add_item(school, OutcomeKind.SKILL_LEVEL)
    client = signed_in(school.clerk_member)
    address = f"/org/{school.slug}/record"
    chooser = client.get(address)
    assert list(chooser.context["form"].fields) == ["item"]
    form = client.get(f"{address}?item={item.code}").context["form"]
    assert "certificate" in form.fields
    assert "term" not in form.fields
    row = typed(school, item=item.code, certificate="S000022000001254000001")
    response = client.post(address, row)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["certificate"]


def test_a_returned_draft_can_be_corrected_by_its_author_alone(school: School) -> None:
    draft = school.submit(school.row(name="张示例", score="71"))
    operations.refuse_draft(draft=draft, reason="成绩不符", acting_user=school.reviewer)
    address = f"/org/{school.slug}/record?from={draft.pk}"
    page = signed_in(school.clerk_member).get(address)
    assert page.context["form"].initial["score"] == "71"
    other = signed_in(school.reviewer_member).get(address)
    assert "score" not in other.context["form"].initial
    stranger = make_school()
    foreign = signed_in(stranger.clerk_member).get(f"/org/{stranger.slug}/record?from={draft.pk}")
    assert foreign.status_code == 404
    assert signed_in(school.clerk_member).get(f"{address}x").status_code == 404


def test_a_form_without_a_token_is_refused(school: School) -> None:
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(school.clerk, backend="django.contrib.auth.backends.ModelBackend")
    draft = school.submit()
    for address in ("record", "claim-codes", "records", f"approvals/{draft.pk}/withdraw"):
        assert client.post(f"/org/{school.slug}/{address}", typed(school)).status_code == 403
    upload = client.post(f"/org/{school.slug}/imports", {"file": b"x"})
    assert upload.status_code == 403
