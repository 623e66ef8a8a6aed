"""How long drafts and uploads keep what names people, and how one person is taken out of them."""

from __future__ import annotations

import logging
import time
import unicodedata
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from creditbank.clock import now
from creditbank.recording import operations, payloads, sealing
from creditbank.recording.errors import DraftBeingRecorded
from creditbank.recording.models import Draft, DraftState, Upload, UploadState
from creditbank.recording.payloads import Report
from learners import leaving
from learners import queries as learners
from learners.identity import DocumentType, IdentityDocument, IdentityInvalid
from learners.models import Learner

logger = logging.getLogger(__name__)

REPORTS_KEPT: Final = timedelta(days=30)
REFUSED_KEPT: Final = timedelta(days=30)
OPEN_KEPT: Final = timedelta(days=90)
RECORDING_SECONDS: Final = 20.0
"""How long to wait for a draft that is being recorded while one of its people is forgotten."""
TAKEN_OUT: Final = "–"
"""Stands for what named somebody who was forgotten."""


def purge(at: datetime | None = None) -> int:
    """Empty what is older than its time; return how many rows were emptied. Safe to repeat.

    Results of checked files and drafts sent back keep 30 days; a draft that
    nobody decides on is withdrawn after 90.
    """
    moment = at or now()
    emptied = (
        Upload.objects.filter(created_at__lt=moment - REPORTS_KEPT, state=UploadState.CHECKED)
        .exclude(report=b"")
        .update(report=b"")
    )
    emptied += Upload.objects.filter(
        created_at__lt=moment - REPORTS_KEPT, state=UploadState.FAILED
    ).update(state=UploadState.REFUSED, content=b"")
    emptied += (
        Draft.objects.filter(decided_at__lt=moment - REFUSED_KEPT, state=DraftState.REFUSED)
        .exclude(payload=b"")
        .update(payload=b"")
    )
    emptied += Draft.objects.filter(
        created_at__lt=moment - OPEN_KEPT, state__in=[DraftState.DRAFT, DraftState.SUBMITTED]
    ).update(state=DraftState.WITHDRAWN, payload=b"")
    logger.info("purge: %s drafts and uploads emptied", emptied)
    return emptied


# -- forgetting -------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class _Person:
    """Whom to look for."""

    document: IdentityDocument
    name: str

    def is_of(self, cells: Iterable[object]) -> bool:
        """Say whether a row is this person's: by number, or by name where no number says whose."""
        texts = [unicodedata.normalize("NFKC", str(cell)) for cell in cells if cell]
        numbers = {number for text in texts if (number := _number(self.document.type, text))}
        if self.document.number in numbers:
            return True
        return self.is_named("\n".join(texts)) and not numbers

    def is_named(self, text: str) -> bool:
        """Say whether a text holds the person's number or name, however it is spaced."""
        plain = _squeezed(text)
        return _squeezed(self.document.number) in plain or _squeezed(self.name) in plain


def _squeezed(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _number(kind: DocumentType, text: str) -> str:
    """Return the number that a cell holds, in normal form; "" where it is none of this kind."""
    try:
        return IdentityDocument(type=kind, number=text).number
    except IdentityInvalid:
        return ""


@leaving.gives_up("recording.drafts")
def forget_in_drafts(learner: Learner) -> int:
    """Take a learner's rows out of every draft and upload; return how many held any.

    It is done before the learner is forgotten, while the bank still knows whom
    to look for: rows with the number, rows with the name and no other valid
    number, files called after the person, reasons that name them. Raises
    DraftBeingRecorded when a draft is being recorded for longer than a moment.
    Safe to repeat.
    """
    if learner.is_forgotten:
        return 0
    person = _Person(document=learners.identity(learner), name=learners.display_name(learner))
    touched = 0
    named = Draft.objects.exclude(payload=b"") | Draft.objects.exclude(refused_reason="")
    for pk in list(named.values_list("pk", flat=True)):
        touched += _take_out_of_draft(pk, person)
    _let_files_be_read()
    for upload in Upload.objects.iterator(chunk_size=5):
        touched += _take_out_of_upload(upload, person)
    return touched


def _let_files_be_read() -> None:
    """Wait for files on their way to be read, since they cannot be searched before; not long."""
    deadline = time.monotonic() + RECORDING_SECONDS
    waiting = Upload.objects.filter(state=UploadState.CHECKING)
    while waiting.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    waiting.update(state=UploadState.FAILED, error_code="check-failed")


def _take_out_of_draft(pk: uuid.UUID, person: _Person) -> int:
    draft = Draft.objects.get(pk=pk)
    deadline = time.monotonic() + RECORDING_SECONDS
    while True:
        try:
            with operations.alone(draft), transaction.atomic():
                return _taken_out(Draft.objects.select_for_update().get(pk=pk), person)
        except DraftBeingRecorded:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _taken_out(held: Draft, person: _Person) -> int:
    changed = False
    if person.is_named(held.refused_reason):
        held.refused_reason = TAKEN_OUT
        changed = True
    if held.payload:
        rows = payloads.decode_rows(sealing.unseal("draft", held.pk, bytes(held.payload)))
        kept = [row for row in rows if not person.is_of(row.values.values())]
        if kept and len(kept) < len(rows):
            held.payload = sealing.seal("draft", held.pk, payloads.encode_rows(kept))
            held.rows = len(kept)
            changed = True
        elif not kept:
            held.payload = b""
            changed = True
            if held.state in (DraftState.DRAFT, DraftState.SUBMITTED, DraftState.APPROVED):
                held.state = DraftState.WITHDRAWN
                held.decided_by = None
                held.decided_as = ""
                held.decided_at = None
    if changed:
        held.save()
    return int(changed)


def _take_out_of_upload(upload: Upload, person: _Person) -> int:
    changes: dict[str, object] = {}
    name = sealing.unseal("name", upload.pk, bytes(upload.name_sealed)).decode()
    if person.is_named(name):
        changes["name_sealed"] = sealing.seal("name", upload.pk, TAKEN_OUT.encode())
    if upload.report:
        report = payloads.decode_report(sealing.unseal("report", upload.pk, bytes(upload.report)))
        without = _without(report, person)
        if without != report:
            sealed = sealing.seal("report", upload.pk, payloads.encode_report(without))
            changes["report"] = sealed
    if upload.state == UploadState.FAILED:
        # A file whose check broke off was never read, and cannot be searched.
        changes |= {"state": UploadState.REFUSED, "content": b""}
    if changes:
        Upload.objects.filter(pk=upload.pk).update(**changes)
    return int(bool(changes))


def _without(report: Report, person: _Person) -> Report:
    gone = {row for row, cells in report.originals.items() if person.is_of(cells)}
    return replace(
        report,
        rows=tuple(row for row in report.rows if not person.is_of(row.values.values())),
        problems=tuple(found for found in report.problems if found.row not in gone),
        originals={row: cells for row, cells in report.originals.items() if row not in gone},
        headers=tuple(TAKEN_OUT if person.is_named(name) else name for name in report.headers),
        ignored=tuple(name for name in report.ignored if not person.is_named(name)),
        sheet="" if person.is_named(report.sheet) else report.sheet,
    )
