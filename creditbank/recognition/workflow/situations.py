"""How things stand between a learner and a programme, read once: what every computation starts from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from django.db import connection
from django.db.models import Count, Max

from creditbank.recognition.deciding import procedure
from creditbank.recognition.deciding.computation import Inputs, Judged
from creditbank.recognition.deciding.packages import Earlier
from creditbank.recognition.engine.evidence import Evidence
from creditbank.recognition.engine.findings import Grant, Line
from creditbank.recognition.language import rules
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.models import (
    Decision,
    DecisionLine,
    DecisionState,
    LineVerdict,
    PreApproval,
    PreApprovalState,
    ProgrammeVersion,
    Request,
    RuleVersion,
)
from creditbank.recognition.register import rulebook
from creditbank.recognition.workflow import holdings, sealing
from creditbank.recognition.workflow.holdings import Holding
from learners.models import Learner

Facts = Mapping[bytes, Mapping[str, str]]
"""Attested facts, by leaf and name."""


@dataclass(frozen=True, kw_only=True)
class Promise:
    """A pre-approval in force, and the rule that it is."""

    row: PreApproval
    rule: Rule


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A learner's outcomes, what was recognised for the programme before, and what was promised.

    `earlier` are the lines of decisions in force; `standing_on` those of them whose
    outcomes all stand: what rests on a fallen outcome limits nothing any more.
    """

    learner: Learner
    row: ProgrammeVersion
    programme: Programme
    holdings: tuple[Holding, ...]
    earlier: tuple[Earlier, ...]
    promises: tuple[Promise, ...]

    def holding(self, leaf: bytes) -> Holding | None:
        """Return an outcome of the learner's by its leaf hash."""
        return next((one for one in self.holdings if one.leaf == leaf), None)

    @property
    def available(self) -> tuple[Evidence, ...]:
        """The outcomes that can be used now."""
        return tuple(one.evidence for one in self.holdings if one.evidence.state == "available")

    @property
    def held(self) -> tuple[Evidence, ...]:
        """The outcomes in force, used ones too."""
        return tuple(one.evidence for one in self.holdings if one.evidence.state != "lapsed")

    @property
    def lines(self) -> tuple[Line, ...]:
        """What was recognised before."""
        return tuple(one.line for one in self.earlier)

    @property
    def standing_on(self) -> tuple[Earlier, ...]:
        """What was recognised before and rests on outcomes that stand."""
        held = {one.leaf for one in self.held}
        return tuple(one for one in self.earlier if held.issuperset(one.line.leaves))


@dataclass(frozen=True, kw_only=True)
class Book:
    """The rules that decide, and the register's rows of them; a promise has no row."""

    rules: tuple[Rule, ...]
    rows: Mapping[tuple[str, int], RuleVersion]
    promised: frozenset[str]

    def by_key(self) -> dict[tuple[str, int], Rule]:
        """Return the rules by code and version."""
        return {(rule.code, rule.version): rule for rule in self.rules}


def situation(
    learner: Learner,
    row: ProgrammeVersion,
    *,
    request: Request | None = None,
    instead_of: Decision | None = None,
) -> Situation:
    """Read how things stand. Raises PersonForgotten.

    What `request` has reserved can be used for it. `instead_of` is a decision
    that is to be replaced: its outcomes can be used again, its lines do not count.
    """
    own = set() if request is None else _reserved_by(request)
    number = "" if instead_of is None else instead_of.number

    def free(one: Holding) -> bool:
        return (one.leaf in own and one.evidence.state == "reserved") or (
            bool(number) and one.line.used_by == number
        )

    return Situation(
        learner=learner,
        row=row,
        programme=row.parsed(),
        holdings=tuple(
            holdings.as_available(one) if free(one) else one
            for one in holdings.holdings_of(learner)
        ),
        earlier=tuple(earlier_lines(learner, row, without=instead_of)),
        promises=tuple(promises(learner, row)),
    )


def _reserved_by(request: Request) -> set[bytes]:
    return {
        bytes(leaf) for leaf in request.sources.filter(active=True).values_list("leaf", flat=True)
    }


def earlier_lines(
    learner: Learner, row: ProgrammeVersion, *, without: Decision | None = None
) -> list[Earlier]:
    """Return the lines of the decisions in force for a programme, whatever its version, oldest first."""
    found = (
        DecisionLine.objects.select_related("decision")
        .filter(
            decision__state=DecisionState.IN_FORCE,
            decision__request__learner=learner,
            decision__request__programme__code=row.code,
        )
        .exclude(verdict=LineVerdict.REFUSED)
        .order_by("decision__in_force_at", "decision_id", "position")
    )
    return [
        Earlier(decision=line.decision.number, line=line_of(line))
        for line in found
        if without is None or line.decision_id != without.pk
    ]


def line_of(line: DecisionLine) -> Line:
    """Return a decided line as the engine's value. Its mark stays in the package."""
    return Line(
        rule=line.rule_code,
        version=line.rule_version,
        leaves=line.leaf_hashes,
        grant=Grant(
            course=line.course,
            category=line.category,
            credits=line.credits,
            surplus=line.surplus,
            surplus_category=line.surplus_category,
            waived=line.verdict == LineVerdict.WAIVED,
        ),
    )


def promises(learner: Learner, row: ProgrammeVersion) -> list[Promise]:
    """Return the pre-approvals in force for a programme, each with its rule. Raises PersonForgotten."""
    found = PreApproval.objects.filter(
        learner=learner, programme__code=row.code, state=PreApprovalState.IN_FORCE
    ).order_by("number")
    return [Promise(row=one, rule=rule_of(one)) for one in found]


def rule_of(row: PreApproval) -> Rule:
    """Return the rule that a pre-approval is. Raises PersonForgotten."""
    data = sealing.unseal(row.account_id, "pre-approval", row.pk, bytes(row.document_sealed))
    return rules.stored(data)


def book(found: Situation, *, filed_on: date, law_on: date) -> Book:
    """Return the rules by which a request filed on one day is decided on another."""
    rows = _deciding(found.programme, filed_on, law_on)
    promised = [promise.rule for promise in found.promises if promise.rule.first_day <= law_on]
    return Book(
        rules=(*(row.parsed() for row in rows), *promised),
        rows={(row.code, row.version): row for row in rows},
        promised=frozenset(rule.code for rule in promised),
    )


_remembered: dict[tuple[object, ...], tuple[RuleVersion, ...]] = {}
_REMEMBERED_MAX: Final = 256


def _deciding(programme: Programme, filed_on: date, law_on: date) -> tuple[RuleVersion, ...]:
    """Return the rules that decide, read once for as long as nothing is published or withdrawn."""
    newest = RuleVersion.objects.aggregate(
        published=Max("published_at"), withdrawn=Max("withdrawn_at"), rows=Count("pk")
    )
    key = (
        connection.settings_dict["NAME"],
        programme.digest,
        filed_on,
        law_on,
        *newest.values(),
    )
    rows = _remembered.get(key)
    if rows is None:
        if len(_remembered) >= _REMEMBERED_MAX:
            _remembered.clear()
        rows = _remembered[key] = tuple(
            rulebook.rules_that_decide(programme=programme, filed_on=filed_on, decided_on=law_on)
        )
    return rows


def book_of(rules: Sequence[Rule]) -> Book:
    """Return the very rules of an earlier decision: in an appeal its law is kept, whatever came since."""
    rows = {
        (row.code, row.version): row
        for row in RuleVersion.objects.select_related("owner").filter(
            code__in={rule.code for rule in rules}, published_at__isnull=False
        )
    }
    keys = {(rule.code, rule.version) for rule in rules}
    return Book(
        rules=tuple(rules),
        rows={key: row for key, row in rows.items() if key in keys},
        promised=frozenset(rule.code for rule in rules if (rule.code, rule.version) not in rows),
    )


def automatic_only(found: Book) -> Book:
    """Leave aside the rules under which people decide: for what nobody applied for."""
    rules = tuple(rule for rule in found.rules if procedure.of([rule.procedure]).automatic)
    return replace(found, rules=rules)


def inputs(
    found: Situation,
    rules: Iterable[Rule],
    *,
    filed_on: date,
    law_on: date,
    award_on: date | None = None,
    leaves: Collection[bytes] | None = None,
    targets: Iterable[str] = (),
    facts: Facts | None = None,
    judged: Iterable[Judged] = (),
    pending: Iterable[Line] = (),
) -> Inputs:
    """Return what a computation looks at; `leaves` are the outcomes to use, None all that can be.

    `pending` are lines of open requests, which count as if they were decided.
    """
    told = facts or {}

    def known(one: Evidence) -> Evidence:
        return replace(one, facts={**one.facts, **told[one.leaf]}) if one.leaf in told else one

    evidence = tuple(
        known(one.evidence)
        for one in found.holdings
        if one.evidence.state == "available" and (leaves is None or one.leaf in leaves)
    )
    return Inputs(
        programme=found.programme,
        rules=tuple(rules),
        evidence=evidence,
        held=tuple(known(one) for one in found.held),
        earlier=(*(one.line for one in found.standing_on), *pending),
        targets=frozenset(targets),
        judged=frozenset(judged),
        filed_on=filed_on,
        law_on=law_on,
        award_on=award_on,
    )


def missing(found: Situation, leaves: Sequence[bytes]) -> list[bytes]:
    """Return the leaves that are no outcome of the learner's."""
    own = {one.leaf for one in found.holdings}
    return [leaf for leaf in leaves if leaf not in own]
