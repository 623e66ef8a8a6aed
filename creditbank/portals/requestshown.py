"""A learner's request as a page shows it: its steps, decisions line by line, appeals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from creditbank.clock import today
from creditbank.institutions.models import in_english
from creditbank.portals import casewords
from creditbank.portals.casewords import ShownLine
from creditbank.portals.goalshown import OwnOutcome, own_outcome
from creditbank.portals.templatetags.bank import civil_date
from creditbank.recognition.deciding import workdays
from creditbank.recognition.deciding.procedure import Fee
from creditbank.recognition.models import (
    Appeal,
    Decision,
    DecisionState,
    Request,
    RequestState,
    ReviewVerdict,
)
from creditbank.recognition.workflow import appeals, decisions, records
from creditbank.recognition.workflow.appeals import Message
from creditbank.recognition.workflow.details import Details
from creditbank.recognition.workflow.holdings import Holding, holdings_of
from creditbank.recognition.workflow.records import Step

SHOWN: Final = (
    DecisionState.DECIDED,
    DecisionState.IN_NOTICE,
    DecisionState.IN_FORCE,
    DecisionState.REFUSED,
    DecisionState.VOID,
    DecisionState.REPLACED,
    DecisionState.REVERSED,
)
"""The decisions that a learner sees: what is only proposed is the institution's."""

_APPEALABLE: Final = (DecisionState.IN_FORCE, DecisionState.REFUSED)


@dataclass(frozen=True, kw_only=True)
class OwnLine:
    """A line of a proposal or a decision, with the pages of the outcomes that it is about."""

    shown: ShownLine
    outcomes: tuple[OwnOutcome, ...]


def own_lines(
    shown: Sequence[ShownLine],
    leaves: Iterable[Iterable[bytes]],
    holdings: Sequence[Holding],
) -> list[OwnLine]:
    """Put each line beside its outcomes; those that the bank no longer holds are left out."""
    by_leaf = {one.leaf: one for one in holdings}
    return [
        OwnLine(
            shown=line,
            outcomes=tuple(own_outcome(by_leaf[leaf].evidence) for leaf in own if leaf in by_leaf),
        )
        for line, own in zip(shown, leaves, strict=True)
    ]


# -- states -----------------------------------------------------------------------------------
def states_of(request: Request) -> list[str]:
    """Return the states that a page draws of a request: the one of five, and the flags."""
    found = [f"request-{request.state}"]
    if request.withdrawn_at is not None:
        found = ["request-withdrawn"]
    last = latest(request)
    if last is not None and last.state in (
        DecisionState.REFUSED,
        DecisionState.VOID,
        DecisionState.REVERSED,
    ):
        found.append(f"decision-{last.state}")
    if any(appeal.is_open for one in request.decisions.all() for appeal in one.appeals.all()):
        found.append("request-appealed")
    return found


def latest(request: Request) -> Decision | None:
    """Return the newest decision on a request that a learner sees."""
    found = [one for one in request.decisions.all() if one.state in SHOWN]
    return found[-1] if found else None


@dataclass(frozen=True, kw_only=True)
class ListedRequest:
    """A request in the list."""

    request: Request

    @property
    def states(self) -> list[str]:
        """The states that the page draws."""
        return states_of(self.request)

    @property
    def credits(self) -> Decimal | None:
        """What was recognised; None while nothing is decided."""
        found = latest(self.request)
        return None if found is None else found.credits


# -- steps ------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class ShownStep:
    """One of the five states: when it was reached, or by when it may be expected."""

    label: str | Promise
    state: str
    reached: bool
    current: bool
    at: datetime | None = None
    on: date | None = None
    words: str = ""


_LABELS: Final[dict[str, Promise]] = {
    RequestState.SUBMITTED: _("已提交"),
    RequestState.REVIEWING: _("审核"),
    RequestState.DECIDED: _("作出决定"),
    RequestState.IN_NOTICE: _("公示"),
    RequestState.IN_FORCE: _("生效，学分入账"),
}


def shown_steps(request: Request) -> list[ShownStep]:
    """Return the steps of a request that are, or will be, gone through."""
    return [_step(request, one) for one in records.progress(request)]


def _step(request: Request, step: Step) -> ShownStep:
    passed = request.decided_at is not None and request.notice_until is None
    skipped = step.state == RequestState.IN_NOTICE and passed
    current = step.current and request.withdrawn_at is None
    return ShownStep(
        label=_LABELS[step.state],
        state="request-skipped"
        if skipped
        else f"request-{step.state}"
        if current
        else "request-reached",
        reached=skipped or step.reached_at is not None,
        current=current,
        at=step.reached_at,
        on=None if request.withdrawn_at is not None else step.expected_on,
        words=_words(request, step),
    )


def _words(request: Request, step: Step) -> str:
    if step.state == RequestState.SUBMITTED and request.automatic:
        return gettext("按自动认定的规则，由学分银行提出。")
    if step.state == RequestState.IN_NOTICE and request.notice_until is not None:
        return gettext("到 %(day)s 为止") % {"day": civil_date(request.notice_until)}
    return ""


# -- decisions --------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class ShownAppeal:
    """An appeal with what was said in it."""

    row: Appeal
    lines: tuple[str, ...]
    messages: tuple[Message, ...]

    @property
    def state(self) -> str:
        """The state that the page draws."""
        return f"appeal-{self.row.state}"

    @property
    def days_left(self) -> int:
        """Working days until the expected answer; negative when it is late."""
        return workdays.between(today(), self.row.expected_on)


@dataclass(frozen=True, kw_only=True)
class ShownDecision:
    """A decision: its lines with their notes, what it means for fees, its file, its appeals."""

    decision: Decision
    lines: tuple[OwnLine, ...]
    fees: tuple[str, ...]
    people: int
    appeals: tuple[ShownAppeal, ...]
    replaced_by: str

    @property
    def state(self) -> str:
        """The state that the page draws."""
        flagged = self.decision.flagged_at is not None
        if flagged and self.decision.state == DecisionState.IN_FORCE:
            return "decision-flagged"
        return f"decision-{self.decision.state}"

    @property
    def replaces(self) -> str:
        """The number of the decision that it takes the place of."""
        return self.decision.replaces.number if self.decision.replaces else ""

    @property
    def file(self) -> str:
        """The name of its file, once its package stands."""
        return f"{self.decision.number}.json"

    @property
    def may_appeal(self) -> bool:
        """Whether the learner can appeal against it today."""
        return (
            self.decision.state in _APPEALABLE
            and not self.appeals
            and (self.decision.automatic or self.appeal_days_left is not None)
        )

    @property
    def appeal_days_left(self) -> int | None:
        """Days until the last one on which an appeal can be filed; None when it is past."""
        last = self.decision.appeal_until
        if last is None or self.decision.state not in _APPEALABLE or last < today():
            return None
        return (last - today()).days

    @property
    def choices(self) -> list[tuple[int, str]]:
        """The lines, as an appeal chooses among them."""
        return [(one.shown.position, line_name(one)) for one in self.lines]


def line_name(line: OwnLine) -> str:
    """Name a line: by its target, else by its outcomes."""
    if line.shown.target is not None:
        return line.shown.target.name
    return "、".join(one.title for one in line.outcomes)


@dataclass(frozen=True, kw_only=True)
class ShownRequest:
    """A request with everything that its learner may know of it."""

    request: Request
    steps: tuple[ShownStep, ...]
    outcomes: tuple[OwnOutcome, ...]
    targets: tuple[str, ...]
    words: str
    decisions: tuple[ShownDecision, ...]

    @property
    def states(self) -> list[str]:
        """The states that the page draws."""
        return states_of(self.request)

    @property
    def flagged(self) -> bool:
        """Whether something that a decision in force rests on was reversed since."""
        return any(one.state == "decision-flagged" for one in self.decisions)

    @property
    def days_left(self) -> int | None:
        """Working days until a decision may be expected; None when nothing is expected."""
        if not self.request.is_open:
            return None
        return workdays.between(today(), self.request.expected_on)

    @property
    def days_late(self) -> int:
        """By how many working days the decision is late."""
        return -(self.days_left or 0)

    @property
    def may_withdraw(self) -> bool:
        """Whether the request can be withdrawn."""
        return self.request.is_open

    @property
    def may_ask_person(self) -> bool:
        """Whether it was refused automatically, and no person was asked for yet."""
        return self.request.person_asked_at is None and any(
            one.decision.automatic and one.decision.state == DecisionState.REFUSED
            for one in self.decisions
        )

    @property
    def may_resubmit(self) -> bool:
        """Whether nothing of it is in force or under way, so that it can be asked for again."""
        if self.request.withdrawn_at is not None:
            return True
        return not self.request.is_open and all(
            one.decision.state in (DecisionState.REFUSED, DecisionState.REVERSED)
            for one in self.decisions
        )

    @property
    def resubmissions(self) -> list[Request]:
        """The requests that carry on from this one."""
        return list(self.request.resubmissions.all())

    @property
    def appealable(self) -> ShownDecision | None:
        """The decision that can be appealed against today, if there is one."""
        return next((one for one in self.decisions if one.may_appeal), None)

    @property
    def open_appeal(self) -> Appeal | None:
        """The appeal that waits for an answer, if there is one."""
        found = (appeal.row for one in self.decisions for appeal in one.appeals)
        return next((row for row in found if row.is_open), None)


def shown_request(request: Request) -> ShownRequest:
    """Return a request as its page shows it. Raises PersonForgotten."""
    holdings = holdings_of(request.learner)
    by_leaf = {one.leaf: one for one in holdings}
    details = Details.of(request)
    programme = request.programme.parsed()
    leaves = [bytes(leaf) for leaf in request.sources.values_list("leaf", flat=True)]
    shown = [
        _decision(one, holdings)
        for one in request.decisions.select_related("replaces").order_by("-decided_at")
        if one.state in SHOWN
    ]
    return ShownRequest(
        request=request,
        steps=tuple(shown_steps(request)),
        outcomes=tuple(own_outcome(by_leaf[leaf].evidence) for leaf in leaves if leaf in by_leaf),
        targets=tuple(
            target.name
            for code in details.targets
            if (target := casewords.target(programme, code, code)) is not None
        ),
        words=details.words,
        decisions=tuple(shown),
    )


def _decision(decision: Decision, holdings: Sequence[Holding]) -> ShownDecision:
    rows = list(decision.lines.all())
    programme = decision.request.programme.parsed()
    shown = casewords.decided_lines(rows, programme, holdings, notes=decisions.notes_of(decision))
    lines = own_lines(shown, [row.leaf_hashes for row in rows], holdings)
    agreed = decision.reviews.filter(verdict=ReviewVerdict.AGREE)
    successor = decision.successors.filter(state__in=SHOWN).first()
    return ShownDecision(
        decision=decision,
        lines=tuple(lines),
        fees=tuple(fees_of(decisions.package_of(decision).fees)),
        people=agreed.values("reviewer").distinct().count(),
        appeals=tuple(_appeal(row, lines) for row in decision.appeals.all()),
        replaced_by=successor.number if successor is not None else "",
    )


def _appeal(row: Appeal, lines: Sequence[OwnLine]) -> ShownAppeal:
    names = {one.shown.position: line_name(one) for one in lines}
    return ShownAppeal(
        row=row,
        lines=tuple(names[at] for at in row.positions if at in names),
        messages=tuple(appeals.thread(row)),
    )


# -- fees -------------------------------------------------------------------------------------
def fee_words(fee: Fee) -> str:
    """Say what a decision means for fees."""
    note = fee.note_en if in_english() and fee.note_en else fee.note
    amount = None if fee.amount is None else format(fee.amount, "f")
    said = {
        "none": gettext("不收费"),
        "payable": gettext("须缴 %(amount)s 元") if amount else gettext("须缴费"),
        "refunded": gettext("退还 %(amount)s 元") if amount else gettext("退费"),
        "per-course": gettext("每门课程 %(amount)s 元") if amount else gettext("按课程收费"),
    }[fee.kind] % {"amount": amount}
    if fee.kind == "none" and note:
        return note
    return " · ".join(text for text in (said, note) if text)


def fees_of(documents: Iterable[Any]) -> list[str]:
    """Say the fees that stand in a decision's package."""
    return [
        fee_words(
            Fee(
                kind=str(one["kind"]),
                amount=Decimal(one["amount"]) if "amount" in one else None,
                note=str(one.get("note", "")),
                note_en=str(one.get("note_en", "")),
            )
        )
        for one in documents
    ]
