"""Drafts on their way through four eyes, and files on their way to a draft.

What names people is sealed (`sealing.py`) and goes as soon as it is not needed:
a draft's rows when it was recorded or withdrawn, a file's bytes when it was
read. Counts, states and receipts stay.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.lookups import Exact, GreaterThan
from django.utils.translation import gettext_lazy as _

from creditbank.clock import now
from creditbank.institutions.models import Institution, Stream
from creditbank.jobs.models import Job

DIGEST_BYTES = 32
SEALED_MIN = 28
"""A nonce of 12 bytes and a tag of 16: anything shorter was never sealed."""


def _octets(column: str) -> Func:
    return Func(F(column), function="octet_length", output_field=models.IntegerField())


def _sealed(column: str) -> GreaterThan:
    return GreaterThan(_octets(column), Value(SEALED_MIN))


def _emptied(column: str) -> Exact:
    return Exact(_octets(column), Value(0))


class DraftState(models.TextChoices):
    """Where a draft stands. Approved without a receipt: decided, and being recorded."""

    DRAFT = "draft", _("草稿")
    SUBMITTED = "submitted", _("待复核")
    APPROVED = "approved", _("已复核")
    REFUSED = "refused", _("已退回")
    WITHDRAWN = "withdrawn", _("已撤回")


class Draft(models.Model):
    """Rows that one person prepared and another decides on (草稿).

    `id` is also the idempotency key under which the rows are recorded, so that
    an approval sent twice is one submission. The pseudonyms are those of the
    memberships in which the two acted; they stand in the ledger.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="drafts")
    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="drafts")
    state = models.CharField(max_length=10, choices=DraftState.choices, default=DraftState.DRAFT)
    payload = models.BinaryField()
    rows = models.PositiveIntegerField()
    prepared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    prepared_as = models.CharField(max_length=16)
    created_at = models.DateTimeField(default=now, editable=False)
    submitted_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    decided_as = models.CharField(max_length=16, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    refused_reason = models.CharField(max_length=300, blank=True, default="")
    first_seq = models.BigIntegerField(null=True, blank=True)
    manifest_index = models.BigIntegerField(null=True, blank=True, unique=True)
    count = models.PositiveIntegerField(null=True, blank=True)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, related_name="+", null=True, blank=True)

    class Meta:
        db_table = "recording_draft"
        verbose_name = _("草稿")
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=DraftState.values), name="draft_state_known"
            ),
            models.CheckConstraint(condition=Q(rows__gte=1), name="draft_has_rows"),
            models.CheckConstraint(
                condition=Q(first_seq__isnull=True, manifest_index__isnull=True, count__isnull=True)
                | Q(
                    state="approved",
                    first_seq__gte=0,
                    manifest_index__gte=0,
                    count__gte=1,
                ),
                name="draft_receipt_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "withdrawn"]) | Q(submitted_at__isnull=False),
                name="draft_decided_was_submitted",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["approved", "refused"],
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                )
                & ~Q(decided_as="")
                | Q(
                    state__in=["draft", "submitted", "withdrawn"],
                    decided_by__isnull=True,
                    decided_at__isnull=True,
                    decided_as="",
                ),
                name="draft_decision_is_whole",
            ),
            models.CheckConstraint(
                condition=~Q(decided_as=F("prepared_as")), name="draft_decided_by_another"
            ),
            models.CheckConstraint(
                condition=Q(state="refused") & ~Q(refused_reason="")
                | ~Q(state="refused") & Q(refused_reason=""),
                name="draft_refusal_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "submitted"]) & Q(_sealed("payload"))
                | Q(state="approved", manifest_index__isnull=True) & Q(_sealed("payload"))
                | Q(state="approved", manifest_index__isnull=False) & Q(_emptied("payload"))
                | Q(state="refused")
                | Q(state="withdrawn") & Q(_emptied("payload")),
                name="draft_rows_sealed_while_needed",
            ),
        ]
        indexes = [
            models.Index(fields=["institution", "state"], name="draft_by_state"),
        ]

    def __str__(self) -> str:
        return f"draft {self.pk}"

    @property
    def is_recorded(self) -> bool:
        """Whether the ledger holds the rows."""
        return self.manifest_index is not None

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something with it."""
        return self.state in (DraftState.DRAFT, DraftState.SUBMITTED)


class UploadState(models.TextChoices):
    """Where a file stands."""

    CHECKING = "checking", _("检查中")
    CHECKED = "checked", _("已检查")
    REFUSED = "refused", _("无法读取")
    FAILED = "failed", _("检查未完成")


class Upload(models.Model):
    """A file that a clerk handed in (成批导入): read, checked, and what was found.

    `content` is the file until it was read, `report` what was found until it is
    purged; the counts stay. `digest` recognises the same file handed in again.
    What a file is called may name somebody, so that is sealed too.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="uploads")
    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="+")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=now, editable=False)
    state = models.CharField(
        max_length=10, choices=UploadState.choices, default=UploadState.CHECKING
    )
    digest = models.BinaryField()
    name_sealed = models.BinaryField()
    content = models.BinaryField()
    report = models.BinaryField(default=b"")
    error_code = models.CharField(max_length=40, blank=True, default="")
    error_facts = models.JSONField(default=dict, blank=True)
    total = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, related_name="+", null=True, blank=True)
    draft = models.OneToOneField(
        Draft, on_delete=models.PROTECT, related_name="upload", null=True, blank=True
    )

    class Meta:
        db_table = "recording_upload"
        verbose_name = _("成批导入")
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=UploadState.values), name="upload_state_known"
            ),
            models.CheckConstraint(
                condition=Exact(_octets("digest"), Value(DIGEST_BYTES)),
                name="upload_digest_length",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["checking", "failed"]) & Q(_sealed("content"))
                | Q(state__in=["checked", "refused"]) & Q(_emptied("content")),
                name="upload_content_while_needed",
            ),
            models.CheckConstraint(
                condition=Q(state="checked") | Q(_emptied("report")),
                name="upload_report_when_checked",
            ),
            # Each row of a file is in exactly one place: nothing is lost in between.
            models.CheckConstraint(
                condition=~Q(state="checked")
                | Q(total=F("new") + F("held") + F("unchanged") + F("refused")),
                name="upload_counts_add_up",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["refused", "failed"]) & ~Q(error_code="")
                | Q(state__in=["checking", "checked"], error_code=""),
                name="upload_error_has_code",
            ),
        ]
        indexes = [
            models.Index(fields=["institution", "created_at"], name="upload_by_institution"),
        ]

    def __str__(self) -> str:
        return f"upload {self.pk}"
