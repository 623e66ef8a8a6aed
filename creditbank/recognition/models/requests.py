"""Requests for recognition, and the outcomes that each one reserves.

What a learner wrote is sealed under the account's key (`recognition.sealing`).
In clear stand numbers, states, days, the programme, and the hashes of leaves,
which are public anyway.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from creditbank.clock import now
from creditbank.institutions.models import Institution
from creditbank.ledger.models import CreditAccount
from creditbank.recognition.models.columns import is_empty, is_hash, is_sealed
from creditbank.recognition.models.versions import ProgrammeVersion
from learners.models import Learner


class RequestState(models.TextChoices):
    """The five states that both sides see; withdrawn and appealed are flags beside them."""

    SUBMITTED = "submitted", _("已提交")
    REVIEWING = "reviewing", _("审核中")
    DECIDED = "decided", _("已决定")
    IN_NOTICE = "in-notice", _("公示中")
    IN_FORCE = "in-force", _("已生效")


OPEN_STATES = (RequestState.SUBMITTED, RequestState.REVIEWING)


class Request(models.Model):
    """A request that an institution recognise outcomes for one of its programmes (申请).

    `automatic`: nobody asked; the bank did, by a rule that says so. `filed_on` is
    the day of filing that a rule may name as its law's. `expected_on` is the last
    day on which the learner may expect a decision. `person_asked_at`: the learner
    wants a person to decide what was refused automatically. `details_sealed` holds
    the chosen targets and the learner's words, nothing once the person is forgotten.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(_("申请编号"), max_length=20, unique=True)
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="requests")
    account = models.ForeignKey(
        CreditAccount, on_delete=models.PROTECT, related_name="+", db_column="account"
    )
    institution = models.ForeignKey(
        Institution, on_delete=models.PROTECT, related_name="recognition_requests"
    )
    programme = models.ForeignKey(
        ProgrammeVersion, on_delete=models.PROTECT, related_name="requests"
    )
    state = models.CharField(
        max_length=10, choices=RequestState.choices, default=RequestState.SUBMITTED
    )
    automatic = models.BooleanField(default=False)
    filed_at = models.DateTimeField(default=now, editable=False)
    filed_on = models.DateField()
    expected_on = models.DateField()
    award_on = models.DateField(null=True, blank=True)
    consent = models.CharField(max_length=40)
    reviewing_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    notice_until = models.DateField(null=True, blank=True)
    in_force_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    appealed_at = models.DateTimeField(null=True, blank=True)
    person_asked_at = models.DateTimeField(null=True, blank=True)
    resubmits = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="resubmissions", null=True, blank=True
    )
    details_sealed = models.BinaryField()

    class Meta:
        verbose_name = _("认定申请")
        ordering = ["-filed_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=RequestState.values), name="request_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="submitted", decided_at__isnull=True)
                | Q(state="reviewing", reviewing_at__isnull=False, decided_at__isnull=True)
                | Q(state="decided", decided_at__isnull=False, in_force_at__isnull=True)
                | Q(
                    state="in-notice",
                    decided_at__isnull=False,
                    notice_until__isnull=False,
                    in_force_at__isnull=True,
                )
                | Q(state="in-force", decided_at__isnull=False, in_force_at__isnull=False),
                name="request_state_has_days",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(state__in=OPEN_STATES),
                name="request_withdrawn_before_decision",
            ),
            models.CheckConstraint(
                condition=Q(expected_on__gte=F("filed_on")), name="request_days_in_order"
            ),
            models.CheckConstraint(
                condition=is_sealed("details_sealed") | is_empty("details_sealed"),
                name="request_details_sealed",
            ),
            models.CheckConstraint(condition=~Q(consent=""), name="request_has_consent"),
        ]
        indexes = [
            models.Index(
                fields=["institution", "expected_on"],
                condition=Q(state__in=OPEN_STATES, withdrawn_at__isnull=True),
                name="request_queue",
            ),
            models.Index(
                fields=["notice_until"], condition=Q(state="in-notice"), name="request_in_notice"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        """Whether a decision is still to come."""
        return self.state in OPEN_STATES and self.withdrawn_at is None


class RequestSource(models.Model):
    """An outcome that a request asks to use. While it is active nobody else can ask for it.

    `leaf` is the entry's leaf hash, `index` its log index, `credits` its bank
    value: what is reserved of the account, until the outcome is used or let go.
    """

    id = models.BigAutoField(primary_key=True)
    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="sources")
    account = models.ForeignKey(
        CreditAccount, on_delete=models.PROTECT, related_name="+", db_column="account"
    )
    leaf = models.BinaryField()
    index = models.BigIntegerField()
    credits = models.DecimalField(max_digits=6, decimal_places=2)
    active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("认定依据")
        ordering = ["index"]
        constraints = [
            models.UniqueConstraint(
                fields=["leaf"], condition=Q(active=True), name="source_reserved_once"
            ),
            models.UniqueConstraint(fields=["request", "leaf"], name="source_once_in_a_request"),
            models.CheckConstraint(condition=is_hash("leaf"), name="source_leaf_length"),
            models.CheckConstraint(
                condition=Q(credits__gte=0, index__gte=0), name="source_not_negative"
            ),
        ]
        indexes = [
            models.Index(fields=["leaf"], name="source_by_leaf"),
            models.Index(
                fields=["account"], condition=Q(active=True), name="source_reserved_by_account"
            ),
        ]

    def __str__(self) -> str:
        return f"source {self.index} of {self.request_id}"
