"""What an institution has recognised, and what of it rests on something that fell."""

from __future__ import annotations

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
from creditbank.errors import DomainError
from creditbank.institutions.kinds import Role
from creditbank.portals import casewords
from creditbank.portals.casewords import ShownLine
from creditbank.portals.institution_frame import Desk, desk_for, desk_page, say, show
from creditbank.portals.requestforms import ConfirmReversalForm
from creditbank.recognition.models import Decision
from creditbank.recognition.workflow import cascade, caselist

LIST_SIZE: Final = 50


@dataclass(frozen=True, kw_only=True)
class ShownRecognition:
    """A decision that was entered, as the list shows it: without a person."""

    row: Decision
    state: str
    lines: tuple[ShownLine, ...]
    form: ConfirmReversalForm | None = None


def _shown(row: Decision, form: ConfirmReversalForm | None = None) -> ShownRecognition:
    flagged = row.flagged_at is not None and row.state == "in-force"
    return ShownRecognition(
        row=row,
        state="decision-flagged" if flagged else f"decision-{row.state}",
        lines=tuple(
            line
            for line in casewords.decided_lines(row.lines.all(), row.request.programme.parsed(), ())
            if line.verdict != "refused"
        ),
        form=form,
    )


@desk_page
@require_safe
def recognitions(request: HttpRequest, slug: str) -> HttpResponse:
    """List what was recognised; what rests on a reversed outcome comes first and can be reversed."""
    return _page(request, desk_for(request, slug))


def _page(
    request: HttpRequest,
    desk: Desk,
    *,
    number: str = "",
    form: ConfirmReversalForm | None = None,
    status: int = 200,
) -> HttpResponse:
    page = Paginator(caselist.recognitions_of(desk.institution, flagged=False), LIST_SIZE).get_page(
        request.GET.get("page")
    )
    flagged = caselist.recognitions_of(desk.institution, flagged=True)
    context: dict[str, Any] = {
        "page": page,
        "shown": [_shown(row) for row in page.object_list],
        "flagged": [
            _shown(
                row,
                form
                if form is not None and row.number == number
                else ConfirmReversalForm(auto_id=f"{row.number}_%s"),
            )
            for row in flagged
        ],
        "number": number,
    }
    return show(request, desk, "recognitions", context, status=status)


@desk_page
@require_POST
def confirm(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Reverse a decision whose outcome fell, with a reason."""
    desk = desk_for(request, slug, Role.REVIEWER)
    decision = (
        Decision.objects.select_related("request__institution", "request__learner")
        .filter(number=number, request__institution=desk.institution)
        .first()
    )
    if decision is None:
        raise access.NotFound
    form = ConfirmReversalForm(request.POST, auto_id=f"{number}_%s")
    if not form.is_valid():
        return _page(request, desk, number=number, form=form, status=422)
    try:
        made = cascade.confirm_reversal(
            decision=decision, reason=form.cleaned_data["reason"], acting_user=desk.user
        )
    except DomainError as error:
        say(request, error)
    else:
        messages.success(request, gettext("已冲正决定 %(number)s。") % {"number": made.number})
    return redirect("org_recognitions", slug=slug)


urlpatterns: list[URLPattern] = [
    path("org/<slug:slug>/recognitions", recognitions, name="org_recognitions"),
    path(
        "org/<slug:slug>/recognitions/<casenumber:number>/reverse",
        confirm,
        name="org_recognition_reverse",
    ),
]
