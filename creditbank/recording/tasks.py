"""What the outbox runs for recording, and what the night clears away."""

from __future__ import annotations

import uuid
from typing import Final

from celery import shared_task

from creditbank.jobs import outbox
from creditbank.recording import operations, retention, uploads

CHECK_UPLOAD: Final = uploads.CHECK
RECORD_DRAFT: Final = operations.RECORD


@outbox.handler(CHECK_UPLOAD)
def check_upload(pk: str) -> None:
    """Read and check an uploaded file; runs as often as it is told to."""
    uploads.check_upload(uuid.UUID(pk))


@outbox.handler(RECORD_DRAFT)
def record_draft(pk: str) -> None:
    """Record an approved draft; runs as often as it is told to."""
    operations.finish_draft(uuid.UUID(pk))


@shared_task(name="creditbank.recording.purge")  # type: ignore[untyped-decorator]
def purge() -> None:
    """Clear away what named people and is not needed any more."""
    retention.purge()
