"""Many runs of the state machine of recognition, each world of them in a process of its own.

    python -m tests.campaign.machine [--runs 500] [--steps 50] [--seed N]

A run has two new learners and so many steps: awards, requests, decisions,
appeals, reversals, expiries, new versions of rules, days. After each step bank
and book agree; at the end of a run every decision is computed again, at the end
of a world the ledger is audited.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
TEST: Final = "tests/recognition/test_state_machine.py"
RUNS_IN_A_WORLD: Final = 20
"""Rules only ever get more versions: a fresh world keeps a step as quick as the first."""


def run(*, runs: int, steps: int, seed: int) -> int:
    """Run so many runs; return the exit code of the first world that fails."""
    done = 0
    while done < runs:
        part = min(RUNS_IN_A_WORLD, runs - done)
        failed = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-s", "-n", "0", "--show-capture=no", TEST],
            cwd=ROOT,
            env={
                **os.environ,
                "MACHINE_RUNS": str(part),
                "MACHINE_STEPS": str(steps),
                "MACHINE_SEED": str(seed + done),
            },
            stderr=subprocess.DEVNULL,
            check=False,
        ).returncode
        if failed:
            print(f"machine: a world of seed {seed + done} failed", flush=True)
            return failed
        done += part
        print(f"machine: {done} of {runs} runs, {steps} steps each", flush=True)
    return 0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.machine")
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args(argv)
    print(f"seed {options.seed}", flush=True)
    return run(runs=options.runs, steps=options.steps, seed=options.seed)


if __name__ == "__main__":
    sys.exit(main())
