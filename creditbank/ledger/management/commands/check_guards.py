"""`manage.py check_guards`: look now whether everything that guards the ledger is in place."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from creditbank.ledger import guard


class Command(BaseCommand):
    help = (
        "Compare triggers, constraints and rights with the checked-in list; exit 1 if any differ."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        problems = guard.check()
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            self.stderr.write("The bank records nothing until this is mended.")
            sys.exit(1)
        self.stdout.write("Everything that guards the ledger is in place.")
