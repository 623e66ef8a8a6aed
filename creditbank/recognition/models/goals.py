"""The programmes that a learner means to complete."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from creditbank.clock import now
from creditbank.recognition.models.versions import ProgrammeVersion
from learners.models import Learner


class Goal(models.Model):
    """A programme's version that a learner follows (目标). `award_on`: the day they mean to graduate."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="goals")
    programme = models.ForeignKey(ProgrammeVersion, on_delete=models.PROTECT, related_name="goals")
    award_on = models.DateField(null=True, blank=True)
    added_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        verbose_name = _("目标")
        ordering = ["added_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["learner", "programme"], name="goal_once"),
        ]

    def __str__(self) -> str:
        return f"goal {self.pk}"
