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
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
TEST: Final = "tests/recognition/test_state_machine.py"
RUNS_IN_A_WORLD: Final = 20
"""Rules only ever get more versions: a fresh world keeps a step as quick as the first."""


def run(*, runs: int, steps: int, seed: int) -> int:
    """Run so many runs, a world on each core; return the exit code of the first one that fails."""
    worlds = [
        (seed + done, min(RUNS_IN_A_WORLD, runs - done)) for done in range(0, runs, RUNS_IN_A_WORLD)
    ]
    done = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        began = {pool.submit(_world, first, part, steps): (first, part) for first, part in worlds}
        for ended in as_completed(began):
            first, part = began[ended]
            if failed := ended.result():
                print(f"machine: a world of seed {first} failed", flush=True)
                pool.shutdown(cancel_futures=True)
                return failed
            done += part
            print(f"machine: {done} of {runs} runs, {steps} steps each", flush=True)
    return 0


def _world(seed: int, runs: int, steps: int) -> int:
    """Let one world have so many runs; return the exit code."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "-n", "0", "--show-capture=no", TEST],
        cwd=ROOT,
        env={
            **os.environ,
            "MACHINE_RUNS": str(runs),
            "MACHINE_STEPS": str(steps),
            "MACHINE_SEED": str(seed),
        },
        stderr=subprocess.DEVNULL,
        check=False,
    ).returncode


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
