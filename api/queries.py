"""What several answers say of the same thing: a stream's keys, a receipt, base64."""

from __future__ import annotations

import base64
from typing import Any

from creditbank.institutions import queries as institutions
from creditbank.institutions.queries import KeyInForce
from creditbank.ledger import queries as ledger
from creditbank.ledger.log import Receipt
from creditbank.proofs.manifests import Manifest
from creditbank.proofs.notes import SignedNote


def b64(data: bytes) -> str:
    """Encode bytes as standard base64."""
    return base64.b64encode(data).decode("ascii")


def signing_keys(name: str) -> list[dict[str, Any]]:
    """Return a stream's keys, oldest first."""
    return [_key(key) for key in institutions.signing_keys(name)]


def _key(key: KeyInForce) -> dict[str, Any]:
    return {
        "algorithm": key.algorithm,
        "public": b64(key.public),
        "added_index": key.added_index,
        "retired_index": key.retired_index,
        "compromised_from_index": key.compromised_from_index,
        "in_force": key.in_force,
    }


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """Return a receipt, with the root that the next manifest must name."""
    note = ledger.manifest(receipt.manifest_index).note
    return {
        "stream": receipt.stream,
        "first_seq": receipt.first_seq,
        "count": receipt.count,
        "manifest_index": receipt.manifest_index,
        "first_index": receipt.first_index,
        "last_index": receipt.index_of(receipt.count - 1),
        "size": receipt.size,
        "root": Manifest.parse(SignedNote.parse(note).text).root.hex(),
        "published": ledger.log_state().published_size >= receipt.size,
    }
