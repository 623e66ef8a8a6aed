"""What tests of the pages of recognition stand on: the world of its own tests."""

from __future__ import annotations

from tests.recognition.conftest import world

__all__ = ["world"]
