"""The demo serves one machine: elsewhere the system check refuses it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from creditbank.demo.checks import demo_is_local, refusals

ROOT = Path(__file__).resolve().parent.parent.parent
URL = "http://localhost:8000"
HERE = {"default": {"HOST": "127.0.0.1"}, "keys": {"HOST": "localhost"}}


def test_a_demo_on_this_machine_is_let_be() -> None:
    assert refusals(public_url=URL, databases=HERE) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://bank.example",
        "http://127.0.0.1:8000",
        "http://localhost.bank.example",
        "http://localhost:8000@bank.example",
        "https://localhost:8000",
        "",
    ],
)
def test_an_address_that_others_can_reach_is_refused(url: str) -> None:
    (found,) = refusals(public_url=url, databases=HERE)
    assert "PUBLIC_URL" in found


@pytest.mark.parametrize("alias", ["default", "keys"])
@pytest.mark.parametrize("host", ["db.bank.example", "10.0.0.5", ""])
def test_a_database_elsewhere_is_refused(alias: str, host: str) -> None:
    (found,) = refusals(public_url=URL, databases=HERE | {alias: {"HOST": host}})
    assert alias in found


def test_a_bank_that_is_no_demo_may_be_anywhere(settings: Any) -> None:
    settings.BANK_DEMO = False
    settings.PUBLIC_URL = "https://bank.example"
    assert demo_is_local(None) == []
    settings.BANK_DEMO = True
    assert [message.id for message in demo_is_local(None)] == ["bank.E010"]


def test_no_command_runs_where_the_check_refuses() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "seed"],
        cwd=ROOT,
        env={**os.environ, "BANK_DEMO": "1", "PUBLIC_URL": "https://bank.example"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "bank.E010" in done.stderr
