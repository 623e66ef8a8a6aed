"""The engine's reasons in the reader's language, with what the register knows of the codes in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from creditbank.institutions import queries as institutions
from creditbank.institutions.models import in_english
from creditbank.portals import rulewords
from creditbank.recognition.engine import wording
from creditbank.recognition.engine.findings import Reason
from creditbank.recognition.engine.wording import Names
from creditbank.recognition.language.programmes import Category, Course, Programme
from creditbank.recognition.language.rules import Rule
from creditbank.recording import labels

UNKNOWN: Final = "-unknown"

FACTS: Final[dict[str, Promise]] = {
    "similarity": _("内容相近度（%）"),
    "joint_similarity": _("合并后的内容相近度（%）"),
    "author_rank": _("署名次序"),
    "team_role": _("在团队中的角色"),
    "work_type": _("作品类别"),
    "contest_level": _("赛事级别"),
    "rank_percent": _("名次（百分比）"),
    "rank": _("名次"),
    "year": _("年份"),
    "plan_approved_on": _("方案获批日期"),
    "started_on": _("开始学习日期"),
}
"""The facts that rules of the bank ask for; others are shown by their names in the rule."""


def fact_name(name: str) -> str:
    """Name a fact that a rule asks for."""
    return str(FACTS.get(name, name))


def wanted_words(text: str) -> str:
    """Write what a fact has to be: "min 70; max 90" as ≥ 70, ≤ 90."""
    signs = {"min": "≥", "max": "≤", "from": "≥", "until": "≤"}
    parts = []
    for part in filter(None, text.split("; ")):
        name, _blank, value = part.partition(" ")
        parts.append(f"{signs[name]} {value}" if name in signs else part)
    return labels.listed(parts)


@dataclass(frozen=True, kw_only=True)
class Words:
    """A reason as a page says it; the smallest change that meets it is part of the sentence."""

    code: str
    sentence: str
    change: str = ""
    unknown: bool = False


def all_words(
    reasons: Sequence[Reason], rule: Rule | None = None, programme: Programme | None = None
) -> list[Words]:
    """Say reasons, each sentence once. With their rule and programme they are said more fully."""
    names = names_in(reasons, programme)
    if rule is not None:
        known = rulewords.names_for(rule)
        names = replace(
            known,
            items={**names.items, **known.items},
            bodies={**names.bodies, **known.bodies},
            courses={**known.courses, **names.courses},
            categories={**known.categories, **names.categories},
            facts=names.facts,
        )
    language = get_language() or "zh-hans"
    said = [
        Words(
            code=reason.code,
            sentence=wording.reason_text(reason, language, names, rule),
            unknown=reason.code.endswith(UNKNOWN),
        )
        for reason in reasons
    ]
    return list({found.sentence: found for found in said}.values())


def names_in(reasons: Iterable[Reason], programme: Programme | None = None) -> Names:
    """Return what the codes in reasons are called; what nobody knows stands for itself."""
    items: set[str] = set()
    bodies: set[str] = set()
    for reason in reasons:
        code = reason.code.removesuffix(UNKNOWN)
        held = items if code in _ITEMS else bodies if code in _BODIES else set()
        held.update(part for text in (reason.found, reason.wanted) for part in text.split(", "))
    known = {code: institutions.institution_by_uscc(code) for code in bodies if code}
    return Names(
        items={code: str(row) for code, row in institutions.newest_items(items).items()}
        if items
        else {},
        bodies={code: str(row) for code, row in known.items() if row is not None},
        courses=_titles(programme.courses if programme is not None else ()),
        categories=_titles(programme.categories if programme is not None else ()),
        facts={name: str(words) for name, words in FACTS.items()},
    )


_ITEMS: Final = frozenset({"item", "catalogue", "held", "not", "never", "never-programme"})
_BODIES: Final = frozenset({"body", "agreement-partner"})
"""The reasons that compare codes of items, and codes of awarding bodies."""


def _titles(rows: Iterable[Course] | Iterable[Category]) -> dict[str, str]:
    english = in_english()
    return {row.code: row.title_en if english and row.title_en else row.title for row in rows}
