"""What rests on an outcome that fell: flagged at once, and reversed when the institution confirms.

The ledger releases the outcome the moment its award is reversed; the
recognition stays until its own institution takes it back by entries. Nothing vanishes.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.utils.translation import gettext

from creditbank.clock import now, today
from creditbank.institutions.models import Institution
from creditbank.ledger import kinds
from creditbank.ledger import operations as ledger
from creditbank.recognition.deciding import numbers, workdays
from creditbank.recognition.models import (
    Decision,
    DecisionState,
    Request,
    RequestSource,
    RequestState,
)
from creditbank.recognition.workflow import appeals, following, requests, roles, situations
from creditbank.recognition.workflow.details import Details
from creditbank.recognition.workflow.errors import NotFlagged, TextMissing
from creditbank.recognition.workflow.following import Seen
from creditbank.users.models import User

logger = logging.getLogger(__name__)

FOLLOWER: Final = "cascade"
REASON_MAX: Final = 200


def follow() -> int:
    """Flag the decisions that rest on outcomes reversed since the last look; return how far it came."""
    return following.follow(FOLLOWER, [kinds.AWARD_REVERSE], _reversed)


def _reversed(entries: Sequence[Seen]) -> None:
    fallen = [one.acts_on for one in entries if one.acts_on is not None]
    if fallen:
        count = flag(fallen)
        logger.info("cascade: %s decisions flagged", count)


def flag(leaves: Sequence[bytes]) -> int:
    """Flag the decisions in force that use any of these outcomes; return how many are new."""
    rows = RequestSource.objects.filter(leaf__in=list(leaves)).values_list("request_id", flat=True)
    fallen = set(leaves)
    count = 0
    for decision in Decision.objects.filter(
        request_id__in=set(rows), state=DecisionState.IN_FORCE, flagged_at__isnull=True
    ):
        if fallen & used_by(decision):
            count += Decision.objects.filter(
                pk=decision.pk, state=DecisionState.IN_FORCE, flagged_at__isnull=True
            ).update(flagged_at=now())
    return count


def used_by(decision: Decision) -> set[bytes]:
    """Return the outcomes that a decision uses."""
    return {
        leaf
        for line in decision.lines.all()
        if line.verdict != "refused"
        for leaf in line.leaf_hashes
    }


def flagged(institution: Institution) -> list[Decision]:
    """Return an institution's decisions that rest on something that fell, the oldest flag first."""
    return list(
        Decision.objects.select_related("request__programme", "request__learner")
        .filter(
            request__institution=institution,
            state=DecisionState.IN_FORCE,
            flagged_at__isnull=False,
        )
        .order_by("flagged_at", "number")
    )


def confirm_reversal(*, decision: Decision, reason: str, acting_user: User) -> Decision:
    """Reverse a flagged decision by entries (冲正), with every use that still stands under it.

    The outcomes that did not fall are asked for anew, in a request that keeps
    the day of the first filing. Done twice, once. Raises TextMissing,
    NotFlagged, Forbidden, OwnAward, OwnKeyStream.
    """
    request = decision.request
    member = roles.acting_reviewer(request.institution, acting_user, request.learner)
    text = " ".join(reason.split())[:REASON_MAX]
    if not text:
        raise TextMissing(gettext("请写明冲正的原因。"))
    decision.refresh_from_db()
    if decision.state == DecisionState.REVERSED:
        return decision
    if decision.flagged_at is None or decision.entry_index is None:
        raise NotFlagged(
            gettext("这份决定所依据的成果均有效，不能冲正。"), decision=decision.number
        )
    receipt = ledger.reverse_recognition(index=decision.entry_index, reason=text)
    with transaction.atomic():
        held = requests.locked(request)
        changed = Decision.objects.filter(pk=decision.pk, state=DecisionState.IN_FORCE).update(
            state=DecisionState.REVERSED,
            reversal_index=receipt.index_of(receipt.count - 1),
            reversed_at=now(),
        )
        if changed:
            appeals.close_for(decision)
            _ask_again(held, decision)
    decision.refresh_from_db()
    logger.info("decision %s reversed by %s", decision.number, member.pseudonym)
    return decision


def _ask_again(request: Request, decision: Decision) -> Request | None:
    """File a request for the outcomes that did not fall, with the earlier data and day of filing."""
    found = situations.situation(request.learner, request.programme)
    used = used_by(decision)
    left = [one for one in found.holdings if one.leaf in used and one.evidence.state == "available"]
    if not left:
        return None
    on = today()
    again = Request(
        pk=uuid.uuid4(),
        number=numbers.draw(numbers.REQUEST, on),
        learner=request.learner,
        account_id=request.account_id,
        institution=request.institution,
        programme=request.programme,
        state=RequestState.SUBMITTED,
        filed_at=now(),
        filed_on=request.filed_on,
        expected_on=workdays.after(on, workdays.between(request.filed_on, request.expected_on)),
        award_on=request.award_on,
        consent=request.consent,
        resubmits=request,
    )
    again.details_sealed = Details.of(request).seal(again)
    again.save(force_insert=True)
    requests.reserve(again, left)
    return again
