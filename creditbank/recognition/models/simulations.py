"""A run of a draft over what is stored: its job holds how far it is and what came out."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Value
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from creditbank.clock import now
from creditbank.jobs.models import Job
from creditbank.recognition.models.versions import ProgrammeVersion, RuleVersion


class Simulation(models.Model):
    """A simulation of a rule's version for one programme (模拟). What comes out is counts, never a person.

    `digest` is that of the document that was simulated: a draft that was
    changed since has to be simulated anew. `counts` grow batch by batch, up to
    where the job is.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rule = models.ForeignKey(RuleVersion, on_delete=models.PROTECT, related_name="simulations")
    programme = models.ForeignKey(ProgrammeVersion, on_delete=models.PROTECT, related_name="+")
    digest = models.BinaryField()
    counts = models.JSONField(default=dict)
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="+")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    started_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        verbose_name = _("模拟")
        ordering = ["-started_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Exact(
                    Func(F("digest"), function="octet_length", output_field=models.IntegerField()),
                    Value(32),
                ),
                name="simulation_digest_length",
            ),
        ]
        indexes = [models.Index(fields=["rule", "started_at"], name="simulation_by_rule")]

    def __str__(self) -> str:
        return f"simulation {self.pk}"
