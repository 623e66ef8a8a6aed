"""`manage.py found_bank`: enter the genesis at indexes 0 and 1. Done twice, entered once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from creditbank.ledger import operations, queries


class Command(BaseCommand):
    help = "Found the bank: enter its genesis and wait for the first checkpoint."

    def handle(self, *args: Any, **options: Any) -> None:
        receipt = operations.found_bank()
        queries.wait_until_published(receipt.size, timeout=60)
        self.stdout.write(f"Founded: the genesis stands at index {receipt.first_index}.")
