"""How django-allauth is fitted in: sign-in by name, and second factors kept sealed."""

from __future__ import annotations

import base64
import os
from typing import Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.http import HttpRequest  # noqa: TID251 -- allauth's adapters are called with requests
from django.utils.translation import gettext_lazy as _

from creditbank.users import usernames

KEY: Final = "second-factor"
_NONCE: Final = 12
_AAD: Final = b"llcb/second-factor/v1"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Learners open their own user; what a user may do comes from memberships and claims alone."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_taken": _("这个用户名已有人使用。"),
        "username_password_mismatch": _("用户名或密码不对。"),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Let anyone open a user: a fresh one sees nothing and may nothing."""
        return True

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Bring a sign-in name into its stored form and check it."""
        cleaned: str = super().clean_username(usernames.normalise(username), shallow=shallow)
        return cleaned

    def get_user_search_fields(self) -> list[str]:
        """Search users by sign-in name; there is no e-mail address or real name to search by."""
        return ["username"]


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Seals second-factor secrets, and keeps staff from dropping their authenticator app.

    A passkey may be removed; `creditbank.access` then refuses every staff page
    until there is a second factor again.
    """

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": _("工作人员必须保留至少一种第二重验证。"),
    }

    def encrypt(self, text: str) -> str:
        """Seal a secret (AES-256-GCM under the key store's `second-factor`); base64."""
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._key().encrypt(nonce, text.encode(), _AAD)
        return base64.b64encode(sealed).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        """Open a sealed secret. Raises cryptography's InvalidTag when it was changed."""
        sealed = base64.b64decode(encrypted_text)
        return self._key().decrypt(sealed[:_NONCE], sealed[_NONCE:], _AAD).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Refuse when it is the last factor of someone who owes one."""
        user = authenticator.user
        if not (settings.STAFF_SECOND_FACTOR and user.is_staff):
            return True
        others = (
            Authenticator.objects.filter(user_id=user.pk)
            .exclude(type=Authenticator.Type.RECOVERY_CODES)
            .exclude(pk=authenticator.pk)
        )
        return bool(others.exists())

    def _key(self) -> AESGCM:
        return AESGCM(settings.KEYSTORE.get(KEY))
