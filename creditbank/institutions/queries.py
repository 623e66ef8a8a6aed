"""What can be read of institutions, their streams and the outcome catalogue."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from django.db.models import Q, QuerySet

from creditbank.errors import DomainError
from creditbank.institutions.kinds import (
    InstitutionStatus,
    ItemStatus,
    OutcomeKind,
    StreamMode,
    StreamPurpose,
)
from creditbank.institutions.models import (
    CatalogueItem,
    Framework,
    Industry,
    Institution,
    Level,
    Member,
    RecordingScope,
    Region,
    SigningKey,
    Stream,
)
from creditbank.users.models import User

OWNED_KINDS: Final = frozenset(OutcomeKind) - {OutcomeKind.X_CERTIFICATE, OutcomeKind.SKILL_LEVEL}
"""Kinds that only the item's own institution may record.

A certificate may be recorded by any institution with that scope, since schools
report the certificates that their students earn elsewhere; two recorders of one
certificate meet in the ledger, where its number is unique.
"""


class UnknownInstitution(DomainError):
    """There is no such institution."""

    code: ClassVar[str] = "unknown-institution"


class UnknownStream(DomainError):
    """The bank has no stream of this name."""

    code: ClassVar[str] = "unknown-stream"


class StreamClosed(DomainError):
    """The stream takes no more submissions."""

    code: ClassVar[str] = "stream-closed"


class UnknownKey(DomainError):
    """The stream has no such key."""

    code: ClassVar[str] = "unknown-key"


class UnknownItem(DomainError):
    """The catalogue has no such item, or none in force on the day asked."""

    code: ClassVar[str] = "unknown-item"


# -- places, industries, levels ---------------------------------------------------------------
def _on(day: date) -> Q:
    return Q(valid_from__lte=day) & (Q(valid_until__isnull=True) | Q(valid_until__gte=day))


def regions(on: date) -> list[Region]:
    """Return the regions whose codes are valid on a day, by code."""
    return list(Region.objects.filter(_on(on)))


def prefectures(on: date) -> list[Region]:
    """Return the nine prefecture-level units on a day (codes that end in 00, but the province)."""
    return list(
        Region.objects.filter(_on(on), official=True, code__endswith="00").exclude(
            code__endswith="0000"
        )
    )


def region(code: str, on: date) -> Region:
    """Return the version of a region that is valid on a day. Raises UnknownItem."""
    found = Region.objects.filter(_on(on), code=code).first()
    if found is None:
        raise UnknownItem(region=code, on=on.isoformat())
    return found


def industries() -> list[Industry]:
    """Return the plan's industries in its order."""
    return list(Industry.objects.all())


def industry(code: str) -> Industry:
    """Return an industry of the plan. Raises UnknownItem."""
    found = Industry.objects.filter(code=code).first()
    if found is None:
        raise UnknownItem(industry=code)
    return found


def framework(on: date) -> Framework:
    """Return the qualification framework in force on a day. Raises UnknownItem."""
    found = Framework.objects.filter(_on(on)).order_by("-valid_from", "-version").first()
    if found is None:
        raise UnknownItem(framework="", on=on.isoformat())
    return found


def framework_keys(on: date) -> tuple[frozenset[str], frozenset[str]]:
    """Return the keys of the framework versions in use on a day, and of those that are no more."""
    used = frozenset(row.key for row in Framework.objects.filter(_on(on)))
    known = frozenset(row.key for row in Framework.objects.all())
    return used, known - used


def framework_names() -> dict[str, str]:
    """Return the name of every framework version in the reader's language, by key."""
    return {row.key: str(row) for row in Framework.objects.all()}


def levels(on: date) -> list[Level]:
    """Return the levels of the framework in force on a day, lowest first."""
    return list(framework(on).levels.select_related("framework").order_by("number"))


def level(number: int, on: date) -> Level:
    """Return one level of the framework in force on a day. Raises UnknownItem."""
    found = framework(on).levels.select_related("framework").filter(number=number).first()
    if found is None:
        raise UnknownItem(level=number, on=on.isoformat())
    return found


def level_of(framework_key: str, number: str) -> Level:
    """Return the level that an opening names (`code/version`, number). Raises UnknownItem."""
    code, _, version = framework_key.rpartition("/")
    found = None
    if version.isdigit() and number.isdigit():
        found = (
            Level.objects.select_related("framework")
            .filter(framework__code=code, framework__version=int(version), number=int(number))
            .first()
        )
    if found is None:
        raise UnknownItem(framework=framework_key, level=number)
    return found


# -- institutions and members -----------------------------------------------------------------
def institutions() -> list[Institution]:
    """Return the public register: every institution, with its region and industry."""
    return list(Institution.objects.select_related("region", "industry"))


def institution(slug: str) -> Institution:
    """Return an institution by its slug. Raises UnknownInstitution."""
    found = Institution.objects.select_related("region", "industry").filter(slug=slug).first()
    if found is None:
        raise UnknownInstitution(slug=slug)
    return found


def institution_by_uscc(uscc: str) -> Institution | None:
    """Return the institution that carries a unified social credit code, if the bank knows it."""
    return Institution.objects.select_related("region", "industry").filter(uscc=uscc).first()


def membership(user: User, institution: Institution) -> Member | None:
    """Return a user's membership that has not ended, if there is one."""
    return (
        Member.objects.select_related("institution", "user")
        .filter(user_id=user.pk, institution=institution, ended_at__isnull=True)
        .first()
    )


def memberships(user: User) -> list[Member]:
    """Return all memberships of a user that have not ended, by institution."""
    return list(
        Member.objects.select_related("institution", "user")
        .filter(user_id=user.pk, ended_at__isnull=True)
        .order_by("institution__slug")
    )


def members(institution: Institution) -> list[Member]:
    """Return an institution's present members."""
    return list(institution.members.select_related("user").filter(ended_at__isnull=True))


def member_by_pseudonym(pseudonym: str) -> Member | None:
    """Return who an entry's pseudonym stands for, also when the membership has ended."""
    return Member.objects.select_related("institution", "user").filter(pseudonym=pseudonym).first()


def scopes(institution: Institution) -> list[RecordingScope]:
    """Return what an institution may record and from when until when, past ones included."""
    return list(institution.scopes.all())


def may_record(institution: Institution, outcome_kind: str, on: date) -> bool:
    """Say whether an active institution's scope covers a kind of outcome on a day."""
    return (
        institution.is_active
        and institution.scopes.filter(_on(on), outcome_kind=outcome_kind).exists()
    )


# -- streams and keys -------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class KeyInForce:
    """A stream's key and the log indexes at which its life changed."""

    algorithm: str
    public: bytes
    added_index: int
    retired_index: int | None = None
    compromised_from_index: int | None = None

    @property
    def in_force(self) -> bool:
        """Whether the key may sign the next submission."""
        return self.retired_index is None and self.compromised_from_index is None


@dataclass(frozen=True, kw_only=True)
class StreamKeys:
    """One stream with its owner and all the keys it ever had, for the trust list."""

    stream: str
    institution: str
    institution_en: str
    uscc: str
    mode: str
    keys: tuple[KeyInForce, ...]


def _key(row: SigningKey) -> KeyInForce:
    return KeyInForce(
        algorithm=row.algorithm,
        public=bytes(row.public),
        added_index=row.added_index,
        retired_index=row.retired_index,
        compromised_from_index=row.compromised_from_index,
    )


def stream(name: str) -> Stream:
    """Return a stream by its name. Raises UnknownStream."""
    found = Stream.objects.select_related("institution").filter(name=name).first()
    if found is None:
        raise UnknownStream(stream=name)
    return found


def streams(institution: Institution) -> list[Stream]:
    """Return an institution's streams, closed ones included."""
    return list(institution.streams.all())


def recording_stream(institution: Institution, mode: str) -> Stream | None:
    """Return the stream in which an institution records at present, in the given mode."""
    return institution.streams.filter(
        active=True, purpose=StreamPurpose.RECORDING, mode=mode
    ).first()


def has_hosted_stream(slug: str) -> bool:
    """Say whether an institution records with a key that the bank keeps."""
    return Stream.objects.filter(
        institution__slug=slug,
        active=True,
        purpose=StreamPurpose.RECORDING,
        mode=StreamMode.HOSTED,
    ).exists()


def is_hosted(name: str) -> bool:
    """Say whether the bank signs for a stream. Raises UnknownStream, StreamClosed."""
    row = Stream.objects.filter(name=name).values_list("mode", "active").first()
    if row is None:
        raise UnknownStream(stream=name)
    mode, active = row
    if not active:
        raise StreamClosed(stream=name)
    return bool(mode == StreamMode.HOSTED)


@dataclass(frozen=True, kw_only=True)
class StreamOwner:
    """The institution in whose name a stream speaks."""

    uscc: str
    name: str
    active: bool


def stream_owner(name: str) -> StreamOwner | None:
    """Return who owns a stream; None for the bank's own, and for a stream that is not there."""
    row = Stream.objects.select_related("institution").filter(name=name).first()
    if row is None or row.institution is None:
        return None
    return StreamOwner(
        uscc=row.institution.uscc, name=row.institution.name, active=row.institution.is_active
    )


def signing_keys(name: str) -> list[KeyInForce]:
    """Return every key a stream ever had, oldest first."""
    return [_key(row) for row in SigningKey.objects.filter(stream__name=name)]


def key(name: str, public: bytes) -> KeyInForce:
    """Return one key of a stream. Raises UnknownKey."""
    row = SigningKey.objects.filter(stream__name=name, public=public).first()
    if row is None:
        raise UnknownKey(stream=name, public=public.hex())
    return _key(row)


def stream_keys() -> list[StreamKeys]:
    """Return all streams with their owners and keys, by name: what the trust list publishes."""
    rows = Stream.objects.select_related("institution").prefetch_related("keys").order_by("name")
    return [
        StreamKeys(
            stream=row.name,
            institution=row.institution.name if row.institution else "",
            institution_en=row.institution.name_en if row.institution else "",
            uscc=row.institution.uscc if row.institution else "",
            mode=row.mode,
            keys=tuple(_key(item) for item in row.keys.all()),
        )
        for row in rows
    ]


def stream_may_record(name: str, outcome_kind: str, on: date) -> bool:
    """Say whether the owner of an open stream is active and may record a kind on a day."""
    return RecordingScope.objects.filter(
        _on(on),
        outcome_kind=outcome_kind,
        institution__status=InstitutionStatus.ACTIVE,
        institution__streams__name=name,
        institution__streams__active=True,
    ).exists()


# -- the outcome catalogue --------------------------------------------------------------------
def _items() -> QuerySet[CatalogueItem]:
    return CatalogueItem.objects.select_related("institution", "qualification_level__framework")


def _in_force(on: date) -> Q:
    return (
        _on(on)
        & Q(approved_credits__isnull=False)
        & (Q(withdrawn_on__isnull=True) | Q(withdrawn_on__gt=on))
    )


def active_item(code: str, on: date) -> CatalogueItem:
    """Return the approved version under which an outcome completed on a day is recorded.

    A withdrawn version still counts for what was completed before it was
    withdrawn. Raises UnknownItem.
    """
    found = _items().filter(_in_force(on), code=code).first()
    if found is None:
        raise UnknownItem(item=code, on=on.isoformat())
    return found


def active_items(institution: Institution, on: date) -> list[CatalogueItem]:
    """Return what an institution could record on a day: its own items, and certificates in scope."""
    covered = [str(scope.outcome_kind) for scope in institution.scopes.filter(_on(on))]
    return list(
        _items()
        .filter(_in_force(on), kind__in=covered)
        .filter(Q(institution=institution) | ~Q(kind__in=OWNED_KINDS))
        .order_by("kind", "code")
    )


def item(code: str, version: int) -> CatalogueItem:
    """Return one version of a catalogue item, whatever its state. Raises UnknownItem."""
    found = _items().filter(code=code, version=version).first()
    if found is None:
        raise UnknownItem(item=code, version=version)
    return found


def item_versions(code: str) -> list[CatalogueItem]:
    """Return all versions of an item, oldest first."""
    return list(_items().filter(code=code).order_by("version"))


def newest_items(codes: Collection[str]) -> dict[str, CatalogueItem]:
    """Return items, each in the newest version that was ever approved, by code."""
    found = _items().filter(code__in=list(codes), approved_credits__isnull=False)
    return {item.code: item for item in found.order_by("code", "version")}


def approved_versions() -> list[CatalogueItem]:
    """Return every version of every item that was ever approved, withdrawn ones too, by code."""
    return list(_items().filter(approved_credits__isnull=False).order_by("code", "version"))


def proposals() -> list[CatalogueItem]:
    """Return what waits for the authority's decision, oldest first."""
    return list(_items().filter(status=ItemStatus.PROPOSED).order_by("proposed_at", "pk"))


def catalogue(on: date, *, kinds: Sequence[str] | None = None) -> list[CatalogueItem]:
    """Return the public catalogue on a day, by kind and code."""
    found = _items().filter(_in_force(on))
    if kinds is not None:
        found = found.filter(kind__in=kinds)
    return list(found.order_by("kind", "code"))


def catalogue_of(institution: Institution) -> list[CatalogueItem]:
    """Return every version that an institution ever proposed, newest first within each code."""
    return list(_items().filter(institution=institution).order_by("code", "-version"))


def opening_members(code: object, version: object) -> dict[str, object] | None:
    """Return what an award's opening must say of an item, or None when none was ever approved.

    Keys are the members of the opening's core part; `q` is the approved bank
    credits in 1/100 credit. Members that must be absent are empty strings. The
    arguments come from a submission and may be of any type.
    """
    if not isinstance(code, str) or type(version) is not int:
        return None
    if "\0" in code or not 1 <= version < 1 << 31:
        return None
    found = _items().filter(code=code, version=version, approved_credits__isnull=False).first()
    if found is None or found.approved_credits is None:
        return None
    return {
        "kind": found.kind,
        "title": found.title,
        "title_en": found.title_en,
        "body": found.body_uscc,
        "body_name": found.body_name,
        "framework": found.framework,
        "level": found.level,
        "category": found.category,
        "q": int(found.approved_credits * 100),
    }


@dataclass(frozen=True, kw_only=True)
class RecordingRefusal:
    """Why a stream may not record an item completed on a day."""

    code: str
    expected: str


def recording_refusal(
    stream_name: str, code: str, version: int, on: date
) -> RecordingRefusal | None:
    """Say why a stream may not record an item's version completed on a day, or None when it may.

    Codes: `unknown-item`, `item-not-in-force` (the version does not cover that
    day), `not-own-item` (only the item's institution records it), `outside-scope`.
    """
    found = _items().filter(code=code, version=version, approved_credits__isnull=False).first()
    if found is None:
        return RecordingRefusal(code="unknown-item", expected="an approved catalogue item")
    if not CatalogueItem.objects.filter(_in_force(on), pk=found.pk).exists():
        last = found.withdrawn_on or found.valid_until
        return RecordingRefusal(
            code="item-not-in-force",
            expected=f"{found.valid_from.isoformat()} – {last.isoformat() if last else ''}",
        )
    if (
        found.kind in OWNED_KINDS
        and not Stream.objects.filter(
            name=stream_name, institution_id=found.institution_id
        ).exists()
    ):
        return RecordingRefusal(code="not-own-item", expected=found.institution.slug)
    if not stream_may_record(stream_name, found.kind, on):
        return RecordingRefusal(code="outside-scope", expected=found.kind)
    return None
