"""Findings remembered by what an outcome says: for whoever holds many learners against the same rules (pure).

Most rules use one outcome and ask of nothing else. What they find of it depends
on what the outcome says alone, and many learners hold outcomes that say the same.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace

from creditbank.recognition.engine import evaluation
from creditbank.recognition.engine.evidence import Context, Evidence
from creditbank.recognition.engine.findings import Finding, Verdict
from creditbank.recognition.language import walk
from creditbank.recognition.language.rules import Rule


class Remembered:
    """Rules held against the outcomes of one learner after the other, for one programme and day.

    Contexts may differ in what is held and met alone.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = [(rule, _asks_of_one_alone(rule)) for rule in rules]
        self._found: dict[tuple[int, Hashable], tuple[Finding, ...]] = {}

    @property
    def rules(self) -> list[Rule]:
        """The rules."""
        return [rule for rule, _alone in self._rules]

    def applying(self, evidence: Sequence[Evidence], context: Context) -> list[Finding]:
        """Return the findings that apply. A rule that does not fit the programme finds nothing."""
        keys = [_said(one) for one in evidence]
        found: list[Finding] = []
        for number, (rule, alone) in enumerate(self._rules):
            if not alone:
                found += _applying(rule, evidence, context)
                continue
            for one, key in zip(evidence, keys, strict=True):
                known = self._found.get((number, key))
                if known is None:
                    known = tuple(_applying(rule, [one], context))
                    self._found[number, key] = known
                found += [replace(finding, leaves=(one.leaf,)) for finding in known]
        return found


def _applying(rule: Rule, evidence: Sequence[Evidence], context: Context) -> list[Finding]:
    try:
        found = evaluation.evaluate(rule, evidence, context)
    except (evaluation.RuleUnfit, evaluation.TooManySteps):
        return []
    return [one for one in found if one.verdict is Verdict.APPLIES]


def _asks_of_one_alone(rule: Rule) -> bool:
    """Say whether a rule uses one outcome, and asks neither for another nor for a course met."""
    return "outcome" in rule.sources and not any(
        node.role == "condition" and ("held" in node.value or "met" in node.value)
        for node in walk.rule(rule.document)
    )


def _said(one: Evidence) -> Hashable:
    """Return everything that an outcome says, but not which it is."""
    return (
        one.outcome,
        one.result,
        one.occurrence,
        one.certificate_level,
        one.skill_level,
        one.fields,
        tuple(sorted(one.facts.items())),
        one.state,
    )
