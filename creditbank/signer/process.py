"""The signer's process: locks, keys, the socket, the publisher and the export, in their order."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from creditbank.keystore import FileKeyStore
from creditbank.signer.export import FolderExporter, keep_exported
from creditbank.signer.files import FolderLock, make_folder
from creditbank.signer.keys import Identity, KeyRing
from creditbank.signer.published import Published
from creditbank.signer.publisher import Publisher
from creditbank.signer.register import Register
from creditbank.signer.requests import Requests
from creditbank.signer.server import Server
from creditbank.signer.state import FileAnchor, StateFile
from creditbank.signer.stopping import Stopping

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where everything is: `anchor` and `socket` are files, `export` a folder or nothing."""

    database: str
    identity: Identity
    socket: Path
    state: Path
    anchor: Path
    secrets: Path
    export: Path | None
    adopt_checkpoints: bool = False


class Process:
    """One signer. `run` returns when `stopping` is set, and raises SignerStops otherwise."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.stopping = Stopping()

    def run(self) -> None:
        """Hold the lock, open the keys, answer requests and publish.

        Requests are answered as soon as the keys are open: a database that is
        still starting keeps nobody from a hosted manifest.
        """
        settings = self._settings
        with ExitStack() as stack:
            make_folder(settings.state, mode=0o750)
            stack.callback(FolderLock(settings.state).close)
            state_file = StateFile(settings.state / "state.json")
            anchor = FileAnchor(settings.anchor)
            # A new secret would open none of the keys, and stand in the way of the old one.
            new = state_file.read() is None and anchor.read() is None
            keys = KeyRing(
                settings.state / "keys",
                seal=FileKeyStore(settings.secrets, may_create=new).get("signer"),
                identity=settings.identity,
                may_create=new,
            )
            published = Published()
            register = Register(settings.database, published)
            stack.callback(register.close)
            requests = Requests(
                keys=keys,
                register=register,
                published=published,
                bank_id=settings.identity.bank_id,
            )
            server = Server(settings.socket, requests)
            stack.callback(server.stop)
            server.start()
            log.info("%s listens on %s", settings.identity.origin, settings.socket)
            if settings.export is not None:
                stack.callback(self._start_export(settings.export, published).join)
            stack.callback(published.close)
            stack.callback(self.stopping.set)
            Publisher(
                database=settings.database,
                keys=keys,
                state_file=state_file,
                anchor=anchor,
                published=published,
                stopping=self.stopping,
                adopt=settings.adopt_checkpoints,
            ).run()

    def _start_export(self, folder: Path, published: Published) -> threading.Thread:
        thread = threading.Thread(
            target=keep_exported,
            args=(FolderExporter(folder),),
            kwargs={
                "database": self._settings.database,
                "published": published,
                "stopping": self.stopping,
            },
            name="export",
            daemon=True,
        )
        thread.start()
        return thread
