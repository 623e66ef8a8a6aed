"""Create the users."""

import django.db.models.functions.text
from django.db import migrations, models

import creditbank.clock
import creditbank.users.usernames


class Migration(migrations.Migration):
    """The tables."""

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                (
                    "username",
                    models.CharField(
                        max_length=150,
                        unique=True,
                        validators=[creditbank.users.usernames.validate],
                        verbose_name="用户名",
                    ),
                ),
                (
                    "display_name",
                    models.CharField(
                        blank=True, default="", max_length=100, verbose_name="显示名称"
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        choices=[("zh-hans", "中文"), ("en", "English")],
                        default="zh-hans",
                        max_length=10,
                        verbose_name="界面语言",
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("is_staff", models.BooleanField(default=False)),
                ("person_digest", models.BinaryField(default=None, null=True)),
                ("joined_at", models.DateTimeField(default=creditbank.clock.now, editable=False)),
            ],
            options={
                "verbose_name": "用户",
                "indexes": [
                    models.Index(
                        condition=models.Q(("person_digest__isnull", False)),
                        fields=["person_digest"],
                        name="user_person",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("username", django.db.models.functions.text.Lower("username"))
                        ),
                        name="user_name_lower_case",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("language__in", ["zh-hans", "en"])),
                        name="user_language_known",
                    ),
                ],
            },
        ),
    ]
