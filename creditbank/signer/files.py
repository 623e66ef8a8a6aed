"""Files that are either the old or the new, whole, also after a power cut; and folder locks."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from creditbank.signer.errors import AnotherSigner


def write_durably(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace a file's content and return when it is on the disk.

    Write beside it, fsync, rename, fsync the folder: a crash leaves the old
    content or the new. The caller sees to it that there is one writer.
    """
    draft = path.with_name(f".{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a folder's names durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, *, mode: int) -> None:
    """Create a folder, durably, with exactly this mode; one that is there keeps its own."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir()
    except FileExistsError:
        return
    # Not mkdir's own mode: the umask would narrow it.
    folder.chmod(mode)
    sync_folder(folder.parent)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock for a moment, waiting for whoever holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class FolderLock:
    """The right to be the one signer on a state folder, held until closed or the process ends."""

    def __init__(self, folder: Path) -> None:
        """Take the lock. Raises AnotherSigner when another process holds it."""
        path = folder / "lock"
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise AnotherSigner(f"another signer holds {path}", path=str(path)) from None

    def close(self) -> None:
        """Give the lock back."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)
