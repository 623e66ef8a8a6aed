"""Stretches read in processes of their own, all over one snapshot of the database.

A child is this module, started as a program: it is told its stretch on standard
input and answers on standard output. It knows no Django and no settings. What it
is told holds the key that unwraps the secrets, so it goes through a pipe alone.
"""

from __future__ import annotations

import gc
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import psycopg

from creditbank.ledger.auditing.secrets import Secrets
from creditbank.ledger.auditing.streamkeys import Life, StreamKeys
from creditbank.ledger.auditing.stretch import StretchResult, read_stretch
from creditbank.signer.errors import RowsDiffer

Connection = psycopg.Connection[tuple[Any, ...]]
Target = dict[str, str]
"""psycopg's connection parameters."""

_LENGTH: Final = struct.Struct(">I")
ROOT: Final = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, kw_only=True)
class Order:
    """One stretch to be read, and what is needed for it."""

    ledger: Target = field(repr=False)
    keys: Target = field(repr=False)
    kek: bytes = field(repr=False)
    snapshot: str
    lives: tuple[Life, ...]
    origin: str
    bank: str
    """The name of the bank's own stream."""
    start: int
    stop: int


@contextmanager
def reading(target: Target, *, snapshot: str | None = None) -> Iterator[Connection]:
    """Open a connection in one read-only transaction of one snapshot, without time limits."""
    with psycopg.connect(**target, autocommit=True) as connection:  # type: ignore[arg-type]
        connection.execute("SET statement_timeout = 0")
        connection.execute("SET idle_in_transaction_session_timeout = 0")
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if snapshot is not None:
            connection.execute(
                psycopg.sql.SQL("SET TRANSACTION SNAPSHOT {}").format(psycopg.sql.Literal(snapshot))
            )
        yield connection
        connection.execute("ROLLBACK")


def carry_out(order: Order, tell: Callable[[int], None]) -> StretchResult:
    """Read a stretch in this process. Raises RowsDiffer."""
    with (
        reading(order.ledger, snapshot=order.snapshot) as ledger,
        psycopg.connect(**order.keys, autocommit=True) as keys,  # type: ignore[arg-type]
    ):
        return read_stretch(
            ledger=ledger,
            secrets=Secrets(ledger=ledger, keys=keys, kek=order.kek),
            keys=StreamKeys(order.lives),
            origin=order.origin,
            bank=order.bank,
            start=order.start,
            stop=order.stop,
            tell=tell,
        )


class Children:
    """Child processes, one for each order; those still there are ended on leaving."""

    def __init__(self, orders: Sequence[Order], tell: Callable[[int], None]) -> None:
        self._orders, self._tell = orders, tell
        self._done = [0] * len(orders)
        self._results: list[StretchResult | None] = [None] * len(orders)
        self._stack = ExitStack()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Children:
        for number, order in enumerate(self._orders):
            child = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])},
            )
            self._stack.callback(_end, child)
            assert child.stdin is not None
            child.stdin.write(pickle.dumps(order))
            child.stdin.close()
            thread = threading.Thread(target=self._hear, args=(number, child), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _hear(self, number: int, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None
        while (frame := _read_frame(child.stdout)) is not None:
            message = pickle.loads(frame)  # noqa: S301 - our own child's
            if isinstance(message, StretchResult):
                self._results[number] = message
                return
            self._done[number] = message
            with self._lock:
                self._tell(sum(self._done))

    def results(self) -> list[StretchResult] | None:
        """Wait for all; None when one of them could not read its stretch."""
        for thread in self._threads:
            thread.join()
        whole = [result for result in self._results if result is not None]
        return whole if len(whole) == len(self._orders) else None


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
    child.wait()
    if child.stdout is not None:
        child.stdout.close()


def _read_frame(source: IO[bytes]) -> bytes | None:
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = source.read(length)
    return data if len(data) == length else None


def _send(message: int | StretchResult) -> None:
    data = pickle.dumps(message)
    sys.stdout.buffer.write(_LENGTH.pack(len(data)) + data)
    sys.stdout.buffer.flush()


def main() -> int:
    """Carry out the order that stands on standard input. Exit 1: the stretch cannot be read."""
    # Under its own name, so that what it sends is of the classes its parent knows.
    from creditbank.ledger.auditing import processes

    order = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - our own parent's
    # Hardly anything made here is part of a cycle: looking for them costs a tenth of the time.
    gc.set_threshold(200_000)
    try:
        _send(processes.carry_out(order, _send))
    except RowsDiffer as error:
        sys.stderr.write(f"the stretch from {order.start} cannot be read alone: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
