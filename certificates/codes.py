"""Numbers and verification codes that people read from paper and type.

Both are three groups of four characters, `ABCD-EFGH-JKLM`, in Crockford's
base32. The fourth character of each group is an ISO/IEC 7064 check character
(MOD 33,32) over the field, the group's place and the three before it. So a
wrong character is found, and found in its group; a group in another group's
place, and a code typed where the number belongs, are found as well; of two
neighbours changed over, all but one in five hundred. 45 bits are left to
chance in each.
"""

from __future__ import annotations

import secrets
from typing import ClassVar, Final

from stdnum.iso7064 import mod_37_36

from creditbank.errors import DomainError

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUPS: Final = 3
LENGTH: Final = 12
_SEED: Final = {"number": "N", "code": "C"}
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
_IGNORED: Final = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2212\uff0d\u00b7._")


class Typo(DomainError):
    """A number or code that cannot be right: `field`, and `group` (1 to 3) where the slip is.

    `group` is 0 when the length is wrong and no group can be named.
    """

    code: ClassVar[str] = "V-TYPO"

    def __init__(self, field: str, group: int, reason: str) -> None:
        super().__init__(
            f"{field}: {reason} (group {group})", field=field, group=group, reason=reason
        )
        self.field = field
        self.group = group
        self.reason = reason


def _check(field: str, place: int, body: str) -> str:
    character: str = mod_37_36.calc_check_digit(f"{_SEED[field]}{place}{body}", ALPHABET)
    return character


def _new(field: str) -> str:
    text = ""
    for place in range(1, GROUPS + 1):
        body = "".join(secrets.choice(ALPHABET) for _ in range(3))
        text += body + _check(field, place, body)
    return text


def new_number() -> str:
    """Draw a new transcript number, printed form (`ABCD-EFGH-JKLM`)."""
    return grouped(_new("number"))


def new_code() -> str:
    """Draw a new verification code: 12 characters without hyphens."""
    return _new("code")


def grouped(text: str) -> str:
    """Print 12 characters in groups of four."""
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _read(field: str, text: str) -> str:
    plain = "".join(
        character
        for character in text.upper().translate(_READ_AS)
        if not character.isspace() and character not in _IGNORED
    )
    # Full-width letters and digits come from Chinese input methods.
    plain = "".join(
        chr(ord(character) - 0xFEE0) if "\uff01" <= character <= "\uff5e" else character
        for character in plain
    ).translate(_READ_AS)
    for place in range(1, GROUPS + 1):
        group = plain[4 * (place - 1) : 4 * place]
        if any(character not in ALPHABET for character in group):
            raise Typo(field, place, "character")
        if len(group) == 4 and _check(field, place, group[:3]) != group[3]:
            raise Typo(field, place, "check")
    if len(plain) != LENGTH:
        raise Typo(field, 0, "length")
    return plain


def check_number(text: str) -> str:
    """Read a transcript number as typed and return its printed form. Raises Typo.

    Case, blanks, hyphens and full-width forms do not matter; O is read as 0, I and L as 1.
    """
    return grouped(_read("number", text))


def check_code(text: str) -> str:
    """Read a verification code as typed; return 12 characters without hyphens. Raises Typo."""
    return _read("code", text)
