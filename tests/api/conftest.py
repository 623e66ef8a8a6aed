"""What the tests of the API share."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import clients


@pytest.fixture(autouse=True)
def no_second_factor(settings: Any) -> None:
    """Staff of these tests have no second factor, but where a test asks for it."""
    settings.STAFF_SECOND_FACTOR = False


@pytest.fixture(autouse=True)
def fresh_counters() -> None:
    """No test is counted with another's requests."""
    clients.forget_counters()
