"""`manage.py export_trust FOLDER`: write the signed trust list and status snapshot."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from certificates import trustlist
from creditbank.errors import DomainError
from creditbank.signer.client import SignerError

TRUST: Final = "trust.json"
STATUS: Final = "status.json"


class Command(BaseCommand):
    """Write trust.json and status.json, both of the newest checkpoint."""

    help = (
        "Write trust.json and status.json of the newest checkpoint to FOLDER, for verifying "
        "without a network: python -m certificates.verify FILE --trust trust.json "
        "--status status.json"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the folder."""
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write both files, each whole or not at all."""
        folder: Path = options["folder"]
        try:
            size = trustlist.published_size()
            files = {
                TRUST: trustlist.build_trust_list(size),
                STATUS: trustlist.build_status(size),
            }
        except (DomainError, SignerError) as error:
            raise CommandError(f"{error.code}: {error}") from error
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            draft = folder / f".{name}.new"
            draft.write_bytes(data)
            os.replace(draft, folder / name)
        self.stdout.write(f"{', '.join(files)} at size {size} in {folder}")
