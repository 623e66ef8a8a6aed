"""The learner, the accounts of a learner, and how a learner takes hold of them.

Names and numbers are sealed under the account's key (`sealing.py`); deleting
that key forgets the person, here and in every backup.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.lookups import Exact, GreaterThan
from django.utils.translation import gettext_lazy as _

from creditbank.clock import now
from creditbank.ledger.models import CreditAccount
from learners.identity import DocumentType

DIGEST_BYTES = 32
SEALED_MIN = 28
"""A nonce of 12 bytes and a tag of 16: anything shorter was never sealed."""


def _octets(column: str) -> Func:
    return Func(F(column), function="octet_length", output_field=models.IntegerField())


class Learner(models.Model):
    """A person with at least one account (学习者); waiting (待认领) as long as there is no user."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.OneToOneField(
        CreditAccount, on_delete=models.PROTECT, related_name="+", db_column="account"
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="learner",
        null=True,
        blank=True,
    )
    document_type = models.CharField(max_length=20, choices=DocumentType.choices, blank=True)
    name_sealed = models.BinaryField()
    identity_sealed = models.BinaryField()
    identity_digest = models.BinaryField(null=True)
    opened_at = models.DateTimeField(default=now, editable=False)
    claimed_at = models.DateTimeField(null=True, blank=True)
    forgotten_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("学习者")
        constraints = [
            models.UniqueConstraint(fields=["identity_digest"], name="learner_identity_once"),
            models.CheckConstraint(
                condition=Q(document_type__in=["", *DocumentType.values]),
                name="learner_document_known",
            ),
            models.CheckConstraint(
                condition=Q(forgotten_at__isnull=False)
                | (
                    Exact(_octets("identity_digest"), Value(DIGEST_BYTES))
                    & GreaterThan(_octets("name_sealed"), Value(SEALED_MIN))
                    & GreaterThan(_octets("identity_sealed"), Value(SEALED_MIN))
                    & Q(identity_digest__isnull=False)
                    & ~Q(document_type="")
                ),
                name="learner_is_sealed",
            ),
            models.CheckConstraint(
                condition=Q(forgotten_at__isnull=True)
                | (
                    Q(identity_digest__isnull=True, user__isnull=True, document_type="")
                    & Exact(_octets("name_sealed"), Value(0))
                    & Exact(_octets("identity_sealed"), Value(0))
                ),
                name="learner_forgotten_is_blank",
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=True, claimed_at__isnull=True)
                | Q(user__isnull=False, claimed_at__isnull=False),
                name="learner_claimed_has_user",
            ),
        ]

    def __str__(self) -> str:
        return f"learner {self.pk}"

    @property
    def is_waiting(self) -> bool:
        """Whether nobody has claimed the account yet (待认领)."""
        return self.user_id is None and self.forgotten_at is None

    @property
    def is_forgotten(self) -> bool:
        """Whether the register no longer holds this person."""
        return self.forgotten_at is not None


class LearnerAccount(models.Model):
    """An account of a learner. Most have one; linked accounts are added, never moved or merged."""

    account = models.OneToOneField(
        CreditAccount,
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="+",
        db_column="account",
    )
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="account_links")
    since = models.DateTimeField(default=now, editable=False)

    class Meta:
        verbose_name = _("学习者账户")
        ordering = ["since", "account"]

    def __str__(self) -> str:
        return f"account of learner {self.learner_id}"


class ClaimCode(models.Model):
    """A single-use code that a clerk hands out after seeing the document; only its digest is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="claim_codes")
    digest = models.BinaryField(unique=True)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    issued_at = models.DateTimeField(default=now, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    replaced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("认领码")
        constraints = [
            models.CheckConstraint(
                condition=Exact(_octets("digest"), Value(DIGEST_BYTES)),
                name="claim_code_digest_length",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("issued_at")), name="claim_code_days_in_order"
            ),
            models.UniqueConstraint(
                fields=["learner"],
                condition=Q(used_at__isnull=True, replaced_at__isnull=True),
                name="claim_code_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"claim code {self.pk}"


class ClaimAttempts(models.Model):
    """How often a user has tried to claim within the present hour."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    since = models.DateTimeField()
    count = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("认领尝试")

    def __str__(self) -> str:
        return f"{self.count} since {self.since.isoformat()}"


class ConsentPurpose(models.TextChoices):
    """What a learner can consent to, each by itself (个人信息保护法, articles 14, 23 and 29)."""

    SENSITIVE_DATA = "sensitive-data", _("处理证件号码等敏感个人信息")
    MUTUAL_RECOGNITION = "mutual-recognition", _("为学习成果互认向其他机构提供本人的学习成果")


class Consent(models.Model):
    """A learner's consent to one purpose, under one wording, until it is withdrawn (授权同意)."""

    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=40, choices=ConsentPurpose.choices)
    wording = models.CharField(max_length=40)
    given_at = models.DateTimeField(default=now, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("授权同意")
        ordering = ["given_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose__in=ConsentPurpose.values), name="consent_purpose_known"
            ),
            models.UniqueConstraint(
                fields=["learner", "purpose"],
                condition=Q(withdrawn_at__isnull=True),
                name="consent_once_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} of learner {self.learner_id}"
