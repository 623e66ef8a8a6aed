"""Finding in the register: rules by words, owner, programme, source and state; what covers what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final, Generic, Literal, TypeVar

from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import OutcomeKind
from creditbank.institutions.models import CatalogueItem, Institution
from creditbank.recognition.language import mentions
from creditbank.recognition.language.mentions import Mentions
from creditbank.recognition.models import ProgrammeVersion, RuleVersion
from creditbank.recognition.register import rulebook

V = TypeVar("V", RuleVersion, ProgrammeVersion)

State = Literal["in-force", "upcoming", "superseded", "past", "withdrawn"]
STATES: Final[tuple[State, ...]] = ("in-force", "upcoming", "superseded", "past", "withdrawn")

ANY: Final = ""
"""The source of a rule that does not say which kind, or whose awarding body, it asks for."""


@dataclass(frozen=True, kw_only=True)
class Listed(Generic[V]):
    """A published version, and what it is on the day of the list."""

    row: V
    state: State


def listed(versions: Iterable[V], on: date) -> list[Listed[V]]:
    """Say of published versions what each is on a day; all versions of a code belong in."""
    rows = list(versions)
    standing = {row.pk for row in rulebook.highest(row for row in rows if row.covers(on))}
    return [Listed(row=row, state=_state(row, on, row.pk in standing)) for row in rows]


def _state(row: RuleVersion | ProgrammeVersion, on: date, stands: bool) -> State:
    if row.withdrawn_on is not None and row.withdrawn_on <= on:
        return "withdrawn"
    if on < row.first_day:
        return "upcoming"
    if row.last_day is not None and row.last_day < on:
        return "past"
    return "in-force" if stands else "superseded"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is looked for; what is empty is not asked."""

    text: str = ""
    owner: str = ""
    """An institution's slug."""
    programme: str = ""
    kind: str = ""
    body: str = ""
    """An awarding body's unified social credit code."""
    state: str = ""


class Register:
    """The published rules and programmes as of a day, read once and asked often."""

    def __init__(self, on: date) -> None:
        self.on = on

    @cached_property
    def rules(self) -> list[Listed[RuleVersion]]:
        """Every published version of every rule, by code, the newest version first."""
        return listed(rulebook.published_rules(), self.on)

    @cached_property
    def programmes(self) -> list[Listed[ProgrammeVersion]]:
        """Every published version of every programme, by code, the newest version first."""
        return listed(rulebook.published_programmes(), self.on)

    @cached_property
    def programmes_in_force(self) -> list[ProgrammeVersion]:
        """The programmes in force on the day, by code."""
        return [one.row for one in self.programmes if one.state == "in-force"]

    @cached_property
    def owners(self) -> list[Institution]:
        """The institutions that have published a rule, by name."""
        found = {one.row.owner_id: one.row.owner for one in self.rules}
        return sorted(found.values(), key=str)

    @cached_property
    def _mentions(self) -> Mapping[int, Mentions]:
        return {one.row.pk: mentions.of(one.row.parsed()) for one in self.rules}

    @cached_property
    def items(self) -> Mapping[str, CatalogueItem]:
        """The catalogue items that rules name, each in its newest approved version, by code."""
        codes = {code for said in self._mentions.values() for code in said.items}
        return institutions.newest_items(codes)

    @cached_property
    def _courses(self) -> Mapping[str, set[str]]:
        """The titles of courses by code, over all programmes in force."""
        found: dict[str, set[str]] = {}
        for row in self.programmes_in_force:
            for course in row.parsed().courses:
                found.setdefault(course.code, set()).update((course.title, course.title_en))
        return found

    def mentions(self, row: RuleVersion) -> Mentions:
        """Return what a published rule speaks of."""
        return self._mentions[row.pk]

    # -- finding ------------------------------------------------------------------------------
    def find(self, wanted: Wanted) -> list[Listed[RuleVersion]]:
        """Return the versions that meet everything that is wanted, by code, the newest first."""
        return [one for one in self.rules if self._meets(one, wanted)]

    def _meets(self, one: Listed[RuleVersion], wanted: Wanted) -> bool:
        row = one.row
        return (
            (not wanted.state or one.state == wanted.state)
            and (not wanted.owner or row.owner.slug == wanted.owner)
            and (not wanted.kind or {wanted.kind, ANY} & self.kinds(row) != set())
            and (not wanted.body or {wanted.body, ANY} & self.bodies(row) != set())
            and (not wanted.programme or self._reaches(row, wanted.programme))
            and (not wanted.text or self._says(row, wanted.text))
        )

    def _says(self, row: RuleVersion, text: str) -> bool:
        """Say whether every word of a text stands somewhere in what describes a rule."""
        said = self.mentions(row)
        basis = row.parsed().document.get("basis", {})
        described = [
            row.code,
            row.title,
            row.title_en,
            row.owner.name,
            row.owner.name_en,
            basis.get("title", ""),
            basis.get("number", ""),
            *row.parsed().programmes,
            *said.items,
            *said.courses,
        ]
        for code in said.items & self.items.keys():
            described += [self.items[code].title, self.items[code].title_en]
        for code in said.courses & self._courses.keys():
            described += self._courses[code]
        whole = "\n".join(described).casefold()
        return all(word in whole for word in text.casefold().split())

    def _reaches(self, row: RuleVersion, code: str) -> bool:
        return any(
            rulebook.is_for(row, programme.parsed())
            for programme in self.programmes_in_force
            if programme.code == code
        )

    # -- sources ------------------------------------------------------------------------------
    def kinds(self, row: RuleVersion) -> set[str]:
        """Return the kinds of outcome that a rule can use; ANY alone when it names none."""
        said = self.mentions(row)
        named = said.kinds | {
            str(self.items[code].kind) for code in said.items if code in self.items
        }
        return _narrowed(named, said.gate_kinds)

    def bodies(self, row: RuleVersion) -> set[str]:
        """Return the awarding bodies whose outcomes a rule can use; ANY alone when it names none."""
        said = self.mentions(row)
        named = said.bodies | {
            self.items[code].body_uscc for code in said.items if code in self.items
        }
        return _narrowed(named, said.gate_bodies)

    # -- coverage -----------------------------------------------------------------------------
    def coverage(self, by: Literal["kind", "body"]) -> Coverage:
        """Count, for each programme in force, the rules in force by their sources."""
        sources = self.kinds if by == "kind" else self.bodies
        in_force = [one.row for one in self.rules if one.state == "in-force"]
        rows = []
        columns: set[str] = set()
        for programme in self.programmes_in_force:
            counts: dict[str, int] = {}
            for rule in in_force:
                if rulebook.is_for(rule, programme.parsed()):
                    for source in sources(rule):
                        counts[source] = counts.get(source, 0) + 1
            columns |= counts.keys()
            rows.append((programme, counts))
        if by == "kind":
            columns |= set(OutcomeKind.values)
        return Coverage(
            by=by,
            columns=tuple(sorted(columns, key=lambda source: (source == ANY, _place(source)))),
            rows=tuple(rows),
        )


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How many rules in force lead from each source to each programme.

    `columns` are kinds or codes of bodies, ANY last when a rule names none.
    """

    by: Literal["kind", "body"]
    columns: tuple[str, ...]
    rows: Sequence[tuple[ProgrammeVersion, Mapping[str, int]]]


def _place(source: str) -> tuple[int, str]:
    """Sort kinds as the bank lists them, bodies by their code."""
    values = list(OutcomeKind.values)
    return (values.index(source), source) if source in values else (len(values), source)


def _narrowed(named: Iterable[str], gate: Iterable[str]) -> set[str]:
    """Return what both the conditions and the gate let in; ANY when neither names anything."""
    inner, outer = set(named), set(gate)
    if inner and outer:
        return inner & outer
    return inner or outer or {ANY}
