"""Files of outcomes: hand in, watch the check, see every problem, submit what is good."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from creditbank import access
from creditbank.access import NotFound, OwnKeyStream
from creditbank.clock import today
from creditbank.errors import DomainError, Problem
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import Role
from creditbank.portals.downloads import download
from creditbank.portals.forms import DETAILS, PERSON
from creditbank.portals.institution_frame import (
    PAGE_SIZE,
    POLL_SECONDS,
    desk_for,
    desk_page,
    hosted_stream,
    own_key_page,
    progress,
    say,
    show,
)
from creditbank.portals.uploads import keep_in_memory
from creditbank.recording import files, queries, uploads, worksheets
from creditbank.recording.labels import label, labels
from creditbank.recording.models import Upload, UploadState
from creditbank.recording.problems import sentence

LIST_SIZE: Final = 20


@csrf_exempt
def imports(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep the upload in memory and under its cap; then the page, with the check against forgery.

    The check reads the body, so the cap has to be in place before it: hence the
    exemption here and the protection one step further in.
    """
    if request.method == "POST":
        keep_in_memory(request, cap=settings.UPLOAD_MAX_BYTES)
    return _imports(request, slug)


@csrf_protect
@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def _imports(request: HttpRequest, slug: str) -> HttpResponse:
    desk = desk_for(request, slug, Role.CLERK)
    try:
        stream = hosted_stream(desk)
    except OwnKeyStream:
        return own_key_page(request, desk)
    errors: list[str] = []
    if request.method == "POST":
        handed_in = request.FILES.get("file")
        try:
            if getattr(request.upload_handlers[0], "too_large", False):
                raise files.refused("file-too-large")
            if handed_in is None:
                raise files.refused("file-no-rows")
            upload = uploads.start_upload(
                institution=desk.institution,
                stream=stream,
                name=str(handed_in.name or ""),
                data=handed_in.read(),
                acting_user=desk.user,
            )
        except files.FileRefused as error:
            missing = handed_in is None and error.code == "file-no-rows"
            errors = [gettext("请先选择一个文件。") if missing else error.sentence]
        else:
            return redirect("org_import", slug=slug, pk=upload.pk)
    page = Paginator(queries.uploads(desk.institution), LIST_SIZE).get_page(request.GET.get("page"))
    context = {"errors": errors, "page": page, "shown": [_Shown(row) for row in page.object_list]}
    return show(request, desk, "imports", context, status=422 if errors else 200)


@dataclass(frozen=True)
class _Shown:
    """An upload in a list, with its file's name."""

    upload: Upload

    @property
    def name(self) -> str:
        """What the file was called."""
        return queries.file_name(self.upload)

    @property
    def state(self) -> str:
        """The state that the page draws."""
        if self.upload.state == UploadState.CHECKING:
            return "running"
        if self.upload.state != UploadState.CHECKED:
            return "failed"
        return "pending" if self.upload.draft_id else "done"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One cause of problems, over all rows: how often, and where first and last."""

    code: str
    field: str
    message: str
    count: int
    first: int
    last: int


def causes(problems: Sequence[Problem]) -> list[Cause]:
    """Group problems by cause, the most frequent first."""
    groups: dict[tuple[str, str], list[int]] = {}
    for found in problems:
        groups.setdefault((found.code, found.field or ""), []).append(found.row or 0)
    return sorted(
        (
            Cause(
                code=code,
                field=label(name),
                message=sentence(code),
                count=len(rows),
                first=min(rows),
                last=max(rows),
            )
            for (code, name), rows in groups.items()
        ),
        key=lambda cause: (-cause.count, cause.first),
    )


@dataclass(frozen=True, kw_only=True)
class ShownProblem:
    """A problem with its field's name in the reader's language."""

    row: int | None
    field: str
    value: str
    expected: str
    message: str


def shown_problems(problems: Sequence[Problem]) -> list[ShownProblem]:
    """Return problems as a page shows them."""
    return [
        ShownProblem(
            row=found.row,
            field=label(found.field) if found.field else "",
            value=found.value or "",
            expected=found.expected or "",
            message=found.message,
        )
        for found in problems
    ]


@desk_page
@require_safe
def import_page(request: HttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """Show how far the check of a file is, and then what was found."""
    desk = desk_for(request, slug, Role.CLERK)
    upload = queries.upload(desk.institution, pk)
    at_work = progress(upload.job)
    if request.headers.get("HX-Request"):
        response = show(request, desk, "import_progress", {"upload": upload, **at_work})
        if upload.state != UploadState.CHECKING:
            response["HX-Refresh"] = "true"
        return response
    checking = upload.state == UploadState.CHECKING
    context: dict[str, Any] = {
        "upload": upload,
        "name": queries.file_name(upload),
        "before": queries.same_file_before(upload),
        "refresh_seconds": POLL_SECONDS if checking else None,
        **at_work,
    }
    report = queries.report_of(upload)
    if report is not None:
        page = Paginator(report.problems, PAGE_SIZE).get_page(request.GET.get("page"))
        context |= {
            "report": report,
            "causes": causes(report.problems),
            "page": page,
            "problems": shown_problems(list(page.object_list)),
        }
    if upload.state == UploadState.REFUSED:
        context["refusal"] = files.file_sentence(upload.error_code)
    return show(request, desk, "import", context)


@desk_page
@require_POST
def submit(request: HttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """Hand the good rows of a checked file to the reviewers."""
    desk = desk_for(request, slug, Role.CLERK)
    upload = queries.upload(desk.institution, pk)
    hosted_stream(desk)
    try:
        draft = uploads.submit_upload(upload=upload, acting_user=desk.user)
    except DomainError as error:
        say(request, error)
        return redirect("org_import", slug=slug, pk=pk)
    messages.success(request, gettext("已提交，等待另一位同事复核。"))
    return redirect("org_draft", slug=slug, pk=draft.pk)


@desk_page
@require_POST
def again(request: HttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """Check a file anew whose check broke off."""
    desk = desk_for(request, slug, Role.CLERK)
    uploads.check_again(upload=queries.upload(desk.institution, pk), acting_user=desk.user)
    return redirect("org_import", slug=slug, pk=pk)


@desk_page
@require_safe
def refused_rows(request: HttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """Hand out the rows to correct, with the reasons beside them."""
    desk = desk_for(request, slug, Role.CLERK)
    report = queries.report_of(queries.upload(desk.institution, pk))
    if report is None or not report.originals:
        raise NotFound
    data = worksheets.refused_rows(report, labels())
    access.note_export(desk.user, what="refused-rows", about=str(pk), count=len(report.originals))
    return download(data, f"rows-to-correct-{str(pk)[:8]}.xlsx", worksheets.MEDIA_TYPE)


@desk_page
@require_safe
def template(request: HttpRequest, slug: str) -> HttpResponse:
    """Hand out an empty table with the columns that the institution's outcomes need."""
    desk = desk_for(request, slug, Role.CLERK)
    items = institutions.active_items(desk.institution, today())
    kinds = {str(item.kind) for item in items}
    fields = [*PERSON, "item", "completed_on"]
    for kind in sorted(kinds):
        fields += [name for name in DETAILS[kind] if name not in fields]
    data = worksheets.template(fields, [(item.code, str(item)) for item in items])
    return download(data, f"template-{slug}.xlsx", worksheets.MEDIA_TYPE)


urlpatterns: list[URLPattern] = [
    path("org/<slug:slug>/imports", imports, name="org_imports"),
    path("org/<slug:slug>/imports/template.xlsx", template, name="org_import_template"),
    path("org/<slug:slug>/imports/<uuid:pk>", import_page, name="org_import"),
    path("org/<slug:slug>/imports/<uuid:pk>/submit", submit, name="org_import_submit"),
    path("org/<slug:slug>/imports/<uuid:pk>/again", again, name="org_import_again"),
    path("org/<slug:slug>/imports/<uuid:pk>/errors.xlsx", refused_rows, name="org_import_errors"),
]
