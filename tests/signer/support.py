"""What the signer's tests share: waiting for it, its verdicts, and tampering behind its back."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import psycopg

from creditbank.proofs import notes
from creditbank.proofs.notes import Checkpoint, NoteKey, SignedNote
from creditbank.signer.client import PublicKeys, SignerClient
from tests.signer.writer import Writer


def until(condition: Callable[[], Any], what: str, seconds: float = 15.0) -> Any:
    """Wait until a condition holds, and return what it gave."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.005)
    raise AssertionError(f"waited {seconds} s in vain: {what}")


def until_published(writer: Writer, size: int) -> bytes:
    """Wait for the checkpoint of a size, and return its note."""
    return until(lambda: dict(writer.checkpoints()).get(size), f"a checkpoint of {size}")


def client(signer: Any) -> SignerClient:
    return SignerClient(signer.home / "signer" / "signer.sock")


def verified(note: bytes, keys: PublicKeys) -> Checkpoint:
    """Check all three signatures of a checkpoint, and return what it says."""
    signed = SignedNote.parse(note)
    known = [NoteKey.parse_vkey(vkey) for vkey in (keys.log_vkey, *keys.cosigner_vkeys)]
    notes.verify_note(signed, known, required=3)
    return Checkpoint.parse(signed.text)


def times(note: bytes) -> list[int]:
    """Return the times in a checkpoint's cosignatures."""
    return [notes.cosignature_time(line) for line in SignedNote.parse(note).lines[1:]]


def verdict(signer: Any) -> tuple[int, str]:
    """Wait for the signer to end by itself; return its exit code and its last words."""
    code = signer.process.wait(20)
    return code, signer.log().strip().splitlines()[-1]


def refusal(signer: Any) -> tuple[int, str]:
    """Start the signer, which must refuse; return its exit code and the code of its reason."""
    signer.start(wait=False)
    code, last = verdict(signer)
    return code, last.partition("stopped: ")[2].partition(":")[0]


def read_json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(path.read_bytes())
    return found


def change_json(path: Path, **changes: Any) -> None:
    """Change members of a state or anchor file, as canonical JSON."""
    path.write_bytes(orjson.dumps({**read_json(path), **changes}, option=orjson.OPT_SORT_KEYS))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


TRIGGERS = """
    SELECT format('ALTER TABLE %%I %s TRIGGER %%I', c.relname, t.tgname)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND c.relname LIKE 'ledger\\_%%'
"""


@contextmanager
def superuser(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A database superuser who switches the triggers off: who restores, and who tampers."""
    with psycopg.connect(url) as connection:
        for state in ("DISABLE", "ENABLE ALWAYS"):
            switches = connection.execute((TRIGGERS % state).encode()).fetchall()
            assert switches
            for (switch,) in switches:
                connection.execute(switch)
            if state == "DISABLE":
                yield connection


class Backup:
    """A copy of the ledger's rows, to be restored over what was written since."""

    def __init__(self, url: str) -> None:
        self._url = url
        with psycopg.connect(url) as connection:
            self._head: Any = connection.execute(
                "SELECT size, frontier, root FROM ledger_head"
            ).fetchone()

    @property
    def size(self) -> int:
        return int(self._head[0])

    def restore(self, *, checkpoints: bool = True) -> None:
        """Put the ledger back to the copy; rows only ever grow, so what came later is removed."""
        size = self.size
        with superuser(self._url) as connection:
            for table in ("ledger_entry", "ledger_manifest"):
                connection.execute(f"DELETE FROM {table} WHERE idx >= %s".encode(), [size])
            connection.execute(
                "DELETE FROM ledger_tile WHERE (n + 1) * 256 * power(256, level) > %s", [size]
            )
            if checkpoints:
                connection.execute("DELETE FROM ledger_checkpoint WHERE size > %s", [size])
            connection.execute(
                "UPDATE ledger_head SET size = %s, frontier = %s, root = %s", self._head
            )
