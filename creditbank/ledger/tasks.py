"""What the ledger does every night, and every five minutes. Each task may run twice; the database holds the truth."""

from __future__ import annotations

import logging

from celery import shared_task
from celery.signals import worker_init

from creditbank.clock import today
from creditbank.ledger import guard, operations
from creditbank.ledger.audit import audit

logger = logging.getLogger(__name__)


@shared_task(name="creditbank.ledger.expire")  # type: ignore[untyped-decorator]  # no types
def expire() -> None:
    """Enter the expiry of what was valid until yesterday."""
    operations.expire_credits(on=today())


@shared_task(  # type: ignore[untyped-decorator]  # Celery has no types
    name="creditbank.ledger.audit", soft_time_limit=6 * 3600, time_limit=6 * 3600 + 60
)
def audit_ledger() -> None:
    """Audit the whole ledger; a finding is an error in the log, with its index."""
    report = audit()
    for finding in report.findings:
        logger.error("ledger audit: %s", finding)
    logger.info("ledger audit: %s leaves, %s findings", report.size, len(report.findings))


@shared_task(name="creditbank.ledger.guard")  # type: ignore[untyped-decorator]  # no types
def check_guards() -> None:
    """Look whether triggers, constraints and rights are in place; the bank is read-only if not."""
    guard.check()


@worker_init.connect  # type: ignore[untyped-decorator]  # likewise
def _check_before_working(**_: object) -> None:
    guard.check_at_start()
