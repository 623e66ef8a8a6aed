"""What a rule speaks of: items, kinds, bodies, courses (pure).

For finding rules and for showing which sources reach which programmes. Only
what is asked *for* counts: what stands under `not`, and what else has to be
`held`, is not a source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from creditbank.recognition.language import walk
from creditbank.recognition.language.rules import Rule

_KINDS_OF_LEVELS = {"certificate_level": "x-certificate", "skill_level": "skill-level"}


@dataclass(frozen=True, kw_only=True)
class Mentions:
    """Codes that a rule names. `kinds` and `bodies` are those of its conditions and its gate."""

    items: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    bodies: frozenset[str] = frozenset()
    gate_kinds: frozenset[str] = frozenset()
    gate_bodies: frozenset[str] = frozenset()
    courses: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()


def of(rule: Rule) -> Mentions:
    """Return what a rule speaks of."""
    items: set[str] = set()
    kinds: set[str] = set()
    bodies: set[str] = set()
    for condition in _conditions(rule.sources):
        items |= set(condition.get("item", ()))
        kinds |= set(condition.get("kind", ()))
        bodies |= set(condition.get("body", ()))
        kinds |= {kind for name, kind in _KINDS_OF_LEVELS.items() if name in condition}
    partner = rule.gate.get("agreement", {}).get("partner")
    targets = rule.allocation["to"]
    return Mentions(
        items=frozenset(items),
        kinds=frozenset(kinds),
        bodies=frozenset(bodies),
        gate_kinds=frozenset(rule.gate.get("kinds", ())),
        gate_bodies=frozenset([partner] if partner else rule.gate.get("bodies", ())),
        courses=frozenset(target["course"] for target in targets if "course" in target),
        categories=frozenset(target["category"] for target in targets if "category" in target),
        tags=frozenset(target["courses"]["tag"] for target in targets if "courses" in target),
    )


def _conditions(source: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Give every condition that an outcome of these sources may have to meet."""
    for name in walk.MANY:
        for child in source.get(name, ()):
            yield from _conditions(child)
    if "outcome" in source:
        yield from _asked(source["outcome"])


def _asked(condition: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield condition
    for name in walk.MANY:
        for child in condition.get(name, ()):
            yield from _asked(child)
