"""`manage.py erase_remains`: rewrite the tables in which forgotten people have left dead rows."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from learners import remains


class Command(BaseCommand):
    help = "Rewrite the tables that forgetting changes. Run it as the role that owns them."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            remains.erase(self.stdout.write)
        except remains.NotTheOwner as error:
            table = error.facts["table"]
            raise CommandError(f"{table} is another role's; run this as bank_owner") from error
