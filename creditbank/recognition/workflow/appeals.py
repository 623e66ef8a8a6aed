"""Appeals: against a decision, within its days, decided by people who did not decide before."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from creditbank.clock import now, today
from creditbank.errors import Problem
from creditbank.recognition.deciding import numbers, workdays
from creditbank.recognition.models import (
    Appeal,
    AppealMessage,
    AppealState,
    Decision,
    DecisionState,
    Request,
    Review,
)
from creditbank.recognition.workflow import decisions, requests, roles, sealing, situations
from creditbank.recognition.workflow.decisions import Verdict
from creditbank.recognition.workflow.errors import (
    AppealNotOpen,
    AppealRefused,
    FileRefused,
    RequestRefused,
    TextMissing,
)
from creditbank.users.models import User

logger = logging.getLogger(__name__)

TEXT_MAX: Final = 2000
FILE_MAX: Final = 5 << 20
NAME_MAX: Final = 120
KINDS: Final[dict[bytes, str]] = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}
"""What may be attached, by how it begins."""
_TEXT: Final = "appeal-text"
_NAME: Final = "appeal-file-name"
_FILE: Final = "appeal-file"
ANSWERED_WITHIN: Final = 15
"""Working days within which an appeal is answered."""


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file with a message: what it is called, and its bytes (PDF, PNG or JPEG, at most 5 MiB)."""

    name: str
    data: bytes

    @property
    def kind(self) -> str:
        """The media type, by how the file begins; nothing for another kind."""
        return next((kind for start, kind in KINDS.items() if self.data.startswith(start)), "")


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message of an appeal, opened."""

    row: AppealMessage
    text: str
    file_name: str


# -- filing -----------------------------------------------------------------------------------
def file_appeal(
    *,
    decision: Decision,
    positions: Sequence[int],
    text: str,
    attachment: Attachment | None = None,
    acting_user: User,
) -> Appeal:
    """Appeal against lines of a decision, until its last day for that (复议).

    An automatic decision can be appealed against at any time: there a person
    has not looked yet. Raises AppealRefused with every reason, TextMissing,
    FileRefused, NotFound.
    """
    roles.require_self(decision.request.learner, acting_user)
    said = _checked_text(text)
    _check_file(attachment)
    problems = _problems(decision, positions)
    if problems:
        raise AppealRefused(problems)
    on = today()
    appeal = Appeal(
        pk=uuid.uuid4(),
        number=numbers.draw(numbers.APPEAL, on),
        decision=decision,
        positions=sorted(set(positions)),
        filed_at=now(),
        filed_on=on,
        expected_on=workdays.after(on, ANSWERED_WITHIN),
    )
    try:
        with transaction.atomic():
            request = requests.locked(decision.request)
            request.appealed_at = request.appealed_at or now()
            request.save(update_fields=["appealed_at"])
            appeal.save(force_insert=True)
            _reserve_again(request, decision)
            _say(appeal, said, attachment, author_as="")
    except IntegrityError as error:
        if "appeal_one_open" not in str(error):
            raise
        raise AppealRefused([_problem("appeal-open")]) from error
    logger.info("appeal %s against %s", appeal.number, decision.number)
    return appeal


def _reserve_again(request: Request, decision: Decision) -> None:
    """Reserve the outcomes that the decision let go, as far as they are still free."""
    found = situations.situation(
        request.learner, request.programme, request=request, instead_of=decision
    )
    leaves = {bytes(leaf) for leaf in request.sources.values_list("leaf", flat=True)}
    for one in found.holdings:
        if one.leaf in leaves and one.line.state == "entered":
            try:
                with transaction.atomic():
                    requests.reserve(request, [one])
            except (IntegrityError, RequestRefused):
                continue  # Used elsewhere by now: the case says so.


def _problems(decision: Decision, positions: Sequence[int]) -> list[Problem]:
    problems = []
    if decision.state not in (
        DecisionState.IN_FORCE,
        DecisionState.REFUSED,
    ):
        problems.append(_problem("decision-not-appealable", value=str(decision.state)))
    if decision.flagged_at is not None:
        problems.append(_problem("decision-flagged"))
    last = decision.appeal_until
    if last is not None and today() > last and not decision.automatic:
        problems.append(_problem("appeal-too-late", expected=f"≤ {last.isoformat()}"))
    known = set(decision.lines.values_list("position", flat=True))
    if not positions:
        problems.append(_problem("nothing-chosen"))
    problems += [_problem("position-unknown", value=str(at)) for at in positions if at not in known]
    if decision.appeals.exists():
        problems.append(_problem("appealed-before"))
    return problems


def _problem(code: str, *, value: str = "", expected: str = "") -> Problem:
    sentence = {
        "decision-not-appealable": gettext("只有已作出的决定可以申请复议。"),
        "decision-flagged": gettext("决定所依据的成果已失效，学校正在处理。"),
        "appeal-too-late": gettext("已过申请复议的期限。"),
        "nothing-chosen": gettext("请选择对哪几项不同意。"),
        "position-unknown": gettext("决定中没有这一项。"),
        "appealed-before": gettext("对这份决定已申请过复议。"),
        "appeal-open": gettext("对这份决定的复议正在办理。"),
    }[code]
    return Problem(code=code, message=sentence, field="decision", value=value, expected=expected)


# -- the thread ---------------------------------------------------------------------------------
def say(
    *, appeal: Appeal, text: str, attachment: Attachment | None = None, acting_user: User
) -> AppealMessage:
    """Add to the thread, as the learner or as a reviewer of the institution.

    Raises TextMissing, FileRefused, AppealNotOpen, Forbidden, OwnAward.
    """
    request = appeal.decision.request
    said = _checked_text(text)
    _check_file(attachment)
    author = ""
    if request.learner.user_id != acting_user.pk:
        member = roles.acting_reviewer(request.institution, acting_user, request.learner)
        author = member.pseudonym
    with transaction.atomic():
        held = _locked(appeal)
        if not held.is_open:
            raise _not_open(held)
        return _say(held, said, attachment, author_as=author)


def _say(
    appeal: Appeal, text: str, attachment: Attachment | None, *, author_as: str
) -> AppealMessage:
    pk, account = uuid.uuid4(), appeal.decision.account_id
    row = AppealMessage(
        pk=pk,
        appeal=appeal,
        by_learner=not author_as,
        author_as=author_as,
        at=now(),
        text_sealed=sealing.seal(account, _TEXT, pk, text.encode()),
    )
    if attachment is not None:
        name = " ".join(attachment.name.split())[-NAME_MAX:] or "-"
        row.file_name_sealed = sealing.seal(account, _NAME, pk, name.encode())
        row.file_sealed = sealing.seal(account, _FILE, pk, attachment.data)
    row.save(force_insert=True)
    return row


def _checked_text(text: str) -> str:
    said = text.strip()[:TEXT_MAX]
    if not said:
        raise TextMissing(gettext("请写明理由。"))
    return said


def _check_file(attachment: Attachment | None) -> None:
    if attachment is None:
        return
    if len(attachment.data) > FILE_MAX:
        raise FileRefused(gettext("文件不能超过 5 MiB。"), size=len(attachment.data))
    if not attachment.kind:
        raise FileRefused(gettext("只能附 PDF、PNG 或 JPEG 文件。"))


def thread(appeal: Appeal) -> list[Message]:
    """Return what was said, oldest first. Raises PersonForgotten."""
    account = appeal.decision.account_id
    return [
        Message(
            row=row,
            text=sealing.unseal(account, _TEXT, row.pk, bytes(row.text_sealed)).decode(),
            file_name=sealing.unseal(account, _NAME, row.pk, bytes(row.file_name_sealed)).decode(),
        )
        for row in appeal.messages.all()
    ]


def attachment_of(message: AppealMessage) -> Attachment | None:
    """Return the file of a message, if it has one. Raises PersonForgotten."""
    if not message.has_file:
        return None
    account = message.appeal.decision.account_id
    return Attachment(
        name=sealing.unseal(account, _NAME, message.pk, bytes(message.file_name_sealed)).decode(),
        data=sealing.unseal(account, _FILE, message.pk, bytes(message.file_sealed)),
    )


def close_for(decision: Decision) -> None:
    """Close what is open against a decision that is reversed, inside a transaction."""
    for appeal in Appeal.objects.filter(decision=decision, state=AppealState.OPEN):
        held = _locked(appeal)
        held.state = AppealState.WITHDRAWN
        _close(held)


# -- answering ----------------------------------------------------------------------------------
def withdraw_appeal(*, appeal: Appeal, acting_user: User) -> Appeal:
    """Take an appeal back; the decision stands. Done twice, nothing changes.

    Raises NotFound, AppealNotOpen.
    """
    roles.require_self(appeal.decision.request.learner, acting_user)
    with transaction.atomic():
        held = _locked(appeal)
        if held.state == AppealState.WITHDRAWN:
            return held
        if not held.is_open:
            raise _not_open(held)
        held.state = AppealState.WITHDRAWN
        _close(held)
    return held


def uphold(*, appeal: Appeal, text: str, acting_user: User) -> Appeal:
    """Answer that the decision stands, in words, as somebody who did not decide before.

    Raises TextMissing, AppealNotOpen, Forbidden, OwnAward, SamePerson, PersonUnknown.
    """
    said = _checked_text(text)
    request = appeal.decision.request
    member = roles.acting_reviewer(request.institution, acting_user, request.learner)
    roles.require_others(_deciders(request), acting_user)
    with transaction.atomic():
        held = _locked(appeal)
        if not held.is_open:
            raise _not_open(held)
        held.state = AppealState.UPHELD
        held.decided_by = acting_user
        held.decided_as = member.pseudonym
        _say(held, said, None, author_as=member.pseudonym)
        _close(held)
    logger.info("appeal %s: upheld by %s", held.number, member.pseudonym)
    return held


def _close(held: Appeal) -> None:
    """Close an appeal without a new decision: what was proposed is returned, outcomes are let go."""
    request = requests.locked(held.decision.request)
    request.decisions.filter(state=DecisionState.PROPOSED).update(state=DecisionState.RETURNED)
    held.decided_at = now()
    held.save()
    requests.release(request)


def decide_anew(
    *, appeal: Appeal, verdicts: Sequence[Verdict], text: str, acting_user: User
) -> Decision:
    """Propose a new decision in an appeal, as somebody who did not decide before, and say why.

    It takes the place of the old one in one submission, as soon as as many
    people have agreed as the rules ask for. It gives no target less than the old
    one did. Raises TextMissing, AppealNotOpen and what `propose_decision` raises.
    """
    said = _checked_text(text)
    request = appeal.decision.request
    member = roles.acting_reviewer(request.institution, acting_user, request.learner)
    roles.require_others(_deciders(request), acting_user)
    if not appeal.is_open:
        raise _not_open(appeal)
    decision = decisions.propose_decision(
        request=request, verdicts=verdicts, acting_user=acting_user
    )
    with transaction.atomic():
        _say(appeal, said, None, author_as=member.pseudonym)
    appeal.refresh_from_db()
    return decision


def _deciders(request: Request) -> list[User]:
    return [
        one.reviewer
        for one in Review.objects.select_related("reviewer").filter(
            decision__request=request, decision__decided_at__isnull=False
        )
    ]


def _locked(appeal: Appeal) -> Appeal:
    return (
        Appeal.objects.select_for_update(of=("self",))
        .select_related("decision__request__learner", "decision__request__institution")
        .get(pk=appeal.pk)
    )


def _not_open(appeal: Appeal) -> AppealNotOpen:
    return AppealNotOpen(
        gettext("这份复议已办结或已撤回。"), appeal=appeal.number, state=str(appeal.state)
    )
