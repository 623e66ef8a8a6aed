"""Signed notes, checkpoints, cosignatures and log proofs, as C2SP specifies them.

signed-note v1, tlog-checkpoint v1, tlog-cosignature v1 (Ed25519 and ML-DSA-44)
and tlog-proof v1. A note's text is believed only after `verify_note`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from creditbank.proofs.signatures import (
    ED25519 as ED25519_ALGORITHM,
)
from creditbank.proofs.signatures import (
    ML_DSA_44,
    KeyInvalid,
    SignatureInvalid,
    Signer,
    Verifier,
    verifier,
)

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04
ML_DSA_COSIGNATURE: Final = 0x06
LINES_MAX: Final = 16
NOTE_MAX: Final = 128 * 1024
PROOF_MAX: Final = 512 * 1024
SIZE_MAX: Final = 2**63 - 1
TIMESTAMP_MAX: Final = 2**63 - 1
PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"

_ALGORITHMS: Final = {
    ED25519: ED25519_ALGORITHM,
    COSIGNATURE: ED25519_ALGORITHM,
    ML_DSA_COSIGNATURE: ML_DSA_44,
}
_NAME: Final = re.compile(r"[^\s+\x00-\x1f]+\Z")
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_FORBIDDEN: Final = re.compile("[\x00-\x09\x0b-\x1f]")
_DASH: Final = "\u2014 "


class NoteMalformed(ValueError):
    """Bytes that are no signed note, checkpoint or proof."""


def b64(data: bytes) -> str:
    """Encode bytes as standard base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def unb64(text: str) -> bytes:
    """Read base64 that is spelt the one canonical way. Raises NoteMalformed."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteMalformed("not base64") from None
    if b64(data) != text:
        raise NoteMalformed("base64 in another spelling")
    return data


def decimal(text: str) -> int:
    """Read a decimal number below 2**63 without sign or leading zeroes. Raises NoteMalformed."""
    if not _DECIMAL.fullmatch(text) or int(text) > SIZE_MAX:
        raise NoteMalformed(f"not a decimal number: {text[:24]!r}")
    return int(text)


@dataclass(frozen=True)
class SignatureLine:
    """One signature line: the key's name and 4-byte id, and the signature."""

    name: str
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise NoteMalformed("a key name is empty or holds blanks or a plus")
        if len(self.key_id) != 4 or not self.signature:
            raise NoteMalformed("a signature line is too short")

    def encode(self) -> str:
        """Return the line with its newline."""
        return f"{_DASH}{self.name} {b64(self.key_id + self.signature)}\n"

    @classmethod
    def parse(cls, line: str) -> SignatureLine:
        """Read a line without its newline. Raises NoteMalformed."""
        name, blank, encoded = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not blank:
            raise NoteMalformed("a signature line is malformed")
        blob = unb64(encoded)
        return cls(name, blob[:4], blob[4:])


def _check_text(text: str) -> None:
    if not text.endswith("\n") or _FORBIDDEN.search(text):
        raise NoteMalformed("a note's text ends in a newline and holds no control characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NoteMalformed("a note's text holds a lone surrogate") from None


@dataclass(frozen=True)
class SignedNote:
    """A text that ends in a newline, and the 1 to 16 signature lines under it."""

    text: str
    lines: tuple[SignatureLine, ...]

    def __post_init__(self) -> None:
        _check_text(self.text)
        if not 1 <= len(self.lines) <= LINES_MAX:
            raise NoteMalformed(f"a note has 1 to {LINES_MAX} signature lines")

    @classmethod
    def parse(cls, data: bytes) -> SignedNote:
        """Read a signed note; nothing in it is believed yet. Raises NoteMalformed."""
        if len(data) > NOTE_MAX:
            raise NoteMalformed("the note is too long")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise NoteMalformed("the note is not UTF-8") from None
        body, separator, tail = text.rpartition("\n\n")
        if not separator or not tail.endswith("\n"):
            raise NoteMalformed("the note has no signature lines")
        lines = tail[:-1].split("\n")
        if len(lines) > LINES_MAX:
            raise NoteMalformed(f"a note has 1 to {LINES_MAX} signature lines")
        return cls(body + "\n", tuple(SignatureLine.parse(line) for line in lines))

    def encode(self) -> bytes:
        """Return the note's bytes."""
        return (self.text + "\n" + "".join(line.encode() for line in self.lines)).encode()


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """Return a key's 4-byte id: SHA-256(name | LF | type | public key), cut."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


@dataclass(frozen=True)
class NoteKey:
    """A key that signs notes under a name, as a verifier was configured with it."""

    name: str
    type: int
    verifier: Verifier

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise KeyInvalid("a key name is empty or holds blanks or a plus")
        if _ALGORITHMS.get(self.type) != self.verifier.algorithm:
            raise KeyInvalid(f"signature type {self.type:#x} is not {self.verifier.algorithm}")

    @property
    def key_id(self) -> bytes:
        """The 4-byte id of the name, type and public key."""
        return key_id(self.name, self.type, self.verifier.public)

    @property
    def vkey(self) -> str:
        """The verifier key in one line: name+id+base64(type | public key)."""
        blob = bytes([self.type]) + self.verifier.public
        return f"{self.name}+{self.key_id.hex()}+{b64(blob)}"

    @classmethod
    def parse_vkey(cls, text: str) -> NoteKey:
        """Read a verifier key. Raises KeyInvalid when it is malformed or its id is another's."""
        name, _, rest = text.partition("+")
        identifier, _, encoded = rest.partition("+")
        try:
            blob = unb64(encoded)
        except NoteMalformed as error:
            raise KeyInvalid(str(error)) from error
        if not blob or blob[0] not in _ALGORITHMS:
            raise KeyInvalid("a verifier key of an unknown type")
        key = cls(name, blob[0], verifier(_ALGORITHMS[blob[0]], blob[1:]))
        if key.key_id.hex() != identifier:
            raise KeyInvalid("the verifier key's id is not that of its bytes")
        return key


@dataclass(frozen=True)
class NoteSigner:
    """A key that signs notes under a name."""

    name: str
    type: int
    signer: Signer

    def key(self) -> NoteKey:
        """Return what a verifier needs."""
        return NoteKey(self.name, self.type, verifier(self.signer.algorithm, self.signer.public))


def sign_note(text: str, *signers: NoteSigner) -> SignedNote:
    """Sign a text (which ends in a newline) with plain Ed25519 note keys.

    Raises NoteMalformed for a text no note can hold, KeyInvalid for another type of key.
    """
    _check_text(text)
    lines = []
    for one in signers:
        if one.type != ED25519:
            raise KeyInvalid("a plain note line is Ed25519")
        identifier = key_id(one.name, one.type, one.signer.public)
        lines.append(SignatureLine(one.name, identifier, one.signer.sign(text.encode())))
    return SignedNote(text, tuple(lines))


def verify_note(
    note: SignedNote, keys: Iterable[NoteKey], *, required: int = 1
) -> tuple[NoteKey, ...]:
    """Check every line of a known key; return the keys that signed.

    Lines of unknown keys are passed over. Raises SignatureInvalid when a known
    key's line does not verify, or fewer than `required` known keys signed.
    Cosignature keys are checked over the checkpoint the text must then be.
    """
    known = {(key.name, key.key_id): key for key in keys}
    signed: dict[tuple[str, bytes], NoteKey] = {}
    for line in note.lines:
        key = known.get((line.name, line.key_id))
        if key is None:
            continue
        if key.type == ED25519:
            key.verifier.verify(note.text.encode(), line.signature)
        else:
            try:
                verify_cosignature(Checkpoint.parse(note.text), line, key)
            except NoteMalformed as error:
                raise SignatureInvalid(str(error)) from error
        signed[line.name, line.key_id] = key
    if len(signed) < required:
        raise SignatureInvalid(f"{len(signed)} known keys signed, {required} must")
    return tuple(signed.values())


@dataclass(frozen=True)
class Checkpoint:
    """A tree head: the log's origin, how many leaves, the root over them (tlog-checkpoint)."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not self.origin or "\n" in self.origin or _FORBIDDEN.search(self.origin):
            raise NoteMalformed("a log's origin is one line of text")
        if not 0 <= self.size <= SIZE_MAX or len(self.root) != 32:
            raise NoteMalformed("a checkpoint is of a size and a root of 32 bytes")

    def text(self) -> str:
        """Return the three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{b64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read a checkpoint's text; extension lines are refused. Raises NoteMalformed."""
        parts = text.split("\n")
        if len(parts) != 4 or parts[3]:
            raise NoteMalformed("a checkpoint is three lines")
        return cls(parts[0], decimal(parts[1]), unb64(parts[2]))


def _opaque(text: str) -> bytes:
    data = text.encode()
    if not 1 <= len(data) <= 255:
        raise NoteMalformed("a name is 1 to 255 bytes")
    return bytes([len(data)]) + data


def _cosigned(checkpoint: Checkpoint, kind: int, name: str, timestamp: int) -> bytes:
    """Return the bytes a cosignature signs."""
    if kind == COSIGNATURE:
        return f"cosignature/v1\ntime {timestamp}\n{checkpoint.text()}".encode()
    return b"".join(
        (
            b"subtree/v1\n\0",
            _opaque(name),
            timestamp.to_bytes(8, "big"),
            _opaque(checkpoint.origin),
            bytes(8),
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def cosign(checkpoint: Checkpoint, *, name: str, signer: Signer, timestamp: int) -> SignatureLine:
    """Cosign a checkpoint at a POSIX time, with the type that fits the signer's algorithm.

    Raises NoteMalformed for a time outside 1 .. 2**63 - 1 or a name or origin over 255 bytes.
    """
    if signer.algorithm not in (ED25519_ALGORITHM, ML_DSA_44):
        raise KeyInvalid(f"{signer.algorithm} has no cosignature type")
    kind = COSIGNATURE if signer.algorithm == ED25519_ALGORITHM else ML_DSA_COSIGNATURE
    if not 0 < timestamp <= TIMESTAMP_MAX:
        raise NoteMalformed("a cosignature's time is out of range")
    signature = signer.sign(_cosigned(checkpoint, kind, name, timestamp))
    return SignatureLine(
        name, key_id(name, kind, signer.public), timestamp.to_bytes(8, "big") + signature
    )


def cosignature_time(line: SignatureLine) -> int:
    """Return the POSIX time in a cosignature line. Believe it after `verify_cosignature`.

    Raises NoteMalformed when the line holds none.
    """
    timestamp = int.from_bytes(line.signature[:8], "big")
    if len(line.signature) <= 8 or timestamp > TIMESTAMP_MAX:
        raise NoteMalformed("a cosignature holds no time")
    return timestamp


def verify_cosignature(checkpoint: Checkpoint, line: SignatureLine, key: NoteKey) -> int:
    """Check a cosignature line and return its POSIX time. Raises SignatureInvalid."""
    if key.type == ED25519 or (line.name, line.key_id) != (key.name, key.key_id):
        raise SignatureInvalid("the line is not of this cosigner")
    try:
        timestamp = cosignature_time(line)
        message = _cosigned(checkpoint, key.type, key.name, timestamp)
    except NoteMalformed as error:
        raise SignatureInvalid(str(error)) from error
    key.verifier.verify(message, line.signature[8:])
    return timestamp


@dataclass(frozen=True, kw_only=True)
class TlogProof:
    """A proof that a leaf stands at an index of a checkpointed tree (tlog-proof)."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: SignedNote
    extra: bytes = b""

    def encode(self) -> bytes:
        """Return the proof's bytes."""
        lines = [PROOF_HEADER]
        if self.extra:
            lines.append(f"extra {b64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [b64(item) for item in self.path]
        return ("\n".join(lines) + "\n\n").encode() + self.checkpoint.encode()

    @classmethod
    def parse(cls, data: bytes) -> TlogProof:
        """Read a proof; nothing in it is believed yet. Raises NoteMalformed."""
        if len(data) > PROOF_MAX:
            raise NoteMalformed("the proof is too long")
        head, separator, note = data.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise NoteMalformed("the proof is not ASCII") from None
        if not separator or lines.pop(0) != PROOF_HEADER:
            raise NoteMalformed("not a log proof")
        extra = b""
        if lines and lines[0].startswith("extra "):
            extra = unb64(lines.pop(0).removeprefix("extra "))
            if not extra:
                raise NoteMalformed("an empty extra line")
        if not lines or not lines[0].startswith("index "):
            raise NoteMalformed("the proof names no index")
        index = decimal(lines.pop(0).removeprefix("index "))
        path = tuple(unb64(line) for line in lines)
        if len(path) > 63 or any(len(item) != 32 for item in path):
            raise NoteMalformed("a path hash is not 32 bytes")
        return cls(index=index, path=path, checkpoint=SignedNote.parse(note), extra=extra)
