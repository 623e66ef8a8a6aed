"""The bank's two clocks: the instant, and the civil date in the province."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

PROVINCE = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """Return the present instant, aware, in UTC. Read once per operation."""
    return datetime.now(UTC)


def today() -> date:
    """Return the civil date in the province (Asia/Shanghai)."""
    return datetime.now(PROVINCE).date()
