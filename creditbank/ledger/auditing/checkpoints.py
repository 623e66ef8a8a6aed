"""The checkpoints: signed by the log and both cosigners, in order, linked, and up to the anchor.

A checkpoint that was taken out leaves a link that does not hold; one that was
taken off the end is missed by the anchor, which stands on other storage and
knows the chain's value and length. So does whoever rewrites notes and links
together. That each is a prefix of the log is found where the rows are read.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg

from creditbank.ledger.auditing.findings import Found
from creditbank.ledger.logkeys import LogKeys
from creditbank.proofs import notes, signatures
from creditbank.proofs.chains import EMPTY_CHAIN, Chain
from creditbank.signer.errors import MemoryLost
from creditbank.signer.state import Anchored, FileAnchor

PUBLISHING_TRIES: Final = 30
PUBLISHING_PAUSE: Final = 0.1

_ALL: Final = "SELECT size, note, chain FROM ledger_checkpoint ORDER BY size"
_SINCE: Final = (
    "SELECT size, note, chain FROM ledger_checkpoint WHERE size > %s AND size <= %s ORDER BY size"
)

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(kw_only=True)
class Checkpoints:
    """The checkpoints read so far."""

    keys: LogKeys
    origin: str
    found: Found
    newest: int = 0
    chain: Chain = EMPTY_CHAIN
    unsound: set[int] = field(default_factory=set)
    """Sizes whose note is not what it must be, so that its root means nothing."""
    _time: int = 0

    def read(self, connection: Connection) -> None:
        """Read them all."""
        with connection.cursor("audit_checkpoints", binary=True) as cursor:
            cursor.itersize = 256
            for size, data, stored in cursor.execute(_ALL):
                self._follow(size, data, stored)
                if not self._is_sound(size, data):
                    self.unsound.add(size)

    def _follow(self, size: int, data: bytes, stored: bytes) -> None:
        """Check the link to the checkpoint before; go on from what is stored, naming each break once."""
        chain = self.chain.extend(data)
        if chain.last != stored:
            before = f"ledger_checkpoint {self.newest}" if self.chain.count else "the beginning"
            self.found(
                "checkpoint-chain",
                f"ledger_checkpoint {size}",
                size - 1,
                f"is not linked to {before}: one of the two was changed or put in,"
                " or one between them was taken out",
            )
        self.chain = Chain(count=chain.count, last=stored, before=chain.before)
        self.newest = size

    def _is_sound(self, size: int, data: bytes) -> bool:
        where = f"ledger_checkpoint {size}"
        try:
            note = notes.SignedNote.parse(data)
            checkpoint = notes.Checkpoint.parse(note.text)
            notes.verify_note(note, [self.keys.log])
            times = [
                notes.verify_cosignature(checkpoint, line, key)
                for key in self.keys.cosigners
                for line in note.lines
                if (line.name, line.key_id) == (key.name, key.key_id)
            ]
        except (notes.NoteMalformed, signatures.SignatureInvalid) as error:
            self.found("checkpoint-signature", where, size - 1, str(error))
            return False
        cosigners = len(self.keys.cosigners)
        if len(times) != cosigners or len(note.lines) != cosigners + 1:
            self.found("checkpoint-cosignatures", where, size - 1)
            return False
        if min(times) != max(times) or times[0] < self._time:
            self.found("checkpoint-time", where, size - 1)
        self._time = max(self._time, *times)
        if checkpoint.size != size or checkpoint.origin != self.origin:
            self.found("checkpoint-size", where, size - 1)
            return False
        return True

    def check_roots(self, wrong: Sequence[tuple[str, int]]) -> None:
        """Find the sound ones whose root is not the tree's."""
        for code, size in wrong:
            if size not in self.unsound:
                self.found(code, f"ledger_checkpoint {size}", size - 1)

    def check_anchor(self, connection: Connection, path: Path, *, size: int) -> None:
        """Compare with the anchor, read after the snapshot: it may be some checkpoints ahead.

        The signer writes the anchor before it publishes, so the checkpoint of the
        anchored size may follow a moment later. `size` is the log's in the snapshot.
        """
        try:
            anchored = FileAnchor(path).read()
        except MemoryLost as error:
            self.found("anchor-damaged", "anchor/head.json", detail=error.message)
            return
        if anchored is None:
            if self.chain.count:
                self.found("anchor-missing", "anchor/head.json")
            return
        anchor = anchored.head.size
        row = connection.execute("SELECT size FROM ledger_head WHERE id = 1").fetchone()
        if row is None or anchor > row[0]:
            self.found("behind-anchor", "ledger_head 1", size)
        elif anchor < self.newest:
            self.found(
                "anchor-behind", "anchor/head.json", detail=f"{anchor}, published {self.newest}"
            )
            query = "SELECT 1 FROM ledger_checkpoint WHERE size = %s"
            if anchor and connection.execute(query, [anchor]).fetchone() is None:
                self.found("checkpoint-missing", f"ledger_checkpoint {anchor}")
        elif anchored.chain is None:
            self.found("anchor-without-chain", "anchor/head.json", detail="start the signer")
        else:
            self._go_on(connection, anchored)
            self._compare(anchored, anchored.chain)

    def _go_on(self, connection: Connection, anchored: Anchored) -> None:
        """Read what was published since the snapshot, up to the anchored size."""
        for _ in range(PUBLISHING_TRIES):
            if self.newest == anchored.head.size:
                return
            with connection.cursor(binary=True) as cursor:
                cursor.execute(_SINCE, [self.newest, anchored.head.size])
                for size, data, stored in cursor.fetchall():
                    self._follow(size, data, stored)
            if self.newest != anchored.head.size:
                time.sleep(PUBLISHING_PAUSE)

    def _compare(self, anchored: Anchored, chain: Chain) -> None:
        size = anchored.head.size
        where = f"ledger_checkpoint {size}"
        if self.newest != size:
            self.found("checkpoint-missing", where)
        elif self.chain.last != chain.last:
            self.found(
                "checkpoint-anchor",
                where,
                size - 1,
                "its chain is not the anchored one: this checkpoint or earlier ones were changed,"
                " and their links with them",
            )
        if self.chain.count != chain.count:
            self.found(
                "checkpoint-count",
                where,
                detail=f"{self.chain.count} up to here, the anchor counted {chain.count}",
            )
