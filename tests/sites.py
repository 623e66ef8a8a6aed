"""The real site of one test: gunicorn, and when asked for the Celery worker, as the demo runs them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from creditbank.services import programs
from creditbank.services.keeping import Kept
from creditbank.services.ports import free_port
from tests.environment import valkey

START_WAIT = 60.0


@dataclass(frozen=True, kw_only=True)
class Site:
    """A running site and the maker of further programs beside it."""

    url: str
    port: int
    web: Kept
    programs: programs.Programs

    def log(self) -> str:
        """What gunicorn has said lately."""
        return self.web.tail()


def expect(ready: Callable[[], bool], program: Kept) -> None:
    """Wait until a program is ready; fail the test with its last words when it is not."""
    limit = time.monotonic() + START_WAIT
    while not ready():
        if program.poll() is not None or time.monotonic() > limit:
            pytest.fail(f"{program.name} did not get ready:\n{program.tail()}")
        time.sleep(0.05)


@pytest.fixture
def public_url(settings: Any) -> str:
    """The address of this test's site, set before the site runs; documents name it."""
    settings.PUBLIC_URL = f"http://localhost:{free_port()}"
    return str(settings.PUBLIC_URL)


@pytest.fixture
def site(db: Any, bank_home: Path, public_url: str) -> Iterator[Site]:
    """Gunicorn serving the test's database at http://localhost:PORT."""
    logs = bank_home / "logs"
    logs.mkdir()
    environment = {
        **os.environ,
        "DATABASE_URL": db.app_url,
        "REDIS_URL": valkey.url(0),
        "BANK_HOME": str(bank_home),
        "PUBLIC_URL": public_url,
    }
    make = programs.Programs(environment, logs)
    port = int(public_url.rpartition(":")[2])
    web = make.web(port)
    web.start()
    try:
        expect(lambda: programs.web_status(port) is not None, web)
        yield Site(url=public_url, port=port, web=web, programs=make)
    finally:
        web.stop()


@pytest.fixture
def worker(site: Site) -> Iterator[Kept]:
    """The Celery worker beside the site: what happens after a commit happens."""
    program = site.programs.worker()
    program.start()
    try:
        expect(lambda: " ready." in program.log.read_text(errors="replace"), program)
        yield program
    finally:
        program.stop()
