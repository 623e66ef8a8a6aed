"""What the cast has achieved, as the rows that institutions hand in.

Everything follows from the place in the cast and the item, so that each run
says the same: a row handed in twice is seen to be held already.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from creditbank.demo.cast import ASSESSOR, COLLEGE
from creditbank.demo.items import ITEMS, LETTERED, Item
from creditbank.demo.people import LEARNER, PEOPLE, Person
from creditbank.institutions.kinds import OutcomeKind
from creditbank.recording.columns import FIELDS
from creditbank.recording.rows import RawRow
from learners.identity import DocumentType

Line = dict[str, str]
"""A row by field: those of `creditbank.recording.columns`."""

DOCUMENT_NAMES: Final = {
    DocumentType.RESIDENT_ID: "居民身份证",
    DocumentType.HK_MO_PERMIT: "港澳居民来往内地通行证",
    DocumentType.TW_PERMIT: "台湾居民来往大陆通行证",
    DocumentType.FOREIGN_PR: "外国人永久居留身份证",
    DocumentType.PASSPORT: "护照",
}
EXPIRES: Final = date(2025, 6, 30)
"""The last valid day of the one certificate that has expired."""

_AWARDS: Final = ("一等奖", "二等奖", "三等奖")
_GRADES: Final = ("优秀", "良好", "合格")
_LETTERS: Final = ("A+", "A", "B", "C")
_MARKED: Final = frozenset({OutcomeKind.COURSE, OutcomeKind.X_CERTIFICATE})
_SAME_DAY: Final = _MARKED | {OutcomeKind.COMPETITION}


def _spread(person: Person, item: Item, width: int) -> int:
    """Return a number below `width` that looks accidental and never changes."""
    letters = sum(ord(character) * place for place, character in enumerate(item.code, 3))
    return (person.number * 37 + letters * 11 + person.number * letters) % width


def who(person: Person) -> Line:
    """Return the cells that say who somebody is."""
    return {
        "document_type": DOCUMENT_NAMES[DocumentType(person.document.type)],
        "number": person.document.number,
        "name": person.name,
    }


def line(person: Person, item: Item) -> Line:
    """Return the row of one person's outcome."""
    day = item.day
    if item.kind not in _SAME_DAY:
        day += timedelta(days=_spread(person, item, 4))
    cells = who(person) | {"item": item.code, "completed_on": day.isoformat()} | item.occurrence
    if item.code in LETTERED:
        cells["grade"] = _LETTERS[_spread(person, item, 4)]
    elif item.kind in _MARKED:
        cells["score"] = str(61 + _spread(person, item, 38))
    elif item.kind == OutcomeKind.COMPETITION:
        cells["grade"] = _AWARDS[_spread(person, item, 3)]
    elif item.kind != OutcomeKind.WORK_EXPERIENCE:
        cells["grade"] = _GRADES[_spread(person, item, 3)]
    if item.hours:
        cells["hours"] = str(item.hours)
    return cells | _certificate(person, item, day)


def _certificate(person: Person, item: Item, day: date) -> Line:
    serial = f"{ITEMS.index(item) + 1:03d}{person.number + 1:03d}"
    if item.kind == OutcomeKind.X_CERTIFICATE:
        number = f"QH{day.year}-{serial}"
        if item is EXPIRED_ITEM and person is LEARNER:
            return {"certificate": number, "valid_until": EXPIRES.isoformat()}
        return {"certificate": number}
    if item.kind == OutcomeKind.SKILL_LEVEL:
        # Y, organisation 4, province 2, site 6, year 2, level 1, serial 6.
        level = item.more["skill_level"]
        return {"certificate": f"Y990022999900{day:%y}{level}{serial}"}
    return {}


EXPIRED_ITEM: Final = next(
    item
    for item in ITEMS
    if item.owner == ASSESSOR and LEARNER.number in item.takers and item.day < EXPIRES
)


def lines_of(slug: str) -> list[Line]:
    """Return all rows that an institution hands in, item by item."""
    return [
        line(PEOPLE[number], item)
        for item in ITEMS
        if item.owner == slug
        for number in sorted(item.takers)
    ]


def raw_rows(lines: list[Line]) -> list[RawRow]:
    """Return rows as the recording operations take them; the header of a file would be row 1."""
    return [RawRow(number=number, values=dict(cells)) for number, cells in enumerate(lines, 2)]


def fields_of(lines: list[Line]) -> list[str]:
    """Return the columns that rows need, in the order in which templates have them."""
    used = {name for cells in lines for name in cells}
    return [name for name in FIELDS if name in used]


# -- what comes after the first recording -----------------------------------------------------
_COURSES: Final = [item for item in ITEMS if item.owner == COLLEGE]
RETAKEN: Final = min(_COURSES, key=lambda item: int(line(LEARNER, item)["score"]))
"""The learner's weakest course: taken again, with a better score."""

_TAKERS: Final = [PEOPLE[number] for number in sorted(_COURSES[0].takers) if number]


def retakes() -> list[Line]:
    """Return two courses taken again: one better, one by somebody else, worse."""
    other = _TAKERS[0]
    again = {"completed_on": "2025-09-08", "term": "2025-2026-1"}
    worse = min(60, int(line(other, _COURSES[1])["score"]) - 1)
    return [
        line(LEARNER, RETAKEN) | again | {"score": "99"},
        line(other, _COURSES[1]) | again | {"score": str(worse)},
    ]


def mistaken() -> list[tuple[Person, Item]]:
    """Return what the college takes back: recorded for the wrong people."""
    return [(person, _COURSES[2]) for person in _TAKERS[3:6]]


def waiting_lines() -> list[Line]:
    """Return what a clerk has prepared and nobody has approved yet: a make-up examination."""
    item = _COURSES[4]
    takers = set(item.takers)
    people = [person for person in PEOPLE if person.number not in takers][:6]
    again = {"completed_on": "2025-09-09", "term": "2025-2026-1"}
    return [line(person, item) | again for person in people]
