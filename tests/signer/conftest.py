"""The signer's tests write ledger rows by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.signer.writer import Writer


@pytest.fixture
def writer(db: Any) -> Iterator[Writer]:
    """A writer of ledger rows, as the application's role."""
    with Writer(db.app_url) as writer:
        yield writer
