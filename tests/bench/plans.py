"""The best plan: how long it takes, and what engines lose that take one rule after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from creditbank import interpreter
from creditbank.recognition.planning import plan
from tests.bench.rig import Table, spread, timed
from tests.recognition.plan import greedy, packs
from tests.recognition.plan.packs import Pack

Asked = dict[str, Any]


def plans(table: Table) -> None:
    """Plans of drawn learners, findings given, in an interpreter set as the bank's programs set it."""
    interpreter.tune()
    province = packs.pack(1, 300)
    sixty = _asked(province, 100, lambda _: 60)
    _timed(table, "best plan, 60 outcomes × 300 rules", sixty, goal="p95 ≤ 100 ms")
    _timed(
        table,
        "best plan, 3 to 60 outcomes × 300 rules",
        _asked(province, 116, lambda learner: 3 + learner % 58),
        goal="p95 ≤ 100 ms",
    )
    many = _asked(packs.pack(2, 1000), 40, lambda _: 200)
    _timed(table, "best plan, 200 outcomes × 1,000 rules", many, goal="p95 ≤ 400 ms")
    hard = _asked(packs.hard(3), 20, lambda _: 60)
    _timed(table, "best plan, every outcome fits many rules, 60 × 300", hard, goal="p95 ≤ 300 ms")
    for name, asked in (("60 × 300", sixty), ("every outcome fits many rules", hard)):
        _lost(table, name, asked)


def _asked(pack: Pack, learners: int, outcomes: Callable[[int], int]) -> list[Asked]:
    return [pack.asked(pack.learner(learner, outcomes(learner))) for learner in range(learners)]


def _timed(table: Table, what: str, asked: Sequence[Asked], *, goal: str) -> None:
    """Each plan once a round, warm; of each round the median and the 95th percentile."""
    for one in asked[:3]:
        plan.best(**one, limit_seconds=None)

    def proved(one: Asked) -> None:
        assert plan.best(**one, limit_seconds=None).state == "optimal"

    halves, tails = timed([lambda one=one: proved(one) for one in asked])  # type: ignore[misc]
    found = sum(len(one["findings"]) for one in asked) / len(asked)
    table.add(
        f"{what}, p95",
        spread(tails, " ms"),
        goal=goal,
        against=f"p50 {spread(halves, ' ms')}; {found:.0f} findings",
    )


def _lost(table: Table, name: str, asked: Sequence[Asked]) -> None:
    """Credits that a greedy pass does not find, of those that the best plan does."""
    best = sum((plan.best(**one, limit_seconds=None).credits for one in asked), Decimal(0))
    for words, order in (
        ("rules one by one", greedy.in_order),
        ("the most credits first", greedy.most_first),
    ):
        found = [greedy.counted(one, order) for one in asked]
        lost = 100 * (1 - sum(found, Decimal(0)) / best)
        table.add(
            f"credits lost by a greedy pass, {name}, {words}",
            f"{lost:.2f} %",
            against=f"{best / len(asked):.2f} credits a learner by the best plan",
        )
