"""A demo bank: its settings, its folder, and the command that fills it as a program of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.environment import valkey

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def demo_folder(tmp_path: Path, settings: Any) -> Path:
    """The demo's folder, in a process that is set to be a demo."""
    settings.BANK_DEMO = True
    settings.STAFF_SECOND_FACTOR = False
    return tmp_path / "demo"


StartSeed = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def start_seed(db: Any, bank_home: Path, demo_folder: Path) -> StartSeed:
    """Starts `manage.py seed` as `make demo` does."""

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "manage.py", "seed"],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": db.app_url,
                "REDIS_URL": valkey.url(0),
                "BANK_HOME": str(bank_home),
                "BANK_DEMO": "1",
                "STAFF_SECOND_FACTOR": "0",
                "DEMO_DIR": str(demo_folder),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start
