"""A ledger proof taken step by step, so that a reader sees which step holds and which does not (pure).

The steps are those of `bundles.verify`, which has the last word: five, in the
order in which a verifier takes them. Without keys the signatures could not be
checked, which is not valid and not invalid.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from creditbank.proofs import bundles, merkle
from creditbank.proofs.bundles import ProofBundle, StreamKeys
from creditbank.proofs.canonical import NotCanonical
from creditbank.proofs.commitments import parse_leaf
from creditbank.proofs.manifests import Manifest
from creditbank.proofs.merkle import ProofInvalid
from creditbank.proofs.notes import (
    ED25519,
    Checkpoint,
    NoteKey,
    NoteMalformed,
    verify_note,
)
from creditbank.proofs.signatures import KeyInvalid, SignatureInvalid

REFUSED: Final = (NotCanonical, NoteMalformed, ProofInvalid, SignatureInvalid, KeyInvalid)
PROOF_MAX: Final = 128 << 10


class State(StrEnum):
    """How a check came out."""

    VALID = "valid"
    INVALID = "invalid"
    UNCHECKED = "could-not-be-checked"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One check: its code, how it came out, and why not."""

    code: str
    state: State
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The keys that proofs are checked with."""

    log: NoteKey
    cosigners: tuple[NoteKey, ...]
    stream_keys: StreamKeys


@dataclass(frozen=True, kw_only=True)
class Proved:
    """What a proof came to: its steps, and the proof itself when it could be read."""

    steps: tuple[Step, ...]
    bundle: ProofBundle | None = None

    @property
    def state(self) -> State:
        """Invalid when one step is; else not checked when one could not be."""
        states = {step.state for step in self.steps}
        for state in (State.INVALID, State.UNCHECKED):
            if state in states:
                return state
        return State.VALID


CODES: Final = ("opening", "manifest", "signature", "inclusion", "checkpoint")
"""The opening is the leaf's; the leaf is the manifest's; the manifest is signed by a key in
force; the leaf is in the log; the log's checkpoint is signed."""


def take(text: str, keys: Keys | None) -> Proved:
    """Take all steps of a proof as text. Never raises for what is in it."""
    try:
        if len(text) > PROOF_MAX:
            raise NoteMalformed("the proof is too long")
        bundle = ProofBundle.parse(text.encode())
        leaf = parse_leaf(bundle.leaf)
        manifest = Manifest.parse(bundle.manifest.text)
        checkpoint = Checkpoint.parse(bundle.checkpoint.text)
    except (*REFUSED, UnicodeEncodeError) as error:
        return Proved(steps=(Step(code="opening", state=State.INVALID, why=str(error)),))
    leaf_hash = merkle.leaf_hash(bundle.leaf)

    def opening() -> None:
        if bundle.disclosure is None or bundle.disclosure.part("core") is None:
            raise ProofInvalid("the proof does not show what was entered")
        if bundle.disclosure.commitment() != leaf.commitment:
            raise ProofInvalid("the opening is not the one the leaf commits to")

    def in_manifest() -> None:
        merkle.verify_inclusion(
            leaf=leaf_hash,
            index=bundle.position,
            size=manifest.count,
            path=bundle.manifest_path,
            root=manifest.root,
        )
        if (leaf.stream, leaf.seq) != (manifest.stream, manifest.first + bundle.position):
            raise ProofInvalid("the leaf's number does not follow from the manifest's")

    def signature() -> None:
        assert keys is not None
        found = keys.stream_keys(manifest.stream, bundle.manifest_index)
        if not found:
            raise SignatureInvalid("no key of the stream is in force there")
        verify_note(bundle.manifest, [NoteKey(manifest.stream, ED25519, one) for one in found])

    def in_log() -> None:
        if bundle.index != bundle.manifest_index + 1 + bundle.position:
            raise ProofInvalid("the index does not follow from the manifest's")
        merkle.verify_inclusion(
            leaf=leaf_hash,
            index=bundle.index,
            size=checkpoint.size,
            path=bundle.path,
            root=checkpoint.root,
        )

    def signed_checkpoint() -> None:
        assert keys is not None
        bundles.verify_checkpoint(bundle.checkpoint, log_key=keys.log, cosigners=keys.cosigners)

    checks: Sequence[tuple[str, Callable[[], None], bool]] = (
        ("opening", opening, True),
        ("manifest", in_manifest, True),
        ("signature", signature, keys is not None),
        ("inclusion", in_log, True),
        ("checkpoint", signed_checkpoint, keys is not None),
    )
    taken = [
        _step(code, check) if possible else Step(code=code, state=State.UNCHECKED, why="no keys")
        for code, check, possible in checks
    ]
    if keys is not None and all(step.state is State.VALID for step in taken):
        taken[-1] = _step("checkpoint", lambda: _whole(bundle, keys))
    return Proved(steps=tuple(taken), bundle=bundle)


def _step(code: str, check: Callable[[], None]) -> Step:
    try:
        check()
    except REFUSED as error:
        return Step(code=code, state=State.INVALID, why=str(error))
    return Step(code=code, state=State.VALID)


def _whole(bundle: ProofBundle, keys: Keys) -> None:
    """Let the function that every verifier runs have the last word."""
    bundles.verify(
        bundle=bundle, log_key=keys.log, cosigners=keys.cosigners, stream_keys=keys.stream_keys
    )
