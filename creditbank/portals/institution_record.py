"""The record form: one outcome of one learner, seen once more, then handed to a reviewer."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from creditbank.access import NotFound, OwnKeyStream
from creditbank.clock import today
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import Role
from creditbank.institutions.models import CatalogueItem, Stream
from creditbank.portals.forms import ItemForm, RecordForm
from creditbank.portals.institution_frame import (
    Desk,
    desk_for,
    desk_page,
    hosted_stream,
    own_key_page,
    say,
    show,
)
from creditbank.recording import operations, queries
from creditbank.recording.checks import Checked, check_rows
from creditbank.recording.errors import NothingNew, RowsRefused


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def record(request: HttpRequest, slug: str) -> HttpResponse:
    """Type an outcome, look at it, hand it to a reviewer: each step works without a mouse."""
    desk = desk_for(request, slug, Role.CLERK)
    try:
        stream = hosted_stream(desk)
    except OwnKeyStream:
        return own_key_page(request, desk)
    items = institutions.active_items(desk.institution, today())
    initial = _initial(request, desk)
    item = _item(request, initial, items)
    one_kind = len({str(one.kind) for one in items}) == 1
    if item is None and not one_kind:
        return show(request, desk, "record_item", {"form": ItemForm(items=items), "items": items})
    kind = str((item or items[0]).kind)
    form = RecordForm(
        request.POST if request.method == "POST" else None,
        kind=kind,
        items=items,
        chosen=not one_kind,
        initial=initial,
    )
    context = {"form": form, "chosen": None if one_kind else item}
    if request.method == "POST":
        return _posted(request, desk, stream, form, context)
    return show(request, desk, "record", context)


def _posted(
    request: HttpRequest,
    desk: Desk,
    stream: Stream,
    form: RecordForm,
    context: dict[str, Any],
) -> HttpResponse:
    step = request.POST.get("step", "preview")
    if step == "edit":
        return show(request, desk, "record", context)
    if form.is_valid():
        checked = check_rows(
            desk.institution, [form.row()], today(), stream=stream.name, acting=[desk.user]
        )
        form.tell(checked.problems)
        if not form.errors:
            if step != "submit":
                return show(request, desk, "record_preview", context | _seen(checked))
            return _submit(request, desk, stream, form, checked)
    return show(request, desk, "record", context, status=422)


def _submit(
    request: HttpRequest, desk: Desk, stream: Stream, form: RecordForm, checked: Checked
) -> HttpResponse:
    try:
        draft = operations.prepare_draft(
            institution=desk.institution,
            stream=stream,
            rows=[form.row()],
            acting_user=desk.user,
            checked=checked,
        )
    except (NothingNew, RowsRefused) as error:
        say(request, error)
        return redirect("org_record", slug=desk.slug)
    operations.submit_draft(draft=draft, acting_user=desk.user)
    messages.success(request, gettext("已提交，等待另一位同事复核。"))
    return redirect("org_draft", slug=desk.slug, pk=draft.pk)


def _seen(checked: Checked) -> dict[str, Any]:
    """Return what the preview shows: the row as it was read, or where the bank holds it."""
    accepted = checked.accepted[0] if checked.accepted else None
    unchanged = checked.unchanged[0] if checked.unchanged else None
    return {"accepted": accepted, "unchanged": unchanged}


def _item(
    request: HttpRequest, initial: dict[str, Any], items: Sequence[CatalogueItem]
) -> CatalogueItem | None:
    """Return the item that was chosen, if there is one of that code."""
    code = request.POST.get("item") or initial.get("item", "")
    return next((item for item in items if item.code == code), None)


def _initial(request: HttpRequest, desk: Desk) -> dict[str, Any]:
    """Prefill the form: with the item chosen, or with a draft that was sent back."""
    held = request.GET.get("from", "")
    if held:
        try:
            draft = queries.draft(desk.institution, uuid.UUID(held))
        except ValueError as error:
            raise NotFound from error
        if draft.prepared_by_id == desk.user.pk and draft.rows == 1:
            for row in queries.rows_of(draft):
                return dict(row.values)
    return {"item": request.GET.get("item", "")}


urlpatterns: list[URLPattern] = [path("org/<slug:slug>/record", record, name="org_record")]
