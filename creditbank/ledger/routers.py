"""Learner keys live in a schema of their own, and may live in a database of their own."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

KEYS = "keys"


class KeysRouter:
    """Send `LearnerKey`, and nothing else, to the alias `keys`."""

    def _alias(self, model: type[Model]) -> str:
        return KEYS if model._meta.label_lower == "ledger.learnerkey" else "default"

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        """Read a model from the alias it lives in."""
        return self._alias(model)

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        """Write a model to the alias it lives in."""
        return self._alias(model)

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool:
        """Create the key table in its own alias, all others in the default one."""
        if hints.get("keys"):
            return db == KEYS
        if app_label == "ledger" and model_name == "learnerkey":
            return db == KEYS
        return db == "default"
