"""The signer's connections to the ledger, under the role that reads it and writes checkpoints."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from creditbank import guards
from creditbank.proofs.chains import EMPTY_CHAIN, Chain
from creditbank.signer.errors import AnotherSigner, CheckpointsDiffer, RowsDiffer, Unguarded
from creditbank.signer.stopping import Stopping
from creditbank.signer.tree import Connection

LOCK: Final = 0x6C6C_6362_7369_676E
"""The advisory lock that the one signer of a database holds: `llcbsign` in ASCII."""

CLAIM_SECONDS: Final = 5.0
_APPLICATION: Final = "creditbank-signer"

_HEAD: Final = "SELECT size, frontier, root FROM ledger_head WHERE id = 1"
_LATEST: Final = "SELECT size, note, chain FROM ledger_checkpoint ORDER BY size DESC LIMIT 1"
_CHAIN_AT: Final = "SELECT chain FROM ledger_checkpoint WHERE size = %s"
_CHECKPOINTS: Final = "SELECT size, note, chain FROM ledger_checkpoint ORDER BY size"
# One statement, one commit: whoever is told of a checkpoint finds it.
_INSERT: Final = (
    "WITH inserted AS ("
    "INSERT INTO ledger_checkpoint (size, note, chain) VALUES (%s, %s, %s) RETURNING size)"
    " SELECT pg_notify('ledger_checkpoint', size::text) FROM inserted"
)
_END_OWN: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid = %s"
    " AND classid = %s AND objid = %s AND objsubid = 1"
)


def connect(url: str) -> Connection:
    """Open a connection that finds out within seconds when the server is gone."""
    connection = psycopg.connect(
        url,
        autocommit=True,
        application_name=_APPLICATION,
        connect_timeout=5,
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=15_000,
    )
    try:
        connection.execute("SET statement_timeout = '60s'")
        connection.execute("SET lock_timeout = '10s'")
    except BaseException:
        connection.close()
        raise
    return connection


@dataclass(frozen=True, kw_only=True)
class LedgerHead:
    """The head row as the writers left it: size, packed frontier, root."""

    size: int
    frontier: bytes
    root: bytes


class Session:
    """Two connections: one to work on, which holds the signer's lock, and one to listen on."""

    def __init__(self, url: str) -> None:
        """Connect. Raises psycopg.Error when the database cannot be reached."""
        self.work = connect(url)
        try:
            self._listen = connect(url)
            self._listen.execute("LISTEN ledger_head")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close what is open; the lock goes with it."""
        self.work.close()
        listening: Connection | None = getattr(self, "_listen", None)
        if listening is not None:
            listening.close()

    @property
    def backend(self) -> int:
        """The server's process that holds the lock."""
        return self.work.info.backend_pid

    def claim(self, *, former: int | None) -> None:
        """Become the one signer of this database.

        `former` is the backend of this signer's last connection: after a network
        failure the server may keep it, and its lock, for minutes, so it is ended.
        Raises AnotherSigner when some other process keeps the lock.
        """
        deadline = time.monotonic() + CLAIM_SECONDS
        while not self._one("SELECT pg_try_advisory_lock(%s)", LOCK)[0]:
            if former is not None:
                self.work.execute(_END_OWN, [former, LOCK >> 32, LOCK & 0xFFFF_FFFF])
            if time.monotonic() > deadline:
                raise AnotherSigner("another signer is connected to this database")
            time.sleep(0.1)

    def _one(self, query: str, *parameters: object) -> tuple[Any, ...]:
        row = self._maybe(query, *parameters)
        if row is None:
            raise RowsDiffer("a row that every ledger has is missing", query=query)
        return row

    def _maybe(self, query: str, *parameters: object) -> tuple[Any, ...] | None:
        with self.work.cursor(binary=True) as cursor:
            return cursor.execute(query.encode(), parameters, prepare=True).fetchone()

    def check_guards(self) -> None:
        """Look whether all that guards the ledger is in place. Raises Unguarded."""
        with self.work.cursor() as cursor:
            problems = guards.problems(cursor, "public")
        if problems:
            raise Unguarded("; ".join(problems))

    def head(self) -> LedgerHead:
        """Read the committed head."""
        size, frontier, root = self._one(_HEAD)
        return LedgerHead(size=size, frontier=frontier, root=root)

    def latest_checkpoint(self) -> tuple[int, bytes, bytes] | None:
        """Read size, note and chain of the newest published checkpoint."""
        row = self._maybe(_LATEST)
        return None if row is None else (row[0], row[1], row[2])

    def chain_at(self, size: int) -> bytes | None:
        """Read the chain of the checkpoint of a size, or None when there is none."""
        row = self._maybe(_CHAIN_AT, size)
        return None if row is None else row[0]

    def walk_checkpoints(self) -> Chain:
        """Compute the chain over all stored checkpoints. Raises CheckpointsDiffer at a broken link."""
        chain = EMPTY_CHAIN
        with self.work.transaction(), self.work.cursor("checkpoints", binary=True) as cursor:
            for size, note, stored in cursor.execute(_CHECKPOINTS):
                chain = chain.extend(note)
                if chain.last != stored:
                    raise CheckpointsDiffer(
                        f"the checkpoint of {size} does not follow the one before it", size=size
                    )
        return chain

    def insert_checkpoint(self, size: int, note: bytes, chain: bytes) -> None:
        """Publish a checkpoint: durable and announced when this returns."""
        self._one(_INSERT, size, note, chain)

    def wait(self, stopping: Stopping, seconds: float) -> None:
        """Wait for an append, for the wish to stop, or for some seconds.

        Any number of announcements wake once: what counts is the head.
        """
        stopping.wait(seconds, readable=self._listen.fileno())
        for _ in self._listen.notifies(timeout=0):
            pass
