"""A Valkey server of our own, in a folder of its own: message broker and cache.

It listens on a free port of 127.0.0.1, asks for a password, and runs as an
unprivileged user when we are root. What matters is in PostgreSQL; this may be
lost at any moment (the outbox is sent again), and is kept all the same.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import Final

from creditbank.services import binaries, passwords, places
from creditbank.services.errors import StartFailed
from creditbank.services.keeping import Kept, pause, tail
from creditbank.services.ports import HOST, free_port
from creditbank.services.serving import Server
from creditbank.services.users import owned_folder

START_WAIT: Final = 60.0
PORT_TRIES: Final = 5
DURABLE: Final = ("appendonly yes", "appendfsync everysec")
FLEETING: Final = ("appendonly no",)


class Valkey(Server):
    """One server, with one password."""

    name = "Valkey"

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        super().__init__(folder, durable=durable)
        self._password = ""

    def url(self, number: int = 0) -> str:
        """Return the URL of one of the server's 16 numbered stores. Raises NotRunning."""
        return f"redis://:{self._password}@{HOST}:{self.port}/{number}"

    def start(self) -> None:
        """Start the server. Raises FolderRefused, FolderInUse, ProgramMissing or StartFailed."""
        if self.poll() is None:
            return
        self._place = places.settle(
            self._asked, binaries.valkey(), service="valkey", probe="valkey-server"
        )
        lock = places.lock(self._place)
        try:
            held = passwords.held(self.folder / "passwords.json", ("default",))
            self._password = held["default"]
            self._launch(self._place, lock)
        finally:
            os.close(lock)

    def _launch(self, place: places.Place, lock: int) -> None:
        data = owned_folder(place.folder / "data", place.user, mode=0o700)
        for _ in range(PORT_TRIES):
            self._port = free_port()
            size = self.log.stat().st_size if self.log.exists() else 0
            kept = Kept(
                [place.programs["valkey-server"], self._configured(place)],
                name="valkey",
                log=self.log,
                stop_signal=signal.SIGTERM,
                user=place.user,
                folder=data,
                hold=[lock],
            )
            kept.start()
            if self._becomes_ready(kept):
                self._kept = kept
                return
            kept.stop()
            if b"Failed listening on port" not in self.log.read_bytes()[size:]:
                break
        raise StartFailed(f"Valkey did not start:\n{tail(self.log)}")

    def _configured(self, place: places.Place) -> Path:
        """Write the configuration: in a file, since a command line shows the password to all."""
        path = place.folder / "valkey.conf"
        lines = [
            f"bind {HOST}",
            f"port {self._port}",
            f"requirepass {self._password}",
            "protected-mode yes",
            "databases 16",
            "enable-debug-command no",
            "enable-module-command no",
            "enable-protected-configs no",
            # The queue must never be thrown out for want of memory.
            "maxmemory-policy noeviction",
            'save ""',
            *(DURABLE if self._durable else FLEETING),
        ]
        passwords.write_private(path, "\n".join(lines) + "\n")
        if place.user is not None:
            os.chown(path, place.user.uid, place.user.gid)
        return path

    def _becomes_ready(self, kept: Kept) -> bool:
        """Wait until the server answers PONG to our password. False when it ended."""
        limit = time.monotonic() + START_WAIT
        while kept.poll() is None:
            if self._answers():
                return True
            if time.monotonic() > limit:
                kept.stop()
                raise StartFailed(f"Valkey was not ready in time:\n{tail(self.log)}")
            pause()
        return False

    def _answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self._port), timeout=2) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\n") < 2:
                    data = connection.recv(200)
                    if not data:
                        break
                    answer += data
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"
