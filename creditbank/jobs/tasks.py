"""The two Celery tasks: run one outbox row, and send again what is due."""

from __future__ import annotations

from celery import shared_task

from creditbank.jobs import outbox


@shared_task(name=outbox.RUN)  # type: ignore[untyped-decorator]  # Celery has no types
def run(pk: int) -> None:
    """Run one outbox row."""
    outbox.run(pk)


@shared_task(name="creditbank.jobs.sweep")  # type: ignore[untyped-decorator]  # likewise
def sweep() -> None:
    """Send again what is due."""
    outbox.sweep()
