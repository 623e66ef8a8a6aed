"""What a password must be: long, not everybody's, and otherwise as one likes (NIST SP 800-63B-4)."""

from __future__ import annotations

import unicodedata
from typing import Final

from allauth.mfa.models import Authenticator
from django.contrib.auth import password_validation as django
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from creditbank.users.models import User

ALONE_MIN: Final = 15
WITH_FACTOR_MIN: Final = 12
LENGTH_MAX: Final = 256
"""More than anybody types, and little enough to hash."""

_RUNS: Final = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qazwsxedcrfvtgbyhnujmikolp",
    "一二三四五六七八九十",
)
_WORDS: Final = (
    "学分银行", "终身教育", "xuefenyinhang", "zhongshenjiaoyu", "creditbank", "lifelonglearning",
    "password", "passw0rd", "mima", "密码", "口令", "admin", "administrator", "guanliyuan",
    "woaini", "iloveyou", "welcome", "letmein", "monkey", "dragon", "changeme", "test", "demo",
    "jiaowu", "xuesheng", "laoshi", "student", "teacher",
)  # fmt: skip


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


class LengthValidator:
    """Ask 15 characters of a password that stands alone, 12 beside a second factor."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Refuse what is too short or too long. Raises ValidationError."""
        least = WITH_FACTOR_MIN if _has_factor(user) else ALONE_MIN
        if len(password) < least:
            raise ValidationError(
                _("密码至少要有 %(least)s 个字符。"),
                code="password_too_short",
                params={"least": least},
            )
        if len(password) > LENGTH_MAX:
            raise ValidationError(
                _("密码最多 %(most)s 个字符。"),
                code="password_too_long",
                params={"most": LENGTH_MAX},
            )

    def get_help_text(self) -> str:
        """Say what is asked."""
        return _(
            "密码至少 %(alone)s 个字符；启用第二重验证后至少 %(beside)s 个。不要求大小写或符号。"
        ) % {
            "alone": ALONE_MIN,
            "beside": WITH_FACTOR_MIN,
        }


def _has_factor(user: User | None) -> bool:
    if user is None or user.pk is None:
        return False
    factors = Authenticator.objects.filter(user_id=user.pk)
    return bool(factors.exclude(type=Authenticator.Type.RECOVERY_CODES).exists())


class BlocklistValidator:
    """Refuse what is long but everybody's: repetitions, runs of keys, the bank's own words."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Refuse a password with too little of its own in it. Raises ValidationError."""
        rest = _plain(password)
        for word in _WORDS:
            rest = rest.replace(word, "")
        own = "".join(sign for sign in rest if not sign.isspace())
        if len(set(own)) < 5 or _is_run(own) or _is_repetition(own):
            raise ValidationError(_("这个密码太容易猜到。"), code="password_guessable")

    def get_help_text(self) -> str:
        """Say what is refused."""
        return _("不要用重复或连续的字符、常见的词或本平台的名称拼成密码。")


def _is_run(text: str) -> bool:
    """Say whether a text goes along the alphabet, the digits or the keyboard, either way."""
    doubled = [run * 2 for run in _RUNS]
    return any(text in run or text[::-1] in run for run in doubled)


def _is_repetition(text: str) -> bool:
    """Say whether a text is one short piece again and again."""
    return any(
        text == (text[:size] * (len(text) // size + 1))[: len(text)]
        for size in range(1, min(8, len(text) // 2) + 1)
    )


class Uncommon(django.CommonPasswordValidator):
    """Refuses a password that many people use."""

    def get_help_text(self) -> str:
        """Say what is refused."""
        return _("不要用很多人在用的密码。")


class UnlikeTheUsername(django.UserAttributeSimilarityValidator):
    """Refuses a password that resembles what is known of its user."""

    def get_help_text(self) -> str:
        """Say what is refused."""
        return _("不要与您的用户名相近。")
