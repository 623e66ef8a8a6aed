"""Fill the demo's database with its invented province; run again, it changes nothing.

    BANK_DEMO=1 manage.py seed [--folder FOLDER]

The folder (default: DEMO_DIR) takes the files that the institutions hand in, and
accounts.txt with the passwords. The home page shows how far it is.
"""

from __future__ import annotations

import logging
import os
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from creditbank.demo import seed
from creditbank.errors import DomainError
from creditbank.signer.client import SignerError

LOUD: Final = 2
"""From this verbosity on the log is shown as well."""


@contextmanager
def _quietly(verbosity: int) -> Iterator[None]:
    """Leave the operations' log lines out, which would bury the steps among them."""
    before = logging.root.manager.disable
    if verbosity < LOUD:
        logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


class Command(BaseCommand):
    help = "写入演示数据：虚构的机构、人员和学习成果。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--folder",
            type=Path,
            default=Path(os.environ.get("DEMO_DIR") or settings.BASE_DIR / ".demo"),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.BANK_DEMO:
            raise CommandError("演示数据只写入演示库：请设 BANK_DEMO=1 / set BANK_DEMO=1")
        started = time.monotonic()
        try:
            with _quietly(options["verbosity"]):
                seeded = seed.seed(options["folder"].absolute(), self._say)
        except (DomainError, SignerError) as error:
            raise CommandError(f"{error.code}: {error} {error.facts}") from error
        if seeded:
            self._say(f"完成，用时 {time.monotonic() - started:.1f} 秒 / done")
        else:
            self._say("演示数据已在库中，没有改动 / already seeded, nothing changed")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
