"""What the outbox runs for certificates, and the sweep that picks up what was left."""

from __future__ import annotations

import uuid
from typing import Final

from celery import shared_task

from certificates import operations
from creditbank.jobs import outbox

ISSUE: Final = operations.ISSUE


@outbox.handler(ISSUE)
def issue(transcript_id: str) -> None:
    """Issue a requested transcript; runs as often as it is told to."""
    operations.issue_transcript(uuid.UUID(transcript_id))


@shared_task(name="certificates.resume")  # type: ignore[untyped-decorator]  # Celery has no types
def resume() -> None:
    """Put transcripts whose issue was interrupted back to work."""
    operations.resume_transcripts()
