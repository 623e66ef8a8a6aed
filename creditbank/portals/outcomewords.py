"""An outcome in the reader's language: its title, who awarded it, the level it stands at.

An opening carries the title in both languages, but its awarding body by Chinese
name and code, and its level by framework and number: the words for these are
the register's.
"""

from __future__ import annotations

from typing import Final

from creditbank.institutions import queries as institutions
from creditbank.institutions.models import in_english
from creditbank.ledger.statements import Outcome

GRADES: Final = {
    "优秀": "excellent",
    "良好": "good",
    "中等": "fair",
    "及格": "pass",
    "合格": "pass",
    "通过": "pass",
}
"""What the usual grades mean. They are part of what was signed, so they are never replaced."""


def title(outcome: Outcome) -> str:
    """Return the title; the Chinese one where there is no English."""
    return outcome.title_en if in_english() and outcome.title_en else outcome.title


def other_title(outcome: Outcome) -> str:
    """Return the title in the other language, nothing where there is only one."""
    return "" if not outcome.title_en else outcome.title if in_english() else outcome.title_en


def body(outcome: Outcome) -> str:
    """Return the awarding body's name; as it stands in the opening unless the bank knows more."""
    if not in_english():
        return outcome.body_name
    found = institutions.institution_by_uscc(outcome.body)
    return str(found) if found is not None else outcome.body_name


def grade(text: str) -> str:
    """Return a grade as it was recorded; to readers of English, a usual one with its meaning."""
    meaning = GRADES.get(text, "")
    return f"{text} ({meaning})" if meaning and in_english() else text


def institution_names() -> dict[str, str]:
    """Return the names that readers of English are shown, by the Chinese ones that documents carry."""
    if not in_english():
        return {}
    return {found.name: str(found) for found in institutions.institutions()}


def level(outcome: Outcome) -> str:
    """Return the level with its framework (四级（终身教育资历框架）), nothing where it has none."""
    if not outcome.level:
        return ""
    try:
        found = institutions.level_of(outcome.framework, outcome.level)
    except institutions.UnknownItem:
        return f"{outcome.framework} {outcome.level}".strip()
    return f"{found} · {found.framework}"
