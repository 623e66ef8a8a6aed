"""Tags and filters of the pages on which recognition is decided."""

from __future__ import annotations

from typing import Any

from django import template

from creditbank.institutions.models import in_english

register = template.Library()


@register.filter
def named(thing: Any) -> str:
    """Name what has a title in both languages: a course, a category, a line of a notice."""
    return str(thing.title_en if in_english() and thing.title_en else thing.title)
