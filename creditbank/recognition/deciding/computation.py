"""What a request comes to: findings, then the plan, from nothing but values (pure).

The bank computes a preview, a proposal and an automatic decision by this, and
`replay` computes it again: so the same inputs give the same answer everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date

from creditbank.recognition.engine import conditions, evaluation
from creditbank.recognition.engine.evidence import Context, Evidence
from creditbank.recognition.engine.findings import Finding, Line, Verdict
from creditbank.recognition.language import walk
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.planning import plan
from creditbank.recognition.planning.plan import Plan
from creditbank.recognition.planning.uses import natives

Judged = tuple[str, int, tuple[bytes, ...]]
"""A finding that reviewers hold to be met: rule, version and leaves."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Everything that a computation looks at.

    `law_on` is the day that stands for the day of decision wherever a rule asks
    for it: in an appeal, that of the decision appealed against. `evidence` is
    what may be used, `held` all that is held besides. `targets` are those the
    learner chose; none chosen means all.
    """

    programme: Programme
    rules: tuple[Rule, ...]
    evidence: tuple[Evidence, ...]
    held: tuple[Evidence, ...] = ()
    earlier: tuple[Line, ...] = ()
    targets: frozenset[str] = frozenset()
    judged: frozenset[Judged] = frozenset()
    filed_on: date
    law_on: date
    award_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class Computed:
    """What came out: one finding for each way to use outcomes, and the best choice among them.

    `aside` are rules that could not be held against anything: they name what the
    programme does not have, or offer more ways than can be looked at.
    """

    findings: tuple[Finding, ...]
    plan: Plan
    aside: tuple[tuple[str, int], ...] = ()


def met(programme: Programme, held: Iterable[Evidence], earlier: Iterable[Line]) -> frozenset[str]:
    """Return the codes of the courses that are met: natively, or by what was recognised."""
    return frozenset(natives(programme, held)) | {
        line.grant.course for line in earlier if line.grant.course
    }


def context(inputs: Inputs) -> Context:
    """Return the circumstances that the engine is told."""
    everything = {one.leaf: one for one in (*inputs.held, *inputs.evidence)}
    held = tuple(sorted(everything.values(), key=lambda one: one.index))
    return Context(
        filed_on=inputs.filed_on,
        decided_on=inputs.law_on,
        programme=inputs.programme,
        award_on=inputs.award_on,
        held=held,
        met=met(inputs.programme, held, inputs.earlier),
    )


def compute(inputs: Inputs, *, limit_seconds: float = 2.0) -> Computed:
    """Hold all outcomes against all rules and choose the best plan."""
    circumstances = context(inputs)
    rules = sorted(inputs.rules, key=lambda rule: (rule.code, rule.version))
    evidence = sorted(inputs.evidence, key=lambda one: one.index)
    findings: list[Finding] = []
    aside: list[tuple[str, int]] = []
    for rule in rules:
        try:
            found = evaluation.evaluate(rule, evidence, circumstances)
        except (evaluation.RuleUnfit, evaluation.TooManySteps):
            aside.append((rule.code, rule.version))
            continue
        findings += [judged(one, inputs.judged) for one in narrowed(found, inputs.targets)]
    return Computed(
        findings=tuple(findings),
        plan=plan.best(
            programme=inputs.programme,
            findings=findings,
            rules=rules,
            evidence=evidence,
            context=circumstances,
            earlier=inputs.earlier,
            limit_seconds=limit_seconds,
        ),
        aside=tuple(aside),
    )


def narrowed(findings: Iterable[Finding], targets: Collection[str]) -> list[Finding]:
    """Leave of each finding the grants to targets that were chosen; all, where none was.

    A finding that gives nothing to a chosen target is left out.
    """
    if not targets:
        return list(findings)
    kept = []
    for found in findings:
        grants = tuple(grant for grant in found.grants if grant.target in targets)
        if grants or not found.grants:
            kept.append(replace(found, grants=grants, choose=min(found.choose, len(grants))))
    return kept


def judged(found: Finding, by_reviewers: Collection[Judged]) -> Finding:
    """Let a finding apply that could not be settled and that reviewers hold to be met."""
    if (
        found.verdict is Verdict.UNKNOWN
        and found.grants
        and (found.rule, found.version, found.leaves) in by_reviewers
    ):
        return replace(found, verdict=Verdict.APPLIES)
    return found


# -- what a decision has to show --------------------------------------------------------------
def lean(inputs: Inputs, computed: Computed) -> Inputs:
    """Leave out what does not bear on the answer: rules without a finding, outcomes nobody looks at.

    So a decision shows no more of a person than it rests on.
    """
    rules = tuple(_concerned(inputs.rules, computed.findings, inputs.earlier))
    return replace(inputs, rules=rules, held=tuple(_looked_at(inputs, rules)))


def _concerned(
    rules: Iterable[Rule], findings: Iterable[Finding], earlier: Iterable[Line]
) -> list[Rule]:
    """Return the rules with a finding, those of earlier lines, and those that limit other rules."""
    named = {(one.rule, one.version) for one in findings}
    named |= {(line.rule, line.version) for line in earlier}
    return [
        rule
        for rule in rules
        if (rule.code, rule.version) in named or any("of" in one for one in rule.constraints)
    ]


def _looked_at(inputs: Inputs, rules: Iterable[Rule]) -> list[Evidence]:
    """Return the outcomes that meet courses, that earlier lines used, or that a `held` means."""
    circumstances = context(inputs)
    wanted = {leaf for line in inputs.earlier for leaf in line.leaves}
    wanted |= {
        one.leaf
        for outcomes in natives(inputs.programme, circumstances.held).values()
        for one in outcomes
    }
    for rule in rules:
        inner = [node.value["held"] for node in walk.rule(rule.document) if _asks_held(node)]
        day = evaluation.law_day(rule, circumstances)
        for condition in inner:
            for one in circumstances.held:
                asked = conditions.Asked(
                    evidence=one,
                    context=circumstances,
                    day=day,
                    budget=conditions.Budget(),
                )
                truth, _ = conditions.answer(condition, asked, ())
                if truth is not conditions.FAILED:
                    wanted.add(one.leaf)
    return [one for one in inputs.held if one.leaf in wanted]


def _asks_held(node: walk.Node) -> bool:
    return node.role == "condition" and "held" in node.value
