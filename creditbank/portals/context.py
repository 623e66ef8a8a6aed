"""What every page knows about its reader: language, who is signed in, where they may go.

The context processor `portal` gives each template one object of that name. It
works everything out only when a template asks, so that a fragment for htmx or a
page that shows none of it costs no query.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import NoReverseMatch, is_valid_path, reverse
from django.utils.translation import get_language, gettext, pgettext

from creditbank.institutions.kinds import Role
from creditbank.institutions.queries import has_hosted_stream, memberships
from creditbank.recognition.workflow.caselist import receives
from learners.queries import learner_of

if TYPE_CHECKING:
    from django.http import HttpRequest

    from creditbank.users.models import User


@dataclass(frozen=True, kw_only=True)
class Link:
    """A place to go: its name in the reader's language and its address.

    `current` is the value for aria-current: `page` when we are there, `true` when we are
    on a page below it, else empty.
    """

    label: str
    url: str
    icon: str = "chevron-right"
    current: str = ""


@dataclass(frozen=True, kw_only=True)
class Area:
    """A part of the bank with pages of its own: a learner's account, an institution's desk."""

    title: str
    links: tuple[Link, ...]


@dataclass(frozen=True, kw_only=True)
class Language:
    """A language to switch to; `url` is None where there is no page to come back to."""

    code: str
    name: str
    url: str | None


@dataclass(frozen=True, kw_only=True)
class Membership:
    """A place in an institution: which one, and what the reader may do there."""

    slug: str
    name: str
    role: str

    @property
    def url(self) -> str:
        """Return the address of the institution's desk."""
        return f"/org/{self.slug}"


@lru_cache(maxsize=512)
def _served(path: str) -> bool:
    """Tell whether the site serves this path; a link that leads nowhere is not shown."""
    return bool(is_valid_path(path) or is_valid_path(f"{path}/"))


def _named(name: str) -> str | None:
    """Return the address of a named page, or None where it is not served."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


class Portal:
    """The frame around a page, for one request."""

    def __init__(self, request: HttpRequest) -> None:
        """Keep the request; nothing is read before it is needed."""
        self._request = request

    # -- the bank and the language ------------------------------------------------------------

    @property
    def _english(self) -> bool:
        return (get_language() or settings.LANGUAGE_CODE).startswith("en")

    @property
    def bank_name(self) -> str:
        """Return the bank's name in the reader's language."""
        return str(settings.BANK_NAME_EN if self._english else settings.BANK_NAME)

    @property
    def bank_name_other(self) -> str:
        """Return the bank's name in the other language, for the second line."""
        return str(settings.BANK_NAME if self._english else settings.BANK_NAME_EN)

    @property
    def demo(self) -> bool:
        """Tell whether this is the demonstration, with invented people and institutions."""
        return bool(settings.BANK_DEMO)

    @property
    def second_factor_off(self) -> bool:
        """Tell whether staff may sign in without a second factor (only in a demonstration)."""
        return not settings.STAFF_SECOND_FACTOR

    @property
    def here(self) -> str:
        """Return the address to come back to after the language has been switched."""
        return self._request.get_full_path()

    @property
    def other_language(self) -> Language:
        """Return the language that the reader can switch to."""
        code, name = next(
            (code, name)
            for code, name in settings.LANGUAGES
            if code.startswith("en") is not self._english
        )
        return Language(code=code, name=str(name), url=_named("set_language"))

    # -- the reader ---------------------------------------------------------------------------

    @cached_property
    def _user(self) -> User | None:
        user = getattr(self._request, "user", None)
        return user if user is not None and user.is_authenticated else None

    @property
    def signed_in(self) -> bool:
        """Tell whether somebody is signed in."""
        return self._user is not None

    @property
    def display_name(self) -> str:
        """Return the name that the reader sees for themselves."""
        if self._user is None:
            return ""
        return self._user.display_name or self._user.get_username()

    @cached_property
    def learner(self) -> bool:
        """Tell whether the reader has a credit account of their own."""
        return self._user is not None and learner_of(self._user) is not None

    @cached_property
    def memberships(self) -> tuple[Membership, ...]:
        """Return the institutions that the reader works for."""
        if self._user is None:
            return ()
        return tuple(
            Membership(slug=member.institution.slug, name=str(member.institution), role=member.role)
            for member in memberships(self._user)
        )

    # -- where to go --------------------------------------------------------------------------

    def _link(
        self,
        label: str,
        path: str,
        icon: str = "chevron-right",
        *,
        alone: bool = False,
        also: tuple[str, ...] = (),
    ) -> Link | None:
        """Make a link if its page is served; `alone` keeps it apart from the pages below it.

        `also` are addresses of pages that one comes to from it.
        """
        if not _served(path):
            return None
        here, bare = self._request.path.rstrip("/"), path.rstrip("/")
        below = not alone and here.startswith(f"{bare}/")
        below = below or any(here == one or here.startswith(f"{one}/") for one in also)
        current = "page" if here == bare else "true" if below else ""
        return Link(label=label, url=path, icon=icon, current=current)

    def _links(self, *links: Link | None) -> tuple[Link, ...]:
        return tuple(link for link in links if link is not None)

    @property
    def public_links(self) -> tuple[Link, ...]:
        """Return the pages that are for everybody."""
        return self._links(
            self._link(gettext("核验证明"), "/verify"),
            self._link(gettext("机构名录"), "/institutions"),
            self._link(pgettext("复数", "认定规则"), "/rules"),
            self._link(gettext("登记簿"), "/log"),
            self._link(gettext("帮助"), "/help"),
        )

    @property
    def foot_links(self) -> tuple[Link, ...]:
        """Return the pages that the footer leads to."""
        return self._links(
            self._link(gettext("登记簿状态"), "/log"),
            self._link(gettext("核验证明"), "/verify"),
            self._link(pgettext("复数", "认定规则"), "/rules"),
            self._link(gettext("认定公示"), "/notices"),
            self._link(gettext("接口文档"), "/api/docs"),
            self._link(gettext("帮助"), "/help"),
            self._link(gettext("个人信息保护"), "/privacy"),
            self._link(gettext("无障碍声明"), "/accessibility"),
        )

    @property
    def own_links(self) -> tuple[Link, ...]:
        """Return the pages of the reader's own: account, institutions, sign-in."""
        links = []
        if self.learner:
            links.append(self._link(gettext("我的账户"), "/me", "receipt"))
        links.extend(
            self._link(membership.name, membership.url, "building-community")
            for membership in self.memberships
        )
        links.extend(self.security_links)
        return self._links(*links)

    @property
    def security_links(self) -> tuple[Link, ...]:
        """Return the pages on which the reader looks after their own sign-in."""
        pages = (
            (gettext("登录密码"), "account_change_password", "lock"),
            (gettext("第二重验证"), "mfa_index", "shield-check"),
            (gettext("登录记录"), "usersessions_list", "devices"),
        )
        return self._links(
            *(
                self._link(label, url, icon)
                for label, name, icon in pages
                if (url := _named(name)) is not None
            )
        )

    @cached_property
    def area(self) -> Area | None:
        """Return the part of the bank that this page belongs to, with its pages."""
        path = self._request.path
        if self.learner and (path == "/me" or path.startswith("/me/")):
            return Area(title=gettext("我的账户"), links=self._learner_links())
        for membership in self.memberships:
            if path == membership.url or path.startswith(f"{membership.url}/"):
                return Area(title=membership.name, links=self._institution_links(membership))
        return None

    def _learner_links(self) -> tuple[Link, ...]:
        return self._links(
            self._link(gettext("总览"), "/me", "home", alone=True),
            self._link(gettext("学习成果"), "/me/records", "list-details"),
            self._link(gettext("我的目标"), "/me/goals", "target"),
            self._link(gettext("认定申请"), "/me/requests", "rubber-stamp"),
            self._link(gettext("学分证明"), "/me/transcripts", "file-certificate"),
            self._link(gettext("授权与查看"), "/me/shares", "eye"),
            self._link(gettext("设置"), "/me/settings", "settings"),
        )

    def _institution_links(self, membership: Membership) -> tuple[Link, ...]:
        """Return the pages of a desk, without those that its reader may not open."""
        desk = membership.url
        records = Role(membership.role).includes(Role.CLERK) and has_hosted_stream(membership.slug)
        decides = receives(membership.slug)
        return self._links(
            self._link(gettext("今日"), desk, "home", alone=True),
            self._link(gettext("存入学分"), f"{desk}/record", "plus") if records else None,
            self._link(gettext("成批导入"), f"{desk}/imports", "file-import") if records else None,
            self._link(gettext("复核"), f"{desk}/approvals", "clipboard-check"),
            self._link(gettext("记录与回执"), f"{desk}/records", "receipt"),
            self._link(
                gettext("学分认定"),
                f"{desk}/requests",
                "rubber-stamp",
                also=(f"{desk}/appeals", f"{desk}/recognitions", f"{desk}/pre-approvals"),
            )
            if decides
            else None,
            self._link(gettext("规则"), f"{desk}/rules", "book-2"),
            self._link(gettext("专业"), f"{desk}/programmes", "school"),
            self._link(gettext("密钥"), f"{desk}/keys", "key"),
            self._link(gettext("成员"), f"{desk}/members", "users"),
            self._link(gettext("接口"), f"{desk}/developers", "settings")
            if membership.role == Role.ADMIN
            else None,
        )


def portal(request: HttpRequest) -> dict[str, Portal]:
    """Give every template the frame of the page under the name `portal`."""
    return {"portal": Portal(request)}
