"""Rules and programmes in the reader's words: what they say, what is wrong, what one begins with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from creditbank.clock import today
from creditbank.errors import Problem
from creditbank.institutions import queries as institutions
from creditbank.institutions.models import Institution, in_english
from creditbank.recognition.engine import wording
from creditbank.recognition.engine.wording import Names
from creditbank.recognition.language import mentions, walk
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.models import ProgrammeVersion
from creditbank.recognition.register import problemwords, rulebook
from creditbank.recognition.register.documents import RULES, DocumentKind

BETWEEN_RULES: Final = frozenset({"overlap", "contradicts-another", "excluded-by-another"})
"""Problems between two rules: what they found is the other rule."""


def message(problem: Problem) -> str:
    """Return what is wrong, in the reader's language."""
    return problemwords.message(problem)


# -- what a new document begins with -----------------------------------------------------------
def pattern(kind: DocumentKind, institution: Institution) -> str:
    """Return the least that a new document of an institution says, to be written on."""
    said = _RULE if kind is RULES else _PROGRAMME
    filled = {
        **said,
        "owner": institution.uscc,
        "in_force": {"from": today().isoformat()},
    }
    return json.dumps(filled, ensure_ascii=False, indent=2)


_RULE: Final[dict[str, Any]] = {
    "v": "llcb/rule/v1",
    "code": "R-001",
    "version": 1,
    "owner": "",
    "title": "",
    "title_en": "",
    "basis": {"title": ""},
    "in_force": {},
    "law": "filing",
    "sources": {"outcome": {"item": [""]}},
    "allocation": {"to": [{"course": ""}]},
    "procedure": {"mode": "review"},
}
_PROGRAMME: Final[dict[str, Any]] = {
    "v": "llcb/programme/v1",
    "code": "P-001",
    "version": 1,
    "owner": "",
    "title": "",
    "title_en": "",
    "field": "",
    "framework": "lqf/1",
    "level": "5",
    "total": "",
    "in_force": {},
    "categories": [{"code": "core", "title": "", "title_en": "", "credits": ""}],
    "courses": [{"code": "", "title": "", "title_en": "", "credits": "", "category": "core"}],
}


# -- what a rule says ---------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Sentence:
    """A sentence of a rule, and the points under it."""

    text: str
    points: tuple[str, ...] = ()


def says(kind: DocumentKind, document: Any, known: Known | None = None) -> list[Sentence]:
    """Return what a rule says in the reader's language; nothing for what could not be read.

    Its days, its law and its programmes stand above in every page, and are not said again.
    Who puts several rules into words reads what is `known` once for all.
    """
    if kind is not RULES or document is None:
        return []
    sentences: list[Sentence] = []
    lines = wording.lines(document, get_language() or "zh-hans", names_for(document, known))
    for line in lines[3 if document.programmes else 2 :]:
        if line.startswith(_POINT) and sentences:
            last = sentences[-1]
            sentences[-1] = Sentence(
                text=last.text, points=(*last.points, line.removeprefix(_POINT))
            )
        else:
            sentences.append(Sentence(text=line))
    return sentences


_POINT: Final = "· "


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is in force today, as the codes in any rule may mean it."""

    programmes: tuple[ProgrammeVersion, ...]
    rules: Mapping[str, str]
    frameworks: Mapping[str, str]

    @classmethod
    def today(cls) -> Known:
        """Read it from the register."""
        return cls(
            programmes=tuple(rulebook.programmes_in_force(today())),
            rules={row.code: str(row) for row in rulebook.in_force(today())},
            frameworks=institutions.framework_names(),
        )


def names_for(rule: Rule, known: Known | None = None) -> Names:
    """Return what the codes in a rule are called, in the reader's language."""
    known = known or Known.today()
    said = mentions.of(rule)
    programmes = [row for row in known.programmes if _reaches(rule, row)]
    parsed = [row.parsed() for row in programmes]
    english = in_english()
    return Names(
        items={code: str(item) for code, item in institutions.newest_items(_items(rule)).items()},
        courses={
            course.code: course.title_en if english else course.title
            for programme in parsed
            for course in programme.courses
        },
        categories={
            category.code: category.title_en if english else category.title
            for programme in parsed
            for category in programme.categories
        },
        bodies=_bodies(said.bodies | said.gate_bodies),
        programmes={row.code: str(row) for row in programmes},
        rules=known.rules,
        frameworks=known.frameworks,
    )


def _reaches(rule: Rule, row: ProgrammeVersion) -> bool:
    """Say whether a rule may mean a programme: one that it names, or its owner's."""
    return row.code in rule.programmes if rule.programmes else row.owner.uscc == rule.owner


def _items(rule: Rule) -> set[str]:
    """Return every item that stands anywhere in a rule: in conditions, tables and limits."""
    found: set[str] = set()
    for node in walk.rule(rule.document):
        if node.role == "condition":
            found |= set(node.value.get("item", ()))
        elif node.role == "amount" and isinstance(node.value, Mapping):
            table = node.value.get("table", {})
            if table.get("by") == "item":
                found |= {code for row in table["rows"] for code in row["is"]}
    for constraint in rule.constraints:
        found |= set(constraint.get("of", {}).get("items", ()))
        found |= set(constraint.get("exclusive", {}).get("items", ()))
    return found


def _bodies(codes: Iterable[str]) -> dict[str, str]:
    found = ((code, institutions.institution_by_uscc(code)) for code in codes)
    return {code: str(one) for code, one in found if one is not None}


# -- what a simulation found --------------------------------------------------------------------
LIMITS: Final = {
    "cap": _("上限"),
    "share": _("占毕业学分的比例"),
    "bucket": _("每个时段的上限"),
    "exclusive": _("互斥的成果只计一项"),
    "highest": _("同一活动只计最高"),
    "residency": _("须在本校修得的学分"),
    "never": _("不可替代或不可使用"),
    "never-unknown": _("不可替代或不可使用"),
    "at-most": _("一次使用最多给的学分"),
}


def asked(rule: Rule, pointer: str, names: Names) -> str:
    """Return what the condition at a place of a rule asks for; nothing where no condition stands."""
    place, _slash, name = pointer.rpartition("/")
    condition = wording.resolve(rule.document, place)
    if not isinstance(condition, Mapping) or name not in condition or not place:
        return ""
    if not place.startswith("/sources"):
        return ""
    return wording.condition_text({name: condition[name]}, get_language() or "zh-hans", names)
