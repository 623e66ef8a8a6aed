"""Requests for recognition at an institution's desk: the queue, one case in full, its decision."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from creditbank import access
from creditbank.clock import today
from creditbank.errors import DomainError
from creditbank.institutions.kinds import Role
from creditbank.institutions.models import in_english
from creditbank.ledger.learnerkeys import PersonForgotten
from creditbank.portals import casewords, letters, reasonwords, rulewords
from creditbank.portals.caseaddresses import CaseNumber
from creditbank.portals.casewords import ShownFinding, ShownLine
from creditbank.portals.downloads import download
from creditbank.portals.institution_frame import Desk, desk_for, desk_page, say, show
from creditbank.portals.requestforms import FactForm, ReturnForm, VerdictsForm
from creditbank.portals.templatetags.bank import civil_date, moment
from creditbank.recognition.deciding import admission
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.models import (
    Decision,
    DecisionState,
    Request,
    RequestState,
    RuleVersion,
)
from creditbank.recognition.register.documents import RULES
from creditbank.recognition.workflow import (
    caselist,
    deciders,
    decisionfile,
    decisions,
    records,
    reviewing,
)
from creditbank.recognition.workflow.cases import Case, split_leaves
from creditbank.recognition.workflow.errors import VerdictsRefused
from creditbank.recognition.workflow.reviewing import Opened, Similar
from learners import queries as learners

assert CaseNumber is not None  # the addresses below use the converter that is registered with it

LIST_SIZE: Final = 50

SHOWN_LABELS: Final[dict[str, Promise]] = {
    "waiting": _("待办"),
    "late": _("已逾期"),
    "to-agree": _("待同意"),
    "appealed": _("复议中"),
    "in-notice": _("公示中"),
    "decided": _("已决定"),
    "in-force": _("已生效"),
    "withdrawn": _("已撤回"),
    "all": _("全部"),
}
MOVES: Final[dict[str, Promise | str]] = {
    "reviewer": _("审核人"),
    "second": _("下一位同意的人"),
    "notice": _("公示期满自动生效"),
    "bank": _("学分银行正在登记"),
    "appeal": _("复议人"),
    "nobody": "–",
}
STAGES: Final[dict[str, Promise]] = {
    "college": _("院系"),
    "academic-office": _("教务部门"),
    "assessor": _("评价组织"),
    "bank": _("学分银行"),
}


# -- the queue --------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class ShownRequest:
    """A request in the list."""

    row: Request
    outcomes: int
    credits: Decimal
    state: str
    clock: str
    days: int
    move: str | Promise
    appealing: bool


@desk_page
@require_safe
def requests(request: HttpRequest, slug: str) -> HttpResponse:
    """List the requests that wait, or all of one state; late and due ones first."""
    desk = desk_for(request, slug)
    on = today()
    wanted = request.GET.get("show", "")
    wanted = wanted if wanted in caselist.SHOWN else caselist.SHOWN[0]
    programme = request.GET.get("programme", "")
    found = caselist.requests_of(desk.institution, show=wanted, programme=programme, on=on)
    page = Paginator(found, LIST_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "shown": [_shown_request(row) for row in caselist.with_decisions(page.object_list)],
        "wanted": wanted,
        "programme": programme,
        "programmes": caselist.programmes_asked(desk.institution),
        "states": list(SHOWN_LABELS.items()),
        "figures": caselist.figures(desk.institution, on=on),
        "elsewhere": caselist.elsewhere(desk.institution),
    }
    return show(request, desk, "requests", context)


def _shown_request(row: Any) -> ShownRequest:
    on = today()
    return ShownRequest(
        row=row,
        outcomes=row.outcomes,
        credits=row.credits,
        state=state_of(row),
        clock=f"clock-{caselist.clock_of(row, on)}",
        days=abs(caselist.days_left(row, on)),
        move=MOVES[caselist.move_of(row, proposed=row.proposed, appealing=row.appealing)],
        appealing=row.appealing,
    )


def state_of(row: Request) -> str:
    """Return the state that a request is drawn in; withdrawn is a flag that goes before."""
    return "request-withdrawn" if row.withdrawn_at is not None else f"request-{row.state}"


# -- one case ---------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class ShownRule:
    """A rule that bears on a case, with what the computation finds by it."""

    rule: Rule
    row: RuleVersion | None
    title: str
    says: tuple[Any, ...]
    used: bool
    """Whether the proposal rests on it."""
    findings: tuple[ShownFinding, ...]


@dataclass(frozen=True, kw_only=True)
class ShownSimilar:
    """Earlier decisions under the same rule for the same target, without persons."""

    target: str
    rule: str
    cases: tuple[tuple[Similar, str], ...]


@dataclass(frozen=True, kw_only=True)
class ShownReview:
    """One person's word on a decision: at which stage, who, and what they said."""

    stage: str | Promise
    who: str
    institution: str
    verdict: str
    at: Any
    expert: bool
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class ShownDecision:
    """A decision of a request, proposed or made, with its lines and who agreed."""

    row: Decision
    state: str
    lines: tuple[ShownLine, ...]
    reviews: tuple[ShownReview, ...]
    waiting: tuple[str | Promise, ...]
    """The stages that are still to agree, once for each person who is missing."""


@dataclass(frozen=True, kw_only=True)
class ShownStep:
    """One of the five states on the way: reached, present, to come, or left out."""

    label: str | Promise
    state: str
    sentence: str


def shown_steps(filed: Request) -> list[ShownStep]:
    """Return the way of a request as a page shows it: a notice that nobody asked for is left out."""
    shown = []
    for step in records.progress(filed):
        if step.state == RequestState.IN_NOTICE and filed.decided_at and not filed.notice_until:
            continue
        sentence = ""
        if step.reached_at is not None:
            sentence = moment(step.reached_at)
        elif step.expected_on is not None and filed.withdrawn_at is None:
            sentence = gettext("预计不晚于 %(day)s") % {"day": civil_date(step.expected_on)}
        shown.append(
            ShownStep(
                label=step.state.label,
                state="request-now"
                if step.current and step.state != RequestState.IN_FORCE
                else "request-reached"
                if step.reached_at is not None
                else "request-to-come",
                sentence=sentence,
            )
        )
    return shown


def request_for(desk: Desk, number: str) -> Request:
    """Return a request that a desk may see. Raises NotFound for any other."""
    return caselist.request_for(desk.institution, number)


@desk_page
@require_safe
def request_page(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Show one case: outcomes verified now, targets, rules and findings, and what can be done."""
    desk = desk_for(request, slug)
    return case_page(request, desk, request_for(desk, number))


def case_page(
    request: HttpRequest,
    desk: Desk,
    filed: Request,
    *,
    form: VerdictsForm | None = None,
    facts: FactForm | None = None,
    returned: ReturnForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render a case, with the form that was refused if one was. It is noted that it was shown."""
    try:
        opened = reviewing.look(filed)
    except PersonForgotten:
        return show(request, desk, "request_forgotten", {"filed": filed}, status=410)
    access.note_view(desk.user, what="recognition-case", about=filed.number)
    case = opened.case
    refusal = why_not(desk, opened)
    lines = proposed(case)
    wanted = fact_choices(opened)
    context: dict[str, Any] = {
        "filed": filed,
        "state": state_of(filed),
        "clock": f"clock-{caselist.clock_of(filed, today())}",
        "days": abs(caselist.days_left(filed, today())),
        "name": learners.display_name(filed.learner),
        "identity": learners.masked_identity(filed.learner),
        "words": case.details.words,
        "targets": _targets(case),
        "steps": shown_steps(filed),
        "sources": [casewords.source(one) for one in opened.verified],
        "rules": shown_rules(opened),
        "lines": lines,
        "unused": _unused(case),
        "similar": _similar(opened),
        "facts": _facts(opened),
        "procedure": case.procedure,
        "stages": [STAGES[stage] for stage in case.procedure.chain],
        "stage": STAGES.get(opened.stage, ""),
        "decisions": [shown_decision(row, case) for row in caselist.decisions_on(filed)],
        "refusal": refusal,
        "open": filed.is_open,
        "missing": filed.sources.count() - len(opened.verified),
        "unfolded": len(opened.verified) == 1,
        "to_open": filed.is_open and filed.reviewing_at is None and not refusal,
        "may_decide": filed.is_open and opened.decision is None and not refusal,
        "may_agree": opened.decision is not None and not refusal,
        "proposal": opened.decision,
        "form": form or VerdictsForm(lines=lines),
        "fact_form": facts or FactForm(**wanted) if wanted["names"] else None,
        "return_form": returned or ReturnForm(),
    }
    return show(request, desk, "request", context, status=status)


def proposed(case: Case) -> list[ShownLine]:
    """Return the proposal's lines, on which reviewers have their say."""
    return casewords.proposed_lines(
        case.proposed, case.situation.programme, case.asked, binding=case.binding
    )


def _unused(case: Case) -> list[ShownLine]:
    return casewords.proposed_lines(case.unused, case.situation.programme, case.asked)


def _targets(case: Case) -> list[casewords.Target]:
    """Return the targets that the learner chose; none chosen means all."""
    programme = case.situation.programme
    found = [
        casewords.target(programme, code if programme.course(code) else "", code)
        for code in case.details.targets
    ]
    return [one for one in found if one is not None]


def shown_rules(opened: Opened) -> list[ShownRule]:
    """Return the rules that had a finding, each with its findings; those of the proposal first."""
    case = opened.case
    keys = {(line.rule, line.version) for line in case.proposed}
    rules = case.book.by_key()
    found = casewords.findings(
        case.computed.findings, case.situation.programme, case.asked, case.judged, rules
    )
    named = dict.fromkeys((one.rule, one.version) for one in found)
    known = rulewords.Known.today()
    return [
        ShownRule(
            rule=rules[key],
            row=case.book.rows.get(key),
            title=_title(rules[key]),
            says=tuple(rulewords.says(RULES, rules[key], known)),
            used=key in keys,
            findings=tuple(one for one in found if (one.rule, one.version) == key),
        )
        for key in sorted(named, key=lambda key: (key not in keys, key))
    ]


def _title(rule: Rule) -> str:
    return rule.title_en if in_english() and rule.title_en else rule.title


def _similar(opened: Opened) -> list[ShownSimilar]:
    case = opened.case
    shown_lines = proposed(case)
    return [
        ShownSimilar(
            target=line.target.name if line.target else "",
            rule=line.rule,
            cases=tuple(
                (one, casewords.reason(one.reason) if one.reason else "") for one in similar
            ),
        )
        for line in shown_lines
        if (similar := opened.similar.get(line.position))
    ]


# -- facts ------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class ShownFact:
    """A fact that a rule asks for: of which outcome, what it has to be, what was attested by whom."""

    name: str
    source: str
    rule: str
    version: int
    wanted: str
    value: str
    who: str
    on: Any


def _facts(opened: Opened) -> list[ShownFact]:
    case = opened.case
    attested = caselist.facts_on(case.request)
    return [
        ShownFact(
            name=reasonwords.fact_name(one.name),
            source=", ".join(casewords.sources(case.asked, [one.leaf])),
            rule=one.rule,
            version=one.version,
            wanted=reasonwords.wanted_words(one.wanted),
            value=one.value,
            who=row.by.get_full_name() if row else "",
            on=row.at if row else None,
        )
        for one in opened.wanted
        for row in [attested.get((one.leaf, one.name))]
    ]


def fact_choices(opened: Opened) -> dict[str, list[tuple[str, str]]]:
    """Return which outcomes and which facts can be attested, as choices of a form."""
    case = opened.case
    leaves = dict.fromkeys(one.leaf for one in opened.wanted)
    return {
        "sources": [
            (leaf.hex(), ", ".join(casewords.sources(case.asked, [leaf]))) for leaf in leaves
        ],
        "names": [
            (name, reasonwords.fact_name(name))
            for name in dict.fromkeys(one.name for one in opened.wanted)
        ],
    }


# -- decisions --------------------------------------------------------------------------------
def shown_decision(row: Decision, case: Case) -> ShownDecision:
    """Return a decision as a page shows it, with the words for the learner."""
    return ShownDecision(
        row=row,
        state=f"decision-{row.state}",
        lines=tuple(
            casewords.decided_lines(
                row.lines.all(),
                case.situation.programme,
                case.situation.holdings,
                decisions.notes_of(row),
            )
        ),
        reviews=tuple(
            ShownReview(
                stage=STAGES.get(one.stage, one.stage),
                who=one.reviewer.get_full_name(),
                institution=str(one.institution),
                verdict=one.verdict,
                at=one.at,
                expert=bool(one.years),
                note=decisions.note_of(one),
            )
            for one in row.reviews.select_related("reviewer", "institution")
        ),
        waiting=tuple(STAGES[stage] for stage in _waiting(row, case)),
    )


def _waiting(row: Decision, case: Case) -> list[str]:
    """Return the stages at which people are still to agree to a proposal, one for each person."""
    if row.state != DecisionState.PROPOSED:
        return []
    first, *rest = case.procedure.chain
    given = [one.stage for one in row.reviews.all()]
    missing = case.procedure.first_stage - given.count(first)
    return [first] * max(missing, 0) + [stage for stage in rest if stage not in given]


def why_not(desk: Desk, opened: Opened) -> str:
    """Say why the reader cannot decide on a case now; nothing when they can.

    What the operations ask, asked beforehand: role, stage, own award, four eyes,
    a place on the panel. They ask once more.
    """
    if not desk.may_review:
        return gettext("审核和同意须由复核人办理，您的角色是经办或查看。")
    try:
        deciders.require_word(opened, desk.user)
    except DomainError as error:
        return error.message
    return ""


# -- what is done with a case -----------------------------------------------------------------
def _desk_and_request(request: HttpRequest, slug: str, number: str) -> tuple[Desk, Request]:
    desk = desk_for(request, slug, Role.REVIEWER)
    return desk, request_for(desk, number)


@desk_page
@require_POST
def open_request(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Begin to review a request: from now on the learner sees that it is looked at."""
    desk, filed = _desk_and_request(request, slug, number)
    try:
        reviewing.open_case(request=filed, acting_user=desk.user)
    except DomainError as error:
        say(request, error)
    return redirect("org_request", slug=slug, number=number)


@desk_page
@require_POST
def attest(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Attest a fact that was looked into."""
    desk, filed = _desk_and_request(request, slug, number)
    form = FactForm(request.POST, **fact_choices(reviewing.look(filed)))
    if not form.is_valid():
        return case_page(request, desk, filed, facts=form, status=422)
    try:
        reviewing.attest_fact(
            request=filed,
            leaf=bytes.fromhex(form.cleaned_data["leaf"]),
            name=form.cleaned_data["name"],
            value=form.cleaned_data["value"],
            acting_user=desk.user,
        )
    except DomainError as error:
        say(request, error)
    else:
        messages.success(request, gettext("已记下核实的事实，判定已按它重新计算。"))
    return redirect("org_request", slug=slug, number=number)


@desk_page
@require_POST
def judge(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Hold a rule to be met where the computation cannot tell."""
    desk, filed = _desk_and_request(request, slug, number)
    try:
        reviewing.judge(
            request=filed,
            rule=request.POST.get("rule", ""),
            version=_number(request.POST.get("version", "")),
            leaves=_leaves(request.POST.get("leaves", "")),
            acting_user=desk.user,
        )
    except DomainError as error:
        say(request, error)
    else:
        messages.success(request, gettext("已记下您的判断，判定已按它重新计算。"))
    return redirect("org_request", slug=slug, number=number)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _leaves(text: str) -> tuple[bytes, ...]:
    """Read leaf hashes that stand one after the other as hexadecimal digits; nothing for others."""
    try:
        return split_leaves(bytes.fromhex(text))
    except ValueError:
        return ()


@desk_page
@require_POST
def propose(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Take the verdicts: show the letter first, then propose the decision."""
    desk, filed = _desk_and_request(request, slug, number)
    opened = reviewing.look(filed)
    form = VerdictsForm(request.POST, lines=proposed(opened.case))
    step = request.POST.get("step", "preview")
    if step == "edit" or not form.is_valid():
        status = 200 if step == "edit" else 422
        return case_page(request, desk, filed, form=form, status=status)
    if step != "submit":
        access.note_view(desk.user, what="recognition-letter", about=filed.number)
        address = reverse("org_request_propose", args=[slug, number])
        return letter_page(request, desk, opened, form, address)
    try:
        made = decisions.propose_decision(
            request=filed, verdicts=form.verdicts(), acting_user=desk.user
        )
    except VerdictsRefused as error:
        form.tell(error.problems)
        return case_page(request, desk, filed, form=form, status=422)
    except DomainError as error:
        say(request, error)
    else:
        told(request, made)
    return redirect("org_request", slug=slug, number=number)


def letter_page(
    request: HttpRequest,
    desk: Desk,
    opened: Opened,
    form: VerdictsForm,
    address: str,
) -> HttpResponse:
    """Show what the learner will read, before it is sent."""
    verdicts = form.verdicts()
    case = opened.case
    given, _faults = admission.answered(
        case.proposed,
        [one.answer() for one in verdicts],
        case.binding,
    )
    lines = casewords.proposed_lines(
        [*given, *case.unused],
        case.situation.programme,
        case.asked,
        notes={one.position: one.note for one in verdicts},
    )
    context = {
        "filed": case.request,
        "name": learners.display_name(case.request.learner),
        "letter": letters.letter(case, lines),
        "lines": lines,
        "form": form,
        "address": address,
        "alone": case.procedure.people <= 1,
        "people": case.procedure.people,
    }
    return show(request, desk, "request_letter", context)


def told(request: HttpRequest, made: Decision) -> None:
    """Say what became of a decision by the reader's word."""
    if made.state == DecisionState.PROPOSED:
        messages.success(request, gettext("已记下您的意见，等待下一位同意。"))
    elif made.state == DecisionState.IN_NOTICE:
        messages.success(
            request, gettext("决定 %(number)s 已作出，正在公示。") % {"number": made.number}
        )
    elif made.state == DecisionState.VOID:
        messages.error(
            request, gettext("登记簿没有接受这份决定：所凭的成果已有变化。申请已重新打开。")
        )
    else:
        messages.success(request, gettext("决定 %(number)s 已作出。") % {"number": made.number})


@desk_page
@require_POST
def agree(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Agree to what another person proposed; the last one who must decides it."""
    desk, filed = _desk_and_request(request, slug, number)
    decision = _proposal(filed)
    try:
        made = decisions.agree(decision=decision, acting_user=desk.user)
    except DomainError as error:
        say(request, error)
    else:
        told(request, made)
    return redirect("org_request", slug=slug, number=number)


@desk_page
@require_POST
def return_decision(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Send a proposed decision back with a reason."""
    desk, filed = _desk_and_request(request, slug, number)
    decision = _proposal(filed)
    form = ReturnForm(request.POST)
    if not form.is_valid():
        return case_page(request, desk, filed, returned=form, status=422)
    try:
        decisions.return_decision(
            decision=decision, reason=form.cleaned_data["reason"], acting_user=desk.user
        )
    except DomainError as error:
        say(request, error)
    else:
        messages.success(request, gettext("已退回重议。"))
    return redirect("org_request", slug=slug, number=number)


def _proposal(filed: Request) -> Decision:
    found = filed.decisions.filter(state=DecisionState.PROPOSED).first()
    if found is None:
        raise access.NotFound
    return found


@desk_page
@require_safe
def decision_file(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Hand out a decision's file, with which anybody can compute the decision again."""
    desk = desk_for(request, slug)
    decision = caselist.decision_for(desk.institution, number)
    data = decisionfile.build(decision)
    access.note_export(desk.user, what="recognition-decision", about=number, count=1)
    return download(data, f"{number}.json", "application/json")


urlpatterns: list[URLPattern] = [
    path("org/<slug:slug>/requests", requests, name="org_requests"),
    path("org/<slug:slug>/requests/<casenumber:number>", request_page, name="org_request"),
    path(
        "org/<slug:slug>/requests/<casenumber:number>/open", open_request, name="org_request_open"
    ),
    path("org/<slug:slug>/requests/<casenumber:number>/facts", attest, name="org_request_attest"),
    path("org/<slug:slug>/requests/<casenumber:number>/judge", judge, name="org_request_judge"),
    path(
        "org/<slug:slug>/requests/<casenumber:number>/propose", propose, name="org_request_propose"
    ),
    path("org/<slug:slug>/requests/<casenumber:number>/agree", agree, name="org_request_agree"),
    path(
        "org/<slug:slug>/requests/<casenumber:number>/return",
        return_decision,
        name="org_request_return",
    ),
    path(
        "org/<slug:slug>/decisions/<casenumber:number>/file",
        decision_file,
        name="org_decision_file",
    ),
]
