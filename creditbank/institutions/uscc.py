"""Unified social credit codes (统一社会信用代码), GB 32100-2015.

18 characters: registering department, type, six digits of region, nine of the
organisation code (GB 11714), one check character. The alphabet leaves out
I, O, S, V and Z. The check character is (31 - sum mod 31) mod 31: without the
outer reduction a code whose sum is a multiple of 31 would have no check
character at all, where the standard gives it '0'.
"""

from __future__ import annotations

import re
import unicodedata
from typing import ClassVar, Final

from django.utils.translation import gettext
from stdnum.cn import uscc

from creditbank.errors import DomainError

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LENGTH: Final = 18
_BODY: Final = re.compile(rf"[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{9}}")


class UsccInvalid(DomainError):
    """The text is not a unified social credit code; the facts give reason, found and expected."""

    code: ClassVar[str] = "uscc-invalid"


def parse(text: str) -> str:
    """Return a code's stored form: 18 characters, no blanks, upper case.

    Raises UsccInvalid with reason `length`, `character` or `check`.
    """
    code = unicodedata.normalize("NFKC", text).replace(" ", "").replace("-", "").upper()
    if len(code) != LENGTH:
        raise UsccInvalid(
            gettext("统一社会信用代码应为 18 位。"),
            reason="length",
            found=len(code),
            expected=LENGTH,
        )
    if _BODY.fullmatch(code[:-1]) is None or code[-1] not in ALPHABET:
        raise UsccInvalid(
            gettext("统一社会信用代码含有不允许的字符（不使用字母 I、O、S、V、Z）。"),
            reason="character",
            found=code,
            expected=ALPHABET,
        )
    expected = check_character(code[:-1])
    if code[-1] != expected:
        raise UsccInvalid(
            gettext("统一社会信用代码的校验码不对，请核对全部 18 位。"),
            reason="check",
            found=code[-1],
            expected=expected,
        )
    return code


def check_character(body: str) -> str:
    """Return the check character of a code's first 17 characters (GB 32100-2015)."""
    if _BODY.fullmatch(body) is None:
        raise UsccInvalid(reason="character", found=body, expected=ALPHABET)
    return str(uscc.calc_check_digit(body))
