"""No private key is ever in the memory of the processes that serve the web."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from creditbank import keystore
from creditbank.services.programs import web_status
from creditbank.signer.sealing import SealedFolder
from tests.ledger.cast import make_college
from tests.sites import Site

WRITABLE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw")


def serving(home: Path) -> Iterator[int]:
    """The processes of gunicorn that serve this bank: known by their environment."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            environment = (entry / "environ").read_bytes().split(b"\0")
            command = (entry / "cmdline").read_bytes()
            if f"BANK_HOME={home}".encode() in environment and b"gunicorn" in command:
                yield int(entry.name)


def memory(pid: int) -> Iterator[bytes]:
    """Everything that a process could have written into."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as file:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            found = WRITABLE.match(line)
            if found is None:
                continue
            start, stop = (int(bound, 16) for bound in found.groups())
            with contextlib.suppress(OSError):
                file.seek(start)
                yield file.read(stop - start)


def held(pids: list[int], needles: dict[str, bytes]) -> set[str]:
    return {
        name
        for pid in pids
        for part in memory(pid)
        for name, needle in needles.items()
        if needle in part
    }


def test_no_private_key_is_in_the_memory_of_the_web(bank: Any, site: Site) -> None:
    make_college(courses=1)  # A hosted stream, whose key the signer made.
    for path in ("/.well-known/trust.json", "/pki/root.crl", "/status/latest", "/log/checkpoint"):
        for _ in range(4):
            assert web_status(site.port, path) == 200, site.log()
    pids = list(serving(bank.home))
    assert len(pids) >= 2

    seal = keystore.FileKeyStore(bank.home / "secrets", may_create=False).get("signer")
    folder = SealedFolder(bank.home / "signer" / "keys", seal)
    names = ("log", "cosigner", "cosigner-pq", "document", "pades", "pades-root")
    keys = [key for key in map(folder.read, names) if key is not None]
    assert len(keys) == len(names)
    keys += folder.stream_keys()
    assert len(keys) > len(names)
    secrets = {key.name: key.secret for key in keys} | {
        "seal": seal,
        "seal-hex": seal.hex().encode(),
    }

    # What the web does hold is found: so the search sees what is there.
    known = keystore.FileKeyStore(bank.home / "secrets").get("django-secret").hex().encode()
    assert held(pids, {"django-secret": known}) == {"django-secret"}
    assert held(pids, secrets) == set()
