"""Going through all solutions of a small part (pure)."""

from __future__ import annotations

from creditbank.recognition.planning.exact.models import SolverInconsistent
from creditbank.recognition.planning.exact.parts import Part


def searched(part: Part) -> list[int]:
    """Return the best values of columns that are 0 or 1."""
    gains = part.gains()
    order = sorted(range(len(gains)), key=lambda column: (-gains[column], column))
    rows = [([row.weights.get(column, 0) for column in order], row.most) for row in part.rows]
    room = [_room(weights, most) for weights, most in rows]
    hope = [0] * (len(order) + 1)
    for at in range(len(order) - 1, -1, -1):
        hope[at] = hope[at + 1] + max(0, gains[order[at]])
    best: list[int] = []
    best_gain = -1 - sum(abs(gain) for gain in gains)
    chosen: list[int] = []

    def go(at: int, gain: int, given: list[int]) -> None:
        nonlocal best, best_gain
        if gain + hope[at] <= best_gain:
            return
        if at == len(order):
            best, best_gain = chosen.copy(), gain
            return
        for value in (1, 0):
            after = given
            if value:
                after = [sum_ + weights[at] for sum_, (weights, _) in zip(given, rows, strict=True)]
            if all(sum_ <= left[at + 1] for sum_, left in zip(after, room, strict=True)):
                chosen.append(value)
                go(at + 1, gain + value * gains[order[at]], after)
                chosen.pop()

    go(0, 0, [0] * len(rows))
    if not best:
        raise SolverInconsistent("a part has no solution")
    values = [0] * len(order)
    for at, column in enumerate(order):
        values[column] = best[at]
    return values


def _room(weights: list[int], most: int) -> list[int]:
    """Return by place what may have been given before it: what comes after can take some off again."""
    room = [most] * (len(weights) + 1)
    for at in range(len(weights) - 1, -1, -1):
        room[at] = room[at + 1] - min(0, weights[at])
    return room
