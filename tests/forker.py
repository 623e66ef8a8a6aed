"""Starts signers by forking: a process that has loaded the signer's code once, and waits.

Most tests need a signer, few are about how it starts; loading an interpreter
and the code for each of them took half of the time of the whole run. Here the
code is loaded once per test process, and each signer is a fork: a process of
its own, with its own log, signals and exit code. The signer's own tests start
it as operation does.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REQUEST_MAX = 1 << 20


class Forked:
    """A running signer, with what tests use of `subprocess.Popen`."""

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._connection = connection

    def poll(self) -> int | None:
        return self._look(0.0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("signer", timeout or 0.0)
        return code

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                answer = self._connection.recv(64)
            except (TimeoutError, BlockingIOError):
                return None
            self.returncode = int(answer) if answer else -int(signal.SIGKILL)
            self._connection.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Forker:
    """The waiting process, from the side of the tests."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="forker-")
        self._path = Path(self._folder.name) / "socket"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forker", str(self._path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
        )
        limit = time.monotonic() + 30
        while not self._path.exists():
            assert self._process.poll() is None
            assert time.monotonic() < limit
            time.sleep(0.01)

    def start(self, arguments: Sequence[str], log: Path) -> Forked:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.connect(str(self._path))
        asked = {"arguments": list(arguments), "log": str(log), "environment": dict(os.environ)}
        connection.send(json.dumps(asked).encode())
        return Forked(int(connection.recv(64)), connection)

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._folder.cleanup()


# -- the waiting process ------------------------------------------------------------------------
def _child(asked: dict[str, Any]) -> int:
    os.setsid()
    descriptor = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    os.environ.clear()
    os.environ.update(asked["environment"])
    from creditbank.signer.__main__ import main

    try:
        return main(asked["arguments"])
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except BaseException:  # noqa: BLE001 - told, and the exit code of any program
        sys.excepthook(*sys.exc_info())
        return 1


def serve(path: str) -> None:
    """Fork whenever asked, tell who asked how it ended; end with whoever started this."""
    import creditbank.signer.__main__
    import creditbank.signer.requests

    assert creditbank.signer.__main__.main
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path + ".new")
    listener.listen(16)
    os.rename(path + ".new", path)
    selector = selectors.DefaultSelector()
    for descriptor in (0, woken, listener.fileno()):
        selector.register(descriptor, selectors.EVENT_READ)
    running: dict[int, socket.socket] = {}
    while True:
        ready = {key.fd for key, _ in selector.select()}
        if 0 in ready:
            for pid in running:
                os.kill(pid, signal.SIGKILL)
            return
        if listener.fileno() in ready:
            connection, _ = listener.accept()
            asked = json.loads(connection.recv(REQUEST_MAX))
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for other in (listener, connection, *running.values()):
                    other.close()
                for descriptor in (woken, wake):
                    os.close(descriptor)
                selector.close()
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                code = _child(asked)
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
            running[pid] = connection
            connection.send(str(pid).encode())
        if woken in ready:
            os.read(woken, 4096)
            while running:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                # Who asked may have gone.
                with running.pop(pid) as ended, contextlib.suppress(OSError):
                    ended.send(str(os.waitstatus_to_exitcode(status)).encode())


if __name__ == "__main__":
    serve(sys.argv[1])
