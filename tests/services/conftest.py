"""Folders that a service's own user can reach, as pytest's temporary ones are not for others."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may pass through."""
    path = Path(tempfile.mkdtemp(prefix="creditbank-services-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)
