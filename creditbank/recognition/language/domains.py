"""Whether conditions can hold together: what outcome could meet them all (pure).

A condition is turned into the ways to meet it, each a list of plain demands; a
way is possible as long as no demand leaves nothing of what another allows. This
errs on one side only: what is called impossible is, what is called possible
may not be.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from creditbank.recognition.language.figures import last_day

Steps = tuple[str | int, ...]
Feature = tuple[str, ...]
"""What a demand is about: `("score",)`, `("fact", "rank", "number")` ..."""

WAYS_MAX: Final = 400
"""Beyond so many ways to meet a condition it is taken for possible."""


class TooManyWays(Exception):
    """There are more ways to meet a condition than are looked at."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """Numbers or days from `low` to `high`; None has no end. A strict end is not included."""

    low: Decimal | None = None
    high: Decimal | None = None
    low_strict: bool = False
    high_strict: bool = False

    def meet(self, other: Span) -> Span:
        """Return what both allow."""
        low, low_strict = max(
            ((one.low, one.low_strict) for one in (self, other) if one.low is not None),
            default=(None, False),
        )
        # Of equal ends the strict one counts, above and below.
        high, loose = min(
            ((one.high, not one.high_strict) for one in (self, other) if one.high is not None),
            default=(None, True),
        )
        return Span(low=low, high=high, low_strict=low_strict, high_strict=not loose)

    @property
    def empty(self) -> bool:
        """Whether nothing lies within."""
        if self.low is None or self.high is None:
            return False
        if self.low == self.high:
            return self.low_strict or self.high_strict
        return self.low > self.high

    def holds(self, value: Decimal) -> bool:
        """Say whether a number lies within."""
        return not self.meet(Span(low=value, high=value)).empty


@dataclass(frozen=True, kw_only=True)
class Demand:
    """One thing asked of one feature, and where: one of `words`, none of `barred`, or a span.

    A demand that nothing is known of but itself has none of them; it is
    `denied` where it stands under a `not`.
    """

    feature: Feature
    steps: Steps
    words: frozenset[str] | None = None
    barred: frozenset[str] = frozenset()
    span: Span | None = None
    denied: bool = False
    value: Any = None


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to meet a condition: its demands, and the branches of `any` that it takes."""

    demands: tuple[Demand, ...] = ()
    branches: tuple[Steps, ...] = ()

    def __add__(self, other: Way) -> Way:
        return Way(demands=self.demands + other.demands, branches=self.branches + other.branches)


@dataclass(frozen=True, kw_only=True)
class Clash:
    """Two demands that cannot both be met, or one that cannot be met at all (`first` is None)."""

    code: str
    first: Demand | None
    second: Demand


@dataclass(frozen=True, kw_only=True)
class Item:
    """One version of a catalogue item, as far as conditions can ask about it."""

    code: str
    kind: str
    body: str
    category: str = ""
    credits: Decimal | None = None
    framework: str = ""
    level: str = ""
    certificate_level: str = ""
    skill_level: str = ""
    fields: tuple[str, ...] = ()


# -- the ways to meet a condition -------------------------------------------------------------
def ways(condition: Mapping[str, Any], steps: Steps, *, denied: bool = False) -> list[Way]:
    """Return the ways to meet a condition, or to fail it. Raises TooManyWays."""
    if "not" in condition:
        return ways(condition["not"], (*steps, "not"), denied=not denied)
    for member in ("all", "any", "of"):
        if member in condition:
            parts = [
                ((*steps, member, number), ways(part, (*steps, member, number), denied=denied))
                for number, part in enumerate(condition[member])
            ]
            return _joined(parts, _count(condition, member, len(parts), denied=denied))
    name = next(iter(condition))
    return [Way(demands=tuple(one)) for one in _demands(name, condition[name], steps, denied)]


def _count(condition: Mapping[str, Any], member: str, parts: int, *, denied: bool) -> int:
    """Return how many parts have to hold; to fail, so many have to fail that too few are left."""
    needed: int = {"all": parts, "any": 1}.get(member) or condition["n"]
    return parts - needed + 1 if denied else needed


def _joined(parts: Sequence[tuple[Steps, list[Way]]], count: int) -> list[Way]:
    found: list[Way] = []
    for chosen in itertools.combinations(parts, count):
        taken = () if count == len(parts) else tuple(steps for steps, _ in chosen)
        for several in itertools.product(*(them for _, them in chosen)):
            found.append(sum(several, Way(branches=taken)))
            if len(found) > WAYS_MAX:
                raise TooManyWays
    return found


def _demands(name: str, value: Any, steps: Steps, denied: bool) -> Iterator[list[Demand]]:
    """Give the demands of one condition: several lists where it can be met in several ways."""
    place = (*steps, name)
    plain = Demand(feature=(name,), steps=place, value=value, denied=denied)
    if name in ("item", "kind", "body", "category", "programme_field"):
        yield [_listed(plain, value)]
    elif name in ("certificate_level", "skill_level"):
        kind = "x-certificate" if name == "certificate_level" else "skill-level"
        of_kind = replace(plain, feature=("kind",), words=frozenset({kind}), denied=False)
        if denied:
            yield [_listed(plain, value)]
        else:
            yield [_listed(plain, value), of_kind]
    elif name == "grade":
        place_of = value["scale"].index(value["min"])
        scale = value["scale"][:place_of] if denied else value["scale"][place_of:]
        yield [replace(plain, words=frozenset(scale), denied=False)]
    elif name in ("score", "hours", "credits"):
        yield from _spans(plain, _numbers(value, "min", "max"))
    elif name == "completed":
        yield from _spans(plain, _days(value))
    elif name == "level" and "framework" in value:
        framework = replace(
            plain, feature=("framework",), words=frozenset({value["framework"]}), denied=False
        )
        for (one,) in _spans(replace(plain, feature=("level",)), _numbers(value, "min", "max")):
            yield [framework, one]
    elif name == "fact":
        yield from _fact(plain, value)
    else:
        yield [plain]


def _listed(plain: Demand, words: Sequence[str]) -> Demand:
    if plain.denied:
        return replace(plain, barred=frozenset(words), denied=False)
    return replace(plain, words=frozenset(words))


def _fact(plain: Demand, value: Mapping[str, Any]) -> Iterator[list[Demand]]:
    name = value["name"]
    if "is" in value:
        yield [_listed(replace(plain, feature=("fact", name, "text")), value["is"])]
    elif "min" in value or "max" in value:
        numbers = replace(plain, feature=("fact", name, "number"))
        yield from _spans(numbers, _numbers(value, "min", "max"))
    else:
        yield from _spans(replace(plain, feature=("fact", name, "day")), _days(value))


def _numbers(value: Mapping[str, Any], low: str, high: str) -> Span:
    return Span(
        low=Decimal(value[low]) if low in value else None,
        high=Decimal(value[high]) if high in value else None,
    )


def ordinal(day: date) -> Decimal:
    """Return a day as the number it has in a span."""
    return Decimal(day.toordinal())


def _days(value: Mapping[str, str]) -> Span:
    first, last = value.get("from"), value.get("until")
    return Span(
        low=ordinal(date.fromisoformat(first)) if first else None,
        high=ordinal(date.fromisoformat(last)) if last else None,
    )


def _spans(plain: Demand, span: Span) -> Iterator[list[Demand]]:
    """Give a span; denied, what lies below it and what lies above."""
    if not plain.denied:
        yield [replace(plain, span=span)]
        return
    if span.low is not None:
        yield [replace(plain, span=Span(high=span.low, high_strict=True), denied=False)]
    if span.high is not None:
        yield [replace(plain, span=Span(low=span.high, low_strict=True), denied=False)]


# -- whether a way is possible ----------------------------------------------------------------
@dataclass
class _Allowed:
    """What is left of a feature."""

    words: frozenset[str] | None = None
    barred: frozenset[str] = frozenset()
    span: Span = Span()
    last: Demand | None = None

    def add(self, demand: Demand) -> None:
        """Take one more demand in."""
        if demand.words is not None:
            self.words = demand.words if self.words is None else self.words & demand.words
        self.barred |= demand.barred
        if demand.span is not None:
            self.span = self.span.meet(demand.span)

    @property
    def empty(self) -> bool:
        """Whether nothing is left."""
        return self.span.empty or (self.words is not None and not self.words - self.barred)

    def allows(self, word: str) -> bool:
        """Say whether a word is left."""
        return (self.words is None or word in self.words) and word not in self.barred


def clash(
    demands: Sequence[Demand],
    *,
    days: tuple[date, date | None] | None = None,
    catalogue: Mapping[str, Collection[Item]] | None = None,
) -> Clash | None:
    """Return why demands cannot all be met by one outcome; None when nothing is found.

    `days` are those on which the law's day may lie, `catalogue` the versions of
    each item by its code.
    """
    left: dict[Feature, _Allowed] = {}
    for demand in demands:
        allowed = left.setdefault(demand.feature, _Allowed())
        allowed.add(demand)
        if allowed.empty:
            return Clash(code="contradiction", first=allowed.last, second=demand)
        allowed.last = demand
    return (
        _denied(demands)
        or _held(demands, catalogue)
        or (_window(demands, left, days) if days else None)
        or (_no_item(left, catalogue) if catalogue is not None else None)
    )


def _denied(demands: Sequence[Demand]) -> Clash | None:
    """Find a demand that is made and denied in the same words."""
    for first, second in itertools.combinations(demands, 2):
        same = (first.feature, first.value) == (second.feature, second.value)
        if same and first.denied != second.denied:
            return Clash(code="contradiction", first=first, second=second)
    return None


def _held(
    demands: Sequence[Demand], catalogue: Mapping[str, Collection[Item]] | None
) -> Clash | None:
    for demand in demands:
        if demand.feature == ("held",) and not demand.denied:
            inner = first_clash(demand.value, demand.steps, catalogue=catalogue)
            if inner is not None:
                return inner
    return None


def first_clash(
    condition: Mapping[str, Any],
    steps: Steps,
    *,
    catalogue: Mapping[str, Collection[Item]] | None = None,
) -> Clash | None:
    """Return why no outcome at all can meet a condition; None when one may."""
    try:
        found = [clash(way.demands, catalogue=catalogue) for way in ways(condition, steps)]
    except TooManyWays:
        return None
    return found[0] if all(found) else None


def _window(
    demands: Sequence[Demand], left: Mapping[Feature, _Allowed], days: tuple[date, date | None]
) -> Clash | None:
    """Hold days of completion against the days on which the rule can be the law."""
    first, last = days
    completed = left.get(("completed",))
    if completed is None or completed.last is None:
        return None
    span = completed.span
    if last is not None and span.low is not None and span.low > ordinal(last):
        return Clash(code="window-impossible", first=None, second=completed.last)
    if span.high is None:
        return None
    latest = date.fromordinal(int(span.high))
    for demand in demands:
        aged = demand.feature == ("age",) and not demand.denied
        if aged and last_day(latest, **demand.value) < first:
            return Clash(code="window-impossible", first=completed.last, second=demand)
    return None


def _no_item(
    left: Mapping[Feature, _Allowed], catalogue: Mapping[str, Collection[Item]]
) -> Clash | None:
    """Find that no item named is what else is asked for. Items not in the catalogue may be anything."""
    items = left.get(("item",))
    if items is None or items.words is None or items.last is None:
        return None
    for code in items.words - items.barred:
        versions = catalogue.get(code)
        if not versions or any(_is(version, left) for version in versions):
            return None
    return Clash(code="no-item-meets", first=None, second=items.last)


def _is(item: Item, left: Mapping[Feature, _Allowed]) -> bool:
    for name in ("kind", "body", "category", "certificate_level", "skill_level", "framework"):
        allowed = left.get((name,))
        if allowed is not None and not allowed.allows(getattr(item, name)):
            return False
    credits, level = left.get(("credits",)), left.get(("level",))  # noqa: A001
    if credits is not None and item.credits is not None and not credits.span.holds(item.credits):
        return False
    return level is None or not item.level.isdigit() or level.span.holds(Decimal(item.level))
