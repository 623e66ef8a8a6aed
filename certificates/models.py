"""Transcripts as the bank keeps them, and the receipts of those who verified one.

Of a transcript only its number, digests, places in the log and dates stand in
clear. Everything personal is sealed under the account's key (`sealing.py`):
deleting that key makes it unreadable here and in every backup, while number
and register entry stay.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.lookups import Exact, GreaterThan
from django.utils.translation import gettext_lazy as _

from creditbank.clock import now
from creditbank.jobs.models import Job
from creditbank.ledger.models import CreditAccount
from learners.models import Learner

DIGEST_BYTES = 32
SEALED_MIN = 28
"""A nonce of 12 bytes and a tag of 16: anything shorter was never sealed."""


def _octets(column: str) -> Func:
    return Func(F(column), function="octet_length", output_field=models.IntegerField())


class TranscriptState(models.TextChoices):
    """Where a transcript stands. What the register says of it wins over this column."""

    REQUESTED = "requested", _("已申请")
    REGISTERED = "registered", _("已登记")
    ISSUED = "issued", _("已出具")
    REVOKED = "revoked", _("已撤销")
    SUPERSEDED = "superseded", _("已有更正版本")
    FAILED = "failed", _("未能出具")


class Revoking(models.TextChoices):
    """Why a transcript is revoked: a closed list, since the reason is published (撤销原因类别)."""

    CONTENT = "content-error", _("内容有误")
    HOLDER = "holder-request", _("持证人申请")
    IDENTITY = "identity-error", _("持证人身份有误")
    ORDER = "authority-order", _("主管部门决定")
    SUPERSEDED = "superseded", _("已出具更正版本")


class Transcript(models.Model):
    """A transcript (学分证明) from its request to its end.

    `code_digest` is the keyed digest of number and verification code,
    `token_digest` the SHA-256 of the token in the QR link; code and token
    themselves are sealed, so that a page can be printed again. `draft_sealed`
    holds the document as registered, `json_sealed` and `pdf_sealed` what the
    holder gets.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(_("证明编号"), max_length=20, unique=True)
    code_digest = models.BinaryField()
    token_digest = models.BinaryField(unique=True)
    secrets_sealed = models.BinaryField()
    account = models.ForeignKey(
        CreditAccount, on_delete=models.PROTECT, related_name="+", db_column="account"
    )
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="transcripts")
    state = models.CharField(
        max_length=20, choices=TranscriptState.choices, default=TranscriptState.REQUESTED
    )
    draft_sealed = models.BinaryField(null=True)
    digest = models.BinaryField(null=True, unique=True)
    register_index = models.BigIntegerField(null=True, unique=True)
    json_sealed = models.BinaryField(null=True)
    pdf_sealed = models.BinaryField(null=True)
    requested_at = models.DateTimeField(default=now, editable=False)
    issued_on = models.DateField(null=True)
    revoked_index = models.BigIntegerField(null=True, unique=True)
    revoked_for = models.CharField(max_length=40, choices=Revoking.choices, blank=True, default="")
    successor = models.OneToOneField(
        "self", on_delete=models.PROTECT, related_name="predecessor", null=True, blank=True
    )
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, related_name="+", null=True, blank=True)

    class Meta:
        db_table = "certificates_transcript"
        verbose_name = _("学分证明")
        ordering = ["-requested_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=TranscriptState.values), name="transcript_state_known"
            ),
            models.CheckConstraint(
                condition=Q(revoked_for__in=["", *Revoking.values]),
                name="transcript_reason_known",
            ),
            models.CheckConstraint(
                condition=Q(Exact(_octets("code_digest"), Value(DIGEST_BYTES)))
                & Q(Exact(_octets("token_digest"), Value(DIGEST_BYTES)))
                & (Q(digest__isnull=True) | Q(Exact(_octets("digest"), Value(DIGEST_BYTES)))),
                name="transcript_digest_lengths",
            ),
            models.CheckConstraint(
                condition=Q(GreaterThan(_octets("secrets_sealed"), Value(SEALED_MIN))),
                name="transcript_secrets_sealed",
            ),
            models.CheckConstraint(
                condition=Q(digest__isnull=True, draft_sealed__isnull=True, issued_on__isnull=True)
                | Q(digest__isnull=False, draft_sealed__isnull=False, issued_on__isnull=False),
                name="transcript_draft_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(register_index__isnull=True) | Q(digest__isnull=False),
                name="transcript_registered_has_digest",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["requested", "failed"])
                | Q(state="registered", register_index__isnull=False)
                | Q(
                    state__in=["issued", "revoked", "superseded"],
                    register_index__isnull=False,
                    json_sealed__isnull=False,
                    pdf_sealed__isnull=False,
                ),
                name="transcript_state_has_parts",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["revoked", "superseded"], revoked_index__isnull=False)
                & ~Q(revoked_for="")
                | ~Q(state__in=["revoked", "superseded"]) & Q(revoked_index__isnull=True),
                name="transcript_revoked_has_entry",
            ),
            models.CheckConstraint(
                condition=~Q(state="superseded") | Q(successor__isnull=False),
                name="transcript_superseded_has_successor",
            ),
            models.UniqueConstraint(
                fields=["learner"],
                condition=Q(state__in=["requested", "registered"]),
                name="transcript_one_at_work",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_ready(self) -> bool:
        """Whether the holder can have the files; the database keeps this true to the columns."""
        return self.state in (
            TranscriptState.ISSUED,
            TranscriptState.REVOKED,
            TranscriptState.SUPERSEDED,
        )


class VerifiedBy(models.TextChoices):
    """How a document came to be verified."""

    TOKEN = "token", _("二维码或链接")
    NUMBER = "number", _("编号与验证码")
    FILE = "file", _("文件")


class Verification(models.Model):
    """The receipt of one verification (核验回执): when, of what, with which result.

    Says nothing of who asked and nothing of the holder. `file_sha256` is the
    digest of the file as it was handed in; the file itself was dropped.
    """

    id = models.BigAutoField(primary_key=True)
    number = models.CharField(_("回执编号"), max_length=20, unique=True)
    at = models.DateTimeField(default=now, editable=False)
    by = models.CharField(max_length=10, choices=VerifiedBy.choices)
    transcript = models.ForeignKey(
        Transcript, on_delete=models.PROTECT, related_name="verifications", null=True, blank=True
    )
    code = models.CharField(_("结果代码"), max_length=30)
    file_sha256 = models.BinaryField(null=True)
    log_size = models.BigIntegerField(null=True)

    class Meta:
        db_table = "certificates_verification"
        verbose_name = _("核验回执")
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(by__in=VerifiedBy.values), name="verification_way_known"
            ),
            models.CheckConstraint(
                condition=Q(code__startswith="V-"), name="verification_code_known"
            ),
            models.CheckConstraint(
                condition=Q(file_sha256__isnull=True)
                | Q(Exact(_octets("file_sha256"), Value(DIGEST_BYTES))),
                name="verification_digest_length",
            ),
            models.CheckConstraint(
                condition=Q(by="file", file_sha256__isnull=False)
                | ~Q(by="file") & Q(file_sha256__isnull=True),
                name="verification_file_has_digest",
            ),
        ]

    def __str__(self) -> str:
        return self.number
