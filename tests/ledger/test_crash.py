"""Writer, signer and PostgreSQL die at random; what was acknowledged stays.

`make campaign` does the same with twenty kills of each.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.timeout(300)
def test_nothing_acknowledged_is_lost_doubled_or_gapped() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.campaign.crash", "--kills", "3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(json.dumps(done.stdout.splitlines()))
    assert "kills of postgres: 3" in done.stdout
