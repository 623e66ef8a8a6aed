"""The log's own verifier keys: from the signer, or from the copy kept beside the anchor.

The copy is made when the bank is founded, so that the audit also runs while the
signer is down; after tampering it stops itself, which is when an audit is wanted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from creditbank.proofs.notes import NoteKey
from creditbank.signer.client import SignerClient, SignerUnavailable


@dataclass(frozen=True, kw_only=True)
class LogKeys:
    """The key of the log's plain line, and those of its cosignature lines."""

    log: NoteKey
    cosigners: tuple[NoteKey, ...]

    @classmethod
    def parse(cls, log_vkey: str, cosigner_vkeys: Iterable[str]) -> LogKeys:
        """Read the keys from their vkey lines. Raises notes.NoteMalformed."""
        return cls(
            log=NoteKey.parse_vkey(log_vkey),
            cosigners=tuple(NoteKey.parse_vkey(vkey) for vkey in cosigner_vkeys),
        )


def _copy() -> Path:
    path: Path = settings.BANK_HOME / "anchor" / "keys.json"
    return path


def keep(client: SignerClient) -> None:
    """Keep a copy of the keys the signer has now."""
    public = client.public()
    path = _copy()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"log": public.log_vkey, "cosigners": list(public.cosigner_vkeys)}))
    fresh.replace(path)


def log_keys() -> LogKeys:
    """Return the keys. Raises SignerUnavailable when there is neither signer nor copy."""
    try:
        public = SignerClient(settings.SIGNER_SOCKET).public()
    except SignerUnavailable:
        if not _copy().exists():
            raise
        kept = json.loads(_copy().read_text())
        return LogKeys.parse(kept["log"], kept["cosigners"])
    return LogKeys.parse(public.log_vkey, public.cosigner_vkeys)
