"""What is started and stopped: the frame of every service, and of a server in its folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from creditbank.services import places
from creditbank.services.errors import NotRunning
from creditbank.services.keeping import Kept


class Startable(ABC):
    """A context manager, or `start` and `stop`. What starts half is stopped again."""

    @abstractmethod
    def start(self) -> None:
        """Start it. Done twice, nothing happens. Raises ServiceError."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it. Done twice, nothing happens."""

    def __enter__(self) -> Self:
        """Start it."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()


class Server(Startable):
    """One server in a folder of its own, on a port of 127.0.0.1.

    `durable=False` trades what a power cut would lose for speed: for tests.
    """

    name: ClassVar[str]

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self._asked = folder
        self._durable = durable
        self._place: places.Place | None = None
        self._kept: Kept | None = None
        self._port = 0

    @property
    def folder(self) -> Path:
        """The folder that really holds the data; not the one asked for if that was out of reach."""
        return self._settled.folder

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.folder / "server.log"

    @property
    def port(self) -> int:
        """The port on 127.0.0.1. Raises NotRunning."""
        self._running()
        return self._port

    @property
    def pid(self) -> int:
        """The process id of the server's first process. Raises NotRunning."""
        return self._running().pid

    @property
    def _settled(self) -> places.Place:
        if self._place is None:
            raise NotRunning(f"{self.name} was not started")
        return self._place

    def _running(self) -> Kept:
        if self._kept is None or self._kept.poll() is not None:
            raise NotRunning(f"{self.name} is not running")
        return self._kept

    def poll(self) -> int | None:
        """Return None while the server runs, else its exit status (0 when it was not started)."""
        return 0 if self._kept is None else self._kept.poll()

    def stop(self) -> None:
        """End all sessions, write everything out, and stop. Done twice, nothing happens."""
        if self._kept is not None:
            self._kept.stop()
            self._kept = None
