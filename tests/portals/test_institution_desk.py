"""An institution's desk: who may sit there, what it shows, people, keys, claim codes."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from creditbank.institutions import operations as institutions
from creditbank.institutions.kinds import Role
from creditbank.ledger import operations as ledger
from creditbank.portals.institution import urlpatterns
from creditbank.recording import operations
from learners import operations as learners
from learners.models import ClaimCode
from tests.institutions.cast import make_member, make_user
from tests.portals.institution_site import school, signed_in, text_of
from tests.recording.cast import School, make_school, somebody

__all__ = ["school"]

PAGES = (
    "",
    "/record",
    "/imports",
    "/imports/template.xlsx",
    "/approvals",
    "/records",
    "/members",
    "/keys",
    "/claim-codes",
)


def addresses(school: School) -> list[str]:
    """Every address of the desk, with a thing of this school's behind each."""
    draft = school.submit()
    index = school.record(school.row()).first_index
    values = {
        "<slug:slug>": school.slug,
        "<uuid:pk>": str(draft.pk),
        "<logindex:index>": str(index),
        "<slug:prefix>": "0123456789ab",
        "<casenumber:number>": "R-2026-0000-0000",
        "<uuid:message>": str(draft.pk),
        "<doccode:code>": "R-001",
        "<docversion:version>": "1",
    }
    found = []
    for pattern in urlpatterns:
        address = "/" + str(pattern.pattern)
        for name, value in values.items():
            address = address.replace(name, value)
        assert "<" not in address
        found.append(address)
    return found


def test_every_page_opens_for_a_clerk_and_is_kept_by_nobody(school: School) -> None:
    client = signed_in(school.clerk_member)
    for page in PAGES:
        response = client.get(f"/org/{school.slug}{page}")
        assert response.status_code == 200, page
        assert "no-store" in response["Cache-Control"]


def test_no_address_of_the_desk_answers_a_stranger(school: School) -> None:
    strangers = {
        "nobody": Client(),
        "a user": Client(),
        "another institution's administrator": signed_in(
            make_member(make_school().institution, Role.ADMIN, serial=5)
        ),
        "a former member": Client(),
    }
    strangers["a user"].force_login(
        make_user(), backend="django.contrib.auth.backends.ModelBackend"
    )
    former = make_member(school.institution, Role.ADMIN, serial=6)
    strangers["a former member"] = signed_in(former)
    institutions.end_member(member=former, acting_user=None)
    size = ledger.head_size()
    for address in addresses(school):
        for who, client in strangers.items():
            for method in ("get", "post"):
                response = getattr(client, method)(address)
                if who == "nobody":
                    assert response.status_code in (302, 405), (who, method, address)
                    if response.status_code == 302:
                        assert response["Location"].startswith("/account/login"), address
                else:
                    assert response.status_code in (404, 405), (who, method, address)
    assert ledger.head_size() == size + 2


def test_each_role_opens_what_it_may(school: School) -> None:
    viewer = signed_in(make_member(school.institution, Role.VIEWER, serial=7))
    for page in PAGES:
        response = viewer.get(f"/org/{school.slug}{page}")
        clerks = ("/record", "/imports", "/imports/template.xlsx", "/claim-codes")
        assert response.status_code == (403 if page in clerks else 200), page
    page = text_of(viewer.get(f"/org/{school.slug}"))
    assert "存入一笔学分" not in page
    assert "发放认领码" not in page


def test_staff_owe_a_second_factor_on_every_page(school: School, settings: object) -> None:
    settings.STAFF_SECOND_FACTOR = True  # type: ignore[attr-defined]
    client = signed_in(school.clerk_member)
    for page in PAGES:
        response = client.get(f"/org/{school.slug}{page}")
        assert (response.status_code, response["Location"]) == (302, "/account/2fa/")
    told = text_of(client.get("/account/2fa/"))
    assert "机构工作须先启用第二重验证" in told
    assert "机构工作人员必须至少设置一种" in told
    assert "没有要求" not in told


def test_every_page_says_that_no_second_factor_is_asked_of_staff(school: School) -> None:
    client = signed_in(school.clerk_member)
    for page in (f"/org/{school.slug}", "/account/2fa/", "/help"):
        assert "这里没有要求工作人员使用第二重验证" in text_of(client.get(page))
    assert "机构工作人员必须至少设置一种" not in text_of(client.get("/account/2fa/"))


def test_the_desk_shows_what_waits_and_what_was_recorded(school: School) -> None:
    reviewer = signed_in(school.reviewer_member)
    assert "还没有存入过学分" in text_of(reviewer.get(f"/org/{school.slug}"))
    draft = school.submit(*school.rows(3))
    school.record(school.row())
    page = reviewer.get(f"/org/{school.slug}")
    assert f"/org/{school.slug}/approvals/{draft.pk}" in page.content.decode()
    text = text_of(page)
    assert "等待我复核 1" in text
    assert "登记簿上的记录 1" in text
    operations.refuse_draft(draft=draft, reason="缺盖章", acting_user=school.reviewer)
    assert "缺盖章" in text_of(signed_in(school.clerk_member).get(f"/org/{school.slug}"))


def test_members_and_keys_are_shown_with_their_state(school: School) -> None:
    make_member(school.institution, Role.CLERK, display_name="未核对的人")
    client = signed_in(school.clerk_member)
    page = text_of(client.get(f"/org/{school.slug}/members"))
    assert school.reviewer_member.pseudonym in page
    assert "未核对，不能计为双人复核" in page
    page = text_of(client.get(f"/org/{school.slug}/keys"))
    assert school.stream.name in page
    assert "使用中" in page
    ledger.retire_key(stream=school.stream.name, public=bytes(school.stream.keys.get().public))
    assert "已停用" in text_of(client.get(f"/org/{school.slug}/keys"))


def test_an_own_key_institution_is_told_why_there_is_no_form(school: School) -> None:
    institutions.close_stream(stream=school.stream, acting_user=None)
    institutions.add_stream(
        institution=school.institution,
        name=f"{school.slug}.example/own",
        mode="own",
        acting_user=None,
    )
    client = signed_in(school.clerk_member)
    for page in ("record", "imports"):
        response = client.get(f"/org/{school.slug}/{page}")
        assert response.status_code == 403
        assert "贵机构自持密钥，所以不能使用表单和上传" in text_of(response)
    assert "贵机构自持密钥" in text_of(client.get(f"/org/{school.slug}"))


def test_a_suspended_institution_sees_that_it_is(school: School) -> None:
    institutions.suspend_institution(institution=school.institution, acting_user=None)
    client = signed_in(school.clerk_member)
    assert "记录权限已暂停" in text_of(client.get(f"/org/{school.slug}"))
    assert client.get(f"/org/{school.slug}/record").status_code in (403, 409)


# -- claim codes ------------------------------------------------------------------------------
def test_a_code_is_handed_out_once_and_claims_the_account(school: School) -> None:
    document = somebody()
    school.record(school.row(document=document))
    client = signed_in(school.clerk_member)
    response = client.post(
        f"/org/{school.slug}/claim-codes",
        {"document_type": "resident-id", "number": document.number},
    )
    match = re.search(r'data-testid="claim-code">([0-9A-Z-]+)<', response.content.decode())
    assert match is not None
    user = make_user()
    assert learners.claim(user=user, code=match[1]).user == user
    assert match[1] not in client.get(f"/org/{school.slug}/claim-codes").content.decode()


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("22999919900101001", "应为 18 位"),
        ("220102199001010011", "校验码不对"),
        ("", "必填"),
    ],
)
def test_a_wrong_number_gets_no_code(school: School, number: str, sentence: str) -> None:
    response = signed_in(school.clerk_member).post(
        f"/org/{school.slug}/claim-codes", {"document_type": "resident-id", "number": number}
    )
    assert response.status_code == 422
    assert sentence in text_of(response)
    assert not ClaimCode.objects.exists()


def test_nobody_is_handed_a_code_who_is_unknown_or_has_claimed(school: School) -> None:
    client = signed_in(school.clerk_member)
    document = somebody()

    def ask() -> object:
        return client.post(
            f"/org/{school.slug}/claim-codes",
            {"document_type": "resident-id", "number": document.number},
        )

    assert "没有这个证件号码的记录" in text_of(ask())
    learner = learners.register_learner(document=document, name="张示例")
    code = learners.issue_claim_code(learner, school.clerk)
    learners.claim(user=make_user(), code=code)
    assert "已被认领" in text_of(ask())
