"""A request as it is decided: what the computation says of it, under which rules, by which procedure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from creditbank.clock import PROVINCE, today
from creditbank.proofs import canonical
from creditbank.recognition.deciding import admission, computation
from creditbank.recognition.deciding.computation import Computed, Inputs
from creditbank.recognition.deciding.exhibits import Attested
from creditbank.recognition.deciding.packages import Decided
from creditbank.recognition.deciding.packages import Judged as Judged
from creditbank.recognition.deciding.procedure import Procedure
from creditbank.recognition.language import rules
from creditbank.recognition.models import (
    Appeal,
    AppealState,
    AttestedFact,
    Decision,
    DecisionState,
    Judgement,
    Request,
)
from creditbank.recognition.models.columns import HASH_BYTES
from creditbank.recognition.workflow import sealing, situations, storage
from creditbank.recognition.workflow.details import Details
from creditbank.recognition.workflow.holdings import Holding
from creditbank.recognition.workflow.situations import Book, Situation

FACT = "fact"
"""The column under which a fact's value is sealed."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything that a decision on a request rests on, as it is on the day `law_on`.

    `proposed` are the plan's lines, whole; `unused` answer for the outcomes that
    the plan leaves out. `instead_of` is the decision that a new one would replace.
    """

    request: Request
    details: Details
    situation: Situation
    book: Book
    inputs: Inputs
    computed: Computed
    proposed: tuple[Decided, ...]
    unused: tuple[Decided, ...]
    procedure: Procedure
    asked: tuple[Holding, ...]
    facts: Mapping[bytes, Sequence[Attested]]
    judged: tuple[Judged, ...]
    law_on: date
    instead_of: Decision | None = None

    @property
    def binding(self) -> frozenset[str]:
        """The codes of the pre-approvals, whose lines are given whole."""
        return self.book.promised


def case_of(request: Request, *, instead_of: Decision | None = None, appeal: bool = False) -> Case:
    """Compute a request as it is today. Raises PersonForgotten.

    In an appeal against `instead_of` the law is that decision's: its day and its
    very rules, whatever was published since.
    """
    day = instead_of.law_on if appeal and instead_of is not None else today()
    learner = request.learner
    found = situations.situation(learner, request.programme, request=request, instead_of=instead_of)
    leaves = [bytes(leaf) for leaf in request.sources.values_list("leaf", flat=True)]
    details = Details.of(request)
    if appeal and instead_of is not None:
        kept = storage.package_of(instead_of)
        book = situations.book_of([rules.stored(canonical.encode(one)) for one in kept.rules])
    else:
        book = situations.book(found, filed_on=request.filed_on, law_on=day)
    if request.automatic:
        book = situations.automatic_only(book)
    facts = facts_of(request)
    judged = judgements_of(request)
    inputs = situations.inputs(
        found,
        book.rules,
        filed_on=request.filed_on,
        law_on=day,
        award_on=request.award_on,
        leaves=leaves,
        targets=details.targets,
        facts={leaf: {fact.name: fact.value for fact in told} for leaf, told in facts.items()},
        judged=[(one.rule, one.version, one.leaves) for one in judged],
    )
    computed = computation.compute(inputs)
    by_key = book.by_key()
    lines = computed.plan.lines
    asked = tuple(one for one in found.holdings if one.leaf in leaves)
    return Case(
        request=request,
        details=details,
        situation=found,
        book=book,
        inputs=inputs,
        computed=computed,
        proposed=admission.proposal(lines, by_key, filed_on=request.filed_on, law_on=day),
        unused=admission.unused(
            lines,
            computed.findings,
            [one.leaf for one in asked],
            lapsed={one.leaf for one in asked if one.evidence.state != "available"},
        ),
        procedure=procedure_of(request, admission.procedure_of(lines, computed.findings, by_key)),
        asked=asked,
        facts=facts,
        judged=judged,
        law_on=day,
        instead_of=instead_of,
    )


def current(request: Request) -> Case:
    """Compute a request as whoever decides it now has to: in an appeal, under the law appealed to."""
    appeal = open_appeal(request)
    if appeal is None:
        return case_of(request, instead_of=to_be_replaced(request))
    return case_of(request, instead_of=appeal.decision, appeal=True)


def open_appeal(request: Request) -> Appeal | None:
    """Return the open appeal against a decision on a request, if there is one."""
    return (
        Appeal.objects.select_related("decision")
        .filter(decision__request=request, state=AppealState.OPEN)
        .first()
    )


def procedure_of(request: Request, by_rules: Procedure) -> Procedure:
    """Return the procedure of a request: never automatic where a person was asked for, or appealed to."""
    if request.person_asked_at is not None or request.appealed_at is not None:
        return replace(by_rules, automatic=False)
    return by_rules


def facts_of(request: Request) -> dict[bytes, list[Attested]]:
    """Return the facts attested in a request that were not attested anew, by leaf."""
    found: dict[bytes, list[Attested]] = {}
    rows = AttestedFact.objects.filter(request=request, replaced_at__isnull=True)
    for row in rows.order_by("leaf", "name"):
        value = sealing.unseal(request.account_id, FACT, row.pk, bytes(row.value_sealed))
        found.setdefault(bytes(row.leaf), []).append(
            Attested(
                name=row.name,
                value=value.decode(),
                by=row.by_as,
                on=row.at.astimezone(PROVINCE).date(),
            )
        )
    return found


def judgements_of(request: Request) -> tuple[Judged, ...]:
    """Return the judgements of a request, in the order of rule and leaves."""
    rows = Judgement.objects.select_related("rule").filter(request=request)
    found = [
        Judged(
            rule=row.rule.code,
            version=row.rule.version,
            leaves=split_leaves(bytes(row.leaves)),
            by=row.by_as,
            on=row.at.astimezone(PROVINCE).date(),
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda one: (one.rule, one.version, one.leaves)))


def split_leaves(data: bytes) -> tuple[bytes, ...]:
    """Split leaf hashes that stand one after the other."""
    return tuple(data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES))


def to_be_replaced(request: Request) -> Decision | None:
    """Return the decision that a new decision on a request would replace, if there is one.

    The one in force; or the automatic refusal that a person is asked to look at.
    """
    return request.decisions.filter(
        state__in=[DecisionState.IN_FORCE, DecisionState.REFUSED]
    ).first()
