"""The ledger app."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


def _grant(using: str, **_: Any) -> None:
    from creditbank.ledger import grants
    from creditbank.ledger.routers import KEYS

    grants.apply(connections[using], schema="keys" if using == KEYS else "public")


class LedgerConfig(AppConfig):
    """The account book: entries, proofs, accounts."""

    name = "creditbank.ledger"
    label = "ledger"
    verbose_name = "账本"

    def ready(self) -> None:
        """Set the roles' rights after every migration; import the checks."""
        post_migrate.connect(_grant, sender=self, dispatch_uid="ledger.grants")
