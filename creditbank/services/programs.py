"""The bank's own programs: the signer, the web, the worker and its clock, as children of one launcher."""

from __future__ import annotations

import http.client
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from creditbank.services.keeping import Kept
from creditbank.services.places import CLONE
from creditbank.services.ports import HOST

WEB_WORKERS: Final = 2
MIGRATE: Final = """
import django
from django.core.management import call_command
django.setup()
for alias in ("default", "keys"):
    call_command("migrate", database=alias, interactive=False)
"""
"""`manage.py migrate` for one database after the other; loading Django twice would take longer."""
WEB_THREADS: Final = 4
WORKERS: Final = 2


class Programs:
    """Makes the bank's programs; all of them write to `logs`, and line by line to `logs/all.log`."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        # Unbuffered: a log that ends before the crash explains nothing.
        self._environment = {**environment, "PYTHONUNBUFFERED": "1"}
        self._logs = logs

    def python(
        self,
        name: str,
        *arguments: str,
        stop_signal: signal.Signals = signal.SIGTERM,
        last_signal: signal.Signals = signal.SIGKILL,
        grace: float = 10.0,
    ) -> Kept:
        """Return a program in Python, not yet started."""
        return Kept(
            [sys.executable, *arguments],
            name=name,
            log=self._logs / f"{name}.log",
            merged=self._logs / "all.log",
            environment=self._environment,
            folder=CLONE,
            stop_signal=stop_signal,
            last_signal=last_signal,
            grace=grace,
        )

    def manage(self, name: str, *arguments: str) -> Kept:
        """Return a management command as a program, not yet started."""
        return self.python(name, "manage.py", *arguments)

    def migrate(self) -> Kept:
        """Return both databases' migrations as one program, not yet started."""
        return self.python("migrate", "-c", MIGRATE)

    def signer(self) -> Kept:
        """Return the signer; it reads BANK_HOME, SIGNER_DATABASE_URL and BANK_ID."""
        return self.python("signer", "-m", "creditbank.signer", grace=20.0)

    def web(self, port: int) -> Kept:
        """Return gunicorn on 127.0.0.1."""
        return self.python(
            "web",
            "-m",
            "gunicorn",
            "creditbank.wsgi:application",
            "--config=python:creditbank.gunicorn",
            f"--bind={HOST}:{port}",
            f"--workers={WEB_WORKERS}",
            f"--threads={WEB_THREADS}",
            "--graceful-timeout=10",
            grace=15.0,
        )

    def worker(self) -> Kept:
        """Return the Celery worker."""
        return self.python(
            "worker",
            "-m",
            "celery",
            "--app=creditbank.celery",
            "worker",
            f"--concurrency={WORKERS}",
            "--loglevel=INFO",
            "--without-gossip",
            "--without-mingle",
            # SIGTERM: finish what is begun. SIGQUIT: leave it; the outbox brings it again.
            last_signal=signal.SIGQUIT,
            grace=15.0,
        )

    def beat(self, folder: Path) -> Kept:
        """Return Celery's clock."""
        return self.python(
            "beat",
            "-m",
            "celery",
            "--app=creditbank.celery",
            "beat",
            f"--schedule={folder / 'beat-schedule'}",
            "--pidfile=",
            "--loglevel=INFO",
        )


def answers(path: Path) -> bool:
    """Tell whether something listens on a unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def web_status(port: int, path: str = "/") -> int | None:
    """Return the HTTP status of a page of the local web, None while nobody answers."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
