"""Versions of rules and programmes, from draft to published.

The document is what counts: canonical bytes, which the owner signs by entering
their digest into the ledger. Every other column that it speaks of is an index
of it, and the database compares them. What was filed is not changed any more,
what was published stands for ever; only a withdrawal can be added.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from creditbank.clock import now
from creditbank.institutions.models import Institution, in_english

if TYPE_CHECKING:
    from creditbank.recognition.language.programmes import Programme
    from creditbank.recognition.language.rules import Rule

PUBLISHED = Q(published_at__isnull=False)


class VersionStatus(models.TextChoices):
    """Where a version stands. Withdrawn is also a draft that was dropped."""

    DRAFT = "draft", _("草稿")
    FILED = "filed", _("已备案")
    PUBLISHED = "published", _("已公布")
    WITHDRAWN = "withdrawn", _("已撤回")


class Version(models.Model):
    """One version of a rule or a programme.

    Publication and withdrawal are decided first and entered into the ledger
    then: `published_by` without `published_at`, and `withdrawn_by` of a version
    whose status is still published, mean that the entry is on its way.
    `entry_index` and `withdrawal_index` are the log indexes of the entries. On
    `withdrawn_on` and after it the version is in force no more.
    """

    code = models.CharField(max_length=40)
    version = models.IntegerField()
    owner = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="%(class)ss")
    document = models.BinaryField()
    digest = models.BinaryField()
    title = models.CharField(max_length=200)
    title_en = models.CharField(max_length=300, blank=True, default="")
    first_day = models.DateField()
    last_day = models.DateField(null=True, blank=True)
    status = models.CharField(
        max_length=10, choices=VersionStatus.choices, default=VersionStatus.DRAFT
    )
    prepared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    prepared_at = models.DateTimeField(default=now)
    filed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    filed_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    published_at = models.DateTimeField(null=True, blank=True)
    entry_index = models.BigIntegerField(null=True, blank=True, unique=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_on = models.DateField(null=True, blank=True)
    withdrawal_reason = models.CharField(max_length=200, blank=True, default="")
    withdrawal_index = models.BigIntegerField(null=True, blank=True, unique=True)

    class Meta:
        abstract = True
        ordering = ["code", "version"]
        constraints = [
            # A draft that was dropped leaves its number to the next one.
            models.UniqueConstraint(
                fields=["code", "version"],
                condition=~Q(status="withdrawn") | PUBLISHED,
                name="%(class)s_once",
            ),
            # A newer version supersedes an older one from its first day on, so the days of
            # versions may overlap; that none begins with or before an older one, the trigger
            # sees to, and this between two that are published at once.
            models.UniqueConstraint(
                fields=["code", "first_day"],
                condition=Q(status="published"),
                name="%(class)s_starts_apart",
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="%(class)s_from_one"),
            models.CheckConstraint(
                condition=Q(status__in=VersionStatus.values), name="%(class)s_status_known"
            ),
            models.CheckConstraint(
                condition=Exact(
                    F("digest"),
                    Func(F("document"), function="sha256", output_field=models.BinaryField()),
                ),
                name="%(class)s_digest_of_document",
            ),
            models.CheckConstraint(
                condition=Q(last_day__isnull=True) | Q(last_day__gte=F("first_day")),
                name="%(class)s_days_in_order",
            ),
            models.CheckConstraint(
                condition=Q(filed_at__isnull=True, filed_by__isnull=True)
                & Q(status__in=["draft", "withdrawn"])
                | Q(filed_at__isnull=False, filed_by__isnull=False)
                & Q(status__in=["filed", "published", "withdrawn"]),
                name="%(class)s_filing_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["draft", "filed", "withdrawn"],
                    published_by__isnull=True,
                    published_at__isnull=True,
                    entry_index__isnull=True,
                )
                | Q(
                    status="filed",
                    published_by__isnull=False,
                    published_at__isnull=True,
                    entry_index__isnull=True,
                )
                | Q(
                    status__in=["published", "withdrawn"],
                    filed_at__isnull=False,
                    published_by__isnull=False,
                    published_at__isnull=False,
                    entry_index__isnull=False,
                    entry_index__gte=0,
                ),
                name="%(class)s_publication_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(published_by__isnull=True) | ~Q(published_by=F("prepared_by")),
                name="%(class)s_published_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(status="withdrawn")
                & Q(
                    withdrawn_by__isnull=True,
                    withdrawn_at__isnull=True,
                    withdrawn_on__isnull=True,
                    withdrawal_reason="",
                    withdrawal_index__isnull=True,
                )
                | Q(
                    withdrawn_by__isnull=False,
                    withdrawn_at__isnull=False,
                    withdrawn_on__isnull=False,
                )
                & ~Q(withdrawal_reason="")
                & (
                    Q(status="published", withdrawal_index__isnull=True)
                    | Q(
                        status="withdrawn",
                        published_at__isnull=True,
                        withdrawal_index__isnull=True,
                    )
                    | Q(
                        status="withdrawn",
                        published_at__isnull=False,
                        withdrawal_index__isnull=False,
                    )
                    & Q(withdrawal_index__gt=F("entry_index"))
                ),
                name="%(class)s_withdrawal_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.title_en if in_english() and self.title_en else self.title

    @property
    def is_published(self) -> bool:
        """Whether it was ever published: its document then stands for ever."""
        return self.published_at is not None

    @property
    def is_being_published(self) -> bool:
        """Whether its publication is decided, and its entry is on the way."""
        return self.published_by_id is not None and self.published_at is None

    @property
    def is_being_withdrawn(self) -> bool:
        """Whether its withdrawal is decided, and its entry is on the way."""
        return self.withdrawn_by_id is not None and self.status == VersionStatus.PUBLISHED

    def covers(self, on: date) -> bool:
        """Say whether a day is one of the published version's days, newer versions aside."""
        return (
            self.is_published
            and self.first_day <= on
            and (self.last_day is None or on <= self.last_day)
            and (self.withdrawn_on is None or on < self.withdrawn_on)
        )


class RuleVersion(Version):
    """One version of a recognition rule (认定规则版本)."""

    class Meta(Version.Meta):
        verbose_name = _("认定规则版本")
        indexes = [models.Index(fields=["owner", "status"], name="rule_by_owner")]

    def parsed(self) -> Rule:
        """Return the rule that the document says; remembered by its digest."""
        from creditbank.recognition.language import parsing

        return parsing.rule(bytes(self.digest), bytes(self.document))


class ProgrammeVersion(Version):
    """One version of a programme (培养方案版本)."""

    class Meta(Version.Meta):
        verbose_name = _("培养方案版本")
        indexes = [models.Index(fields=["owner", "status"], name="programme_by_owner")]

    def parsed(self) -> Programme:
        """Return the programme that the document says; remembered by its digest."""
        from creditbank.recognition.language import parsing

        return parsing.programme(bytes(self.digest), bytes(self.document))
