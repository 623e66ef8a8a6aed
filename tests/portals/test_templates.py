"""How templates are set: what a formatter would keep, where it would change what is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR) / "templates"
TEMPLATES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.html"))
TEXTAREA = "mfa/recovery_codes/index.html"
"""Holds a text of several lines, which may not be moved in."""


def test_there_are_templates_to_look_at() -> None:
    assert len(TEMPLATES) > 100


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_set_as_the_others_are(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "\t" not in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    for number, line in enumerate(text.splitlines(), start=1):
        assert line == line.rstrip(), (name, number)
        indent = len(line) - len(line.lstrip(" "))
        # An attribute that continues a tag stands under the one before it.
        if name != TEXTAREA and line.lstrip().startswith(("<", "{")):
            assert indent % 2 == 0, (name, number)
