"""Every construct of a rule with the place where it stands (pure).

A rule is a tree of four things: sources, conditions, amounts and targets. What
looks at all of them (checks, references) walks it here, so that a new construct
is told of in one place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from creditbank.recognition.language.schemas import Steps, pointer

Document = Mapping[str, Any]
Role = Literal["sources", "condition", "amount"]

MANY: Final = ("all", "any", "of")
"""Members of sources and conditions that hold others of their kind."""
LISTS: Final = ("lower", "higher", "sum")
WRAPPED: Final = ("times", "less", "decay", "round")
"""Amounts made of one other amount, which stands in their member `amount`."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One construct: what it is, where it stands, how many of its kind stand around it."""

    role: Role
    steps: tuple[str | int, ...]
    value: Any
    depth: int

    @property
    def pointer(self) -> str:
        """The JSON pointer of the construct."""
        return pointer(self.steps)


def keyword(value: Mapping[str, Any]) -> str:
    """Return the member that says what a source, a condition or an amount is."""
    return "n" if "n" in value else next(iter(value))


def conditions(value: Document, steps: Steps = (), depth: int = 1) -> Iterator[Node]:
    """Give a condition and all that stand in it."""
    yield Node(role="condition", steps=tuple(steps), value=value, depth=depth)
    for name in MANY:
        for number, child in enumerate(value.get(name, ())):
            yield from conditions(child, (*steps, name, number), depth + 1)
    for name in ("not", "held"):
        if name in value:
            yield from conditions(value[name], (*steps, name), depth + 1)


def sources(value: Document, steps: Steps = (), depth: int = 1) -> Iterator[Node]:
    """Give sources, all that stand in them, and their conditions."""
    yield Node(role="sources", steps=tuple(steps), value=value, depth=depth)
    for name in MANY:
        for number, child in enumerate(value.get(name, ())):
            yield from sources(child, (*steps, name, number), depth + 1)
    if "outcome" in value:
        yield from conditions(value["outcome"], (*steps, "outcome"), depth + 1)


def amounts(value: str | Document, steps: Steps = (), depth: int = 1) -> Iterator[Node]:
    """Give an amount, all that stand in it, and their conditions."""
    yield Node(role="amount", steps=tuple(steps), value=value, depth=depth)
    if isinstance(value, str):
        return
    for name in LISTS:
        for number, child in enumerate(value.get(name, ())):
            yield from amounts(child, (*steps, name, number), depth + 1)
    for name in WRAPPED:
        if name in value:
            yield from amounts(value[name]["amount"], (*steps, name, "amount"), depth + 1)
    if "less" in value:
        yield from conditions(value["less"]["when"], (*steps, "less", "when"), depth + 1)
    if "table" in value:
        table = value["table"]
        for number, row in enumerate(table["rows"]):
            place = (*steps, "table", "rows", number, "credits")
            yield from amounts(row["credits"], place, depth + 1)
        if "else" in table:
            yield from amounts(table["else"], (*steps, "table", "else"), depth + 1)


def constraints(document: Document) -> Iterator[Node]:
    """Give the conditions that a rule's or a programme's constraints hold."""
    for number, constraint in enumerate(document.get("constraints", ())):
        never = constraint.get("never", {})
        if "outcome" in never:
            yield from conditions(never["outcome"], ("constraints", number, "never", "outcome"))


def rule(document: Document) -> Iterator[Node]:
    """Give every source, condition and amount of a rule, in the order in which they stand."""
    yield from sources(document["sources"], ("sources",))
    allocation = document["allocation"]
    for number, target in enumerate(allocation["to"]):
        if "credits" in target:
            yield from amounts(target["credits"], ("allocation", "to", number, "credits"))
    if "at_most" in allocation:
        yield from amounts(allocation["at_most"], ("allocation", "at_most"))
    yield from constraints(document)
