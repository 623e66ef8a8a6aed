"""Private keys at rest: one JSON file a key, sealed with AES-256-GCM under the signer's secret."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from creditbank.proofs import canonical
from creditbank.signer.errors import KeysUnusable
from creditbank.signer.files import make_folder, write_durably
from creditbank.signer.protocol import b64

VERSION: Final = 1
STREAM: Final = "stream/"
"""How the name of a hosted stream's key starts; the stream's name follows."""

_NONCE: Final = 12
_TAG: Final = b"llcb/signer-key/v1\0"


@dataclass(frozen=True, kw_only=True)
class StoredKey:
    """One key: its name, algorithm, secret (32 bytes), public key, and certificate (DER) if any."""

    name: str
    algorithm: str
    secret: bytes = field(repr=False)
    public: bytes
    certificate: bytes = b""

    def binding(self) -> bytes:
        """Return what the seal covers besides the secret, so that no two files can be swapped."""
        parts = (self.name.encode(), self.algorithm.encode(), self.public, self.certificate)
        return _TAG + b"".join(sha256(part).digest() for part in parts)


class SealedFolder:
    """The folder of sealed keys. One process uses it at a time."""

    def __init__(self, folder: Path, seal: bytes) -> None:
        make_folder(folder, mode=0o700)
        self._folder = folder
        self._seal = AESGCM(seal)

    def _path(self, name: str) -> Path:
        # A stream's name holds slashes and has no place in a path: its digest has.
        if name.startswith(STREAM):
            return self._folder / f"stream-{sha256(name.encode()).hexdigest()[:40]}.json"
        return self._folder / f"{name}.json"

    def read(self, name: str) -> StoredKey | None:
        """Return a key, or None when there is no file of it. Raises KeysUnusable."""
        path = self._path(name)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        key = self._unseal(path, data)
        if key.name != name:
            raise KeysUnusable(f"{path} holds the key {key.name!r}", path=str(path))
        return key

    def stream_keys(self) -> list[StoredKey]:
        """Return every hosted stream's key. Raises KeysUnusable."""
        paths = sorted(self._folder.glob("stream-*.json"))
        return [self._unseal(path, path.read_bytes()) for path in paths]

    def write(self, key: StoredKey) -> None:
        """Seal a new key; it is on the disk when this returns. A key is never replaced."""
        path = self._path(key.name)
        if path.exists():
            raise KeysUnusable(f"{path} is already there", path=str(path))
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._seal.encrypt(nonce, key.secret, key.binding())
        members: dict[str, canonical.Json] = {
            "algorithm": key.algorithm,
            "certificate": b64(key.certificate),
            "name": key.name,
            "public": b64(key.public),
            "sealed": b64(sealed),
            "v": VERSION,
        }
        write_durably(path, canonical.encode(members))

    def _unseal(self, path: Path, data: bytes) -> StoredKey:
        try:
            members = canonical.decode(data)
            if not isinstance(members, dict) or members.get("v") != VERSION:
                raise ValueError(f"not of version {VERSION}")
            text = {name: str(value) for name, value in members.items()}
            sealed = base64.b64decode(text["sealed"], validate=True)
            key = StoredKey(
                name=text["name"],
                algorithm=text["algorithm"],
                secret=b"",
                public=base64.b64decode(text["public"], validate=True),
                certificate=base64.b64decode(text["certificate"], validate=True),
            )
            secret = self._seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], key.binding())
        except InvalidTag:
            raise KeysUnusable(
                f"{path} was changed, or sealed under another secret", path=str(path)
            ) from None
        except (canonical.NotCanonical, KeyError, ValueError) as error:
            raise KeysUnusable(f"{path} is damaged: {error}", path=str(path)) from None
        return StoredKey(
            name=key.name,
            algorithm=key.algorithm,
            secret=secret,
            public=key.public,
            certificate=key.certificate,
        )
