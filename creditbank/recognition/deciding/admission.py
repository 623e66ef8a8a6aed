"""Which decisions a proposal admits: what reviewers may say of its lines, and no more (pure).

A line of the plan is given whole, in part, waived without credits, or refused
with a reason. Nothing else can be given, so that every limit that the plan
keeps is kept by the decision too. An outcome that the plan leaves out is
answered by a line of its own, with the computation's reason.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from creditbank.ledger.statements import HUNDREDTH
from creditbank.recognition.deciding import procedure, reasons
from creditbank.recognition.deciding.packages import Decided, Reviewed
from creditbank.recognition.deciding.procedure import Procedure
from creditbank.recognition.engine.findings import Finding, Line, Verdict
from creditbank.recognition.language.rules import Rule

NO_RULE: Final = "no-rule-applies"
NOT_MET: Final = "condition-not-met"
NOT_SETTLED: Final = "not-settled"
NOT_IN_PLAN: Final = "not-in-best-plan"
BY_RULE: Final = "rule-waives"
LAPSED: Final = "source-lapsed"

Rules = Mapping[tuple[str, int], Rule]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with the verdict on one line; positions count from 0."""

    code: str
    position: int
    found: str = ""
    expected: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What reviewers say of one line: `credits` where it is given in part, `reason` where less than whole."""

    position: int
    verdict: str
    credits: Decimal | None = None
    reason: str = ""


def proposal(
    lines: Sequence[Line], rules: Rules, *, filed_on: date, law_on: date
) -> tuple[Decided, ...]:
    """Return the plan's lines as they would be decided when everything is given whole."""
    return tuple(
        Decided(
            rule=line.rule,
            version=line.version,
            leaves=line.leaves,
            course=line.grant.course,
            category=line.grant.category,
            verdict="waived" if line.grant.waived else "credit",
            credits=line.grant.credits,
            surplus=line.grant.surplus,
            surplus_category=line.grant.surplus_category,
            mark=line.grant.mark,
            reason=BY_RULE if line.grant.waived else "",
            average=_averages(rules[line.rule, line.version]),
            law=rules[line.rule, line.version].law,
            law_on=filed_on if rules[line.rule, line.version].law == "filing" else law_on,
        )
        for line in lines
    )


def _averages(rule: Rule) -> bool:
    return procedure.of([rule.procedure]).average == "included"


def unused(
    lines: Sequence[Line],
    findings: Sequence[Finding],
    evidence: Sequence[bytes],
    lapsed: Collection[bytes] = (),
) -> tuple[Decided, ...]:
    """Answer for each outcome that no line of the plan uses, in the order given.

    The finding that came nearest is named: what applied and was not chosen, then
    what could not be settled, then the refusal with the fewest reasons. `lapsed`
    are outcomes that were reversed, expired or used since they were asked for.
    """
    used = {leaf for line in lines for leaf in line.leaves}
    return tuple(
        Decided(leaves=(leaf,), verdict="refused", reason=LAPSED)
        if leaf in lapsed
        else _answer(leaf, findings)
        for leaf in evidence
        if leaf not in used
    )


_NEAREST: Final = {Verdict.APPLIES: 0, Verdict.UNKNOWN: 1, Verdict.REFUSED: 2}
_REASONS: Final = {
    Verdict.APPLIES: NOT_IN_PLAN,
    Verdict.UNKNOWN: NOT_SETTLED,
    Verdict.REFUSED: NOT_MET,
}


def _answer(leaf: bytes, findings: Sequence[Finding]) -> Decided:
    about = sorted(
        (one for one in findings if leaf in one.leaves),
        key=lambda one: (_NEAREST[one.verdict], len(one.reasons), one.rule, one.version),
    )
    if not about:
        return Decided(leaves=(leaf,), verdict="refused", reason=NO_RULE)
    nearest = about[0]
    return Decided(
        rule=nearest.rule,
        version=nearest.version,
        leaves=(leaf,),
        verdict="refused",
        reason=_REASONS[nearest.verdict],
    )


# -- what reviewers may say ------------------------------------------------------------------------
def answered(
    proposed: Sequence[Decided], answers: Sequence[Answer], binding: Collection[str] = ()
) -> tuple[tuple[Decided, ...], list[Fault]]:
    """Return the proposal's lines as reviewers answered them, and everything wrong with the answers.

    Each line has exactly one answer. `binding` are the codes of rules that were
    promised: their lines are given whole.
    """
    faults: list[Fault] = []
    by_position: dict[int, Answer] = {}
    for answer in answers:
        if not 0 <= answer.position < len(proposed):
            faults.append(Fault(code="position-unknown", position=answer.position))
        elif answer.position in by_position:
            faults.append(Fault(code="verdict-twice", position=answer.position))
        else:
            by_position[answer.position] = answer
    decided = []
    for position, line in enumerate(proposed):
        found = by_position.get(position)
        if found is None:
            faults.append(Fault(code="verdict-missing", position=position))
            continue
        said = _said(line, found)
        faults += [replace(fault, position=position) for fault in faults_of(line, said, binding)]
        decided.append(said)
    return tuple(decided), faults


def _said(line: Decided, answer: Answer) -> Decided:
    if answer.verdict == "credit" or answer.verdict == line.verdict:
        return line
    part = answer.verdict == "part"
    return replace(
        line,
        verdict=answer.verdict,
        credits=(answer.credits or Decimal(0)) if part else Decimal(0),
        surplus=Decimal(0),
        surplus_category="",
        mark=line.mark if part else "",
        average=line.average and part,
        reason=answer.reason,
    )


def faults_of(proposed: Decided, decided: Decided, binding: Collection[str] = ()) -> list[Fault]:
    """Say what of a decided line the proposed one does not admit; nothing when it does."""
    if decided == proposed:
        return []
    found = []
    if proposed.rule in binding:
        found.append(Fault(code="promised", position=0, found=decided.verdict, expected="credit"))
    same = replace(
        decided,
        verdict=proposed.verdict,
        credits=proposed.credits,
        surplus=proposed.surplus,
        surplus_category=proposed.surplus_category,
        mark=proposed.mark,
        average=proposed.average,
        reason=proposed.reason,
    )
    if same != proposed:
        found.append(Fault(code="other-line", position=0, found=decided.target))
    if decided.verdict not in ("part", "waived", "refused"):
        found.append(Fault(code="verdict-unknown", position=0, found=decided.verdict))
        return found
    if decided.surplus or decided.surplus_category:
        found.append(Fault(code="surplus-of-part", position=0))
    if decided.verdict == "part":
        found += _part_faults(proposed, decided)
    elif decided.credits:
        found.append(Fault(code="credits-of-none", position=0, found=str(decided.credits)))
    if decided.verdict == "waived" and not decided.course:
        found.append(Fault(code="only-courses-waived", position=0, found=decided.category))
    if not decided.reason:
        found.append(Fault(code="reason-missing", position=0))
    elif not reasons.fits(decided.reason, decided.verdict):
        found.append(Fault(code="reason-unfit", position=0, found=decided.reason))
    return found


def _part_faults(proposed: Decided, decided: Decided) -> list[Fault]:
    within = 0 < decided.credits < proposed.credits
    if within and decided.credits % HUNDREDTH == 0:
        return []
    expected = f"0 < x < {proposed.credits}"
    return [
        Fault(
            code="credits-out-of-range",
            position=0,
            found=str(decided.credits),
            expected=expected,
        )
    ]


def bare(line: Decided) -> Decided:
    """Return a line without its mark and whether that counts: as it is stored outside the package."""
    return replace(line, mark="", average=False)


def marked(line: Decided, whole: Decided) -> Decided:
    """Give a stored line the mark of the proposed one, where any credits are given."""
    if line.verdict not in ("credit", "part"):
        return line
    return replace(line, mark=whole.mark, average=whole.average)


def lost(before: Sequence[Decided], after: Sequence[Decided]) -> list[Fault]:
    """Say which targets get less than they had: an appeal makes nothing worse.

    A category is one target, whatever outcomes its credits come from. Faults are
    at the position of the first new line of a target, or after the last when
    there is none.
    """
    had, got = _by_target(before), _by_target(after)
    faults = []
    for target, lines in had.items():
        again = got.get(target, [])
        wanted, found = _worth(lines), _worth(again)
        if not again or found < wanted:
            faults.append(
                Fault(
                    code="less-than-before",
                    position=again[0][0] if again else len(after),
                    found=str(found),
                    expected=f"≥ {wanted}",
                )
            )
    return faults


def _by_target(lines: Sequence[Decided]) -> dict[str, list[tuple[int, Decided]]]:
    """Return the lines that give something by what they give it for, each with its position."""
    found: dict[str, list[tuple[int, Decided]]] = {}
    for at, line in enumerate(lines):
        if line.given:
            found.setdefault(line.target, []).append((at, line))
    return found


def _worth(lines: Sequence[tuple[int, Decided]]) -> Decimal:
    return sum((line.credits + line.surplus for _, line in lines), Decimal(0))


# -- who decides --------------------------------------------------------------------------------
def relevant(lines: Sequence[Line], findings: Sequence[Finding], rules: Rules) -> list[Rule]:
    """Return the rules whose procedure holds: the plan's; without a plan, those that had a finding."""
    named = {(one.rule, one.version) for one in (lines or findings)}
    return [rules[key] for key in sorted(named)]


def procedure_of(lines: Sequence[Line], findings: Sequence[Finding], rules: Rules) -> Procedure:
    """Return the procedure of a decision. It is automatic only when everything is settled."""
    found = procedure.of([rule.procedure for rule in relevant(lines, findings, rules)])
    used = {leaf for line in lines for leaf in line.leaves}
    unsettled = any(
        one.verdict is Verdict.UNKNOWN and not used & set(one.leaves) for one in findings
    )
    return replace(found, automatic=False) if unsettled else found


def missing_agreement(asked: Procedure, reviews: Sequence[Reviewed]) -> str:
    """Say what agreement is still missing; nothing when all who must agreed.

    Nobody counts twice. The first stage has as many people as the rules ask for
    and the experts among them; each stage after it one, in the chain's order.
    """
    if len({one.by for one in reviews}) != len(reviews):
        return "somebody agreed twice"
    stages = [stage for stage in asked.chain for one in reviews if one.stage == stage]
    if stages != [one.stage for one in reviews]:
        return "the stages are not those of the chain, in its order"
    first = [one for one in reviews if one.stage == asked.chain[0]]
    if len(first) < asked.first_stage:
        return f"{len(first)} of {asked.first_stage} people agreed at {asked.chain[0]}"
    experts = sum(one.years >= asked.panel.years for one in first)
    if experts < asked.panel.experts:
        return f"{experts} of {asked.panel.experts} industry experts agreed"
    for stage in asked.chain[1:]:
        if not any(one.stage == stage for one in reviews):
            return f"nobody agreed at {stage}"
    return ""
