"""`manage.py messages`: collect the sentences, compile the English ones, check that none lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from creditbank import mofile

ROOT = Path(__file__).resolve().parents[4]
PO = ROOT / "locale" / "en" / "LC_MESSAGES" / "django.po"


class Command(BaseCommand):
    """Keep the English sentences complete. Only `compile` works without the developers' Babel."""

    help = "extract: bring the .po file up to date; compile: write the .mo file; check: find faults"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=("extract", "compile", "check"))
        parser.add_argument(
            "--from",
            dest="fragments",
            nargs="*",
            type=Path,
            default=[],
            help="further .po files whose English sentences are taken up (with extract)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        match options["action"]:
            case "extract":
                self._extract(options["fragments"])
            case "compile":
                target = mofile.compile_file(PO)
                self.stdout.write(f"wrote {target.relative_to(ROOT)}")
            case _:
                self._check()

    def _extract(self, fragments: list[Path]) -> None:
        from creditbank import i18n

        found = i18n.extracted()
        known = [i18n.translations(), *(i18n.translations(path) for path in fragments)]
        catalog = i18n.merged(found, *known)
        i18n.save(catalog)
        mofile.compile_file(PO)
        missing = [message for message in catalog if message.id and not message.string]
        self.stdout.write(f"{len(catalog)} sentences, {len(missing)} of them without English")

    def _check(self) -> None:
        from creditbank import i18n

        faults = i18n.check()
        for fault in faults:
            self.stderr.write(str(fault))
        if faults:
            raise CommandError(f"{len(faults)} faults in the translations")
        self.stdout.write("every sentence has its English one")
