"""The log for programs that want JSON; tiles and checkpoints stand at /log/ (C2SP)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import BankView
from api.exceptions import REFUSED
from api.models import Scope
from api.queries import b64
from api.serializers import (
    AtSizeSerializer,
    ConsistencySerializer,
    InclusionSerializer,
    LogEntrySerializer,
    LogSerializer,
    TwoSizesSerializer,
)
from api.throttling import Limit
from api.views.receipts import INDEX
from certificates import trustlist
from creditbank.errors import DomainError
from creditbank.ledger import queries as ledger
from creditbank.ledger.queries import EntryView, ManifestView
from creditbank.proofs import merkle, tiles
from creditbank.proofs.notes import Checkpoint, SignedNote


class BeyondLog(DomainError):
    """The index or size is not, or not yet, in the published log."""

    code = "beyond-log"


class SizesInvalid(DomainError):
    """Two sizes that no consistency proof goes between."""

    code = "sizes-invalid"


class _LogView(BankView):
    public = True
    scope = Scope.LOG
    limit = Limit(scope="log", anonymous=120, keyed=1200)


class LogView(_LogView):
    """Where the log stands."""

    operation = "get_log"
    cached_for = 2

    @extend_schema(
        tags=["log"], summary=_("登记簿的现状与验证密钥"), responses={200: LogSerializer}
    )
    def get(self, request: Request) -> Response:
        """Return the newest checkpoint and the keys that it verifies under."""
        state = ledger.log_state()
        keys = trustlist.signer_material() if state.checkpoint else None
        return Response(
            {
                "origin": settings.LOG_ORIGIN,
                "size": state.published_size,
                "recorded": state.size,
                "root": b64(_checkpoint(state.checkpoint).root) if state.checkpoint else None,
                "published_at": state.published_at,
                "checkpoint": state.checkpoint.decode() if state.checkpoint else None,
                "log_vkey": keys.log_vkey if keys else None,
                "cosigner_vkeys": list(keys.cosigner_vkeys) if keys else [],
            }
        )


class LogEntryView(_LogView):
    """One leaf."""

    operation = "get_log_entry"
    errors = (404,)

    @extend_schema(
        tags=["log"],
        summary=_("登记簿的一条"),
        description=_("只有公开的种类（密钥、证明的登记与撤销等）附开启内容。"),
        parameters=[INDEX],
        responses={200: LogEntrySerializer},
    )
    def get(self, request: Request, index: int) -> Response:
        """Return a leaf of the published log."""
        leaf = _leaf(index, ledger.log_state().published_size)
        view, manifest = leaf.entry, leaf.manifest
        return Response(
            {
                "index": index,
                "type": "entry" if view else "manifest",
                "kind": view.kind.name if view else None,
                "stream": manifest.stream,
                "seq": view.seq if view else manifest.first_seq,
                "quantity": view.quantity if view else None,
                "count": None if view else manifest.count,
                "manifest_index": manifest.index,
                "acts_on": b64(view.acts_on) if view and view.acts_on else None,
                "leaf": leaf.data.decode(),
                "leaf_hash": b64(merkle.leaf_hash(leaf.data)),
                "recorded_at": ledger.recorded_times([index]).get(index),
                "opening": view.opening().decode() if view and view.kind.public else None,
            }
        )


class InclusionView(_LogView):
    """The proof of one leaf."""

    operation = "get_inclusion_proof"
    errors = (404, REFUSED)

    @extend_schema(
        tags=["log"],
        summary=_("包含证明"),
        parameters=[INDEX, AtSizeSerializer],
        responses={200: InclusionSerializer},
    )
    def get(self, request: Request, index: int) -> Response:
        """Prove a leaf under a published checkpoint; a learner's entry without its opening."""
        asked = AtSizeSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        note = _note_of(asked.validated_data.get("size"))
        checkpoint = _checkpoint(note)
        leaf = _leaf(index, checkpoint.size)
        path = tiles.prove_inclusion(ledger.StoredHashes(), index, checkpoint.size)
        proof = None
        if leaf.entry is not None:
            disclosed: dict[str, Any] = {} if leaf.entry.kind.public else {"disclose": ()}
            bundle = ledger.proof(index, size=checkpoint.size, **disclosed)
            proof = bundle.encode().decode()
        return Response(
            {
                "index": index,
                "size": checkpoint.size,
                "leaf_hash": b64(merkle.leaf_hash(leaf.data)),
                "path": [b64(item) for item in path],
                "root": b64(checkpoint.root),
                "checkpoint": note.decode(),
                "proof": proof,
            }
        )


class ConsistencyView(_LogView):
    """The proof between two sizes."""

    operation = "get_consistency_proof"
    errors = (404, REFUSED)

    @extend_schema(
        tags=["log"],
        summary=_("一致性证明"),
        parameters=[TwoSizesSerializer],
        responses={200: ConsistencySerializer},
    )
    def get(self, request: Request) -> Response:
        """Prove that the tree of the older size is a beginning of the newer one's."""
        asked = TwoSizesSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        old, new = asked.validated_data["old"], asked.validated_data["new"]
        if not 0 < old <= new:
            raise SizesInvalid(field="old", value=old, expected=f"1 – {new}")
        published = ledger.log_state().published_size
        if new > published:
            raise BeyondLog(size=new, published=published)
        path = tiles.prove_consistency(ledger.StoredHashes(), old, new)
        return Response(
            {
                "old": old,
                "new": new,
                "path": [b64(item) for item in path],
                "old_checkpoint": _note_at(old),
                "new_checkpoint": _note_at(new),
            }
        )


@dataclass(frozen=True, kw_only=True)
class _Leaf:
    data: bytes
    entry: EntryView | None
    manifest: ManifestView


def _leaf(index: int, size: int) -> _Leaf:
    if index >= size:
        raise BeyondLog(index=index, published=size)
    try:
        entry = ledger.entry(index)
    except ledger.UnknownEntry:
        manifest = ledger.manifest(index)
        return _Leaf(data=manifest.note, entry=None, manifest=manifest)
    return _Leaf(data=entry.leaf, entry=entry, manifest=ledger.manifest(entry.manifest_index))


def _checkpoint(note: bytes) -> Checkpoint:
    return Checkpoint.parse(SignedNote.parse(note).text)


def _note_of(size: int | None) -> bytes:
    note = ledger.log_state().checkpoint if size is None else ledger.checkpoint(size)
    if not note:
        raise BeyondLog(published=0)
    return note


def _note_at(size: int) -> str | None:
    """Return the checkpoint of a size, if one was published at just this size."""
    try:
        return ledger.checkpoint(size).decode()
    except ledger.CheckpointMissing:
        return None
