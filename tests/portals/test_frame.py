"""The frame of a page: where its reader may go, and the sign-in pages in our look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory
from django.urls import include, path, reverse
from django.utils import translation
from django.views.generic import TemplateView

from creditbank.institutions import operations as institutions
from creditbank.institutions.kinds import Role
from creditbank.portals import context
from creditbank.portals.context import Portal
from creditbank.users.models import User
from learners import operations
from tests.institutions import cast
from tests.learners import people

page = TemplateView.as_view(template_name="public/help.html")

urlpatterns = [
    path("verify", page),
    path("log", page),
    path("log/<int:index>", page),
    path("me", page),
    path("me/records", page),
    path("org/<slug:slug>", page),
    path("org/<slug:slug>/record", page),
    path("account/", include("allauth.urls")),
]


@pytest.fixture(autouse=True)
def chinese() -> Iterator[None]:
    with translation.override("zh-hans"):
        yield


@pytest.fixture
def frame(settings: Any) -> Iterator[Any]:
    """Make the frame of a page for a reader, on a site that serves the pages above."""
    settings.ROOT_URLCONF = __name__
    context._served.cache_clear()

    def make(address: str, user: User | AnonymousUser | None = None) -> Portal:
        request = RequestFactory().get(address)
        request.user = user or AnonymousUser()
        return context.portal(request)["portal"]

    yield make
    context._served.cache_clear()


def test_a_page_that_is_not_served_is_not_linked_to(frame: Any) -> None:
    assert [link.url for link in frame("/").public_links] == ["/verify", "/log"]


def test_the_present_page_is_marked_and_so_is_the_one_above_it(frame: Any) -> None:
    def marks(address: str) -> dict[str, str]:
        return {link.url: link.current for link in frame(address).public_links}

    assert marks("/log") == {"/verify": "", "/log": "page"}
    assert marks("/log/7") == {"/verify": "", "/log": "true"}
    assert marks("/logbook") == {"/verify": "", "/log": ""}


def test_a_visitor_has_no_area_and_costs_no_query(frame: Any) -> None:
    # No database is asked for here: a query would fail.
    portal = frame("/me")
    assert not portal.signed_in
    assert not portal.learner
    assert portal.memberships == ()
    assert portal.area is None


def test_the_other_language_comes_with_the_address_to_return_to(frame: Any) -> None:
    portal = frame("/log?index=7")
    assert (portal.other_language.code, portal.here) == ("en", "/log?index=7")
    with translation.override("en"):
        assert portal.other_language.code == "zh-hans"
        assert portal.bank_name == settings.BANK_NAME_EN


@pytest.mark.usefixtures("db")
class TestSignedIn:
    def test_a_learner_is_led_through_their_own_account(self, frame: Any, db: object) -> None:
        clerk = cast.make_member(cast.make_institution()).user
        user = cast.make_user(display_name="李·示例")
        operations.claim(user=user, code=operations.issue_claim_code(people.register(), clerk))
        portal = frame("/me/records", user)
        assert portal.display_name == "李·示例"
        assert portal.learner
        assert portal.own_links[0].url == "/me"
        assert [(link.url, link.current) for link in portal.area.links] == [
            ("/me", ""),
            ("/me/records", "page"),
        ]

    def test_a_clerk_is_led_through_the_institution_they_are_at(self, frame: Any) -> None:
        here, there = cast.make_institution(), cast.make_institution()
        user = cast.make_member(here).user
        portal = frame(f"/org/{here.slug}/record", user)
        assert portal.area.title == here.name
        assert [link.url for link in portal.area.links] == [
            f"/org/{here.slug}",
        ]
        institutions.add_stream(
            institution=here, name=f"{here.slug}.example/1", mode="hosted", acting_user=None
        )
        portal = frame(f"/org/{here.slug}/record", user)
        assert [link.url for link in portal.area.links] == [
            f"/org/{here.slug}",
            f"/org/{here.slug}/record",
        ]
        viewer = cast.make_member(here, Role.VIEWER, serial=3).user
        portal = frame(f"/org/{here.slug}", viewer)
        assert [link.url for link in portal.area.links] == [f"/org/{here.slug}"]
        assert frame(f"/org/{there.slug}", user).area is None
        assert not portal.learner


@pytest.mark.usefixtures("db")
class TestSignInPages:
    @pytest.fixture
    def visitor(self) -> Client:
        Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
        return Client(HTTP_HOST="localhost", HTTP_ACCEPT_LANGUAGE="zh-CN")

    @pytest.mark.parametrize(
        ("name", "heading"),
        [
            ("account_login", "登录"),
            ("account_signup", "注册登录账号"),
            ("account_reset_password", "忘记密码"),
            ("account_inactive", "登录账号已停用"),
        ],
    )
    def test_a_page_for_visitors_is_in_our_look(
        self, visitor: Client, name: str, heading: str
    ) -> None:
        html = visitor.get(reverse(name)).content.decode()
        assert re.search(rf"<h1>{heading}</h1>", html)
        assert 'class="bank-header"' in html

    @pytest.mark.parametrize(
        ("name", "heading"),
        [
            ("account_set_password", "设置密码"),
            ("account_logout", "退出登录"),
            ("mfa_index", "第二重验证"),
            ("mfa_list_webauthn", "安全密钥和通行密钥"),
            ("usersessions_list", "登录记录"),
        ],
    )
    def test_a_page_for_the_signed_in_is_in_our_look(
        self, visitor: Client, name: str, heading: str
    ) -> None:
        visitor.force_login(cast.make_user(), backend="django.contrib.auth.backends.ModelBackend")
        answer = visitor.get(reverse(name))
        assert re.search(rf"<h1>{heading}</h1>", answer.content.decode())

    def test_the_pages_run_under_a_policy_without_exceptions(self, visitor: Client) -> None:
        policy = visitor.get(reverse("account_login"))["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy

    def test_a_refused_sign_in_tells_all_errors_and_keeps_the_name(self, visitor: Client) -> None:
        answer = visitor.post(reverse("account_login"), {"login": "wang", "password": "wrong"})
        html = answer.content.decode()
        assert "data-error-summary" in html
        assert 'value="wang"' in html

    def test_in_english_the_pages_are_english(self, visitor: Client) -> None:
        html = visitor.get(reverse("account_login"), HTTP_ACCEPT_LANGUAGE="en").content.decode()
        assert "<h1>Sign in</h1>" in html
        main = html[html.index("<main") : html.index("</main>")]
        assert not re.search("[\u4e00-\u9fff]", main)

    def test_the_rules_for_a_password_address_the_reader_as_the_bank_does(
        self, visitor: Client
    ) -> None:
        html = visitor.get(reverse("account_signup")).content.decode()
        assert "密码至少 15 个字符；启用第二重验证后至少 12 个。" in html
        assert "你的" not in html

    def test_a_weak_password_is_refused(self, visitor: Client) -> None:
        for weak in ("short", "password1234", "example-name-1"):
            answer = visitor.post(
                reverse("account_signup"),
                {"username": "example-name-2", "password1": weak, "password2": weak},
            )
            assert answer.status_code == 200
            assert "data-error-summary" in answer.content.decode()
