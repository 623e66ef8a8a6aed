"""Holding a learner's outcomes against one rule: what it could give, or why not (pure).

`evaluate` finds; it does not choose. Caps and exclusions hold over several
findings at once, and the plan looks after them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, ClassVar, Final, Literal

from creditbank.errors import Refusals
from creditbank.recognition.engine import allocation, gates
from creditbank.recognition.engine.conditions import (
    FAILED,
    MET,
    UNKNOWN,
    Asked,
    Budget,
    TooManySteps,
    Truth,
    answer,
    names,
)
from creditbank.recognition.engine.evidence import Context, Evidence
from creditbank.recognition.engine.findings import Finding, Reason, Verdict
from creditbank.recognition.language import references
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.language.schemas import pointer
from creditbank.recognition.language.walk import MANY

__all__ = ["RuleUnfit", "TooManySteps", "decided_by", "evaluate", "law_day"]

Steps = tuple[str | int, ...]
_VERDICTS: Final = {FAILED: Verdict.REFUSED, UNKNOWN: Verdict.UNKNOWN, MET: Verdict.APPLIES}


class RuleUnfit(Refusals):
    """A rule names what the programme does not have: each with the JSON pointer in the rule."""

    code: ClassVar[str] = "rule-unfit"


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One `{"outcome": ...}` of a rule's sources, and the outcomes that may stand in it."""

    steps: Steps
    condition: Mapping[str, Any]
    candidates: dict[bytes, Truth] = field(default_factory=dict)
    """By leaf, in the order of the log; met or unknown."""
    stands: dict[bytes, tuple[Truth, list[Reason]]] = field(default_factory=dict)
    """Of the outcomes it is about: how the condition stands, and why it is not met."""


def _all_of(sources: Mapping[str, Any]) -> int:
    return len(sources["all"])


def _one_of(_sources: Mapping[str, Any]) -> int:
    return 1


def _n_of(sources: Mapping[str, Any]) -> int:
    count: int = sources["n"]
    return count


NEEDED: Final[dict[str, Callable[[Mapping[str, Any]], int]]] = {
    "all": _all_of,
    "any": _one_of,
    "of": _n_of,
}
"""How many parts of combined sources one use fills."""

Selection = tuple[tuple[bytes, Slot], ...]
"""Which outcome stands in which slot."""


def law_day(rule: Rule, context: Context) -> date:
    """Return the day whose rule decides, and on which ages are counted."""
    return context.filed_on if rule.law == "filing" else context.decided_on


def decided_by(rule: Rule, finding: Finding) -> Literal["rule", "person"]:
    """Say who decides a finding: the rule itself, when it applies and is automatic, or a person.

    A refusal stands by itself too, but a learner may always ask for a person.
    """
    known = finding.verdict is not Verdict.UNKNOWN
    return "rule" if known and PROCEDURE["mode"](rule.procedure) else "person"


def _automatic(procedure: Mapping[str, Any]) -> bool:
    return bool(procedure["mode"] == "automatic")


PROCEDURE: Final[dict[str, Callable[[Mapping[str, Any]], bool]]] = {"mode": _automatic}


def evaluate(rule: Rule, evidence: Sequence[Evidence], context: Context) -> list[Finding]:
    """Return a finding for every selection of outcomes that the rule could use, and every refusal.

    A selection holds different outcomes that are available; none of their
    conditions has failed. An outcome that the rule is about (it names its item,
    kind, body or category, or names none) and that is in no selection is refused,
    with all reasons. Outcomes that the rule is not about are passed over. The
    order follows the log. Raises RuleUnfit when the rule names what the
    programme does not have, and TooManySteps.
    """
    unfit = references.missing(rule, context.programme)
    if unfit:
        raise RuleUnfit(unfit, rule=rule.code, version=rule.version)
    return _Evaluation(rule, evidence, context).findings()


class _Evaluation:
    """One rule against one learner's outcomes."""

    def __init__(self, rule: Rule, evidence: Sequence[Evidence], context: Context) -> None:
        self.rule, self.context = rule, context
        self.day = law_day(rule, context)
        self.budget = Budget()
        self.about = self._about(evidence)
        self.by_leaf = {one.leaf: one for one in self.about}
        self.passed: dict[bytes, tuple[Truth, list[Reason]]] = {}

    @cached_property
    def slots(self) -> list[Slot]:
        """Every place that an outcome may stand in."""
        return list(_slots(self.rule.sources, ("sources",)))

    def findings(self) -> list[Finding]:
        """Return all findings in the order of the log."""
        if not self.about:
            return []
        for one in self.about:
            self._place(one)
        selections = self._selections()
        used = {leaf for leaves in selections for leaf in leaves}
        found = [self._use(leaves, selection) for leaves, selection in selections.items()]
        found += [self._refused(one) for one in self.about if one.leaf not in used]
        return sorted(found, key=lambda one: [self.by_leaf[leaf].index for leaf in one.leaves])

    # -- which outcomes ----------------------------------------------------------------------
    def _asked(self, one: Evidence) -> Asked:
        return Asked(evidence=one, context=self.context, day=self.day, budget=self.budget)

    def _about(self, evidence: Sequence[Evidence]) -> list[Evidence]:
        """Return the outcomes that the rule means, in the order of the log.

        Whether it means one depends on four words, and is remembered by them:
        most rules mean few of a learner's outcomes.
        """
        remembered = self.rule.remembered
        about = []
        for one in evidence:
            outcome = one.outcome
            words = (outcome.item, outcome.kind, outcome.body, outcome.category)
            means = remembered.get(words)
            if means is None:
                means = remembered[words] = self._means(one)
            if means:
                about.append(one)
        return sorted(about, key=lambda one: one.index)

    def _means(self, one: Evidence) -> bool:
        asked = self._asked(one)
        return gates.names(self.rule.gate, asked) and any(
            names(slot.condition, asked) is not FAILED for slot in self.slots
        )

    def _place(self, one: Evidence) -> None:
        """Put an outcome into the slots that it may stand in, and keep why it may not in others."""
        asked = self._asked(one)
        truth, why = gates.answer(self.rule, asked)
        self.passed[one.leaf] = truth, why
        for slot in self.slots:
            if len(self.slots) > 1 and names(slot.condition, asked) is FAILED:
                continue
            met, reasons = answer(slot.condition, asked, (*slot.steps, "outcome"))
            slot.stands[one.leaf] = met, reasons
            if met is not FAILED and truth is not FAILED:
                slot.candidates[one.leaf] = min(met, truth)

    def _selections(self) -> dict[tuple[bytes, ...], Selection]:
        """Return each set of outcomes that fills the sources, once, in the way that stands best."""
        best: dict[tuple[bytes, ...], tuple[Truth, Selection]] = {}
        slots = {slot.steps: slot for slot in self.slots}
        for selection in self._filled(self.rule.sources, ("sources",), slots, frozenset()):
            leaves = tuple(
                sorted((leaf for leaf, _ in selection), key=lambda leaf: self.by_leaf[leaf].index)
            )
            truth = min(slot.candidates[leaf] for leaf, slot in selection)
            if leaves not in best or truth > best[leaves][0]:
                best[leaves] = truth, selection
        return {leaves: selection for leaves, (_, selection) in best.items()}

    def _filled(
        self,
        sources: Mapping[str, Any],
        steps: Steps,
        slots: Mapping[Steps, Slot],
        taken: frozenset[bytes],
    ) -> Iterator[Selection]:
        """Give every way to fill sources with outcomes that are not taken."""
        if "outcome" in sources:
            slot = slots[steps]
            for leaf in slot.candidates:
                self.budget.spend()
                if leaf not in taken:
                    yield ((leaf, slot),)
        else:
            member = next(name for name in MANY if name in sources)
            parts = [
                (part, (*steps, member, number)) for number, part in enumerate(sources[member])
            ]
            for chosen in itertools.combinations(parts, NEEDED[member](sources)):
                yield from self._each(chosen, slots, taken)

    def _each(
        self,
        parts: Sequence[tuple[Mapping[str, Any], Steps]],
        slots: Mapping[Steps, Slot],
        taken: frozenset[bytes],
        before: tuple[Mapping[str, Any], int] | None = None,
    ) -> Iterator[Selection]:
        """Give every way to fill all parts with different outcomes.

        Parts that say the same are filled in the order of the log: to exchange
        their outcomes would give the same selection again.
        """
        self.budget.spend()
        if not parts:
            yield ()
            return
        (part, steps), rest = parts[0], parts[1:]
        alike = before is not None and "outcome" in part and before[0] == part
        for first in self._filled(part, steps, slots, taken):
            index = self.by_leaf[first[0][0]].index
            if alike and before is not None and index < before[1]:
                continue
            now = taken | {leaf for leaf, _ in first}
            for others in self._each(rest, slots, now, (part, index)):
                yield (*first, *others)

    # -- what comes of it --------------------------------------------------------------------
    def _use(self, leaves: tuple[bytes, ...], selection: Selection) -> Finding:
        """Return what one use of the rule can give."""
        truth = min(slot.candidates[leaf] for leaf, slot in selection)
        reasons = [
            reason
            for leaf, slot in selection
            for reason in (*self.passed[leaf][1], *slot.stands[leaf][1])
        ]
        outcomes = tuple(self.by_leaf[leaf] for leaf in leaves)
        given = allocation.give(self.rule, outcomes, self.context, self.day, self.budget)
        if given.truth < truth:
            truth = given.truth
            reasons = [] if truth is FAILED else reasons
        if truth is given.truth:
            reasons = [*reasons, *given.reasons]
        return self._finding(
            leaves,
            truth,
            reasons,
            grants=() if given.truth is not MET else given.grants,
            choose=given.choose,
            credits_max=given.credits_max,
        )

    def _refused(self, one: Evidence) -> Finding:
        """Return why an outcome cannot be used: what it fails itself, or what it would need beside it."""
        truth, why = self.passed[one.leaf]
        reasons = list(why) if truth is FAILED else []
        stands = [slot.stands[one.leaf] for slot in self.slots if one.leaf in slot.stands]
        if all(met is FAILED for met, _ in stands):
            reasons += [reason for _, failed in stands for reason in failed]
        elif truth is not FAILED:
            reasons += self._unfilled(one)
        return self._finding((one.leaf,), FAILED, reasons)

    def _unfilled(self, one: Evidence) -> list[Reason]:
        """Say which sources found no outcome, when there is one for another of them."""
        empty = [slot for slot in self.slots if not slot.candidates]
        return [
            Reason(code="source-missing", pointer=pointer(slot.steps), leaf=one.leaf)
            for slot in empty
        ] or [Reason(code="sources-not-distinct", pointer="/sources", leaf=one.leaf)]

    def _finding(
        self,
        leaves: tuple[bytes, ...],
        truth: Truth,
        reasons: Sequence[Reason],
        **given: Any,
    ) -> Finding:
        return Finding(
            rule=self.rule.code,
            version=self.rule.version,
            leaves=leaves,
            verdict=_VERDICTS[truth],
            reasons=tuple(dict.fromkeys(reasons)),
            **given,
        )


def _slots(sources: Mapping[str, Any], steps: Steps) -> Iterator[Slot]:
    if "outcome" in sources:
        yield Slot(steps=steps, condition=sources["outcome"])
    for member in ("all", "any", "of"):
        for number, part in enumerate(sources.get(member, ())):
            yield from _slots(part, (*steps, member, number))
