"""The unprivileged user that services run as when we are root.

PostgreSQL refuses to run as root, and Valkey should not. The user is only
borrowed: nothing is created on the machine, no mode of a folder that is not
ours is changed.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from creditbank.services.errors import ServiceError

CANDIDATES: Final = ("nobody", "daemon")
"""Not `postgres`: where the system has a server of its own, the two would own each other's files."""


@dataclass(frozen=True, kw_only=True)
class ServiceUser:
    """A user id and a group id, without supplementary groups."""

    uid: int
    gid: int

    @property
    def name(self) -> str:
        """The user's name, or its number where it has none."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)


def service_user(owner_of: Path | None = None) -> ServiceUser | None:
    """Return who a service runs as: None (ourselves) unless we are root.

    A data folder that exists keeps its owner. Raises ServiceError when the
    machine has none of the users that could be borrowed.
    """
    if os.geteuid() != 0:
        return None
    if owner_of is not None and owner_of.exists():
        found = owner_of.stat()
        if found.st_uid != 0:
            return ServiceUser(uid=found.st_uid, gid=found.st_gid)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return ServiceUser(uid=entry.pw_uid, gid=entry.pw_gid)
    raise ServiceError(
        f"we are root, and the machine has no user {' or '.join(CANDIDATES)} to run services as"
    )


def can_run(user: ServiceUser | None, program: Path) -> bool:
    """Tell whether the user can reach and run a program.

    Found out by doing it (`PROGRAM --version`): modes, access lists and mount
    options all have a say, and only the kernel knows them all.
    """
    try:
        return run_as(user, [program, "--version"]).returncode == 0
    except OSError:
        return False


def can_enter(user: ServiceUser | None, folder: Path) -> bool:
    """Tell whether the user can pass into a folder. Found out by doing it."""
    try:
        return run_as(user, ["/bin/sh", "-c", 'cd "$1"', "sh", folder]).returncode == 0
    except OSError:
        return False


def run_as(
    user: ServiceUser | None, program: Sequence[str | Path], *, within: Path = Path("/")
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end as the user (None: ourselves); return its status and output.

    `within`, its working folder, is entered before the user is changed.
    Raises OSError when it cannot be run at all.
    """
    return subprocess.run(
        program,
        cwd=within,
        check=False,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        user=None if user is None else user.uid,
        group=None if user is None else user.gid,
        extra_groups=None if user is None else [],
    )


def owned_folder(path: Path, user: ServiceUser | None, *, mode: int) -> Path:
    """Create a folder for the user, or check that an existing one is theirs. Return it.

    Raises ServiceError when it belongs to someone else or is no folder.
    """
    uid = os.geteuid() if user is None else user.uid
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid:
            raise ServiceError(f"{path} is not a folder of user {uid}") from None
    else:
        path.chmod(mode)
        if user is not None:
            os.chown(path, user.uid, user.gid)
    return path
