"""Invented people, with numbers that no office issued but whose check characters are right."""

from __future__ import annotations

import itertools
from typing import Any

from stdnum.cn import ric

from learners import operations
from learners.identity import DocumentType, IdentityDocument
from learners.models import Learner

_serial = itertools.count(1)


def resident_number(serial: int, *, area: str = "229999", born: str = "19900101") -> str:
    """Return a citizen's number; area 229999 was never assigned."""
    body = f"{area}{born}{serial % 1000:03d}"
    return body + ric.calc_check_digit(body + "0")


def resident(serial: int | None = None) -> IdentityDocument:
    number = next(_serial) if serial is None else serial
    year, rest = divmod(number, 1000)
    return IdentityDocument(
        type=DocumentType.RESIDENT_ID,
        number=resident_number(rest, born=f"{1950 + year}0101"),
    )


def register(**changes: Any) -> Learner:
    facts: dict[str, Any] = {"document": resident(), "name": "李示例"} | changes
    return operations.register_learner(**facts)
