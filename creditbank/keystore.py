"""The key store: 32-byte secrets by name, kept where no database backup reaches them.

A port with one built-in adapter, files. A secret manager or an HSM takes the
place of `FileKeyStore` by offering the same `get`. Losing a secret is final:
the runbook says what each of them opens and how it is backed up.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import secrets
import stat
import threading
from pathlib import Path
from typing import ClassVar, Final, Protocol

SECRET_BYTES: Final = 32
SUFFIX: Final = ".key"

NAMES: Final = (
    "kek-1",
    "identity-digest",
    "code-digest",
    "media",
    "django-secret",
    "submission-keys",
    "signer",
    "second-factor",
)
"""What the bank keeps: the key that wraps learner keys, the keys of the digests by which
people, printed codes and repeated submissions are found again, the key of uploaded files,
Django's secret key, and the key that seals the signer's own keys."""

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class KeyStoreError(Exception):
    """The key store cannot give a secret; `facts` name the secret or the path, never its bytes."""

    code: ClassVar[str] = "key-store"

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class KeyNameInvalid(KeyStoreError):
    """A name that no secret can have."""

    code: ClassVar[str] = "key-name-invalid"


class KeyMissing(KeyStoreError):
    """The store has no such secret and may not create it."""

    code: ClassVar[str] = "key-missing"


class KeyUnsafe(KeyStoreError):
    """The folder or file could be read or replaced by others, so its content proves nothing."""

    code: ClassVar[str] = "key-unsafe"


class KeyUnreadable(KeyStoreError):
    """The file does not hold 32 bytes in hexadecimal."""

    code: ClassVar[str] = "key-unreadable"


class KeyStore(Protocol):
    """Where secrets are kept."""

    def get(self, name: str) -> bytes:
        """Return the 32 bytes of a secret, creating it on first use where the store allows.

        Raises KeyStoreError.
        """
        ...


class FileKeyStore:
    """Secrets as files `<name>.key` (64 hexadecimal digits) in a folder of mode 0700, files 0600.

    Whatever group or others could read or write is refused, as is a symbolic
    link: a secret that others may have seen is no secret any more. Values are
    kept in memory after the first reading; threads and processes may race for
    the creation, and all of them get the one secret that was created.
    """

    def __init__(self, folder: Path | str, *, may_create: bool = True) -> None:
        self._folder = Path(folder)
        self._may_create = may_create
        self._lock = threading.Lock()
        self._held: dict[str, bytes] = {}

    def __repr__(self) -> str:
        """Name the folder only: no secret may reach a log by way of a repr."""
        return f"FileKeyStore({str(self._folder)!r})"

    def get(self, name: str) -> bytes:
        """Return a secret's 32 bytes.

        Raises KeyNameInvalid, KeyMissing, KeyUnsafe, KeyUnreadable.
        """
        held = self._held.get(name)
        if held is not None:
            return held
        if not _NAME.fullmatch(name):
            raise KeyNameInvalid(f"no secret can be called {name!r}", name=name)
        with self._lock:
            if name not in self._held:
                self._held[name] = self._read_or_create(name)
            return self._held[name]

    def _read_or_create(self, name: str) -> bytes:
        path = self._folder / (name + SUFFIX)
        self._open_folder(path)
        try:
            return _read(path)
        except FileNotFoundError:
            pass
        if not self._may_create:
            raise KeyMissing(f"the key store has no {path.name}", name=name, path=str(path))
        _create(path)
        return _read(path)

    def _open_folder(self, path: Path) -> None:
        if self._may_create:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                self._folder.mkdir(mode=0o700)
        try:
            found = os.stat(self._folder)
        except FileNotFoundError:
            raise KeyMissing(f"there is no folder {self._folder}", path=str(path)) from None
        _refuse_unsafe(self._folder, found)


def _refuse_unsafe(path: Path, found: os.stat_result) -> None:
    """Refuse what others could read, write or replace. Root may use anyone's folder."""
    mode = stat.S_IMODE(found.st_mode)
    if mode & _OTHERS:
        raise KeyUnsafe(
            f"{path} has mode {mode:04o}; group and others must have no access",
            path=str(path),
            mode=f"{mode:04o}",
        )
    if os.geteuid() != 0 and found.st_uid not in (os.geteuid(), 0):
        raise KeyUnsafe(
            f"{path} belongs to user {found.st_uid}, not to this process",
            path=str(path),
            owner=found.st_uid,
        )


def _read(path: Path) -> bytes:
    # The file is checked through its descriptor: a path could be swapped in between.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeyUnsafe(
            f"{path} cannot be opened as a plain file: {error.strerror}", path=str(path)
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise KeyUnsafe(f"{path} is not a plain file", path=str(path))
        _refuse_unsafe(path, found)
        text = file.read(1024).strip()
    try:
        secret = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise KeyUnreadable(
            f"{path} does not hold {SECRET_BYTES} bytes in hexadecimal", path=str(path)
        )
    return secret


def _create(path: Path) -> None:
    """Create a secret whole or not at all; when another process was first, its secret stands.

    `link` fails where the name exists, unlike `rename`, which would replace a
    secret that the other process may already have used.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES).hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def default() -> KeyStore:
    """Return the key store that the settings name.

    Django is looked up by name at the call, so that the signer, which has no
    Django, can use this module.
    """
    settings = importlib.import_module("django.conf").settings
    store: KeyStore = settings.KEYSTORE
    return store
