"""What can be read of the rule register: what is in force, versions and what differs between them.

**In force on a day** is, of each code, the highest version whose days contain
the day and that is not withdrawn by then. Documents are frozen, so nobody
closes the days of an older version: a newer one supersedes it from its first
day on, and where a newer one is withdrawn, an older one that still covers the
day is in force again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar, TypeVar

from django.db.models import Max, Q, QuerySet

from creditbank.clock import PROVINCE
from creditbank.errors import DomainError
from creditbank.institutions.kinds import InstitutionKind
from creditbank.institutions.models import Institution
from creditbank.recognition.language import differences
from creditbank.recognition.language.differences import Difference
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.models import (
    DecisionLine,
    LineVerdict,
    ProgrammeVersion,
    RuleVersion,
    Version,
    VersionStatus,
)

V = TypeVar("V", RuleVersion, ProgrammeVersion)

OPEN = (VersionStatus.DRAFT, VersionStatus.FILED)


class UnknownRule(DomainError):
    """There is no such rule, or no such version of it, that the reader may know of."""

    code: ClassVar[str] = "unknown-rule"


class UnknownProgramme(DomainError):
    """There is no such programme, or no such version of it, that the reader may know of."""

    code: ClassVar[str] = "unknown-programme"


def _rules() -> QuerySet[RuleVersion]:
    return RuleVersion.objects.select_related("owner")


def _programmes() -> QuerySet[ProgrammeVersion]:
    return ProgrammeVersion.objects.select_related("owner")


def _covering(on: date) -> Q:
    """Select the published versions whose days contain a day, newer versions aside."""
    return (
        Q(published_at__isnull=False, first_day__lte=on)
        & (Q(last_day__isnull=True) | Q(last_day__gte=on))
        & (Q(withdrawn_on__isnull=True) | Q(withdrawn_on__gt=on))
    )


def highest(versions: Iterable[V]) -> list[V]:
    """Keep of each code the highest version, by code."""
    found: dict[str, V] = {}
    for row in versions:
        held = found.get(row.code)
        if held is None or held.version < row.version:
            found[row.code] = row
    return [found[code] for code in sorted(found)]


# -- in force ---------------------------------------------------------------------------------
def in_force(on: date, *, owner: Institution | None = None) -> list[RuleVersion]:
    """Return the rules in force on a day, one version of each code, by code."""
    found = _rules().filter(_covering(on))
    return highest(found if owner is None else found.filter(owner=owner))


def programmes_in_force(on: date, *, owner: Institution | None = None) -> list[ProgrammeVersion]:
    """Return the programmes in force on a day, one version of each code, by code."""
    found = _programmes().filter(_covering(on))
    return highest(found if owner is None else found.filter(owner=owner))


def rule_in_force(code: str, on: date) -> RuleVersion:
    """Return the version of a rule that is in force on a day. Raises UnknownRule."""
    found = highest(_rules().filter(_covering(on), code=code))
    if not found:
        raise UnknownRule(rule=code, on=on.isoformat())
    return found[0]


def programme_in_force(code: str, on: date) -> ProgrammeVersion:
    """Return the version of a programme that is in force on a day. Raises UnknownProgramme."""
    found = highest(_programmes().filter(_covering(on), code=code))
    if not found:
        raise UnknownProgramme(programme=code, on=on.isoformat())
    return found[0]


def is_for(row: RuleVersion, programme: Programme) -> bool:
    """Say whether a rule reaches a programme.

    A rule reaches the programmes that it names; one that names none, every
    programme of its owner, and an authority's rule every programme there is.
    """
    if not row.parsed().is_for(programme):
        return False
    return (
        row.owner.uscc == programme.owner or row.owner.kind == InstitutionKind.PROVINCIAL_AUTHORITY
    )


def rules_in_force(
    *, programme: Programme, on: date, institution: Institution | None = None
) -> list[RuleVersion]:
    """Return the rules in force on a day that reach a programme, by code.

    `institution` keeps to the rules of one owner.
    """
    return [row for row in in_force(on, owner=institution) if is_for(row, programme)]


def rules_that_decide(
    *, programme: Programme, filed_on: date, decided_on: date
) -> list[RuleVersion]:
    """Return the rules by which a request filed on one day is decided on another, by code.

    The version in force on the day of filing decides when it says so (`law` is
    `filing`); else the version in force on the day of decision. A rule that was
    published after the filing and asks for the day of filing does not reach back.
    """
    then = {row.code: row for row in rules_in_force(programme=programme, on=filed_on)}
    if filed_on == decided_on:
        return [then[code] for code in sorted(then)]
    now = {row.code: row for row in rules_in_force(programme=programme, on=decided_on)}
    chosen = []
    for code in sorted(then.keys() | now.keys()):
        before, after = then.get(code), now.get(code)
        if before is not None and before.parsed().law == "filing":
            chosen.append(before)
        elif after is not None and (before is not None or after.parsed().law == "decision"):
            chosen.append(after)
    return chosen


def published_rules() -> list[RuleVersion]:
    """Return every published version of every rule, by code, the newest version first."""
    found = _rules().filter(published_at__isnull=False)
    return list(found.order_by("code", "-version"))


def published_programmes() -> list[ProgrammeVersion]:
    """Return every published version of every programme, by code, the newest version first."""
    found = _programmes().filter(published_at__isnull=False)
    return list(found.order_by("code", "-version"))


# -- versions ---------------------------------------------------------------------------------
def rule(code: str, version: int) -> RuleVersion:
    """Return a published version of a rule, withdrawn ones included. Raises UnknownRule."""
    found = _rules().filter(code=code, version=version, published_at__isnull=False).first()
    if found is None:
        raise UnknownRule(rule=code, version=version)
    return found


def programme(code: str, version: int) -> ProgrammeVersion:
    """Return a published version of a programme, withdrawn ones included. Raises UnknownProgramme."""
    found = _programmes().filter(code=code, version=version, published_at__isnull=False).first()
    if found is None:
        raise UnknownProgramme(programme=code, version=version)
    return found


def versions(code: str) -> list[RuleVersion]:
    """Return the published versions of a rule, newest first. Raises UnknownRule for none."""
    found = list(_rules().filter(code=code, published_at__isnull=False).order_by("-version"))
    if not found:
        raise UnknownRule(rule=code)
    return found


def programme_versions(code: str) -> list[ProgrammeVersion]:
    """Return the published versions of a programme, newest first. Raises UnknownProgramme for none."""
    found = list(_programmes().filter(code=code, published_at__isnull=False).order_by("-version"))
    if not found:
        raise UnknownProgramme(programme=code)
    return found


def document(row: Version) -> Any:
    """Return what a version's document says."""
    return json.loads(bytes(row.document))


def between(before: Version, after: Version) -> list[Difference]:
    """Return what differs between two versions, by pointer."""
    return differences.between(document(before), document(after))


def before(row: V) -> V | None:
    """Return the published version that a version follows, if there is one."""
    model = type(row)
    earlier = model._default_manager.select_related("owner").filter(
        code=row.code, version__lt=row.version, published_at__isnull=False
    )
    found: V | None = earlier.order_by("-version").first()
    return found


def superseded_on(row: V) -> date | None:
    """Return the day from which a newer version takes a published version's place, if one does.

    Newer versions that were withdrawn do not; neither does one whose first day
    lies after this version's last.
    """
    model = type(row)
    newer = (
        model._default_manager.filter(
            code=row.code, version__gt=row.version, status=VersionStatus.PUBLISHED
        )
        .order_by("first_day")
        .values_list("first_day", flat=True)
    )
    first: date | None = newer.first()
    if first is None or (row.last_day is not None and first > row.last_day):
        return None
    return first


# -- use --------------------------------------------------------------------------------------
def last_used() -> dict[str, date]:
    """Return the day of the last decision that used a rule, by code, whatever the version."""
    rows = (
        DecisionLine.objects.exclude(verdict=LineVerdict.REFUSED)
        .filter(decision__decided_on__isnull=False)
        .values_list("rule_code")
        .annotate(Max("decision__decided_on"))
    )
    return {code: on for code, on in rows if on is not None}


def unused(*, on: date, since: date | None) -> list[tuple[RuleVersion, date | None]]:
    """Return the rules in force on a day that no decision used from `since` on, by code.

    Each with the day of its last use, None for one that was never used. Those
    that are not in force so long are left out: they have had no time. Without
    `since`, those that were never used, however short they are in force.
    """
    used = last_used()
    if since is None:
        return [(row, None) for row in in_force(on) if row.code not in used]
    return [
        (row, used.get(row.code))
        for row in in_force(on)
        if _begun(row) <= since and (row.code not in used or used[row.code] < since)
    ]


def _begun(row: RuleVersion) -> date:
    """Return the day from which a rule could be used: its first version's first, or its publication."""
    first = (
        RuleVersion.objects.filter(code=row.code, published_at__isnull=False)
        .order_by("version")
        .values_list("first_day", "published_at")[0]
    )
    first_day, published_at = first
    assert published_at is not None
    return max(first_day, published_at.astimezone(PROVINCE).date())


# -- for those who prepare ---------------------------------------------------------------------
def own_rules(owner: Institution) -> list[RuleVersion]:
    """Return every version of an institution's rules, dropped drafts aside, newest first."""
    return list(_of(_rules(), owner))


def own_programmes(owner: Institution) -> list[ProgrammeVersion]:
    """Return every version of an institution's programmes, dropped drafts aside, newest first."""
    return list(_of(_programmes(), owner))


def _of(found: QuerySet[V], owner: Institution) -> QuerySet[V]:
    return _standing(found).filter(owner=owner).order_by("code", "-version")


def _standing(found: QuerySet[V]) -> QuerySet[V]:
    """Leave out the drafts that were dropped."""
    return found.select_related("owner", "prepared_by", "published_by").exclude(
        status=VersionStatus.WITHDRAWN, published_at__isnull=True
    )


def own_rule(owner: Institution, code: str, version: int) -> RuleVersion:
    """Return a version of an institution's own rules, dropped drafts aside. Raises UnknownRule."""
    row = _of(_rules(), owner).filter(code=code, version=version).first()
    if row is None:
        raise UnknownRule(rule=code, version=version)
    return row


def own_programme(owner: Institution, code: str, version: int) -> ProgrammeVersion:
    """Return a version of an institution's own programmes. Raises UnknownProgramme."""
    row = _of(_programmes(), owner).filter(code=code, version=version).first()
    if row is None:
        raise UnknownProgramme(programme=code, version=version)
    return row


def any_rule(code: str, version: int) -> RuleVersion:
    """Return a version whatever its state, dropped drafts aside. Raises UnknownRule."""
    row = _standing(_rules()).filter(code=code, version=version).first()
    if row is None:
        raise UnknownRule(rule=code, version=version)
    return row


def any_programme(code: str, version: int) -> ProgrammeVersion:
    """Return a version whatever its state, dropped drafts aside. Raises UnknownProgramme."""
    row = _standing(_programmes()).filter(code=code, version=version).first()
    if row is None:
        raise UnknownProgramme(programme=code, version=version)
    return row


def filed_rules() -> list[RuleVersion]:
    """Return the rules that are filed and not yet published, the longest waiting first."""
    return list(_rules().filter(status=VersionStatus.FILED).order_by("filed_at", "pk"))


def filed_programmes() -> list[ProgrammeVersion]:
    """Return the programmes that are filed and not yet published, the longest waiting first."""
    return list(_programmes().filter(status=VersionStatus.FILED).order_by("filed_at", "pk"))
