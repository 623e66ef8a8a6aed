"""`manage.py revoke_transcript NUMBER --reason REASON`: revoke an issued transcript."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from certificates import codes, operations
from certificates.models import Revoking, Transcript
from creditbank.errors import DomainError
from creditbank.signer.client import SignerError


class Command(BaseCommand):
    """Revoke a transcript in the register; every verifier sees it from the next checkpoint on."""

    help = "Revoke an issued transcript. The reason is published with its number."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the number and one of the published reasons."""
        reasons = [value for value in Revoking.values if value != Revoking.SUPERSEDED]
        parser.add_argument("number")
        parser.add_argument("--reason", required=True, choices=reasons)

    def handle(self, *args: Any, **options: Any) -> None:
        """Revoke; done twice, the first time counts."""
        try:
            number = codes.check_number(options["number"])
            transcript = Transcript.objects.filter(number=number).first()
            if transcript is None:
                raise CommandError(f"no transcript {number}")
            receipt = operations.revoke_transcript(
                transcript=transcript, reason=options["reason"], acting_user=None
            )
        except (DomainError, SignerError) as error:
            raise CommandError(f"{error.code}: {error}") from error
        self.stdout.write(f"{number} revoked by register entry {receipt.first_index}")
