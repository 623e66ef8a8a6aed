"""The requests of an institution as its desk lists them: filtered and counted where they are stored.

`reviewing.queue` says what waits; this lists everything, so that thousands of
requests cost a page no more than a few do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from django.db.models import (
    Case,
    Count,
    DecimalField,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    When,
    prefetch_related_objects,
)
from django.db.models.functions import Coalesce

from creditbank.access import NotFound
from creditbank.institutions.kinds import InstitutionKind
from creditbank.institutions.models import Institution
from creditbank.recognition.deciding import workdays
from creditbank.recognition.models import (
    OPEN_STATES,
    Appeal,
    AppealState,
    AttestedFact,
    Decision,
    DecisionState,
    PreApproval,
    PreApprovalState,
    ProgrammeVersion,
    Request,
    RequestState,
)
from creditbank.recognition.workflow import records, reviewing
from creditbank.recognition.workflow.reviewing import Queued

Clock = Literal["on-time", "due", "late", "stopped"]
Move = Literal["reviewer", "second", "notice", "bank", "appeal", "nobody"]

DUE_DAYS: Final = 2
"""Working days before the expected day from which a request is due."""

STAGE_KINDS: Final = (
    InstitutionKind.ASSESSMENT_ORGANISATION,
    InstitutionKind.BANK,
    InstitutionKind.PROVINCIAL_AUTHORITY,
)
"""Who may have a stage of other institutions' decisions: the assessor, the bank."""

SHOWN: Final = (
    "waiting",
    "late",
    "to-agree",
    "decided",
    "in-notice",
    "in-force",
    "appealed",
    "withdrawn",
    "all",
)
"""What a desk can ask for; the first is what it sees without asking."""

_CREDITS: Final = DecimalField(max_digits=12, decimal_places=2)
_OPEN: Final = Q(state__in=OPEN_STATES, withdrawn_at__isnull=True)


def requests_of(
    institution: Institution, *, show: str, programme: str = "", on: date
) -> QuerySet[Request]:
    """Return the requests of an institution that a desk asks for: what waits longest first, else newest.

    Each row brings along `outcomes` and `credits` (how many are asked to be used,
    and their bank value) and `proposed` and `appealing` (whether a decision waits
    for agreement, an appeal for its answer).
    """
    rows = (
        Request.objects.filter(institution=institution)
        .select_related("programme", "institution")
        .annotate(
            outcomes=Count("sources"),
            credits=Coalesce(Sum("sources__credits"), Decimal(0), output_field=_CREDITS),
            proposed=Exists(
                Decision.objects.filter(request=OuterRef("pk"), state=DecisionState.PROPOSED)
            ),
            appealing=Exists(
                Appeal.objects.filter(decision__request=OuterRef("pk"), state=AppealState.OPEN)
            ),
        )
    )
    if programme:
        rows = rows.filter(programme__code=programme)
    chosen = rows.filter(_chosen(show, on))
    if show in ("waiting", "late", "to-agree"):
        return chosen.order_by("expected_on", "filed_at", "number")
    return chosen.order_by("-filed_at", "number")


def _chosen(show: str, on: date) -> Q:
    by_state = {
        "waiting": _OPEN,
        "late": _OPEN & Q(expected_on__lt=on),
        "to-agree": _OPEN & Q(proposed=True),
        "decided": Q(state=RequestState.DECIDED),
        "in-notice": Q(state=RequestState.IN_NOTICE),
        "in-force": Q(state=RequestState.IN_FORCE),
        "appealed": Q(appealing=True),
        "withdrawn": Q(withdrawn_at__isnull=False),
    }
    return by_state.get(show, Q())


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What an institution has before it.

    Requests that wait, those of them that are late, decisions that wait for
    agreement, appeals for an answer, recognitions whose outcome fell, and
    pre-approvals that wait for approval.
    """

    waiting: int
    late: int
    to_agree: int
    appeals: int
    flagged: int
    to_approve: int


def figures(institution: Institution, *, on: date) -> Figures:
    """Count what an institution has before it."""
    counted = Request.objects.filter(institution=institution).aggregate(
        waiting=Count("pk", filter=_OPEN),
        late=Count("pk", filter=_OPEN & Q(expected_on__lt=on)),
    )
    decisions = Decision.objects.filter(request__institution=institution)
    return Figures(
        waiting=counted["waiting"],
        late=counted["late"],
        to_agree=decisions.filter(state=DecisionState.PROPOSED).count(),
        appeals=Appeal.objects.filter(
            decision__request__institution=institution, state=AppealState.OPEN
        ).count(),
        flagged=decisions.filter(state=DecisionState.IN_FORCE, flagged_at__isnull=False).count(),
        to_approve=PreApproval.objects.filter(
            institution=institution, state=PreApprovalState.PREPARED, approved_at__isnull=True
        ).count(),
    )


def receives(slug: str) -> bool:
    """Say whether recognition is an institution's business: it has programmes, or decides at a stage."""
    if ProgrammeVersion.objects.filter(owner__slug=slug, published_at__isnull=False).exists():
        return True
    return Institution.objects.filter(slug=slug, kind__in=STAGE_KINDS).exists()


def programmes_asked(institution: Institution) -> list[ProgrammeVersion]:
    """Return the programmes that were asked for, the newest version of each, by code."""
    rows = ProgrammeVersion.objects.filter(
        pk__in=Request.objects.filter(institution=institution).values("programme")
    ).order_by("code", "-version")
    newest: dict[str, ProgrammeVersion] = {}
    for row in rows:
        newest.setdefault(row.code, row)
    return list(newest.values())


# -- what a row says ------------------------------------------------------------------------------
def clock_of(request: Request, on: date) -> Clock:
    """Say how a request's clock stands: it stops when the request is decided or withdrawn."""
    if not request.is_open:
        return "stopped"
    return clock(request.expected_on, on)


def clock(expected_on: date, on: date) -> Clock:
    """Say how far a day is that somebody may expect something on."""
    if on > expected_on:
        return "late"
    return "due" if workdays.between(on, expected_on) <= DUE_DAYS else "on-time"


def move_of(request: Request, *, proposed: bool, appealing: bool) -> Move:
    """Say whose move it is."""
    if appealing:
        return "appeal"
    if request.is_open:
        return "second" if proposed else "reviewer"
    if request.withdrawn_at is not None:
        return "nobody"
    if request.state == RequestState.IN_NOTICE:
        return "notice"
    return "bank" if request.state == RequestState.DECIDED and _entering(request) else "nobody"


def _entering(request: Request) -> bool:
    """Whether a decision is made and its entry on the way."""
    states = {decision.state for decision in request.decisions.all()}
    return DecisionState.DECIDED in states


def with_decisions(rows: Iterable[Request]) -> list[Request]:
    """Return rows with their decisions read in one question."""
    found = list(rows)
    prefetch_related_objects(found, "decisions")
    return found


def days_left(request: Request, on: date) -> int:
    """Count the working days until the expected day; negative when it is past."""
    return workdays.between(on, request.expected_on)


# -- what belongs to a request ----------------------------------------------------------------
def decisions_on(request: Request) -> list[Decision]:
    """Return the decisions on a request, the newest first, with their lines."""
    found = request.decisions.select_related("replaces", "request").prefetch_related("lines")
    return list(found.order_by("-proposed_at", "pk"))


def facts_on(request: Request) -> dict[tuple[bytes, str], AttestedFact]:
    """Return the facts that stand in a request, by outcome and name, with who attested each."""
    rows = AttestedFact.objects.select_related("by").filter(
        request=request, replaced_at__isnull=True
    )
    return {(bytes(row.leaf), row.name): row for row in rows}


def appeals_of(institution: Institution) -> QuerySet[Appeal]:
    """Return the appeals against an institution's decisions: the open ones first, soonest due first."""
    return (
        Appeal.objects.filter(decision__request__institution=institution)
        .select_related("decision__request__programme", "decision__request__institution")
        .annotate(closed=Case(When(state=AppealState.OPEN, then=0), default=1))
        .order_by("closed", "expected_on", "filed_at", "number")
    )


def recognitions_of(institution: Institution, *, flagged: bool) -> QuerySet[Decision]:
    """Return an institution's decisions that were entered, newest first; or those that are flagged."""
    rows = (
        Decision.objects.filter(request__institution=institution)
        .select_related("request__programme")
        .prefetch_related("lines")
    )
    if flagged:
        rows = rows.filter(state=DecisionState.IN_FORCE, flagged_at__isnull=False)
        return rows.order_by("flagged_at", "number")
    entered = [DecisionState.IN_FORCE, DecisionState.REPLACED, DecisionState.REVERSED]
    return rows.filter(state__in=entered, in_force_at__isnull=False).order_by(
        "-in_force_at", "number"
    )


def pre_approvals_of(institution: Institution) -> QuerySet[PreApproval]:
    """Return an institution's pre-approvals, those that wait for approval first, then the newest."""
    return (
        PreApproval.objects.filter(institution=institution)
        .select_related("programme", "prepared_by", "approved_by", "used_by", "learner")
        .annotate(settled=Case(When(state=PreApprovalState.PREPARED, then=0), default=1))
        .order_by("settled", "-prepared_at", "number")
    )


# -- what an institution may see ------------------------------------------------------------------
def request_for(institution: Institution, number: str) -> Request:
    """Return a request that an institution may see. Raises NotFound for any other.

    Its own; and others' at a stage that is its, or in which it had a word.
    """
    found = records.request(number)
    if found.institution_id == institution.pk or _had_a_word(institution, found):
        return found
    if institution.kind in STAGE_KINDS:
        waiting = found.decisions.filter(state=DecisionState.PROPOSED).first()
        if waiting is not None:
            stage = reviewing.stage_of(waiting)
            if stage and institution in reviewing.stage_institutions(stage, found):
                return found
    raise NotFound


def _had_a_word(institution: Institution, found: Request) -> bool:
    return found.decisions.filter(reviews__institution=institution).exists()


def decision_for(institution: Institution, number: str) -> Decision:
    """Return a decision that was made on a request that an institution may see. Raises NotFound."""
    found = records.decision(number)
    request_for(institution, found.request.number)
    return found


def appeal_for(institution: Institution, number: str) -> Appeal:
    """Return an appeal against an institution's decision. Raises NotFound."""
    found = appeals_of(institution).filter(number=number).first()
    if found is None:
        raise NotFound
    return found


def pre_approval_for(institution: Institution, number: str) -> PreApproval:
    """Return one of an institution's pre-approvals. Raises NotFound."""
    found = pre_approvals_of(institution).filter(number=number).first()
    if found is None:
        raise NotFound
    return found


def elsewhere(institution: Institution) -> list[Queued]:
    """Return other institutions' decisions that wait for this one, as assessor or as the bank."""
    if institution.kind not in STAGE_KINDS:
        return []
    return [
        one for one in reviewing.queue(institution) if one.request.institution_id != institution.pk
    ]
