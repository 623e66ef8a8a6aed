"""What is never used or replaced, as far as one outcome of a use can tell (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from creditbank.recognition.engine.conditions import Asked
from creditbank.recognition.engine.evidence import Evidence
from creditbank.recognition.language.rules import Rule

Steps = tuple[str | int, ...]


def nevers_on(rule: Rule, asked: Asked) -> Iterator[tuple[str, Steps, Mapping[str, Any]]]:
    """Give the `never` of a rule, and of the programme, that every use of an outcome falls under.

    As code of a reason, steps in the document that holds it (`never` in the
    rule's, `never-programme` in the programme's), and its value. One that is
    about some categories only is left to the plan, which knows where credits go.
    """
    own = {"rules": [rule.code]}
    for code, constraints, default in (
        ("never", rule.constraints, own),
        ("never-programme", asked.context.programme.constraints, {}),
    ):
        for number, constraint in enumerate(constraints):
            if "never" in constraint:
                of = constraint.get("of", default)
                if "categories" not in of and covers(of, rule, asked.evidence):
                    yield code, ("constraints", number, "never"), constraint["never"]


def covers(of: Mapping[str, Any], rule: Rule, evidence: Evidence) -> bool:
    """Say whether a scope covers an outcome that a rule uses; every member given must hold."""
    outcome = evidence.outcome
    return all(
        found in of[name]
        for name, found in (
            ("rules", rule.code),
            ("kinds", outcome.kind),
            ("bodies", outcome.body),
            ("items", outcome.item),
        )
        if name in of
    )
