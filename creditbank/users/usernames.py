"""Sign-in names: in any script, read without regard to case, never an identity number."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

LENGTH_MIN: Final = 2
LENGTH_MAX: Final = 40
_SEPARATORS: Final = "._-"
_IDENTITY_NUMBER: Final = re.compile(r"\d{15}|\d{17}[\dXx]")


def normalise(text: str) -> str:
    """Return the one form in which a sign-in name is stored: NFKC, lower case, no outer blanks."""
    return unicodedata.normalize("NFKC", text.strip()).lower()


def validate(text: str) -> None:
    """Refuse what is not a sign-in name. Raises django's ValidationError.

    A name has 2 to 40 letters, digits, dots, hyphens or underscores, of any
    script. A citizen's number is refused: sign-in names are stored in clear.
    """
    name = normalise(text)
    if not LENGTH_MIN <= len(name) <= LENGTH_MAX:
        raise ValidationError(_("用户名须为 2 至 40 个字符。"), code="username-length")
    if not all(
        character in _SEPARATORS or unicodedata.category(character)[0] in "LMN"
        for character in name
    ):
        raise ValidationError(
            _("用户名只能包含文字、数字、点、连字符和下划线。"), code="username-characters"
        )
    if _IDENTITY_NUMBER.fullmatch(name):
        raise ValidationError(
            _("请不要用证件号码作用户名：用户名不加密保存。"), code="username-is-identity-number"
        )
