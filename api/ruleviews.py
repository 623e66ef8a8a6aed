"""What several addresses say of the same version of a rule or programme."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter

from creditbank.clock import today
from creditbank.recognition.models import ProgrammeVersion, RuleVersion, Version, VersionStatus
from creditbank.recognition.register import rulebook, search

CODE: Final = OpenApiParameter(
    name="code",
    location=OpenApiParameter.PATH,
    type={"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"},
)
VERSION: Final = OpenApiParameter(
    name="version",
    location=OpenApiParameter.PATH,
    type={"type": "integer", "minimum": 1, "maximum": 9999},
)


def version_json(row: Version, state: str) -> dict[str, Any]:
    """Return a version without its document."""
    return {
        "code": row.code,
        "version": row.version,
        "state": state,
        "title": row.title,
        "title_en": row.title_en,
        "owner": row.owner.slug,
        "owner_uscc": row.owner.uscc,
        "first_day": row.first_day,
        "last_day": row.last_day,
        "digest": bytes(row.digest).hex(),
        "filed_at": row.filed_at,
        "published_at": row.published_at,
        "log_index": row.entry_index,
        "withdrawn_on": row.withdrawn_on,
        "withdrawal_reason": row.withdrawal_reason,
        "withdrawal_log_index": row.withdrawal_index,
    }


def full_json(row: RuleVersion | ProgrammeVersion) -> dict[str, Any]:
    """Return a version with its document, as it stands today."""
    return {**version_json(row, state_of(row)), "document": rulebook.document(row)}


def state_of(row: RuleVersion | ProgrammeVersion, on: date | None = None) -> str:
    """Return what a version is on a day: a draft, filed, or one of the states of what was published."""
    if row.status in (VersionStatus.DRAFT, VersionStatus.FILED):
        return str(row.status)
    day = on or today()
    if isinstance(row, RuleVersion):
        rules = search.listed(rulebook.versions(row.code), day)
        return {one.row.pk: one.state for one in rules}[row.pk]
    programmes = search.listed(rulebook.programme_versions(row.code), day)
    return {one.row.pk: one.state for one in programmes}[row.pk]
