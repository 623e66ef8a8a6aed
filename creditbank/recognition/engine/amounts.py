"""Amounts of credits, reckoned exactly (pure).

Figures are fractions until the very end, when they are rounded down to 0.01:
what a rule says to round, it says itself. Each kind of amount is a function in
`AMOUNTS` by the name it has in a rule; `docs/recognition.md` describes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from creditbank.recognition.engine import conditions
from creditbank.recognition.engine.conditions import FAILED, MET, UNKNOWN, Asked, Budget, Truth
from creditbank.recognition.engine.evidence import Context, Evidence
from creditbank.recognition.engine.findings import Reason
from creditbank.recognition.language.figures import credits_of, floored, number, years_begun
from creditbank.recognition.language.schemas import pointer

Steps = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Use:
    """What an amount is reckoned for: some outcomes, and the target course's credits if there is one.

    `failed` and `unknown` collect the reasons why no amount comes of it.
    """

    outcomes: tuple[Evidence, ...]
    context: Context
    day: date
    budget: Budget
    target: Decimal | None = None
    failed: list[Reason] = field(default_factory=list)
    unknown: list[Reason] = field(default_factory=list)

    def of_one(self, evidence: Evidence) -> Use:
        """Return the same use of one outcome alone."""
        return replace(self, outcomes=(evidence,))

    def asked(self, evidence: Evidence) -> Asked:
        """Return how a condition is asked of one of the outcomes."""
        return Asked(evidence=evidence, context=self.context, day=self.day, budget=self.budget)

    @property
    def truth(self) -> Truth:
        """Whether every amount could be reckoned so far."""
        if self.failed:
            return FAILED
        return UNKNOWN if self.unknown else MET


def credits(amount: Any, use: Use, steps: Steps) -> Decimal | None:  # noqa: A001
    """Return an amount as credits, rounded down to 0.01; None when there is none, with reasons in `use`."""
    found = reckon(amount, use, steps)
    return None if found is None else credits_of(found)


def reckon(amount: Any, use: Use, steps: Steps) -> Fraction | None:
    """Return an amount exactly; None when there is none, with reasons in `use`.

    `steps` lead to the amount in the rule's document. Raises TooManySteps.
    """
    use.budget.spend()
    if isinstance(amount, str):
        return Fraction(amount)
    name = next(iter(amount))
    return AMOUNTS[name](amount[name], use, (*steps, name))


def _known(found: Sequence[Fraction | None]) -> list[Fraction] | None:
    known = [one for one in found if one is not None]
    return known if len(known) == len(found) else None


def _of(value: str, use: Use, _steps: Steps) -> Fraction:
    if value == "target":
        return Fraction(use.target or 0)
    return sum((Fraction(one.credits) for one in use.outcomes), Fraction(0))


def _hours_per_credit(value: str, use: Use, steps: Steps) -> Fraction | None:
    hours = [_hours(one, use, steps) for one in use.outcomes]
    known = _known(hours)
    return None if known is None else sum(known, Fraction(0)) / Fraction(value)


def _hours(evidence: Evidence, use: Use, steps: Steps) -> Fraction | None:
    found = number(evidence.result.hours)
    if found is None:
        use.unknown.append(
            Reason(
                code="hours-unknown",
                pointer=pointer(steps),
                leaf=evidence.leaf,
                found=evidence.result.hours,
            )
        )
        return None
    return Fraction(found)


def _listed(parts: Sequence[Any], use: Use, steps: Steps) -> list[Fraction] | None:
    return _known([reckon(part, use, (*steps, place)) for place, part in enumerate(parts)])


def _lower(parts: Sequence[Any], use: Use, steps: Steps) -> Fraction | None:
    known = _listed(parts, use, steps)
    return None if known is None else min(known)


def _higher(parts: Sequence[Any], use: Use, steps: Steps) -> Fraction | None:
    known = _listed(parts, use, steps)
    return None if known is None else max(known)


def _sum(parts: Sequence[Any], use: Use, steps: Steps) -> Fraction | None:
    known = _listed(parts, use, steps)
    return None if known is None else sum(known, Fraction(0))


def _times(value: Mapping[str, Any], use: Use, steps: Steps) -> Fraction | None:
    inner = reckon(value["amount"], use, (*steps, "amount"))
    return None if inner is None else inner * Fraction(value["by"])


def _less(value: Mapping[str, Any], use: Use, steps: Steps) -> Fraction | None:
    """Take off when the condition is met by one of the outcomes."""
    inner = reckon(value["amount"], use, (*steps, "amount"))
    stands = [
        conditions.answer(value["when"], use.asked(one), (*steps, "when")) for one in use.outcomes
    ]
    best = max(truth for truth, _ in stands)
    if best is UNKNOWN:
        use.unknown.extend(reason for truth, why in stands if truth is UNKNOWN for reason in why)
        return None
    if inner is None:
        return None
    return inner - Fraction(value["by"]) if best is MET else inner


def _decay(value: Mapping[str, Any], use: Use, steps: Steps) -> Fraction | None:
    """Take off for every year begun; of several outcomes the oldest counts."""
    inner = reckon(value["amount"], use, (*steps, "amount"))
    if inner is None:
        return None
    oldest = min(one.outcome.completed_on for one in use.outcomes)
    begun = years_begun(oldest, use.day, after=value["after_years"])
    percent: int = max(100 - begun * value["percent_per_year"], value.get("at_least_percent", 0))
    return inner * percent / 100


def _round(value: Mapping[str, Any], use: Use, steps: Steps) -> Fraction | None:
    inner = reckon(value["amount"], use, (*steps, "amount"))
    return None if inner is None else rounded(inner, Fraction(value["step"]), value["mode"])


def rounded(value: Fraction, step: Fraction, mode: str) -> Fraction:
    """Round to a multiple of a step: `down`, `half-up` or `up`."""
    if mode == "down":
        return floored(value, step)
    if mode == "up":
        return -floored(-value, step)
    return floored(value + step / 2, step)


# -- tables -----------------------------------------------------------------------------------
def _table(table: Mapping[str, Any], use: Use, steps: Steps) -> Fraction | None:
    """Look each outcome up; of several the sum. By the programme's field there is one look-up."""
    if table["by"] == "programme_field":
        return _row(table, use.context.programme.field, use, steps)
    known = _known(
        [_row(table, key(table["by"], one), use.of_one(one), steps) for one in use.outcomes]
    )
    return None if known is None else sum(known, Fraction(0))


def key(by: str, evidence: Evidence) -> str:
    """Return what a table goes by, as the outcome has it; nothing when it is not known."""
    if by.startswith("fact:"):
        return evidence.facts.get(by.removeprefix("fact:"), "")
    if by in ("item", "category"):
        return str(getattr(evidence.outcome, by))
    if by in ("grade", "score"):
        return str(getattr(evidence.result, by))
    return str(getattr(evidence, by))


def _row(table: Mapping[str, Any], found: str, use: Use, steps: Steps) -> Fraction | None:
    numeric = "is" not in table["rows"][0]
    figure = number(found) if numeric else None
    if figure is None if numeric else not found:
        use.unknown.append(_table_reason(table, f"{_code(table)}-unknown", found, use, steps))
        return None
    for place, row in enumerate(table["rows"]):
        if found in row["is"] if figure is None else _matches(row, figure):
            return reckon(row["credits"], use, (*steps, "rows", place, "credits"))
    if "else" in table:
        return reckon(table["else"], use, (*steps, "else"))
    use.failed.append(_table_reason(table, "no-row", found, use, steps))
    return None


def _matches(row: Mapping[str, Any], figure: Decimal) -> bool:
    return ("from" not in row or Decimal(row["from"]) <= figure) and (
        "until" not in row or figure <= Decimal(row["until"])
    )


def _code(table: Mapping[str, Any]) -> str:
    by: str = table["by"]
    return "fact" if by.startswith("fact:") else by.replace("_", "-")


def _table_reason(
    table: Mapping[str, Any], code: str, found: str, use: Use, steps: Steps
) -> Reason:
    return Reason(
        code=code,
        pointer=pointer(steps),
        leaf=use.outcomes[0].leaf if len(use.outcomes) == 1 else None,
        found=found,
        wanted=", ".join(_row_words(row) for row in table["rows"]),
    )


def _row_words(row: Mapping[str, Any]) -> str:
    if "is" in row:
        return " / ".join(row["is"])
    return f"{row.get('from', '')} – {row.get('until', '')}".strip()


AMOUNTS: Final[dict[str, Callable[[Any, Use, Steps], Fraction | None]]] = {
    "of": _of,
    "hours_per_credit": _hours_per_credit,
    "table": _table,
    "lower": _lower,
    "higher": _higher,
    "sum": _sum,
    "times": _times,
    "less": _less,
    "decay": _decay,
    "round": _round,
}
