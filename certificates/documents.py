"""The transcript document: made from values, registered by its digest, then signed.

Pure. The order is register, then sign: the digest of the document without
registration and proof goes into the ledger; the ledger's proof of that entry
goes into the document; then the document is signed. A document so carries the
proof of its own registration, and what a stolen key signs later has none.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

import orjson

from certificates.formats import clr, dataintegrity
from certificates.formats.transcript import (
    Difference,
    Label,
    Totals,
    TranscriptData,
    TranscriptInvalid,
    TranscriptLine,
    differences,
)
from creditbank.errors import DomainError
from creditbank.proofs.bundles import ProofBundle

Json = Any
Document = dict[str, Json]
Sign = Callable[[bytes, bytes], bytes]

DEPTH_MAX: Final = 32
BYTES_MAX: Final = 5 << 20


class DocumentMalformed(DomainError):
    """Bytes that are not one JSON object as we read it; the facts say what is wrong."""

    code: ClassVar[str] = "document-malformed"


# -- bytes ------------------------------------------------------------------------------------


def encode(document: Document) -> bytes:
    """Write a document as UTF-8 JSON, indented for people who open the file."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _without_duplicates(pairs: list[tuple[str, Json]]) -> Document:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise DocumentMalformed("a name stands twice in one object", reason="duplicate")
    return members


def _refuse_constant(name: str) -> Json:
    raise DocumentMalformed(f"{name} is not JSON", reason="constant")


def _integer(text: str) -> int:
    if len(text) > 16:
        raise DocumentMalformed("a number that is too large", reason="number")
    return int(text)


def decode(data: bytes) -> Document:
    """Read a document's bytes: one JSON object, at most 5 MiB and 32 levels deep.

    Raises DocumentMalformed for anything else, for a name that stands twice
    (parsers disagree which one counts), for NaN and Infinity, for numbers
    beyond a double's integers and for lone surrogates.
    """
    if len(data) > BYTES_MAX:
        raise DocumentMalformed("too large", reason="size", bytes=len(data), expected=BYTES_MAX)
    try:
        value = json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
            parse_int=_integer,
        )
    except RecursionError:
        raise DocumentMalformed("nested too deeply", reason="depth") from None
    except (ValueError, UnicodeDecodeError):
        raise DocumentMalformed("not JSON", reason="syntax") from None
    if not isinstance(value, dict):
        raise DocumentMalformed("one object expected", reason="syntax")
    _check_depth(value)
    return value


def _check_depth(value: Json) -> None:
    level: list[Json] = [value]
    for _ in range(DEPTH_MAX):
        below: list[Json] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
                below.extend(item)
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, str):
                try:
                    item.encode()
                except UnicodeEncodeError:
                    raise DocumentMalformed("a lone surrogate", reason="text") from None
        if not below:
            return
        level = below
    raise DocumentMalformed("nested too deeply", reason="depth", expected=DEPTH_MAX)


# -- from values to the signed document -------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A document before registration, with its canonical statements (RDFC-1.0) kept.

    Canonicalising is the dear step. What registration adds hangs on nodes with
    identifiers of their own, so its statements are simply added to these.
    """

    document: Document
    statements: frozenset[str]

    @property
    def digest(self) -> bytes:
        """What is registered: SHA-256 over the canonical N-Quads, 32 bytes."""
        return dataintegrity.digest(self.statements)

    def registered(self, proof: str) -> Prepared:
        """Return the document with the proof that its digest is in the ledger."""
        evidence = _registration(self.document, proof)
        added = {
            "@context": list(clr.CONTEXTS),
            "id": self.document["id"],
            "type": self.document["type"],
            "evidence": [evidence],
        }
        return Prepared(
            document=clr.with_registration(self.document, evidence),
            statements=self.statements | dataintegrity.statements(added),
        )

    def signed(self, *, verification_method: str, created: datetime, sign: Sign) -> Document:
        """Return the document with its proof; `sign` gets both hashes and gives 64 bytes."""
        return {
            **self.document,
            "proof": dataintegrity.proof_of(
                self.document,
                self.statements,
                verification_method=verification_method,
                created=created,
                sign=sign,
            ),
        }


def prepare(data: TranscriptData) -> Prepared:
    """Make a transcript's document and its canonical statements."""
    document = build(data)
    return Prepared(document=document, statements=dataintegrity.statements(document))


def build(data: TranscriptData) -> Document:
    """Make the ClrCredential of a transcript, without registration and proof."""
    return clr.build(data)


def digest(document: Document) -> bytes:
    """Return what is registered of a document: its digest without registration and proof.

    SHA-256 over the canonical N-Quads (RDFC-1.0). Raises dataintegrity.NotSignable.
    """
    registered, _, _ = clr.split(document)
    return dataintegrity.digest(dataintegrity.statements(registered))


def with_registration(document: Document, proof: str) -> Document:
    """Return a copy of a document that carries the proof of its registration (a bundle's text)."""
    return clr.with_registration(document, _registration(document, proof))


def add_proof(
    document: Document, *, verification_method: str, created: datetime, sign: Sign
) -> Document:
    """Return a copy of a document with its eddsa-rdfc-2022 proof.

    `sign` gets the hash of the proof's options and the hash of the document
    (32 bytes each) and gives an Ed25519 signature over both, one after the other.
    """
    prepared = Prepared(document=document, statements=dataintegrity.statements(document))
    return prepared.signed(verification_method=verification_method, created=created, sign=sign)


def _registration(document: Document, proof: str) -> Document:
    index = ProofBundle.parse(proof.encode()).index
    return clr.registration(document["id"].rpartition("/v/")[0], index, proof)


__all__ = [
    "Difference",
    "DocumentMalformed",
    "Label",
    "Prepared",
    "Totals",
    "TranscriptData",
    "TranscriptInvalid",
    "TranscriptLine",
    "add_proof",
    "build",
    "decode",
    "differences",
    "digest",
    "encode",
    "prepare",
    "with_registration",
]
