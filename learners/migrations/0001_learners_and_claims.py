"""Create learners, their accounts, claim codes and consents."""

import uuid

import django.db.models.deletion
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models

import creditbank.clock


class Migration(migrations.Migration):
    """The tables."""

    initial = True

    dependencies = [
        ("ledger", "0001_account_book"),
        ("users", "0001_people_who_sign_in"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ClaimAttempts",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("since", models.DateTimeField()),
                ("count", models.PositiveSmallIntegerField()),
            ],
            options={
                "verbose_name": "认领尝试",
            },
        ),
        migrations.CreateModel(
            name="Learner",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "document_type",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("resident-id", "居民身份证或港澳台居民居住证"),
                            ("hk-mo-permit", "港澳居民来往内地通行证"),
                            ("tw-permit", "台湾居民来往大陆通行证"),
                            ("foreign-pr", "外国人永久居留身份证"),
                            ("passport", "护照"),
                        ],
                        max_length=20,
                    ),
                ),
                ("name_sealed", models.BinaryField()),
                ("identity_sealed", models.BinaryField()),
                ("identity_digest", models.BinaryField(null=True)),
                ("opened_at", models.DateTimeField(default=creditbank.clock.now, editable=False)),
                ("claimed_at", models.DateTimeField(blank=True, null=True)),
                ("forgotten_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.OneToOneField(
                        db_column="account",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.creditaccount",
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="learner",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "学习者",
            },
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("sensitive-data", "处理证件号码等敏感个人信息"),
                            ("mutual-recognition", "为学习成果互认向其他机构提供本人的学习成果"),
                        ],
                        max_length=40,
                    ),
                ),
                ("wording", models.CharField(max_length=40)),
                ("given_at", models.DateTimeField(default=creditbank.clock.now, editable=False)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "learner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consents",
                        to="learners.learner",
                    ),
                ),
            ],
            options={
                "verbose_name": "授权同意",
                "ordering": ["given_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="ClaimCode",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("digest", models.BinaryField(unique=True)),
                ("issued_at", models.DateTimeField(default=creditbank.clock.now, editable=False)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                ("replaced_at", models.DateTimeField(blank=True, null=True)),
                (
                    "issued_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "learner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claim_codes",
                        to="learners.learner",
                    ),
                ),
            ],
            options={
                "verbose_name": "认领码",
            },
        ),
        migrations.CreateModel(
            name="LearnerAccount",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        db_column="account",
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="ledger.creditaccount",
                    ),
                ),
                ("since", models.DateTimeField(default=creditbank.clock.now, editable=False)),
                (
                    "learner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="account_links",
                        to="learners.learner",
                    ),
                ),
            ],
            options={
                "verbose_name": "学习者账户",
                "ordering": ["since", "account"],
            },
        ),
        migrations.AddConstraint(
            model_name="learner",
            constraint=models.UniqueConstraint(
                fields=("identity_digest",), name="learner_identity_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="learner",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "document_type__in",
                        ["", "resident-id", "hk-mo-permit", "tw-permit", "foreign-pr", "passport"],
                    )
                ),
                name="learner_document_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="learner",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("forgotten_at__isnull", False),
                    models.Q(
                        django.db.models.lookups.Exact(
                            models.Func(
                                models.F("identity_digest"),
                                function="octet_length",
                                output_field=models.IntegerField(),
                            ),
                            models.Value(32),
                        ),
                        django.db.models.lookups.GreaterThan(
                            models.Func(
                                models.F("name_sealed"),
                                function="octet_length",
                                output_field=models.IntegerField(),
                            ),
                            models.Value(28),
                        ),
                        django.db.models.lookups.GreaterThan(
                            models.Func(
                                models.F("identity_sealed"),
                                function="octet_length",
                                output_field=models.IntegerField(),
                            ),
                            models.Value(28),
                        ),
                        ("identity_digest__isnull", False),
                        models.Q(("document_type", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="learner_is_sealed",
            ),
        ),
        migrations.AddConstraint(
            model_name="learner",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("forgotten_at__isnull", True),
                    models.Q(
                        ("document_type", ""),
                        ("identity_digest__isnull", True),
                        ("user__isnull", True),
                        django.db.models.lookups.Exact(
                            models.Func(
                                models.F("name_sealed"),
                                function="octet_length",
                                output_field=models.IntegerField(),
                            ),
                            models.Value(0),
                        ),
                        django.db.models.lookups.Exact(
                            models.Func(
                                models.F("identity_sealed"),
                                function="octet_length",
                                output_field=models.IntegerField(),
                            ),
                            models.Value(0),
                        ),
                    ),
                    _connector="OR",
                ),
                name="learner_forgotten_is_blank",
            ),
        ),
        migrations.AddConstraint(
            model_name="learner",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("claimed_at__isnull", True), ("user__isnull", True)),
                    models.Q(("claimed_at__isnull", False), ("user__isnull", False)),
                    _connector="OR",
                ),
                name="learner_claimed_has_user",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(("purpose__in", ["sensitive-data", "mutual-recognition"])),
                name="consent_purpose_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at__isnull", True)),
                fields=("learner", "purpose"),
                name="consent_once_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="claimcode",
            constraint=models.CheckConstraint(
                condition=django.db.models.lookups.Exact(
                    models.Func(
                        models.F("digest"),
                        function="octet_length",
                        output_field=models.IntegerField(),
                    ),
                    models.Value(32),
                ),
                name="claim_code_digest_length",
            ),
        ),
        migrations.AddConstraint(
            model_name="claimcode",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("issued_at"))),
                name="claim_code_days_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="claimcode",
            constraint=models.UniqueConstraint(
                condition=models.Q(("replaced_at__isnull", True), ("used_at__isnull", True)),
                fields=("learner",),
                name="claim_code_one_open",
            ),
        ),
    ]
