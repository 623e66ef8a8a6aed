"""Conditions on an outcome, in three values: met, failed, not known (pure).

What is not known (no score, no fact) neither meets nor fails a condition; the
values combine as Kleene's logic says, so that no later knowledge can turn a met
or a failed condition into the other. Each condition is a function in
`CONDITIONS` by the name it has in a rule; `docs/recognition.md` describes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import IntEnum
from typing import Any, ClassVar, Final, NamedTuple

from creditbank.errors import DomainError
from creditbank.recognition.engine.evidence import Context, Evidence
from creditbank.recognition.engine.findings import Reason
from creditbank.recognition.language.figures import day as read_day
from creditbank.recognition.language.figures import (
    last_day,
    number,
    signed,
    signed_days,
    written,
)
from creditbank.recognition.language.schemas import pointer

STEPS_MAX: Final = 200_000
"""How many conditions and selections one rule may be worth looking at, for one learner."""


class TooManySteps(DomainError):
    """A rule that would take too long for this learner: it offers too many selections."""

    code: ClassVar[str] = "too-many-steps"


class Truth(IntEnum):
    """How a condition stands. Their order makes `all` the least, and `any` the greatest."""

    FAILED = 0
    UNKNOWN = 1
    MET = 2


FAILED: Final = Truth.FAILED
UNKNOWN: Final = Truth.UNKNOWN
MET: Final = Truth.MET


class Budget:
    """The steps that are left; one for each condition looked at, and each selection tried."""

    def __init__(self, steps: int = STEPS_MAX) -> None:
        self.left = steps

    def spend(self) -> None:
        """Take one step. Raises TooManySteps when none is left."""
        self.left -= 1
        if self.left < 0:
            raise TooManySteps


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Whom a condition is asked of: one outcome, in these circumstances, on the law's day."""

    evidence: Evidence
    context: Context
    day: date
    budget: Budget


class Answer(NamedTuple):
    """How a condition stands, what was found and wanted, and the smallest change that meets it."""

    truth: Truth
    found: str = ""
    wanted: str = ""
    change: str = ""


def answer(
    condition: Mapping[str, Any], asked: Asked, steps: tuple[str | int, ...]
) -> tuple[Truth, list[Reason]]:
    """Hold a condition against an outcome; say how it stands and all reasons why it is not met.

    `steps` lead to the condition in the rule's document. Of a failed condition
    all its failed parts are given, of an unknown one all its unknown parts.
    Raises TooManySteps.
    """
    asked.budget.spend()
    name = next(iter(condition)) if len(condition) == 1 else "n"
    if name in COMBINED:
        parts = [
            answer(part, asked, (*steps, member, number))
            for member in ("all", "any", "of")
            if member in condition
            for number, part in enumerate(condition[member])
        ]
        truth = COMBINED[name](condition, [part for part, _ in parts])
        if truth is MET:
            return truth, []
        return truth, [reason for part, why in parts if part is truth for reason in why]
    if name == "not":
        return _negated(condition["not"], asked, steps)
    found = CONDITIONS[name](condition[name], asked)
    if found.truth is MET:
        return MET, []
    return found.truth, [_reason(name, found, asked, (*steps, name))]


def _reason(name: str, found: Answer, asked: Asked, steps: Sequence[str | int]) -> Reason:
    code = name.replace("_", "-")
    if found.truth is UNKNOWN:
        return Reason(
            code=f"{code}-unknown",
            pointer=pointer(steps),
            leaf=asked.evidence.leaf,
            found=found.found,
            wanted=found.wanted,
        )
    return Reason(
        code=code,
        pointer=pointer(steps),
        leaf=asked.evidence.leaf,
        found=found.found,
        wanted=found.wanted,
        change=found.change,
    )


def _negated(
    condition: Mapping[str, Any], asked: Asked, steps: tuple[str | int, ...]
) -> tuple[Truth, list[Reason]]:
    truth, why = answer(condition, asked, (*steps, "not"))
    if truth is UNKNOWN:
        # What the inner condition asks for is what must not be.
        return UNKNOWN, [replace(reason, wanted="") for reason in why]
    if truth is FAILED:
        return MET, []
    name = next(iter(condition))
    found = CONDITIONS[name](condition[name], asked).found if name in CONDITIONS else ""
    return FAILED, [_reason("not", Answer(FAILED, found), asked, (*steps, "not"))]


# -- how parts combine ------------------------------------------------------------------------
def _all(_condition: Mapping[str, Any], parts: Sequence[Truth]) -> Truth:
    return min(parts)


def _any(_condition: Mapping[str, Any], parts: Sequence[Truth]) -> Truth:
    return max(parts)


def _n_of(condition: Mapping[str, Any], parts: Sequence[Truth]) -> Truth:
    count: int = condition["n"]
    return sorted(parts, reverse=True)[count - 1]


COMBINED: Final[dict[str, Callable[[Mapping[str, Any], Sequence[Truth]], Truth]]] = {
    "all": _all,
    "any": _any,
    "n": _n_of,
}


# -- what an outcome is -----------------------------------------------------------------------
def _one_of(found: str, listed: Sequence[str], *, change: bool = False) -> Answer:
    """Hold a text against a list; nothing is not known."""
    if found in listed:
        return Answer(MET, found)
    wanted = ", ".join(listed)
    if not found:
        return Answer(UNKNOWN, "", wanted)
    return Answer(FAILED, found, wanted, listed[0] if change else "")


def _item(listed: Sequence[str], asked: Asked) -> Answer:
    return _one_of(asked.evidence.outcome.item, listed)


def _kind(listed: Sequence[str], asked: Asked) -> Answer:
    return _one_of(asked.evidence.outcome.kind, listed)


def _body(listed: Sequence[str], asked: Asked) -> Answer:
    return _one_of(asked.evidence.outcome.body, listed)


def _category(listed: Sequence[str], asked: Asked) -> Answer:
    return _one_of(asked.evidence.outcome.category, listed)


def _certificate_level(listed: Sequence[str], asked: Asked) -> Answer:
    if asked.evidence.outcome.kind != "x-certificate":
        return Answer(FAILED, "", ", ".join(listed))
    return _one_of(asked.evidence.certificate_level, listed, change=True)


def _skill_level(listed: Sequence[str], asked: Asked) -> Answer:
    if asked.evidence.outcome.kind != "skill-level":
        return Answer(FAILED, "", ", ".join(listed))
    return _one_of(asked.evidence.skill_level, listed, change=True)


def _field(listed: Sequence[str], asked: Asked) -> Answer:
    fields, wanted = asked.evidence.fields, ", ".join(listed)
    found = ", ".join(fields)
    if any(one in listed for one in fields):
        return Answer(MET, found)
    return Answer(FAILED if fields else UNKNOWN, found, wanted)


def _programme_field(listed: Sequence[str], asked: Asked) -> Answer:
    return _one_of(asked.context.programme.field, listed)


def _level(value: Mapping[str, Any], asked: Asked) -> Answer:
    outcome, programme = asked.evidence.outcome, asked.context.programme
    found = f"{outcome.framework} {outcome.level}".strip()
    if "same_as" in value:
        wanted = f"{programme.framework} {programme.level}"
        if not (outcome.framework and outcome.level and programme.framework and programme.level):
            return Answer(UNKNOWN, found, wanted)
        if found == wanted:
            return Answer(MET, found)
        ours, theirs = number(outcome.level), number(programme.level)
        if outcome.framework != programme.framework or ours is None or theirs is None:
            return Answer(FAILED, found, wanted)
        if ours == theirs:
            return Answer(MET, found)
        return Answer(FAILED, found, wanted, signed(theirs - ours))
    level = number(outcome.level) if outcome.framework == value["framework"] else None
    between = _between(level, {name: str(value[name]) for name in ("min", "max") if name in value})
    return between._replace(found=found, wanted=f"{value['framework']} {between.wanted}")


# -- how well, how much -----------------------------------------------------------------------
def _between(found: Decimal | None, span: Mapping[str, str]) -> Answer:
    """Hold a number against `min` and `max`, both included."""
    low = Decimal(span["min"]) if "min" in span else None
    high = Decimal(span["max"]) if "max" in span else None
    wanted = _span(span.get("min"), span.get("max"))
    if found is None:
        return Answer(UNKNOWN, "", wanted)
    if low is not None and found < low:
        return Answer(FAILED, written(found), wanted, signed(low - found))
    if high is not None and found > high:
        return Answer(FAILED, written(found), wanted, signed(high - found))
    return Answer(MET, written(found))


def _within(found: date | None, span: Mapping[str, str]) -> Answer:
    """Hold a day against `from` and `until`, both included."""
    first, last = read_day(span.get("from", "")), read_day(span.get("until", ""))
    wanted = _span(span.get("from"), span.get("until"))
    if found is None:
        return Answer(UNKNOWN, "", wanted)
    text = found.isoformat()
    if first is not None and found < first:
        return Answer(FAILED, text, wanted, signed_days((first - found).days))
    if last is not None and found > last:
        return Answer(FAILED, text, wanted, signed_days((last - found).days))
    return Answer(MET, text)


def _span(low: str | None, high: str | None) -> str:
    if low is None:
        return f"≤ {high}"
    return f"≥ {low}" if high is None else f"{low} – {high}"


def _score(span: Mapping[str, str], asked: Asked) -> Answer:
    return _between(number(asked.evidence.result.score), span)


def _hours(span: Mapping[str, str], asked: Asked) -> Answer:
    return _between(number(asked.evidence.result.hours), span)


def _credits(span: Mapping[str, str], asked: Asked) -> Answer:
    return _between(asked.evidence.credits, span)


def _grade(value: Mapping[str, Any], asked: Asked) -> Answer:
    scale, found, least = value["scale"], asked.evidence.result.grade, value["min"]
    wanted = f"≥ {least}"
    if found not in scale:
        return Answer(UNKNOWN, found, wanted)
    if scale.index(found) < scale.index(least):
        return Answer(FAILED, found, wanted, least)
    return Answer(MET, found)


# -- when -------------------------------------------------------------------------------------
def _completed(span: Mapping[str, str], asked: Asked) -> Answer:
    return _within(asked.evidence.outcome.completed_on, span)


def _until(last: date, asked: Asked) -> Answer:
    """Hold the law's day against a last day; the change is how much earlier it had to be."""
    found, wanted = asked.day.isoformat(), f"≤ {last.isoformat()}"
    if asked.day <= last:
        return Answer(MET, found)
    return Answer(FAILED, found, wanted, signed_days((last - asked.day).days))


def _age(value: Mapping[str, int], asked: Asked) -> Answer:
    return _until(last_day(asked.evidence.outcome.completed_on, **value), asked)


def _valid(_value: object, asked: Asked) -> Answer:
    until = asked.evidence.outcome.valid_until
    return Answer(MET) if until is None else _until(until, asked)


# -- what else is known -----------------------------------------------------------------------
def _fact(value: Mapping[str, Any], asked: Asked) -> Answer:
    text = asked.evidence.facts.get(value["name"], "")
    if "is" in value:
        return _one_of(text, value["is"], change=True)
    if "min" in value or "max" in value:
        found = _between(number(text), value)
    else:
        found = _within(read_day(text), value)
    return found._replace(found=text) if found.truth is UNKNOWN else found


def _held(condition: Mapping[str, Any], asked: Asked) -> Answer:
    best = FAILED
    for other in asked.context.held:
        if other.leaf == asked.evidence.leaf:
            continue
        inner = Asked(evidence=other, context=asked.context, day=asked.day, budget=asked.budget)
        truth, _ = answer(condition, inner, ())
        if truth is MET:
            return Answer(MET, other.outcome.item)
        best = max(best, truth)
    return Answer(best)


def _met(course: str, asked: Asked) -> Answer:
    if course in asked.context.met:
        return Answer(MET, course)
    return Answer(FAILED, "", course, course)


CONDITIONS: Final[dict[str, Callable[[Any, Asked], Answer]]] = {
    "item": _item,
    "kind": _kind,
    "body": _body,
    "category": _category,
    "certificate_level": _certificate_level,
    "skill_level": _skill_level,
    "field": _field,
    "programme_field": _programme_field,
    "level": _level,
    "score": _score,
    "hours": _hours,
    "credits": _credits,
    "grade": _grade,
    "completed": _completed,
    "age": _age,
    "valid": _valid,
    "fact": _fact,
    "held": _held,
    "met": _met,
}


# -- what a rule is about ---------------------------------------------------------------------
NAMING: Final = frozenset({"item", "kind", "body", "category"})
"""Conditions that say which outcomes are meant, not how good they must be."""


def names(condition: Mapping[str, Any], asked: Asked) -> Truth:
    """Say how a condition stands as far as it says which outcomes are meant.

    Failed: the outcome is not what the condition is about, whatever else it is.
    Depends on the outcome's item, kind, body and category alone.
    """
    name = next(iter(condition)) if len(condition) == 1 else "n"
    if name in COMBINED:
        parts = [
            names(part, asked)
            for member in ("all", "any", "of")
            for part in condition.get(member, ())
        ]
        return COMBINED[name](condition, parts)
    if name == "not":
        return Truth(MET - names(condition["not"], asked))
    return CONDITIONS[name](condition[name], asked).truth if name in NAMING else UNKNOWN
