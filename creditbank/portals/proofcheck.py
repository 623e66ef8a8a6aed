"""Checking what a visitor brings to the log: a ledger proof, a saved checkpoint, a leaf hash.

Each answer is a list of steps in the order a verifier takes them, each with what
was compared, so that the visitor can repeat any of them. The last word on a
proof is `bundles.verify`, the same function that every other verifier runs.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creditbank.ledger import events, queries
from creditbank.ledger.logkeys import LogKeys
from creditbank.proofs import bundles, merkle, notes, signatures, tiles
from creditbank.proofs.bundles import ProofBundle
from creditbank.proofs.canonical import NotCanonical
from creditbank.proofs.commitments import parse_leaf
from creditbank.proofs.manifests import Manifest

PROOF_BYTES_MAX: Final = 64 << 10
_HEX_HASH: Final = re.compile(r"[0-9a-fA-F]{64}")
_REFUSED: Final = (
    NotCanonical,
    notes.NoteMalformed,
    merkle.ProofInvalid,
    signatures.SignatureInvalid,
    signatures.KeyInvalid,
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a check: what it shows, and the values that were compared."""

    what: str | Promise
    ok: bool
    values: tuple[tuple[str | Promise, str], ...] = ()
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Hashing:
    """One hash of an inclusion proof: the sibling, its side, and what both give together."""

    sibling: str
    left: bool
    result: str


@dataclass(kw_only=True)
class Checked:
    """The outcome: all steps up to the first that failed."""

    kind: str
    """proof, checkpoint or leaf."""
    steps: list[Step] = field(default_factory=list)
    hashings: list[Hashing] = field(default_factory=list)
    index: int | None = None
    time: datetime | None = None
    problem: str | Promise = ""
    """Why the input could not be read at all; then there are no steps."""

    @property
    def ok(self) -> bool:
        """Whether it could be read and every step held."""
        return not self.problem and bool(self.steps) and all(step.ok for step in self.steps)

    def run(
        self,
        what: str | Promise,
        check: Callable[[], Sequence[tuple[str | Promise, str]]],
    ) -> bool:
        """Take a step: `check` raises when it fails and returns the values compared."""
        try:
            values = tuple(check())
        except _REFUSED as error:
            self.steps.append(Step(what=what, ok=False, why=str(error)))
            return False
        self.steps.append(Step(what=what, ok=True, values=values))
        return True


def b64(data: bytes) -> str:
    """Write a hash as the log's text formats do."""
    return b64encode(data).decode("ascii")


def hashings(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> list[Hashing]:
    """Write an inclusion proof out, hash by hash (RFC 9162 section 2.1.3.2)."""
    written: list[Hashing] = []
    node, last, root = index, size - 1, leaf
    for sibling in path:
        left = bool(node & 1) or node == last
        root = merkle.node_hash(sibling, root) if left else merkle.node_hash(root, sibling)
        written.append(Hashing(sibling=b64(sibling), left=left, result=b64(root)))
        if left:
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        node >>= 1
        last >>= 1
    return written


def stream_verifiers(stream: str, index: int) -> list[signatures.Verifier]:
    """Return the keys of a stream that were in force for a manifest at a log index."""
    newest = events.newest_checkpoint()
    return [
        signatures.verifier(key.algorithm, key.public)
        for key in events.published(newest).keys_below(newest.size).get(stream, [])
        if key.signed_in_force(index)
    ]


def check(text: str, *, keys: LogKeys) -> Checked:
    """Check what a visitor pasted: a ledger proof, or a checkpoint saved earlier."""
    data = text.strip().replace("\r\n", "\n").encode("utf-8", "replace") + b"\n"
    if len(data) > PROOF_BYTES_MAX:
        return Checked(kind="proof", problem=_("内容太长：一份登记证明不超过 64 KiB。"))
    if data.startswith(notes.PROOF_HEADER.encode()):
        return check_proof(data, keys=keys)
    return check_checkpoint(data, keys=keys)


def check_proof(data: bytes, *, keys: LogKeys) -> Checked:
    """Check a ledger proof step by step."""
    checked = Checked(kind="proof")
    try:
        bundle = ProofBundle.parse(data)
        leaf = parse_leaf(bundle.leaf)
        manifest = Manifest.parse(bundle.manifest.text)
        checkpoint = notes.Checkpoint.parse(bundle.checkpoint.text)
    except _REFUSED as error:
        checked.problem = _("这不是一份完整的登记证明：%(why)s") % {"why": error}
        return checked
    checked.index = bundle.index
    leaf_hash = merkle.leaf_hash(bundle.leaf)

    def opening() -> Sequence[tuple[str | Promise, str]]:
        assert bundle.disclosure is not None
        if bundle.disclosure.commitment() != leaf.commitment:
            raise merkle.ProofInvalid("the opening is not the one the leaf commits to")
        return ((_("承诺值"), b64(leaf.commitment)),)

    def in_manifest() -> Sequence[tuple[str | Promise, str]]:
        merkle.verify_inclusion(
            leaf=leaf_hash,
            index=bundle.position,
            size=manifest.count,
            path=bundle.manifest_path,
            root=manifest.root,
        )
        return ((_("叶哈希"), b64(leaf_hash)), (_("清单的根"), b64(manifest.root)))

    def signed() -> Sequence[tuple[str | Promise, str]]:
        found = [
            notes.NoteKey(manifest.stream, notes.ED25519, verifier)
            for verifier in stream_verifiers(manifest.stream, bundle.manifest_index)
        ]
        used = notes.verify_note(bundle.manifest, found)
        return ((_("序列"), manifest.stream), (_("密钥"), used[0].vkey))

    def in_log() -> Sequence[tuple[str | Promise, str]]:
        merkle.verify_inclusion(
            leaf=leaf_hash,
            index=bundle.index,
            size=checkpoint.size,
            path=bundle.path,
            root=checkpoint.root,
        )
        return (
            (_("登记簿序号"), str(bundle.index)),
            (_("检查点规模"), str(checkpoint.size)),
            (_("检查点的根"), b64(checkpoint.root)),
        )

    def published() -> Sequence[tuple[str | Promise, str]]:
        seconds = bundles.verify_checkpoint(
            bundle.checkpoint, log_key=keys.log, cosigners=keys.cosigners
        )
        checked.time = datetime.fromtimestamp(seconds, UTC)
        return ((_("登记簿密钥"), keys.log.vkey),)

    def whole() -> Sequence[tuple[str | Promise, str]]:
        bundles.verify(
            bundle=bundle,
            log_key=keys.log,
            cosigners=keys.cosigners,
            stream_keys=stream_verifiers,
        )
        return ((_("机构序列中的号"), f"{leaf.stream} · {leaf.seq}"),)

    if bundle.disclosure is not None and not checked.run(
        _("出示的内容与条目的承诺值一致"), opening
    ):
        return checked
    if not checked.run(_("条目在机构签名的清单里"), in_manifest):
        return checked
    if not checked.run(_("清单由当时有效的机构密钥签名"), signed):
        return checked
    if not checked.run(_("条目在登记簿里，序号相符"), in_log):
        return checked
    checked.hashings = hashings(leaf_hash, bundle.index, checkpoint.size, bundle.path)
    if not checked.run(_("检查点由登记簿和见证密钥签名"), published):
        return checked
    if checked.run(_("编号、类别与数量前后相符"), whole):
        _same_history(checked, checkpoint)
    return checked


def check_checkpoint(data: bytes, *, keys: LogKeys) -> Checked:
    """Check a checkpoint that was saved earlier: signed by us, and a prefix of today's log."""
    checked = Checked(kind="checkpoint")
    try:
        note = notes.SignedNote.parse(data)
        checkpoint = notes.Checkpoint.parse(note.text)
    except notes.NoteMalformed:
        checked.problem = _(
            "这不是登记证明，也不是检查点。请粘贴文件的全部内容，从第一行到最后一行。"
        )
        return checked

    def signed() -> Sequence[tuple[str | Promise, str]]:
        seconds = bundles.verify_checkpoint(note, log_key=keys.log, cosigners=keys.cosigners)
        checked.time = datetime.fromtimestamp(seconds, UTC)
        return (
            (_("检查点规模"), str(checkpoint.size)),
            (_("检查点的根"), b64(checkpoint.root)),
        )

    if checked.run(_("检查点由登记簿和见证密钥签名"), signed):
        _same_history(checked, checkpoint)
    return checked


def _same_history(checked: Checked, old: notes.Checkpoint) -> None:
    """Show that an earlier checkpoint is a prefix of the newest one: nothing was rewritten."""
    state = queries.log_state()
    newest = notes.Checkpoint.parse(notes.SignedNote.parse(state.checkpoint).text)

    def prefix() -> Sequence[tuple[str | Promise, str]]:
        if not 0 < old.size <= newest.size:
            raise merkle.ProofInvalid(f"the log published no checkpoint of size {old.size}")
        path = tiles.prove_consistency(queries.StoredHashes(), old.size, newest.size)
        merkle.verify_consistency(
            old_size=old.size,
            new_size=newest.size,
            old_root=old.root,
            new_root=newest.root,
            path=path,
        )
        return (
            (_("现在的规模"), str(newest.size)),
            (_("现在的根"), b64(newest.root)),
            (_("一致性证明"), " ".join(b64(item) for item in path) or "–"),
        )

    checked.run(_("今天的登记簿是那时的延续，没有改写"), prefix)


def read_hash(text: str) -> bytes | None:
    """Read a hash of 32 bytes in hexadecimal digits or base64; None when it is neither."""
    plain = "".join(text.split())
    if _HEX_HASH.fullmatch(plain):
        return bytes.fromhex(plain)
    try:
        data = b64decode(plain, validate=True)
    except (BadBase64, ValueError):
        return None
    return data if len(data) == 32 else None


def check_leaf(leaf_hash: bytes, index: int) -> Checked:
    """Check that a leaf hash stands at an index of the published log, and write the proof out."""
    checked = Checked(kind="leaf", index=index)
    state = queries.log_state()
    if not 0 <= index < state.published_size:
        checked.problem = _("登记簿现有 %(size)s 条，没有第 %(index)s 号。") % {
            "size": state.published_size,
            "index": index,
        }
        return checked
    newest = notes.Checkpoint.parse(notes.SignedNote.parse(state.checkpoint).text)
    reader = queries.StoredHashes()
    path = tiles.prove_inclusion(reader, index, newest.size)

    def included() -> Sequence[tuple[str | Promise, str]]:
        merkle.verify_inclusion(
            leaf=leaf_hash, index=index, size=newest.size, path=path, root=newest.root
        )
        return (
            (_("叶哈希"), b64(leaf_hash)),
            (_("检查点规模"), str(newest.size)),
            (_("检查点的根"), b64(newest.root)),
        )

    if checked.run(_("条目在登记簿里，序号相符"), included):
        checked.time = state.published_at
        checked.hashings = hashings(leaf_hash, index, newest.size, path)
    return checked
