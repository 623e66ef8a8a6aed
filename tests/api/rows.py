"""Rows as a school's system sends them."""

from __future__ import annotations

from typing import Any

from tests.learners.people import resident
from tests.ledger.cast import College


def row(college: College, serial: int, **changes: Any) -> dict[str, Any]:
    """A row about the person of a serial number."""
    facts: dict[str, Any] = {
        "document_type": "resident-id",
        "number": resident(serial).number,
        "name": "金明·示例",
        "item": college.items[0].code,
        "completed_on": "2026-06-17",
        "grade": "良好",
        "score": "86",
    } | changes
    return {name: value for name, value in facts.items() if value is not None}
