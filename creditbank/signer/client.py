"""The signer as web and workers see it: one method a request, and no key in sight.

A client is cheap to make and safe for use by several threads: connections
belong to the thread and the process, and are kept between requests.
"""

from __future__ import annotations

import base64
import os
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import orjson

from creditbank.proofs import canonical
from creditbank.proofs.canonical import Json, NotCanonical
from creditbank.proofs.manifests import Manifest
from creditbank.signer.protocol import ConnectionLost, Frames, b64, socket_address

CONNECT_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 5.0
UNREACHABLE: Final = "register-unreachable"


class SignerError(Exception):
    """The signer gave no signature. `code` is stable, `facts` say more."""

    code: ClassVar[str] = "signer-error"

    def __init__(self, message: str = "", **facts: object) -> None:
        super().__init__(message or self.code)
        self.message = message
        self.facts = facts


class SignerUnavailable(SignerError):
    """The signer cannot be reached, or cannot reach the register: try again later."""

    code: ClassVar[str] = "signer-unavailable"


class SignerRefused(SignerError):
    """The signer refuses to sign this; `refusal` is the code of its answer."""

    code: ClassVar[str] = "signer-refused"

    def __init__(self, refusal: str, detail: str = "") -> None:
        super().__init__(f"{refusal}: {detail}", refusal=refusal, detail=detail)
        self.refusal = refusal
        self.detail = detail


@dataclass(frozen=True, kw_only=True)
class StreamPublic:
    """A hosted stream's public key."""

    algorithm: str
    public: bytes


@dataclass(frozen=True, kw_only=True)
class StreamKey:
    """A hosted stream's public key, and the signature that shows that the signer holds it."""

    algorithm: str
    public: bytes
    possession: bytes


@dataclass(frozen=True, kw_only=True)
class PublicKeys:
    """All that is public of the signer's keys.

    `log_vkey` and `cosigner_vkeys` are signed-note verifier keys, Ed25519 first;
    `document_multikey` starts with `z6Mk`; `pades_chain` holds the leaf's and the
    root's certificate in DER.
    """

    log_vkey: str
    cosigner_vkeys: tuple[str, ...]
    document_multikey: str
    pades_chain: tuple[bytes, ...]
    streams: Mapping[str, StreamPublic]


class _Connection:
    """One connection of one thread. It closes itself when the thread is gone."""

    def __init__(self, path: Path) -> None:
        self.process = os.getpid()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(CONNECT_SECONDS)
            with socket_address(path) as address:
                self._socket.connect(address)
            self._socket.settimeout(ANSWER_SECONDS)
        except BaseException:
            self._socket.close()
            raise
        self._frames = Frames(self._socket)

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def exchange(self, payload: bytes) -> bytes:
        """Send a request and return the answer. Raises OSError, ConnectionLost."""
        self._frames.send(payload)
        answer = self._frames.receive()
        if answer is None:
            raise ConnectionLost("closed instead of an answer")
        return answer


class _Kept(threading.local):
    """The connections that a thread keeps, by the socket's path."""

    def __init__(self) -> None:
        self.connections: dict[Path, _Connection] = {}


_kept = _Kept()


class SignerClient:
    """Asks the signer on a socket."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)

    def public(self) -> PublicKeys:
        """Return the public keys. Raises SignerUnavailable."""
        answer = self._ask({"do": "public"})
        return PublicKeys(
            log_vkey=answer["log_vkey"],
            cosigner_vkeys=tuple(answer["cosigner_vkeys"]),
            document_multikey=answer["document_multikey"],
            pades_chain=tuple(base64.b64decode(text) for text in answer["pades_chain"]),
            streams={
                name: StreamPublic(
                    algorithm=key["algorithm"], public=base64.b64decode(key["public"])
                )
                for name, key in answer["streams"].items()
            },
        )

    def stream_key(self, stream: str) -> StreamKey:
        """Return a hosted stream's key, which is made when it is new.

        Raises SignerRefused (`stream-name-invalid`), SignerUnavailable.
        """
        answer = self._ask({"do": "stream-key", "stream": stream})
        return StreamKey(
            algorithm=answer["algorithm"],
            public=base64.b64decode(answer["public"]),
            possession=base64.b64decode(answer["possession"]),
        )

    def manifest(self, manifest: Manifest) -> bytes:
        """Sign a hosted stream's manifest and return the whole note.

        Raises SignerRefused (`no-stream-key`, `stream-name-invalid`,
        `count-out-of-range`), SignerUnavailable.
        """
        return self._data(
            "note",
            {
                "do": "manifest",
                "stream": manifest.stream,
                "first": manifest.first,
                "count": manifest.count,
                "root": b64(manifest.root),
                "previous": b64(manifest.previous),
            },
        )

    def document(
        self, *, proof_options_hash: bytes, document_hash: bytes, number: str, index: int
    ) -> bytes:
        """Sign a registered transcript (eddsa-rdfc-2022): 64 bytes over the two hashes.

        Raises SignerRefused (`not-registered`, `not-published`), SignerUnavailable.
        """
        return self._data(
            "signature",
            {
                "do": "document",
                "proof_options_hash": b64(proof_options_hash),
                "document_hash": b64(document_hash),
                "number": number,
                "index": index,
            },
        )

    def trust(self, body: str) -> bytes:
        """Sign a trust list or a status snapshot, given as canonical JSON text: 64 bytes.

        Raises SignerRefused (`type-unknown`, `differs`, `not-published`), SignerUnavailable.
        """
        return self._data("signature", {"do": "trust", "body": body})

    def pades(self, *, signed_attributes: bytes, number: str) -> bytes:
        """Sign the CMS attributes (DER) of a registered transcript's PDF: ECDSA P-256, DER.

        Raises SignerRefused (`attributes-refused`, `not-registered`, `not-published`),
        SignerUnavailable.
        """
        return self._data(
            "signature",
            {"do": "pades", "signed_attributes": b64(signed_attributes), "number": number},
        )

    def crl(self) -> bytes:
        """Return the PDF root's revocation list (DER), signed by the root.

        Raises SignerRefused (`revocations-unreadable`), SignerUnavailable.
        """
        return self._data("crl", {"do": "crl"})

    def _data(self, name: str, request: dict[str, Json]) -> bytes:
        return base64.b64decode(self._ask(request)[name])

    def _ask(self, request: dict[str, Json]) -> dict[str, Any]:
        try:
            payload = canonical.encode(request)
        except NotCanonical as error:
            raise SignerRefused("malformed", str(error)) from error
        try:
            answer: Any = orjson.loads(self._exchange(payload))
        except (OSError, ConnectionLost, orjson.JSONDecodeError) as error:
            self._forget()
            raise SignerUnavailable(
                f"the signer at {self._path} does not answer: {error}", path=str(self._path)
            ) from error
        if answer["ok"]:
            return dict(answer)
        if answer["code"] == UNREACHABLE:
            raise SignerUnavailable(answer["detail"], path=str(self._path))
        raise SignerRefused(answer["code"], answer["detail"])

    def _exchange(self, payload: bytes) -> bytes:
        """Ask over the kept connection, and once more over a new one when it was closed.

        Every request may be repeated: it signs the same again or answers the same.
        A request that was not answered in time is not repeated.
        """
        kept = _kept.connections.get(self._path)
        if kept is not None and kept.process == os.getpid():
            try:
                return kept.exchange(payload)
            except TimeoutError:
                raise
            except (OSError, ConnectionLost):
                self._forget()
        connection = _Connection(self._path)
        _kept.connections[self._path] = connection
        return connection.exchange(payload)

    def _forget(self) -> None:
        connection = _kept.connections.pop(self._path, None)
        if connection is not None:
            connection.close()
