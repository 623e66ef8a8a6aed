"""The user: a name to sign in with, a password, and the digest of the person behind it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from creditbank.clock import now
from creditbank.users import usernames

PERSON_DIGEST_BYTES = 32


class UserManager(BaseUserManager["User"]):
    """Makes users; rights come from memberships alone, so there is no superuser."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> User:
        """Create a user. Without a password the user signs in by passkey or not at all.

        Raises ValidationError for a name that is no sign-in name and
        IntegrityError for one that is taken.
        """
        user = self.model(username=usernames.normalise(username), **fields)
        usernames.validate(user.username)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """Find a user by sign-in name, however it was typed."""
        return self.get(username=usernames.normalise(username or ""))


class User(AbstractBaseUser):
    """Someone who signs in. Needs no e-mail address.

    `person_digest` is the keyed digest of the identity that was shown for this
    user. Two users with one digest are one person: four eyes are counted by it.
    `is_staff` is kept by the operations on memberships; it grants nothing and
    only says that a second factor is owed.
    """

    username = models.CharField(
        _("用户名"), max_length=150, unique=True, validators=[usernames.validate]
    )
    display_name = models.CharField(_("显示名称"), max_length=100, blank=True, default="")
    language = models.CharField(
        _("界面语言"),
        max_length=10,
        choices=[("zh-hans", "中文"), ("en", "English")],
        default="zh-hans",
    )
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    person_digest = models.BinaryField(null=True, default=None)
    joined_at = models.DateTimeField(default=now, editable=False)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        verbose_name = _("用户")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(username=Lower("username")), name="user_name_lower_case"
            ),
            models.CheckConstraint(
                condition=models.Q(language__in=["zh-hans", "en"]), name="user_language_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["person_digest"],
                name="user_person",
                condition=models.Q(person_digest__isnull=False),
            )
        ]

    def get_full_name(self) -> str:
        """Return the name to greet the user by."""
        return self.display_name or self.username

    def get_short_name(self) -> str:
        """Return the name to greet the user by."""
        return self.get_full_name()
