"""The solver of small integer programmes, held against going through all values."""

from __future__ import annotations

import itertools
import random
import time

import pytest

from creditbank.recognition.planning.exact import (
    Model,
    SolverInconsistent,
    branching,
    solve,
    solving,
)


def drawn(seed: int) -> Model:
    """Columns in groups of which one is taken at most, rows across them, sums, preferences."""
    chance = random.Random(seed)
    model = Model()
    size = chance.randrange(1, 9)
    columns = [model.column() for _ in range(size)]
    for _ in range(chance.randrange(6)):
        own = chance.sample(columns, chance.randrange(1, size + 1))
        weights = {column: chance.choice((1, 2, 3, 4, 6, -1)) for column in own}
        model.row(weights, most=chance.randrange(12))
    for _ in range(chance.randrange(3)):
        model.maximise({column: chance.randrange(-2, 6) for column in columns})
    rest = chance.sample(columns, size)
    while rest:
        count = chance.randrange(1, 4)
        own, rest = rest[:count], rest[count:]
        model.row(dict.fromkeys(own, 1), most=1)
        preferred = []
        while own:
            alike = chance.randrange(1, 3)
            preferred.append(model.either(own[:alike]))
            own = own[alike:]
        model.prefer(preferred)
    for column in columns:
        model.prefer([column])
    return model


def all_through(model: Model) -> tuple[int, ...]:
    best: tuple[list[int], tuple[int, ...]] | None = None
    for values in itertools.product((0, 1), repeat=len(model.bounds)):
        if any(
            sum(weight * values[column] for column, weight in row.weights.items()) > row.most
            for row in model.rows
        ):
            continue
        merit = [sum(gain * values[c] for c, gain in gains.items()) for gains in model.sums]
        merit += [
            next((len(own) - place for place, column in enumerate(own) if values[column]), 0)
            for own in model.preferences
        ]
        if best is None or merit > best[0]:
            best = (merit, values)
    assert best is not None
    return best[1]


@pytest.mark.parametrize(
    ("searched", "supposing", "steps", "radix"),
    [
        (10, 12, 10, 10**6),
        (0, 12, 10, 10**6),
        (0, 0, 10, 10**6),
        (0, 2, 2, 16),
        (0, 0, 0, 10**6),
        (0, 12, 10, 4),
    ],
)
def test_it_finds_the_best_values(
    searched: int, supposing: int, steps: int, radix: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solving, "SEARCHED", searched)
    monkeypatch.setattr(branching, "SUPPOSING", supposing)
    monkeypatch.setattr(branching, "STEPS", steps)
    monkeypatch.setattr(branching, "RADIX", radix)
    for seed in range(120):
        model = drawn(seed)
        if len(model.bounds) <= 11:
            found = solve(model)
            assert found.proved
            assert found.values == all_through(model), seed


def test_flows_beside_the_choice_are_whole() -> None:
    """Two categories of room 5 and 4, the first spilling into the second, fed by threes."""
    model = Model()
    taken = [model.column() for _ in range(4)]
    first = model.column(most=5, integral=False)
    spilled = model.column(most=7, integral=False)
    second = model.column(most=4, integral=False)
    model.row({first: 1, spilled: 1} | dict.fromkeys(taken, -3), most=0)
    model.row({second: 1, spilled: -1}, most=0)
    model.maximise({first: 1, second: 1})
    model.maximise(dict.fromkeys(taken, -1))
    for column in taken:
        model.prefer([column])
    found = solve(model)
    assert found.values[:4] == (1, 1, 1, 0)
    assert found.values[first] + found.values[second] == 9


def test_after_the_deadline_what_it_began_with_is_not_proved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(solving, "SEARCHED", 0)
    model = drawn(3)
    found = solve(model, deadline=time.monotonic() - 1)
    assert not found.proved
    assert set(found.values) == {0}


def test_a_start_that_is_no_solution_is_refused() -> None:
    model = Model()
    column = model.column()
    model.row({column: 1}, most=0)
    with pytest.raises(SolverInconsistent):
        solve(model, start=[1])


def test_a_column_to_be_chosen_is_0_or_1() -> None:
    with pytest.raises(ValueError):
        Model().column(most=2)


def test_a_sum_that_cannot_be_reached_halfway_is_searched_for() -> None:
    """Odd cycles: every relaxation takes halves, no whole solution reaches its bound."""
    model = Model()
    columns = [model.column() for _ in range(15)]
    for first in range(0, 15, 3):
        for one, other in itertools.combinations(columns[first : first + 3], 2):
            model.row({one: 1, other: 1}, most=1)
    model.row(dict.fromkeys(columns, 1), most=4)
    model.maximise(dict.fromkeys(columns, 2))
    for column in columns:
        model.prefer([column])
    found = solve(model)
    assert found.proved
    assert [n for n, value in enumerate(found.values) if value] == [0, 3, 6, 9]
