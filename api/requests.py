"""Recording by API: a draft for a second person, once for each idempotency key."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from api.exceptions import IdempotencyKeyMissing
from api.models import IdempotentRequest
from creditbank.institutions.models import Institution, Stream
from creditbank.ledger.log import KeyReused
from creditbank.recording import operations
from creditbank.recording.models import Draft
from creditbank.recording.rows import RawRow
from creditbank.users.models import User

KEY: Final = "submission-keys"
_KEY_FORM: Final = re.compile(r"[\x21-\x7e]{1,100}")

Rows = Sequence[Mapping[str, str]]


def raw_rows(rows: Rows) -> list[RawRow]:
    """Return rows as recording reads them, numbered from 1. A bare figure is never a date."""
    return [
        RawRow(number=number, values=dict(row), serials=False) for number, row in enumerate(rows, 1)
    ]


def read_key(text: str) -> str:
    """Read an `Idempotency-Key`: 1 to 100 visible ASCII characters. Raises IdempotencyKeyMissing."""
    if _KEY_FORM.fullmatch(text) is None:
        raise IdempotencyKeyMissing(
            gettext("请为每个请求提供一个不重复的 Idempotency-Key。"),
            field="Idempotency-Key",
            expected="1 – 100 ASCII",
        )
    return text


def submit_rows(
    *, institution: Institution, stream: Stream, rows: Rows, key: str, acting_user: User
) -> Draft:
    """Prepare a draft of rows and hand it to the reviewers, once for each key.

    The same request again returns the draft of the first time. Raises KeyReused
    for other rows under a used key, and what `prepare_draft` raises; then
    nothing is kept.
    """
    digest = _digest(institution, rows)
    earlier = _earlier(institution, key, digest)
    if earlier is not None:
        return earlier
    try:
        with transaction.atomic():
            draft = operations.prepare_draft(
                institution=institution,
                stream=stream,
                rows=raw_rows(rows),
                acting_user=acting_user,
            )
            draft = operations.submit_draft(draft=draft, acting_user=acting_user)
            IdempotentRequest.objects.create(
                institution=institution, key=key, digest=digest, draft=draft
            )
    except IntegrityError:
        # Somebody sent the same key at the same moment; theirs stands, and ours is undone.
        earlier = _earlier(institution, key, digest)
        if earlier is None:
            raise
        return earlier
    return draft


def _digest(institution: Institution, rows: Rows) -> bytes:
    text = json.dumps([dict(row) for row in rows], sort_keys=True, ensure_ascii=False)
    message = b"llcb/api-request/v1\0%d\0%s" % (institution.pk, text.encode())
    return hmac.digest(settings.KEYSTORE.get(KEY), message, "sha256")


def _earlier(institution: Institution, key: str, digest: bytes) -> Draft | None:
    held = (
        IdempotentRequest.objects.select_related("draft__stream")
        .filter(institution=institution, key=key)
        .first()
    )
    if held is None:
        return None
    if not hmac.compare_digest(bytes(held.digest), digest):
        raise KeyReused(gettext("这个 Idempotency-Key 已用于另一个请求。"))
    return held.draft
