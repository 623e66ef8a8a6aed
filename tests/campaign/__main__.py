"""`make campaign`: what takes too long for every run.

Every construct of a rule is taken out once, to see the test of its kind fail; many
plans are held against brute force and counted by hand; the API is fuzzed deeply;
recognition is driven through many random histories; writer, signer and database are
killed many times.

    python -m tests.campaign [--kills 20] [--fuzz-seconds 600] [--machine-runs 500] [--seed N]

Prints the seed first, with which a run can be repeated, and the counts last.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from tests.campaign import constructs, crash, machine, plans

MACHINE_STEPS = 50
FUZZ_EXAMPLES = 300
"""For each operation, with good input and with bad."""


def fuzz(*, seconds: float, seed: int) -> int:
    """Send the API many more requests than each run does; return the exit code."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "tests/api/test_fuzz.py"],
        cwd=crash.ROOT,
        env={
            **os.environ,
            "FUZZ_SECONDS": str(seconds),
            "FUZZ_EXAMPLES": str(FUZZ_EXAMPLES),
            "FUZZ_SEED": str(seed),
        },
        check=False,
    ).returncode


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--fuzz-seconds", type=float, default=600.0)
    parser.add_argument("--machine-runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    held = constructs.main([]) or plans.main([])
    agreed = machine.run(runs=options.machine_runs, steps=MACHINE_STEPS, seed=options.seed)
    # Before the crashes, which change the environment.
    fuzzed = fuzz(seconds=options.fuzz_seconds, seed=options.seed) if options.fuzz_seconds else 0
    crash.tell(crash.Campaign(kills=options.kills, seed=options.seed).run())
    return held or agreed or fuzzed


if __name__ == "__main__":
    sys.exit(main())
