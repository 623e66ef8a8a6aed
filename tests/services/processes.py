"""Looking at the machine's processes: who is there, as whom, and who is left behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def is_running(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(b")")[2].split()[0] != b"Z"


def parent(pid: int) -> int:
    """Return the parent's process id."""
    return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])


def user(pid: int) -> int:
    """Return the user id that a process runs as."""
    return Path(f"/proc/{pid}").stat().st_uid


def command(pid: int) -> bytes:
    """Return a process's command line, as everyone on the machine can read it."""
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def naming(text: str) -> list[int]:
    """Return the processes whose command line or environment names the text."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        for name in ("cmdline", "environ"):
            try:
                data = (folder / name).read_bytes()
            except OSError:
                continue
            if text.encode() in data and is_running(int(folder.name)):
                found.append(int(folder.name))
                break
    return found


def eventually(holds: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Wait until something holds; False when the time is up."""
    limit = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True
