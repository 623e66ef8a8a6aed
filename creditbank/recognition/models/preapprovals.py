"""What an institution commits itself to before an outcome is earned."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from creditbank.clock import now
from creditbank.institutions.models import Institution
from creditbank.ledger.models import CreditAccount
from creditbank.recognition.models.columns import is_empty, is_hash, is_sealed
from creditbank.recognition.models.decisions import Decision
from creditbank.recognition.models.versions import ProgrammeVersion
from learners.models import Learner


class PreApprovalState(models.TextChoices):
    """Where a pre-approval stands."""

    PREPARED = "prepared", _("待复核")
    IN_FORCE = "in-force", _("已生效")
    USED = "used", _("已兑现")
    WITHDRAWN = "withdrawn", _("已撤回")


class PreApproval(models.Model):
    """A commitment to recognise an outcome, if it is earned by a day (预认定).

    It is a rule for one learner: `document_sealed` holds an `llcb/rule/v1` whose
    code is the number. `digest` is the SHA-256 of its canonical bytes, which the
    ledger entry holds. `until` is the last day of completion that counts.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(_("预认定编号"), max_length=20, unique=True)
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="pre_approvals")
    account = models.ForeignKey(
        CreditAccount, on_delete=models.PROTECT, related_name="+", db_column="account"
    )
    institution = models.ForeignKey(
        Institution, on_delete=models.PROTECT, related_name="pre_approvals"
    )
    programme = models.ForeignKey(
        ProgrammeVersion, on_delete=models.PROTECT, related_name="pre_approvals"
    )
    until = models.DateField()
    state = models.CharField(
        max_length=10, choices=PreApprovalState.choices, default=PreApprovalState.PREPARED
    )
    document_sealed = models.BinaryField()
    digest = models.BinaryField()
    prepared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    prepared_as = models.CharField(max_length=16)
    prepared_at = models.DateTimeField(default=now, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    approved_as = models.CharField(max_length=16, blank=True, default="")
    approved_at = models.DateTimeField(null=True, blank=True)
    entry_index = models.BigIntegerField(null=True, blank=True, unique=True)
    used_by = models.ForeignKey(
        Decision, on_delete=models.PROTECT, related_name="pre_approvals", null=True, blank=True
    )

    class Meta:
        verbose_name = _("预认定")
        ordering = ["-prepared_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=PreApprovalState.values), name="pre_approval_state_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["prepared", "withdrawn"],
                    entry_index__isnull=True,
                )
                | Q(
                    state__in=["in-force", "used"],
                    entry_index__gte=0,
                    approved_at__isnull=False,
                    approved_by__isnull=False,
                ),
                name="pre_approval_entry_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(state="used", used_by__isnull=False)
                | ~Q(state="used") & Q(used_by__isnull=True),
                name="pre_approval_use_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("prepared_by")),
                name="pre_approval_approved_by_another",
            ),
            models.CheckConstraint(condition=is_hash("digest"), name="pre_approval_digest_length"),
            models.CheckConstraint(
                condition=is_sealed("document_sealed") | is_empty("document_sealed"),
                name="pre_approval_document_sealed",
            ),
        ]

    def __str__(self) -> str:
        return self.number
