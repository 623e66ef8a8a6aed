"""Keys for an institution's programs, as its administrator makes, sees and revokes them."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client

from api import keys
from api.models import ApiKey
from creditbank.institutions.kinds import Role
from tests.institutions.cast import make_member
from tests.portals.institution_site import school, signed_in, text_of
from tests.recording.cast import School, make_school

__all__ = ["school"]

ASKED = {"label": "教务系统报送", "scopes": ["submit", "read-receipts"], "days": "90"}


@pytest.fixture
def admin(school: School) -> Client:
    return signed_in(make_member(school.institution, Role.ADMIN, serial=8))


def make(client: Client, school: School, **changes: Any) -> tuple[str, Any]:
    """Make a key on the page; return it as the page shows it, and the page."""
    page = client.post(f"/org/{school.slug}/developers", ASKED | changes)
    found = re.search(r'data-testid="new-key">([^<]+)<', page.content.decode())
    return html.unescape(found[1]) if found else "", page


def test_a_key_made_on_the_page_opens_the_api_and_is_shown_once(
    admin: Client, school: School
) -> None:
    token, page = make(admin, school)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert keys.authenticate(token).institution == school.institution
    assert "只显示这一次" in text_of(page)
    listed = admin.get(f"/org/{school.slug}/developers")
    assert token not in listed.content.decode()
    assert token.partition(".")[2] not in listed.content.decode()
    assert ApiKey.objects.get().prefix in text_of(listed)


def test_the_list_says_in_words_what_a_key_may_do_and_when_it_was_used(
    admin: Client, school: School
) -> None:
    token, _page = make(admin, school)
    listed = text_of(admin.get(f"/org/{school.slug}/developers"))
    assert "教务系统报送" in listed
    assert "报送自持密钥签名的清单" in listed
    assert "未用过" in listed
    keys.authenticate(token)
    assert "未用过" not in text_of(admin.get(f"/org/{school.slug}/developers"))


def test_a_revoked_key_opens_nothing(admin: Client, school: School) -> None:
    token, _page = make(admin, school)
    prefix = ApiKey.objects.get().prefix
    answer = admin.post(f"/org/{school.slug}/developers/{prefix}/revoke", follow=True)
    assert "已撤销" in text_of(answer)
    with pytest.raises(keys.KeyRefused):
        keys.authenticate(token)


def test_anothers_key_can_be_neither_seen_nor_revoked(admin: Client, school: School) -> None:
    other = make_school()
    member = make_member(other.institution, Role.ADMIN, serial=9)
    token, _page = make(signed_in(member), other)
    prefix = ApiKey.objects.get().prefix
    assert prefix not in text_of(admin.get(f"/org/{school.slug}/developers"))
    assert admin.post(f"/org/{school.slug}/developers/{prefix}/revoke").status_code == 404
    assert keys.authenticate(token).prefix == prefix


def test_only_an_administrator_finds_the_page(school: School, admin: Client) -> None:
    address = f"/org/{school.slug}/developers"
    for role, serial in ((Role.VIEWER, 10), (Role.CLERK, 11), (Role.REVIEWER, 12)):
        client = signed_in(make_member(school.institution, role, serial=serial))
        assert client.get(address).status_code == 403
        assert client.post(address, ASKED).status_code == 403
        assert address not in client.get(f"/org/{school.slug}").content.decode()
    assert address in admin.get(f"/org/{school.slug}").content.decode()
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"label": " "}, "用途"),
        ({"scopes": []}, "它可以做什么"),
        ({"scopes": ["statement"]}, "statement"),
        ({"days": "3650"}, "有效期"),
    ],
)
def test_a_key_that_cannot_be_made_is_refused_beside_its_field(
    admin: Client, school: School, changes: dict[str, Any], told: str
) -> None:
    token, page = make(admin, school, **changes)
    assert (token, page.status_code) == ("", 422)
    assert told in text_of(page)
    assert not ApiKey.objects.exists()
