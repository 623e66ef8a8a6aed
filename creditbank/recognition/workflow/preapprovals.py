"""Pre-approvals: a rule for one learner, entered before the outcome is earned, that binds what follows.

A clerk prepares it and a reviewer, another person, approves it. It is an
`llcb/rule/v1` whose code is its number, sealed, with its digest in the ledger.
When the learner has the outcome, the rule is one of those that decide, and its
lines are given whole, whatever other rules say by then.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from creditbank import access
from creditbank.clock import now, today
from creditbank.errors import Problem
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import Role
from creditbank.institutions.models import Institution
from creditbank.jobs import outbox
from creditbank.ledger import guard
from creditbank.ledger import operations as ledger
from creditbank.ledger.statements import CreditPreApproved
from creditbank.proofs import canonical
from creditbank.recognition.deciding import jsonforms as forms
from creditbank.recognition.deciding import numbers
from creditbank.recognition.language import rules
from creditbank.recognition.language.rules import Rule, RuleInvalid
from creditbank.recognition.models import PreApproval, PreApprovalState, ProgrammeVersion
from creditbank.recognition.workflow import roles, sealing, situations
from creditbank.recognition.workflow.errors import PreApprovalNotOpen, PreApprovalRefused
from creditbank.users.models import User
from learners.models import Learner

logger = logging.getLogger(__name__)

ENTER: Final = "recognition.pre-approve"
COLUMN: Final = "pre-approval"


@dataclass(frozen=True, kw_only=True)
class Promised:
    """What is promised for one target: a course's credits (none: the course's own), or a waiver.

    A category has its credits written out.
    """

    course: str = ""
    category: str = ""
    credits: Decimal | None = None
    waived: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as a target of a rule."""
        said: dict[str, Any] = {"course": self.course} if self.course else {}
        if self.category:
            said["category"] = self.category
        if self.credits is not None:
            said["credits"] = forms.amount(self.credits)
        if self.waived:
            said["waived"] = True
        return said


def prepare_pre_approval(
    *,
    learner: Learner,
    programme: ProgrammeVersion,
    item: str,
    until: date,
    targets: Sequence[Promised],
    score: Decimal | None = None,
    acting_user: User,
) -> PreApproval:
    """Prepare the promise that an item of the catalogue, completed by a day, counts so much.

    `score` is the least score that it must be completed with. Raises
    PreApprovalRefused with every problem, Forbidden, OwnAward, OwnKeyStream,
    PersonForgotten.
    """
    institution = programme.owner
    member = roles.acting_member(institution, acting_user, Role.CLERK)
    access.refuse_own_award(acting_user, learner)
    roles.recognising_stream(institution)
    number = numbers.draw(numbers.PRE_APPROVAL, today())
    problems = _problems(programme, item, until, targets)
    if problems:
        raise PreApprovalRefused(problems)
    document = _document(number, institution, programme, item, until, targets, score)
    try:
        rule = rules.parse(document)
    except RuleInvalid as error:
        raise PreApprovalRefused(error.problems) from error
    pk = uuid.uuid4()
    row = PreApproval.objects.create(
        pk=pk,
        number=number,
        learner=learner,
        account_id=learner.account_id,
        institution=institution,
        programme=programme,
        until=until,
        document_sealed=sealing.seal(learner.account_id, COLUMN, pk, rule.canonical()),
        digest=rule.digest,
        prepared_by=acting_user,
        prepared_as=member.pseudonym,
        prepared_at=now(),
    )
    logger.info("pre-approval %s prepared by %s", number, member.pseudonym)
    return row


def _problems(
    programme: ProgrammeVersion, item: str, until: date, targets: Sequence[Promised]
) -> list[Problem]:
    problems = []
    if not any(row.is_in_catalogue for row in institutions.item_versions(item)):
        problems.append(
            Problem(
                code="item-unknown",
                message=gettext("名录中没有这个已核定的项目。"),
                field="item",
                value=item,
            )
        )
    if until < today():
        problems.append(
            Problem(
                code="day-past",
                message=gettext("完成的最后一天不能早于今天。"),
                field="until",
                value=until.isoformat(),
                expected=f"≥ {today().isoformat()}",
            )
        )
    if not targets:
        problems.append(
            Problem(
                code="nothing-chosen",
                message=gettext("请写明认定到哪些课程或类别。"),
                field="targets",
            )
        )
    parsed = programme.parsed()
    for position, target in enumerate(targets):
        code = target.course or target.category
        known = parsed.course(code) if target.course else parsed.category(code)
        if known is None:
            problems.append(
                Problem(
                    code="target-unknown",
                    message=gettext("该专业没有这门课程或这个类别。"),
                    field=f"targets/{position}",
                    value=code,
                )
            )
    return problems


def _document(
    number: str,
    institution: Institution,
    programme: ProgrammeVersion,
    item: str,
    until: date,
    targets: Sequence[Promised],
    score: Decimal | None,
) -> Mapping[str, Any]:
    conditions: list[dict[str, Any]] = [
        {"item": [item]},
        {"completed": {"until": until.isoformat()}},
    ]
    if score is not None:
        conditions.append({"score": {"min": forms.amount(score)}})
    return {
        "v": "llcb/rule/v1",
        "code": number,
        "version": 1,
        "owner": institution.uscc,
        "title": f"预认定 {number}",
        "title_en": f"Pre-approval {number}",
        "basis": {"title": f"预认定 {number}"},
        "in_force": {"from": today().isoformat()},
        "law": "decision",
        "programmes": [programme.code],
        "sources": {"outcome": {"all": conditions}},
        "allocation": {"to": [target.to_json() for target in targets]},
        "procedure": {"mode": "review", "reviewers": 1},
    }


def approve_pre_approval(*, pre_approval: PreApproval, acting_user: User) -> PreApproval:
    """Approve what another person prepared: it is entered, and binds from then on. Done twice, once.

    Raises PreApprovalNotOpen, Forbidden, OwnAward, SamePerson, PersonUnknown, LedgerReadOnly.
    """
    member = roles.acting_reviewer(pre_approval.institution, acting_user, pre_approval.learner)
    access.require_other_person(pre_approval.prepared_by, acting_user)
    guard.refuse_unguarded()
    with transaction.atomic():
        held = _locked(pre_approval)
        if held.state != PreApprovalState.PREPARED:
            if held.state == PreApprovalState.IN_FORCE:
                return held
            raise _not_open(held)
        if held.approved_at is None:
            held.approved_by = acting_user
            held.approved_as = member.pseudonym
            held.approved_at = now()
            held.save(update_fields=["approved_by", "approved_as", "approved_at"])
            outbox.enqueue_on_commit(ENTER, str(held.pk))
    logger.info("pre-approval %s approved by %s", held.number, member.pseudonym)
    return finish(held.pk)


def finish(pk: uuid.UUID) -> PreApproval:
    """Enter an approved pre-approval, once whoever asks; the outbox calls it, perhaps twice."""
    row = _joined().get(pk=pk)
    if row.state != PreApprovalState.PREPARED or row.approved_at is None:
        return row
    receipt = ledger.pre_approve(
        stream=roles.recognising_stream(row.institution).name,
        statement=CreditPreApproved(
            account=row.account_id,
            number=row.number,
            digest=bytes(row.digest),
            programme=row.programme.code,
            programme_version=row.programme.version,
            before=row.until,
            body=row.institution.uscc,
        ),
    )
    PreApproval.objects.filter(pk=pk, state=PreApprovalState.PREPARED).update(
        state=PreApprovalState.IN_FORCE, entry_index=receipt.first_index
    )
    row.refresh_from_db()
    return row


def withdraw_pre_approval(*, pre_approval: PreApproval, acting_user: User) -> PreApproval:
    """Take a pre-approval back before it is approved; afterwards it binds. Done twice, once.

    Raises Forbidden, PreApprovalNotOpen.
    """
    roles.acting_member(pre_approval.institution, acting_user, Role.CLERK)
    with transaction.atomic():
        held = _locked(pre_approval)
        if held.state == PreApprovalState.WITHDRAWN:
            return held
        if held.state != PreApprovalState.PREPARED or held.approved_at is not None:
            raise _not_open(held)
        held.state = PreApprovalState.WITHDRAWN
        held.save(update_fields=["state"])
    return held


def rule_of(row: PreApproval) -> Rule:
    """Return the rule that a pre-approval is. Raises PersonForgotten."""
    return situations.rule_of(row)


def document_of(row: PreApproval) -> bytes:
    """Return the canonical bytes whose digest the ledger holds. Raises PersonForgotten."""
    data = sealing.unseal(row.account_id, COLUMN, row.pk, bytes(row.document_sealed))
    assert canonical.decode(data)
    return data


def _joined() -> QuerySet[PreApproval]:
    return PreApproval.objects.select_related("learner", "institution", "programme")


def _locked(row: PreApproval) -> PreApproval:
    return _joined().select_for_update(of=("self",)).get(pk=row.pk)


def _not_open(row: PreApproval) -> PreApprovalNotOpen:
    return PreApprovalNotOpen(
        gettext("这份预认定已办结或已撤回。"), number=row.number, state=str(row.state)
    )
