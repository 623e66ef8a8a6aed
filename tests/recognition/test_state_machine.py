"""Any order of what can happen: the bank and a small book agree after each step."""

from __future__ import annotations

import os

import pytest

from creditbank.ledger import audit
from tests.recognition.machine import STEPS, Machine
from tests.recognition.world import World

RUNS = int(os.environ.get("MACHINE_RUNS", "10"))
STEPS_EACH = int(os.environ.get("MACHINE_STEPS", "30"))
SEED = int(os.environ.get("MACHINE_SEED", "20270301"))


@pytest.mark.timeout(7200)
def test_the_bank_agrees_with_a_small_book(bare_world: World) -> None:
    machine = Machine(bare_world, seed=SEED)
    for _ in range(RUNS):
        machine.run(STEPS_EACH)
    print(f"seed {SEED}: {machine.taken}")
    if RUNS >= 10:
        assert machine.taken.keys() == STEPS.keys()
    assert audit.audit().findings == []
