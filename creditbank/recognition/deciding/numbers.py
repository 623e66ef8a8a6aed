"""The numbers of requests, decisions, appeals and pre-approvals: a letter, the year, eight characters.

They are drawn at random (40 bits a year), so that one says nothing of how many
there are; the database keeps them unique.
"""

from __future__ import annotations

import re
import secrets
from datetime import date
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", " ": "", "\u2013": "-"})
_FORM: Final = re.compile(r"[RDAP]-[0-9]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\Z")

REQUEST: Final = "R"
DECISION: Final = "D"
APPEAL: Final = "A"
PRE_APPROVAL: Final = "P"


def draw(letter: str, on: date) -> str:
    """Draw a number: `D-2026-7K3M-9QWD`."""
    text = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{letter}-{on.year:04d}-{text[:4]}-{text[4:]}"


def is_pre_approval(text: str) -> bool:
    """Say whether a text is a pre-approval's number."""
    return text.startswith(PRE_APPROVAL) and _FORM.match(text) is not None


def normal(text: str) -> str:
    """Return a number as it is stored, from what somebody typed; what is none stays as it is."""
    typed = text.strip().upper()
    read = typed[:1] + typed[1:].translate(_READ_AS)
    return read if _FORM.match(read) else text.strip()
