"""What an outcome must pass before its conditions decide: the rule's days, the gate, its state (pure).

Each check is a function in `GATES` by the member of a rule that it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from creditbank.recognition.engine import conditions, scopes
from creditbank.recognition.engine.conditions import FAILED, MET, UNKNOWN, Answer, Asked, Truth
from creditbank.recognition.engine.findings import Reason
from creditbank.recognition.language.figures import day, signed_days
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.language.schemas import pointer

Steps = tuple[str | int, ...]
Passed = tuple[str, Steps, Answer]
"""Code of the reason, steps to the member, and how it stands."""


def names(gate: Mapping[str, Any], asked: Asked) -> bool:
    """Say whether a gate means such outcomes at all: of its kinds, of its bodies."""
    return all(
        one.truth is MET
        for name in ("kinds", "bodies")
        if name in gate
        for _, _, one in GATES[name](gate[name], asked)
    )


def answer(rule: Rule, asked: Asked) -> tuple[Truth, list[Reason]]:
    """Hold an outcome against everything but the rule's conditions; give all reasons against."""
    found = [
        (code, steps, one) for code, steps, one in _passed(rule, asked) if one.truth is not MET
    ]
    truth = min((one.truth for _, _, one in found), default=MET)
    reasons = [
        Reason(
            code=code if one.truth is FAILED else f"{code}-unknown",
            pointer=pointer(steps),
            leaf=asked.evidence.leaf,
            found=one.found,
            wanted=one.wanted,
            change=one.change,
        )
        for code, steps, one in found
        if one.truth is truth
    ]
    return truth, reasons


def _passed(rule: Rule, asked: Asked) -> Iterator[Passed]:
    yield from GATES["state"](asked.evidence.state, asked)
    yield from GATES["in_force"](rule, asked)
    yield from GATES["programmes"](rule, asked)
    for name, value in rule.gate.items():
        yield from GATES[name](value, asked)
    yield from GATES["never"](rule, asked)


def _state(state: str, _asked: Asked) -> list[Passed]:
    if state == "available":
        return []
    return [(state, ("sources",), Answer(FAILED, state, "available"))]


def _in_force(rule: Rule, asked: Asked) -> list[Passed]:
    if rule.in_force(asked.day):
        return []
    late = rule.last_day is not None and asked.day > rule.last_day
    nearest = rule.last_day if late and rule.last_day else rule.first_day
    until = rule.last_day.isoformat() if rule.last_day else ""
    found = Answer(
        FAILED,
        asked.day.isoformat(),
        f"{rule.first_day.isoformat()} – {until}".strip(),
        signed_days((nearest - asked.day).days),
    )
    return [("not-in-force", ("in_force",), found)]


def _programmes(rule: Rule, asked: Asked) -> list[Passed]:
    programme = asked.context.programme
    if rule.is_for(programme):
        return []
    found = Answer(FAILED, programme.code, ", ".join(rule.programmes))
    return [("programme", ("programmes",), found)]


def _catalogue(_value: object, asked: Asked) -> list[Passed]:
    """Look at the fact `in_catalogue`: an outcome that is only planned may be outside it."""
    if asked.evidence.facts.get("in_catalogue") != "no":
        return []
    return [("catalogue", ("gate", "catalogue"), Answer(FAILED, asked.evidence.outcome.item))]


def _kinds(listed: list[str], asked: Asked) -> list[Passed]:
    return [("kind", ("gate", "kinds"), conditions.CONDITIONS["kind"](listed, asked))]


def _bodies(listed: list[str], asked: Asked) -> list[Passed]:
    return [("body", ("gate", "bodies"), conditions.CONDITIONS["body"](listed, asked))]


def _agreement(value: Mapping[str, Any], asked: Asked) -> list[Passed]:
    steps: Steps = ("gate", "agreement")
    days = {name: value[name] for name in ("from", "until")}
    found: list[Passed] = [
        (
            "agreement-partner",
            (*steps, "partner"),
            conditions.CONDITIONS["body"]([value["partner"]], asked),
        ),
        ("agreement-days", steps, conditions.CONDITIONS["completed"](days, asked)),
    ]
    if "plan_first" in value:
        found.append(("agreement-plan", (*steps, "plan_first"), _plan_first(asked)))
    return found


def _plan_first(asked: Asked) -> Answer:
    """The plan was approved before the studies began: on an earlier day."""
    facts = asked.evidence.facts
    approved, started = day(facts.get("plan_approved_on", "")), day(facts.get("started_on", ""))
    wanted = f"< {started.isoformat()}" if started else ""
    if approved is None or started is None:
        return Answer(UNKNOWN, facts.get("plan_approved_on", ""), wanted)
    if approved < started:
        return Answer(MET)
    change = signed_days((started - approved).days - 1)
    return Answer(FAILED, approved.isoformat(), wanted, change)


def _never(rule: Rule, asked: Asked) -> list[Passed]:
    """Outcomes that the rule's or the programme's constraints exclude for ever."""
    return [
        (code, (*steps, "outcome"), _excluded(never["outcome"], asked))
        for code, steps, never in scopes.nevers_on(rule, asked)
        if "outcome" in never
    ]


def _excluded(condition: Mapping[str, Any], asked: Asked) -> Answer:
    truth, _ = conditions.answer(condition, asked, ())
    return Answer(Truth(MET - truth), asked.evidence.outcome.item)


GATES: Final[dict[str, Callable[[Any, Asked], list[Passed]]]] = {
    "state": _state,
    "in_force": _in_force,
    "programmes": _programmes,
    "catalogue": _catalogue,
    "kinds": _kinds,
    "bodies": _bodies,
    "agreement": _agreement,
    "never": _never,
}
