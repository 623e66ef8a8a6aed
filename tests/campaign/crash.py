"""Kill writer, signer and PostgreSQL at random while credits are recorded; then count.

    python -m tests.campaign.crash [--kills 20] [--seed N]

Nothing acknowledged may be lost, doubled or gapped; every checkpoint ever seen
must still be there and be a prefix; the audit must be green.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict
from datetime import date
from pathlib import Path

import psycopg

from creditbank.services import programs
from creditbank.services.postgres import APP, OWNER, SIGNER, Postgres
from creditbank.services.valkey import Valkey

ROOT = Path(__file__).resolve().parent.parent.parent
VICTIMS = ("writer", "signer", "postgres")


class Door:
    """A fixed port in front of PostgreSQL, which comes back on another one after each kill."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.behind = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            client, _ = self._listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self.behind), 5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)  # the five seconds are for connecting, not for being quiet
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Campaign:
    """One run: the services, the victims, and what was seen."""

    def __init__(self, *, kills: int, seed: int) -> None:
        self.kills, self.seed = kills, seed
        self._random = random.Random(seed)
        self.home = Path(tempfile.mkdtemp(prefix="creditbank-crash-"))
        self.home.chmod(0o755)
        self._door = Door()
        self._postgres = Postgres(self.home / "postgres")
        self._valkey = Valkey(self.home / "valkey")
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self.seen: dict[int, bytes] = {}
        self.killed: Counter[str] = Counter()

    def _through_the_door(self, role: str) -> str:
        url = self._postgres.url(role, "crash")
        return url.replace(f":{self._postgres.port}/", f":{self._door.port}/")

    def run(self) -> dict[str, int]:
        """Kill until every victim had its share; return the counts. Raises on any loss."""
        self._postgres.start()
        self._valkey.start()
        try:
            self._set_up()
            for _ in range(self.kills):
                self._until_more_is_acknowledged()
                for victim in self._random.sample(VICTIMS, len(VICTIMS)):
                    time.sleep(self._random.uniform(0.15, 0.7))
                    self._kill(victim)
            self._until_more_is_acknowledged()
            (self.home / "writer" / "stop").touch()
            self._children["writer"].wait(60)
            return self._count()
        finally:
            for child in self._children.values():
                child.kill()
                child.wait()
            self._valkey.stop()
            self._postgres.stop()
            shutil.rmtree(self.home, ignore_errors=True)

    def _set_up(self) -> None:
        self._door.behind = self._postgres.port
        self._postgres.create_roles()
        self._postgres.create_database("crash")
        os.environ.update(
            DJANGO_SETTINGS_MODULE="creditbank.settings",
            BANK_HOME=str(self.home / "bank"),
            REDIS_URL=self._valkey.url(0),
            STATIC_HASHED="0",
            BANK_ID="bank.example",
            DATABASE_CONN_MAX_AGE="60",
            DATABASE_URL=self._through_the_door(OWNER),
        )
        subprocess.run(
            [sys.executable, "-c", programs.MIGRATE],
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        os.environ["DATABASE_URL"] = self._through_the_door(APP)
        (self.home / "bank").mkdir(exist_ok=True)
        (self.home / "writer").mkdir()
        self._start("signer")
        subprocess.run(
            [sys.executable, "-m", "tests.campaign.crash", "--found", str(self.home / "writer")],
            cwd=ROOT,
            check=True,
            stderr=subprocess.DEVNULL,
        )
        self._start("writer")

    def _start(self, victim: str) -> None:
        commands = {
            "writer": ["-m", "tests.campaign.writer", str(self.home / "writer")],
            "signer": [
                "-m", "creditbank.signer",
                "--home", str(self.home / "bank"),
                "--database", self._through_the_door(SIGNER),
                "--origin", "bank.example/log",
                "--public-url", "http://localhost:8000",
            ],
        }  # fmt: skip
        with (self.home / f"{victim}.log").open("ab") as log:
            self._children[victim] = subprocess.Popen(
                [sys.executable, *commands[victim]], cwd=ROOT, stdout=log, stderr=log
            )
        if victim == "signer":
            path = self.home / "bank" / "signer" / "signer.sock"
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                with socket.socket(socket.AF_UNIX) as probe:
                    if probe.connect_ex(str(path)) == 0:
                        return
                time.sleep(0.02)
            raise AssertionError((self.home / "signer.log").read_text()[-3000:])

    def _kill(self, victim: str) -> None:
        self.killed[victim] += 1
        if victim == "postgres":
            os.kill(self._postgres.pid, signal.SIGKILL)
            self._postgres.stop()
            self._postgres = Postgres(self.home / "postgres")
            self._postgres.start()
            self._door.behind = self._postgres.port
        else:
            child = self._children[victim]
            assert child.poll() is None, (self.home / f"{victim}.log").read_text()[-3000:]
            child.kill()
            child.wait()
            self._start(victim)
        self._look()

    def _acknowledged(self) -> int:
        """Return how many bytes of receipts the writer has noted; it starts in its own time."""
        with contextlib.suppress(FileNotFoundError):
            return (self.home / "writer" / "acknowledged").stat().st_size
        return 0

    def _until_more_is_acknowledged(self) -> None:
        """Wait until all three are at work again: kills that hit nobody at work prove nothing."""
        before = self._acknowledged()
        deadline = time.monotonic() + 60
        while self._acknowledged() == before:
            assert time.monotonic() < deadline, (self.home / "writer.log").read_text()[-3000:]
            time.sleep(0.05)

    def _look(self) -> None:
        """Remember every checkpoint that was published."""
        with psycopg.connect(self._postgres.url(APP, "crash")) as connection:
            rows = connection.execute("SELECT size, note FROM ledger_checkpoint").fetchall()
        for size, note in rows:
            before = self.seen.setdefault(int(size), bytes(note))
            assert before == bytes(note), f"checkpoint {size} changed"

    def _count(self) -> dict[str, int]:
        self._look()
        lines = (self.home / "writer" / "acknowledged").read_text().splitlines()
        # A writer killed between noting a receipt and noting that it may go on sends once more:
        # it must be told the very same receipt.
        acknowledged: list[dict[str, object]] = []
        for line in lines:
            receipt = json.loads(line)
            if not acknowledged or receipt != acknowledged[-1]:
                acknowledged.append(receipt)
        numbers: list[int] = []
        with psycopg.connect(self._postgres.url(APP, "crash")) as connection:
            for receipt in acknowledged:
                row = connection.execute(
                    "SELECT first_seq, n, (SELECT count(*) FROM ledger_entry e"
                    " WHERE e.idx > m.idx AND e.idx <= m.idx + m.n)"
                    " FROM ledger_manifest m WHERE idx = %s",
                    [receipt["index"]],
                ).fetchone()
                first, count = receipt["first"], receipt["count"]
                assert isinstance(first, int)
                assert isinstance(count, int)
                assert row == (first, count, count), (receipt, row)
                numbers += range(first, first + count)
            stored = connection.execute(
                "SELECT coalesce(sum(n), 0) FROM ledger_manifest WHERE stream LIKE '%%/own'"
            ).fetchone()
            sizes = {
                int(size)
                for (size,) in connection.execute("SELECT size FROM ledger_checkpoint").fetchall()
            }
        assert numbers == list(range(len(numbers))), "an acknowledged number is missing or double"
        assert stored is not None
        assert int(stored[0]) == len(numbers), (stored, len(numbers))
        assert self.seen.keys() <= sizes, "a published checkpoint is gone"
        audit = subprocess.run(
            [sys.executable, "manage.py", "audit"], cwd=ROOT, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert audit.returncode == 0, audit.stdout + audit.stderr
        return {
            "seed": self.seed,
            **{f"kills of {victim}": self.killed[victim] for victim in VICTIMS},
            "acknowledged submissions": len(acknowledged),
            "acknowledged entries": len(numbers),
            "receipts told twice": len(lines) - len(acknowledged),
            "checkpoints seen": len(self.seen),
            "lost": 0,
            "doubled": 0,
            "gaps": 0,
        }


def _found(folder: Path) -> None:
    """Found the bank, a college with an own-key stream, and the writer's facts."""
    import django

    django.setup()
    from creditbank.institutions import operations as institutions
    from creditbank.institutions.kinds import OutcomeKind
    from creditbank.ledger import operations
    from creditbank.ledger.numbers import format_account
    from tests.institutions.cast import approve, propose
    from tests.ledger.cast import make_college, make_own_stream

    operations.found_bank()
    college = make_college(courses=1)
    own = make_own_stream(college)
    accounts = operations.open_accounts(50)
    # A training may be had in every batch, so there is no end of outcomes.
    institutions.grant_scope(
        institution=college.institution,
        outcome_kind=OutcomeKind.TRAINING,
        valid_from=date(2020, 1, 1),
    )
    training = approve(propose(college.institution, kind=OutcomeKind.TRAINING))
    pattern = college.award(accounts[0], item_row=training)
    outcome = asdict(pattern.outcome)
    (folder / "writer.json").write_text(
        json.dumps(
            {
                "stream": own.name,
                "secret": own.key.secret.hex(),
                "accounts": [format_account(account) for account in accounts],
                "catalogue": {
                    f"{outcome['item']}/{outcome['item_version']}": {
                        **{k: str(v) for k, v in outcome.items()},
                        "credits": str(outcome["credits"]),
                    }
                },
                "pattern": {
                    "item": outcome["item"],
                    "item_version": outcome["item_version"],
                    "completed_on": outcome["completed_on"].isoformat(),
                    "u": pattern.reference.u,
                },
            }
        )
    )


def tell(counts: dict[str, int]) -> None:
    for what, count in counts.items():
        print(f"{what}: {count}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.crash")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--found", type=Path)
    options = parser.parse_args()
    if options.found:
        _found(options.found)
        return 0
    print(f"seed {options.seed}", flush=True)
    tell(Campaign(kills=options.kills, seed=options.seed).run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
