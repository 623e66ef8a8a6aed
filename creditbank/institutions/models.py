"""Institutions and all that is known of them: people, scope, streams, keys, catalogue.

What the ledger relies on (keys, approved items) is never deleted: rows end, by
a date or a state, and stay.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from creditbank.clock import now
from creditbank.institutions.kinds import (
    Category,
    InstitutionKind,
    InstitutionStatus,
    ItemStatus,
    OutcomeKind,
    Role,
    SkillLevel,
    StreamMode,
    StreamPurpose,
    XLevel,
)

PSEUDONYM_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_pseudonym() -> str:
    """Draw what the ledger calls a member: 16 random base32 characters (80 bits)."""
    return "".join(secrets.choice(PSEUDONYM_ALPHABET) for _ in range(16))


def _days(first: str, last: str) -> Func:
    """Build the range of days from one column to another, both included; no end means for ever."""
    return Func(F(first), F(last), Value("[]"), function="daterange", output_field=DateRangeField())


def _days_in_force() -> Func:
    """Build the range of days on which an item's version can be completed.

    least() passes over nulls, so each end counts where it is given; a version
    withdrawn on its first day leaves the empty range, which overlaps nothing.
    """
    day_after = Func(
        F("valid_until"), template="(%(expressions)s + 1)", output_field=models.DateField()
    )
    end = Func(day_after, F("withdrawn_on"), function="least", output_field=models.DateField())
    return Func(
        F("valid_from"), end, Value("[)"), function="daterange", output_field=DateRangeField()
    )


def in_english() -> bool:
    """Say whether the reader's language is English."""
    return (get_language() or "").startswith("en")


class Region(models.Model):
    """A part of the province, with the days on which its code was valid (GB/T 2260).

    `official` is false where the national code list has no code: an area under
    special administration that people still say they are from.
    """

    code = models.CharField(max_length=12)
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=100)
    name_ko = models.CharField(max_length=60, blank=True, default="")
    parent_code = models.CharField(max_length=12, blank=True, default="")
    successor_code = models.CharField(max_length=12, blank=True, default="")
    official = models.BooleanField(default=True)
    note = models.CharField(max_length=200, blank=True, default="")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("地区")
        ordering = ["code", "valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["code", "valid_from"], name="region_version_once"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
                name="region_days_in_order",
            ),
            models.CheckConstraint(
                condition=Q(official=False) | Q(code__regex=r"^[0-9]{6}$"),
                name="region_official_code",
            ),
            ExclusionConstraint(
                name="region_versions_apart",
                expressions=[
                    ("code", RangeOperators.EQUAL),
                    (_days("valid_from", "valid_until"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return self.name_en if in_english() else self.name


class Industry(models.Model):
    """An industry of the province's plan; `listed_in` names the paragraph that lists it."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=100)
    listed_in = models.CharField(max_length=40)
    position = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("产业")
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name_en if in_english() else self.name


class Framework(models.Model):
    """A qualification framework in one version. A new version is a new row, never a change."""

    code = models.SlugField(max_length=40)
    version = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=100)
    name_en = models.CharField(max_length=150)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("资历框架")
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="framework_version_once"),
        ]

    def __str__(self) -> str:
        return self.name_en if in_english() else self.name

    @property
    def key(self) -> str:
        """What openings and catalogue items call this version."""
        return f"{self.code}/{self.version}"


class Level(models.Model):
    """A level of a framework version; 1 is the lowest."""

    framework = models.ForeignKey(Framework, on_delete=models.PROTECT, related_name="levels")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=100)
    name_en = models.CharField(max_length=150)
    typical = models.CharField(max_length=200, blank=True, default="")
    typical_en = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("资历等级")
        ordering = ["framework", "number"]
        constraints = [
            models.UniqueConstraint(fields=["framework", "number"], name="level_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="level_from_one"),
        ]

    def __str__(self) -> str:
        return self.name_en if in_english() else self.name


class Institution(models.Model):
    """A body that records learning outcomes, or that the bank deals with (办学机构)."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=100)
    name_en = models.CharField(_("英文名称"), max_length=200)
    name_ko = models.CharField(_("朝鲜文名称"), max_length=100, blank=True, default="")
    kind = models.CharField(_("类型"), max_length=40, choices=InstitutionKind.choices)
    uscc = models.CharField(_("统一社会信用代码"), max_length=18, unique=True)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    industry = models.ForeignKey(
        Industry, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    status = models.CharField(
        max_length=20, choices=InstitutionStatus.choices, default=InstitutionStatus.ACTIVE
    )
    opened_on = models.DateField()

    class Meta:
        verbose_name = _("办学机构")
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=InstitutionKind.values), name="institution_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=InstitutionStatus.values), name="institution_status_known"
            ),
            models.CheckConstraint(
                condition=Q(uscc__regex=r"^[0-9A-HJ-NP-RTUWXY]{2}[0-9]{6}[0-9A-HJ-NP-RTUWXY]{10}$"),
                name="institution_uscc_characters",
            ),
        ]

    def __str__(self) -> str:
        return self.name_en if in_english() else self.name

    @property
    def is_active(self) -> bool:
        """Whether the institution may record at present."""
        return self.status == InstitutionStatus.ACTIVE


class RecordingScope(models.Model):
    """A kind of outcome that an institution may record, and on which days of completion."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="scopes")
    outcome_kind = models.CharField(max_length=40, choices=OutcomeKind.choices)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("记录范围")
        ordering = ["institution", "outcome_kind", "valid_from"]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome_kind__in=OutcomeKind.values), name="scope_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
                name="scope_days_in_order",
            ),
            ExclusionConstraint(
                name="scopes_apart",
                expressions=[
                    ("institution", RangeOperators.EQUAL),
                    ("outcome_kind", RangeOperators.EQUAL),
                    (_days("valid_from", "valid_until"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return str(OutcomeKind(self.outcome_kind).label)


class Member(models.Model):
    """A user who acts for an institution, in one role, until the membership ends.

    The ledger names a member by `pseudonym` alone; this row, which is kept,
    says who it was.
    """

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="members")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(_("角色"), max_length=20, choices=Role.choices)
    pseudonym = models.CharField(max_length=16, unique=True, default=new_pseudonym, editable=False)
    joined_at = models.DateTimeField(default=now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("机构经办人")
        ordering = ["institution", "joined_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="member_role_known"),
            models.UniqueConstraint(
                fields=["institution", "user"],
                condition=Q(ended_at__isnull=True),
                name="member_once_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pseudonym} ({self.role})"

    def may(self, role: Role) -> bool:
        """Say whether the membership includes a role."""
        return self.ended_at is None and Role(self.role).includes(role)


class Stream(models.Model):
    """An institution's numbered series of submissions (序列). Only the bank's own has no owner."""

    name = models.CharField(max_length=120, unique=True)
    institution = models.ForeignKey(
        Institution, on_delete=models.PROTECT, related_name="streams", null=True, blank=True
    )
    mode = models.CharField(max_length=10, choices=StreamMode.choices)
    purpose = models.CharField(
        max_length=20, choices=StreamPurpose.choices, default=StreamPurpose.RECORDING
    )
    active = models.BooleanField(default=True)
    opened_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        verbose_name = _("序列")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(mode__in=StreamMode.values, purpose__in=StreamPurpose.values),
                name="stream_mode_and_purpose_known",
            ),
            models.CheckConstraint(
                condition=Q(purpose=StreamPurpose.BANK, mode=StreamMode.HOSTED)
                | Q(purpose=StreamPurpose.RECORDING, institution__isnull=False),
                name="stream_has_owner",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SigningKey(models.Model):
    """A stream's public key, with the log indexes at which its life changed.

    An index of the key entries in the ledger, which are the truth: `keys.py`
    writes it after they are entered, and it can be written again from them.
    """

    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="keys")
    algorithm = models.CharField(max_length=20)
    public = models.BinaryField(unique=True)
    added_index = models.BigIntegerField()
    retired_index = models.BigIntegerField(null=True, blank=True)
    compromised_from_index = models.BigIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = _("签名密钥")
        ordering = ["stream", "added_index"]
        constraints = [
            models.CheckConstraint(condition=Q(added_index__gte=0), name="key_added_in_the_log"),
            models.CheckConstraint(
                condition=Q(retired_index__isnull=True) | Q(retired_index__gt=F("added_index")),
                name="key_retired_after_added",
            ),
            models.CheckConstraint(
                condition=Q(compromised_from_index__isnull=True) | Q(retired_index__isnull=False),
                name="key_compromised_is_retired",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stream_id} {self.algorithm}"


class CatalogueItem(models.Model):
    """One version of an item of the outcome catalogue (学习成果名录).

    An institution proposes; the authority approves bank credits, level and
    category. `fields` are codes of the fields of study that it belongs to, which
    rules of recognition ask for. Only approved versions can be recorded, for outcomes completed on
    the days from `valid_from` to `valid_until` and before `withdrawn_on`.
    """

    code = models.CharField(_("编码"), max_length=40)
    version = models.PositiveIntegerField(_("版本"))
    kind = models.CharField(_("成果类型"), max_length=40, choices=OutcomeKind.choices)
    institution = models.ForeignKey(
        Institution, on_delete=models.PROTECT, related_name="catalogue_items"
    )
    body_uscc = models.CharField(_("授予机构统一社会信用代码"), max_length=18)
    body_name = models.CharField(_("授予机构"), max_length=100)
    title = models.CharField(_("名称"), max_length=120)
    title_en = models.CharField(_("英文名称"), max_length=200)
    hours = models.DecimalField(
        _("学时"), max_digits=6, decimal_places=1, null=True, blank=True, default=None
    )
    standard = models.CharField(_("标准"), max_length=120, blank=True, default="")
    standard_version = models.CharField(_("标准版本"), max_length=40, blank=True, default="")
    x_level = models.CharField(
        _("证书等级"), max_length=4, choices=XLevel.choices, blank=True, default=""
    )
    skill_level = models.CharField(
        _("技能等级"), max_length=1, choices=SkillLevel.choices, blank=True, default=""
    )
    fields = ArrayField(
        models.CharField(max_length=40), verbose_name=_("专业类别"), default=list, blank=True
    )
    proposed_credits = models.DecimalField(_("建议学分"), max_digits=5, decimal_places=2)
    approved_credits = models.DecimalField(
        _("核定学分"), max_digits=5, decimal_places=2, null=True, blank=True, default=None
    )
    qualification_level = models.ForeignKey(
        Level, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    category = models.CharField(
        _("类别"), max_length=20, choices=Category.choices, blank=True, default=""
    )
    status = models.CharField(
        max_length=20, choices=ItemStatus.choices, default=ItemStatus.PROPOSED
    )
    valid_from = models.DateField(_("生效日"))
    valid_until = models.DateField(_("失效日"), null=True, blank=True)
    withdrawn_on = models.DateField(null=True, blank=True)
    withdrawal_reason = models.CharField(max_length=200, blank=True, default="")
    proposed_at = models.DateTimeField(default=now, editable=False)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )

    class Meta:
        verbose_name = _("学习成果名录项目")
        ordering = ["code", "version"]
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="item_version_once"),
            models.CheckConstraint(condition=Q(version__gte=1), name="item_version_from_one"),
            models.CheckConstraint(
                condition=Q(
                    kind__in=OutcomeKind.values,
                    status__in=ItemStatus.values,
                    category__in=["", *Category.values],
                ),
                name="item_words_known",
            ),
            models.CheckConstraint(
                condition=Q(proposed_credits__gte=0, proposed_credits__lte=200)
                & (
                    Q(approved_credits__isnull=True)
                    | Q(approved_credits__gte=0, approved_credits__lte=200)
                ),
                name="item_credits_range",
            ),
            models.CheckConstraint(
                condition=Q(
                    status=ItemStatus.PROPOSED,
                    approved_credits__isnull=True,
                    approved_at__isnull=True,
                    withdrawn_on__isnull=True,
                )
                | Q(
                    status=ItemStatus.APPROVED,
                    approved_credits__isnull=False,
                    approved_at__isnull=False,
                    qualification_level__isnull=False,
                    withdrawn_on__isnull=True,
                )
                & ~Q(category="")
                | Q(status=ItemStatus.WITHDRAWN, withdrawn_on__isnull=False),
                name="item_state_is_whole",
            ),
            models.CheckConstraint(
                condition=(Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")))
                & (Q(withdrawn_on__isnull=True) | Q(withdrawn_on__gte=F("valid_from"))),
                name="item_days_in_order",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind=OutcomeKind.X_CERTIFICATE, x_level__in=XLevel.values, skill_level=""
                )
                & ~Q(standard="")
                & ~Q(standard_version="")
                | Q(kind=OutcomeKind.SKILL_LEVEL, skill_level__in=SkillLevel.values, x_level="")
                | ~Q(kind__in=[OutcomeKind.X_CERTIFICATE, OutcomeKind.SKILL_LEVEL])
                & Q(x_level="", skill_level=""),
                name="item_certificate_level",
            ),
            ExclusionConstraint(
                name="item_versions_apart",
                expressions=[
                    ("code", RangeOperators.EQUAL),
                    (_days_in_force(), RangeOperators.OVERLAPS),
                ],
                condition=Q(approved_credits__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title_en if in_english() and self.title_en else self.title

    @property
    def framework(self) -> str:
        """The key of the framework version of the item's level; nothing while none is proposed."""
        return self.qualification_level.framework.key if self.qualification_level else ""

    @property
    def level(self) -> str:
        """The number of the item's level; nothing while none is proposed."""
        return str(self.qualification_level.number) if self.qualification_level else ""

    @property
    def is_in_catalogue(self) -> bool:
        """Whether the version was ever approved: its content is then frozen."""
        return self.approved_credits is not None
