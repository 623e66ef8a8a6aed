"""`python -m creditbank.services.checks`: Django's own checks, as production would see them.

That no model has changed without its migration, and that the production
profile passes `check --deploy` without a warning. Both run against real
services of their own, gone afterwards.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from creditbank.services import stack
from creditbank.services.errors import ServiceError
from creditbank.services.places import CLONE

PRODUCTION: Final = {
    "DJANGO_SETTINGS_MODULE": "creditbank.settings",
    "DJANGO_DEBUG": "0",
    "BANK_DEMO": "0",
    "STAFF_SECOND_FACTOR": "1",
    "BANK_ID": "bank.example",
    "PUBLIC_URL": "https://bank.example",
    "ALLOWED_HOSTS": "bank.example",
    "BEHIND_TLS_PROXY": "1",
}
COMMANDS: Final = (
    ("makemigrations", "--check", "--dry-run"),
    ("check", "--deploy", "--fail-level", "WARNING"),
)


def run(services: stack.Stack) -> int:
    """Run every command; return 0 when all of them passed."""
    environment = services.child_environment(**PRODUCTION)
    worst = 0
    for command in COMMANDS:
        print("manage.py", *command, flush=True)
        done = subprocess.run(
            [sys.executable, "-W", "error", "manage.py", *command],
            cwd=CLONE,
            env=environment,
            check=False,
        )
        worst = max(worst, abs(done.returncode))
    return worst


def main() -> int:
    """Run the checks in a folder of their own."""
    home = Path(tempfile.mkdtemp(prefix="creditbank-checks-"))
    home.chmod(0o711)
    outside = {key: value for key, value in os.environ.items() if key not in stack.VARIABLES}
    try:
        with stack.Stack(home, durable=False, outside=outside) as services:
            return run(services)
    except ServiceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
