"""What the pages of an institution share: who is at the desk, and what they may do there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from creditbank import access
from creditbank.errors import DomainError
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import Role
from creditbank.institutions.models import Institution, Member, Stream
from creditbank.jobs.models import Job
from creditbank.portals import states
from creditbank.recording.errors import NothingNew
from creditbank.users.models import User

View = Callable[..., HttpResponse]

PAGE_SIZE: Final = 50
POLL_SECONDS: Final = 2


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A member at an institution's desk."""

    member: Member

    @property
    def institution(self) -> Institution:
        """The institution."""
        return self.member.institution

    @property
    def slug(self) -> str:
        """The institution's name in addresses."""
        return self.institution.slug

    @property
    def user(self) -> User:
        """Whoever is signed in."""
        return self.member.user

    @property
    def may_record(self) -> bool:
        """Whether the member prepares."""
        return self.member.may(Role.CLERK)

    @property
    def may_review(self) -> bool:
        """Whether the member decides."""
        return self.member.may(Role.REVIEWER)


def desk_page(view: View) -> View:
    """Make a view a page of a desk: signed in, and never kept by a browser or a proxy."""

    @login_required
    @never_cache
    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs)

    return page


def desk_for(request: HttpRequest, slug: str, role: Role = Role.VIEWER) -> Desk:
    """Return the desk at which the reader sits. Raises as `access.member_for`."""
    return Desk(member=access.member_for(request.user, slug, role))


def hosted_stream(desk: Desk, kinds: Iterable[str] = ()) -> Stream:
    """Return the stream that forms and files record in. Raises as `stream_for_recording`."""
    return access.stream_for_recording(desk.user, desk.institution, list(kinds))


def say(request: HttpRequest, error: DomainError) -> None:
    """Tell a refusal on the next page, in the sentence it brings along."""
    text = error.message if error.message != error.code else ""
    if isinstance(error, NothingNew):
        indexes = error.facts.get("indexes")
        if isinstance(indexes, list) and len(indexes) == 1:
            text = gettext("学分银行已有这笔记录：登记簿第 %(index)s 号。") % {
                "index": f"{indexes[0]:,}"
            }
    messages.error(request, text or gettext("这一步没有办成（%(code)s）。") % {"code": error.code})


def progress(job: Job | None) -> dict[str, Any]:
    """Return what the progress component needs of a job."""
    if job is None:
        return {"progress": "", "done": 0, "total": 0, "at_work": False}
    return {
        "progress": states.of_job(job),
        "done": job.done,
        "total": job.total,
        "at_work": job.at_work,
    }


def show(
    request: HttpRequest,
    desk: Desk,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    """Render a page of a desk."""
    return render(
        request, f"institution/{template}.html", {"desk": desk, **(context or {})}, status=status
    )


def own_key_page(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Say why there is no form and no upload: the institution keeps its own key, or has no stream."""
    context = {"streams": institutions.streams(desk.institution)}
    return show(request, desk, "own_key", context, status=403)
