"""The plan is the best of all plans: held against brute force on random small instances."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from creditbank.recognition.planning import plan, planmodel
from creditbank.recognition.planning.exact import branching, solving
from tests.recognition.plan.comparing import as_brute_force, lines
from tests.recognition.plan.instances import MIDDLE, SMALL, instance

BLOCK = 250


@pytest.mark.parametrize("block", range(8))
def test_a_plan_is_the_best_of_all_in_value_and_tie_break(block: int) -> None:
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        as_brute_force(instance(seed, SMALL))


def test_larger_plans_are_the_best_of_all_too() -> None:
    for seed in range(250):
        as_brute_force(instance(seed, MIDDLE))


@pytest.mark.parametrize(
    ("supposing", "steps", "radix"), [(12, 10, 10**6), (0, 10, 10**6), (2, 1, 12)]
)
def test_the_solver_alone_finds_them_on_each_of_its_ways(
    supposing: int, steps: int, radix: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing searched through; little or nothing supposed; few preferences at a time."""
    monkeypatch.setattr(solving, "SEARCHED", 0)
    monkeypatch.setattr(branching, "SUPPOSING", supposing)
    monkeypatch.setattr(branching, "STEPS", steps)
    monkeypatch.setattr(branching, "RADIX", radix)
    for seed in range(5000, 5200):
        as_brute_force(instance(seed, SMALL))


def test_uses_with_too_many_sets_of_grants_for_a_column_each_are_linked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(planmodel, "PATTERNS", 0)
    for seed in range(6000, 6150):
        as_brute_force(instance(seed, MIDDLE))


def test_the_order_of_the_inputs_does_not_matter() -> None:
    for seed in range(150):
        made = instance(seed, MIDDLE)
        chance = random.Random(seed)
        shuffled = replace(
            made,
            findings=tuple(chance.sample(made.findings, len(made.findings))),
            rules=tuple(chance.sample(made.rules, len(made.rules))),
            evidence=tuple(chance.sample(made.evidence, len(made.evidence))),
            earlier=tuple(chance.sample(made.earlier, len(made.earlier))),
        )
        one = plan.best(**made.asked(), limit_seconds=None)
        other = plan.best(**shuffled.asked(), limit_seconds=None)
        assert one.lines == other.lines
        assert one.left_out == other.left_out


def test_the_instances_hold_everything_that_a_plan_can_meet() -> None:
    """A property of instances that never hold a constraint would say nothing of it."""
    met: Counter[str] = Counter()
    for seed in range(400):
        made = instance(seed, SMALL)
        found = plan.best(**made.asked(), limit_seconds=None)
        for left in found.left_out:
            for obstacle in left.obstacles:
                met[obstacle.code] += 1
                met[obstacle.pointer.rpartition("/")[2]] += obstacle.code in ("cap", "exclusive")
        uses = {(one.rule, one.leaves) for one in found.lines}
        met["several sources"] += any(len(leaves) > 1 for _, leaves in uses)
        met["several grants"] += len(uses) < len(found.lines)
        met["waived"] += any(one.grant.waived for one in found.lines)
        met["surplus"] += any(one.grant.surplus > 0 for one in found.lines)
        met["earlier"] += bool(made.earlier) and bool(found.lines)
        met["spills"] += any(one.spills_to for one in made.programme.categories)
    assert min(
        met[name]
        for name in (
            "cap", "credits", "outcomes", "courses", "share", "bucket", "exclusive", "items",
            "same_name", "highest", "residency", "never", "never-unknown", "not-replaceable",
            "once", "one-source", "native", "lapsed", "at-most", "worse", "no-gain",
            "several sources", "several grants", "waived", "surplus", "earlier", "spills",
        )
    ) >= 5, met  # fmt: skip


def test_the_same_tuples_in_other_pairs_are_told_apart() -> None:
    """Found by hand: two ways to pair outcomes under one rule, the same tuples in both."""
    from tests.recognition.make import course, outcome, programme, rule
    from tests.recognition.planned import planned

    pair = rule(
        {"n": 2, "of": [{"outcome": {"kind": ["training"]}}, {"outcome": {"kind": ["training"]}}]},
        [{"category": "elective", "credits": "4"}],
    )
    held = [outcome(f"T-{n}", kind="training") for n in range(4)]
    made = planned([pair], *held, programme=programme(course("A")))
    assert [one.leaves for one in made.lines] == [
        (held[0].leaf, held[1].leaf),
        (held[2].leaf, held[3].leaf),
    ]
    assert lines(made) == lines(planned([pair], *reversed(held), programme=programme(course("A"))))
