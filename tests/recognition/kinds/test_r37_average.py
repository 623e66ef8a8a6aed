"""R37, treatment in the average (绩点处理).

Sources H2, C25: transferred and exempted credits are left out of the average.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from creditbank.recognition.deciding import averages
from creditbank.recognition.models import Decision
from creditbank.recognition.workflow import decisions, whatif
from creditbank.recognition.workflow.decisions import Verdict
from tests.recognition.world import World

MARKS = {"map": [{"is": "优秀", "mark": "95"}, {"is": "良好", "mark": "85"}]}


def decided(world: World, *verdicts: Verdict, **procedure: Any) -> Decision:
    world.publish(
        allocation={
            "to": [{"course": "LOG-101", "credits": "4"}, {"course": "LOG-102", "credits": "3"}],
            "mark": MARKS,
        },
        procedure={"mode": "review", **procedure},
    )
    learner = world.learner()
    # 5 credits with 86, natively.
    world.record_native(learner, "REQ-1")
    world.record_certificate(learner, result={"grade": "优秀"})
    return world.decide(world.request(learner), *verdicts)


def average(world: World, decision: Decision) -> Decimal | None:
    found = whatif.look(learner=decision.request.learner, programme=world.programme)
    package = decisions.package_of(decision)
    return averages.average(found.now, found.programme, package.lines)


def test_recognised_credits_are_left_out(bare_world: World) -> None:
    decision = decided(bare_world)
    assert {(line.mark, line.average) for line in decisions.package_of(decision).lines} == {
        ("95", False)
    }
    assert average(bare_world, decision) == 86


def test_excluded_is_what_holds_when_a_rule_says_nothing(bare_world: World) -> None:
    assert average(bare_world, decided(bare_world, gpa="excluded")) == 86


def test_where_the_rule_includes_them_they_count_by_their_credits(bare_world: World) -> None:
    """(5 x 86 + 7 x 95) / 12 = 91.25."""
    assert average(bare_world, decided(bare_world, gpa="included")) == Decimal("91.25")


def test_a_waived_course_never_counts(bare_world: World) -> None:
    """(5 x 86 + 4 x 95) / 9 = 90."""
    decision = decided(
        bare_world,
        Verdict(position=0, verdict="credit"),
        Verdict(position=1, verdict="waived", reason="requirement-met-without-credit"),
        gpa="included",
    )
    assert average(bare_world, decision) == 90
