"""A learner's requests for recognition: ask, follow, withdraw, ask for a person, appeal."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from creditbank import access
from creditbank.access import NotFound
from creditbank.clock import today
from creditbank.errors import DomainError, Problem
from creditbank.portals import casewords, outcomewords
from creditbank.portals.downloads import download
from creditbank.portals.institution_frame import say
from creditbank.portals.requestshown import (
    ListedRequest,
    ShownRequest,
    fee_words,
    own_lines,
    shown_request,
)
from creditbank.portals.signedin import signed_in
from creditbank.portals.templatetags.bank import civil_date
from creditbank.portals.uploads import keep_in_memory
from creditbank.recognition.deciding import workdays
from creditbank.recognition.models import Decision, ProgrammeVersion, Request
from creditbank.recognition.workflow import appeals, decisionfile, records, requests
from creditbank.recognition.workflow.appeals import FILE_MAX, Attachment
from creditbank.recognition.workflow.details import WORDS_MAX
from creditbank.recognition.workflow.errors import (
    AppealRefused,
    FileRefused,
    RequestRefused,
    TextMissing,
)
from creditbank.recognition.workflow.requests import CONSENT, Choice, Form
from learners.models import Learner

PAGE_SIZE: Final = 20
UPLOAD_MAX: Final = FILE_MAX + (64 << 10)
"""What an appeal's form may weigh with its attachment: refused above, before it is read whole."""
ACCEPTED: Final = ".pdf,.png,.jpg,.jpeg"


def own_request(request: HttpRequest, number: str) -> Request:
    """Return the learner's own request by its number. Raises NotFound."""
    learner = access.learner_for(signed_in(request))
    found = records.request(number)
    if found.learner_id != learner.pk:
        raise NotFound(request=number)
    return found


# -- the list ---------------------------------------------------------------------------------
@login_required
@never_cache
@require_safe
def request_list(request: HttpRequest) -> HttpResponse:
    """List the learner's requests, newest first."""
    learner = access.learner_for(signed_in(request))
    page = Paginator(records.requests_of(learner), PAGE_SIZE).get_page(request.GET.get("page"))
    shown = [ListedRequest(request=row) for row in page.object_list]
    return render(request, "learner/requests.html", {"page": page, "shown": shown})


# -- asking -----------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class ShownProblem:
    """What is in the way of a request, with the page of the earlier use where there is one."""

    title: str
    sentence: str
    number: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class ShownChoice:
    """An outcome that can be chosen, or why it cannot be."""

    index: int
    title: str
    body: str
    completed_on: date
    credits: Decimal
    chosen: bool
    problem: ShownProblem | None

    @property
    def refused(self) -> bool:
        """Whether it was asked for and cannot be used."""
        return self.chosen and self.problem is not None


def shown_choice(choice: Choice) -> ShownChoice:
    """Return an outcome of a request's form as a page shows it."""
    evidence = choice.holding.evidence
    outcome = evidence.outcome
    title = outcomewords.title(outcome)
    named = {str(evidence.index): title}
    return ShownChoice(
        index=evidence.index,
        title=title,
        body=outcomewords.body(outcome),
        completed_on=outcome.completed_on,
        credits=outcome.credits,
        chosen=choice.chosen,
        problem=None if choice.problem is None else shown_problem(choice.problem, named),
    )


def shown_problem(problem: Problem, titles: dict[str, str] | None = None) -> ShownProblem:
    """Return a problem of a request as a page shows it; what uses an outcome is linked."""
    number = problem.value or ""
    url = used_by_url(number) if problem.code in ("source-used", "source-reserved") else ""
    return ShownProblem(
        title=(titles or {}).get(problem.field or "", ""),
        sentence=problem.message,
        number=number if url else "",
        url=url,
    )


def used_by_url(number: str) -> str:
    """Return the page on which a request, or a decision, can be read; nothing for another number."""
    if number.startswith("R-"):
        return reverse("request", args=[number])
    found = Decision.objects.select_related("request").filter(number=number).first()
    if found is None:
        return ""
    return f"{reverse('request', args=[found.request.number])}#{found.number}"


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def request_form(request: HttpRequest, code: str) -> HttpResponse:
    """Show a request before it is filed, everything filled in; a POST computes anew or files it."""
    from creditbank.portals.learner_goals import programme_for

    learner = access.learner_for(signed_in(request))
    row, goal = programme_for(learner, code)
    award_on = goal.award_on if goal is not None else None
    asked = request.POST if request.method == "POST" else request.GET
    again = _again(request, asked.get("resubmits") or asked.get("again") or "", row)
    form = _prepared(learner, row, asked, again=again, award_on=award_on)
    problems = [one.problem for one in map(shown_choice, form.choices) if one.refused]
    words = asked.get("words", "")
    if request.method == "POST" and asked.get("act") != "look":
        try:
            made = requests.request_recognition(
                learner=learner,
                programme=row,
                leaves=form.leaves,
                targets=_chosen_targets(asked, form),
                consent=CONSENT if asked.get("consent") else "",
                words=words,
                award_on=award_on,
                resubmits=again,
                acting_user=signed_in(request),
            )
        except RequestRefused as error:
            titles = {str(one.index): one.title for one in map(shown_choice, form.choices)}
            problems = [shown_problem(problem, titles) for problem in error.problems]
        else:
            sentence = gettext("申请 %(number)s 已提交，最迟 %(day)s 答复。") % {
                "number": made.number,
                "day": civil_date(made.expected_on),
            }
            messages.success(request, sentence)
            return redirect("request", number=made.number)
    context = {
        **_form_context(form, row),
        "problems": problems,
        "resubmits": again,
        "consent": bool(asked.get("consent")),
        "words": words,
    }
    refused = request.method == "POST" and problems
    return render(request, "learner/request_form.html", context, status=422 if refused else 200)


def _again(request: HttpRequest, number: str, row: ProgrammeVersion) -> Request | None:
    """Return the earlier request that this one carries on from. Raises NotFound."""
    if not number:
        return None
    found = own_request(request, number)
    if found.programme.code != row.code:
        raise NotFound(request=number)
    return found


def _prepared(
    learner: Learner,
    row: ProgrammeVersion,
    asked: Any,
    *,
    again: Request | None,
    award_on: date | None,
) -> Form:
    """Return the request as it was chosen; as the best plan has it, where nothing was."""
    indexes = chosen_indexes(asked)
    if again is not None and not indexes and "act" not in asked:
        return requests.resubmission(again)
    form = requests.prepare(learner=learner, programme=row, award_on=award_on)
    if not indexes and "act" not in asked and not asked.getlist("t"):
        return form
    leaves = leaves_of(form, indexes) if indexes or "act" in asked else form.leaves
    narrowed = requests.prepare(learner=learner, programme=row, leaves=leaves, award_on=award_on)
    targets = _targets(asked, narrowed)
    if not targets:
        return narrowed
    return requests.prepare(
        learner=learner,
        programme=row,
        leaves=leaves,
        targets=targets,
        award_on=award_on,
    )


def chosen_indexes(asked: Any) -> set[int]:
    """Return the log indexes that were chosen; what is no number is left out."""
    return {int(text) for text in asked.getlist("o") if text.isascii() and text.isdigit()}


def leaves_of(form: Form, indexes: Collection[int]) -> list[bytes]:
    """Return the leaf hashes of the learner's outcomes at these log indexes."""
    return [one.leaf for one in form.situation.holdings if one.evidence.index in indexes]


def _targets(asked: Any, form: Form) -> list[str]:
    """Return the targets that were chosen of those there are; none where all were."""
    known = [one.code for one in form.targets]
    chosen = [code for code in known if code in asked.getlist("t")]
    return [] if len(chosen) == len(known) else chosen


def _chosen_targets(asked: Any, form: Form) -> list[str]:
    """Return the targets to ask for. Raises RequestRefused when all there are were taken away."""
    chosen = _targets(asked, form)
    if form.targets and not chosen and not asked.getlist("t"):
        raise RequestRefused(
            [
                Problem(
                    code="no-target",
                    message=gettext("请至少选择一门课程或一个类别。"),
                    field="targets",
                )
            ]
        )
    return chosen


def _form_context(form: Form, row: ProgrammeVersion) -> dict[str, Any]:
    programme = form.situation.programme
    holdings = form.situation.holdings
    titles = {one.leaf: outcomewords.title(one.evidence.outcome) for one in holdings}
    shown = casewords.proposed_lines(form.lines, programme, holdings)
    return {
        "programme": row,
        "form": form,
        "choices": [shown_choice(one) for one in form.choices],
        "targets": form.targets,
        "lines": own_lines(shown, [line.leaves for line in form.lines], holdings),
        "unused": [
            ShownProblem(
                title="、".join(titles[leaf] for leaf in line.leaves if leaf in titles),
                sentence=casewords.reason(line.reason),
            )
            for line in form.unused
        ],
        "fees": [fee_words(fee) for fee in form.procedure.fees],
        "expected_days": workdays.between(today(), form.expected_on),
        "sendable": any(one.problem is None for one in form.choices),
        "words_max": WORDS_MAX,
    }


# -- one request ------------------------------------------------------------------------------
class AppealForm(forms.Form):
    """What of a decision the learner does not agree with, and why."""

    positions = forms.TypedMultipleChoiceField(
        label=_("对哪几项不同意"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("请选择对哪几项不同意。")},
    )
    text = forms.CharField(
        label=_("理由"),
        max_length=appeals.TEXT_MAX,
        help_text=_("写清楚您认为哪里不对、应当怎样认定。只有您和审核人员能看到。"),
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("请写明理由。")},
    )

    def __init__(self, *args: Any, choices: Iterable[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = list(choices)
        self.fields["positions"].choices = chosen  # type: ignore[attr-defined]
        self.file_errors: list[str] = []


@login_required
@never_cache
@require_safe
def request_page(request: HttpRequest, number: str) -> HttpResponse:
    """Show one request: its steps and clock, its decisions line by line, its appeals."""
    return _page(request, shown_request(own_request(request, number)))


def _page(
    request: HttpRequest,
    shown: ShownRequest,
    form: AppealForm | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    if form is None:
        appealable = shown.appealable
        form = AppealForm(choices=appealable.choices if appealable is not None else [])
    context = {
        "shown": shown,
        "appeal_form": form,
        "file_accept": ACCEPTED,
        "file_hint": gettext("PDF、PNG 或 JPEG，不超过 5 MB。加密保存，只有您和审核人员能打开。"),
    }
    return render(request, "learner/request.html", context, status=status)


@login_required
@require_POST
def request_withdraw(request: HttpRequest, number: str) -> HttpResponse:
    """Take a request back; its outcomes are free again."""
    found = own_request(request, number)
    try:
        requests.withdraw_request(request=found, acting_user=signed_in(request))
    except DomainError as error:
        say(request, error)
    else:
        messages.success(request, gettext("已撤回，成果可以另作他用。"))
    return redirect("request", number=number)


@login_required
@require_POST
def request_person(request: HttpRequest, number: str) -> HttpResponse:
    """Have a person look at what was refused automatically."""
    found = own_request(request, number)
    try:
        requests.ask_for_person(request=found, acting_user=signed_in(request))
    except RequestRefused as error:
        for problem in error.problems:
            messages.error(request, problem.message)
    except DomainError as error:
        say(request, error)
    else:
        messages.success(request, gettext("已转交学院的审核人员，原来的材料一并转交。"))
    return redirect("request", number=number)


@login_required
@never_cache
@require_safe
def decision_file(request: HttpRequest, number: str, decision: str) -> HttpResponse:
    """Hand out a decision with everything it rests on: what `replay` reads."""
    found = own_request(request, number)
    row = next((one for one in found.decisions.all() if one.number == decision), None)
    if row is None or not row.is_decided:
        raise NotFound(decision=decision)
    return download(decisionfile.build(row), f"{row.number}.json", "application/json")


# -- appeals ----------------------------------------------------------------------------------
@csrf_exempt
def request_appeal(request: HttpRequest, number: str) -> HttpResponse:
    """Keep the attachment in memory and under its cap, then appeal."""
    keep_in_memory(request, cap=UPLOAD_MAX)
    return _request_appeal(request, number)


@csrf_protect
@login_required
@require_POST
def _request_appeal(request: HttpRequest, number: str) -> HttpResponse:
    shown = shown_request(own_request(request, number))
    target = shown.appealable
    if target is None:
        messages.error(request, gettext("现在没有可以申请复议的决定。"))
        return redirect("request", number=number)
    form = AppealForm(request.POST, choices=target.choices)
    valid = form.is_valid()
    attachment = _attachment(request, "file", form.file_errors)
    if valid and not form.file_errors:
        try:
            made = appeals.file_appeal(
                decision=target.decision,
                positions=form.cleaned_data["positions"],
                text=form.cleaned_data["text"],
                attachment=attachment,
                acting_user=signed_in(request),
            )
        except FileRefused as error:
            form.file_errors.append(error.message)
        except AppealRefused as error:
            for problem in error.problems:
                form.add_error(None, problem.message)
        else:
            messages.success(request, gettext("复议 %(number)s 已提交。") % {"number": made.number})
            return redirect(f"{reverse('request', args=[number])}#{made.number}")
    if form.file_errors:
        form.add_error(None, gettext("附件：%(problem)s") % {"problem": form.file_errors[0]})
    return _page(request, shown, form, status=422)


def _attachment(request: HttpRequest, name: str, errors: list[str]) -> Attachment | None:
    """Return the file that was handed in, if there is one; say when it is too large."""
    if getattr(request.upload_handlers[0], "too_large", False):
        errors.append(gettext("文件不能超过 5 MB。"))
        return None
    handed_in = request.FILES.get(name)
    if handed_in is None:
        return None
    return Attachment(name=str(handed_in.name or ""), data=handed_in.read())


@csrf_exempt
def appeal_say(request: HttpRequest, number: str) -> HttpResponse:
    """Keep the attachment in memory and under its cap, then add to the appeal's thread."""
    keep_in_memory(request, cap=UPLOAD_MAX)
    return _appeal_say(request, number)


@csrf_protect
@login_required
@require_POST
def _appeal_say(request: HttpRequest, number: str) -> HttpResponse:
    appeal = shown_request(own_request(request, number)).open_appeal
    if appeal is None:
        messages.error(request, gettext("这份申请没有正在办理的复议。"))
        return redirect("request", number=number)
    errors: list[str] = []
    attachment = _attachment(request, "addition", errors)
    if not errors:
        try:
            appeals.say(
                appeal=appeal,
                text=request.POST.get("text", ""),
                attachment=attachment,
                acting_user=signed_in(request),
            )
        except (TextMissing, FileRefused) as error:
            errors.append(error.message)
    for sentence in errors:
        messages.error(request, sentence)
    if not errors:
        messages.success(request, gettext("已发送。"))
    return redirect(f"{reverse('request', args=[number])}#{appeal.number}")


@login_required
@require_POST
def appeal_withdraw(request: HttpRequest, number: str) -> HttpResponse:
    """Take an appeal back; the decision stands."""
    appeal = shown_request(own_request(request, number)).open_appeal
    if appeal is None:
        messages.error(request, gettext("这份申请没有正在办理的复议。"))
    else:
        appeals.withdraw_appeal(appeal=appeal, acting_user=signed_in(request))
        messages.success(request, gettext("复议已撤回，原决定不变。"))
    return redirect("request", number=number)


@login_required
@never_cache
@require_safe
def appeal_attachment(request: HttpRequest, number: str, pk: uuid.UUID) -> HttpResponse:
    """Hand out a file of an appeal's thread."""
    found = own_request(request, number)
    message = next(
        (
            one
            for decision in found.decisions.all()
            for appeal in decision.appeals.all()
            for one in appeal.messages.all()
            if one.pk == pk
        ),
        None,
    )
    attachment = None if message is None else appeals.attachment_of(message)
    if attachment is None:
        raise NotFound(message=str(pk))
    ending = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}[attachment.kind]
    return download(attachment.data, f"attachment-{str(pk)[:8]}.{ending}", attachment.kind)


urlpatterns: list[URLPattern] = [
    path("me/goals/<doccode:code>/request", request_form, name="request_form"),
    path("me/requests", request_list, name="requests"),
    path("me/requests/<str:number>", request_page, name="request"),
    path("me/requests/<str:number>/withdraw", request_withdraw, name="request_withdraw"),
    path("me/requests/<str:number>/person", request_person, name="request_person"),
    path("me/requests/<str:number>/appeal", request_appeal, name="request_appeal"),
    path("me/requests/<str:number>/appeal/say", appeal_say, name="appeal_say"),
    path(
        "me/requests/<str:number>/appeal/withdraw",
        appeal_withdraw,
        name="appeal_withdraw",
    ),
    path(
        "me/requests/<str:number>/files/<uuid:pk>",
        appeal_attachment,
        name="appeal_attachment",
    ),
    path(
        "me/requests/<str:number>/<str:decision>.json",
        decision_file,
        name="decision_file",
    ),
]
