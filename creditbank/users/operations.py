"""What can be done with users: open, bind to a person, end."""

from __future__ import annotations

import hmac
import secrets
from importlib import import_module
from typing import ClassVar, Final

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from creditbank.errors import DomainError
from creditbank.users import usernames
from creditbank.users.models import PERSON_DIGEST_BYTES, User

ENDED: Final = "forgotten-"
"""Begins the sign-in name of an ended user; the rest is random."""


class UsernameTaken(DomainError):
    """Another user has this sign-in name."""

    code: ClassVar[str] = "username-taken"


class UsernameInvalid(DomainError):
    """The text is no sign-in name."""

    code: ClassVar[str] = "username-invalid"


class PasswordTooWeak(DomainError):
    """The password is refused by the rules; the facts list why."""

    code: ClassVar[str] = "password-too-weak"


class PersonMismatch(DomainError):
    """The user is already bound to another person's identity."""

    code: ClassVar[str] = "person-mismatch"


def open_user(
    *, username: str, password: str | None, display_name: str = "", language: str = "zh-hans"
) -> User:
    """Create a user who may sign in. Rights come later, by membership or by claiming.

    Raises UsernameInvalid, UsernameTaken, PasswordTooWeak.
    """
    try:
        usernames.validate(username)
    except ValidationError as error:
        raise UsernameInvalid(" ".join(error.messages), reason=error.code) from error
    draft = User(username=usernames.normalise(username), display_name=display_name)
    if password is not None:
        try:
            validate_password(password, draft)
        except ValidationError as error:
            raise PasswordTooWeak(" ".join(error.messages), reasons=error.messages) from error
    try:
        with transaction.atomic():
            return User.objects.create_user(
                username, password, display_name=display_name, language=language
            )
    except IntegrityError as error:
        raise UsernameTaken(gettext("这个用户名已有人使用。")) from error


def bind_person(*, user: User, digest: bytes) -> None:
    """Note whose identity was shown for a user. Done twice with one identity, nothing changes.

    `digest` is the keyed digest of the identity (32 bytes). Raises
    PersonMismatch when the user is bound to another: a sign-in is never passed
    from one person to the next.
    """
    if len(digest) != PERSON_DIGEST_BYTES:
        raise ValueError(f"a person's digest has {PERSON_DIGEST_BYTES} bytes, not {len(digest)}")
    with transaction.atomic():
        held = User.objects.select_for_update().get(pk=user.pk)
        if held.person_digest is None:
            held.person_digest = digest
            held.save(update_fields=["person_digest"])
        elif not hmac.compare_digest(bytes(held.person_digest), digest):
            raise PersonMismatch(gettext("这个用户名已属于另一个人，请用自己的用户名登录。"))
    user.person_digest = digest


def end_user(user: User) -> None:
    """End a user for good: signed out everywhere, and nothing left that says who it was.

    The row stays, since approvals and memberships of the past point to it.
    Done twice, nothing changes.
    """
    with transaction.atomic():
        held = User.objects.select_for_update().get(pk=user.pk)
        end_sessions(held)
        Authenticator.objects.filter(user_id=held.pk).delete()
        EmailAddress.objects.filter(user_id=held.pk).delete()
        if held.is_active or not held.username.startswith(ENDED):
            held.username = ENDED + secrets.token_hex(16)
        held.display_name = ""
        held.set_unusable_password()
        held.is_active = False
        held.is_staff = False
        held.person_digest = None
        held.last_login = None
        held.save()
    user.refresh_from_db()


def end_sessions(user: User, *, but: str | None = None) -> None:
    """Sign a user out of every browser, or of every other than the session `but`."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    for session in UserSession.objects.filter(user_id=user.pk).exclude(session_key=but or ""):
        store(session.session_key).flush()
        session.delete()
