"""The queue and the decision: the author has no button, and the request is refused without one."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from creditbank.institutions.kinds import Role
from creditbank.jobs import outbox
from creditbank.ledger import guard
from creditbank.ledger import operations as ledger
from creditbank.portals import institution_approvals
from creditbank.recording import operations
from creditbank.recording.models import DraftState
from tests.institutions.cast import make_member
from tests.portals.institution_site import school, signed_in, text_of
from tests.recording.cast import School, make_school, somebody

__all__ = ["school"]


def test_a_reviewer_approves_and_sees_the_receipt(school: School) -> None:
    document = somebody()
    draft = school.submit(school.row(document=document, name="欧阳示例"))
    client = signed_in(school.reviewer_member)
    queue = client.get(f"/org/{school.slug}/approvals")
    address = f"/org/{school.slug}/approvals/{draft.pk}"
    assert address in queue.content.decode()
    page = client.get(address)
    text = text_of(page)
    assert "欧阳示例" in text
    assert document.masked in text
    assert document.number not in page.content.decode()
    assert 'data-testid="approve"' in page.content.decode()
    answer = client.post(f"{address}/approve", follow=True)
    draft.refresh_from_db()
    assert draft.is_recorded
    assert answer.redirect_chain == [(f"/org/{school.slug}/receipts/{draft.manifest_index}", 302)]
    assert "已复核并存入" in text_of(answer)
    assert "内容已清除" not in text_of(client.get(address))


def test_the_author_has_no_button_and_no_way_around_it(school: School) -> None:
    member = make_member(school.institution, Role.ADMIN, serial=41)
    draft = operations.prepare_draft(
        institution=school.institution,
        stream=school.stream,
        rows=[school.row()],
        acting_user=member.user,
    )
    operations.submit_draft(draft=draft, acting_user=member.user)
    client = signed_in(member)
    address = f"/org/{school.slug}/approvals/{draft.pk}"
    page = client.get(address)
    assert 'data-testid="approve"' not in page.content.decode()
    assert "须由另一个人复核" in text_of(page)
    size = ledger.head_size()
    for step in ("approve", "refuse"):
        response = client.post(f"{address}/{step}", {"reason": "r"})
        assert response.status_code in (403, 409)
    draft.refresh_from_db()
    assert (draft.state, ledger.head_size()) == (DraftState.SUBMITTED, size)


def test_a_second_user_of_the_author_has_no_button_either(school: School) -> None:
    second = make_member(school.institution, Role.REVIEWER)
    second.user.person_digest = school.clerk.person_digest
    second.user.save()
    draft = school.submit()
    client = signed_in(second)
    address = f"/org/{school.slug}/approvals/{draft.pk}"
    assert 'data-testid="approve"' not in client.get(address).content.decode()
    assert client.post(f"{address}/approve").status_code in (403, 409)


def test_a_reviewer_whose_document_nobody_saw_is_told_so(school: School) -> None:
    unseen = make_member(school.institution, Role.REVIEWER)
    draft = school.submit()
    client = signed_in(unseen)
    address = f"/org/{school.slug}/approvals/{draft.pk}"
    assert "两人的身份证件都已核对" in text_of(client.get(address))
    assert client.post(f"{address}/approve").status_code in (403, 409)


def test_a_clerk_sees_the_queue_and_decides_nothing(school: School) -> None:
    draft = school.submit()
    client = signed_in(make_member(school.institution, Role.CLERK, serial=42))
    address = f"/org/{school.slug}/approvals/{draft.pk}"
    assert client.get(address).status_code == 200
    for step in ("approve", "refuse"):
        assert client.post(f"{address}/{step}").status_code == 403


def test_a_draft_is_sent_back_with_a_reason(school: School) -> None:
    draft = school.submit()
    client = signed_in(school.reviewer_member)
    address = f"/org/{school.slug}/approvals/{draft.pk}"
    assert client.post(f"{address}/refuse", {"reason": ""}).status_code == 422
    client.post(f"{address}/refuse", {"reason": "成绩单缺盖章"})
    draft.refresh_from_db()
    assert (draft.state, draft.refused_reason) == (DraftState.REFUSED, "成绩单缺盖章")
    author = signed_in(school.clerk_member).get(address)
    assert "成绩单缺盖章" in text_of(author)
    assert "修改后重新提交" in text_of(author)
    late = client.post(f"{address}/approve", follow=True)
    assert late.status_code in (200, 409)
    draft.refresh_from_db()
    assert draft.state == DraftState.REFUSED


def test_a_draft_is_withdrawn_by_its_author(school: School) -> None:
    draft = school.submit()
    address = f"/org/{school.slug}/approvals/{draft.pk}"
    other = signed_in(make_member(school.institution, Role.CLERK, serial=43))
    other.post(f"{address}/withdraw")
    draft.refresh_from_db()
    assert draft.state == DraftState.SUBMITTED
    signed_in(school.clerk_member).post(f"{address}/withdraw")
    draft.refresh_from_db()
    assert draft.state == DraftState.WITHDRAWN
    assert "内容已清除" in text_of(other.get(address))


def test_a_draft_that_was_only_kept_can_be_submitted_later(school: School) -> None:
    draft = school.prepare()
    address = f"/org/{school.slug}/approvals/{draft.pk}"
    client = signed_in(school.clerk_member)
    assert "提交复核" in text_of(client.get(address))
    client.post(f"{address}/submit")
    draft.refresh_from_db()
    assert draft.state == DraftState.SUBMITTED


def test_what_changed_since_the_submission_is_shown_before_the_decision(school: School) -> None:
    document = somebody()
    draft = school.submit(school.row(2, document=document), school.row(3))
    school.record(school.row(document=document, score="91"))
    client = signed_in(school.reviewer_member)
    address = f"/org/{school.slug}/approvals/{draft.pk}"
    page = client.get(address)
    assert "与登记簿的现状不符" in text_of(page)
    assert [one.row for one in page.context["problems"]] == [2]
    answer = client.post(f"{address}/approve", follow=True)
    assert "没有存入任何一行" in text_of(answer)
    draft.refresh_from_db()
    assert (draft.state, draft.is_recorded) == (DraftState.SUBMITTED, False)


def test_an_approval_clicked_twice_gives_one_receipt(school: School) -> None:
    draft = school.submit()
    client = signed_in(school.reviewer_member)
    address = f"/org/{school.slug}/approvals/{draft.pk}/approve"
    first = client.post(address)
    size = ledger.head_size()
    second = client.post(address)
    assert first["Location"] == second["Location"]
    assert ledger.head_size() == size


def test_a_large_draft_is_recorded_behind_a_bar(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(institution_approvals, "AT_ONCE_MAX", 2)
    draft = school.submit(*school.rows(60))
    client = signed_in(school.reviewer_member)
    address = f"/org/{school.slug}/approvals/{draft.pk}"
    assert client.get(address).content.decode().count('data-testid="row"') == 50
    page = client.post(f"{address}/approve", follow=True)
    assert f'hx-get="{address}"' in page.content.decode()
    outbox.run_due()
    part: Any = client.get(address, headers={"HX-Request": "true"})
    assert part["HX-Refresh"] == "true"
    draft.refresh_from_db()
    assert draft.count == 60
    assert "登记簿第" in text_of(client.get(address))


def test_another_institutions_draft_is_not_found(school: School) -> None:
    draft = school.submit()
    stranger = make_school()
    client = signed_in(stranger.reviewer_member)
    address = f"/org/{stranger.slug}/approvals/{draft.pk}"
    assert client.get(address).status_code == 404
    for step in ("submit", "approve", "refuse", "withdraw"):
        assert client.post(f"{address}/{step}", {"reason": "r"}).status_code == 404
    draft.refresh_from_db()
    assert draft.state == DraftState.SUBMITTED


def test_while_the_register_is_read_only_nothing_is_decided(school: School, db: Any) -> None:
    draft = school.submit(school.row())
    client = signed_in(school.reviewer_member)
    trigger = "TRIGGER ledger_entry_unchanged"
    with psycopg.connect(db.superuser_url, autocommit=True) as session:
        session.execute(f"ALTER TABLE ledger_entry DISABLE {trigger}".encode())
        guard.check()
        answer = client.post(f"/org/{school.slug}/approvals/{draft.pk}/approve")
        assert answer.status_code == 503
        assert "银行暂时只读：什么也没有存入" in text_of(answer)
        draft.refresh_from_db()
        assert draft.state == DraftState.SUBMITTED
        session.execute(f"ALTER TABLE ledger_entry ENABLE ALWAYS {trigger}".encode())
        guard.check()
    client.post(f"/org/{school.slug}/approvals/{draft.pk}/approve")
    draft.refresh_from_db()
    assert draft.is_recorded
