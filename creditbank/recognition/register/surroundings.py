"""What a rule or programme is held against before it is filed and published: all that it will stand among."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from creditbank.clock import today
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import InstitutionKind
from creditbank.institutions.models import CatalogueItem, Institution
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rulechecks import CatalogueFacts, Item
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.models import ProgrammeVersion, RuleVersion
from creditbank.recognition.register import rulebook


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The rules and programmes that a document will stand among, and what is known of the catalogue."""

    rules: tuple[Rule, ...]
    programmes: tuple[Programme, ...]
    catalogue: CatalogueFacts


def of_rule(owner: Institution, rule: Rule) -> Surroundings:
    """Return what a rule of an institution will stand among from its first day on.

    The rules that can meet it: its owner's and the authorities', for an
    authority's all. The programmes that it can reach. Of its own code all
    versions that stand, of others those in force then or later.
    """
    day = max(today(), rule.first_day)
    authority = _is_authority(owner)
    programmes = [row for row in _standing_programmes(day) if authority or row.owner_id == owner.pk]
    owners = {row.owner_id for row in programmes}
    rows = [
        row
        for row in _standing_rules(day, rule.code)
        if row.owner_id == owner.pk
        or _is_authority(row.owner)
        or (authority and row.owner_id in owners)
    ]
    return Surroundings(
        rules=tuple(row.parsed() for row in rows),
        programmes=tuple(row.parsed() for row in programmes),
        catalogue=catalogue_facts(day),
    )


def of_programme(programme: Programme) -> Surroundings:
    """Return what a programme will stand among: its own versions, and every rule."""
    day = max(today(), programme.first_day)
    versions = [
        row
        for row in rulebook.published_programmes()
        if row.code == programme.code and row.withdrawn_on is None
    ]
    return Surroundings(
        rules=tuple(row.parsed() for row in _standing_rules(day, "")),
        programmes=tuple(row.parsed() for row in versions),
        catalogue=catalogue_facts(day),
    )


def _is_authority(institution: Institution) -> bool:
    return institution.kind == InstitutionKind.PROVINCIAL_AUTHORITY


def _standing_rules(day: date, code: str) -> list[RuleVersion]:
    """Return the rules in force on a day or beginning after it, and all versions of one code."""
    standing = {row.pk for row in rulebook.in_force(day)}
    return [
        row
        for row in rulebook.published_rules()
        if row.withdrawn_on is None
        and (row.pk in standing or row.first_day > day or row.code == code)
    ]


def _standing_programmes(day: date) -> list[ProgrammeVersion]:
    """Return the programmes in force on a day; of a code that begins later, its first version then."""
    found = {row.code: row for row in rulebook.programmes_in_force(day)}
    for row in sorted(rulebook.published_programmes(), key=lambda row: row.first_day):
        if row.withdrawn_on is None and row.first_day > day:
            found.setdefault(row.code, row)
    return [found[code] for code in sorted(found)]


# -- the catalogue ----------------------------------------------------------------------------
def catalogue_facts(day: date) -> CatalogueFacts:
    """Return every approved version of every item, and which frameworks are in use on a day."""
    items: dict[str, list[Item]] = {}
    for row in institutions.approved_versions():
        items.setdefault(row.code, []).append(_item(row))
    used, withdrawn = institutions.framework_keys(day)
    return CatalogueFacts(items=items, frameworks=used, withdrawn=withdrawn)


def _item(row: CatalogueItem) -> Item:
    return Item(
        code=row.code,
        kind=row.kind,
        body=row.body_uscc,
        category=row.category,
        credits=row.approved_credits,
        framework=row.framework,
        level=row.level,
        certificate_level=row.x_level,
        skill_level=row.skill_level,
        fields=tuple(row.fields),
    )


def read_catalogue(stored: Mapping[str, Mapping[str, Any]]) -> CatalogueFacts:
    """Read the catalogue as the API gives it (`GET /api/v1/catalogue`): for checks without a database.

    Levels of certificates and fields are not in it: what asks for them is taken
    for possible. Raises KeyError, TypeError for what is no catalogue.
    """
    items: dict[str, list[Item]] = {}
    frameworks = set()
    for said in stored.values():
        items.setdefault(said["item"], []).append(
            Item(
                code=said["item"],
                kind=said["kind"],
                body=said["body"],
                category=said["category"],
                framework=said["framework"],
                level=said["level"],
            )
        )
        frameworks.add(str(said["framework"]))
    return CatalogueFacts(items=items, frameworks=frozenset(frameworks - {""}))
