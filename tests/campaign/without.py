"""A pytest plugin that takes one construct out of the engine before any test is read.

    WITHOUT="MODULE:NAME[:ENTRY]=NEUTRAL" pytest -p tests.campaign.without ...

`NAME` is a registry and `ENTRY` one of its functions, or `NAME` is a function of
the module itself. It gives way to the neutral one named: the condition is always
met, the limit never binds, the amount stays as it is.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from creditbank.recognition.engine import amounts
from creditbank.recognition.engine.conditions import Answer, Truth

VARIABLE: Final = "WITHOUT"


def _met(*_: Any) -> Answer:
    return Answer(Truth.MET)


def _true(*_: Any) -> Truth:
    return Truth.MET


def _nothing(*_: Any) -> tuple[()]:
    return ()


def _one(*_: Any) -> int:
    return 1


def _none(*_: Any) -> None:
    return None


def _false(*_: Any) -> bool:
    return False


def _zero(*_: Any) -> int:
    return 0


def _inner(value: Any, use: Any, steps: Any) -> Fraction | None:
    """The amount that is changed, unchanged: of several the first."""
    first = value[0] if isinstance(value, list) else value["amount"]
    return amounts.reckon(first, use, steps)


def _first_row(value: Any, use: Any, steps: Any) -> Fraction | None:
    return amounts.reckon(value["rows"][0]["credits"], use, steps)


def _bank(_value: Any, use: Any, _steps: Any) -> Fraction | None:
    return sum((Fraction(one.credits) for one in use.outcomes), Fraction(0))


def _unlimited(*_: Any) -> int:
    """So many days that they never run out."""
    return 36_500


def _lost(_value: Any, _excess: Any) -> tuple[Decimal, str]:
    return Decimal(0), ""


def _grade(_value: Any, use: Any) -> str:
    return str(use.outcomes[0].result.grade)


def _nowhere(_category: Any) -> str:
    return ""


def _every_course(_value: Any, use: Any) -> Any:
    return use.context.programme.courses


NEUTRAL: Final[dict[str, Callable[..., Any]]] = {
    "met": _met,
    "true": _true,
    "nothing": _nothing,
    "one": _one,
    "none": _none,
    "false": _false,
    "zero": _zero,
    "unlimited": _unlimited,
    "inner": _inner,
    "first-row": _first_row,
    "bank": _bank,
    "lost": _lost,
    "grade": _grade,
    "every-course": _every_course,
    "nowhere": _nowhere,
}


def _first(whole: Callable[..., Any]) -> Callable[..., Any]:
    """What a function gives, the first of it alone."""

    def first(*arguments: Any) -> Any:
        return whole(*arguments)[:1]

    return first


def _unsaid(whole: Callable[..., Any]) -> Callable[..., Any]:
    """What a function reads where no document says anything."""

    def unsaid(_documents: Any) -> Any:
        return whole(())

    return unsaid


CHANGED: Final[dict[str, Callable[..., Callable[..., Any]]]] = {
    "first": _first,
    "unsaid": _unsaid,
}
"""Neutral functions that are made of the one they replace."""


def take_out(told: str) -> None:
    """Replace one function by a neutral one. Raises when there is none of that name."""
    place, _, neutral = told.partition("=")
    module_name, name, *entry = place.split(":")
    module = importlib.import_module(module_name)
    held = getattr(module, name)
    whole = held[entry[0]] if entry else held
    replacement = CHANGED[neutral](whole) if neutral in CHANGED else NEUTRAL[neutral]
    if entry:
        held[entry[0]] = replacement
    else:
        setattr(module, name, replacement)


def pytest_sessionstart() -> None:
    """Take the construct out: Django is ready by now, and no test module has been read."""
    if VARIABLE in os.environ:
        take_out(os.environ[VARIABLE])
