"""A submission: openings, the leaves that follow from them, and the manifest over the leaves.

Pure: the same code runs at the institution, which prepares and signs, and at
the bank, which derives every leaf again and compares one root. On the wire a
submission is one line `llcb/submission/v1 <length of the note>`, the signed
manifest note, and the openings, one a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from creditbank.errors import DomainError, Problem, Refusals
from creditbank.proofs import commitments, merkle
from creditbank.proofs.canonical import NotCanonical
from creditbank.proofs.manifests import Manifest
from creditbank.proofs.notes import NoteMalformed, SignedNote

HEADER: Final = b"llcb/submission/v1 "
ENTRIES_MAX: Final = 10_000
NOTE_MAX: Final = 8_192
OPENING_MAX: Final = 8_192
BYTES_MAX: Final = 32 << 20


class SubmissionMalformed(Refusals):
    """The bytes are not a submission, or its openings do not give the root that was signed."""

    code: ClassVar[str] = "submission-malformed"


class SubmissionTooLarge(DomainError):
    """More entries or bytes than one submission may hold."""

    code: ClassVar[str] = "submission-too-large"


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A submission as received: signed manifest and openings, not yet checked against each other."""

    note: bytes
    signed: SignedNote
    manifest: Manifest
    openings: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True)
class Leaves:
    """The leaves of a submission in their order, what was opened, and the root over their hashes."""

    opened: list[commitments.Opened]
    rows: commitments.Leaves
    root: bytes


def _malformed(code: str, message: str, **where: int | str) -> SubmissionMalformed:
    row = where.get("row")
    return SubmissionMalformed(
        [
            Problem(
                code=code,
                message=message,
                row=row if isinstance(row, int) else None,
                expected=str(where.get("expected", "")) or None,
                value=str(where.get("value", "")) or None,
            )
        ]
    )


def parse(data: bytes) -> Submission:
    """Read a submission's bytes. Raises SubmissionMalformed or SubmissionTooLarge.

    Nothing is believed yet: the signature is checked by the caller, the root by `derive`.
    """
    if len(data) > BYTES_MAX:
        raise SubmissionTooLarge(bytes=len(data), expected=BYTES_MAX)
    head, newline, rest = data.partition(b"\n")
    length = head[len(HEADER) :]
    if not newline or not head.startswith(HEADER) or not length.isdigit() or len(length) > 5:
        raise _malformed("submission-header", "第一行必须是 llcb/submission/v1 加清单字节数")
    size = int(length)
    if not 0 < size <= min(NOTE_MAX, len(rest)):
        raise _malformed("submission-header", "清单的字节数不对", value=size)
    note = rest[:size]
    try:
        signed = SignedNote.parse(note)
        manifest = Manifest.parse(signed.text)
    except NoteMalformed as error:
        raise _malformed("manifest-malformed", f"清单无法读取：{error}") from error
    if not 1 <= manifest.count <= ENTRIES_MAX:
        raise SubmissionTooLarge(entries=manifest.count, expected=ENTRIES_MAX)
    openings = tuple(rest[size:].split(b"\n"))
    if len(openings) != manifest.count:
        raise _malformed(
            "submission-count",
            "开启内容的行数与清单不符",
            value=len(openings),
            expected=manifest.count,
        )
    return Submission(note=note, signed=signed, manifest=manifest, openings=openings)


def read(openings: Sequence[bytes]) -> list[commitments.Opened]:
    """Read openings. Raises SubmissionMalformed naming the first row that is not canonical."""
    try:
        return commitments.read_openings(openings)
    except NotCanonical as error:
        raise _not_canonical(error) from error


def number(stream: str, first: int, opened: list[commitments.Opened]) -> Leaves:
    """Derive the leaves of openings numbered `first`, `first + 1`, ... in a stream.

    Raises SubmissionMalformed naming the first row that gives no leaf.
    """
    try:
        rows = commitments.number(stream, first, opened)
    except NotCanonical as error:
        raise _not_canonical(error) from error
    return Leaves(opened=opened, rows=rows, root=merkle.root_of([digest for _, digest in rows]))


def derive(stream: str, first: int, openings: Sequence[bytes]) -> Leaves:
    """Read openings and derive their leaves. Raises SubmissionMalformed."""
    return number(stream, first, read(openings))


def _not_canonical(error: NotCanonical) -> SubmissionMalformed:
    return _malformed(
        "opening-not-canonical",
        f"开启内容不是规范化的 JSON：{error}",
        row=(error.position or 0) + 1,
    )


def check_root(submission: Submission, leaves: Leaves) -> None:
    """Compare the derived root with the signed one. Raises SubmissionMalformed."""
    if leaves.root != submission.manifest.root:
        raise _malformed("manifest-root", "由开启内容算出的根与清单签名的根不同")


def encode(note: bytes, openings: Sequence[bytes]) -> bytes:
    """Put a signed manifest note and its openings into a submission's bytes."""
    return HEADER + str(len(note)).encode() + b"\n" + note + b"\n".join(openings)
