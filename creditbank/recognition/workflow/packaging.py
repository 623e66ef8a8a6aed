"""Making the package of a decision from its case: no more of the person than it rests on."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date

from creditbank.recognition import replay
from creditbank.recognition.deciding import computation, procedure
from creditbank.recognition.deciding import exhibits as shown
from creditbank.recognition.deciding import jsonforms as forms
from creditbank.recognition.deciding.computation import Computed, Inputs
from creditbank.recognition.deciding.exhibits import Attested, Exhibit
from creditbank.recognition.deciding.packages import Decided, Package, Reviewed
from creditbank.recognition.deciding.proofsteps import State
from creditbank.recognition.workflow import holdings
from creditbank.recognition.workflow.cases import Case

logger = logging.getLogger(__name__)


class NotReproducible(AssertionError):
    """A decision that would not give the same answer again: a fault of the bank's, never stored."""


def package_of(
    case: Case,
    *,
    number: str,
    lines: Sequence[Decided],
    reviews: Sequence[Reviewed],
    decided_on: date,
    replaces: str = "",
    appeal: str = "",
) -> Package:
    """Return the package of a decision, as small as gives the same answer when computed again.

    Raises NotReproducible when none does, PersonForgotten.
    """
    faults: list[replay.Check] = []
    for inputs in (computation.lean(case.inputs, case.computed), case.inputs):
        package = _package(
            case,
            inputs,
            case.computed,
            number=number,
            lines=lines,
            reviews=reviews,
            decided_on=decided_on,
            replaces=replaces,
            appeal=appeal,
        )
        again = replay.recomputed(package, (inputs.programme, inputs.rules))
        faults = [check for check in again if check.state is State.INVALID]
        if not faults:
            return package
        logger.warning("decision %s: shown in full, for %s", number, faults[0].code)
    raise NotReproducible(f"{faults[0].code} {faults[0].pointer}: {faults[0].why}")


def _package(case: Case, inputs: Inputs, computed: Computed, **said: object) -> Package:
    institution = case.request.institution
    asked = {one.leaf for one in case.asked}
    return Package(
        body=institution.uscc,
        body_name=institution.name,
        programme=inputs.programme.document,
        rules=tuple(
            rule.document for rule in sorted(inputs.rules, key=lambda one: (one.code, one.version))
        ),
        filed_on=inputs.filed_on,
        law_on=inputs.law_on,
        award_on=inputs.award_on,
        evidence=holdings.exhibit_all(case.asked, shown.ASKED, case.facts),
        held=_held(case, inputs, asked),
        earlier=case.situation.standing_on,
        targets=tuple(sorted(inputs.targets)),
        judged=case.judged,
        findings=computed.findings,
        plan=forms.plan(computed.plan),
        procedure=procedure.to_json(case.procedure),
        fees=tuple(procedure.fee_to_json(fee) for fee in case.procedure.fees),
        **said,  # type: ignore[arg-type]  # the caller's, checked there
    )


def _held(case: Case, inputs: Inputs, asked: set[bytes]) -> tuple[Exhibit, ...]:
    """Show what is looked at and not used: what was used before with its occurrence."""
    wanted = {one.leaf for one in inputs.held} - asked
    before = {leaf for one in case.situation.standing_on for leaf in one.line.leaves}
    held = [one for one in case.situation.holdings if one.leaf in wanted]
    facts: Mapping[bytes, Sequence[Attested]] = {}
    found = [
        *holdings.exhibit_all([one for one in held if one.leaf in before], shown.ASKED, facts),
        *holdings.exhibit_all([one for one in held if one.leaf not in before], shown.HELD, facts),
    ]
    return tuple(sorted(found, key=lambda one: one.index))
