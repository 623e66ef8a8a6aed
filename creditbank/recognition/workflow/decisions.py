"""Deciding a request: a proposal, as many people's agreement as the rules ask for, then its entry.

A decision is agreed to first and entered afterwards. The agreement is a row; if
the process dies in between, the outbox enters the decision, whose number is the
idempotency key, so that it is entered once whoever does it.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from creditbank.clock import PROVINCE, now, today
from creditbank.errors import Problem
from creditbank.jobs import outbox
from creditbank.jobs.models import Outbox
from creditbank.ledger import guard, log, recognitions
from creditbank.ledger import operations as ledger
from creditbank.ledger.statements import (
    ConsumptionReversed,
    CreditConsumed,
    CreditRecognised,
    RecognitionReversed,
    hundredths,
)
from creditbank.recognition.deciding import admission, numbers, packages, workdays
from creditbank.recognition.deciding.admission import Answer, Fault
from creditbank.recognition.deciding.packages import Decided, Package, Reviewed
from creditbank.recognition.models import (
    Appeal,
    AppealState,
    Decision,
    DecisionLine,
    DecisionState,
    PreApproval,
    PreApprovalState,
    Request,
    RequestState,
    Review,
    ReviewVerdict,
)
from creditbank.recognition.workflow import (
    cases,
    packaging,
    requests,
    reviewing,
    roles,
    sealing,
    storage,
)
from creditbank.recognition.workflow.cases import Case
from creditbank.recognition.workflow.errors import (
    CaseChanged,
    DecisionNotOpen,
    ExpertNeeded,
    TextMissing,
    VerdictsRefused,
)
from creditbank.recognition.workflow.storage import package_bytes as package_bytes
from creditbank.recognition.workflow.storage import package_of as package_of
from creditbank.signer.client import SignerUnavailable
from creditbank.users.models import User

logger = logging.getLogger(__name__)

ENTER: Final = "recognition.enter"
SETTLE: Final = "recognition.settle"
SETTLE_AFTER: Final = timedelta(seconds=60)
NOTE_MAX: Final = 500
REPLACED: Final = "认定决定经复议更改，以新决定为准"
"""Why an earlier decision is reversed: it stands in the ledger, so it is in the bank's language."""
_NOTES: Final = "notes"
_NOTE: Final = "review-note"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a reviewer says of one line of the proposal (positions count from 0).

    `verdict`: `credit` (whole), `part` with `credits`, `waived` (0 credits, the
    course is met), `refused`. Less than whole has a reason of `reasons`; `note`
    says more in words, to the learner alone.
    """

    position: int
    verdict: str
    credits: Decimal | None = None
    reason: str = ""
    note: str = ""

    def answer(self) -> Answer:
        """Return what the rules are asked about: everything but the words."""
        return Answer(
            position=self.position, verdict=self.verdict, credits=self.credits, reason=self.reason
        )


# -- proposing --------------------------------------------------------------------------------
def propose_decision(
    *, request: Request, verdicts: Sequence[Verdict], acting_user: User
) -> Decision:
    """Propose what is to be decided, and agree to it as the first.

    Where one person decides, the decision is made by it. In an appeal it is
    proposed by somebody who has not decided before. Raises VerdictsRefused with
    every fault, RequestNotOpen, StageNotYours, OwnAward, SamePerson,
    PersonUnknown, ExpertNeeded, LedgerReadOnly, DecisionNotOpen while another
    proposal waits.
    """
    # Before anything is decided: a decision that cannot be entered would only wait.
    guard.refuse_unguarded()
    case = cases.current(request)
    stage = case.procedure.chain[0]
    reviewing.member_at(stage, request, acting_user)
    if not request.is_open and cases.open_appeal(request) is None:
        raise requests.not_open(request)
    given, faults = admission.answered(
        case.proposed,
        [one.answer() for one in verdicts],
        case.binding,
    )
    if not faults and case.instead_of is not None:
        before = [decided_of(line) for line in case.instead_of.lines.all()]
        faults = admission.lost(before, given)
    if faults:
        raise VerdictsRefused([_problem(fault) for fault in faults])
    notes = {
        one.position: " ".join(one.note.split())[:NOTE_MAX] for one in verdicts if one.note.strip()
    }
    with transaction.atomic():
        held = requests.locked(request)
        appeal = cases.open_appeal(held)
        if not held.is_open and appeal is None:
            raise requests.not_open(held)
        if held.decisions.filter(state=DecisionState.PROPOSED).exists():
            raise DecisionNotOpen(gettext("已有一份待同意的决定。"), request=held.number)
        decision = _store(case, [*given, *case.unused], notes)
        if held.state == RequestState.SUBMITTED:
            held.state = RequestState.REVIEWING
            held.reviewing_at = now()
            held.save(update_fields=["state", "reviewing_at"])
        _review(case, decision, acting_user)
        _make_sure(decision)
    logger.info("decision %s proposed on %s", decision.number, request.number)
    return _settle(case, decision)


def _store(
    case: Case, lines: Sequence[Decided], notes: Mapping[int, str], *, automatic: bool = False
) -> Decision:
    """Store a proposal with its lines, inside a transaction."""
    request = case.request
    decision = Decision(
        pk=uuid.uuid4(),
        number=numbers.draw(numbers.DECISION, today()),
        request=request,
        account_id=request.account_id,
        automatic=automatic,
        proposed_at=now(),
        law_on=case.law_on,
        credits=sum((line.credits + line.surplus for line in lines), Decimal(0)),
        replaces=case.instead_of,
    )
    if notes:
        said = json.dumps({str(at): text for at, text in notes.items()}, ensure_ascii=False)
        decision.notes_sealed = sealing.seal(request.account_id, _NOTES, decision.pk, said.encode())
    decision.save(force_insert=True)
    proposed = {position: line.credits for position, line in enumerate(case.proposed)}
    DecisionLine.objects.bulk_create(
        DecisionLine(
            decision=decision,
            position=position,
            rule=case.book.rows.get((line.rule, line.version)),
            rule_code=line.rule,
            rule_version=line.version,
            leaves=b"".join(line.leaves),
            course=line.course,
            category=line.category,
            verdict=line.verdict,
            credits=line.credits,
            surplus=line.surplus,
            surplus_category=line.surplus_category,
            proposed=proposed.get(position, Decimal(0)),
            reason=line.reason,
            law=line.law,
            law_on=line.law_on,
        )
        for position, line in enumerate(lines)
    )
    return decision


def _problem(fault: Fault) -> Problem:
    return Problem(
        code=fault.code,
        message=_sentence(fault.code),
        row=fault.position + 1,
        field="verdict",
        value=fault.found,
        expected=fault.expected,
    )


def _sentence(code: str) -> str:
    return {
        "position-unknown": gettext("方案中没有这一项。"),
        "verdict-twice": gettext("同一项给出了两个结论。"),
        "verdict-missing": gettext("这一项还没有结论。"),
        "verdict-unknown": gettext("没有这种结论。"),
        "less-than-before": gettext("复议不得使学习者得到的比原决定少。"),
        "promised": gettext("已作预认定，须按预认定的学分认定。"),
        "credits-out-of-range": gettext("部分认定的学分须大于 0，且小于方案中的学分。"),
        "only-courses-waived": gettext("只有课程可以免修。"),
        "reason-missing": gettext("少于方案的，须选择理由。"),
        "reason-unfit": gettext("这个理由不适用于这种结论。"),
    }.get(code, gettext("这个结论不能采用。"))


# -- agreeing ---------------------------------------------------------------------------------
def agree(*, decision: Decision, acting_user: User, note: str = "") -> Decision:
    """Agree to a proposed decision, as another person than all who did; the last one decides it.

    Done twice by one person, nothing changes. Raises DecisionNotOpen,
    StageNotYours, OwnAward, SamePerson, PersonUnknown, ExpertNeeded; CaseChanged
    when a rule or an outcome has changed since it was proposed: then it is
    returned, to be proposed anew.
    """
    if decision.reviews.filter(reviewer=acting_user, verdict=ReviewVerdict.AGREE).exists():
        return settle(decision.pk)
    guard.refuse_unguarded()
    case = cases.current(decision.request)
    # First of all: a case that has changed may ask for other people than it did.
    _require_unchanged(case, decision)
    with transaction.atomic():
        requests.locked(decision.request)
        held = _locked(decision)
        if held.state != DecisionState.PROPOSED:
            raise _not_open(held)
        _review(case, held, acting_user, note=note)
        _make_sure(held)
    return _settle(case, held)


def return_decision(*, decision: Decision, reason: str, acting_user: User) -> Decision:
    """Send a proposed decision back, to be proposed anew. Done twice, nothing changes.

    Raises TextMissing, DecisionNotOpen, StageNotYours, OwnAward, SamePerson, PersonUnknown.
    """
    text = " ".join(reason.split())[:NOTE_MAX]
    if not text:
        raise TextMissing(gettext("请写明退回的原因。"))
    if decision.state == DecisionState.RETURNED:
        return decision
    case = cases.current(decision.request)
    with transaction.atomic():
        requests.locked(decision.request)
        held = _locked(decision)
        if held.state == DecisionState.RETURNED:
            return held
        if held.state != DecisionState.PROPOSED:
            raise _not_open(held)
        _review(case, held, acting_user, note=text, verdict=ReviewVerdict.RETURN)
        held.state = DecisionState.RETURNED
        held.save(update_fields=["state"])
    logger.info("decision %s returned", held.number)
    return held


def _review(
    case: Case,
    decision: Decision,
    user: User,
    *,
    note: str = "",
    verdict: ReviewVerdict = ReviewVerdict.AGREE,
) -> Review:
    """Note one person's word at the stage where a decision stands, inside a transaction."""
    stage = reviewing.next_stage(case, decision)
    member = reviewing.member_at(stage, case.request, user)
    roles.require_others(_deciders(decision), user)
    expert = 0
    if stage == case.procedure.chain[0]:
        expert = reviewing.expert_years(member, today())
        if verdict is ReviewVerdict.AGREE:
            _require_expert(case, decision, expert)
    pk = uuid.uuid4()
    text = " ".join(note.split())[:NOTE_MAX]
    return Review.objects.create(
        pk=pk,
        decision=decision,
        stage=stage,
        reviewer=user,
        reviewer_as=member.pseudonym,
        institution=member.institution,
        years=expert,
        verdict=verdict,
        note_sealed=sealing.seal(decision.account_id, _NOTE, pk, text.encode()),
        at=now(),
    )


def _deciders(decision: Decision) -> list[User]:
    """Return everybody who had a word before: on this decision, and on those it would replace."""
    before: list[Decision] = [decision]
    while before[-1].replaces is not None:
        before.append(before[-1].replaces)
    return [
        one.reviewer
        for one in Review.objects.select_related("reviewer").filter(decision__in=before)
    ]


def _require_expert(case: Case, decision: Decision, years: int) -> None:
    """Refuse somebody whose place on the panel only an expert can take. Raises ExpertNeeded."""
    panel = case.procedure.panel
    if not panel.experts or years >= panel.years:
        return
    first = decision.reviews.filter(stage=case.procedure.chain[0])
    experts = sum(one.years >= panel.years for one in first)
    left = case.procedure.first_stage - first.count()
    if left <= panel.experts - experts:
        raise ExpertNeeded(
            gettext("评审组还缺行业专家，请由行业专家审核。"),
            experts=panel.experts,
            years=panel.years,
        )


# -- concluding ---------------------------------------------------------------------------------
def _make_sure(decision: Decision) -> None:
    """Let the outbox make the decision in a minute, if this process does not."""
    at = now()
    Outbox.objects.create(
        handler=SETTLE, ids=[str(decision.pk)], due_at=at + SETTLE_AFTER, created_at=at
    )


def settle(pk: uuid.UUID) -> Decision:
    """Make a proposed decision to which all have agreed; the outbox calls it, perhaps twice."""
    decision = _read(pk)
    if decision.state != DecisionState.PROPOSED:
        return decision
    try:
        return _settle(cases.current(decision.request), decision)
    except (CaseChanged, DecisionNotOpen):
        return _read(pk)


def _settle(case: Case, decision: Decision) -> Decision:
    """Make the decision when all who must have agreed; otherwise it waits for the next one."""
    if admission.missing_agreement(case.procedure, _reviews(decision)):
        return decision
    _require_unchanged(case, decision)
    return conclude(case, decision)


def _require_unchanged(case: Case, decision: Decision) -> None:
    """Return a decision that the case no longer admits. Raises CaseChanged."""
    decided = [decided_of(line) for line in decision.lines.all()]
    proposed = [*case.proposed, *case.unused]
    same = len(decided) == len(proposed) and all(
        not admission.faults_of(admission.bare(now_proposed), line)
        for now_proposed, line in zip(proposed, decided, strict=True)
    )
    if same or decision.state != DecisionState.PROPOSED:
        return
    Decision.objects.filter(pk=decision.pk, state=DecisionState.PROPOSED).update(
        state=DecisionState.RETURNED
    )
    raise CaseChanged(
        gettext("提出方案之后，规则或成果有了变化，请重新提出。"), decision=decision.number
    )


def conclude(case: Case, decision: Decision) -> Decision:
    """Freeze a decision that was agreed to, and let it be entered: now, or after its notice.

    Raises DecisionNotOpen when somebody else has just done so.
    """
    at, on = now(), today()
    procedure = case.procedure
    appeal = cases.open_appeal(case.request)
    package = packaging.package_of(
        case,
        number=decision.number,
        lines=_lines(case, decision),
        reviews=_reviews(decision),
        decided_on=on,
        replaces=case.instead_of.number if case.instead_of else "",
        appeal=appeal.number if appeal is not None else "",
    )
    data = packages.encode(package)
    given = any(line.given for line in package.lines)
    notice = workdays.after(on, procedure.notice_days) if procedure.notice_days and given else None
    with transaction.atomic():
        held_request = requests.locked(case.request)
        held = _locked(decision)
        if held.state != DecisionState.PROPOSED:
            raise _not_open(held)
        held.digest = packages.digest(data)
        held.package_sealed = storage.seal_package(held, data)
        held.decided_at, held.decided_on = at, on
        held.law_on = case.law_on
        held.notice_until = notice
        held.appeal_until = on + timedelta(days=procedure.appeal_days)
        held.state = (
            DecisionState.REFUSED
            if not given
            else DecisionState.IN_NOTICE
            if notice
            else DecisionState.DECIDED
        )
        held.save()
        _tell_request(held_request, held)
        requests.release(held_request, keep=package.used)
        if appeal is not None:
            _answer(appeal, held)
        if not given:
            _replace_refusal(held)
        if held.state == DecisionState.DECIDED:
            outbox.enqueue_on_commit(ENTER, str(held.pk))
    logger.info("decision %s made: %s", held.number, held.state)
    if held.state != DecisionState.DECIDED:
        return held
    try:
        return finish(held.pk)
    except SignerUnavailable:
        # It is decided; the outbox enters it when the signer is back.
        return held


def _tell_request(request: Request, decision: Decision) -> None:
    """Move a request's state on with its decision; one that is in force stays so."""
    if request.state == RequestState.IN_FORCE:
        return
    request.decided_at = decision.decided_at
    request.notice_until = decision.notice_until
    request.state = (
        RequestState.IN_NOTICE
        if decision.state == DecisionState.IN_NOTICE
        else RequestState.DECIDED
    )
    request.save(update_fields=["state", "decided_at", "notice_until"])


def _answer(appeal: Appeal, decision: Decision) -> None:
    last = decision.reviews.order_by("at", "pk").last()
    appeal.state = AppealState.CHANGED
    appeal.decided_at = decision.decided_at
    appeal.decided_by = last.reviewer if last is not None else None
    appeal.decided_as = last.reviewer_as if last is not None else ""
    appeal.outcome = decision
    appeal.save()


def _replace_refusal(decision: Decision) -> None:
    """Let a new refusal take the place of an earlier one: nothing of either is in the ledger."""
    if decision.replaces is None:
        return
    Decision.objects.filter(pk=decision.replaces.pk, state=DecisionState.REFUSED).update(
        state=DecisionState.REPLACED
    )


def _lines(case: Case, decision: Decision) -> tuple[Decided, ...]:
    """Return a decision's lines with the marks that only the proposal holds."""
    proposed = [*case.proposed, *case.unused]
    return tuple(
        admission.marked(decided_of(line), whole)
        for line, whole in zip(decision.lines.all(), proposed, strict=True)
    )


def _reviews(decision: Decision) -> tuple[Reviewed, ...]:
    return tuple(
        Reviewed(
            stage=one.stage,
            by=one.reviewer_as,
            on=one.at.astimezone(PROVINCE).date(),
            years=one.years,
        )
        for one in decision.reviews.filter(verdict=ReviewVerdict.AGREE).order_by("at", "pk")
    )


# -- entering -----------------------------------------------------------------------------------
def finish(pk: uuid.UUID) -> Decision:
    """Enter a decision whose time has come, once whoever asks; the outbox calls it, perhaps twice.

    One submission: what it replaces, what it gives, what it uses. When the
    ledger refuses it, since an outcome has fallen meanwhile, the decision is
    void and the request open again.
    """
    decision = _read(pk)
    due = decision.state == DecisionState.DECIDED or (
        decision.state == DecisionState.IN_NOTICE
        and decision.notice_until is not None
        and decision.notice_until < today()
    )
    if not due:
        return decision
    package = package_of(decision)
    try:
        receipt, position = _enter(decision, package)
    except (log.ActsOnInvalid, log.DuplicateOutcome) as error:
        logger.warning("decision %s: %s %s", decision.number, error.code, error.facts)
        return _void(decision)
    return _entered(decision, package, receipt.index_of(position), receipt.first_index)


def _enter(decision: Decision, package: Package) -> tuple[log.Receipt, int]:
    """Append a decision; return the receipt, and at which place in it the recognition stands."""
    institution = decision.request.institution
    stream = roles.recognising_stream(institution)
    replacing = _replacing(decision)
    sources = {bytes(row.leaf): row for row in decision.request.sources.all()}
    consumed = [
        CreditConsumed(
            account=sources[leaf].account_id,
            leaf=leaf,
            quantity_consumed=hundredths(sources[leaf].credits),
            decision=decision.number,
            generation=recognitions.next_generation(sources[leaf].account_id, leaf),
        )
        for leaf in package.used
    ]
    assert decision.decided_on is not None
    receipt = ledger.recognise(
        stream=stream.name,
        recognised=CreditRecognised(
            account=decision.account_id,
            decision=decision.number,
            digest=bytes(decision.digest or b""),
            programme=decision.request.programme.code,
            programme_version=decision.request.programme.version,
            body=institution.uscc,
            body_name=institution.name,
            credits=package.credits,
            decided_on=decision.decided_on,
        ),
        consumed=consumed,
        replacing=replacing,
        idempotency_key=decision.number,
        institution_id=institution.pk,
    )
    # A second run finds the first one's receipt, whatever it would have replaced itself.
    return receipt, receipt.count - len(consumed) - 1


def _replacing(decision: Decision) -> list[ConsumptionReversed | RecognitionReversed]:
    replaced = decision.replaces
    if replaced is None or replaced.entry_index is None:
        return []
    found = recognitions.recognition(replaced.entry_index)
    return [] if found.reversed_ is not None else found.undoing(reason=REPLACED)


def _entered(decision: Decision, package: Package, entry_index: int, first_index: int) -> Decision:
    at = now()
    with transaction.atomic():
        request = requests.locked(decision.request)
        held = _locked(decision)
        if held.state in (DecisionState.DECIDED, DecisionState.IN_NOTICE):
            if held.replaces is not None:
                _mark_replaced(held.replaces, entry_index - 1, at_first=first_index)
            held.state = DecisionState.IN_FORCE
            held.entry_index = entry_index
            held.in_force_at = at
            held.save(update_fields=["state", "entry_index", "in_force_at"])
            if request.state != RequestState.IN_FORCE:
                request.state = RequestState.IN_FORCE
                request.in_force_at = at
                request.save(update_fields=["state", "in_force_at"])
            requests.release(request)
            _redeem(held, package)
    logger.info("decision %s in force at %s", held.number, entry_index)
    return held


def _mark_replaced(replaced: Decision, reversal_index: int, *, at_first: int) -> None:
    """Note that a decision was replaced: its reversal stands directly before the new recognition."""
    entered = replaced.entry_index is not None
    Decision.objects.filter(
        pk=replaced.pk, state__in=[DecisionState.IN_FORCE, DecisionState.REFUSED]
    ).update(
        state=DecisionState.REPLACED,
        reversal_index=reversal_index if entered and reversal_index >= at_first else None,
        reversed_at=now() if entered else None,
    )


def _redeem(decision: Decision, package: Package) -> None:
    """Note which pre-approvals a decision has kept."""
    codes = {line.rule for line in package.lines if line.given}
    PreApproval.objects.filter(
        learner=decision.request.learner, number__in=codes, state=PreApprovalState.IN_FORCE
    ).update(state=PreApprovalState.USED, used_by=decision)


def _void(decision: Decision) -> Decision:
    """Undo a decision that could not be entered: the request is open again, for people to look at."""
    with transaction.atomic():
        request = requests.locked(decision.request)
        held = _locked(decision)
        if held.state not in (DecisionState.DECIDED, DecisionState.IN_NOTICE):
            return held
        held.state = DecisionState.VOID
        held.save(update_fields=["state"])
        Appeal.objects.filter(outcome=held).update(
            state=AppealState.OPEN, decided_at=None, decided_by=None, decided_as="", outcome=None
        )
        if held.replaces is not None and held.replaces.state == DecisionState.IN_FORCE:
            return held
        if request.automatic:
            request.state = RequestState.SUBMITTED
            request.decided_at = None
            request.save(update_fields=["state", "decided_at"])
            requests.withdraw(request)
        else:
            request.state = RequestState.REVIEWING
            request.reviewing_at = request.reviewing_at or now()
            request.decided_at = None
            request.save(update_fields=["state", "reviewing_at", "decided_at"])
    return held


def enter_due(on: date | None = None) -> int:
    """Let every decision be entered whose notice has passed before a day; return how many."""
    day = on or today()
    due = Decision.objects.filter(state=DecisionState.IN_NOTICE, notice_until__lt=day)
    pks = list(due.values_list("pk", flat=True))
    with transaction.atomic():
        for pk in pks:
            outbox.enqueue_on_commit(ENTER, str(pk))
    return len(pks)


# -- without a person ---------------------------------------------------------------------------
def decide_automatically(request: Request) -> Decision | None:
    """Decide a request as its rules say, without a person; nothing where they ask for one.

    Done twice, once.
    """
    case = cases.case_of(request)
    if not case.procedure.automatic:
        return None
    with transaction.atomic():
        held = requests.locked(request)
        before = held.decisions.exclude(state=DecisionState.RETURNED).first()
        if not held.is_open or (before is not None and not _left_over(before)):
            return None
        if before is not None:
            before.state = DecisionState.RETURNED
            before.save(update_fields=["state"])
        decision = _store(case, [*case.proposed, *case.unused], {}, automatic=True)
    return conclude(case, decision)


def _left_over(decision: Decision) -> bool:
    """Say whether a process died before it made an automatic decision that it had stored."""
    return decision.automatic and decision.state == DecisionState.PROPOSED


def _read(pk: uuid.UUID) -> Decision:
    return _joined().get(pk=pk)


def _locked(decision: Decision) -> Decision:
    return _joined().select_for_update(of=("self",)).get(pk=decision.pk)


def _joined() -> QuerySet[Decision]:
    return Decision.objects.select_related(
        "request__learner", "request__institution", "request__programme", "replaces"
    )


def _not_open(decision: Decision) -> DecisionNotOpen:
    return DecisionNotOpen(
        gettext("这份决定不在等待同意的状态。"),
        decision=decision.number,
        state=str(decision.state),
    )


# -- reading --------------------------------------------------------------------------------------
def notes_of(decision: Decision) -> dict[int, str]:
    """Return what the reviewers added in words, by position of the line. Raises PersonForgotten."""
    data = sealing.unseal(decision.account_id, _NOTES, decision.pk, bytes(decision.notes_sealed))
    return {int(at): text for at, text in json.loads(data).items()} if data else {}


def note_of(review: Review) -> str:
    """Return what a reviewer added in words. Raises PersonForgotten."""
    return sealing.unseal(
        review.decision.account_id, _NOTE, review.pk, bytes(review.note_sealed)
    ).decode()


def decided_of(line: DecisionLine) -> Decided:
    """Return a stored line as a value, without its mark and whether that counts."""
    return Decided(
        rule=line.rule_code,
        version=line.rule_version,
        leaves=line.leaf_hashes,
        course=line.course,
        category=line.category,
        verdict=line.verdict,
        credits=line.credits.normalize() if line.credits else Decimal(0),
        surplus=line.surplus.normalize() if line.surplus else Decimal(0),
        surplus_category=line.surplus_category,
        reason=line.reason,
        law=line.law,
        law_on=line.law_on,
    )
