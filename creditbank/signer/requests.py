"""The typed requests: what the signer signs, and what it checks before.

There is no request that signs given bytes. Each names what it wants signed, the
signer builds or checks those bytes itself, and whatever it does not know is refused.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from creditbank.proofs import canonical, notes
from creditbank.proofs.canonical import Json, NotCanonical
from creditbank.proofs.manifests import Manifest
from creditbank.signer.attributes import ATTRIBUTES_MAX, check_signed_attributes
from creditbank.signer.errors import RequestRefused
from creditbank.signer.keys import KeyRing, multikey
from creditbank.signer.protocol import FRAME_MAX, REQUEST_MAX, SIGNED_JSON_TAG, Members, b64
from creditbank.signer.published import Published
from creditbank.signer.register import Register

log = logging.getLogger(__name__)

ENTRIES_MAX: Final = 10_000
STREAM_NAME_MAX: Final = 128
NUMBER_MAX: Final = 64
SEQUENCE_MAX: Final = 2**53 - 1
_LARGE: Final = frozenset({"trust"})
"""Requests that may be as large as a frame."""

TRUST: Final = "llcb/trust/v1"
STATUS: Final = "llcb/status/v1"

# The host name of whoever keeps the stream, then its own parts: a note's key name
# holds neither blanks nor plus signs, and no part is "." or "..".
_STREAM: Final = re.compile(r"[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*)*")

Answer = dict[str, Json]


@dataclass(frozen=True, kw_only=True)
class Peer:
    """The process at the other end, as the kernel names it."""

    pid: int
    uid: int


def _stream_name(members: Members) -> str:
    name = members.text("stream", longest=STREAM_NAME_MAX)
    if not _STREAM.fullmatch(name):
        raise RequestRefused("stream-name-invalid", "lower-case ASCII parts between slashes")
    return name


class Requests:
    """Answers requests. Safe for use by several threads."""

    def __init__(
        self, *, keys: KeyRing, register: Register, published: Published, bank_id: str
    ) -> None:
        self._keys = keys
        self._register = register
        self._published = published
        self._bank_id = bank_id
        self._handlers: Mapping[str, Callable[[Members], tuple[Answer, str]]] = {
            "public": self._public,
            "stream-key": self._stream_key,
            "manifest": self._manifest,
            "document": self._document,
            "trust": self._trust,
            "pades": self._pades,
            "crl": self._crl,
        }

    def answer(self, payload: bytes, peer: Peer) -> bytes:
        """Answer one request with the bytes of the answer, and leave one line in the audit log.

        The line holds who asked, for what and with which result: names of streams
        and log indexes, nothing of a person.
        """
        started = time.perf_counter()
        do = subject = "-"
        try:
            do, members = self._parse(payload)
            fields, subject = self._handlers[do](members)
            members.end()
            answer: Answer = {"ok": True, **fields}
            result = "ok"
        except RequestRefused as refusal:
            answer = {"ok": False, "code": refusal.code, "detail": refusal.detail}
            result = f"refused {refusal.code}"
        except Exception:
            # One odd request must not end the signer; the traceback holds no message bytes.
            log.exception("request %s failed", do)
            answer = {"ok": False, "code": "failed", "detail": "see the signer's log"}
            result = "failed"
        log.info(
            "do=%s %s uid=%d pid=%d us=%d: %s",
            do,
            subject,
            peer.uid,
            peer.pid,
            (time.perf_counter() - started) * 1e6,
            result,
        )
        return canonical.encode(answer)

    def _parse(self, payload: bytes) -> tuple[str, Members]:
        members = _canonical_object(payload)
        do = members.pop("do", None)
        if not isinstance(do, str) or do not in self._handlers:
            raise RequestRefused("unknown-request", f"do: one of {', '.join(self._handlers)}")
        if len(payload) > REQUEST_MAX and do not in _LARGE:
            raise RequestRefused("too-large", f"at most {REQUEST_MAX} bytes")
        return do, Members(members)

    def _public(self, members: Members) -> tuple[Answer, str]:
        members.end()
        keys = self._keys
        streams = {
            name: {"algorithm": signer.algorithm, "public": b64(signer.public)}
            for name, signer in keys.streams().items()
        }
        return {
            "log_vkey": keys.log.key().vkey,
            "cosigner_vkeys": [keys.cosigner.key().vkey, keys.cosigner_pq.key().vkey],
            "document_multikey": multikey(keys.document.public),
            "pades_chain": [b64(certificate) for certificate in keys.pades_chain],
            "streams": streams,
        }, "-"

    def _stream_key(self, members: Members) -> tuple[Answer, str]:
        name = _stream_name(members)
        members.end()
        signer = self._keys.stream_or_new(name)
        return {
            "algorithm": signer.algorithm,
            "public": b64(signer.public),
            "possession": b64(self._keys.possession(name)),
        }, f"stream={name}"

    def _manifest(self, members: Members) -> tuple[Answer, str]:
        name = _stream_name(members)
        manifest = Manifest(
            stream=name,
            count=members.integer("count", least=1, most=ENTRIES_MAX, code="count-out-of-range"),
            first=members.integer("first", least=0, most=SEQUENCE_MAX),
            root=members.data("root", least=32, most=32),
            previous=members.data("previous", least=32, most=32),
        )
        members.end()
        signer = notes.NoteSigner(name, notes.ED25519, self._keys.stream(name))
        note = notes.sign_note(manifest.text(), signer).encode()
        return {"note": b64(note)}, f"stream={name} first={manifest.first} count={manifest.count}"

    def _document(self, members: Members) -> tuple[Answer, str]:
        options = members.data("proof_options_hash", least=32, most=32)
        document = members.data("document_hash", least=32, most=32)
        number = members.text("number", longest=NUMBER_MAX)
        index = members.integer("index", least=0, most=SEQUENCE_MAX)
        members.end()
        self._register.check_registered(number, index)
        # W3C Data Integrity EdDSA Cryptosuites 1.0 section 3.2.4: options first.
        signature = self._keys.document.sign(options + document)
        return {"signature": b64(signature)}, f"index={index}"

    def _trust(self, members: Members) -> tuple[Answer, str]:
        text = members.text("body", longest=FRAME_MAX)
        members.end()
        body = text.encode()
        kind = self._check_trust(body)
        return {"signature": b64(self._keys.document.sign(SIGNED_JSON_TAG + body))}, f"type={kind}"

    def _check_trust(self, body: bytes) -> str:
        """Check a trust list or status snapshot as far as the signer knows better; return its type."""
        members = _canonical_object(body)
        kind = members.get("type")
        if kind not in (TRUST, STATUS):
            raise RequestRefused("type-unknown", f"the body must be of type {TRUST} or {STATUS}")
        if kind == TRUST:
            cosigners = [self._keys.cosigner.key().vkey, self._keys.cosigner_pq.key().vkey]
            known: dict[str, Json] = {
                "bank_id": self._bank_id,
                "log_vkey": self._keys.log.key().vkey,
                "cosigner_vkeys": cosigners,
            }
            for name, value in known.items():
                if name in members and members[name] != value:
                    raise RequestRefused("differs", f"{name} is not this bank's")
        elif "size" in members:
            size, published = members["size"], self._published.newest()
            if type(size) is not int or published is None or not 0 <= size <= published.size:
                raise RequestRefused("not-published", "the status is of a size not yet published")
        return str(kind)

    def _pades(self, members: Members) -> tuple[Answer, str]:
        attributes = members.data("signed_attributes", least=1, most=ATTRIBUTES_MAX)
        number = members.text("number", longest=NUMBER_MAX)
        members.end()
        check_signed_attributes(attributes, certificate=self._keys.pades_chain[0])
        self._register.check_number(number)
        return {"signature": b64(self._keys.sign_pades(attributes))}, "-"

    def _crl(self, members: Members) -> tuple[Answer, str]:
        members.end()
        return {"crl": b64(self._keys.crl(datetime.now(UTC)))}, "-"


def _canonical_object(data: bytes) -> dict[str, Json]:
    try:
        value = canonical.decode(data)
    except NotCanonical as error:
        raise RequestRefused("malformed", f"canonical JSON is expected: {error}") from None
    if not isinstance(value, dict):
        raise RequestRefused("malformed", "an object is expected")
    return value
