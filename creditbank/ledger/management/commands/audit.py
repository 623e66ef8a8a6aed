"""`manage.py audit`: read the whole ledger again and check every invariant."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from creditbank.ledger.audit import audit
from creditbank.securitylog.verification import verify


class Command(BaseCommand):
    help = "Audit the whole ledger; name the first wrong index; exit 1 when anything is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--processes", type=int, help="how many read at the same time; as many as cores"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        began = last = time.monotonic()

        def progress(done: int, total: int) -> None:
            nonlocal last
            if time.monotonic() - last >= 1:
                last = time.monotonic()
                rate = done / (last - began)
                self.stderr.write(f"{done} / {total} leaves, {rate:,.0f}/s")

        report = audit(progress=progress, processes=options["processes"])
        seconds = time.monotonic() - began
        self.stdout.write(
            f"{report.size} leaves: {report.manifests} manifests, {report.entries} entries"
            f" ({report.opened} opened, {report.forgotten} of persons forgotten),"
            f" {report.tiles} tiles, {report.checkpoints} checkpoints, in {seconds:.1f} s"
        )
        chain = verify()
        self.stdout.write(f"{chain.events} security events.")
        if not report.findings and not chain.findings:
            self.stdout.write("Every invariant holds.")
            return
        for wrong in chain.findings:
            self.stderr.write(f"security log: {wrong}")
        for finding in report.findings:
            self.stderr.write(str(finding))
        if report.first_wrong_index is not None:
            self.stderr.write(f"The first wrong index is {report.first_wrong_index}.")
        self.stderr.write(f"{len(report.findings) + len(chain.findings)} findings.")
        sys.exit(1)
