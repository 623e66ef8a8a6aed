"""The keys in the signer's hands: the log's, the cosigners', the documents', the hosted streams'."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from creditbank.proofs import notes, signatures
from creditbank.signer import certificates
from creditbank.signer.errors import KeysUnusable, RequestRefused
from creditbank.signer.protocol import POSSESSION_TAG
from creditbank.signer.sealing import STREAM, SealedFolder, StoredKey

ED25519: Final = signatures.ED25519
ML_DSA_44: Final = signatures.ML_DSA_44
P256: Final = "P-256"
REVOKED: Final = "revoked.txt"

LOG: Final = "log"
COSIGNER: Final = "cosigner"
COSIGNER_PQ: Final = "cosigner-pq"
DOCUMENT: Final = "document"
PADES_ROOT: Final = "pades-root"
PADES: Final = "pades"
BANK_KEYS: Final = (LOG, COSIGNER, COSIGNER_PQ, DOCUMENT, PADES_ROOT, PADES)

STREAMS_MAX: Final = 100_000
"""More hosted streams than any province has institutions: beyond it, someone floods the folder."""

_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ED25519_MULTICODEC: Final = b"\xed\x01"


def multikey(public: bytes) -> str:
    """Return an Ed25519 public key (32 bytes) as a Multikey, `z6Mk...`.

    W3C Controlled Identifiers 1.0 section 2.2.2: multicodec prefix 0xed01, base58btc, `z`.
    """
    number = int.from_bytes(_ED25519_MULTICODEC + public, "big")
    digits = ""
    while number:
        number, remainder = divmod(number, 58)
        digits = _BASE58[remainder] + digits
    return "z" + digits


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who the bank is: log origin, its name, and the address its certificates point to."""

    origin: str
    bank_name: str
    public_url: str

    @property
    def bank_id(self) -> str:
        """The bank's permanent name, from which the key names come."""
        return self.origin.removesuffix("/log")


def _p256(secret: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())


def _p256_public(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def _new(name: str, algorithm: str) -> StoredKey:
    signer = signatures.generate(algorithm)
    return StoredKey(name=name, algorithm=algorithm, secret=signer.secret, public=signer.public)


def _new_p256(name: str) -> tuple[StoredKey, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    secret = key.private_numbers().private_value.to_bytes(32, "big")
    stored = StoredKey(name=name, algorithm=P256, secret=secret, public=_p256_public(key))
    return stored, key


def _signer(key: StoredKey) -> signatures.Signer:
    """Return what signs with a stored key, having checked that secret and public belong together."""
    signer = signatures.signer(key.algorithm, key.secret)
    if signer.public != key.public:
        raise KeysUnusable(f"the key {key.name!r} does not give its public key", name=key.name)
    return signer


class KeyRing:
    """All keys, unsealed. Safe for use by several threads."""

    def __init__(self, folder: Path, *, seal: bytes, identity: Identity, may_create: bool) -> None:
        """Open the bank's keys, and make those that are missing when the bank is new.

        `may_create` is false once anything was signed: a log that goes on with
        another key is another log, so a missing key then raises KeysUnusable.
        """
        self._folder = SealedFolder(folder, seal)
        self._identity = identity
        self._lock = threading.Lock()
        self._may_create = may_create
        keys = {name: self._open(name) for name in (LOG, COSIGNER, COSIGNER_PQ, DOCUMENT)}
        root = self._open_root()
        leaf = self._open_leaf(root)
        bank = identity.bank_id
        self.log = notes.NoteSigner(identity.origin, notes.ED25519, _signer(keys[LOG]))
        self.cosigner = notes.NoteSigner(
            f"{bank}/cosigner", notes.COSIGNATURE, _signer(keys[COSIGNER])
        )
        self.cosigner_pq = notes.NoteSigner(
            f"{bank}/cosigner-pq", notes.ML_DSA_COSIGNATURE, _signer(keys[COSIGNER_PQ])
        )
        self.document = _signer(keys[DOCUMENT])
        self.pades_chain = (leaf.certificate, root.certificate)
        self._pades = _p256(leaf.secret)
        self._root = _p256(root.secret)
        self._revoked = folder / REVOKED
        self._streams: dict[str, signatures.Signer] = {
            key.name.removeprefix(STREAM): _signer(key) for key in self._folder.stream_keys()
        }

    def _missing(self, name: str) -> KeysUnusable:
        return KeysUnusable(
            f"the key {name!r} is missing, and this log was signed with it before: "
            "put the keys back from their backup",
            name=name,
        )

    def _open(self, name: str) -> StoredKey:
        key = self._folder.read(name)
        if key is None:
            if not self._may_create:
                raise self._missing(name)
            key = _new(name, ML_DSA_44 if name == COSIGNER_PQ else ED25519)
            self._folder.write(key)
        return key

    def _open_root(self) -> StoredKey:
        key = self._folder.read(PADES_ROOT)
        if key is None:
            if not self._may_create:
                raise self._missing(PADES_ROOT)
            draft, private = _new_p256(PADES_ROOT)
            certificate = certificates.make_root(private, bank_name=self._identity.bank_name)
            key = _certified(draft, certificate)
            self._folder.write(key)
        return key

    def _open_leaf(self, root: StoredKey) -> StoredKey:
        key = self._folder.read(PADES)
        if key is None:
            if not self._may_create:
                raise self._missing(PADES)
            draft, private = _new_p256(PADES)
            certificate = certificates.make_leaf(
                private.public_key(),
                bank_name=self._identity.bank_name,
                public_url=self._identity.public_url,
                root=root.certificate,
                root_key=_p256(root.secret),
            )
            key = _certified(draft, certificate)
            self._folder.write(key)
        return key

    def streams(self) -> dict[str, signatures.Signer]:
        """Return the hosted streams' keys by the streams' names."""
        with self._lock:
            return dict(self._streams)

    def stream(self, name: str) -> signatures.Signer:
        """Return a hosted stream's key. Raises RequestRefused `no-stream-key`."""
        signer = self._streams.get(name)
        if signer is None:
            raise RequestRefused("no-stream-key", f"the stream {name!r} has no key here")
        return signer

    def stream_or_new(self, name: str) -> signatures.Signer:
        """Return a hosted stream's key, which is made and on the disk when it is new."""
        with self._lock:
            signer = self._streams.get(name)
            if signer is None:
                if len(self._streams) >= STREAMS_MAX:
                    raise RequestRefused("too-many-streams", f"at most {STREAMS_MAX}")
                key = _new(STREAM + name, ED25519)
                self._folder.write(key)
                signer = self._streams[name] = _signer(key)
            return signer

    def possession(self, name: str) -> bytes:
        """Return the proof that the signer holds a hosted stream's key."""
        signer = self.stream(name)
        return signer.sign(POSSESSION_TAG + name.encode() + b"\0" + signer.public)

    def sign_pades(self, attributes: bytes) -> bytes:
        """Sign checked CMS attributes: ECDSA P-256 with SHA-256, in DER."""
        return self._pades.sign(attributes, ec.ECDSA(hashes.SHA256()))

    def crl(self, on: datetime) -> bytes:
        """Return the root's revocation list (DER) of the UTC day, or since the last revocation.

        What is revoked stands in `revoked.txt` beside the keys, where only the
        signer's user can write: a line for each certificate. Raises
        RequestRefused `revocations-unreadable`.
        """
        updated = on.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        revoked: list[certificates.Revoked] = []
        try:
            text = self._revoked.read_text(encoding="ascii")
            changed = datetime.fromtimestamp(int(self._revoked.stat().st_mtime), UTC)
            updated = max(updated, changed)
            revoked = [certificates.Revoked.parse(line) for line in text.splitlines() if line]
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            raise RequestRefused("revocations-unreadable", f"{REVOKED}: {error}") from None
        return certificates.make_crl(
            self._root, root=self.pades_chain[-1], revoked=revoked, updated=updated
        )


def _certified(key: StoredKey, certificate: bytes) -> StoredKey:
    return StoredKey(
        name=key.name,
        algorithm=key.algorithm,
        secret=key.secret,
        public=key.public,
        certificate=certificate,
    )
