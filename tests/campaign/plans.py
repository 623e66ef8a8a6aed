"""Plans of many more random instances than the suite has time for.

    python -m tests.campaign.plans [--brute 20000] [--huge 300] [--from 100000]

Each way of the solver is held against brute force: as it is; with nothing searched
through; with HiGHS deciding everything; with few preferences at a time; with
linked columns. Huge instances are counted by hand. And each constraint taken out
of the engine alone must make some plan differ from brute force, which still knows it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from creditbank.recognition.planning import limits, planmodel
from creditbank.recognition.planning.exact import branching, solving
from tests.recognition.plan.comparing import as_brute_force, by_hand
from tests.recognition.plan.instances import HUGE, MIDDLE, instance

WAYS: dict[str, dict[tuple[Any, str], int]] = {
    "as it is": {},
    "relaxations alone": {(solving, "SEARCHED"): 0},
    "HiGHS alone": {
        (solving, "SEARCHED"): 0,
        (branching, "SUPPOSING"): 0,
        (branching, "STEPS"): 0,
        (branching, "PER_COLUMNS"): 10**9,
    },
    "few at a time": {
        (solving, "SEARCHED"): 0,
        (branching, "SUPPOSING"): 3,
        (branching, "STEPS"): 3,
        (branching, "RADIX"): 8,
        (branching, "PER_COLUMNS"): 10**9,
    },
    "linked columns": {(solving, "SEARCHED"): 0, (planmodel, "PATTERNS"): 0},
}
SECONDS = 20.0
"""For one huge instance; after that it is counted as it is."""


@contextmanager
def set_to(changes: dict[tuple[Any, str], int]) -> Iterator[None]:
    """Give constants other values for a while."""
    before = {key: getattr(*key) for key in changes}
    try:
        for (module, name), value in changes.items():
            setattr(module, name, value)
        yield
    finally:
        for (module, name), value in before.items():
            setattr(module, name, value)


def against_brute_force(first: int, count: int) -> int:
    bad = 0
    for way, changes in WAYS.items():
        with set_to(changes):
            for seed in range(first, first + count // len(WAYS)):
                try:
                    as_brute_force(instance(seed, MIDDLE))
                except (AssertionError, RuntimeError) as error:
                    bad += 1
                    print(f"{way}: seed {seed}: {type(error).__name__}: {error}", flush=True)
        print(f"{way}: {count // len(WAYS)} plans held against brute force", flush=True)
        first += count
    return bad


def counted_by_hand(first: int, count: int) -> int:
    bad = late = 0
    for seed in range(first, first + count):
        try:
            late += by_hand(instance(seed, HUGE), seconds=SECONDS).state != "optimal"
        except (AssertionError, RuntimeError) as error:
            bad += 1
            print(f"huge: seed {seed}: {type(error).__name__}: {error}", flush=True)
    print(f"huge: {count} plans counted by hand, {late} not proved", flush=True)
    return bad


def each_taken_out(first: int) -> int:
    """Take each constraint out; brute force must find a plan that differs."""
    bad = 0
    for registry in (limits.ALWAYS, limits.CONSTRAINTS):
        held: dict[str, Any] = dict(registry)
        for name in held:
            registry[name] = lambda *_: iter(())
            found = next((seed for seed in range(first, first + 400) if _differs(seed)), None)
            registry[name] = held[name]
            bad += found is None
            print(f"without {name}: {'NOT NOTICED' if found is None else f'seed {found}'}")
    return bad


def _differs(seed: int) -> bool:
    try:
        as_brute_force(instance(seed, MIDDLE))
    except (AssertionError, RuntimeError):
        return True
    return False


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.plans")
    parser.add_argument("--brute", type=int, default=20_000)
    parser.add_argument("--huge", type=int, default=300)
    parser.add_argument("--from", type=int, default=100_000, dest="first")
    options = parser.parse_args(arguments)
    bad = each_taken_out(options.first)
    bad += against_brute_force(options.first, options.brute)
    bad += counted_by_hand(options.first, options.huge)
    print(f"{bad} problems", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
