"""Long work as a row: created, moved forward, ended. Pages poll it; nothing is lost with Redis."""

from __future__ import annotations

import uuid

from django.db.models import F

from creditbank.clock import now
from creditbank.jobs.models import Job, JobState


def create(kind: str, *, total: int, owner: int | None = None) -> Job:
    """Create a job that waits."""
    return Job.objects.create(kind=kind, total=total, owner=owner, created_at=now())


def step(job_id: uuid.UUID, *, text: str = "", done: int | None = None) -> None:
    """Say what is being done now, and how much of the total is done."""
    changes: dict[str, object] = {"state": JobState.RUNNING}
    if text:
        changes["step"] = text
    if done is not None:
        changes["done"] = done
    Job.objects.filter(pk=job_id).update(**changes)


def succeed(job_id: uuid.UUID, **result: object) -> None:
    """End a job well. `result` holds ids and counts, never personal data."""
    Job.objects.filter(pk=job_id).update(
        state=JobState.SUCCEEDED, done=F("total"), result=result, ended_at=now()
    )


def fail(job_id: uuid.UUID, code: str, **result: object) -> None:
    """End a job badly, with a stable code."""
    Job.objects.filter(pk=job_id).update(
        state=JobState.FAILED, error_code=code, result=result, ended_at=now()
    )


def newest(kind: str) -> Job | None:
    """Return the newest job of a kind."""
    return Job.objects.filter(kind=kind).order_by("-created_at").first()
