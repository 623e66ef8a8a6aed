"""The Celery app: a hint that work exists. The database holds the truth (see `creditbank.jobs`)."""

from __future__ import annotations

import logging.config
import os

from celery import Celery, signals
from django.conf import settings

from creditbank import interpreter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "creditbank.settings")

app = Celery("creditbank")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def _tune(**_: object) -> None:
    interpreter.tune()


signals.worker_process_init.connect(_tune, weak=False)


@signals.setup_logging.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _log_as_the_web_does(**_: object) -> None:
    """Keep Celery from putting its own handlers in, which write whole exceptions."""
    logging.config.dictConfig(settings.LOGGING)
