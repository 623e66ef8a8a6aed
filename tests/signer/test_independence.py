"""The process that holds the keys knows neither Django nor the rest of the bank."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ALLOWED = {"creditbank", "cryptography", "psycopg", "psycopg_binary", "orjson"}


def test_the_signer_loads_nothing_but_its_few_libraries() -> None:
    program = """
import sys
before = set(sys.modules)
import creditbank.signer.__main__, creditbank.signer.client
print(*sorted(set(sys.modules) - before))
"""
    found = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    bank = {name for name in found if name.startswith("creditbank.")}
    assert {name.split(".")[1] for name in bank} <= {"signer", "proofs", "keystore", "guards"}
    packages = {name.partition(".")[0] for name in found if not name.startswith("_")}
    # psycopg and its C part bring two more along.
    assert packages - set(sys.stdlib_module_names) <= ALLOWED | {
        "typing_extensions",
        "cython_runtime",
    }
    assert "django" not in packages
