"""Whether somebody can say their word on a case now: asked before a page offers it.

The operations ask the same once more; here nothing is changed.
"""

from __future__ import annotations

from django.utils.translation import gettext

from creditbank.clock import today
from creditbank.recognition.models import Decision, Request, Review
from creditbank.recognition.workflow import reviewing, roles
from creditbank.recognition.workflow.errors import ExpertNeeded
from creditbank.recognition.workflow.reviewing import Opened
from creditbank.users.models import User


def require_word(opened: Opened, user: User) -> None:
    """Demand that a user may propose, agree to or return the decision on a case.

    Raises StageNotYours, OwnAward, SamePerson, PersonUnknown, ExpertNeeded.
    """
    case = opened.case
    stage = opened.stage or case.procedure.chain[0]
    member = reviewing.member_at(stage, case.request, user)
    decision = opened.decision or case.instead_of
    roles.require_others(before(decision), user)
    panel = case.procedure.panel
    if stage != case.procedure.chain[0] or not panel.experts:
        return
    if reviewing.expert_years(member, today()) >= panel.years:
        return
    given = [] if opened.decision is None else list(opened.decision.reviews.filter(stage=stage))
    experts = sum(one.years >= panel.years for one in given)
    if case.procedure.first_stage - len(given) <= panel.experts - experts:
        raise ExpertNeeded(
            gettext("评审组还缺行业专家，请由行业专家审核。"),
            experts=panel.experts,
            years=panel.years,
        )


def before(decision: Decision | None) -> list[User]:
    """Return everybody who had a word on a decision, and on those that it would replace."""
    chain: list[Decision] = []
    while decision is not None:
        chain.append(decision)
        decision = decision.replaces
    return [
        one.reviewer for one in Review.objects.select_related("reviewer").filter(decision__in=chain)
    ]


def of_request(request: Request) -> list[User]:
    """Return everybody who had a word on a decision that was made on a request."""
    return [
        one.reviewer
        for one in Review.objects.select_related("reviewer").filter(
            decision__request=request, decision__decided_at__isnull=False
        )
    ]
