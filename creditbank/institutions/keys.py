"""The index of signing keys: what the ledger's key entries say, as rows to look keys up by.

The ledger calls these after it has entered a key's addition, retirement or
compromise. Each may run twice with the same facts, since a crash may fall
between the entry and its index; other facts for the same key are refused.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import transaction

from creditbank.errors import DomainError
from creditbank.institutions.kinds import StreamMode, StreamPurpose
from creditbank.institutions.models import SigningKey, Stream
from creditbank.institutions.queries import UnknownKey, UnknownStream
from creditbank.securitylog.kinds import EventKind
from creditbank.securitylog.operations import record


class KeyIndexConflict(DomainError):
    """The index already says something else of this key than the ledger does now."""

    code: ClassVar[str] = "key-index-conflict"


def index_bank_stream(name: str) -> None:
    """Note the bank's own stream, which belongs to no institution."""
    Stream.objects.get_or_create(
        name=name, defaults={"mode": StreamMode.HOSTED, "purpose": StreamPurpose.BANK}
    )


def index_key_added(stream: str, algorithm: str, public: bytes, index: int) -> None:
    """Note a key that was entered at a log index. Raises UnknownStream, KeyIndexConflict."""
    owner = Stream.objects.filter(name=stream).first()
    if owner is None:
        raise UnknownStream(stream=stream)
    key, created = SigningKey.objects.get_or_create(
        public=public,
        defaults={"stream": owner, "algorithm": algorithm, "added_index": index},
    )
    if not created and (key.stream_id, key.algorithm, key.added_index) != (
        owner.pk,
        algorithm,
        index,
    ):
        # One key under two streams would let the one sign for the other.
        raise KeyIndexConflict(stream=stream, index=index, held_index=key.added_index)
    if created:
        record(EventKind.STREAM_KEY_ADDED, actor=None, stream=stream, index=index)


def index_key_retired(stream: str, public: bytes, index: int) -> None:
    """Note that a key signs nothing after a log index. The first retirement counts."""
    with transaction.atomic():
        key = _locked(stream, public)
        if key.retired_index is None:
            key.retired_index = index
            key.save(update_fields=["retired_index"])
            record(EventKind.STREAM_KEY_RETIRED, actor=None, stream=stream, index=index)


def index_key_compromised(stream: str, public: bytes, index: int, from_index: int) -> None:
    """Note that a key was in other hands from a log index on, and signs nothing any more.

    When it is declared twice, the earlier index counts: trust only shrinks.
    """
    with transaction.atomic():
        key = _locked(stream, public)
        if key.retired_index is None:
            key.retired_index = index
        held = key.compromised_from_index
        key.compromised_from_index = from_index if held is None else min(held, from_index)
        key.save(update_fields=["retired_index", "compromised_from_index"])
        if held is None or from_index < held:
            record(
                EventKind.STREAM_KEY_COMPROMISED,
                actor=None,
                stream=stream,
                index=index,
                from_index=from_index,
            )


def _locked(stream: str, public: bytes) -> SigningKey:
    key = SigningKey.objects.select_for_update().filter(stream__name=stream, public=public).first()
    if key is None:
        raise UnknownKey(stream=stream, public=public.hex())
    return key
