"""What those who look into a case find out: facts, judgements, and who counts as an expert."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from creditbank.clock import now
from creditbank.institutions.models import Member
from creditbank.recognition.models.columns import are_hashes, is_empty, is_hash, is_sealed
from creditbank.recognition.models.requests import Request
from creditbank.recognition.models.versions import RuleVersion


class AttestedFact(models.Model):
    """A fact about an outcome that a reviewer looked into (核实的事实): similarity, rank, dates.

    A fact attested anew takes the place of the one before, which stays.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="facts")
    leaf = models.BinaryField()
    name = models.CharField(max_length=40)
    value_sealed = models.BinaryField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    by_as = models.CharField(max_length=16)
    at = models.DateTimeField(default=now, editable=False)
    replaced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("核实的事实")
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(condition=is_hash("leaf"), name="fact_leaf_length"),
            models.CheckConstraint(
                condition=is_sealed("value_sealed") | is_empty("value_sealed"),
                name="fact_value_sealed",
            ),
            models.UniqueConstraint(
                fields=["request", "leaf", "name"],
                condition=Q(replaced_at__isnull=True),
                name="fact_once_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} for {self.request_id}"


class Judgement(models.Model):
    """A reviewer's word that a rule is met where the computation could not tell (专家判断)."""

    id = models.BigAutoField(primary_key=True)
    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="judgements")
    rule = models.ForeignKey(RuleVersion, on_delete=models.PROTECT, related_name="+")
    leaves = models.BinaryField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    by_as = models.CharField(max_length=16)
    at = models.DateTimeField(default=now, editable=False)

    class Meta:
        verbose_name = _("专家判断")
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "rule", "leaves"], name="judgement_once"),
            models.CheckConstraint(condition=are_hashes("leaves"), name="judgement_leaves_length"),
        ]

    def __str__(self) -> str:
        return f"judgement on {self.request_id}"


class IndustryExpert(models.Model):
    """A member who counts as an expert of an industry on a panel, and since when (行业专家)."""

    member = models.OneToOneField(
        Member, on_delete=models.PROTECT, primary_key=True, related_name="expertise"
    )
    since = models.DateField()
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    noted_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        verbose_name = _("行业专家")

    def __str__(self) -> str:
        return f"expert {self.member_id}"
