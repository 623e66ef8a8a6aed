"""The socket: one thread a connection, one request at a time on each."""

from __future__ import annotations

import contextlib
import logging
import socket
import struct
import threading
from pathlib import Path
from typing import Final

from creditbank.signer.files import make_folder
from creditbank.signer.protocol import ConnectionLost, Frames, socket_address
from creditbank.signer.requests import Peer, Requests

log = logging.getLogger(__name__)

CONNECTIONS_MAX: Final = 512
IDLE_SECONDS: Final = 900.0
"""How long a connection may say nothing: clients keep theirs, and open another when it is gone."""

SOCKET_MODE: Final = 0o660
_CREDENTIALS: Final = struct.Struct("3i")


class Server:
    """Listens on a Unix socket from `start` to `stop`."""

    def __init__(self, path: Path, requests: Requests) -> None:
        self._path = path
        self._requests = requests
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._stopped = False
        self._acceptor = threading.Thread(target=self._accept, name="accept", daemon=True)

    def start(self) -> None:
        """Bind and listen. The name appears when the socket listens, so nobody meets a closed door."""
        make_folder(self._path.parent, mode=0o750)
        draft = self._path.with_name(f".{self._path.name}.new")
        draft.unlink(missing_ok=True)
        with socket_address(draft) as address:
            self._listener.bind(address)
        draft.chmod(SOCKET_MODE)
        self._listener.listen(128)
        draft.rename(self._path)
        self._acceptor.start()

    def stop(self) -> None:
        """Close the socket and every connection, and wait for their threads."""
        with self._lock:
            self._stopped = True
            connections, threads = set(self._connections), set(self._threads)
        self._path.unlink(missing_ok=True)
        # Shutting down wakes the threads that wait in accept and recv; closing does not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in (self._acceptor, *threads):
            if thread.ident is not None:
                thread.join(timeout=5.0)
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopped:
            try:
                connection, _ = self._listener.accept()
            except OSError as error:
                if not self._stopped:
                    # Out of descriptors, most likely: whoever waits in the queue waits longer.
                    log.error("cannot accept a connection: %s", error)
                    threading.Event().wait(0.1)
                continue
            self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        thread = threading.Thread(
            target=self._converse, args=(connection,), name="request", daemon=True
        )
        with self._lock:
            if self._stopped or len(self._connections) >= CONNECTIONS_MAX:
                log.error("a connection refused: there are %d", len(self._connections))
                connection.close()
                return
            self._connections.add(connection)
            self._threads.add(thread)
        thread.start()

    def _converse(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(IDLE_SECONDS)
                peer = _peer(connection)
                frames = Frames(connection)
                while (payload := frames.receive()) is not None:
                    frames.send(self._requests.answer(payload, peer))
        except (OSError, ConnectionLost) as error:
            log.debug("a connection ended: %s", error)
        finally:
            with self._lock:
                self._connections.discard(connection)
                self._threads.discard(threading.current_thread())


def _peer(connection: socket.socket) -> Peer:
    """Ask the kernel who is at the other end (unix(7), SO_PEERCRED)."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(data)
    return Peer(pid=pid, uid=uid)
