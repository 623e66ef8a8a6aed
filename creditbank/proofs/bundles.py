"""A ledger proof: everything a stranger needs to check one entry offline.

It is a C2SP tlog-proof whose extra data holds the leaf, what is shown of its
opening, the signed manifest and the path to it. The extra data is not
authenticated by the format; every piece of it authenticates itself here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from creditbank.proofs import canonical, merkle
from creditbank.proofs.canonical import NotCanonical
from creditbank.proofs.commitments import Disclosure, Leaf, parse_leaf
from creditbank.proofs.manifests import Manifest
from creditbank.proofs.merkle import ProofInvalid
from creditbank.proofs.notes import (
    ED25519,
    Checkpoint,
    NoteKey,
    NoteMalformed,
    SignedNote,
    TlogProof,
    b64,
    unb64,
    verify_cosignature,
    verify_note,
)
from creditbank.proofs.signatures import SignatureInvalid, Verifier

VERSION: Final = 1

StreamKeys = Callable[[str, int], Sequence[Verifier]]
"""Returns the keys in force for a stream's manifest at a log index, or raises SignatureInvalid."""

_MEMBERS: Final = frozenset(
    {
        "kind",
        "leaf",
        "manifest",
        "manifest_index",
        "manifest_path",
        "opening",
        "position",
        "v",
    }
)


@dataclass(frozen=True, kw_only=True)
class ProofBundle:
    """A ledger proof as read; believe nothing of it before `verify`."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: SignedNote
    kind: str
    leaf: bytes
    manifest: SignedNote
    manifest_index: int
    manifest_path: tuple[bytes, ...]
    position: int
    disclosure: Disclosure | None

    def encode(self) -> bytes:
        """Return the proof's bytes (tlog-proof, with extra data)."""
        extra = canonical.encode(
            {
                "kind": self.kind,
                "leaf": self.leaf.decode(),
                "manifest": self.manifest.encode().decode(),
                "manifest_index": self.manifest_index,
                "manifest_path": [b64(item) for item in self.manifest_path],
                "opening": None if self.disclosure is None else self.disclosure.to_json(),
                "position": self.position,
                "v": VERSION,
            }
        )
        return TlogProof(
            index=self.index, path=self.path, checkpoint=self.checkpoint, extra=extra
        ).encode()

    @classmethod
    def parse(cls, data: bytes) -> ProofBundle:
        """Read a proof's bytes. Raises NoteMalformed or NotCanonical."""
        proof = TlogProof.parse(data)
        extra: Any = canonical.decode(proof.extra)
        if not isinstance(extra, dict) or extra.keys() != _MEMBERS:
            raise NotCanonical("the proof's extra data is not of version 1")
        texts = (extra["kind"], extra["leaf"], extra["manifest"])
        numbers = (extra["manifest_index"], extra["position"], extra["v"])
        path = extra["manifest_path"]
        if (
            any(not isinstance(text, str) for text in texts)
            or any(type(number) is not int or number < 0 for number in numbers)
            or not isinstance(path, list)
            or any(not isinstance(item, str) for item in path)
        ):
            raise NotCanonical("the proof's extra data is malformed")
        if extra["v"] != VERSION:
            raise NotCanonical("the proof's extra data is not of version 1")
        opening = extra["opening"]
        return cls(
            index=proof.index,
            path=proof.path,
            checkpoint=proof.checkpoint,
            kind=extra["kind"],
            leaf=extra["leaf"].encode(),
            manifest=SignedNote.parse(extra["manifest"].encode()),
            manifest_index=extra["manifest_index"],
            manifest_path=tuple(unb64(item) for item in path),
            position=extra["position"],
            disclosure=None if opening is None else Disclosure.from_json(opening),
        )


@dataclass(frozen=True, kw_only=True)
class VerifiedEntry:
    """What a verified proof establishes."""

    index: int
    leaf: Leaf
    leaf_hash: bytes
    manifest: Manifest
    checkpoint: Checkpoint
    time: int
    """POSIX seconds: by then the entry stood in the log, as the bank cosigned."""
    disclosure: Disclosure | None


def verify(
    *,
    bundle: ProofBundle,
    log_key: NoteKey,
    cosigners: Sequence[NoteKey],
    stream_keys: StreamKeys,
) -> VerifiedEntry:
    """Check a proof, step by step; the first that fails raises.

    (1) the shown opening gives the leaf's commitment; (2) the leaf is well formed
    and of the kind named; (3) the leaf hash leads to the manifest's root; (4) the
    manifest is signed by a key in force for its stream at its index; (5) index and
    number follow from the manifest's place; (6) the leaf hash leads to the
    checkpoint's root; (7) the log's key and every cosigner signed the checkpoint;
    (8) the time is the cosignatures'.

    Raises NotCanonical, NoteMalformed, ProofInvalid or SignatureInvalid.
    """
    leaf = parse_leaf(bundle.leaf)
    if bundle.disclosure is not None:
        if bundle.disclosure.commitment() != leaf.commitment:
            raise ProofInvalid("the opening is not the one the leaf commits to")
        core = bundle.disclosure.part("core")
        if core is not None and (core.get("k"), core.get("q")) != (leaf.kind, leaf.quantity):
            raise ProofInvalid("the opening's kind or quantity is not the leaf's")
        reference = bundle.disclosure.part("reference")
        if reference is not None and reference.get("leaf") != (leaf.acts_on and b64(leaf.acts_on)):
            raise ProofInvalid("the opening acts on another entry than the leaf")
    if leaf.kind != bundle.kind:
        raise ProofInvalid("the leaf is of another kind")
    leaf_hash = merkle.leaf_hash(bundle.leaf)
    manifest = Manifest.parse(bundle.manifest.text)
    merkle.verify_inclusion(
        leaf=leaf_hash,
        index=bundle.position,
        size=manifest.count,
        path=bundle.manifest_path,
        root=manifest.root,
    )
    keys = [
        NoteKey(manifest.stream, ED25519, verifier)
        for verifier in stream_keys(manifest.stream, bundle.manifest_index)
    ]
    verify_note(bundle.manifest, keys)
    if len(bundle.manifest.lines) != 1:
        raise NoteMalformed("a manifest has one signature line")
    if bundle.index != bundle.manifest_index + 1 + bundle.position:
        raise ProofInvalid("the index does not follow from the manifest's")
    if (leaf.stream, leaf.seq) != (manifest.stream, manifest.first + bundle.position):
        raise ProofInvalid("the leaf's number does not follow from the manifest's")
    checkpoint = Checkpoint.parse(bundle.checkpoint.text)
    merkle.verify_inclusion(
        leaf=leaf_hash,
        index=bundle.index,
        size=checkpoint.size,
        path=bundle.path,
        root=checkpoint.root,
    )
    time = verify_checkpoint(bundle.checkpoint, log_key=log_key, cosigners=cosigners)
    return VerifiedEntry(
        index=bundle.index,
        leaf=leaf,
        leaf_hash=leaf_hash,
        manifest=manifest,
        checkpoint=checkpoint,
        time=time,
        disclosure=bundle.disclosure,
    )


def verify_checkpoint(note: SignedNote, *, log_key: NoteKey, cosigners: Sequence[NoteKey]) -> int:
    """Check that the log and all cosigners signed, and no one else; return the POSIX time.

    `cosigners` names one key at least, since the log's own line tells no time.
    Raises NoteMalformed or SignatureInvalid.
    """
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != log_key.name:
        raise SignatureInvalid("the checkpoint is of another log")
    keys = [log_key, *cosigners]
    verify_note(note, keys, required=len(keys))
    if len(note.lines) != len(keys):
        raise NoteMalformed("the checkpoint has signature lines of strangers")
    times = [
        verify_cosignature(checkpoint, line, key)
        for key in cosigners
        for line in note.lines
        if (line.name, line.key_id) == (key.name, key.key_id)
    ]
    if not times or min(times) != max(times) or not times[0]:
        raise SignatureInvalid("the cosignatures do not agree on a time")
    return times[0]
