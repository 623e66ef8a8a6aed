"""`manage.py export_log`: write the published log to a folder or a store."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.files.storage import InvalidStorageError, storages
from django.core.management.base import BaseCommand, CommandError

from creditbank.errors import DomainError
from creditbank.ledger import export
from creditbank.signer.export import Exporter, FolderExporter

TELL_EVERY: Final = 100


class Command(BaseCommand):
    """Export tiles, entry bundles and, last, the checkpoint."""

    help = (
        "Write the published log (C2SP tlog-tiles) to FOLDER, or to the store of the alias "
        "--storage in STORAGES. Without either: the store that LOG_EXPORT_STORAGE names."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a folder or a store's alias."""
        parser.add_argument("folder", nargs="?", type=Path)
        parser.add_argument("--storage", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        """Export, telling on standard error how many files are written."""
        exporter = self._exporter(options["folder"], options["storage"])
        files = 0

        def wrote(path: str) -> None:
            nonlocal files
            files += 1
            if files % TELL_EVERY == 0:
                self.stderr.write(f"{files} files, now {path}")

        try:
            leaves = export.export(exporter, wrote=wrote)
        except DomainError as error:
            facts = "; ".join(f"{name}: {value}" for name, value in error.facts.items())
            raise CommandError(f"{error.code}: {facts}") from error
        self.stdout.write(f"{leaves} leaves exported in {files} files")

    def _exporter(self, folder: Path | None, alias: str) -> Exporter:
        if folder is not None and alias:
            raise CommandError("give a folder or --storage, not both")
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            return FolderExporter(folder)
        alias = alias or settings.LOG_EXPORT_STORAGE
        if not alias:
            raise CommandError("give a folder, or set LOG_EXPORT_STORAGE")
        try:
            return export.StorageExporter(storages[alias])
        except InvalidStorageError as error:
            raise CommandError(str(error)) from error
