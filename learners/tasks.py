"""What is done for learners after the fact."""

from __future__ import annotations

from celery import shared_task

from learners import operations


@shared_task(name="learners.finish_forgetting")  # type: ignore[untyped-decorator]  # no types
def finish_forgetting() -> None:
    """Finish what a crash left of a learner who was being forgotten."""
    operations.finish_forgetting()
