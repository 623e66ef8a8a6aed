"""Sign-ins and second factors, told to the security log as they happen."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed, password_set
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
)
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from creditbank.securitylog.kinds import EventKind
from creditbank.securitylog.operations import digest, record
from creditbank.users import usernames
from creditbank.users.operations import end_sessions


def connect() -> None:
    """Listen to Django's and allauth's signals."""
    user_logged_in.connect(_signed_in, dispatch_uid="users.signed-in")
    user_logged_out.connect(_signed_out, dispatch_uid="users.signed-out")
    user_login_failed.connect(_failed, dispatch_uid="users.sign-in-failed")
    password_changed.connect(_password, dispatch_uid="users.password-changed")
    password_set.connect(_password, dispatch_uid="users.password-set")
    authentication_failed.connect(_factor_failed, dispatch_uid="users.factor-failed")
    for signal, kind in (
        (authenticator_added, EventKind.SECOND_FACTOR_ADDED),
        (authenticator_removed, EventKind.SECOND_FACTOR_REMOVED),
        (authenticator_reset, EventKind.SECOND_FACTOR_RESET),
    ):
        signal.connect(_Factor(kind), weak=False, dispatch_uid=f"users.{kind}")


def _signed_in(*, user: Any, **_: Any) -> None:
    record(EventKind.SIGNED_IN, actor=user.pk)


def _signed_out(*, user: Any, **_: Any) -> None:
    if user is not None and user.pk is not None:
        record(EventKind.SIGNED_OUT, actor=user.pk)


def _failed(*, credentials: dict[str, Any], **_: Any) -> None:
    # Whoever types a password into the field of the name must not find it here.
    name = usernames.normalise(str(credentials.get("username") or ""))
    record(EventKind.SIGN_IN_FAILED, actor=None, name=digest("sign-in-name", name))


def _password(*, user: Any, **_: Any) -> None:
    record(EventKind.PASSWORD_CHANGED, actor=user.pk)


def _factor_failed(*, user: Any, authenticator: Any = None, **_: Any) -> None:
    record(
        EventKind.SECOND_FACTOR_FAILED, actor=user.pk, type=str(getattr(authenticator, "type", ""))
    )


class _Factor:
    """Tells one kind of change of a second factor."""

    def __init__(self, kind: EventKind) -> None:
        self._kind = kind

    def __call__(
        self, *, user: Any, authenticator: Any = None, request: Any = None, **_: Any
    ) -> None:
        if self._kind is not EventKind.SECOND_FACTOR_ADDED:
            # Whoever took a factor away, only the browser at hand stays signed in.
            session = getattr(request, "session", None)
            end_sessions(user, but=session.session_key if session is not None else None)
        record(self._kind, actor=user.pk, type=str(getattr(authenticator, "type", "")))
