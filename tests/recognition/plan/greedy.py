"""What engines do that take rules one by one: the first use that fits is taken, for good.

Here to be measured beside the optimum, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from creditbank.ledger.statements import credits_of
from creditbank.recognition.planning import plan
from creditbank.recognition.planning.limits import limits
from creditbank.recognition.planning.tally import given, tally
from creditbank.recognition.planning.uses import Use


def in_order(use: Use) -> Any:
    """Outcome by outcome as they were recorded, the rules in their order."""
    return (use.outcomes[0].index, use.rule)


def most_first(use: Use) -> Any:
    """What gives most before what gives less."""
    return (-sum(use.gives) if not use.choose else -max(use.gives), in_order(use))


def counted(asked: dict[str, Any], order: Callable[[Use], Any]) -> Decimal:
    """Return the credits that a pass in this order adds to what counts."""
    world = plan._world(earlier=(), **asked)
    found = limits(world)
    room = [limit.left for limit in found]
    on: dict[int, list[tuple[int, tuple[int, ...], int]]] = {}
    for number, limit in enumerate(found):
        for draw in limit.draws:
            use = world.candidates[draw.places[0]].use
            on.setdefault(use.number, []).append((number, tuple(draw.places), draw.amount))
    taken = []
    for use in sorted(world.uses, key=order):
        chosen: list[int] = []
        if use.choose:
            for place in use.places:
                if len(chosen) < use.choose and _fits(use, [*chosen, place], room, on):
                    chosen.append(place)
        elif _fits(use, list(use.places), room, on):
            chosen = list(use.places)
        for number, amount in _drawn(use, chosen, on).items():
            room[number] -= amount
        taken += chosen
    before = tally(world.programme, given(world.programme, world.native, ()))
    grants = [world.candidates[place].grant for place in taken]
    after = tally(world.programme, given(world.programme, world.native, grants))
    return credits_of(after.total - before.total)


def _fits(use: Use, chosen: list[int], room: list[int], on: dict[int, Any]) -> bool:
    gives = sum(use.gives[place - use.places.start] for place in chosen)
    if use.most is not None and gives > use.most:
        return False
    drawn = _drawn(use, chosen, on)
    return all(amount <= room[number] for number, amount in drawn.items())


def _drawn(use: Use, chosen: list[int], on: dict[int, Any]) -> dict[int, int]:
    found: dict[int, int] = {}
    for number, places, amount in on.get(use.number, ()):
        if any(place in chosen for place in places):
            found[number] = found.get(number, 0) + amount
    return found
