"""Certificate numbers: two families that carry one Chinese name and must not be merged.

职业技能等级证书 of the human-resources authorities have 22 characters with a
known build. The 1+X certificates (also 职业技能等级证书) of the assessment
organisations have no published build: their numbers are opaque, unique within
one organisation, and no pattern may be laid on them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import ClassVar, Final

from django.utils.translation import gettext

from creditbank.errors import DomainError
from creditbank.institutions.kinds import OutcomeKind

OPAQUE_MAX: Final = 64
SKILL_LENGTH: Final = 22
_SKILL: Final = re.compile(
    r"(?P<family>[YS])(?P<organisation>[0-9]{4})(?P<province>[0-9]{2})(?P<site>[0-9]{6})"
    r"(?P<year>[0-9]{2})(?P<level>[1-5])(?P<serial>[0-9]{6})"
)
_SPECIAL: Final = re.compile(r"[YS][A-Z][0-9]{20}")
CERTIFIED: Final = frozenset({OutcomeKind.X_CERTIFICATE, OutcomeKind.SKILL_LEVEL})
"""The kinds whose outcome is a certificate: without its number it cannot be told from another."""


class CertificateNumberInvalid(DomainError):
    """The text cannot be a certificate number of this kind; the facts say why."""

    code: ClassVar[str] = "certificate-number-invalid"


@dataclass(frozen=True, kw_only=True)
class SkillNumber:
    """The parts of a human-resources certificate number.

    `level` is '5' (五级) to '1' (一级), or '' for the special technician
    variant, whose level digits are not published.
    """

    number: str
    enterprise: bool
    province: str
    year: str
    level: str


def normalise(text: str) -> str:
    """Bring a number into the form that duplicates are found by: no blanks, half width, capitals."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def check_number(kind: str, text: str) -> str:
    """Return a certificate number's stored form, checked as its kind allows.

    Raises CertificateNumberInvalid with reason `missing`, `length`, `character`
    or `format`. An outcome that is no certificate may have none.
    """
    number = normalise(text)
    if not number:
        if OutcomeKind(kind) in CERTIFIED:
            raise CertificateNumberInvalid(
                gettext("这类成果必须填写证书编号。"), reason="missing", kind=kind
            )
        return ""
    if kind == OutcomeKind.SKILL_LEVEL:
        return parse_skill_number(number).number
    if len(number) > OPAQUE_MAX:
        raise CertificateNumberInvalid(
            gettext("证书编号太长。"), reason="length", found=len(number), expected=OPAQUE_MAX
        )
    for character in number:
        if unicodedata.category(character)[0] == "C" or character == "|":
            # '|' parts the members of what an award is unique by.
            raise CertificateNumberInvalid(
                gettext("证书编号含有不允许的字符。"),
                reason="character",
                found=f"U+{ord(character):04X}",
            )
    return number


def parse_skill_number(text: str) -> SkillNumber:
    """Read a human-resources certificate number: 22 characters, or the special technician variant.

    One letter (Y employer, S social organisation), four digits of organisation,
    two of province, six of organisation or site, two of year, one of level
    (1-5), six of serial. Raises CertificateNumberInvalid.
    """
    number = normalise(text)
    if len(number) != SKILL_LENGTH:
        raise CertificateNumberInvalid(
            gettext("人社职业技能等级证书编号应为 22 位。"),
            reason="length",
            found=len(number),
            expected=SKILL_LENGTH,
        )
    match = _SKILL.fullmatch(number)
    if match is not None:
        return SkillNumber(
            number=number,
            enterprise=match["family"] == "Y",
            province=match["province"],
            year=match["year"],
            level=match["level"],
        )
    if _SPECIAL.fullmatch(number):
        return SkillNumber(
            number=number, enterprise=number[0] == "Y", province="", year="", level=""
        )
    raise CertificateNumberInvalid(
        gettext(
            "人社职业技能等级证书编号应为一位字母 Y 或 S 加 21 位数字，第 16 位为 1 至 5 的等级。"
        ),
        reason="format",
        found=number,
        expected="[YS] + 21 digits, the 16th character 1-5",
    )
