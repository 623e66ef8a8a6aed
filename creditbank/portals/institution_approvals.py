"""Drafts and their decision: the queue, one draft in full, approve, send back, withdraw."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from creditbank import access
from creditbank.clock import today
from creditbank.errors import DomainError
from creditbank.institutions.kinds import Role
from creditbank.ledger.queries import NotYetPublished
from creditbank.portals.forms import RefusalForm
from creditbank.portals.institution_frame import (
    PAGE_SIZE,
    POLL_SECONDS,
    Desk,
    desk_for,
    desk_page,
    progress,
    say,
    show,
)
from creditbank.portals.institution_imports import shown_problems
from creditbank.recording import operations, queries
from creditbank.recording.checks import Accepted, check_rows
from creditbank.recording.errors import NothingNew, RowsRefused
from creditbank.recording.labels import label
from creditbank.recording.models import Draft, DraftState
from creditbank.recording.problems import problem
from creditbank.recording.rows import RawRow, Row, read_row

LIST_SIZE: Final = 20
AT_ONCE_MAX: Final = 200
"""Rows that are recorded while the reviewer waits; more are a worker's, with a bar."""

_STATES: Final = {
    DraftState.DRAFT: "draft",
    DraftState.SUBMITTED: "pending",
    DraftState.REFUSED: "returned",
    DraftState.WITHDRAWN: "withdrawn",
}


@dataclass(frozen=True)
class ShownDraft:
    """A draft in a list, with the state that the page draws."""

    draft: Draft

    @property
    def state(self) -> str:
        """The state that the page draws."""
        if self.draft.state == DraftState.APPROVED:
            return "recorded" if self.draft.is_recorded else "approved"
        return _STATES[DraftState(self.draft.state)]


def shown_drafts(drafts: Sequence[Draft]) -> list[ShownDraft]:
    """Return drafts as a list shows them."""
    return [ShownDraft(draft) for draft in drafts]


@desk_page
@require_safe
def approvals(request: HttpRequest, slug: str) -> HttpResponse:
    """List what waits for the reader's decision, and all other drafts below it."""
    desk = desk_for(request, slug)
    page = Paginator(queries.drafts(desk.institution), LIST_SIZE).get_page(request.GET.get("page"))
    context = {
        "waiting": shown_drafts(list(queries.waiting_for(desk.institution, desk.user))),
        "page": page,
        "drafts": shown_drafts(list(page.object_list)),
    }
    return show(request, desk, "approvals", context)


@dataclass(frozen=True, kw_only=True)
class ShownRow:
    """A draft's row as it will be entered; the identity number is masked."""

    row: Row
    accepted: Accepted | None

    @property
    def details(self) -> list[tuple[str, str]]:
        """What the row says besides person, item and day: names and values."""
        left_out = ("document_type", "number", "name", "item", "completed_on")
        return [
            (label(name), text) for name, text in self.row.texts().items() if name not in left_out
        ]


@desk_page
@require_safe
def draft_page(request: HttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """Show one draft: who prepared it, its rows, and what the reader may do with it."""
    desk = desk_for(request, slug)
    draft = queries.draft(desk.institution, pk)
    at_work = progress(draft.job)
    if request.headers.get("HX-Request"):
        response = show(request, desk, "draft_progress", {"draft": draft, **at_work})
        if not at_work["at_work"]:
            response["HX-Refresh"] = "true"
        return response
    return _draft_page(request, desk, draft, RefusalForm())


def _draft_page(
    request: HttpRequest, desk: Desk, draft: Draft, form: RefusalForm, *, status: int = 200
) -> HttpResponse:
    at_work = progress(draft.job)
    recording = draft.state == DraftState.APPROVED and not draft.is_recorded
    context: dict[str, Any] = {
        "draft": draft,
        "shown": ShownDraft(draft),
        "form": form,
        "is_author": access.same_person(draft.prepared_by, desk.user),
        "may_decide": _may_decide(desk, draft),
        "refresh_seconds": POLL_SECONDS if recording and at_work["at_work"] else None,
        **at_work,
    }
    rows = queries.rows_of(draft)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    access.note_view(desk.user, what="draft", about=str(draft.pk), count=len(page.object_list))
    context |= {"page": page, **_shown_rows(desk, draft, rows, list(page.object_list))}
    if draft.job is not None and at_work["progress"] == "failed":
        told = draft.job.result.get("problems", [])
        context["problems"] = shown_problems(
            [problem(code, row, field) for code, row, field in told]
        )
    return show(request, desk, "draft", context, status=status)


def _shown_rows(
    desk: Desk, draft: Draft, rows: Sequence[RawRow], page: Sequence[RawRow]
) -> dict[str, Any]:
    """Read the page's rows; a small draft that waits is also held against the register of now."""
    if draft.is_open and len(rows) <= AT_ONCE_MAX:
        checked = check_rows(
            desk.institution,
            rows,
            today(),
            stream=draft.stream.name,
            acting=[draft.prepared_by],
        )
        accepted = {one.row.number: one for one in checked.accepted}
        return {
            "rows": _read(page, accepted),
            "problems": shown_problems(checked.problems),
            "unchanged": checked.unchanged,
        }
    return {"rows": _read(page, {})}


def _read(rows: Sequence[RawRow], accepted: dict[int, Accepted]) -> list[ShownRow]:
    read = [read_row(row, today())[0] for row in rows]
    return [ShownRow(row=row, accepted=accepted.get(row.number)) for row in read if row is not None]


def _may_decide(desk: Desk, draft: Draft) -> bool:
    """Say whether to draw the buttons; whether the decision counts is asked again when it is made."""
    if not desk.may_review or draft.state != DraftState.SUBMITTED:
        return False
    try:
        access.require_other_person(draft.prepared_by, desk.user)
    except access.Forbidden:
        return False
    return True


@desk_page
@require_POST
def submit(request: HttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """Hand a draft to the reviewers."""
    desk = desk_for(request, slug, Role.CLERK)
    draft = queries.draft(desk.institution, pk)
    try:
        operations.submit_draft(draft=draft, acting_user=desk.user)
    except DomainError as error:
        say(request, error)
    return redirect("org_draft", slug=slug, pk=pk)


@desk_page
@require_POST
def approve(request: HttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """Approve what another person prepared, and record it."""
    desk = desk_for(request, slug, Role.REVIEWER)
    draft = queries.draft(desk.institution, pk)
    access.approver_for(desk.user, desk.institution, draft.prepared_by)
    try:
        if draft.rows > AT_ONCE_MAX:
            operations.request_approval(draft=draft, acting_user=desk.user)
            return redirect("org_draft", slug=slug, pk=pk)
        receipt = operations.approve_draft(draft=draft, acting_user=desk.user)
    except NotYetPublished:
        messages.info(request, gettext("已存入，公布用的签名正在生成。"))
        return redirect("org_draft", slug=slug, pk=pk)
    except RowsRefused:
        messages.error(
            request,
            gettext("登记簿的现状与草稿不符，没有存入任何一行。请看下面的问题，退回经办人。"),
        )
        return redirect("org_draft", slug=slug, pk=pk)
    except NothingNew as error:
        say(request, error)
        return redirect("org_draft", slug=slug, pk=pk)
    messages.success(request, gettext("已复核并存入，登记簿已公布。"))
    return redirect("org_receipt", slug=slug, index=receipt.manifest_index)


@desk_page
@require_POST
def refuse(request: HttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """Send a draft back with a reason."""
    desk = desk_for(request, slug, Role.REVIEWER)
    draft = queries.draft(desk.institution, pk)
    access.approver_for(desk.user, desk.institution, draft.prepared_by)
    form = RefusalForm(request.POST)
    if not form.is_valid():
        return _draft_page(request, desk, draft, form, status=422)
    try:
        operations.refuse_draft(
            draft=draft, reason=form.cleaned_data["reason"], acting_user=desk.user
        )
    except DomainError as error:
        say(request, error)
        return redirect("org_draft", slug=slug, pk=pk)
    messages.success(request, gettext("已退回经办人。"))
    return redirect("org_approvals", slug=slug)


@desk_page
@require_POST
def withdraw(request: HttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """Take a draft back."""
    desk = desk_for(request, slug, Role.CLERK)
    draft = queries.draft(desk.institution, pk)
    try:
        operations.withdraw_draft(draft=draft, acting_user=desk.user)
    except DomainError as error:
        say(request, error)
        return redirect("org_draft", slug=slug, pk=pk)
    messages.success(request, gettext("已撤回，草稿内容已清除。"))
    return redirect("org_approvals", slug=slug)


urlpatterns: list[URLPattern] = [
    path("org/<slug:slug>/approvals", approvals, name="org_approvals"),
    path("org/<slug:slug>/approvals/<uuid:pk>", draft_page, name="org_draft"),
    path("org/<slug:slug>/approvals/<uuid:pk>/submit", submit, name="org_draft_submit"),
    path("org/<slug:slug>/approvals/<uuid:pk>/approve", approve, name="org_draft_approve"),
    path("org/<slug:slug>/approvals/<uuid:pk>/refuse", refuse, name="org_draft_refuse"),
    path("org/<slug:slug>/approvals/<uuid:pk>/withdraw", withdraw, name="org_draft_withdraw"),
]
