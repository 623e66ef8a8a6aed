"""Appeals against decisions, and what is said in them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from creditbank.clock import now
from creditbank.recognition.models.columns import is_empty, is_sealed
from creditbank.recognition.models.decisions import Decision


class AppealState(models.TextChoices):
    """Where an appeal stands."""

    OPEN = "open", _("复议中")
    UPHELD = "upheld", _("维持原决定")
    CHANGED = "changed", _("已作出新决定")
    WITHDRAWN = "withdrawn", _("已撤回")


class Appeal(models.Model):
    """An appeal against lines of a decision (复议), decided by people who did not decide before.

    `positions` are those of the lines. `expected_on` is the last day on which
    the learner may expect an answer.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(_("复议编号"), max_length=20, unique=True)
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="appeals")
    positions = ArrayField(models.PositiveSmallIntegerField())
    state = models.CharField(max_length=10, choices=AppealState.choices, default=AppealState.OPEN)
    filed_at = models.DateTimeField(default=now, editable=False)
    filed_on = models.DateField()
    expected_on = models.DateField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    decided_as = models.CharField(max_length=16, blank=True, default="")
    outcome = models.OneToOneField(
        Decision, on_delete=models.PROTECT, related_name="appeal", null=True, blank=True
    )

    class Meta:
        verbose_name = _("复议")
        ordering = ["-filed_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=AppealState.values), name="appeal_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at__isnull=True)
                | Q(state="withdrawn", decided_at__isnull=False, outcome__isnull=True)
                | Q(
                    state="upheld",
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                    outcome__isnull=True,
                )
                | Q(state="changed", decided_at__isnull=False, outcome__isnull=False),
                name="appeal_answer_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(outcome__isnull=True) | ~Q(outcome=F("decision")),
                name="appeal_outcome_is_another",
            ),
            models.CheckConstraint(
                condition=Q(expected_on__gte=F("filed_on")), name="appeal_days_in_order"
            ),
            models.UniqueConstraint(
                fields=["decision"], condition=Q(state="open"), name="appeal_one_open"
            ),
        ]
        indexes = [
            models.Index(fields=["expected_on"], condition=Q(state="open"), name="appeal_queue"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        """Whether the answer is still to come."""
        return self.state == AppealState.OPEN


class AppealMessage(models.Model):
    """What one side says in an appeal, with a file if there is one. All of it is sealed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    appeal = models.ForeignKey(Appeal, on_delete=models.PROTECT, related_name="messages")
    by_learner = models.BooleanField()
    author_as = models.CharField(max_length=16, blank=True, default="")
    at = models.DateTimeField(default=now, editable=False)
    text_sealed = models.BinaryField()
    file_name_sealed = models.BinaryField(default=b"")
    file_sealed = models.BinaryField(default=b"")

    class Meta:
        verbose_name = _("复议意见")
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(by_learner=True, author_as="") | Q(by_learner=False) & ~Q(author_as=""),
                name="message_author_is_known",
            ),
            models.CheckConstraint(
                condition=(is_sealed("text_sealed") | is_empty("text_sealed"))
                & (
                    is_empty("file_sealed") & is_empty("file_name_sealed")
                    | is_sealed("file_sealed") & is_sealed("file_name_sealed")
                ),
                name="message_sealed",
            ),
        ]

    def __str__(self) -> str:
        return f"message of {self.appeal_id}"

    @property
    def has_file(self) -> bool:
        """Whether there is a file with it."""
        return len(bytes(self.file_sealed)) > 0
