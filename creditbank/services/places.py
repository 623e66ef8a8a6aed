"""Where a service's programs and data live, so that its user can reach them.

Normally: programs in the virtual environment, data in the folder that was
asked for. Where the service's user cannot reach one of them (a clone under
`/root`, say), that one moves to a folder of the clone's name in the system's
temporary space. No mode of a folder that is not ours is ever changed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from creditbank.services.binaries import Programs
from creditbank.services.errors import FolderInUse, FolderRefused
from creditbank.services.users import ServiceUser, can_enter, can_run, service_user

MARK: Final = "service"
"""The file by which a folder is known as a service's own; it holds the service's name."""
PASSABLE: Final = 0o711
IN_USE_WAIT: Final = 20.0
"""A server whose parent was killed needs a moment to stop; a new one waits that long for it."""
CLONE: Final = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, kw_only=True)
class Place:
    """A service's folder as its user reaches it, its programs, and the user (None: ourselves)."""

    folder: Path
    programs: Programs
    user: ServiceUser | None

    @property
    def uid(self) -> int:
        """The user id that the data belong to."""
        return os.geteuid() if self.user is None else self.user.uid


def settle(folder: Path, programs: Programs, *, service: str, probe: str) -> Place:
    """Make a folder ready for a service and return where it and its programs are.

    `probe` is the program that is tried. Raises FolderRefused, ProgramMissing
    and ServiceError.
    """
    folder = folder.absolute()
    make_passable(folder)
    user = service_user(folder / "data")
    if user is not None and not can_enter(user, folder):
        folder = _temporary(folder)
        make_passable(folder)
        user = service_user(folder / "data")
    _claim(folder, service)
    if not can_run(user, programs[probe]):
        programs = _copied(programs)
        if not can_run(user, programs[probe]):
            raise FolderRefused(f"user {user and user.name} cannot run {programs[probe]}")
    return Place(folder=folder, programs=programs, user=user)


def lock(place: Place) -> int:
    """Take the folder's lock and return its descriptor, which the server inherits.

    A lock of the open file (flock): it stands until the last process of the
    server has ended, whoever started it. Raises FolderInUse.
    """
    descriptor = os.open(place.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    limit = time.monotonic() + IN_USE_WAIT
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > limit:
                os.close(descriptor)
                raise FolderInUse(
                    f"{place.folder} is in use by another process; stop it, or choose another folder"
                ) from None
            time.sleep(0.05)
        else:
            return descriptor


def make_passable(folder: Path) -> None:
    """Create the folder and the parents it lacks, so that other users may pass but not list."""
    if folder.exists():
        if not folder.is_dir():
            raise FolderRefused(f"{folder} is not a folder")
        return
    make_passable(folder.parent)
    try:
        folder.mkdir()
    except FileExistsError:
        return
    except OSError as error:
        raise FolderRefused(f"{folder} cannot be created: {error.strerror}") from None
    folder.chmod(PASSABLE)


def _claim(folder: Path, service: str) -> None:
    """Mark an empty folder as the service's; refuse one that holds anything else."""
    mark = folder / MARK
    try:
        found = mark.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        found = ""
        if any(folder.iterdir()):
            raise FolderRefused(
                f"{folder} holds other things; {service} needs a folder of its own"
            ) from None
    except OSError as error:
        raise FolderRefused(f"{mark} cannot be read: {error.strerror}") from None
    if found and found != service:
        raise FolderRefused(f"{folder} is the folder of {found}, not of {service}")
    owner = folder.stat().st_uid
    if owner != os.geteuid():
        raise FolderRefused(
            f"{folder} belongs to user {owner}; run as that user, or choose another folder"
        )
    if not found:
        try:
            mark.write_text(service + "\n", encoding="ascii")
        except OSError as error:
            raise FolderRefused(f"{folder} cannot be written: {error.strerror}") from None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _temporary(*parts: Path) -> Path:
    """Return the clone's folder in the system's temporary space, or a place in it.

    The temporary space is everyone's, and the name can be guessed: what is
    there already must be a folder that is ours and that nobody else can write.
    """
    root = Path(tempfile.gettempdir()) / f"{CLONE.name}-{_digest(str(CLONE))}"
    try:
        root.mkdir(mode=0o700)
        root.chmod(PASSABLE)
    except FileExistsError:
        found = root.lstat()
        unsafe = stat.S_IMODE(found.st_mode) & (stat.S_IWGRP | stat.S_IWOTH)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or unsafe:
            raise FolderRefused(
                f"{root} is not a folder of ours alone; remove it, or set TMPDIR"
            ) from None
    for part in parts:
        root /= f"{part.name}-{_digest(str(part))}"
    return root


def _copied(programs: Programs) -> Programs:
    """Copy a tree of programs to where every user reaches it, once per version."""
    changed = max((programs.root / part).stat().st_mtime_ns for part in programs.parts)
    root = _temporary() / f"{programs.package}-{_digest(f'{programs.root} {changed}')}"
    if not root.exists():
        draft = Path(tempfile.mkdtemp(prefix="copy-", dir=root.parent))
        for part in programs.parts:
            shutil.copytree(programs.root / part, draft / part, symlinks=True)
        _make_readable(draft)
        try:
            draft.rename(root)
        except OSError:
            # Another process was first; its copy is as good.
            shutil.rmtree(draft)
    return replace(programs, root=root)


def _make_readable(tree: Path) -> None:
    """Let everyone read a copy of ours, and run what its owner may run."""
    tree.chmod(0o755)
    for folder, folders, files in os.walk(tree):
        for name in folders:
            Path(folder, name).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
