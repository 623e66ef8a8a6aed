"""The trust list and the status snapshots, made from the published log and signed.

Both say what stands under one checkpoint and nothing else, so that the list of
a size is the same whenever it is made. The trust list gives a stranger the keys
to check with; the status gives what was revoked and reversed since.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.core.cache import cache
from django.db import connection

from certificates.models import Transcript
from creditbank import multikeys, trust
from creditbank.institutions import queries as institutions
from creditbank.ledger import events, queries
from creditbank.ledger import operations as ledger
from creditbank.ledger.events import KeyLife, Revocation
from creditbank.proofs.bundles import verify_checkpoint
from creditbank.proofs.notes import NoteKey, SignedNote
from creditbank.signer.client import SignerUnavailable

logger = logging.getLogger(__name__)

GENESIS_SIZE: Final = 2
CACHE_SECONDS: Final = 24 * 3600
REVERSED: Final = "reversed"
REVERSED_BY_ORDER: Final = "reversed-by-order"


# -- the signer's public keys -----------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class SignerMaterial:
    """What is public of the signer's keys and needed by verifiers."""

    log_vkey: str
    cosigner_vkeys: tuple[str, ...]
    document_multikey: str
    pades_chain: tuple[bytes, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the material as JSON, for the cache."""
        return {
            "log_vkey": self.log_vkey,
            "cosigner_vkeys": list(self.cosigner_vkeys),
            "document_multikey": self.document_multikey,
            "pades_chain": [b64encode(der).decode() for der in self.pades_chain],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> SignerMaterial:
        """Read what `to_json` wrote."""
        return cls(
            log_vkey=value["log_vkey"],
            cosigner_vkeys=tuple(value["cosigner_vkeys"]),
            document_multikey=value["document_multikey"],
            pades_chain=tuple(b64decode(text) for text in value["pades_chain"]),
        )


_material: dict[str, SignerMaterial] = {}
_material_lock = threading.Lock()


def signer_material() -> SignerMaterial:
    """Return the signer's public keys. Raises SignerUnavailable when nobody remembers them.

    They do not change while the bank has one log; a process asks once, and the
    cache remembers for all, so that verification goes on while the signer is away.
    """
    place = str(settings.SIGNER_SOCKET)
    with _material_lock:
        held = _material.get(place)
    if held is not None:
        return held
    try:
        public = ledger.signer().public()
    except SignerUnavailable:
        kept = remembered(f"signer/{place}")
        if kept is None:
            raise
        held = SignerMaterial.from_json(json.loads(kept))
    else:
        held = SignerMaterial(
            log_vkey=public.log_vkey,
            cosigner_vkeys=public.cosigner_vkeys,
            document_multikey=public.document_multikey,
            pades_chain=public.pades_chain,
        )
        remember(f"signer/{place}", json.dumps(held.to_json()), timeout=None)
    with _material_lock:
        _material[place] = held
    return held


def forget_material() -> None:
    """Forget what this process remembers of the signer's keys (the cache's copy stays)."""
    with _material_lock:
        _material.clear()


def remembered(key: str) -> str | None:
    """Return what the cache remembers of public things; None also when it is away."""
    try:
        value: str | None = cache.get(key)
    except Exception as error:  # noqa: BLE001 - without a cache everything is made anew
        logger.warning("cache not read: %s", type(error).__name__)
        return None
    return value


def remember(key: str, value: str, *, timeout: int | None = CACHE_SECONDS) -> None:
    """Let the cache remember a public thing; without a cache it is made anew each time."""
    try:
        cache.set(key, value, timeout=timeout)
    except Exception as error:  # noqa: BLE001 - without a cache everything is made anew
        logger.warning("cache not written: %s", type(error).__name__)


# -- the DID document -------------------------------------------------------------------------
def verification_method() -> str:
    """Return the full DID URL of the key that signs documents; its fragment is the key itself."""
    return trust.verification_method(settings.BANK_DID, _document_key())


def _document_key() -> bytes:
    return multikeys.public_of(signer_material().document_multikey)


def did_document() -> dict[str, Any]:
    """Return the bank's DID document (did:web). Raises SignerUnavailable."""
    return trust.did_document(settings.BANK_DID, [_document_key()])


# -- the trust list ---------------------------------------------------------------------------
def streams(size: int) -> list[trust.Stream]:
    """Return every stream that has a key under the checkpoint of a size, with its owner.

    The lives of the keys come from the log's own entries, the owners' names from
    the register of institutions.
    """
    owners = {entry.stream: entry for entry in institutions.stream_keys()}
    found = []
    for name, lives in sorted(events.published().keys_below(size).items()):
        owner = owners.get(name)
        found.append(
            trust.Stream(
                name=name,
                institution=(owner.institution if owner else "") or settings.BANK_NAME,
                uscc=owner.uscc if owner else "",
                keys=tuple(_key(life) for life in lives),
            )
        )
    return found


def _key(life: KeyLife) -> trust.StreamKey:
    return trust.StreamKey(
        algorithm=life.algorithm,
        public=life.public,
        added=life.added,
        retired=life.retired,
        compromised_from=life.compromised_from,
    )


def trust_body(size: int) -> str:
    """Return the trust list under the checkpoint of a size, unsigned.

    `number` is that size: a list of a greater number is newer. Raises
    CheckpointMissing, SignerUnavailable.
    """
    material = signer_material()
    return trust.trust_body(
        bank_id=settings.BANK_ID,
        number=size,
        checkpoint=queries.checkpoint(size).decode(),
        log_vkey=material.log_vkey,
        cosigner_vkeys=material.cosigner_vkeys,
        genesis=genesis(),
        did_documents=[did_document()],
        pades_roots=material.pades_chain[-1:],
        streams=streams(size),
    )


def genesis() -> tuple[bytes, bytes]:
    """Return the hashes of the log's first two leaves: what pins this log and no other."""
    first, second = queries.StoredHashes().hashes(0, 0, 2)
    return first, second


# -- the status snapshot ----------------------------------------------------------------------
def status(size: int) -> trust.Status:
    """Return what was revoked and reversed under the checkpoint of a size.

    Reasons are of closed lists: an institution's own words for a reversal stay
    sealed with the entry. The time is the checkpoint's, so that the snapshot of
    a size never changes. Raises CheckpointMissing.
    """
    return _status(events.published(), size, queries.checkpoint(size))


def _status(known: events.Events, size: int, note: bytes) -> trust.Status:
    return trust.Status(
        size=size,
        at=queries.checkpoint_time(note),
        revoked={
            event.digest: trust.Revocation(
                reason=event.reason, successor=event.successor, index=event.index
            )
            for event in known.revocations_below(size)
        },
        reversed={
            event.leaf_hash: trust.Reversal(
                reason=REVERSED_BY_ORDER if event.ordered else REVERSED, index=event.index
            )
            for event in known.reversals_below(size)
        },
    )


@dataclass(frozen=True, kw_only=True)
class Live:
    """What the newest checkpoint says: its size, the status there, and all events so far."""

    size: int
    status: trust.Status
    events: events.Events


_live: dict[str, tuple[bytes, Live]] = {}


def live() -> Live:
    """Return the status of the newest checkpoint, made once for each checkpoint and process.

    Raises CheckpointMissing before the genesis.
    """
    newest = events.newest_checkpoint()
    if newest.size < GENESIS_SIZE:
        raise queries.CheckpointMissing(size=newest.size)
    database = str(connection.settings_dict["NAME"])
    held = _live.get(database)
    if held is not None and held[0] == newest.note:
        return held[1]
    known = events.published(newest)
    made = Live(size=newest.size, status=_status(known, newest.size, newest.note), events=known)
    _live.clear()
    _live[database] = (newest.note, made)
    return made


def status_body(size: int) -> str:
    """Return the status snapshot of a size, unsigned. Raises CheckpointMissing."""
    found = status(size)
    return trust.status_body(
        size=found.size, at=found.at, revoked=found.revoked, reversed=found.reversed
    )


# -- what the bank's own verification believes ------------------------------------------------
def live_trust(size: int) -> trust.TrustList:
    """Return the trust list of a checkpoint as a value, without a signature: it is our own.

    Raises CheckpointMissing, SignerUnavailable.
    """
    material = signer_material()
    note = SignedNote.parse(queries.checkpoint(size))
    log_key = NoteKey.parse_vkey(material.log_vkey)
    cosigners = tuple(NoteKey.parse_vkey(vkey) for vkey in material.cosigner_vkeys)
    seconds = verify_checkpoint(note, log_key=log_key, cosigners=cosigners)
    return trust.TrustList(
        bank_id=settings.BANK_ID,
        number=size,
        size=size,
        time=datetime.fromtimestamp(seconds, UTC),
        log_key=log_key,
        cosigners=cosigners,
        genesis=genesis(),
        methods={verification_method(): (settings.BANK_DID, _document_key())},
        pades_roots=material.pades_chain[-1:],
        streams={stream.name: stream for stream in streams(size)},
    )


def revocation_of(transcript: Transcript) -> Revocation:
    """Return the published revocation of a transcript. Raises UnknownEntry when there is none."""
    assert transcript.register_index is not None
    queries.wait_until_published(ledger.head_size())
    leaf_hash = queries.entry(transcript.register_index).leaf_hash
    found = events.published().revocation_of.get(leaf_hash)
    if found is None:
        raise queries.UnknownEntry(number=transcript.number)
    return found


# -- signing and keeping ----------------------------------------------------------------------
def _signed(kind: str, size: int, make: Callable[[int], str]) -> bytes:
    """Return a signed body as it is published, from the cache when it was made before.

    The checkpoint's note is part of the key: a size alone would confuse two
    databases, and a restored one with the one it was copied from.
    """
    mark = hashlib.sha256(queries.checkpoint(size)).hexdigest()
    key = f"{kind}/{size}/{mark}"
    held = remembered(key)
    if held is not None:
        return held.encode()
    body = make(size)
    wire = trust.encode(body, ledger.signer().trust(body))
    if size == events.newest_checkpoint().size:
        # Whoever asks for all the old ones must not fill the cache with them.
        remember(key, wire.decode())
    return wire


def published_size() -> int:
    """Return the size of the newest checkpoint. Raises CheckpointMissing before the genesis."""
    size = events.newest_checkpoint().size
    if size < GENESIS_SIZE:
        raise queries.CheckpointMissing(size=size)
    return size


def build_trust_list(size: int | None = None) -> bytes:
    """Return the signed trust list of a checkpoint, the newest by default, as published.

    Raises CheckpointMissing, SignerUnavailable.
    """
    return _signed("trust", published_size() if size is None else size, trust_body)


def build_status(size: int | None = None) -> bytes:
    """Return the signed status snapshot of a checkpoint, the newest by default, as published.

    Raises CheckpointMissing, SignerUnavailable.
    """
    return _signed("status", published_size() if size is None else size, status_body)


@dataclass(frozen=True, kw_only=True)
class SignedLists:
    """The trust list and the status of one checkpoint, as published."""

    size: int
    trust: bytes
    status: bytes


def signed_lists() -> SignedLists:
    """Return both signed lists of the newest checkpoint.

    While the signer is away those signed last are returned: they say themselves
    as of when they speak. Raises SignerUnavailable when nobody remembers any.
    """
    key = f"lists/{settings.LOG_ORIGIN}"
    size = published_size()
    try:
        lists = SignedLists(size=size, trust=build_trust_list(size), status=build_status(size))
    except SignerUnavailable:
        kept = remembered(key)
        if kept is None:
            raise
        value = json.loads(kept)
        return SignedLists(
            size=value["size"], trust=value["trust"].encode(), status=value["status"].encode()
        )
    if _last_remembered.get(key) != size:
        value = {"size": size, "trust": lists.trust.decode(), "status": lists.status.decode()}
        remember(key, json.dumps(value), timeout=None)
        _last_remembered[key] = size
    return lists


_last_remembered: dict[str, int] = {}
