"""A programme: what a receiving institution asks of those who graduate from it (pure)."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

from creditbank.errors import Refusals
from creditbank.proofs import canonical
from creditbank.proofs.strictjson import JsonRefused, loads
from creditbank.recognition.language import schemas, sense


class ProgrammeInvalid(Refusals):
    """A document that is no programme: every problem with the JSON pointer of its place."""

    code: ClassVar[str] = "programme-invalid"


@dataclass(frozen=True, kw_only=True)
class Category:
    """A category of a programme's credits and how many of them it asks for."""

    code: str
    title: str
    title_en: str
    credits: Decimal
    spills_to: str = ""
    """The category that what is beyond the asked credits counts in; nothing: it is lost."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """A course of a programme. `items` are the catalogue items that meet it natively."""

    code: str
    title: str
    title_en: str
    credits: Decimal
    category: str
    required: bool = False
    replaceable: bool = True
    tags: tuple[str, ...] = ()
    items: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Minimum:
    """So many of the counted credits must come from outcomes like these.

    All that is said must hold: one of `kinds`, awarded by one of `bodies`,
    earned at the owner itself (`native`).
    """

    code: str
    title: str
    title_en: str
    credits: Decimal
    kinds: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    native: bool = False


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """What a sum of counted credits opens (a status, an examination)."""

    code: str
    title: str
    title_en: str
    credits: Decimal


@dataclass(frozen=True, kw_only=True)
class Programme:
    """One version of a programme. `document` is what was signed; the rest is read from it.

    `level` is the number of a level in `framework`. `constraints` are the
    documents of its limits, in their order: pointers count them from 0.
    """

    document: Mapping[str, Any] = dataclasses.field(repr=False, hash=False)
    code: str
    version: int
    owner: str
    title: str
    title_en: str
    total: Decimal
    field: str
    framework: str
    level: str
    first_day: date
    last_day: date | None
    categories: tuple[Category, ...]
    courses: tuple[Course, ...]
    minimums: tuple[Minimum, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    constraints: tuple[Mapping[str, Any], ...] = dataclasses.field(default=(), hash=False)

    def canonical(self) -> bytes:
        """Return the document's canonical bytes: what the digest is over."""
        return self._bytes

    @cached_property
    def _bytes(self) -> bytes:
        return canonical.encode(self.document)

    @cached_property
    def digest(self) -> bytes:
        """The SHA-256 of the canonical bytes."""
        return hashlib.sha256(self._bytes).digest()

    def in_force(self, day: date) -> bool:
        """Say whether a day is one of the version's, first and last included."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)

    def course(self, code: str) -> Course | None:
        """Return a course by its code."""
        return self._courses.get(code)

    def category(self, code: str) -> Category | None:
        """Return a category by its code."""
        return self._categories.get(code)

    def tagged(self, tag: str) -> tuple[Course, ...]:
        """Return the courses that have a tag, in the programme's order."""
        return tuple(course for course in self.courses if tag in course.tags)

    @cached_property
    def _courses(self) -> Mapping[str, Course]:
        return {course.code: course for course in self.courses}

    @cached_property
    def _categories(self) -> Mapping[str, Category]:
        return {category.code: category for category in self.categories}


def parse(document: object) -> Programme:
    """Read a programme from a JSON document. Raises ProgrammeInvalid with every problem of it."""
    problems = schemas.problems("programme-v1", document)
    if not problems:
        assert isinstance(document, Mapping)
        problems = sense.programme_problems(document)
    if problems:
        raise ProgrammeInvalid(problems)
    assert isinstance(document, Mapping)
    return _programme(document)


def read(data: bytes) -> Programme:
    """Read a programme from the bytes of a JSON document. Raises ProgrammeInvalid."""
    try:
        document = loads(data)
    except JsonRefused as error:
        raise ProgrammeInvalid([schemas.unreadable(error)]) from None
    return parse(document)


def stored(data: bytes) -> Programme:
    """Read a programme that was checked when it was stored: canonical bytes, nothing else looked at.

    For the bytes whose digest stands in the ledger. Raises NotCanonical.
    """
    document = canonical.decode(data)
    assert isinstance(document, Mapping)
    return _programme(document)


def _programme(document: Mapping[str, Any]) -> Programme:
    days = document["in_force"]
    until = days.get("until")
    return Programme(
        document=document,
        code=document["code"],
        version=document["version"],
        owner=document["owner"],
        title=document["title"],
        title_en=document["title_en"],
        total=Decimal(document["total"]),
        field=document["field"],
        framework=document["framework"],
        level=document["level"],
        first_day=date.fromisoformat(days["from"]),
        last_day=date.fromisoformat(until) if until else None,
        categories=tuple(
            Category(**one | {"credits": Decimal(one["credits"])}) for one in document["categories"]
        ),
        courses=tuple(
            Course(
                **one
                | {
                    "credits": Decimal(one["credits"]),
                    "tags": tuple(one.get("tags", ())),
                    "items": tuple(one.get("items", ())),
                }
            )
            for one in document["courses"]
        ),
        minimums=tuple(_minimum(one) for one in document.get("minimums", ())),
        thresholds=tuple(
            Threshold(**one | {"credits": Decimal(one["credits"])})
            for one in document.get("thresholds", ())
        ),
        constraints=tuple(document.get("constraints", ())),
    )


def _minimum(one: Mapping[str, Any]) -> Minimum:
    of = one["of"]
    return Minimum(
        code=one["code"],
        title=one["title"],
        title_en=one["title_en"],
        credits=Decimal(one["credits"]),
        kinds=tuple(of.get("kinds", ())),
        bodies=tuple(of.get("bodies", ())),
        native="native" in of,
    )
