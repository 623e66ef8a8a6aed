"""One row of outcomes: what was typed, and what it says once it is read (pure but for words).

A row from a form, a file and the API is the same thing. Reading it finds every
problem it has in itself; what only the register can tell is found in `checks`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from creditbank.errors import Problem
from creditbank.institutions.kinds import OutcomeKind
from creditbank.ledger.statements import CREDITS_MAX, HUNDREDTH
from creditbank.recording import cells, columns
from creditbank.recording.cells import Broken, Number, Unreadable, Value
from creditbank.recording.problems import problem
from learners.identity import (
    DocumentType,
    IdentityDocument,
    IdentityInvalid,
    NameInvalid,
    normalise_name,
)

SCORE_MAX: Final = Decimal(1000)
HOURS_MAX: Final = Decimal(10000)
RESULT_MAX: Final = 40

DOCUMENT_WORDS: Final[dict[str, DocumentType]] = {
    "居民身份证": DocumentType.RESIDENT_ID,
    "身份证": DocumentType.RESIDENT_ID,
    "二代身份证": DocumentType.RESIDENT_ID,
    "中华人民共和国居民身份证": DocumentType.RESIDENT_ID,
    "港澳台居民居住证": DocumentType.RESIDENT_ID,
    "港澳居民居住证": DocumentType.RESIDENT_ID,
    "台湾居民居住证": DocumentType.RESIDENT_ID,
    "居民身份证或港澳台居民居住证": DocumentType.RESIDENT_ID,
    "港澳居民来往内地通行证": DocumentType.HK_MO_PERMIT,
    "港澳通行证": DocumentType.HK_MO_PERMIT,
    "回乡证": DocumentType.HK_MO_PERMIT,
    "台湾居民来往大陆通行证": DocumentType.TW_PERMIT,
    "台胞证": DocumentType.TW_PERMIT,
    "外国人永久居留身份证": DocumentType.FOREIGN_PR,
    "外国人永久居留证": DocumentType.FOREIGN_PR,
    "永久居留证": DocumentType.FOREIGN_PR,
    "护照": DocumentType.PASSPORT,
    "外国护照": DocumentType.PASSPORT,
}

REFERENCES: Final[dict[str, tuple[str, ...]]] = {
    OutcomeKind.COURSE: (),
    OutcomeKind.X_CERTIFICATE: ("certificate",),
    OutcomeKind.SKILL_LEVEL: ("certificate",),
    OutcomeKind.TRAINING: ("batch",),
    OutcomeKind.COMMUNITY: ("batch",),
    OutcomeKind.CONTINUING_EDUCATION: ("year", "project"),
    OutcomeKind.COMPETITION: ("contest", "edition", "event"),
    OutcomeKind.WORK_EXPERIENCE: ("started_on",),
    OutcomeKind.APPRENTICESHIP: ("started_on",),
}
"""What each kind needs to tell one outcome from the next, besides person, body and item."""


@dataclass(frozen=True, kw_only=True)
class RawRow:
    """A row as it came: its number in the file (the header is 1), and the cells by field."""

    number: int
    values: Mapping[str, Value] = field(repr=False)
    serials: bool = True

    def of(self, name: str) -> Value:
        """Return the cell of a field; None where the file has no such column."""
        return self.values.get(name)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row that has been read. Personal members are not shown by repr."""

    number: int
    document: IdentityDocument = field(repr=False)
    name: str = field(repr=False)
    item: str
    completed_on: date
    valid_until: date | None = None
    credits: Decimal | None = None
    grade: str = ""
    score: str = ""
    hours: str = ""
    certificate: str = ""
    batch: str = ""
    year: str = ""
    project: str = ""
    contest: str = ""
    edition: str = ""
    event: str = ""
    started_on: date | None = None
    term: str = ""

    def texts(self) -> dict[str, str]:
        """Return the row as texts by field, blank ones left out: a form that is read the same."""
        said: dict[str, Any] = {
            "document_type": self.document.type.value,
            "number": self.document.number,
            "name": self.name,
            "item": self.item,
            "completed_on": self.completed_on.isoformat(),
            "valid_until": self.valid_until.isoformat() if self.valid_until else "",
            "credits": "" if self.credits is None else str(self.credits),
            "started_on": self.started_on.isoformat() if self.started_on else "",
        }
        for name in columns.FIELDS:
            said.setdefault(name, getattr(self, name, ""))
        return {name: said[name] for name in columns.FIELDS if said[name]}

    def raw(self) -> RawRow:
        """Return the row as it would be typed, to be kept and read again."""
        return RawRow(number=self.number, values=self.texts())

    def occurrence(self, kind: str) -> str:
        """Return what the statement's reference says of the occurrence, for people to read."""
        if kind == OutcomeKind.COURSE:
            return self.term
        if kind == OutcomeKind.CONTINUING_EDUCATION:
            return f"{self.year} {self.project}"
        if kind == OutcomeKind.COMPETITION:
            return f"{self.contest} {self.edition} {self.event}"
        if kind in (OutcomeKind.WORK_EXPERIENCE, OutcomeKind.APPRENTICESHIP):
            return self.started_on.isoformat() if self.started_on else ""
        return ""

    def base(self, kind: str, body: str) -> str:
        """Return what the outcome is unique by, without generation: body | item | occurrence.

        A certificate is one whichever catalogue item names it, so its number
        stands alone with the awarding body, and two recorders collide. A course
        has no occurrence: a retaken course is one outcome.
        """
        if kind in (OutcomeKind.X_CERTIFICATE, OutcomeKind.SKILL_LEVEL):
            return f"{body}||{self.certificate}"
        parts = [str(getattr(self, name) or "") for name in REFERENCES[kind]]
        return f"{body}|{self.item}|{'|'.join(part.casefold() for part in parts)}"

    def attempt_base(self, kind: str, body: str) -> str:
        """Return what a further, not better attempt at a course is unique by: its term."""
        return f"{self.base(kind, body)}{self.term.casefold()}"


class _Reading:
    """One row being read: values and problems."""

    def __init__(self, raw: RawRow) -> None:
        self.raw = raw
        self.problems: list[Problem] = []

    def add(self, code: str, name: str, *, value: str | None = None, expected: object = "") -> None:
        """Note a problem of a field; identity number and name are hidden."""
        if value is None:
            value = cells.text_of(self.raw.of(name))
            if name == "number":
                value = cells.mask_number(value)
            elif name == "name":
                value = cells.mask_name(value)
        self.problems.append(problem(code, self.raw.number, name, value, expected))

    def text(self, name: str, *, limit: int = cells.TEXT_MAX) -> str:
        """Read a line of text."""
        try:
            return cells.read_text(self.raw.of(name), limit=limit)
        except Unreadable as error:
            self.add(error.code, name, expected=error.expected)
            return ""

    def part(self, name: str) -> str:
        """Read a text that outcomes are told apart by."""
        try:
            return cells.read_part(self.raw.of(name))
        except Unreadable as error:
            self.add(error.code, name, expected=error.expected)
            return ""

    def day(self, name: str, on: date, *, future: bool = False) -> date | None:
        """Read a date between 1950 and `on` (or later, where it may be)."""
        value = self.raw.of(name)
        if cells.is_blank(value):
            return None
        try:
            day = cells.read_date(value, serials=self.raw.serials)
        except Unreadable as error:
            self.add(error.code, name, expected=error.expected)
            return None
        if day > on and not future:
            self.add("date-in-future", name, value=day.isoformat(), expected=f"≤ {on.isoformat()}")
            return None
        if day < cells.EARLIEST:
            self.add("date-too-old", name, value=day.isoformat(), expected="≥ 1950-01-01")
            return None
        return day


def read_row(raw: RawRow, on: date) -> tuple[Row | None, list[Problem]]:
    """Read a row for the day `on`; return it, or every problem it has in itself."""
    reading = _Reading(raw)
    for name in columns.REQUIRED:
        if cells.is_blank(raw.of(name)):
            reading.add("value-missing", name)
    document = _document(reading)
    name = _name(reading)
    item = reading.part("item")
    completed = reading.day("completed_on", on)
    valid_until = reading.day("valid_until", on, future=True)
    started = reading.day("started_on", on)
    if completed is not None:
        if started is not None and started > completed:
            reading.add("dates-out-of-order", "started_on", expected=f"≤ {completed.isoformat()}")
        if valid_until is not None and valid_until < completed:
            reading.add("dates-out-of-order", "valid_until", expected=f"≥ {completed.isoformat()}")
    amount = _credits(reading)
    texts = {
        "grade": reading.text("grade", limit=RESULT_MAX),
        "score": _score(reading),
        "hours": _hours(reading),
        "certificate": _certificate(reading),
        "year": _year(reading, on),
        **{
            part: reading.part(part)
            for part in ("batch", "project", "contest", "edition", "event", "term")
        },
    }
    if reading.problems or document is None or completed is None:
        return None, reading.problems
    return (
        Row(
            number=raw.number,
            document=document,
            name=name,
            item=item,
            completed_on=completed,
            valid_until=valid_until,
            started_on=started,
            credits=amount,
            **texts,
        ),
        [],
    )


def _document(reading: _Reading) -> IdentityDocument | None:
    value = reading.raw.of("number")
    kind = _document_type(reading)
    if cells.is_blank(value) or kind is None:
        return None
    try:
        cells.refuse_mangled(value, "identity-mangled")
        number = cells.read_text(value, limit=40)
    except Unreadable as error:
        shown = cells.text_of(value)
        if isinstance(value, Number) and len(shown) > 8:
            shown = format(float(shown), ".1E")
        elif "E" not in shown.upper():
            shown = cells.mask_number(shown)
        reading.add(error.code, "number", value=shown, expected=error.expected)
        return None
    try:
        return IdentityDocument(type=kind, number=number)
    except IdentityInvalid as error:
        reason = str(error.facts.get("reason", "format"))
        if kind is DocumentType.RESIDENT_ID and reason == "check" and number.endswith("000"):
            # Eighteen digits that end in three zeros and fail the check are what
            # is left when a spreadsheet has written the number out again.
            reason = "mangled"
        expected = error.facts.get("expected", "") if reason in ("length", "format") else ""
        reading.add(f"identity-{reason}", "number", expected=expected)
        return None


def _document_type(reading: _Reading) -> DocumentType | None:
    text = reading.text("document_type", limit=40)
    if not text:
        return DocumentType.RESIDENT_ID
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    found = DOCUMENT_WORDS.get(plain)
    if found is not None:
        return found
    try:
        return DocumentType(plain.casefold())
    except ValueError:
        reading.add("document-type-unknown", "document_type", expected="居民身份证 …")
        return None


def _name(reading: _Reading) -> str:
    value = reading.raw.of("name")
    if cells.is_blank(value):
        return ""
    if isinstance(value, Broken):
        reading.add("cell-error", "name")
        return ""
    try:
        return normalise_name(cells.text_of(value))
    except NameInvalid as error:
        # What is wrong is one character or a length, and that is not the name.
        found = str(error.facts.get("found", ""))
        reading.add(f"name-{error.facts.get('reason', 'character')}", "name", value=found)
        return ""


def _credits(reading: _Reading) -> Decimal | None:
    value = reading.raw.of("credits")
    if cells.is_blank(value):
        return None
    try:
        amount = cells.read_number(value)
    except Unreadable as error:
        reading.add(error.code, "credits", expected=error.expected)
        return None
    if not 0 <= amount <= CREDITS_MAX:
        reading.add("credits-out-of-range", "credits", expected=f"0 – {CREDITS_MAX}")
    elif amount != amount.quantize(HUNDREDTH):
        reading.add("credits-not-hundredths", "credits", expected="0.01")
    else:
        return amount.quantize(HUNDREDTH)
    return None


def _score(reading: _Reading) -> str:
    value = reading.raw.of("score")
    if isinstance(value, date):
        reading.add("number-unreadable", "score", expected="86")
        return ""
    text = reading.text("score", limit=RESULT_MAX)
    try:
        number = cells.read_number(text) if text else None
    except Unreadable:
        # A school may write 合格 where another writes 86.
        return text
    if number is not None and not 0 <= number <= SCORE_MAX:
        reading.add("score-out-of-range", "score", expected=f"0 – {SCORE_MAX}")
    return text


def _hours(reading: _Reading) -> str:
    value = reading.raw.of("hours")
    if cells.is_blank(value):
        return ""
    try:
        hours = cells.read_number(value)
    except Unreadable as error:
        reading.add(error.code, "hours", expected=error.expected)
        return ""
    if not 0 < hours <= HOURS_MAX:
        reading.add("hours-out-of-range", "hours", expected=f"0 – {HOURS_MAX}")
        return ""
    return format(hours.normalize(), "f")


def _certificate(reading: _Reading) -> str:
    value = reading.raw.of("certificate")
    if isinstance(value, Number) and len(value.text) < 15 and value.text.isdigit():
        return value.text
    try:
        cells.refuse_mangled(value, "certificate-mangled")
    except Unreadable as error:
        reading.add(error.code, "certificate")
        return ""
    return reading.text("certificate", limit=80)


def _year(reading: _Reading, on: date) -> str:
    text = unicodedata.normalize("NFKC", reading.text("year", limit=10))
    text = text.removesuffix("度").removesuffix("年").strip()
    if not text:
        return ""
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        reading.add("year-unreadable", "year", expected=str(on.year))
    elif not cells.EARLIEST.year <= int(text) <= on.year:
        reading.add("year-unreadable", "year", expected=f"1950 – {on.year}")
    else:
        return text
    return ""
