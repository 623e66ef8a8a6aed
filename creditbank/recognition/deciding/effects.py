"""What a new version of a rule would change for one learner: the best plan before and after (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from creditbank.recognition.deciding import computation
from creditbank.recognition.deciding.computation import Inputs
from creditbank.recognition.engine import evaluation
from creditbank.recognition.engine.evidence import Context, Evidence
from creditbank.recognition.engine.findings import Finding, Verdict
from creditbank.recognition.engine.remembering import Remembered
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.planning import plan
from creditbank.recognition.planning.leftout import Obstacle
from creditbank.recognition.planning.plan import Plan

LIMIT_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What changes for one learner.

    `before` and `after` are the credits that the best plan adds to the
    programme without the new version and with it. `state` says how the new
    version stands to the learner's outcomes: it can be used, a person would
    have to decide, it is about some of them and refuses them, or about none.
    `reasons` are those of its refusals, `obstacles` what keeps its uses out of
    the plan. `proved`: both plans are proved to be the best.
    """

    state: str
    before: Decimal = Decimal(0)
    after: Decimal = Decimal(0)
    proved: bool = True
    reasons: tuple[tuple[str, str], ...] = ()
    """Code and pointer of each."""
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def gained(self) -> Decimal:
        """The credits gained; negative when they are lost."""
        return self.after - self.before


class Exchange:
    """A new version of a rule in the place of an old one, among the other rules of a programme."""

    def __init__(self, *, old: Rule | None, new: Rule, others: Iterable[Rule]) -> None:
        self.new = new
        self._old = Remembered([] if old is None else [old])
        self._others = Remembered(others)
        self._limits_change = _limits(old) != _limits(new)

    def effect(self, inputs: Inputs) -> Effect:
        """Tell what changes for one learner; the rules of the inputs are not looked at.

        Raises RuleUnfit when the new version names what the programme does not
        have, and TooManySteps.
        """
        context = computation.context(inputs)
        evidence = sorted(inputs.evidence, key=lambda one: one.index)
        mine = evaluation.evaluate(self.new, evidence, context)
        state = _state(mine)
        reasons = tuple(
            dict.fromkeys(
                (reason.code, reason.pointer)
                for one in mine
                if one.verdict is Verdict.REFUSED
                for reason in one.reasons
            )
        )
        theirs = self._old.applying(evidence, context)
        if state != Verdict.APPLIES and not theirs and not self._limits_change:
            return Effect(state=state, reasons=reasons)
        others = self._others.applying(evidence, context)
        if not (others or theirs or state == Verdict.APPLIES):
            return Effect(state=state, reasons=reasons)
        before = self._best(inputs, context, [*others, *theirs], self._old.rules)
        after = self._best(inputs, context, [*others, *mine], [self.new])
        return Effect(
            state=state,
            before=before.credits,
            after=after.credits,
            proved=before.state == after.state == "optimal",
            reasons=reasons,
            obstacles=tuple(
                obstacle
                for one in after.left_out
                if one.rule == self.new.code
                for obstacle in one.obstacles
            ),
        )

    def _best(
        self, inputs: Inputs, context: Context, found: Sequence[Finding], rules: Sequence[Rule]
    ) -> Plan:
        named = {(one.rule, one.version) for one in found}
        return plan.best(
            programme=inputs.programme,
            findings=found,
            # One without a use here limits nothing, unless it speaks of other rules' uses.
            rules=[
                rule
                for rule in (*self._others.rules, *rules)
                if (rule.code, rule.version) in named or _limits(rule)
            ],
            evidence=inputs.evidence,
            context=context,
            earlier=inputs.earlier,
            limit_seconds=LIMIT_SECONDS,
        )


def _state(mine: Sequence[Finding]) -> str:
    verdicts = {one.verdict for one in mine}
    for verdict in (Verdict.APPLIES, Verdict.UNKNOWN, Verdict.REFUSED):
        if verdict in verdicts:
            return verdict.value
    return "none"


def _limits(rule: Rule | None) -> list[object]:
    """Return a version's limits on the uses of other rules."""
    return [] if rule is None else [one for one in rule.constraints if "of" in one]


# -- decisions --------------------------------------------------------------------------------
def would_give(
    inputs: Inputs, new: Rule, leaves: Sequence[bytes], evidence: Sequence[Evidence]
) -> Decimal | None:
    """Return the credits that the new version gives for outcomes that were used; None if it refuses.

    What caps and other decisions leave of it is not looked at: it is one use
    held against one rule.
    """
    try:
        found = evaluation.evaluate(new, evidence, computation.context(inputs))
    except evaluation.TooManySteps:
        return None
    for one in found:
        if one.verdict is Verdict.APPLIES and set(one.leaves) == set(leaves):
            given = sorted((grant.credits + grant.surplus for grant in one.grants), reverse=True)
            whole = sum(given[: one.choose] if one.choose else given, Decimal(0))
            return whole if one.credits_max is None else min(whole, one.credits_max)
    return None


def as_available(one: Evidence) -> Evidence:
    """Return an outcome as it was before it was used."""
    return replace(one, state="available")
