"""What can be read of requests, decisions and appeals, by those whom pages and API let in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from django.db.models import QuerySet

from creditbank.errors import DomainError
from creditbank.institutions.models import Institution
from creditbank.recognition.deciding import numbers
from creditbank.recognition.models import (
    Appeal,
    Decision,
    DecisionLine,
    DecisionState,
    LineVerdict,
    PreApproval,
    Request,
    RequestSource,
    RequestState,
)
from creditbank.recognition.workflow import holdings
from creditbank.recognition.workflow.holdings import Totals
from learners.models import Learner


class UnknownNumber(DomainError):
    """There is nothing of this number."""

    code: ClassVar[str] = "not-found"


def _requests() -> QuerySet[Request]:
    return Request.objects.select_related("learner", "institution", "programme__owner")


def _decisions() -> QuerySet[Decision]:
    return Decision.objects.select_related(
        "request__learner", "request__institution", "request__programme__owner", "replaces"
    )


def request(number: str) -> Request:
    """Return a request by its number, as typed. Raises UnknownNumber."""
    found = _requests().filter(number=numbers.normal(number)).first()
    if found is None:
        raise UnknownNumber(request=number)
    return found


def decision(number: str) -> Decision:
    """Return a decision that was made, by its number, as typed. Raises UnknownNumber."""
    found = (
        _decisions()
        .filter(number=numbers.normal(number))
        .exclude(state__in=[DecisionState.PROPOSED, DecisionState.RETURNED])
        .first()
    )
    if found is None:
        raise UnknownNumber(decision=number)
    return found


def proposal(request: Request) -> Decision | None:
    """Return the decision on a request that waits for agreement, if there is one."""
    return _decisions().filter(request=request, state=DecisionState.PROPOSED).first()


def appeal(number: str) -> Appeal:
    """Return an appeal by its number, as typed. Raises UnknownNumber."""
    found = (
        Appeal.objects.select_related(
            "decision__request__learner",
            "decision__request__institution",
            "decision__request__programme__owner",
            "outcome",
        )
        .filter(number=numbers.normal(number))
        .first()
    )
    if found is None:
        raise UnknownNumber(appeal=number)
    return found


def pre_approval(number: str) -> PreApproval:
    """Return a pre-approval by its number, as typed. Raises UnknownNumber."""
    found = (
        PreApproval.objects.select_related("learner", "institution", "programme__owner", "used_by")
        .filter(number=numbers.normal(number))
        .first()
    )
    if found is None:
        raise UnknownNumber(pre_approval=number)
    return found


# -- lists ------------------------------------------------------------------------------------
def requests_of(learner: Learner) -> list[Request]:
    """Return a learner's requests, newest first."""
    return list(_requests().filter(learner=learner))


def requests_to(institution: Institution, states: Iterable[str] = ()) -> QuerySet[Request]:
    """Return the requests to an institution, newest first; `states` keeps to some of them."""
    found = _requests().filter(institution=institution)
    wanted = list(states)
    return found.filter(state__in=wanted) if wanted else found


def decisions_of(learner: Learner) -> list[Decision]:
    """Return the decisions that were made about a learner, replaced ones included, newest first."""
    return list(
        _decisions()
        .filter(request__learner=learner, decided_at__isnull=False)
        .order_by("-decided_at", "number")
    )


def history(request: Request) -> list[Decision]:
    """Return the decisions that were made on a request, oldest first: all of them stay."""
    return list(
        _decisions()
        .filter(request=request, decided_at__isnull=False)
        .order_by("decided_at", "number")
    )


def appeals_of(learner: Learner) -> list[Appeal]:
    """Return a learner's appeals, newest first."""
    return list(
        Appeal.objects.select_related("decision__request__programme").filter(
            decision__request__learner=learner
        )
    )


def pre_approvals_of(learner: Learner) -> list[PreApproval]:
    """Return a learner's pre-approvals, newest first."""
    return list(
        PreApproval.objects.select_related("institution", "programme__owner", "used_by").filter(
            learner=learner
        )
    )


def pre_approvals_by(institution: Institution) -> list[PreApproval]:
    """Return the pre-approvals of an institution, newest first."""
    return list(
        PreApproval.objects.select_related("learner", "programme__owner", "used_by").filter(
            institution=institution
        )
    )


@dataclass(frozen=True, kw_only=True)
class Use:
    """What an outcome is used for, or reserved for: the request, the decision if there is one, lines."""

    request: Request
    decision: Decision | None
    lines: tuple[DecisionLine, ...]


def uses_of(leaf: bytes) -> list[Use]:
    """Return what an outcome was used or asked for, newest first, withdrawn requests aside."""
    found = []
    for source in (
        RequestSource.objects.select_related("request__programme__owner", "request__institution")
        .filter(leaf=leaf, request__withdrawn_at__isnull=True)
        .order_by("-request__filed_at")
    ):
        made = [
            one
            for one in source.request.decisions.filter(state=DecisionState.IN_FORCE)
            if any(leaf in line.leaf_hashes for line in given(one))
        ]
        if made:
            lines = tuple(line for line in given(made[0]) if leaf in line.leaf_hashes)
            found.append(Use(request=source.request, decision=made[0], lines=lines))
        elif source.active:
            found.append(Use(request=source.request, decision=None, lines=()))
    return found


def given(decision: Decision) -> list[DecisionLine]:
    """Return the lines of a decision that give something."""
    return [line for line in decision.lines.all() if line.verdict != LineVerdict.REFUSED]


def totals(learner: Learner) -> Totals:
    """Add up what a learner holds: available, reserved, used, lapsed; converted apart."""
    return holdings.totals(learner)


# -- clocks -----------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Step:
    """One of the five states of a request: when it was reached, or by when it may be expected."""

    state: RequestState
    reached_at: datetime | None
    expected_on: date | None
    current: bool


def progress(request: Request) -> list[Step]:
    """Return the five states with their dates: the clock that both sides see."""
    order = list(RequestState)
    present = order.index(RequestState(request.state))
    reached = {
        RequestState.SUBMITTED: request.filed_at,
        RequestState.REVIEWING: request.reviewing_at,
        RequestState.DECIDED: request.decided_at,
        RequestState.IN_NOTICE: request.decided_at if request.notice_until else None,
        RequestState.IN_FORCE: request.in_force_at,
    }
    expected = {
        RequestState.DECIDED: request.expected_on,
        RequestState.IN_FORCE: request.notice_until or request.expected_on,
    }
    return [
        Step(
            state=state,
            reached_at=reached[state] if order.index(state) <= present else None,
            expected_on=expected.get(state) if order.index(state) > present else None,
            current=order.index(state) == present,
        )
        for state in order
    ]
