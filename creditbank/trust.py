"""What an offline verifier believes beforehand: the bank's trust list and its status snapshot.

Both are canonical JSON signed with the bank's document key over
`llcb/signed-json/v1` NUL body, on the wire `{"body": text, "signature": base64}`.
The trust list is the root: whoever verifies has it from the bank itself. Its own
signature shows that it came whole, and with `pinned` that it follows an earlier
one; the status snapshot is believed for the keys in the list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

import orjson

from creditbank.errors import DomainError
from creditbank.multikeys import MultikeyInvalid, multikey, public_of
from creditbank.proofs import canonical
from creditbank.proofs.bundles import verify_checkpoint
from creditbank.proofs.canonical import NotCanonical
from creditbank.proofs.notes import NoteKey, NoteMalformed, SignedNote, b64, unb64
from creditbank.proofs.signatures import (
    ED25519,
    KeyInvalid,
    SignatureInvalid,
    Verifier,
    verifier,
)

Json = Any

TRUST: Final = "llcb/trust/v1"
STATUS: Final = "llcb/status/v1"
TAG: Final = b"llcb/signed-json/v1\0"
BYTES_MAX: Final = 64 << 20


class TrustInvalid(DomainError):
    """A trust list or status snapshot that cannot be believed; the message says why."""

    code: ClassVar[str] = "trust-invalid"


@dataclass(frozen=True, kw_only=True)
class StreamKey:
    """A stream's key and the log indexes between which it signs.

    It signs manifests from `added` on, none from `retired` on; what it signed
    from `compromised_from` on may be someone else's.
    """

    algorithm: str
    public: bytes
    added: int
    retired: int | None = None
    compromised_from: int | None = None

    def in_force(self, index: int) -> bool:
        """Say whether the key signs for its stream in a manifest at a log index."""
        return (
            self.added <= index
            and (self.retired is None or index < self.retired)
            and (self.compromised_from is None or index < self.compromised_from)
        )


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A stream, the institution it belongs to, and all keys it ever had."""

    name: str
    institution: str
    uscc: str
    keys: tuple[StreamKey, ...]


@dataclass(frozen=True, kw_only=True)
class TrustList:
    """The bank's keys as published: number, log, cosigners, documents, PDF roots, streams."""

    bank_id: str
    number: int
    size: int
    time: datetime
    log_key: NoteKey
    cosigners: tuple[NoteKey, ...]
    genesis: tuple[bytes, ...]
    methods: Mapping[str, tuple[str, bytes]]
    """Verification method -> (DID, Ed25519 public key)."""
    pades_roots: tuple[bytes, ...]
    streams: Mapping[str, Stream]

    @property
    def dids(self) -> frozenset[str]:
        """The identifiers that the bank issues documents under."""
        return frozenset(did for did, _ in self.methods.values())

    @property
    def bank_stream(self) -> str:
        """The stream of the bank itself, which registers documents."""
        return f"{self.bank_id}/bank"

    def stream_keys(self, stream: str, index: int) -> Sequence[Verifier]:
        """Return the keys in force for a stream's manifest at a log index."""
        known = self.streams.get(stream)
        if known is None:
            return ()
        return [verifier(key.algorithm, key.public) for key in known.keys if key.in_force(index)]


@dataclass(frozen=True, kw_only=True)
class Revocation:
    """A revoked document: why, the number of its successor if any, the entry that says so."""

    reason: str
    successor: str
    index: int


@dataclass(frozen=True, kw_only=True)
class Reversal:
    """A reversed or expired entry: why, and the entry that says so."""

    reason: str
    index: int


@dataclass(frozen=True, kw_only=True)
class Status:
    """Everything revoked or reversed in the first `size` entries of the log, as of `at`."""

    size: int
    at: datetime
    revoked: Mapping[bytes, Revocation]
    reversed: Mapping[bytes, Reversal]


# -- DID documents ----------------------------------------------------------------------------


def verification_method(did: str, public: bytes) -> str:
    """Return the full address of a document key: the DID, and the key itself as fragment."""
    return f"{did}#{multikey(public)}"


def did_document(did: str, publics: Sequence[bytes]) -> dict[str, Json]:
    """Make the bank's DID document: all document keys it ever had, newest first.

    Old keys stay, or old documents could no longer be checked. Controlled
    Identifiers 1.0; `assertionMethod` is a list of texts, as other verifiers want it.
    """
    methods = [verification_method(did, public) for public in publics]
    return {
        "@context": [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/multikey/v1",
        ],
        "id": did,
        "verificationMethod": [
            {
                "id": method,
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": multikey(public),
            }
            for method, public in zip(methods, publics, strict=True)
        ],
        "assertionMethod": methods,
    }


# -- writing ----------------------------------------------------------------------------------


def trust_body(
    *,
    bank_id: str,
    number: int,
    checkpoint: str,
    log_vkey: str,
    cosigner_vkeys: Sequence[str],
    genesis: Sequence[bytes],
    did_documents: Sequence[Mapping[str, Json]],
    pades_roots: Sequence[bytes],
    streams: Sequence[Stream],
) -> str:
    """Write the body of a trust list, ready to be signed."""
    return canonical.encode(
        {
            "type": TRUST,
            "bank_id": bank_id,
            "number": number,
            "checkpoint": checkpoint,
            "log_vkey": log_vkey,
            "cosigner_vkeys": list(cosigner_vkeys),
            "genesis": [b64(item) for item in genesis],
            "did_documents": [dict(document) for document in did_documents],
            "pades_roots": [b64(item) for item in pades_roots],
            "streams": {
                stream.name: {
                    "institution": stream.institution,
                    "uscc": stream.uscc,
                    "keys": [
                        {
                            "algorithm": key.algorithm,
                            "public": b64(key.public),
                            "added": key.added,
                            "retired": key.retired,
                            "compromised_from": key.compromised_from,
                        }
                        for key in stream.keys
                    ],
                }
                for stream in streams
            },
        }
    ).decode()


def status_body(
    *,
    size: int,
    at: datetime,
    revoked: Mapping[bytes, Revocation],
    reversed: Mapping[bytes, Reversal],
) -> str:
    """Write the body of a status snapshot, ready to be signed."""
    return canonical.encode(
        {
            "type": STATUS,
            "size": size,
            "at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "revoked": {
                digest.hex(): {
                    "reason": item.reason,
                    "successor": item.successor,
                    "index": item.index,
                }
                for digest, item in revoked.items()
            },
            "reversed": {
                leaf.hex(): {"index": item.index, "reason": item.reason}
                for leaf, item in reversed.items()
            },
        }
    ).decode()


def wire(body: str, sign: Callable[[bytes], bytes]) -> bytes:
    """Sign a body and put both into the file that is published; `sign` gets the tagged bytes."""
    return encode(body, sign(TAG + body.encode()))


def encode(body: str, signature: bytes) -> bytes:
    """Put a body and its signature into the file that is published."""
    return canonical.encode({"body": body, "signature": b64(signature)})


# -- reading ----------------------------------------------------------------------------------


def parse_trust(data: bytes, *, pinned: bytes | None = None) -> TrustList:
    """Read a trust list. Raises TrustInvalid.

    Its signature must be of a document key it names; with `pinned`, of that
    very Ed25519 key (32 bytes), known from an earlier list or told by the bank.
    """
    body, signature, members = _open(data, TRUST)
    try:
        trust = _trust(members)
    except _SHAPE as error:
        raise TrustInvalid(f"the trust list is malformed: {error}") from error
    publics = [public for _, public in trust.methods.values()]
    if pinned is not None:
        publics = [public for public in publics if public == pinned]
    _check(body, signature, publics)
    return trust


def parse_status(data: bytes, trust: TrustList) -> Status:
    """Read a status snapshot signed with a document key of the trust list. Raises TrustInvalid."""
    body, signature, members = _open(data, STATUS)
    _check(body, signature, [public for _, public in trust.methods.values()])
    try:
        return Status(
            size=_count(members["size"]),
            at=datetime.strptime(members["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
            revoked={
                _digest(name): Revocation(
                    reason=_text(item["reason"]),
                    successor=_text(item["successor"]),
                    index=_count(item["index"]),
                )
                for name, item in members["revoked"].items()
            },
            reversed={
                _digest(name): Reversal(reason=_text(item["reason"]), index=_count(item["index"]))
                for name, item in members["reversed"].items()
            },
        )
    except _SHAPE as error:
        raise TrustInvalid(f"the status snapshot is malformed: {error}") from error


_SHAPE: Final = (
    AttributeError,
    KeyError,
    TypeError,
    ValueError,  # also NoteMalformed, NotCanonical, KeyInvalid, SignatureInvalid
    MultikeyInvalid,
)


def _open(data: bytes, kind: str) -> tuple[bytes, bytes, dict[str, Json]]:
    if len(data) > BYTES_MAX:
        raise TrustInvalid("the file is too large")
    try:
        outer = orjson.loads(data)
        if not isinstance(outer, dict) or set(outer) != {"body", "signature"}:
            raise TrustInvalid("the file is no signed list of a bank")
        body = _text(outer["body"]).encode()
        members: Json = canonical.decode(body)
        signature = unb64(_text(outer["signature"]))
    except (NotCanonical, NoteMalformed, TypeError, ValueError) as error:
        raise TrustInvalid(f"the file is no signed list of a bank: {error}") from error
    if not isinstance(members, dict) or members.get("type") != kind:
        raise TrustInvalid(f"the file is not of type {kind}")
    return body, signature, members


def _check(body: bytes, signature: bytes, publics: Sequence[bytes]) -> None:
    for public in publics:
        try:
            verifier(ED25519, public).verify(TAG + body, signature)
        except SignatureInvalid:
            continue
        return
    raise TrustInvalid("the signature is not of a document key of the bank")


def _trust(members: dict[str, Json]) -> TrustList:
    log_key = NoteKey.parse_vkey(_text(members["log_vkey"]))
    cosigners = tuple(NoteKey.parse_vkey(_text(text)) for text in members["cosigner_vkeys"])
    note = SignedNote.parse(_text(members["checkpoint"]).encode())
    moment = verify_checkpoint(note, log_key=log_key, cosigners=cosigners)
    return TrustList(
        bank_id=_text(members["bank_id"]),
        number=_count(members["number"]),
        size=int(note.text.split("\n")[1]),
        time=datetime.fromtimestamp(moment, UTC),
        log_key=log_key,
        cosigners=cosigners,
        genesis=tuple(unb64(_text(text)) for text in members["genesis"]),
        methods=_methods(members["did_documents"]),
        pades_roots=tuple(unb64(_text(text)) for text in members["pades_roots"]),
        streams={
            name: Stream(
                name=name,
                institution=_text(item["institution"]),
                uscc=_text(item["uscc"]),
                keys=tuple(_stream_key(key) for key in item["keys"]),
            )
            for name, item in members["streams"].items()
        },
    )


def _stream_key(item: dict[str, Json]) -> StreamKey:
    key = StreamKey(
        algorithm=_text(item["algorithm"]),
        public=unb64(_text(item["public"])),
        added=_count(item["added"]),
        retired=None if item["retired"] is None else _count(item["retired"]),
        compromised_from=None
        if item["compromised_from"] is None
        else _count(item["compromised_from"]),
    )
    verifier(key.algorithm, key.public)
    return key


def _methods(documents: Json) -> dict[str, tuple[str, bytes]]:
    """Read the keys that may sign documents: those listed under `assertionMethod`."""
    methods: dict[str, tuple[str, bytes]] = {}
    for document in documents:
        did = _text(document["id"])
        allowed = document["assertionMethod"]
        for method in document["verificationMethod"]:
            name = _text(method["id"])
            if method["controller"] != did or not name.startswith(f"{did}#"):
                raise TrustInvalid("a key of the DID document is controlled by another")
            if name in allowed:
                public = public_of(_text(method["publicKeyMultibase"]))
                verifier(ED25519, public)
                methods[name] = (did, public)
    if not methods:
        raise TrustInvalid("the trust list names no key that signs documents")
    return methods


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    return value


def _count(value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError("a whole number is expected")
    return value


def _digest(text: Json) -> bytes:
    data = bytes.fromhex(_text(text))
    if len(data) != 32 or data.hex() != text:
        raise ValueError("a digest of 32 bytes in hexadecimal is expected")
    return data


__all__ = [
    "STATUS",
    "TAG",
    "TRUST",
    "KeyInvalid",
    "Reversal",
    "Revocation",
    "Status",
    "Stream",
    "StreamKey",
    "TrustInvalid",
    "TrustList",
    "did_document",
    "encode",
    "parse_status",
    "parse_trust",
    "status_body",
    "trust_body",
    "verification_method",
    "wire",
]
