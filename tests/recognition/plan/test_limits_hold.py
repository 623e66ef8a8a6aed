"""No constraint is ever broken: plans of large random instances, counted by hand."""

from __future__ import annotations

import pytest

from tests.recognition.plan.comparing import by_hand
from tests.recognition.plan.instances import LARGE, instance

BLOCK = 250


@pytest.mark.parametrize("block", range(8))
def test_no_plan_breaks_a_constraint(block: int) -> None:
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        assert by_hand(instance(seed, LARGE)).state == "optimal"


def test_a_plan_that_ran_out_of_time_breaks_none_either() -> None:
    for seed in range(60):
        by_hand(instance(seed, LARGE), seconds=0)
