"""Keys for programs, and the requests that were made under an idempotency key.

Of a key only its digest is kept. A key's label is its institution's; a learner's
key has none, so that nothing written by a person outlives forgetting.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from creditbank.clock import now
from creditbank.institutions.models import Institution
from creditbank.recording.models import Draft
from learners.models import Learner

DIGEST_BYTES = 32


class Scope(models.TextChoices):
    """What a key may do."""

    SUBMIT = "submit", _("报送自持密钥签名的清单")
    RECORD = "record", _("提交待复核的成果")
    RESOLVE = "resolve", _("以证件号码查询账号")
    RULES = "rules", _("准备、备案和公布规则与培养方案")
    RECEIPTS = "read-receipts", _("读取本机构的回执")
    STATEMENT = "statement", _("读取本人的对账单")
    TRANSCRIPTS = "transcripts", _("申请和读取本人的学分证明")
    RECOGNITION = "recognition", _("办理和读取本人的学分认定")
    READ_REQUESTS = "read-requests", _("读取本机构的认定申请和决定")
    DECIDE = "decide", _("以本人名义提出和同意认定决定、预认定")
    VERIFY = "verify", _("核验学分证明")
    LOG = "log", _("读取登记簿")


OF_INSTITUTIONS = (
    Scope.SUBMIT,
    Scope.RECORD,
    Scope.RESOLVE,
    Scope.RULES,
    Scope.RECEIPTS,
    Scope.READ_REQUESTS,
    Scope.DECIDE,
    Scope.VERIFY,
    Scope.LOG,
)
OF_LEARNERS = (
    Scope.STATEMENT,
    Scope.TRANSCRIPTS,
    Scope.RECOGNITION,
    Scope.VERIFY,
    Scope.LOG,
)


def _octets(column: str) -> Func:
    return Func(F(column), function="octet_length", output_field=models.IntegerField())


class ApiKey(models.Model):
    """A key for a program (接口密钥): an institution's, or a learner's own.

    `user` is the person it acts for: the administrator who made it, or the
    learner. It never may more than that person may at the moment of its use.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    digest = models.BinaryField()
    institution = models.ForeignKey(
        Institution, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    learner = models.ForeignKey(
        Learner, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    label = models.CharField(_("用途"), max_length=80, blank=True, default="")
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope.choices))
    created_at = models.DateTimeField(default=now, editable=False)
    expires_on = models.DateField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_on = models.DateField(null=True, blank=True)

    class Meta:
        db_table = "api_key"
        verbose_name = _("接口密钥")
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Exact(_octets("digest"), Value(DIGEST_BYTES)),
                name="api_key_digest_length",
            ),
            models.CheckConstraint(
                condition=Q(
                    institution__isnull=False,
                    learner__isnull=True,
                    scopes__contained_by=[scope.value for scope in OF_INSTITUTIONS],
                )
                | Q(
                    institution__isnull=True,
                    learner__isnull=False,
                    label="",
                    scopes__contained_by=[scope.value for scope in OF_LEARNERS],
                ),
                name="api_key_owner_and_scopes",
            ),
            models.CheckConstraint(condition=~Q(scopes=[]), name="api_key_has_scopes"),
        ]

    def __str__(self) -> str:
        return self.prefix

    @property
    def owner(self) -> str:
        """Who owns it, without a name: an institution's slug, or the word learner."""
        return self.institution.slug if self.institution is not None else "learner"


class IdempotentRequest(models.Model):
    """A request for recording, by the key its client gave, and the draft it became.

    `digest` is keyed: the request names people, and theirs are few numbers.
    """

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=100)
    digest = models.BinaryField()
    draft = models.OneToOneField(Draft, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        db_table = "api_idempotentrequest"
        verbose_name = _("接口请求")
        constraints = [
            models.UniqueConstraint(fields=["institution", "key"], name="request_key_once"),
            models.CheckConstraint(
                condition=Exact(_octets("digest"), Value(DIGEST_BYTES)),
                name="request_digest_length",
            ),
        ]

    def __str__(self) -> str:
        return f"request for draft {self.draft_id}"


class IdempotentAct(models.Model):
    """Something done in recognition by the key its client gave, and the number of what came of it.

    `digest` is keyed, over the operation and what was asked.
    """

    institution = models.ForeignKey(
        Institution, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    learner = models.ForeignKey(
        Learner, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    key = models.CharField(max_length=100)
    digest = models.BinaryField()
    number = models.CharField(max_length=40, blank=True, default="")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        db_table = "api_idempotentact"
        verbose_name = _("接口办理")
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "key"],
                condition=Q(institution__isnull=False),
                name="act_key_once_of_institution",
            ),
            models.UniqueConstraint(
                fields=["learner", "key"],
                condition=Q(learner__isnull=False),
                name="act_key_once_of_learner",
            ),
            models.CheckConstraint(
                condition=Q(institution__isnull=False, learner__isnull=True)
                | Q(institution__isnull=True, learner__isnull=False),
                name="act_of_one_owner",
            ),
            models.CheckConstraint(
                condition=Exact(_octets("digest"), Value(DIGEST_BYTES)), name="act_digest_length"
            ),
        ]

    def __str__(self) -> str:
        return f"act that made {self.number}"
