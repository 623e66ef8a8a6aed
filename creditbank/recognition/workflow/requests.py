"""What a learner can do with requests: prepare, file, withdraw, resubmit, ask for a person.

An outcome is reserved when the request is filed, by a row that can stand once:
of two requests for the same outcome at the same moment exactly one is filed.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from creditbank.access import NotFound
from creditbank.clock import now, today
from creditbank.errors import Problem
from creditbank.jobs import outbox
from creditbank.ledger import queries as ledger
from creditbank.ledger import recognitions
from creditbank.recognition.deciding import admission, computation, numbers, workdays
from creditbank.recognition.deciding.computation import Computed
from creditbank.recognition.deciding.packages import Decided
from creditbank.recognition.deciding.procedure import Procedure
from creditbank.recognition.engine.findings import Verdict
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.models import (
    Decision,
    DecisionState,
    ProgrammeVersion,
    Request,
    RequestSource,
    RequestState,
)
from creditbank.recognition.workflow import roles, situations
from creditbank.recognition.workflow.details import WORDS_MAX, Details
from creditbank.recognition.workflow.errors import NotAutomatic, RequestNotOpen, RequestRefused
from creditbank.recognition.workflow.holdings import Holding
from creditbank.recognition.workflow.situations import Situation
from creditbank.users.models import User
from learners import operations as learners
from learners.models import ConsentPurpose, Learner

logger = logging.getLogger(__name__)

DECIDE: Final = "recognition.decide"
CONSENT: Final = "recognition/1"
"""The wording that a learner consents to: to show these outcomes to this institution."""


# -- preparing --------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Choice:
    """An outcome that a learner may choose: whether it is chosen, and why it could not be."""

    holding: Holding
    chosen: bool
    problem: Problem | None


@dataclass(frozen=True, kw_only=True)
class Target:
    """A course or category that the chosen outcomes can be recognised for."""

    code: str
    title: str
    title_en: str
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class Form:
    """A request before it is filed. Nothing of it is stored.

    `choices` are the outcomes that a rule of the programme is about, and those
    that are taken already; `about` the chosen ones that a rule is about. `lines`
    is what would be proposed today for those that are chosen, `unused` the
    answers for chosen outcomes that nothing would be given for. `everything` is
    what the rules find of all outcomes that can be used, `computed` of the chosen.
    """

    situation: Situation
    rules: tuple[Rule, ...]
    choices: tuple[Choice, ...]
    about: frozenset[bytes]
    targets: tuple[Target, ...]
    everything: Computed
    computed: Computed
    lines: tuple[Decided, ...]
    unused: tuple[Decided, ...]
    procedure: Procedure
    expected_on: date

    @property
    def leaves(self) -> tuple[bytes, ...]:
        """The chosen outcomes."""
        return tuple(one.holding.leaf for one in self.choices if one.chosen)


def prepare(
    *,
    learner: Learner,
    programme: ProgrammeVersion,
    leaves: Collection[bytes] | None = None,
    targets: Collection[str] = (),
    award_on: date | None = None,
) -> Form:
    """Return a request as it would be filed today; without `leaves` the best outcomes are chosen.

    Raises PersonForgotten.
    """
    on = today()
    found = situations.situation(learner, programme)
    book = situations.book(found, filed_on=on, law_on=on)

    def compute(chosen: Collection[bytes] | None, wanted: Collection[str]) -> Computed:
        return computation.compute(
            situations.inputs(
                found,
                book.rules,
                filed_on=on,
                law_on=on,
                award_on=award_on,
                leaves=chosen,
                targets=wanted,
            )
        )

    everything = compute(None, ())
    chosen = leaves if leaves is not None else _best(everything)
    same = set(chosen) == {one.leaf for one in found.available}
    whole = everything if same else compute(chosen, ())
    computed = compute(chosen, targets) if targets else whole
    rules = book.by_key()
    procedure = admission.procedure_of(computed.plan.lines, computed.findings, rules)
    about = {leaf for one in everything.findings for leaf in one.leaves}
    return Form(
        situation=found,
        rules=book.rules,
        choices=tuple(
            Choice(holding=one, chosen=one.leaf in chosen, problem=_unusable(one))
            for one in found.holdings
            if one.leaf in about or one.leaf in chosen or one.evidence.state in ("used", "reserved")
        ),
        about=frozenset(leaf for one in whole.findings for leaf in one.leaves),
        targets=tuple(_targets(found, whole, targets)),
        everything=everything,
        computed=computed,
        lines=admission.proposal(computed.plan.lines, rules, filed_on=on, law_on=on),
        unused=admission.unused(computed.plan.lines, computed.findings, list(chosen)),
        procedure=procedure,
        expected_on=workdays.after(on, procedure.expected_days),
    )


def resubmission(request: Request) -> Form:
    """Return a request prepared with what an earlier one asked for, as far as it can be used."""
    details = Details.of(request)
    leaves = [bytes(leaf) for leaf in request.sources.values_list("leaf", flat=True)]
    return prepare(
        learner=request.learner,
        programme=request.programme,
        leaves=leaves,
        targets=details.targets,
        award_on=request.award_on,
    )


def _best(computed: Computed) -> tuple[bytes, ...]:
    """Return the outcomes that the best plan uses; without one, those nobody can yet tell of."""
    used = {leaf for line in computed.plan.lines for leaf in line.leaves}
    unknown = {
        leaf for one in computed.findings if one.verdict is Verdict.UNKNOWN for leaf in one.leaves
    }
    return tuple(sorted(used or unknown))


def _targets(found: Situation, computed: Computed, chosen: Collection[str]) -> list[Target]:
    named = dict.fromkeys(grant.target for one in computed.findings for grant in one.grants)
    targets = []
    for code in named:
        row = found.programme.course(code) or found.programme.category(code)
        targets.append(
            Target(
                code=code,
                title=row.title if row else code,
                title_en=row.title_en if row else code,
                chosen=not chosen or code in chosen,
            )
        )
    return targets


# -- filing -----------------------------------------------------------------------------------
def request_recognition(
    *,
    learner: Learner,
    programme: ProgrammeVersion,
    leaves: Sequence[bytes],
    targets: Sequence[str] = (),
    consent: str,
    words: str = "",
    award_on: date | None = None,
    resubmits: Request | None = None,
    acting_user: User,
) -> Request:
    """File a request: reserve its outcomes, and note the consent to show them.

    `consent` is the wording that was consented to; `words` the learner's own.
    Raises RequestRefused with every problem (an outcome that is used, reserved,
    reversed, expired, another's, or that no rule of the programme is about; an
    unknown target; no consent), NotFound, OwnKeyStream, InstitutionSuspended,
    PersonForgotten; then nothing is kept. Where the rules say that no person
    decides, the decision follows by itself.
    """
    roles.require_self(learner, acting_user)
    roles.recognising_stream(programme.owner)
    if resubmits is not None and resubmits.learner_id != learner.pk:
        raise NotFound
    chosen = list(dict.fromkeys(leaves))
    form = prepare(
        learner=learner,
        programme=programme,
        leaves=chosen,
        targets=targets,
        award_on=award_on,
    )
    problems = _problems(form, chosen, targets, consent)
    if problems:
        raise RequestRefused(problems)
    request = file(
        form.situation,
        [one.holding for one in form.choices if one.chosen],
        form.procedure,
        details=Details(targets=tuple(targets), words=" ".join(words.split())[:WORDS_MAX]),
        consent=consent,
        award_on=award_on,
        resubmits=resubmits,
    )
    logger.info("request %s filed for %s", request.number, programme.code)
    return request


def file(
    found: Situation,
    holdings: Sequence[Holding],
    procedure: Procedure,
    *,
    details: Details,
    consent: str,
    award_on: date | None = None,
    resubmits: Request | None = None,
    automatic: bool = False,
) -> Request:
    """Store a request that has no problems. Raises RequestRefused when an outcome was just taken."""
    learner, programme = found.learner, found.row
    on = today()
    request = Request(
        pk=uuid.uuid4(),
        number=numbers.draw(numbers.REQUEST, on),
        learner=learner,
        account_id=learner.account_id,
        institution=programme.owner,
        programme=programme,
        automatic=automatic,
        filed_at=now(),
        filed_on=on,
        expected_on=workdays.after(on, procedure.expected_days),
        award_on=award_on,
        consent=consent,
        resubmits=resubmits,
    )
    request.details_sealed = details.seal(request)
    try:
        with transaction.atomic():
            Learner.objects.select_for_update().get(pk=learner.pk)
            if not automatic:
                learners.give_consent(
                    learner=learner, purpose=ConsentPurpose.MUTUAL_RECOGNITION, wording=consent
                )
            request.save(force_insert=True)
            reserve(request, holdings)
            if procedure.automatic:
                outbox.enqueue_on_commit(DECIDE, str(request.pk))
    except IntegrityError as error:
        if "source_reserved_once" not in str(error):
            raise
        raise RequestRefused(_just_taken(holdings)) from error
    return request


def reserve(request: Request, holdings: Sequence[Holding]) -> None:
    """Reserve outcomes for a request, inside a transaction.

    Raises IntegrityError when another request has one, RequestRefused when one
    was used or undone by now: the row stands first, then the ledger is asked, so
    that nothing falls between.
    """
    for one in holdings:
        RequestSource.objects.update_or_create(
            request=request,
            leaf=one.leaf,
            defaults={
                "account_id": one.account,
                "index": one.evidence.index,
                "credits": one.evidence.credits,
                "active": True,
            },
        )
    used = recognitions.uses_in_force([(one.account, one.leaf) for one in holdings])
    problems = [
        _problem("source-used", one, used[one.account, one.leaf].decision)
        for one in holdings
        if (one.account, one.leaf) in used
    ]
    problems += [
        _problem("source-reversed", one)
        for one in holdings
        if ledger.is_undone(one.account, one.leaf)
    ]
    if problems:
        raise RequestRefused(problems)


def release(request: Request, keep: Collection[bytes] = ()) -> None:
    """Let a request's outcomes go, but for those to keep. Done twice, nothing changes."""
    rows = request.sources.filter(active=True)
    for row in rows:
        if bytes(row.leaf) not in keep:
            row.active = False
            row.save(update_fields=["active"])


def _problems(
    form: Form, leaves: Sequence[bytes], targets: Sequence[str], consent: str
) -> list[Problem]:
    problems: list[Problem] = []
    if not leaves:
        problems.append(
            Problem(code="nothing-chosen", message=gettext("请至少选择一项成果。"), field="leaves")
        )
    by_leaf = {one.holding.leaf: one for one in form.choices}
    for position, leaf in enumerate(leaves):
        choice = by_leaf.get(leaf)
        if choice is None or form.situation.holding(leaf) is None:
            problems.append(
                Problem(
                    code="source-foreign",
                    message=gettext("所选成果不在您的账户中。"),
                    field=f"leaves/{position}",
                )
            )
        elif choice.problem is not None:
            problems.append(choice.problem)
        elif leaf not in form.about:
            problems.append(_problem("outside-programme", choice.holding))
    known = {one.code for one in form.targets}
    for code in targets:
        if leaves and code not in known:
            problems.append(
                Problem(
                    code="target-unknown",
                    message=gettext("所选成果不能用于这门课程或类别。"),
                    field="targets",
                    value=code,
                    expected=", ".join(sorted(known)),
                )
            )
    if not consent:
        problems.append(
            Problem(
                code="consent-missing",
                message=gettext("须同意向该学校出示所选成果，才能提交申请。"),
                field="consent",
            )
        )
    return problems


def sentences() -> Mapping[str, str]:
    """Return what is wrong with an outcome, by code, in the reader's language."""
    return {
        "source-used": gettext("这项成果已被使用。"),
        "source-reserved": gettext("这项成果已列入另一份申请。"),
        "source-reversed": gettext("这项成果已被冲正。"),
        "source-expired": gettext("这项成果已过有效期。"),
        "outside-programme": gettext("该专业没有适用于这项成果的认定规则。"),
    }


def _problem(code: str, holding: Holding, value: str = "") -> Problem:
    assert holding.line.outcome is not None
    return Problem(
        code=code,
        message=sentences()[code],
        field=str(holding.evidence.index),
        value=value or holding.line.outcome.item,
        expected=(value and "number") or None,
    )


def _unusable(holding: Holding) -> Problem | None:
    """Say why an outcome cannot be used, with the number of what uses it."""
    state = holding.evidence.state
    if state == "available":
        return None
    if state == "used":
        return _problem("source-used", holding, holding.line.used_by)
    if state == "reserved":
        row = RequestSource.objects.select_related("request").filter(leaf=holding.leaf, active=True)
        taken = row.first()
        return _problem("source-reserved", holding, taken.request.number if taken else "")
    code = "source-expired" if holding.line.state == "expired" else "source-reversed"
    return _problem(code, holding)


def _just_taken(holdings: Sequence[Holding]) -> list[Problem]:
    taken = RequestSource.objects.select_related("request").filter(
        active=True, leaf__in=[one.leaf for one in holdings]
    )
    numbers_of = {bytes(row.leaf): row.request.number for row in taken}
    return [
        _problem("source-reserved", one, numbers_of[one.leaf])
        for one in holdings
        if one.leaf in numbers_of
    ] or [_problem("source-reserved", one) for one in holdings]


# -- after filing -------------------------------------------------------------------------------
def withdraw_request(*, request: Request, acting_user: User) -> Request:
    """Take a request back before it is decided; its outcomes are free again. Done twice, once.

    Raises NotFound, RequestNotOpen.
    """
    roles.require_self(request.learner, acting_user)
    with transaction.atomic():
        held = locked(request)
        if held.withdrawn_at is None:
            if not held.is_open:
                raise not_open(held)
            withdraw(held)
    logger.info("request %s withdrawn", held.number)
    return held


def withdraw(held: Request) -> None:
    """Withdraw a request that is locked: what was proposed is returned, its outcomes are let go."""
    held.decisions.filter(state=DecisionState.PROPOSED).update(state=DecisionState.RETURNED)
    held.withdrawn_at = now()
    held.save(update_fields=["withdrawn_at"])
    release(held)


def ask_for_person(*, request: Request, acting_user: User) -> Request:
    """Have a person decide what was refused automatically. Done twice, once.

    The request is open again with the earlier data, its outcomes are reserved
    anew, and the law of the day of filing stays what it was. Raises NotFound,
    NotAutomatic, RequestRefused when an outcome was used meanwhile.
    """
    roles.require_self(request.learner, acting_user)
    with transaction.atomic():
        held = locked(request)
        if held.person_asked_at is not None:
            return held
        refused = held.decisions.filter(state=DecisionState.REFUSED, automatic=True).first()
        if refused is None or held.state != RequestState.DECIDED:
            raise NotAutomatic(gettext("这份申请没有自动作出的不予认定。"), request=held.number)
        reopen(held, refused)
        held.person_asked_at = now()
        held.save(update_fields=["person_asked_at"])
    logger.info("request %s: a person is asked for", held.number)
    return held


def reopen(held: Request, refused: Decision) -> None:
    """Open a decided request again, inside a transaction. Raises RequestRefused."""
    found = situations.situation(held.learner, held.programme, request=held, instead_of=refused)
    leaves = {bytes(leaf) for leaf in held.sources.values_list("leaf", flat=True)}
    wanted = [one for one in found.holdings if one.leaf in leaves]
    problems = [problem for one in wanted if (problem := _unusable(one)) is not None]
    if problems:
        raise RequestRefused(problems)
    try:
        with transaction.atomic():
            reserve(held, wanted)
    except IntegrityError as error:
        raise RequestRefused(_just_taken(wanted)) from error
    held.state = RequestState.SUBMITTED
    held.reviewing_at = None
    held.decided_at = None
    days = workdays.between(held.filed_on, held.expected_on)
    held.expected_on = workdays.after(today(), days)
    held.save(update_fields=["state", "reviewing_at", "decided_at", "expected_on"])


def locked(request: Request) -> Request:
    """Return a request's row, locked until the transaction ends."""
    return (
        Request.objects.select_for_update(of=("self",))
        .select_related("learner", "institution", "programme__owner")
        .get(pk=request.pk)
    )


def not_open(request: Request) -> RequestNotOpen:
    """Return the error for a request that was decided or withdrawn."""
    return RequestNotOpen(
        gettext("这份申请已办结或已撤回。"), request=request.number, state=str(request.state)
    )
