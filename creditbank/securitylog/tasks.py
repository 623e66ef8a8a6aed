"""What the security log does every night."""

from __future__ import annotations

import logging

from celery import shared_task

from creditbank.securitylog.verification import verify

logger = logging.getLogger(__name__)


@shared_task(  # type: ignore[untyped-decorator]  # Celery has no types
    name="creditbank.securitylog.verify", soft_time_limit=3600, time_limit=3660
)
def verify_chain() -> None:
    """Read the whole chain again; a finding is an error in the log."""
    report = verify()
    for finding in report.findings:
        logger.error("security log: %s", finding)
    logger.info("security log: %s events, %s findings", report.events, len(report.findings))
