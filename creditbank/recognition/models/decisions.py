"""Decisions, their lines, and who agreed to them.

A decision is proposed, agreed to by as many people as its rules ask for, and
then frozen: its package is the truth, the columns are an index of it. The
package is sealed under the account's key. Lines say what was decided for which
target, and nothing of the person.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from creditbank.clock import now
from creditbank.institutions.models import Institution
from creditbank.ledger.models import CreditAccount
from creditbank.recognition.models.columns import (
    HASH_BYTES,
    are_hashes,
    is_empty,
    is_hash,
    is_sealed,
)
from creditbank.recognition.models.requests import Request
from creditbank.recognition.models.versions import RuleVersion


class DecisionState(models.TextChoices):
    """Where a decision stands. Refused: nothing of it enters the account."""

    PROPOSED = "proposed", _("待同意")
    RETURNED = "returned", _("已退回重议")
    DECIDED = "decided", _("已决定")
    IN_NOTICE = "in-notice", _("公示中")
    IN_FORCE = "in-force", _("已生效")
    REFUSED = "refused", _("不予认定")
    VOID = "void", _("依据失效，未生效")
    REPLACED = "replaced", _("已由新决定取代")
    REVERSED = "reversed", _("已冲正")


UNDER_WAY = (DecisionState.PROPOSED, DecisionState.DECIDED, DecisionState.IN_NOTICE)


class LineVerdict(models.TextChoices):
    """What was decided for one target."""

    CREDIT = "credit", _("计学分")
    PART = "part", _("部分计学分")
    WAIVED = "waived", _("免修不计学分")
    REFUSED = "refused", _("不予认定")


class Decision(models.Model):
    """A decision on a request (认定决定).

    `law_on` is the day that stands for the day of decision where a rule's law is
    the decision's: in an appeal, that of the decision appealed against. `digest`
    is the SHA-256 of the package, which the ledger entry at `entry_index` holds.
    `flagged_at`: a source was reversed since; the institution is to confirm.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(_("决定编号"), max_length=20, unique=True)
    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="decisions")
    account = models.ForeignKey(
        CreditAccount, on_delete=models.PROTECT, related_name="+", db_column="account"
    )
    state = models.CharField(
        max_length=10, choices=DecisionState.choices, default=DecisionState.PROPOSED
    )
    automatic = models.BooleanField(default=False)
    proposed_at = models.DateTimeField(default=now, editable=False)
    law_on = models.DateField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_on = models.DateField(null=True, blank=True)
    notice_until = models.DateField(null=True, blank=True)
    appeal_until = models.DateField(null=True, blank=True)
    in_force_at = models.DateTimeField(null=True, blank=True)
    credits = models.DecimalField(max_digits=6, decimal_places=2)
    digest = models.BinaryField(null=True)
    package_sealed = models.BinaryField(default=b"")
    notes_sealed = models.BinaryField(default=b"")
    entry_index = models.BigIntegerField(null=True, blank=True, unique=True)
    reversal_index = models.BigIntegerField(null=True, blank=True, unique=True)
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="successors", null=True, blank=True
    )
    flagged_at = models.DateTimeField(null=True, blank=True)
    reversed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("认定决定")
        ordering = ["proposed_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=DecisionState.values), name="decision_state_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["proposed", "returned"],
                    decided_at__isnull=True,
                    decided_on__isnull=True,
                    digest__isnull=True,
                )
                & is_empty("package_sealed")
                | Q(
                    ~Q(state__in=["proposed", "returned"]),
                    decided_at__isnull=False,
                    decided_on__isnull=False,
                    digest__isnull=False,
                )
                & is_hash("digest")
                & is_sealed("package_sealed"),
                name="decision_package_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["proposed", "returned", "decided", "void", "refused"],
                    entry_index__isnull=True,
                    in_force_at__isnull=True,
                )
                | Q(state="in-notice", notice_until__isnull=False, entry_index__isnull=True)
                | Q(
                    state__in=["in-force", "replaced", "reversed"],
                    entry_index__gte=0,
                    in_force_at__isnull=False,
                )
                # A refusal is replaced without ever having been entered.
                | Q(state="replaced", entry_index__isnull=True, credits=0),
                name="decision_entry_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(state="reversed", reversal_index__gte=0, reversed_at__isnull=False)
                | Q(state="replaced")
                | ~Q(state__in=["reversed", "replaced"])
                & Q(reversal_index__isnull=True, reversed_at__isnull=True),
                name="decision_reversal_is_whole",
            ),
            models.CheckConstraint(condition=Q(credits__gte=0), name="decision_credits_positive"),
            models.CheckConstraint(
                condition=Q(replaces__isnull=True) | ~Q(replaces=F("id")),
                name="decision_replaces_another",
            ),
            models.UniqueConstraint(
                fields=["replaces"],
                condition=~Q(state__in=["returned", "void"]),
                name="decision_replaced_once",
            ),
            models.UniqueConstraint(
                fields=["request"], condition=Q(state__in=UNDER_WAY), name="decision_one_under_way"
            ),
            models.UniqueConstraint(
                fields=["request"], condition=Q(state="in-force"), name="decision_one_in_force"
            ),
        ]
        indexes = [
            models.Index(
                fields=["flagged_at"],
                condition=Q(state="in-force", flagged_at__isnull=False),
                name="decision_flagged",
            ),
            models.Index(
                fields=["notice_until"], condition=Q(state="in-notice"), name="decision_in_notice"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_decided(self) -> bool:
        """Whether it was agreed to, so that its package stands."""
        return self.decided_at is not None


class DecisionLine(models.Model):
    """What a decision says of one target, or of an outcome that nothing was given for.

    `leaves` holds the leaf hashes of the outcomes one after the other, 32 bytes
    each. `proposed` are the credits that the computation proposed; `law` says by
    which day's law, and `law_on` which day that is.
    """

    id = models.BigAutoField(primary_key=True)
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    rule = models.ForeignKey(
        RuleVersion, on_delete=models.PROTECT, related_name="decision_lines", null=True, blank=True
    )
    rule_code = models.CharField(max_length=40, blank=True, default="")
    rule_version = models.PositiveIntegerField(default=0)
    leaves = models.BinaryField()
    course = models.CharField(max_length=40, blank=True, default="")
    category = models.CharField(max_length=40, blank=True, default="")
    verdict = models.CharField(max_length=10, choices=LineVerdict.choices)
    credits = models.DecimalField(max_digits=6, decimal_places=2, default=0)
    surplus = models.DecimalField(max_digits=6, decimal_places=2, default=0)
    surplus_category = models.CharField(max_length=40, blank=True, default="")
    proposed = models.DecimalField(max_digits=6, decimal_places=2, default=0)
    reason = models.CharField(max_length=60, blank=True, default="")
    law = models.CharField(max_length=10, blank=True, default="")
    law_on = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("认定决定明细")
        ordering = ["decision", "position"]
        constraints = [
            models.UniqueConstraint(fields=["decision", "position"], name="line_position_once"),
            models.CheckConstraint(
                condition=Q(verdict__in=LineVerdict.values), name="line_verdict_known"
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=["credit", "part"], credits__gte=0)
                | Q(verdict__in=["waived", "refused"], credits=0, surplus=0),
                name="line_credits_as_verdict",
            ),
            models.CheckConstraint(
                condition=Q(verdict="credit") | ~Q(reason=""), name="line_reduction_has_reason"
            ),
            models.CheckConstraint(
                condition=Q(verdict="refused")
                | ~Q(rule_code="") & (~Q(course="") | ~Q(category="")),
                name="line_given_names_rule_and_target",
            ),
            models.CheckConstraint(
                condition=Q(credits__lte=F("proposed")), name="line_within_proposal"
            ),
            models.CheckConstraint(condition=are_hashes("leaves"), name="line_leaves_length"),
        ]
        indexes = [
            models.Index(fields=["rule_code", "rule_version"], name="line_by_rule"),
        ]

    def __str__(self) -> str:
        return f"{self.position} of {self.decision_id}"

    @property
    def target(self) -> str:
        """The code of the course or category."""
        return self.course or self.category

    @property
    def leaf_hashes(self) -> tuple[bytes, ...]:
        """The outcomes' leaf hashes."""
        data = bytes(self.leaves)
        return tuple(data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES))


class ReviewVerdict(models.TextChoices):
    """What a reviewer says of a proposed decision."""

    AGREE = "agree", _("同意")
    RETURN = "return", _("退回重议")


class Review(models.Model):
    """One person's word on a proposed decision, at one stage of its chain (审核意见).

    `reviewer_as` is the pseudonym of the membership in which the person acted;
    it stands in the package. `years`: for how many the person had been an industry
    expert on that day.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="reviews")
    stage = models.CharField(max_length=20)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    reviewer_as = models.CharField(max_length=16)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    years = models.PositiveSmallIntegerField(default=0)
    verdict = models.CharField(max_length=10, choices=ReviewVerdict.choices)
    note_sealed = models.BinaryField(default=b"")
    at = models.DateTimeField(default=now, editable=False)

    class Meta:
        verbose_name = _("审核意见")
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["decision", "reviewer"], name="review_once"),
            models.CheckConstraint(
                condition=Q(verdict__in=ReviewVerdict.values), name="review_verdict_known"
            ),
            models.CheckConstraint(
                condition=is_sealed("note_sealed") | is_empty("note_sealed"),
                name="review_note_sealed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} on {self.decision_id}"
