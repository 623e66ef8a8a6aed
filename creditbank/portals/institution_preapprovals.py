"""Pre-approvals at an institution's desk: prepared by one person, approved by another, withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from creditbank import access
from creditbank.clock import today
from creditbank.errors import DomainError
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import Role
from creditbank.ledger.learnerkeys import PersonForgotten
from creditbank.ledger.queries import NotYetPublished
from creditbank.portals import casewords
from creditbank.portals.casewords import Target
from creditbank.portals.institution_frame import Desk, desk_for, desk_page, say, show
from creditbank.portals.requestforms import PromiseForm
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.models import PreApproval, PreApprovalState, ProgrammeVersion
from creditbank.recognition.register import rulebook
from creditbank.recognition.workflow import caselist, preapprovals
from creditbank.recognition.workflow.errors import PreApprovalRefused
from creditbank.recognition.workflow.preapprovals import Promised
from learners import queries as learners
from learners.models import Learner

LIST_SIZE: Final = 50


def state_of(row: PreApproval, on: date) -> str:
    """Return the state that a pre-approval is drawn in: one whose day has passed unused has lapsed."""
    if row.state == PreApprovalState.IN_FORCE and row.until < on:
        return "pre-approval-lapsed"
    return f"pre-approval-{row.state}"


@desk_page
@require_safe
def pre_approvals(request: HttpRequest, slug: str) -> HttpResponse:
    """List the institution's pre-approvals, those that wait for approval first."""
    desk = desk_for(request, slug)
    page = Paginator(caselist.pre_approvals_of(desk.institution), LIST_SIZE).get_page(
        request.GET.get("page")
    )
    context = {
        "page": page,
        "shown": [(row, state_of(row, today())) for row in page.object_list],
        "programmes": rulebook.programmes_in_force(today(), owner=desk.institution),
    }
    return show(request, desk, "pre_approvals", context)


# -- preparing --------------------------------------------------------------------------------
@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def prepare(request: HttpRequest, slug: str) -> HttpResponse:
    """Type a promise, look at it, hand it to a reviewer."""
    desk = desk_for(request, slug, Role.CLERK)
    programme = _programme(desk, request.POST.get("programme") or request.GET.get("programme", ""))
    if programme is None:
        return redirect("org_pre_approvals", slug=slug)
    form = PromiseForm(request.POST or None, programme=programme.parsed())
    context: dict[str, Any] = {"form": form, "programme": programme}
    step = request.POST.get("step", "preview")
    if request.method != "POST" or step == "edit":
        return show(request, desk, "pre_approval_form", context)
    if form.is_valid():
        try:
            learner = access.learner_to_promise(desk.user, slug, form.document)
        except (access.NotFound, access.OwnAward) as error:
            form.add_error("number", error.message)
        else:
            if step != "submit":
                return _preview(request, desk, learner, context)
            made = _prepared(request, desk, learner, programme, form)
            if made is not None:
                return redirect("org_pre_approval", slug=slug, number=made.number)
    return show(request, desk, "pre_approval_form", context, status=422)


def _programme(desk: Desk, code: str) -> ProgrammeVersion | None:
    found = rulebook.programmes_in_force(today(), owner=desk.institution)
    return next((one for one in found if one.code == code), None)


def _preview(
    request: HttpRequest, desk: Desk, learner: Learner, context: dict[str, Any]
) -> HttpResponse:
    """Show what was typed as it was understood; the item is named as the catalogue names it."""
    form, programme = context["form"], context["programme"].parsed()
    items = institutions.newest_items([form.cleaned_data["item"]])
    access.note_view(desk.user, what="pre-approval", about=desk.slug)
    shown = {
        "name": learners.display_name(learner),
        "identity": learners.masked_identity(learner),
        "item": items.get(form.cleaned_data["item"]),
        "promised": promised(programme, form.targets()),
    }
    return show(request, desk, "pre_approval_preview", context | shown)


def _prepared(
    request: HttpRequest,
    desk: Desk,
    learner: Learner,
    programme: ProgrammeVersion,
    form: PromiseForm,
) -> PreApproval | None:
    try:
        made = preapprovals.prepare_pre_approval(
            learner=learner,
            programme=programme,
            item=form.cleaned_data["item"],
            until=form.cleaned_data["until"],
            targets=form.targets(),
            score=form.cleaned_data["score"],
            acting_user=desk.user,
        )
    except PreApprovalRefused as error:
        form.tell(error.problems)
    except DomainError as error:
        form.add_error(None, error.message)
    else:
        messages.success(request, gettext("已提交，等待另一位同事复核。"))
        return made
    return None


# -- one --------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class ShownPromise:
    """What is promised for one target."""

    target: Target | None
    credits: Any
    waived: bool


def promised(programme: Programme, targets: list[Promised]) -> list[ShownPromise]:
    """Return what is promised as a page shows it; a course without a figure gets its own credits."""
    shown = []
    for one in targets:
        found = casewords.target(programme, one.course, one.category)
        own = found.credits if found is not None else None
        shown.append(
            ShownPromise(
                target=found,
                credits=one.credits if one.credits is not None else own,
                waived=one.waived,
            )
        )
    return shown


def _of_rule(rule: Rule) -> list[Promised]:
    """Read from the rule that a pre-approval is what it promises."""
    return [
        Promised(
            course=to.get("course", ""),
            category=to.get("category", ""),
            credits=Decimal(to["credits"]) if "credits" in to else None,
            waived=bool(to.get("waived")),
        )
        for to in rule.allocation["to"]
    ]


def _conditions(rule: Rule) -> dict[str, Any]:
    """Return the item and the least score that a pre-approval's rule names."""
    said: dict[str, Any] = {}
    for condition in rule.sources["outcome"]["all"]:
        said |= condition
    return {"item": said["item"][0], "score": said.get("score", {}).get("min", "")}


@desk_page
@require_safe
def pre_approval_page(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Show one pre-approval: for whom, what, until when, and what can be done."""
    desk = desk_for(request, slug)
    row = caselist.pre_approval_for(desk.institution, number)
    try:
        rule = preapprovals.rule_of(row)
        name, identity = learners.display_name(row.learner), learners.masked_identity(row.learner)
    except PersonForgotten:
        return show(request, desk, "pre_approval", {"row": row, "forgotten": True}, status=410)
    access.note_view(desk.user, what="pre-approval", about=number)
    said = _conditions(rule)
    context = {
        "row": row,
        "state": state_of(row, today()),
        "name": name,
        "identity": identity,
        "item": institutions.newest_items([said["item"]]).get(said["item"]),
        "item_code": said["item"],
        "score": said["score"],
        "promised": promised(row.programme.parsed(), _of_rule(rule)),
        "refusal": _why_not(desk, row),
        "waiting": row.state == PreApprovalState.PREPARED and row.approved_at is None,
        "entering": row.state == PreApprovalState.PREPARED and row.approved_at is not None,
    }
    return show(request, desk, "pre_approval", context)


def _why_not(desk: Desk, row: PreApproval) -> str:
    """Say why the reader cannot approve it; nothing when they can."""
    if row.state != PreApprovalState.PREPARED or row.approved_at is not None:
        return ""
    if not desk.may_review:
        return gettext("复核须由复核人办理，您的角色是经办或查看。")
    try:
        access.refuse_own_award(desk.user, row.learner)
        access.require_other_person(row.prepared_by, desk.user)
    except DomainError as error:
        return error.message
    return ""


@desk_page
@require_POST
def approve(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Approve what another person prepared: it is entered and binds."""
    desk = desk_for(request, slug, Role.REVIEWER)
    row = caselist.pre_approval_for(desk.institution, number)
    try:
        preapprovals.approve_pre_approval(pre_approval=row, acting_user=desk.user)
    except NotYetPublished:
        messages.info(request, gettext("已存入，公布用的签名正在生成。"))
    except DomainError as error:
        say(request, error)
    else:
        messages.success(request, gettext("预认定已生效，对以后的决定有约束力。"))
    return redirect("org_pre_approval", slug=slug, number=number)


@desk_page
@require_POST
def withdraw(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Take a pre-approval back that nobody has approved."""
    desk = desk_for(request, slug, Role.CLERK)
    row = caselist.pre_approval_for(desk.institution, number)
    try:
        preapprovals.withdraw_pre_approval(pre_approval=row, acting_user=desk.user)
    except DomainError as error:
        say(request, error)
    else:
        messages.success(request, gettext("已撤回。"))
    return redirect("org_pre_approvals", slug=slug)


urlpatterns: list[URLPattern] = [
    path("org/<slug:slug>/pre-approvals", pre_approvals, name="org_pre_approvals"),
    path("org/<slug:slug>/pre-approvals/new", prepare, name="org_pre_approval_new"),
    path(
        "org/<slug:slug>/pre-approvals/<casenumber:number>",
        pre_approval_page,
        name="org_pre_approval",
    ),
    path(
        "org/<slug:slug>/pre-approvals/<casenumber:number>/approve",
        approve,
        name="org_pre_approval_approve",
    ),
    path(
        "org/<slug:slug>/pre-approvals/<casenumber:number>/withdraw",
        withdraw,
        name="org_pre_approval_withdraw",
    ),
]
