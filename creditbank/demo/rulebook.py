"""Publishing the demo's pack: a clerk of the owner prepares and files, a reviewer publishes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import TypeVar

from creditbank.demo import pack
from creditbank.institutions import queries as register
from creditbank.institutions.kinds import Role
from creditbank.institutions.models import Institution, Member
from creditbank.recognition.models import ProgrammeVersion, RuleVersion, VersionStatus
from creditbank.recognition.register import publishing

V = TypeVar("V", RuleVersion, ProgrammeVersion)
FindMember = Callable[[str, Role], Member]


def publish_programmes(member: FindMember) -> None:
    """Publish every programme of the pack. What is published already is left as it is."""
    for file in pack.programmes():
        clerk, reviewer = _people(file.read(), member)
        version = _standing(ProgrammeVersion, file) or publishing.prepare_programme(
            institution=clerk.institution, document=file.read(), acting_user=clerk.user
        )
        if version.status == VersionStatus.DRAFT:
            version = publishing.file_programme(programme=version, acting_user=clerk.user)
        if not version.is_published:
            publishing.publish_programme(programme=version, acting_user=reviewer.user)


def publish_rules(member: FindMember, *, on: date) -> None:
    """Publish every rule of the pack, but leave one version filed, which begins on a day.

    That version waits for a second person. What is published or filed already is
    left as it is.
    """
    for file in pack.rules():
        document = file.read()
        waits = (file.code, file.version) == pack.FILED
        if waits:
            document = _beginning(document, on)
        clerk, reviewer = _people(document, member)
        version = _standing(RuleVersion, file) or publishing.prepare_rule(
            institution=clerk.institution, document=document, acting_user=clerk.user
        )
        if version.status == VersionStatus.DRAFT:
            version = publishing.file_rule(rule=version, acting_user=clerk.user)
        if not (waits or version.is_published):
            publishing.publish_rule(rule=version, acting_user=reviewer.user)


def _people(document: bytes, member: FindMember) -> tuple[Member, Member]:
    owner = _owner(document)
    return member(owner.slug, Role.CLERK), member(owner.slug, Role.REVIEWER)


def _owner(document: bytes) -> Institution:
    owner = register.institution_by_uscc(json.loads(document)["owner"])
    assert owner is not None
    return owner


def _standing(model: type[V], file: pack.File) -> V | None:
    """Return the version that an earlier run has left."""
    return (
        model._default_manager.select_related("owner", "prepared_by")
        .filter(code=file.code, version=file.version)
        .exclude(status=VersionStatus.WITHDRAWN)
        .first()
    )


def _beginning(document: bytes, day: date) -> bytes:
    """Return a document with another first day."""
    read = json.loads(document)
    read["in_force"]["from"] = day.isoformat()
    return json.dumps(read, ensure_ascii=False).encode()
