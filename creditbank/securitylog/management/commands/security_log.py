"""`manage.py security_log`: verify the chain of security events, or export it to a file."""

from __future__ import annotations

import json
import os
from datetime import UTC
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from creditbank.securitylog.kinds import EventKind
from creditbank.securitylog.operations import record
from creditbank.securitylog.verification import Mark, events, verify


class Command(BaseCommand):
    help = (
        "verify: check every event; export: write events as JSON lines. Exit 1 when any is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=("verify", "export"))
        parser.add_argument("file", nargs="?", type=Path, help="the file to write, with export")
        parser.add_argument(
            "--after", default="", help="SEQ or, to verify, SEQ:MAC: where an archived part ended"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        seq, _, mac = str(options["after"]).partition(":")
        if seq and not seq.isdecimal():
            raise CommandError("--after SEQ or SEQ:MAC")
        if options["action"] == "export":
            self._export(options["file"], int(seq or 0))
            return
        after = Mark(seq=int(seq), mac=bytes.fromhex(mac)) if seq else None
        report = verify(after=after)
        for finding in report.findings:
            self.stderr.write(finding)
        if report.findings:
            raise CommandError(f"{len(report.findings)} findings in {report.events} events")
        self.stdout.write(
            f"{report.events} security events, the chain is whole;"
            f" it ends at {report.end.seq}:{report.end.mac.hex()}"
        )

    def _export(self, file: Path | None, after: int) -> None:
        if file is None:
            raise CommandError("export needs a file")
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise CommandError(f"{file} is already there") from None
        count = 0
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            for seq, at, kind, actor, facts, previous, mac in events(after):
                line = {
                    "seq": seq,
                    "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
                    "kind": kind,
                    "actor": actor,
                    "facts": json.loads(facts),
                    "previous": bytes(previous).hex(),
                    "mac": bytes(mac).hex(),
                }
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
                count += 1
        record(EventKind.EXPORTED, actor=None, what="security-log", count=count)
        self.stdout.write(f"{count} security events written")
