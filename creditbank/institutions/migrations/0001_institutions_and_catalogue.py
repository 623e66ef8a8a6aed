"""Create institutions, members, scopes, streams, keys and the outcome catalogue."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models

import creditbank.clock
import creditbank.institutions.models


class Migration(migrations.Migration):
    """The tables."""

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # Equality inside an exclusion constraint needs it; a trusted extension.
        BtreeGistExtension(),
        migrations.CreateModel(
            name="Industry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.SlugField(max_length=40, unique=True)),
                ("name", models.CharField(max_length=60)),
                ("name_en", models.CharField(max_length=100)),
                ("listed_in", models.CharField(max_length=40)),
                ("position", models.PositiveSmallIntegerField()),
            ],
            options={
                "verbose_name": "产业",
                "ordering": ["position"],
            },
        ),
        migrations.CreateModel(
            name="Framework",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.SlugField(max_length=40)),
                ("version", models.PositiveSmallIntegerField()),
                ("name", models.CharField(max_length=100)),
                ("name_en", models.CharField(max_length=150)),
                ("valid_from", models.DateField()),
                ("valid_until", models.DateField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "资历框架",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("code", "version"), name="framework_version_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Institution",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slug", models.SlugField(max_length=40, unique=True)),
                ("name", models.CharField(max_length=100, verbose_name="名称")),
                ("name_en", models.CharField(max_length=200, verbose_name="英文名称")),
                (
                    "name_ko",
                    models.CharField(
                        blank=True, default="", max_length=100, verbose_name="朝鲜文名称"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("university", "普通高等学校"),
                            ("vocational-college", "高等职业院校"),
                            ("secondary-vocational", "中等职业学校（含技工学校）"),
                            ("county-vocational-centre", "县级职业教育中心"),
                            ("open-university", "开放大学"),
                            ("community-education-centre", "社区教育中心"),
                            ("learning-centre", "学习中心"),
                            ("assessment-organisation", "职业教育培训评价组织"),
                            ("training-centre", "培训中心"),
                            ("enterprise-university", "企业大学"),
                            ("enterprise", "企业"),
                            ("professional-association", "行业组织"),
                            ("skills-competition-body", "技能竞赛组织机构"),
                            ("bank", "学分银行"),
                            ("provincial-authority", "省级主管部门"),
                        ],
                        max_length=40,
                        verbose_name="类型",
                    ),
                ),
                (
                    "uscc",
                    models.CharField(max_length=18, unique=True, verbose_name="统一社会信用代码"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "正常"), ("suspended", "暂停")],
                        default="active",
                        max_length=20,
                    ),
                ),
                ("opened_on", models.DateField()),
                (
                    "industry",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="institutions.industry",
                    ),
                ),
            ],
            options={
                "verbose_name": "办学机构",
                "ordering": ["slug"],
            },
        ),
        migrations.CreateModel(
            name="Level",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("name", models.CharField(max_length=100)),
                ("name_en", models.CharField(max_length=150)),
                ("typical", models.CharField(blank=True, default="", max_length=200)),
                ("typical_en", models.CharField(blank=True, default="", max_length=200)),
                (
                    "framework",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="levels",
                        to="institutions.framework",
                    ),
                ),
            ],
            options={
                "verbose_name": "资历等级",
                "ordering": ["framework", "number"],
            },
        ),
        migrations.CreateModel(
            name="CatalogueItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=40, verbose_name="编码")),
                ("version", models.PositiveIntegerField(verbose_name="版本")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("course", "课程"),
                            ("x-certificate", "1+X 职业技能等级证书"),
                            ("skill-level", "职业技能等级证书（人社）"),
                            ("training", "培训"),
                            ("community", "社区学习"),
                            ("continuing-education", "继续教育学时"),
                            ("competition", "技能竞赛"),
                            ("work-experience", "工作经历"),
                            ("apprenticeship", "学徒制"),
                        ],
                        max_length=40,
                        verbose_name="成果类型",
                    ),
                ),
                (
                    "body_uscc",
                    models.CharField(max_length=18, verbose_name="授予机构统一社会信用代码"),
                ),
                ("body_name", models.CharField(max_length=100, verbose_name="授予机构")),
                ("title", models.CharField(max_length=120, verbose_name="名称")),
                ("title_en", models.CharField(max_length=200, verbose_name="英文名称")),
                (
                    "hours",
                    models.DecimalField(
                        blank=True,
                        decimal_places=1,
                        default=None,
                        max_digits=6,
                        null=True,
                        verbose_name="学时",
                    ),
                ),
                (
                    "standard",
                    models.CharField(blank=True, default="", max_length=120, verbose_name="标准"),
                ),
                (
                    "standard_version",
                    models.CharField(
                        blank=True, default="", max_length=40, verbose_name="标准版本"
                    ),
                ),
                (
                    "x_level",
                    models.CharField(
                        blank=True,
                        choices=[("初级", "初级"), ("中级", "中级"), ("高级", "高级")],
                        default="",
                        max_length=4,
                        verbose_name="证书等级",
                    ),
                ),
                (
                    "skill_level",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("5", "五级（初级工）"),
                            ("4", "四级（中级工）"),
                            ("3", "三级（高级工）"),
                            ("2", "二级（技师）"),
                            ("1", "一级（高级技师）"),
                        ],
                        default="",
                        max_length=1,
                        verbose_name="技能等级",
                    ),
                ),
                (
                    "proposed_credits",
                    models.DecimalField(decimal_places=2, max_digits=5, verbose_name="建议学分"),
                ),
                (
                    "approved_credits",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        default=None,
                        max_digits=5,
                        null=True,
                        verbose_name="核定学分",
                    ),
                ),
                (
                    "category",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("degree", "学历教育"),
                            ("vocational", "职业培训"),
                            ("continuing", "继续教育"),
                            ("leisure", "文化休闲"),
                            ("achievement", "业绩成果"),
                        ],
                        default="",
                        max_length=20,
                        verbose_name="类别",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("proposed", "待核定"),
                            ("approved", "已核定"),
                            ("withdrawn", "已退出"),
                        ],
                        default="proposed",
                        max_length=20,
                    ),
                ),
                ("valid_from", models.DateField(verbose_name="生效日")),
                ("valid_until", models.DateField(blank=True, null=True, verbose_name="失效日")),
                ("withdrawn_on", models.DateField(blank=True, null=True)),
                ("withdrawal_reason", models.CharField(blank=True, default="", max_length=200)),
                ("proposed_at", models.DateTimeField(default=creditbank.clock.now, editable=False)),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="catalogue_items",
                        to="institutions.institution",
                    ),
                ),
                (
                    "qualification_level",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="institutions.level",
                    ),
                ),
            ],
            options={
                "verbose_name": "学习成果名录项目",
                "ordering": ["code", "version"],
            },
        ),
        migrations.CreateModel(
            name="Member",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("viewer", "查看"),
                            ("clerk", "经办"),
                            ("reviewer", "复核"),
                            ("admin", "管理"),
                        ],
                        max_length=20,
                        verbose_name="角色",
                    ),
                ),
                (
                    "pseudonym",
                    models.CharField(
                        default=creditbank.institutions.models.new_pseudonym,
                        editable=False,
                        max_length=16,
                        unique=True,
                    ),
                ),
                ("joined_at", models.DateTimeField(default=creditbank.clock.now, editable=False)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="institutions.institution",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "机构经办人",
                "ordering": ["institution", "joined_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="RecordingScope",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "outcome_kind",
                    models.CharField(
                        choices=[
                            ("course", "课程"),
                            ("x-certificate", "1+X 职业技能等级证书"),
                            ("skill-level", "职业技能等级证书（人社）"),
                            ("training", "培训"),
                            ("community", "社区学习"),
                            ("continuing-education", "继续教育学时"),
                            ("competition", "技能竞赛"),
                            ("work-experience", "工作经历"),
                            ("apprenticeship", "学徒制"),
                        ],
                        max_length=40,
                    ),
                ),
                ("valid_from", models.DateField()),
                ("valid_until", models.DateField(blank=True, null=True)),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="scopes",
                        to="institutions.institution",
                    ),
                ),
            ],
            options={
                "verbose_name": "记录范围",
                "ordering": ["institution", "outcome_kind", "valid_from"],
            },
        ),
        migrations.CreateModel(
            name="Region",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=12)),
                ("name", models.CharField(max_length=60)),
                ("name_en", models.CharField(max_length=100)),
                ("name_ko", models.CharField(blank=True, default="", max_length=60)),
                ("parent_code", models.CharField(blank=True, default="", max_length=12)),
                ("successor_code", models.CharField(blank=True, default="", max_length=12)),
                ("official", models.BooleanField(default=True)),
                ("note", models.CharField(blank=True, default="", max_length=200)),
                ("valid_from", models.DateField()),
                ("valid_until", models.DateField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "地区",
                "ordering": ["code", "valid_from"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("code", "valid_from"), name="region_version_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_until__isnull", True),
                            ("valid_until__gte", models.F("valid_from")),
                            _connector="OR",
                        ),
                        name="region_days_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("official", False), ("code__regex", "^[0-9]{6}$"), _connector="OR"
                        ),
                        name="region_official_code",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            ("code", "="),
                            (
                                models.Func(
                                    models.F("valid_from"),
                                    models.F("valid_until"),
                                    models.Value("[]"),
                                    function="daterange",
                                    output_field=django.contrib.postgres.fields.ranges.DateRangeField(),
                                ),
                                "&&",
                            ),
                        ],
                        name="region_versions_apart",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="institution",
            name="region",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="institutions.region",
            ),
        ),
        migrations.CreateModel(
            name="Stream",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=120, unique=True)),
                (
                    "mode",
                    models.CharField(
                        choices=[("hosted", "由学分银行代为保管密钥"), ("own", "机构自持密钥")],
                        max_length=10,
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[("recording", "记录学习成果"), ("bank", "学分银行自身")],
                        default="recording",
                        max_length=20,
                    ),
                ),
                ("active", models.BooleanField(default=True)),
                ("opened_at", models.DateTimeField(default=creditbank.clock.now, editable=False)),
                (
                    "institution",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="streams",
                        to="institutions.institution",
                    ),
                ),
            ],
            options={
                "verbose_name": "序列",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("algorithm", models.CharField(max_length=20)),
                ("public", models.BinaryField(unique=True)),
                ("added_index", models.BigIntegerField()),
                ("retired_index", models.BigIntegerField(blank=True, null=True)),
                ("compromised_from_index", models.BigIntegerField(blank=True, null=True)),
                (
                    "stream",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="keys",
                        to="institutions.stream",
                    ),
                ),
            ],
            options={
                "verbose_name": "签名密钥",
                "ordering": ["stream", "added_index"],
            },
        ),
        migrations.AddConstraint(
            model_name="level",
            constraint=models.UniqueConstraint(fields=("framework", "number"), name="level_once"),
        ),
        migrations.AddConstraint(
            model_name="level",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__gte", 1)), name="level_from_one"
            ),
        ),
        migrations.AddConstraint(
            model_name="catalogueitem",
            constraint=models.UniqueConstraint(
                fields=("code", "version"), name="item_version_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="catalogueitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("version__gte", 1)), name="item_version_from_one"
            ),
        ),
        migrations.AddConstraint(
            model_name="catalogueitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "category__in",
                        ["", "degree", "vocational", "continuing", "leisure", "achievement"],
                    ),
                    (
                        "kind__in",
                        [
                            "course",
                            "x-certificate",
                            "skill-level",
                            "training",
                            "community",
                            "continuing-education",
                            "competition",
                            "work-experience",
                            "apprenticeship",
                        ],
                    ),
                    ("status__in", ["proposed", "approved", "withdrawn"]),
                ),
                name="item_words_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="catalogueitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("proposed_credits__gte", 0),
                    ("proposed_credits__lte", 200),
                    models.Q(
                        ("approved_credits__isnull", True),
                        models.Q(("approved_credits__gte", 0), ("approved_credits__lte", 200)),
                        _connector="OR",
                    ),
                ),
                name="item_credits_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="catalogueitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("approved_at__isnull", True),
                        ("approved_credits__isnull", True),
                        ("status", "proposed"),
                        ("withdrawn_on__isnull", True),
                    ),
                    models.Q(
                        ("approved_at__isnull", False),
                        ("approved_credits__isnull", False),
                        ("qualification_level__isnull", False),
                        ("status", "approved"),
                        ("withdrawn_on__isnull", True),
                        models.Q(("category", ""), _negated=True),
                    ),
                    models.Q(("status", "withdrawn"), ("withdrawn_on__isnull", False)),
                    _connector="OR",
                ),
                name="item_state_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="catalogueitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("valid_until__isnull", True),
                        ("valid_until__gte", models.F("valid_from")),
                        _connector="OR",
                    ),
                    models.Q(
                        ("withdrawn_on__isnull", True),
                        ("withdrawn_on__gte", models.F("valid_from")),
                        _connector="OR",
                    ),
                ),
                name="item_days_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="catalogueitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("kind", "x-certificate"),
                        ("skill_level", ""),
                        ("x_level__in", ["初级", "中级", "高级"]),
                        models.Q(("standard", ""), _negated=True),
                        models.Q(("standard_version", ""), _negated=True),
                    ),
                    models.Q(
                        ("kind", "skill-level"),
                        ("skill_level__in", ["5", "4", "3", "2", "1"]),
                        ("x_level", ""),
                    ),
                    models.Q(
                        models.Q(("kind__in", ["x-certificate", "skill-level"]), _negated=True),
                        ("skill_level", ""),
                        ("x_level", ""),
                    ),
                    _connector="OR",
                ),
                name="item_certificate_level",
            ),
        ),
        migrations.AddConstraint(
            model_name="catalogueitem",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("approved_credits__isnull", False)),
                expressions=[
                    ("code", "="),
                    (
                        models.Func(
                            models.F("valid_from"),
                            models.Func(
                                models.Func(
                                    models.F("valid_until"),
                                    output_field=models.DateField(),
                                    template="(%(expressions)s + 1)",
                                ),
                                models.F("withdrawn_on"),
                                function="least",
                                output_field=models.DateField(),
                            ),
                            models.Value("[)"),
                            function="daterange",
                            output_field=django.contrib.postgres.fields.ranges.DateRangeField(),
                        ),
                        "&&",
                    ),
                ],
                name="item_versions_apart",
            ),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["viewer", "clerk", "reviewer", "admin"])),
                name="member_role_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("institution", "user"),
                name="member_once_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="recordingscope",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "outcome_kind__in",
                        [
                            "course",
                            "x-certificate",
                            "skill-level",
                            "training",
                            "community",
                            "continuing-education",
                            "competition",
                            "work-experience",
                            "apprenticeship",
                        ],
                    )
                ),
                name="scope_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="recordingscope",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_until__isnull", True),
                    ("valid_until__gte", models.F("valid_from")),
                    _connector="OR",
                ),
                name="scope_days_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="recordingscope",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    ("institution", "="),
                    ("outcome_kind", "="),
                    (
                        models.Func(
                            models.F("valid_from"),
                            models.F("valid_until"),
                            models.Value("[]"),
                            function="daterange",
                            output_field=django.contrib.postgres.fields.ranges.DateRangeField(),
                        ),
                        "&&",
                    ),
                ],
                name="scopes_apart",
            ),
        ),
        migrations.AddConstraint(
            model_name="institution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "university",
                            "vocational-college",
                            "secondary-vocational",
                            "county-vocational-centre",
                            "open-university",
                            "community-education-centre",
                            "learning-centre",
                            "assessment-organisation",
                            "training-centre",
                            "enterprise-university",
                            "enterprise",
                            "professional-association",
                            "skills-competition-body",
                            "bank",
                            "provincial-authority",
                        ],
                    )
                ),
                name="institution_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="institution",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["active", "suspended"])),
                name="institution_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="institution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("uscc__regex", "^[0-9A-HJ-NP-RTUWXY]{2}[0-9]{6}[0-9A-HJ-NP-RTUWXY]{10}$")
                ),
                name="institution_uscc_characters",
            ),
        ),
        migrations.AddConstraint(
            model_name="stream",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("mode__in", ["hosted", "own"]), ("purpose__in", ["recording", "bank"])
                ),
                name="stream_mode_and_purpose_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="stream",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("mode", "hosted"), ("purpose", "bank")),
                    models.Q(("institution__isnull", False), ("purpose", "recording")),
                    _connector="OR",
                ),
                name="stream_has_owner",
            ),
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.CheckConstraint(
                condition=models.Q(("added_index__gte", 0)), name="key_added_in_the_log"
            ),
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("retired_index__isnull", True),
                    ("retired_index__gt", models.F("added_index")),
                    _connector="OR",
                ),
                name="key_retired_after_added",
            ),
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("compromised_from_index__isnull", True),
                    ("retired_index__isnull", False),
                    _connector="OR",
                ),
                name="key_compromised_is_retired",
            ),
        ),
    ]
