"""What tests of recognition stand on: a college with a rule, and a bank that runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.recognition.world import World, with_rule


@pytest.fixture
def world(begun_world: World, settings: Any) -> World:
    """A college, a trainer, a programme and the rule of the journey."""
    settings.STAFF_SECOND_FACTOR = False
    return with_rule(begun_world)


@pytest.fixture
def bare_world(begun_world: World, settings: Any) -> World:
    """The same without any rule."""
    settings.STAFF_SECOND_FACTOR = False
    return begun_world
