"""What credits count towards a programme: each category up to what it asks for, the rest spilled (pure).

Everything here is in the ledger's unit, 1/100 credit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from creditbank.ledger.statements import hundredths
from creditbank.recognition.engine.findings import Grant
from creditbank.recognition.language.programmes import Category, Programme


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Credits counted. `spilled` is what each category passed on, `lost` what counts nowhere."""

    counted: Mapping[str, int]
    spilled: Mapping[str, int]
    lost: int
    total: int
    """All that counts, at most the programme's total."""


def spills_to(category: Category) -> str:
    """Return the category that what is beyond the asked credits counts in; nothing: it is lost."""
    return category.spills_to


def downstream(programme: Programme) -> Iterator[tuple[str, int, str]]:
    """Give each category, what it asks for and where its excess goes; sources before their targets.

    Raises ValueError when the ways of spilling go round in a circle.
    """
    ways = {category.code: SPILLS["spills_to"](category) for category in programme.categories}
    asked = {category.code: hundredths(category.credits) for category in programme.categories}
    into = dict.fromkeys(ways, 0)
    for to in ways.values():
        if to:
            into[to] += 1
    ready = [code for code, sources in into.items() if not sources]
    for code in ready:
        to = ways[code]
        yield code, asked[code], to
        if to:
            into[to] -= 1
            if not into[to]:
                ready.append(to)
    if len(ready) < len(ways):
        raise ValueError("the ways of spilling go round in a circle")


def tally(programme: Programme, given: Mapping[str, int]) -> Tally:
    """Count what is given to each category."""
    into = {category.code: given.get(category.code, 0) for category in programme.categories}
    counted: dict[str, int] = {}
    spilled: dict[str, int] = {}
    lost = 0
    for code, ask, to in downstream(programme):
        counted[code] = min(ask, into[code])
        beyond = into[code] - counted[code]
        if to:
            spilled[code] = beyond
            into[to] += beyond
        else:
            lost += beyond
    total = min(hundredths(programme.total), sum(counted.values()))
    return Tally(counted=counted, spilled=spilled, lost=lost, total=total)


def given(programme: Programme, native: Iterable[str], grants: Iterable[Grant]) -> dict[str, int]:
    """Return by category what native courses and grants give; a course gives once.

    A course that is met natively gives its own credits, whatever was recognised
    for it; what went beyond the course then still counts where it went.
    """
    found = {category.code: 0 for category in programme.categories}
    met = set(native)
    for code in sorted(met):
        course = programme.course(code)
        if course is not None:
            found[course.category] += hundredths(course.credits)
    for grant in grants:
        course = programme.course(grant.course)
        if course is None:
            category = grant.category
        else:
            category = "" if course.code in met else course.category
            met.add(course.code)
        for to, credits_ in ((category, grant.credits), (grant.surplus_category, grant.surplus)):
            if to in found:
                found[to] += hundredths(credits_)
    return found


SPILLS: Final[dict[str, Callable[[Category], str]]] = {"spills_to": spills_to}
"""How excess goes on, by its name in a programme."""
