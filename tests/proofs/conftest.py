"""A small log with real keys and signatures, as the proofs' tests need it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from creditbank.proofs import commitments, merkle, notes, signatures
from creditbank.proofs.bundles import ProofBundle
from creditbank.proofs.manifests import Manifest

VECTORS = Path(__file__).parent.parent / "vectors"


@pytest.fixture(scope="session")
def vectors():
    """Read a vector file: vectors("rfc6962/vectors.json")."""

    def read(name: str) -> Any:
        return json.loads((VECTORS / name).read_text(encoding="utf-8"))

    return read


def seeded(algorithm: str, number: int) -> signatures.Signer:
    return signatures.signer(algorithm, bytes([number]) * 32)


def opening(number: int, *, kind: str = "award", quantity: int = 300, leaf: str = "") -> bytes:
    reference = {"u": f"122200004123456780|C{number:05d}|/1"}
    if leaf:
        reference["leaf"] = leaf
    return commitments.join(
        core={
            "k": kind,
            "q": quantity,
            "item": f"C{number:05d}",
            "iv": 1,
            "title": "数据结构（上）",
            "completed_on": "2026-06-30",
        },
        result={"grade": "良好", "score": "86"},
        reference=reference,
        holder={"a": "ABCD-EFGH-JKLM", "prepared_by": "m-1", "approved_by": "m-2"},
        salts=bytes(number * 7 + at & 255 for at in range(64)),
    )


@dataclass
class Log:
    """A log of manifests and entries in memory."""

    origin: str = "bank.example/log"
    log: notes.NoteSigner = field(init=False)
    cosigners: list[notes.NoteSigner] = field(init=False)
    streams: dict[str, signatures.Signer] = field(default_factory=dict)
    leaves: list[bytes] = field(default_factory=list)
    manifests: list[tuple[int, notes.SignedNote, Manifest, list[bytes]]] = field(
        default_factory=list
    )

    def __post_init__(self) -> None:
        self.log = notes.NoteSigner(self.origin, notes.ED25519, seeded("Ed25519", 1))
        self.cosigners = [
            notes.NoteSigner("bank.example/cosigner", notes.COSIGNATURE, seeded("Ed25519", 2)),
            notes.NoteSigner(
                "bank.example/cosigner-pq", notes.ML_DSA_COSIGNATURE, seeded("ML-DSA-44", 3)
            ),
        ]

    @property
    def hashes(self) -> list[bytes]:
        return [merkle.leaf_hash(leaf) for leaf in self.leaves]

    def submit(self, stream: str, openings: list[bytes]) -> int:
        signer = self.streams.setdefault(stream, seeded("Ed25519", 10 + len(self.streams)))
        before = [entry for entry in self.manifests if entry[2].stream == stream]
        first = before[-1][2].first + before[-1][2].count if before else 0
        derived = commitments.number(stream, first, commitments.read_openings(openings))
        manifest = Manifest(
            stream=stream,
            first=first,
            count=len(openings),
            root=merkle.root_of([digest for _, digest in derived]),
            previous=before[-1][2].root if before else bytes(32),
        )
        note = notes.sign_note(manifest.text(), notes.NoteSigner(stream, notes.ED25519, signer))
        index = len(self.leaves)
        self.manifests.append((index, note, manifest, openings))
        self.leaves.append(note.encode())
        self.leaves += [leaf for leaf, _ in derived]
        return index

    def checkpoint(self, timestamp: int = 1_790_000_000) -> notes.SignedNote:
        head = notes.Checkpoint(self.origin, len(self.leaves), merkle.root_of(self.hashes))
        signed = notes.sign_note(head.text(), self.log)
        lines = [
            notes.cosign(head, name=key.name, signer=key.signer, timestamp=timestamp)
            for key in self.cosigners
        ]
        return notes.SignedNote(signed.text, signed.lines + tuple(lines))

    def prove(self, index: int, disclose: tuple[str, ...] = commitments.PARTS) -> ProofBundle:
        at, note, manifest, openings = next(
            entry for entry in reversed(self.manifests) if entry[0] < index
        )
        position = index - at - 1
        own = self.hashes[at + 1 : at + 1 + manifest.count]
        return ProofBundle(
            index=index,
            path=tuple(merkle.inclusion_path(self.hashes, index)),
            checkpoint=self.checkpoint(),
            kind=commitments.parse_leaf(self.leaves[index]).kind,
            leaf=self.leaves[index],
            manifest=note,
            manifest_index=at,
            manifest_path=tuple(merkle.inclusion_path(own, position)),
            position=position,
            disclosure=commitments.disclose(openings[position], disclose) if disclose else None,
        )

    def stream_keys(self, stream: str, index: int) -> list[signatures.Verifier]:
        signer = self.streams.get(stream)
        if signer is None:
            return []
        return [signatures.verifier(signer.algorithm, signer.public)]

    def keys(self) -> dict[str, Any]:
        """The arguments of `bundles.verify` besides the bundle."""
        return {
            "log_key": self.log.key(),
            "cosigners": [key.key() for key in self.cosigners],
            "stream_keys": self.stream_keys,
        }


@pytest.fixture
def log() -> Log:
    """Three manifests of two streams: 5, 3 and 4 entries at 0, 6 and 10."""
    made = Log()
    made.submit("edu.example/2026a", [opening(n) for n in range(5)])
    made.submit("works.example/2026", [opening(n) for n in range(5, 8)])
    made.submit("edu.example/2026a", [opening(n) for n in range(8, 12)])
    return made


@pytest.fixture
def an_opening():
    """Make an opening: an_opening(number, kind=..., quantity=..., leaf=...)."""
    return opening


@pytest.fixture
def seeded_signer():
    """Make a signer with a known seed: seeded_signer("Ed25519", 7)."""
    return seeded
