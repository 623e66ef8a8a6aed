"""Appeals at an institution's desk: the list, one with its thread, and the answer to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from creditbank import access
from creditbank.clock import today
from creditbank.errors import DomainError
from creditbank.institutions.kinds import Role
from creditbank.ledger.learnerkeys import PersonForgotten
from creditbank.portals.downloads import download
from creditbank.portals.institution_frame import Desk, desk_for, desk_page, say, show
from creditbank.portals.institution_requests import (
    letter_page,
    proposed,
    shown_decision,
    shown_rules,
    told,
)
from creditbank.portals.requestforms import AnewForm, SayForm, UpholdForm
from creditbank.recognition.deciding import workdays
from creditbank.recognition.models import Appeal, AppealMessage
from creditbank.recognition.workflow import appeals, caselist, deciders, reviewing
from creditbank.recognition.workflow.appeals import Attachment
from creditbank.recognition.workflow.errors import FileRefused, VerdictsRefused
from creditbank.recognition.workflow.reviewing import Opened
from learners import queries as learners

LIST_SIZE: Final = 50


@dataclass(frozen=True, kw_only=True)
class ShownAppeal:
    """An appeal in a list, with its clock."""

    row: Appeal
    state: str
    clock: str
    days: int


def shown_appeal(row: Appeal) -> ShownAppeal:
    """Return an appeal as a list shows it."""
    on = today()
    clock = caselist.clock(row.expected_on, on) if row.is_open else "stopped"
    return ShownAppeal(
        row=row,
        state=f"appeal-{row.state}",
        clock=f"clock-{clock}",
        days=abs(workdays.between(on, row.expected_on)),
    )


@desk_page
@require_safe
def appeal_list(request: HttpRequest, slug: str) -> HttpResponse:
    """List the appeals against the institution's decisions, open ones first."""
    desk = desk_for(request, slug)
    page = Paginator(caselist.appeals_of(desk.institution), LIST_SIZE).get_page(
        request.GET.get("page")
    )
    context = {"page": page, "shown": [shown_appeal(row) for row in page.object_list]}
    return show(request, desk, "appeals", context)


@desk_page
@require_safe
def appeal_page(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Show one appeal: what is appealed against, what was said, and the ways to answer."""
    desk = desk_for(request, slug)
    return _page(request, desk, caselist.appeal_for(desk.institution, number))


def _page(
    request: HttpRequest,
    desk: Desk,
    appeal: Appeal,
    *,
    said: SayForm | None = None,
    uphold: UpholdForm | None = None,
    anew: AnewForm | None = None,
    status: int = 200,
) -> HttpResponse:
    filed = appeal.decision.request
    try:
        opened = reviewing.look(filed)
        thread = appeals.thread(appeal)
    except PersonForgotten:
        return show(request, desk, "request_forgotten", {"filed": filed}, status=410)
    access.note_view(desk.user, what="recognition-appeal", about=appeal.number)
    refusal = _why_not(desk, appeal, opened)
    decision = shown_decision(appeal.decision, opened.case)
    lines = proposed(opened.case)
    context: dict[str, Any] = {
        "appeal": appeal,
        "shown": shown_appeal(appeal),
        "filed": filed,
        "name": learners.display_name(filed.learner),
        "identity": learners.masked_identity(filed.learner),
        "decision": decision,
        "disputed": [line for line in decision.lines if line.position in appeal.positions],
        "outcome": shown_decision(appeal.outcome, opened.case) if appeal.outcome else None,
        "proposal": opened.decision,
        "thread": thread,
        "rules": shown_rules(opened),
        "procedure": opened.case.procedure,
        "refusal": refusal,
        "may_say": appeal.is_open and desk.may_review,
        "may_answer": appeal.is_open and not refusal and opened.decision is None,
        "may_agree": appeal.is_open and not refusal and opened.decision is not None,
        "say_form": said or SayForm(auto_id="say_%s"),
        "uphold_form": uphold or UpholdForm(auto_id="uphold_%s"),
        "form": anew or AnewForm(lines=lines, initial=_as_decided(decision.lines, lines)),
    }
    return show(request, desk, "appeal", context, status=status)


def _as_decided(decided: Any, lines: Any) -> dict[str, Any]:
    """Start a new decision from the old one, line by line where both are for the same target."""
    before = {(line.rule, line.target.code): line for line in decided if line.target is not None}
    initial: dict[str, Any] = {}
    for line in lines:
        old = before.get((line.rule, line.target.code if line.target else ""))
        if old is not None:
            initial[f"verdict_{line.position}"] = old.verdict
            if old.verdict == "part":
                initial[f"credits_{line.position}"] = format(old.credits, "f")
    return initial


def _why_not(desk: Desk, appeal: Appeal, opened: Opened) -> str:
    """Say why the reader cannot answer an appeal; nothing when they can."""
    if not appeal.is_open:
        return ""
    if not desk.may_review:
        return gettext("复议须由复核人办理，您的角色是经办或查看。")
    try:
        deciders.require_word(opened, desk.user)
        for one in deciders.of_request(opened.case.request):
            access.require_other_person(one, desk.user)
    except access.SamePerson:
        return gettext("您参与过原来的决定，复议须由没有参与的人办理。")
    except DomainError as error:
        return error.message
    return ""


def _attachment(form: SayForm) -> Attachment | None:
    file = form.cleaned_data.get("attachment")
    return Attachment(name=file.name or "", data=file.read()) if file else None


@desk_page
@require_POST
def add_message(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Say something to the learner, with a file perhaps."""
    desk = desk_for(request, slug, Role.REVIEWER)
    appeal = caselist.appeal_for(desk.institution, number)
    form = SayForm(request.POST, request.FILES, auto_id="say_%s")
    if form.is_valid():
        try:
            appeals.say(
                appeal=appeal,
                text=form.cleaned_data["text"],
                attachment=_attachment(form),
                acting_user=desk.user,
            )
        except FileRefused as error:
            form.add_error("attachment", error.message)
        except DomainError as error:
            say(request, error)
    if form.errors:
        return _page(request, desk, appeal, said=form, status=422)
    return redirect("org_appeal", slug=slug, number=number)


@desk_page
@require_POST
def uphold(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Answer that the decision stands."""
    desk = desk_for(request, slug, Role.REVIEWER)
    appeal = caselist.appeal_for(desk.institution, number)
    form = UpholdForm(request.POST, auto_id="uphold_%s")
    if not form.is_valid():
        return _page(request, desk, appeal, uphold=form, status=422)
    try:
        appeals.uphold(appeal=appeal, text=form.cleaned_data["text"], acting_user=desk.user)
    except DomainError as error:
        say(request, error)
    else:
        messages.success(request, gettext("已答复：维持原决定。"))
    return redirect("org_appeal", slug=slug, number=number)


@desk_page
@require_POST
def decide_anew(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Decide anew: the letter first, then the new decision takes the old one's place."""
    desk = desk_for(request, slug, Role.REVIEWER)
    appeal = caselist.appeal_for(desk.institution, number)
    opened = reviewing.look(appeal.decision.request)
    form = AnewForm(request.POST, lines=proposed(opened.case))
    step = request.POST.get("step", "preview")
    if step == "edit" or not form.is_valid():
        return _page(request, desk, appeal, anew=form, status=200 if step == "edit" else 422)
    if step != "submit":
        access.note_view(desk.user, what="recognition-letter", about=appeal.number)
        address = reverse("org_appeal_decide", args=[slug, number])
        return letter_page(request, desk, opened, form, address)
    try:
        made = appeals.decide_anew(
            appeal=appeal,
            verdicts=form.verdicts(),
            text=form.cleaned_data["text"],
            acting_user=desk.user,
        )
    except VerdictsRefused as error:
        form.tell(error.problems)
        return _page(request, desk, appeal, anew=form, status=422)
    except DomainError as error:
        say(request, error)
    else:
        told(request, made)
    return redirect("org_appeal", slug=slug, number=number)


@desk_page
@require_safe
def attachment(request: HttpRequest, slug: str, number: str, message: Any) -> HttpResponse:
    """Hand out a file of the thread."""
    desk = desk_for(request, slug)
    appeal = caselist.appeal_for(desk.institution, number)
    row = appeal.messages.filter(pk=message).first()
    found = appeals.attachment_of(row) if row is not None else None
    if row is None or found is None:
        raise access.NotFound
    access.note_export(desk.user, what="recognition-attachment", about=number, count=1)
    ending = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}[found.kind]
    return download(found.data, f"{number}-{_place(appeal, row)}.{ending}", found.kind)


def _place(appeal: Appeal, row: AppealMessage) -> int:
    """Say which message of the thread it is: an uploaded name may say who sent it."""
    return 1 + [one.pk for one in appeal.messages.all()].index(row.pk)


urlpatterns: list[URLPattern] = [
    path("org/<slug:slug>/appeals", appeal_list, name="org_appeals"),
    path("org/<slug:slug>/appeals/<casenumber:number>", appeal_page, name="org_appeal"),
    path("org/<slug:slug>/appeals/<casenumber:number>/say", add_message, name="org_appeal_say"),
    path("org/<slug:slug>/appeals/<casenumber:number>/uphold", uphold, name="org_appeal_uphold"),
    path(
        "org/<slug:slug>/appeals/<casenumber:number>/decide", decide_anew, name="org_appeal_decide"
    ),
    path(
        "org/<slug:slug>/appeals/<casenumber:number>/files/<uuid:message>",
        attachment,
        name="org_appeal_file",
    ),
]
