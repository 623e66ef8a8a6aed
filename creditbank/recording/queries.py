"""What can be read of drafts, uploads, and what an institution has recorded."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db.models import Q, QuerySet, Sum

from creditbank.access import NotFound
from creditbank.institutions import queries as institutions
from creditbank.institutions.models import CatalogueItem, Institution
from creditbank.ledger import kinds, learnerkeys
from creditbank.ledger import queries as entries
from creditbank.ledger.log import Receipt
from creditbank.ledger.models import Entry, Manifest, SubmissionKey
from creditbank.ledger.queries import EntryView, StatementLine
from creditbank.ledger.statements import Outcome, Reference, Result, credits_of
from creditbank.proofs import commitments, merkle
from creditbank.recording import holdings, payloads, people, sealing
from creditbank.recording.models import Draft, DraftState, Upload, UploadState
from creditbank.recording.payloads import Report
from creditbank.recording.rows import RawRow
from creditbank.users.models import User
from learners import queries as learners
from learners.identity import IdentityDocument

RECENT: Final = 5


# -- drafts -----------------------------------------------------------------------------------
def _drafts() -> QuerySet[Draft]:
    return Draft.objects.select_related("institution", "stream", "prepared_by", "decided_by", "job")


def draft_by_id(pk: uuid.UUID) -> Draft | None:
    """Return a draft by its id, if there is one."""
    return _drafts().filter(pk=pk).first()


def draft(institution: Institution, pk: uuid.UUID) -> Draft:
    """Return one of an institution's drafts. Raises NotFound."""
    found = _drafts().filter(pk=pk, institution=institution).first()
    if found is None:
        raise NotFound
    return found


def drafts(institution: Institution, *, states: Iterable[str] | None = None) -> QuerySet[Draft]:
    """Return an institution's drafts, newest first."""
    found = _drafts().filter(institution=institution)
    return found if states is None else found.filter(state__in=list(states))


def waiting_for(institution: Institution, user: User) -> QuerySet[Draft]:
    """Return the submitted drafts of others that wait for a reviewer, oldest first."""
    return (
        drafts(institution, states=[DraftState.SUBMITTED])
        .exclude(prepared_by=user)
        .order_by("submitted_at", "id")
    )


def returned_to(institution: Institution, user: User) -> QuerySet[Draft]:
    """Return the drafts that a user prepared and that came back."""
    return drafts(institution, states=[DraftState.REFUSED]).filter(
        prepared_by=user, payload__gt=b""
    )


def rows_of(draft: Draft) -> list[RawRow]:
    """Return a draft's rows; none once they were recorded, withdrawn or purged."""
    if not draft.payload:
        return []
    return payloads.decode_rows(sealing.unseal("draft", draft.pk, bytes(draft.payload)))


def idempotency_key(draft: Draft) -> str:
    """Return the key under which the ledger records a draft."""
    return f"draft/{draft.pk}"


def receipt_of(draft: Draft) -> Receipt | None:
    """Return a draft's receipt, if the ledger holds its rows, whatever the draft says."""
    row = SubmissionKey.objects.filter(
        institution_id=draft.institution_id, key=idempotency_key(draft)
    ).first()
    return None if row is None else _receipt(entries.manifest(row.idx))


def _receipt(manifest: entries.ManifestView) -> Receipt:
    return Receipt(
        stream=manifest.stream,
        first_seq=manifest.first_seq,
        count=manifest.count,
        manifest_index=manifest.index,
    )


# -- uploads ----------------------------------------------------------------------------------
def _uploads() -> QuerySet[Upload]:
    return Upload.objects.select_related("institution", "stream", "uploaded_by", "job", "draft")


def upload_by_id(pk: uuid.UUID) -> Upload | None:
    """Return an upload by its id, if there is one."""
    return _uploads().filter(pk=pk).first()


def upload(institution: Institution, pk: uuid.UUID) -> Upload:
    """Return one of an institution's uploads. Raises NotFound."""
    found = _uploads().filter(pk=pk, institution=institution).first()
    if found is None:
        raise NotFound
    return found


def uploads(institution: Institution) -> QuerySet[Upload]:
    """Return an institution's uploads, newest first, without their bytes."""
    return _uploads().filter(institution=institution).defer("content", "report")


def same_file_before(upload: Upload) -> Upload | None:
    """Return an earlier upload of the very same file, if there was one."""
    return (
        uploads(upload.institution)
        .filter(digest=bytes(upload.digest), created_at__lt=upload.created_at)
        .exclude(pk=upload.pk)
        .first()
    )


def file_name(upload: Upload) -> str:
    """Return what an uploaded file was called."""
    return sealing.unseal("name", upload.pk, bytes(upload.name_sealed)).decode()


def report_of(upload: Upload) -> Report | None:
    """Return what was found in a file; None while it is checked, and after the purge."""
    if not upload.report:
        return None
    return payloads.decode_report(sealing.unseal("report", upload.pk, bytes(upload.report)))


# -- what was recorded ------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Figures:
    """What waits, and how much an institution has recorded.

    `pending` are all submitted drafts, `waiting` those that the user could decide on.
    """

    pending: int
    waiting: int
    returned: int
    checking: int
    submissions: int
    entries: int


def figures(institution: Institution, user: User) -> Figures:
    """Count what an institution's page of today shows to a user."""
    manifests = receipts(institution)
    return Figures(
        pending=drafts(institution, states=[DraftState.SUBMITTED]).count(),
        waiting=waiting_for(institution, user).count(),
        returned=returned_to(institution, user).count(),
        checking=Upload.objects.filter(institution=institution, state=UploadState.CHECKING).count(),
        submissions=manifests.count(),
        entries=manifests.aggregate(total=Sum("n"))["total"] or 0,
    )


def stream_names(institution: Institution) -> list[str]:
    """Return the names of all streams an institution ever had."""
    return [stream.name for stream in institutions.streams(institution)]


def receipts(institution: Institution) -> QuerySet[Manifest]:
    """Return the manifests of an institution's submissions, newest first."""
    return Manifest.objects.filter(stream__in=stream_names(institution)).order_by("-idx")


def receipt(institution: Institution, manifest_index: int) -> Receipt:
    """Return the receipt of one of an institution's submissions. Raises NotFound."""
    try:
        manifest = entries.manifest(manifest_index)
    except entries.UnknownEntry as error:
        raise NotFound from error
    if manifest.stream not in stream_names(institution):
        raise NotFound
    return _receipt(manifest)


def drafts_behind(manifest_indexes: Iterable[int]) -> dict[int, Draft]:
    """Return the drafts that were recorded at manifests, by the manifests' indexes."""
    found = _drafts().filter(manifest_index__in=list(manifest_indexes))
    return {draft.manifest_index: draft for draft in found if draft.manifest_index is not None}


@dataclass(frozen=True, kw_only=True)
class RecordLine:
    """One entry as its institution sees it. A forgotten person's has neither name nor outcome."""

    index: int
    account: int
    kind: kinds.Kind
    quantity: int
    name: str = field(repr=False)
    outcome: Outcome | None
    result: Result
    reference: Reference | None
    prepared_by: str
    approved_by: str
    reason: str
    undone_by: kinds.Kind | None

    @property
    def credits(self) -> Decimal:
        """What moved, in credits."""
        return credits_of(self.quantity)

    @property
    def state(self) -> str:
        """The state that the page draws."""
        if self.kind is kinds.AWARD_REVERSE:
            return "reversal"
        if self.undone_by is kinds.EXPIRE or self.kind is kinds.EXPIRE:
            return "expired"
        if self.undone_by is not None:
            return "reversed"
        return "entered"


def record_lines(receipt: Receipt, *, start: int = 0, count: int | None = None) -> list[RecordLine]:
    """Return entries of a submission, from a position on, as its institution sees them."""
    stop = receipt.count if count is None else min(receipt.count, start + count)
    rows = Entry.objects.filter(
        idx__gte=receipt.first_index + start, idx__lt=receipt.first_index + stop
    ).order_by("idx")
    return _lines(
        [
            (row.idx, row.acct, row.kind, row.qty, bytes(row.leaf), bytes(row.opening))
            for row in rows
        ]
    )


def record_line(entry: EntryView) -> RecordLine:
    """Return one entry as its institution sees it."""
    row = (entry.index, entry.account, entry.kind.number, entry.quantity, entry.leaf, entry.sealed)
    return _lines([row])[0]


def _lines(rows: Sequence[tuple[int, int, int, int, bytes, bytes]]) -> list[RecordLine]:
    accounts = {row[1] for row in rows if row[1]}
    keys = learnerkeys.keys_of(accounts)
    names = people.names(accounts)
    hashes = [merkle.leaf_hash(row[4]) for row in rows]
    undone = holdings.undone(
        {(row[1], leaf_hash) for row, leaf_hash in zip(rows, hashes, strict=True)}
    )
    lines = []
    for (index, account, number, quantity, _leaf, sealed), leaf_hash in zip(
        rows, hashes, strict=True
    ):
        kind = kinds.BY_NUMBER[number]
        core, result, reference, holder = ({}, {}, {}, {})
        if account in keys:
            core, result, reference, holder = _parts(keys[account].unseal(sealed))
        is_award = kind is kinds.AWARD and bool(core)
        lines.append(
            RecordLine(
                index=index,
                account=account,
                kind=kind,
                quantity=quantity,
                name=names.get(account, ""),
                outcome=Outcome.from_core(core) if is_award else None,
                result=Result.from_part(result),
                reference=Reference.from_part(reference) if is_award else None,
                prepared_by=str(holder.get("prepared_by", "")),
                approved_by=str(holder.get("approved_by", "")),
                reason=str(core.get("reason", "")),
                undone_by=undone.get((account, leaf_hash)),
            )
        )
    return lines


def _parts(opening: bytes) -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(part) for part in commitments.split(opening))


def records_of(institution: Institution, document: IdentityDocument) -> list[StatementLine]:
    """Return what an institution recorded of the person who holds a document, newest first."""
    learner = learners.by_identity(document)
    if learner is None:
        return []
    names = stream_names(institution)
    lines = entries.statement(learners.accounts_of(learner))
    return [line for line in lines if line.stream in names]


def published_at(indexes: Iterable[int]) -> dict[int, datetime]:
    """Return when entries were published; one that no checkpoint covers yet is missing."""
    return entries.recorded_times(indexes)


def who(pseudonym: str) -> str:
    """Return the name of the member whom a pseudonym stands for, for a colleague to read."""
    member = institutions.member_by_pseudonym(pseudonym) if pseudonym else None
    return member.user.get_full_name() if member is not None else pseudonym


def open_uploads(institution: Institution) -> list[Upload]:
    """Return the uploads of which something is left to do: being checked, or not yet submitted."""
    found = uploads(institution).filter(
        Q(state=UploadState.CHECKING)
        | Q(state=UploadState.CHECKED, draft__isnull=True, report__gt=b"")
    )
    return list(found[:RECENT])


def items_by_code(codes: Iterable[str]) -> dict[str, CatalogueItem]:
    """Return the newest approved version of items, by code, to show their titles."""
    found: dict[str, CatalogueItem] = {}
    for code in set(codes):
        for item in institutions.item_versions(code):
            if item.is_in_catalogue:
                found[code] = item
    return found
