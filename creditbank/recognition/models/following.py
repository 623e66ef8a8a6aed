"""How far the log was followed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Follower(models.Model):
    """What looks at new entries of the log, and the index of the first that it has not seen."""

    name = models.CharField(primary_key=True, max_length=20)
    next_index = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(next_index__gte=0), name="follower_in_the_log"),
        ]

    def __str__(self) -> str:
        return f"{self.name} at {self.next_index}"
