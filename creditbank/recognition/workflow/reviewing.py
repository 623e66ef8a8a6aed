"""What reviewers do before they decide: the queue, a case in full, facts, judgements."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext

from creditbank import access
from creditbank.clock import now, today
from creditbank.institutions.kinds import InstitutionKind, Role
from creditbank.institutions.models import Institution, Member
from creditbank.ledger.statements import StatementInvalid, check_text
from creditbank.recognition.deciding import workdays
from creditbank.recognition.engine.findings import Verdict
from creditbank.recognition.language import walk
from creditbank.recognition.models import (
    OPEN_STATES,
    Appeal,
    AppealState,
    AttestedFact,
    Decision,
    DecisionLine,
    DecisionState,
    IndustryExpert,
    Judgement,
    Request,
    RequestState,
    RuleVersion,
)
from creditbank.recognition.workflow import cases, requests, roles, sealing, verification
from creditbank.recognition.workflow.cases import Case
from creditbank.recognition.workflow.errors import FactRefused, NothingToJudge, StageNotYours
from creditbank.recognition.workflow.verification import Verified
from creditbank.users.models import User

logger = logging.getLogger(__name__)

SIMILAR: Final = 10
VALUE_MAX: Final = 120
BANKS: Final = (InstitutionKind.BANK, InstitutionKind.PROVINCIAL_AUTHORITY)


# -- the queue --------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Queued:
    """A request that waits, without anything of the person: its clock, and what it waits for.

    `days_left` are working days until the expected day, negative when it is
    past. `stage` is where its proposed decision stands, nothing before one is
    proposed. `appeal` is the open appeal that it waits for.
    """

    request: Request
    outcomes: int
    days_left: int
    stage: str = ""
    appeal: Appeal | None = None


def queue(institution: Institution, *, day: date | None = None) -> list[Queued]:
    """Return what waits for an institution's reviewers, the most urgent first.

    Its own requests and appeals, and others' decisions at a stage that is its.
    """
    on = day or today()
    found = [*_requests(institution, on), *_appeals(institution, on), *_stages(institution, on)]
    return sorted(found, key=lambda one: (one.days_left, one.request.filed_at, one.request.number))


def _requests(institution: Institution, on: date) -> Iterator[Queued]:
    rows = (
        Request.objects.select_related("programme", "institution")
        .filter(institution=institution, state__in=OPEN_STATES, withdrawn_at__isnull=True)
        .annotate(outcomes=Count("sources"))
    )
    for row in rows:
        proposed = row.decisions.filter(state=DecisionState.PROPOSED).first()
        yield Queued(
            request=row,
            outcomes=row.outcomes,
            days_left=workdays.between(on, row.expected_on),
            stage=stage_of(proposed) if proposed else "",
        )


def _appeals(institution: Institution, on: date) -> Iterator[Queued]:
    rows = Appeal.objects.select_related("decision__request__programme").filter(
        state=AppealState.OPEN, decision__request__institution=institution
    )
    for row in rows:
        yield Queued(
            request=row.decision.request,
            outcomes=row.decision.request.sources.count(),
            days_left=workdays.between(on, row.expected_on),
            appeal=row,
        )


def _stages(institution: Institution, on: date) -> Iterator[Queued]:
    """Return decisions of other institutions that wait for this one as assessor or as the bank."""
    if institution.kind not in (InstitutionKind.ASSESSMENT_ORGANISATION, *BANKS):
        return
    rows = (
        Decision.objects.select_related("request__programme", "request__institution")
        .filter(state=DecisionState.PROPOSED)
        .exclude(request__institution=institution)
    )
    for row in rows:
        stage = stage_of(row)
        if institution in stage_institutions(stage, row.request):
            yield Queued(
                request=row.request,
                outcomes=row.request.sources.count(),
                days_left=workdays.between(on, row.request.expected_on),
                stage=stage,
            )


# -- stages -----------------------------------------------------------------------------------
def stage_of(decision: Decision, case: Case | None = None) -> str:
    """Return the stage at which a proposed decision waits; nothing when all have agreed."""
    found = case or cases.current(decision.request)
    return next_stage(found, decision)


def next_stage(case: Case, decision: Decision | None) -> str:
    """Return the stage that is next; that of the proposal while nothing is proposed."""
    asked = case.procedure
    reviews = [] if decision is None else list(decision.reviews.all())
    first = [one for one in reviews if one.stage == asked.chain[0]]
    if len(first) < asked.first_stage:
        return asked.chain[0]
    done = {one.stage for one in reviews}
    return next((stage for stage in asked.chain[1:] if stage not in done), "")


def stage_institutions(stage: str, request: Request) -> list[Institution]:
    """Return the institutions whose reviewers decide at a stage of a request."""
    if stage == "bank":
        return list(Institution.objects.filter(kind__in=BANKS))
    if stage == "assessor":
        bodies = {
            one.line.outcome.body
            for one in cases.current(request).asked
            if one.line.outcome is not None
        }
        return list(Institution.objects.filter(uscc__in=bodies).exclude(pk=request.institution_id))
    return [request.institution]


def member_at(stage: str, request: Request, user: User) -> Member:
    """Return the membership in which a user decides at a stage. Raises StageNotYours, OwnAward."""
    access.refuse_own_award(user, request.learner)
    for institution in stage_institutions(stage, request):
        try:
            return roles.acting_member(institution, user, Role.REVIEWER)
        except access.Forbidden:
            continue
    raise StageNotYours(
        gettext("这份申请目前不在由您审核的阶段。"), stage=stage, request=request.number
    )


def expert_years(member: Member, on: date) -> int:
    """Return for how many whole years a member has been an industry expert; 0 for one who is none."""
    found = IndustryExpert.objects.filter(member=member).first()
    if found is None or found.since > on:
        return 0
    years = on.year - found.since.year
    return years - ((on.month, on.day) < (found.since.month, found.since.day))


def note_expert(*, member: Member, since: date, acting_user: User) -> IndustryExpert:
    """Note that a member is an industry expert, and since when. Raises Forbidden, OwnAward."""
    acting = roles.acting_member(member.institution, acting_user, Role.ADMIN)
    if access.same_person(member.user, acting_user):
        raise access.OwnAward(gettext("不能为自己办理，请由同事经办。"))
    row, _ = IndustryExpert.objects.update_or_create(
        member=member, defaults={"since": since, "noted_by": acting_user, "noted_at": now()}
    )
    logger.info("expert %s noted by %s", member.pseudonym, acting.pseudonym)
    return row


# -- one case -----------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Similar:
    """How the same rule was applied to the same target before: without a person."""

    decision: str
    decided_on: date
    verdict: str
    credits: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A fact that a rule asks for: of which outcome, and what it has to be."""

    leaf: bytes
    name: str
    rule: str
    version: int
    wanted: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A case as a reviewer sees it."""

    case: Case
    verified: tuple[Verified, ...]
    similar: Mapping[int, tuple[Similar, ...]]
    """By the position of the proposed line."""
    wanted: tuple[Wanted, ...]
    rules: tuple[RuleVersion, ...]
    stage: str
    decision: Decision | None
    """The decision that is proposed already, if there is one."""


def open_case(*, request: Request, acting_user: User) -> Opened:
    """Open a request for review: from then on the learner sees that it is looked at.

    It is noted that the reviewer was shown the person's outcomes. Done again, it
    is read again. Raises StageNotYours, OwnAward, PersonForgotten.
    """
    found = look(request)
    member = member_at(found.stage or found.case.procedure.chain[0], request, acting_user)
    with transaction.atomic():
        held = requests.locked(request)
        if held.state == RequestState.SUBMITTED and held.withdrawn_at is None:
            held.state = RequestState.REVIEWING
            held.reviewing_at = now()
            held.save(update_fields=["state", "reviewing_at"])
            request.state, request.reviewing_at = held.state, held.reviewing_at
        access.note_view(acting_user, what="recognition-case", about=request.number, count=1)
    logger.info("request %s opened by %s", request.number, member.pseudonym)
    return found


def look(request: Request) -> Opened:
    """Return a request in full, without noting it. Raises PersonForgotten."""
    case = cases.current(request)
    decision = request.decisions.filter(state=DecisionState.PROPOSED).first()
    used = {(line.rule, line.version) for line in (*case.proposed, *case.unused) if line.rule}
    return Opened(
        case=case,
        verified=tuple(verification.verify(one, request=request) for one in case.asked),
        similar={
            position: similar_to(request, line.rule, line.target)
            for position, line in enumerate(case.proposed)
        },
        wanted=tuple(_wanted(case)),
        rules=tuple(row for key, row in sorted(case.book.rows.items()) if key in used),
        stage=next_stage(case, decision),
        decision=decision,
    )


def similar_to(request: Request, rule: str, target: str) -> tuple[Similar, ...]:
    """Return the newest decisions of an institution under a rule for a target, other requests' only."""
    rows = (
        DecisionLine.objects.select_related("decision")
        .filter(
            rule_code=rule,
            decision__request__institution=request.institution,
            decision__decided_at__isnull=False,
        )
        .exclude(decision__request=request)
        .exclude(decision__state=DecisionState.VOID)
        .order_by("-decision__decided_at", "decision_id")
    )
    found = []
    for row in rows.iterator(chunk_size=50):
        if row.target == target and row.decision.decided_on is not None:
            found.append(
                Similar(
                    decision=row.decision.number,
                    decided_on=row.decision.decided_on,
                    verdict=row.verdict,
                    credits=str(row.credits),
                    reason=row.reason,
                )
            )
        if len(found) == SIMILAR:
            break
    return tuple(found)


# -- facts and judgements ------------------------------------------------------------------------
def _wanted(case: Case) -> Iterator[Wanted]:
    """Return the facts that the rules ask of the outcomes, each with what is attested by now."""
    told = {(leaf, fact.name): fact.value for leaf, facts in case.facts.items() for fact in facts}
    seen: set[tuple[bytes, str, str]] = set()
    about = {(one.rule, one.version, leaf) for one in case.computed.findings for leaf in one.leaves}
    for rule in case.book.rules:
        names = _fact_names(rule.document)
        for one in case.asked:
            if (rule.code, rule.version, one.leaf) not in about:
                continue
            for name, wanted in names.items():
                if (one.leaf, name, rule.code) in seen:
                    continue
                seen.add((one.leaf, name, rule.code))
                yield Wanted(
                    leaf=one.leaf,
                    name=name,
                    rule=rule.code,
                    version=rule.version,
                    wanted=wanted,
                    value=told.get((one.leaf, name), ""),
                )


def _fact_names(document: Mapping[str, object]) -> dict[str, str]:
    """Return the names of the facts that a rule asks for, with what each has to be."""
    names: dict[str, str] = {}
    for node in walk.rule(document):
        value = node.value
        if node.role == "condition" and "fact" in value:
            fact = value["fact"]
            said = [f"{key} {fact[key]}" for key in ("min", "max", "from", "until") if key in fact]
            names[fact["name"]] = "; ".join([*said, *(", ".join(fact.get("is", ())),)]).strip("; ")
        elif node.role == "amount" and isinstance(value, Mapping) and "table" in value:
            by = str(value["table"]["by"])
            if by.startswith("fact:"):
                names.setdefault(by.removeprefix("fact:"), "")
    gate = document.get("gate", {})
    if isinstance(gate, Mapping) and gate.get("agreement", {}).get("plan_first"):
        names.setdefault("plan_approved_on", "YYYY-MM-DD")
        names.setdefault("started_on", "YYYY-MM-DD")
    return names


def attest_fact(
    *, request: Request, leaf: bytes, name: str, value: str, acting_user: User
) -> AttestedFact:
    """Attest a fact about an outcome, that a reviewer has looked into; it stands in the decision.

    Attested again with the same value, nothing changes; with another, the newer
    one counts and the older one stays. Raises FactRefused for what no rule of
    the case asks for, RequestNotOpen, StageNotYours, OwnAward.
    """
    case = cases.current(request)
    member = member_at(case.procedure.chain[0], request, acting_user)
    text = " ".join(value.split())
    asked = {(one.leaf, one.name) for one in _wanted(case)}
    if (leaf, name) not in asked:
        raise FactRefused(gettext("没有规则要求核实这项事实。"), name=name)
    try:
        check_text("value", text, required=True)
    except StatementInvalid as error:
        raise FactRefused(gettext("请写明核实的结果。"), name=name) from error
    with transaction.atomic():
        held = requests.locked(request)
        _require_open(held)
        row = AttestedFact.objects.filter(
            request=held, leaf=leaf, name=name, replaced_at__isnull=True
        ).first()
        if row is not None:
            before = sealing.unseal(held.account_id, cases.FACT, row.pk, bytes(row.value_sealed))
            if before == text.encode():
                return row
            row.replaced_at = now()
            row.save(update_fields=["replaced_at"])
        pk = uuid.uuid4()
        fresh = AttestedFact.objects.create(
            pk=pk,
            request=held,
            leaf=leaf,
            name=name,
            value_sealed=sealing.seal(held.account_id, cases.FACT, pk, text.encode()),
            by=acting_user,
            by_as=member.pseudonym,
        )
    logger.info("request %s: %s attested by %s", held.number, name, member.pseudonym)
    return fresh


def judge(
    *, request: Request, rule: str, version: int, leaves: tuple[bytes, ...], acting_user: User
) -> Judgement:
    """Hold a rule to be met where the computation cannot tell, and some credits could be given.

    Done twice, once. Raises NothingToJudge, RequestNotOpen, StageNotYours, OwnAward.
    """
    case = cases.current(request)
    member = member_at(case.procedure.chain[0], request, acting_user)
    row = case.book.rows.get((rule, version))
    earlier = {(one.rule, one.version, one.leaves) for one in case.judged}
    unsettled = {
        (one.rule, one.version, one.leaves)
        for one in case.computed.findings
        if one.verdict is Verdict.UNKNOWN and one.grants
    }
    if row is None or (rule, version, leaves) not in unsettled | earlier:
        raise NothingToJudge(gettext("这条规则不需要判断。"), rule=rule, version=version)
    with transaction.atomic():
        held = requests.locked(request)
        _require_open(held)
        judgement, _ = Judgement.objects.get_or_create(
            request=held,
            rule=row,
            leaves=b"".join(leaves),
            defaults={"by": acting_user, "by_as": member.pseudonym},
        )
    logger.info("request %s: %s judged by %s", held.number, rule, member.pseudonym)
    return judgement


def _require_open(held: Request) -> None:
    if not held.is_open and cases.open_appeal(held) is None:
        raise requests.not_open(held)
