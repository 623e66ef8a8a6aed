"""Identity documents and names, in the one form by which a person is found again.

Pure: values in, values out. Nothing here ever puts a number or a name into an
error's facts, since errors are logged.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Final

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from creditbank.clock import today
from creditbank.errors import DomainError

NAME_MAX: Final = 100
BIRTH_YEAR_MIN: Final = 1880
MIDDLE_DOT: Final = "\u00b7"

_RESIDENT: Final = re.compile(r"[1-8][0-9]{16}[0-9X]")
_RESIDENT_OLD: Final = re.compile(r"[1-8][0-9]{14}")
_HK_MO: Final = re.compile(r"([HM][0-9]{8})(?:[0-9]{2})?")
_TW: Final = re.compile(r"[0-9]{8}")
_FOREIGN: Final = re.compile(r"9[0-9]{16}[0-9X]")
_FOREIGN_OLD: Final = re.compile(r"[A-Z]{3}[0-9]{12}")
_PASSPORT: Final = re.compile(r"([A-Z]{3})[\s/:-]+([A-Z0-9]{5,12})")
_SEPARATORS: Final = re.compile(r"[\s-]")


class DocumentType(models.TextChoices):
    """The kinds of identity document that the bank accepts."""

    RESIDENT_ID = "resident-id", _("居民身份证或港澳台居民居住证")
    HK_MO_PERMIT = "hk-mo-permit", _("港澳居民来往内地通行证")
    TW_PERMIT = "tw-permit", _("台湾居民来往大陆通行证")
    FOREIGN_PR = "foreign-pr", _("外国人永久居留身份证")
    PASSPORT = "passport", _("护照")


class IdentityInvalid(DomainError):
    """The text is not a number of this kind of document.

    `reason` is one of type, length, format, birth-date, check, old-form.
    """

    code: ClassVar[str] = "identity-invalid"


class NameInvalid(DomainError):
    """The text cannot be a person's name. `reason`: empty, length, character, private-use."""

    code: ClassVar[str] = "name-invalid"


@dataclass(frozen=True, kw_only=True)
class IdentityDocument:
    """A document's type and number, checked and in normal form; made from any typed form.

    Resident identity cards and the residence permits of Hong Kong, Macao and
    Taiwan residents have one form: 18 characters, GB 11643-1999, check character
    by ISO 7064 MOD 11-2. The place of the first registration is not checked,
    since codes that no longer exist stay in people's numbers. Permanent
    residence cards for foreigners have 15 characters, or 18 beginning with 9
    since December 2023. The permits of Hong Kong and Macao residents keep their
    first nine characters for life; two more counted the renewals and are
    dropped. A passport is written with its issuing state, `KOR/M12345678`, since
    numbers are unique within one state only.

    Raises IdentityInvalid.
    """

    type: DocumentType
    number: str = field(repr=False)

    def __post_init__(self) -> None:
        try:
            kind = DocumentType(self.type)
        except ValueError:
            raise IdentityInvalid(
                gettext("没有这种证件类型。"),
                reason="type",
                found=str(self.type)[:40],
                expected=", ".join(DocumentType.values),
            ) from None
        object.__setattr__(self, "type", kind)
        object.__setattr__(self, "number", _NORMALISE[kind](self.number))

    @property
    def birth_date(self) -> date | None:
        """The date of birth that the number holds, where it holds one."""
        start = {DocumentType.RESIDENT_ID: 6, DocumentType.FOREIGN_PR: 6}.get(self.type)
        if start is None or len(self.number) != 18:
            return None
        return _birth_date(self.number)

    @property
    def masked(self) -> str:
        """The number with its middle hidden, as it is shown to those who compare it."""
        shown = self.number
        if self.type == DocumentType.PASSPORT:
            state, _slash, rest = shown.partition("/")
            return f"{state}/{_masked(rest, 1, 2)}"
        return _masked(shown, 4, 4) if len(shown) == 18 else _masked(shown, 2, 2)


def _masked(text: str, head: int, tail: int) -> str:
    return text[:head] + "*" * (len(text) - head - tail) + text[-tail:]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().upper()


def _refuse(reason: str, message: str, **facts: object) -> IdentityInvalid:
    return IdentityInvalid(message, reason=reason, **facts)


def _birth_date(number: str) -> date | None:
    try:
        return ric.get_birth_date(number)
    except ValidationError:
        return None


def _check_eighteen(number: str) -> str:
    born = _birth_date(number)
    if born is None or not born.year >= BIRTH_YEAR_MIN or born > today():
        raise _refuse(
            "birth-date",
            gettext("证件号码第 7 至 14 位不是出生日期。"),
            expected="YYYYMMDD",
        )
    expected = ric.calc_check_digit(number)
    if number[-1] != expected:
        raise _refuse(
            "check",
            gettext("证件号码的校验码不对，请核对全部 18 位。"),
            found=number[-1],
            expected=expected,
        )
    return number


def _resident_id(text: str) -> str:
    number = _SEPARATORS.sub("", _plain(text))
    if _RESIDENT_OLD.fullmatch(number):
        raise _refuse(
            "old-form",
            gettext("15 位旧号码没有校验码，请填写 18 位公民身份号码。"),
            found=15,
            expected=18,
        )
    if len(number) != 18:
        raise _refuse("length", gettext("公民身份号码应为 18 位。"), found=len(number), expected=18)
    if _RESIDENT.fullmatch(number) is None:
        raise _refuse(
            "format",
            gettext("公民身份号码应为 17 位数字加一位数字或 X。"),
            expected="17 digits, then a digit or X",
        )
    return _check_eighteen(number)


def _hk_mo_permit(text: str) -> str:
    match = _HK_MO.fullmatch(_SEPARATORS.sub("", _plain(text)))
    if match is None:
        raise _refuse(
            "format",
            gettext("港澳居民来往内地通行证号码应为 H 或 M 加 8 位数字。"),
            expected="H or M, then 8 digits",
        )
    return match[1]


def _tw_permit(text: str) -> str:
    number = _SEPARATORS.sub("", _plain(text))
    if _TW.fullmatch(number) is None:
        raise _refuse(
            "format",
            gettext("台湾居民来往大陆通行证号码应为 8 位数字。"),
            expected="8 digits",
        )
    return number


def _foreign_pr(text: str) -> str:
    number = _SEPARATORS.sub("", _plain(text))
    if _FOREIGN.fullmatch(number):
        return _check_eighteen(number)
    if _FOREIGN_OLD.fullmatch(number):
        return number
    raise _refuse(
        "format",
        gettext("外国人永久居留身份证号码应为 9 开头的 18 位，或 3 位字母加 12 位数字。"),
        expected="18 characters from 9, or 3 letters and 12 digits",
    )


def _passport(text: str) -> str:
    match = _PASSPORT.fullmatch(_plain(text))
    if match is None:
        raise _refuse(
            "format",
            gettext("护照请填写签发国三字母代码和号码，例如 KOR/M12345678。"),
            expected="KOR/M12345678",
        )
    return f"{match[1]}/{match[2]}"


_NORMALISE: Final = {
    DocumentType.RESIDENT_ID: _resident_id,
    DocumentType.HK_MO_PERMIT: _hk_mo_permit,
    DocumentType.TW_PERMIT: _tw_permit,
    DocumentType.FOREIGN_PR: _foreign_pr,
    DocumentType.PASSPORT: _passport,
}


# -- names ------------------------------------------------------------------------------------
_DOTS: Final = re.compile(
    "\\s*[\u00b7\u2022\u2027\u2219\u22c5\u2024\u30fb\uff65\u16eb\ua78f\u0387]\\s*"
)
"""What keyboards and old systems put for the middle dot (U+00B7) of transliterated names."""

_FULL_STOPS: Final = re.compile("[.\uff0e\u3002\uff61]")
_FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_JOINERS: Final = frozenset(" '\u2019-.\u00b7")


def normalise_name(text: str) -> str:
    """Return a name in the form in which it is kept, printed and compared.

    NFC; full-width letters narrowed; every kind of middle dot becomes U+00B7, a
    full stop too where it stands between two ideographs; blanks inside a
    Chinese or Korean name go (they were typed to fill a column), others become
    single. Rare ideographs of the supplementary planes stay as they are.
    Private-use code points are refused: they print as something else, or as
    nothing, on another machine.

    Raises NameInvalid.
    """
    name = unicodedata.normalize("NFC", text.translate(_FULL_WIDTH))
    name = " ".join(name.split())
    name = _DOTS.sub(MIDDLE_DOT, name)
    # Blanks gone, what stood apart may now compose (Hangul letters do).
    name = unicodedata.normalize("NFC", _between_ideographs(name))
    if not name:
        raise NameInvalid(gettext("姓名不能为空。"), reason="empty")
    if len(name) > NAME_MAX:
        raise NameInvalid(
            gettext("姓名太长。"), reason="length", found=len(name), expected=NAME_MAX
        )
    for position, character in enumerate(name, 1):
        category = unicodedata.category(character)
        if category == "Co":
            raise NameInvalid(
                gettext("姓名里有一个字使用了自造字编码，请用该字的国际编码（Unicode）重新输入。"),
                reason="private-use",
                found=f"U+{ord(character):04X}",
                position=position,
            )
        if category[0] not in "LM" and character not in _JOINERS and not _is_ideograph(character):
            raise NameInvalid(
                gettext("姓名里有不允许的字符。"),
                reason="character",
                found=f"U+{ord(character):04X}",
                position=position,
            )
    if not any(unicodedata.category(c)[0] == "L" or _is_ideograph(c) for c in name):
        raise NameInvalid(gettext("姓名里没有文字。"), reason="character", found="", position=1)
    return name


def names_match(one: str, other: str) -> bool:
    """Say whether two names are one, without regard to case and to how dots and blanks were typed.

    Raises NameInvalid when either is no name.
    """
    return normalise_name(one).casefold() == normalise_name(other).casefold()


def _is_ideograph(character: str) -> bool:
    """Tell Han characters, also those of planes newer than this Python's tables (20000-3FFFF)."""
    code = ord(character)
    return (
        0x3400 <= code <= 0x9FFF
        or 0xF900 <= code <= 0xFAFF
        or 0x20000 <= code <= 0x3FFFD
        or code == 0x3007
    )


def _is_syllabic(character: str) -> bool:
    """Tell the characters that are set without blanks: Han and Hangul."""
    code = ord(character)
    return _is_ideograph(character) or 0xAC00 <= code <= 0xD7A3 or 0x1100 <= code <= 0x11FF


def _between_ideographs(name: str) -> str:
    """Drop blanks between syllabic characters; a full stop between ideographs is a middle dot."""
    out: list[str] = []
    for position, character in enumerate(name):
        before = name[position - 1] if position else ""
        after = name[position + 1] if position + 1 < len(name) else ""
        if before and after:
            if character == " " and _is_syllabic(before) and _is_syllabic(after):
                continue
            if _FULL_STOPS.fullmatch(character) and _is_ideograph(before) and _is_ideograph(after):
                character = MIDDLE_DOT
        out.append(character)
    return "".join(out)
