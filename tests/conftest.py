"""What tests stand on: a database of their own each, the real signer, the real site.

Every test that asks for `db` gets a database copied from a migrated template
and works in it as the role the application runs as. So commits, rights and
triggers are real; nothing is rolled back, flushed or switched off.
"""

from __future__ import annotations

import copy
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.management import call_command
from django.db import connections
from django.test import override_settings

from creditbank import keystore
from creditbank.services.postgres import APP, OWNER, SIGNER, SUPERUSER
from tests.environment import postgres, valkey
from tests.forker import Forked, Forker
from tests.pages import browser, new_page, page
from tests.sites import public_url, site, worker

__all__ = ["browser", "new_page", "page", "public_url", "site", "worker"]

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = "template_bank"
_numbers = itertools.count(1)
_left: list[str] = []
"""Databases of tests that have ended. Dropped a test later: the server waits for sessions to end."""
broker = redis.Redis.from_url(valkey.url(0))
"""Emptied for each test: a message of one test must not start work in the next one's database."""


@dataclass(frozen=True)
class Database:
    """The database of one test."""

    name: str

    @property
    def app_url(self) -> str:
        return postgres.url(APP, self.name)

    @property
    def owner_url(self) -> str:
        return postgres.url(OWNER, self.name)

    @property
    def signer_url(self) -> str:
        return postgres.url(SIGNER, self.name)

    @property
    def superuser_url(self) -> str:
        return postgres.url(SUPERUSER, self.name)


def _point_at(name: str, role: str) -> None:
    """Point Django's connections, of every thread, at a database."""
    connections.close_all()
    url = postgres.url(role, name)
    password = url.split(":")[2].split("@")[0]
    for alias in connections:
        connections.settings[alias].update(NAME=name, USER=role, PASSWORD=password)


@pytest.fixture(scope="session")
def template(django_db_blocker: Any) -> str:
    """A migrated, empty database, made once."""
    postgres.create_database(TEMPLATE)
    with django_db_blocker.unblock():
        _point_at(TEMPLATE, OWNER)
        for alias in ("default", "keys"):
            call_command("migrate", database=alias, verbosity=0, interactive=False)
        connections.close_all()
    return TEMPLATE


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """What a test begins with: a database to copy, and the bank's folder that belongs to it."""

    database: str
    home: Path | None = None
    world: Any = None


@pytest.fixture(scope="session")
def world_beginning(
    template: str,
    forker: Forker | None,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: Any,
) -> Beginning:
    """A founded bank with the world of the tests of recognition, made once and copied for each."""
    from creditbank.ledger import operations
    from tests.recognition.world import make_world

    home = tmp_path_factory.mktemp("world") / "bank"
    home.mkdir()
    name = "template_world"
    postgres.create_database(name, template=template)
    signing = SignerProcess(home, postgres.url(SIGNER, name), forker=forker)
    with (
        django_db_blocker.unblock(),
        override_settings(**_of_home(home), STAFF_SECOND_FACTOR=False),
    ):
        _point_at(name, APP)
        signing.start()
        try:
            operations.found_bank()
            world = make_world()
        finally:
            signing.stop()
            connections.close_all()
    return Beginning(database=name, home=home, world=world)


@pytest.fixture
def beginning(request: pytest.FixtureRequest, template: str) -> Beginning:
    """The migrated, empty database, unless the test asks for the world."""
    if "begun_world" in request.fixturenames:
        begun: Beginning = request.getfixturevalue("world_beginning")
        return begun
    return Beginning(database=template)


@pytest.fixture
def db(beginning: Beginning, django_db_blocker: Any) -> Iterator[Database]:
    """A database of this test's own, seen as the application's role."""
    name = f"bank_{os.getpid()}_{next(_numbers)}"
    postgres.create_database(name, template=beginning.database)
    while _left:
        postgres.drop_database(_left.pop())
    with django_db_blocker.unblock():
        _point_at(name, APP)
        broker.flushall()
        try:
            yield Database(name)
        finally:
            connections.close_all()
            _left.append(name)


@pytest.fixture
def owner_url(db: Database) -> str:
    """The URL of the role that migrates."""
    return db.owner_url


@pytest.fixture
def superuser_url(db: Database) -> str:
    """The URL of a database superuser: for tests that tamper."""
    return db.superuser_url


def _of_home(home: Path) -> dict[str, Any]:
    """The settings that name the bank's folder."""
    return {
        "BANK_HOME": home,
        "KEYSTORE": keystore.FileKeyStore(home / "secrets"),
        "SIGNER_SOCKET": home / "signer" / "signer.sock",
    }


@pytest.fixture
def bank_home(tmp_path: Path, settings: Any, beginning: Beginning) -> Path:
    """A folder of the bank's own for this test: secrets, signer, anchor, exported log."""
    home = tmp_path / "bank"
    if beginning.home is None:
        home.mkdir()
    else:
        shutil.copytree(beginning.home, home)
    for name, value in _of_home(home).items():
        setattr(settings, name, value)
    return home


class SignerProcess:
    """The real signer, for one database."""

    def __init__(
        self,
        home: Path,
        url: str,
        *,
        forker: Forker | None = None,
        public_url: str = "http://localhost:8000",
    ) -> None:
        self.home, self._url, self._public_url = home, url, public_url
        self._forker = forker
        self.process: subprocess.Popen[bytes] | Forked | None = None
        self.extra: list[str] = []

    def start(self, *, wait: bool = True) -> None:
        arguments = [
            "--home", str(self.home),
            "--database", self._url,
            "--origin", "bank.example/log",
            "--public-url", self._public_url,
            *self.extra,
        ]  # fmt: skip
        path = self.home / "signer.log"
        if self._forker is not None:
            self.process = self._forker.start(arguments, path)
        else:
            with path.open("ab") as log:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "creditbank.signer", *arguments],
                    cwd=ROOT,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
        if wait:
            self.wait_ready()

    def wait_ready(self, seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        path = self.home / "signer" / "signer.sock"
        assert self.process is not None
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    probe.connect(str(path))
                except OSError:
                    time.sleep(0.005)
                else:
                    return
        pytest.fail("the signer did not start:\n" + self.log())

    def log(self) -> str:
        return (self.home / "signer.log").read_text(errors="replace")[-4000:]

    def stop(self) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def forker() -> Iterator[Forker | None]:
    """What starts signers quickly; None where they are started as in operation."""
    process = Forker()
    yield process
    process.stop()


@pytest.fixture
def signer(db: Database, bank_home: Path, forker: Forker | None) -> Iterator[SignerProcess]:
    """The signing process, running."""
    process = SignerProcess(bank_home, db.signer_url, forker=forker)
    process.start()
    try:
        yield process
    finally:
        if process.process is not None and process.process.poll() is None:
            process.stop()


@pytest.fixture
def bank(signer: SignerProcess, beginning: Beginning) -> SignerProcess:
    """A founded bank: its genesis stands at indexes 0 and 1."""
    from creditbank.ledger import operations

    if beginning.home is None:
        operations.found_bank()
    return signer


@pytest.fixture
def begun_world(bank: SignerProcess, beginning: Beginning) -> Any:
    """What `tests.recognition.world.make_world` made, in this test's own database."""
    return copy.deepcopy(beginning.world)
