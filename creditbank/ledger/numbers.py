"""Account numbers: random, printed in groups of four, with a check character.

A number is 55 random bits. It is printed as 11 Crockford base32 characters and
one ISO/IEC 7064 hybrid check character (MOD 33,32), `ABCD-EFGH-JKLM`. It says
nothing about the person, the place or the order of opening.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import ClassVar, Final

from stdnum.iso7064 import mod_37_36

from creditbank.errors import DomainError

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BITS: Final = 55
_REMEMBERED: Final = 1 << 17
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": "", "\u00b7": ""})


class AccountNumberInvalid(DomainError):
    """The text is not an account number: wrong length, character or check character."""

    code: ClassVar[str] = "account-number-invalid"


def new_number() -> int:
    """Draw a new account number (1 .. 2**55 - 1); 0 is kept for the public kinds."""
    return secrets.randbelow((1 << BITS) - 1) + 1


@lru_cache(_REMEMBERED)
def format_account(number: int) -> str:
    """Print an account number as `ABCD-EFGH-JKLM`; account 0 is printed as `0`."""
    if number == 0:
        return "0"
    if not 0 < number < 1 << BITS:
        raise AccountNumberInvalid(number=number)
    body = "".join(ALPHABET[number >> shift & 31] for shift in range(50, -5, -5))
    text: str = body + mod_37_36.calc_check_digit(body, ALPHABET)
    return f"{text[:4]}-{text[4:8]}-{text[8:]}"


@lru_cache(_REMEMBERED)
def parse_account(text: str) -> int:
    """Read a printed account number; case, blanks and look-alike letters do not matter.

    Raises AccountNumberInvalid, with the reason among its facts.
    """
    plain = text.strip().upper().translate(_READ_AS)
    if len(plain) != 12:
        raise AccountNumberInvalid(reason="length", expected=12, found=len(plain))
    if any(character not in ALPHABET for character in plain):
        raise AccountNumberInvalid(reason="character")
    if not mod_37_36.is_valid(plain, ALPHABET):
        raise AccountNumberInvalid(reason="check")
    number = 0
    for character in plain[:11]:
        number = number << 5 | ALPHABET.index(character)
    if number == 0:
        raise AccountNumberInvalid(reason="reserved")
    return number
