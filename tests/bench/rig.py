"""What the benchmarks stand on: a durable PostgreSQL, the real signer, a province in small."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from creditbank.services.postgres import APP, OWNER, SIGNER, Postgres
from creditbank.services.valkey import Valkey

ROOT = Path(__file__).resolve().parent.parent.parent
ROUNDS = 5


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table: what, the figure, the goal, what it is set against."""

    what: str
    figure: str
    goal: str = ""
    against: str = ""

    @property
    def cells(self) -> tuple[str, str, str, str]:
        return (self.what, self.figure, self.goal, self.against)


@dataclass
class Table:
    """The table that is printed."""

    rows: list[Row] = field(default_factory=list)

    def add(self, what: str, figure: str, *, goal: str = "", against: str = "") -> None:
        row = Row(what=what, figure=figure, goal=goal, against=against)
        self.rows.append(row)
        print("| " + " | ".join(row.cells) + " |", flush=True)


def alternating(*measures: Callable[[], float], rounds: int = ROUNDS) -> tuple[list[float], ...]:
    """Run measures in turn, round after round; return each one's figures."""
    figures: tuple[list[float], ...] = tuple([] for _ in measures)
    for _ in range(rounds):
        for measure, found in zip(measures, figures, strict=True):
            found.append(measure())
    return figures


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float], unit: str = "") -> str:
    return f"{median(values):,.4g}{unit} ({min(values):,.4g}–{max(values):,.4g})"


def timed(calls: Sequence[Callable[[], object]]) -> tuple[list[float], list[float]]:
    """Call each once a round; return each round's median and 95th percentile in milliseconds."""
    halves, tails = [], []
    for _ in range(ROUNDS):
        took = sorted(1000 * seconds(call) for call in calls)
        halves.append(took[len(took) // 2])
        tails.append(took[-(-len(took) * 95 // 100) - 1])
    return halves, tails


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


class Rig:
    """The services, and the environment that Django's settings read."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="creditbank-bench-"))
        self.home.chmod(0o755)
        self.postgres = Postgres(self.home / "postgres")
        self.valkey = Valkey(self.home / "valkey")
        self._signer: subprocess.Popen[bytes] | None = None
        self.database = "bench"

    def start(self) -> None:
        (self.home / "bank" / "static").mkdir(parents=True)
        self.postgres.start()
        self.valkey.start()
        self.postgres.create_roles()
        self.postgres.create_database(self.database)
        os.environ.update(
            DJANGO_SETTINGS_MODULE="creditbank.settings",
            DATABASE_URL=self.postgres.url(OWNER, self.database),
            REDIS_URL=self.valkey.url(0),
            BANK_HOME=str(self.home / "bank"),
            STATIC_HASHED="0",
            BANK_ID="bank.example",
        )
        for alias in ("default", "keys"):
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "-v0", "--database", alias],
                cwd=ROOT,
                check=True,
            )
        os.environ["DATABASE_URL"] = self.postgres.url(APP, self.database)
        import django

        django.setup()
        from creditbank import interpreter

        interpreter.tune()
        import logging

        logging.disable(logging.INFO)
        self.start_signer()

    def start_signer(self) -> None:
        log = (self.home / "signer.log").open("ab")
        self._signer = subprocess.Popen(
            [
                sys.executable, "-m", "creditbank.signer",
                "--home", str(self.home / "bank"),
                "--database", self.postgres.url(SIGNER, self.database),
                "--origin", "bank.example/log",
                "--public-url", "http://localhost:8000",
            ],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        socket = self.home / "bank" / "signer" / "signer.sock"
        for _ in range(600):
            if socket.exists():
                return
            time.sleep(0.05)
        raise RuntimeError((self.home / "signer.log").read_text())

    def stop_signer(self) -> None:
        if self._signer is not None:
            self._signer.terminate()
            self._signer.wait(30)
            self._signer = None

    def stop(self) -> None:
        self.stop_signer()
        self.valkey.stop()
        self.postgres.stop()
        shutil.rmtree(self.home, ignore_errors=True)


@contextmanager
def rig() -> Iterator[Rig]:
    """Start everything; stop it and remove its files whatever happens."""
    made = Rig()
    try:
        made.start()
        yield made
    finally:
        made.stop()
