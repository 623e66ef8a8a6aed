"""What recognition gives up of a person who is forgotten."""

from __future__ import annotations

from typing import Final

from django.db import transaction

from creditbank.recognition.models import (
    Appeal,
    AppealMessage,
    AppealState,
    AttestedFact,
    Decision,
    DecisionState,
    Goal,
    PreApproval,
    PreApprovalState,
    Request,
    Review,
)
from creditbank.recognition.workflow import requests
from learners import leaving
from learners.models import Learner

HOLDER: Final = "recognition"


@leaving.gives_up(HOLDER)
def forget_in_recognition(learner: Learner) -> int:
    """Let go of what recognition holds of a learner; return how many rows there were.

    Open requests are withdrawn, decisions in notice void and appeals closed, so that
    nobody waits for an answer about somebody who is gone; goals are deleted; what was written is
    emptied. Packages of decisions stay sealed under the account's key, which
    goes last: nobody can read them, and every proof stays valid. Safe to repeat.
    """
    touched = Goal.objects.filter(learner=learner).delete()[0]
    for request in Request.objects.filter(learner=learner):
        with transaction.atomic():
            held = requests.locked(request)
            if held.is_open:
                requests.withdraw(held)
            held.decisions.filter(
                state__in=[DecisionState.DECIDED, DecisionState.IN_NOTICE]
            ).update(state=DecisionState.VOID)
            requests.release(held)
            _close_appeals(held)
            held.details_sealed = b""
            held.save(update_fields=["details_sealed"])
        touched += 1
    mine = {"decision__request__learner": learner}
    touched += AppealMessage.objects.filter(appeal__decision__request__learner=learner).update(
        text_sealed=b"", file_name_sealed=b"", file_sealed=b""
    )
    touched += AttestedFact.objects.filter(request__learner=learner).update(value_sealed=b"")
    touched += Review.objects.filter(**mine).update(note_sealed=b"")
    touched += Decision.objects.filter(request__learner=learner).update(notes_sealed=b"")
    PreApproval.objects.filter(
        learner=learner, state=PreApprovalState.PREPARED, approved_at__isnull=True
    ).update(state=PreApprovalState.WITHDRAWN)
    touched += PreApproval.objects.filter(learner=learner).update(document_sealed=b"")
    return touched


def _close_appeals(request: Request) -> None:
    for appeal in Appeal.objects.select_for_update().filter(
        decision__request=request, state=AppealState.OPEN
    ):
        appeal.state = AppealState.WITHDRAWN
        appeal.decided_at = request.appealed_at
        appeal.save(update_fields=["state", "decided_at"])
