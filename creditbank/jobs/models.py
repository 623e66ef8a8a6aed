"""Rows that say what has to happen (outbox) and how far long work has come (job)."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class OutboxState(models.TextChoices):
    """The life of an outbox row."""

    WAITING = "waiting"
    DONE = "done"
    PARKED = "parked"


class Outbox(models.Model):
    """Something that must happen after a commit. Holds a handler's name and ids, nothing else."""

    handler = models.TextField()
    ids = models.JSONField(default=list)
    state = models.TextField(choices=OutboxState.choices, default=OutboxState.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    last_error = models.TextField(default="", blank=True)

    class Meta:
        db_table = "jobs_outbox"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=OutboxState.values), name="outbox_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="outbox_due",
                condition=models.Q(state="waiting"),
            ),
        ]


class JobState(models.TextChoices):
    """The life of a job, told truthfully."""

    WAITING = "waiting", _("等待中")
    RUNNING = "running", _("进行中")
    SUCCEEDED = "succeeded", _("全部成功")
    FAILED = "failed", _("失败")


class Job(models.Model):
    """Long work with a progress bar: n of N, left and found again, its end told truthfully."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.TextField()
    owner = models.BigIntegerField(null=True)
    state = models.TextField(choices=JobState.choices, default=JobState.WAITING)
    step = models.TextField(default="", blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict)
    error_code = models.TextField(default="", blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "jobs_job"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=JobState.values), name="job_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(done__lte=models.F("total")), name="job_done_within_total"
            ),
        ]

    @property
    def at_work(self) -> bool:
        """Whether the end is still to come."""
        return self.state in (JobState.WAITING, JobState.RUNNING)
