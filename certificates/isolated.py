"""Verifying files of strangers in a process of their own, with limits.

A parser that meets a hostile file may loop or swell. So uploads are read by a
small process that holds no secret, no database and no signer's socket: it loads
the verifier once, and forks a child for every file, which may use so much
processor time and memory and no more. One such process for each web process; it
ends when that does, or when no file has come for ten minutes.

On the wire (its standard input and output) a frame is a length of 4 bytes, most
significant first, and that many bytes. A request is two frames: a JSON object
with the trust list, the status and the register's document, and the file. The
answer is one: the report as JSON.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any, ClassVar, Final

from creditbank.errors import DomainError

CPU_SECONDS: Final = 20
WALL_SECONDS: Final = 30.0
WAIT_SECONDS: Final = 10.0
START_SECONDS: Final = 30.0
IDLE_SECONDS: Final = 600.0
"""After this long without a file the process ends and gives its memory back."""

MEMORY_BYTES: Final = 1 << 30
FILES_MAX: Final = 32
FRAME_MAX: Final = 128 << 20

_TOKEN: Final = re.compile(rb"/v/([0-9A-Za-z]{22})\"")
_ROOT: Final = Path(__file__).resolve().parent.parent
_READY: Final = b"ready"


class VerifierBusy(DomainError):
    """Too many files are being verified at once, or the verifier does not start."""

    code: ClassVar[str] = "verifier-busy"


class FileUnreadable(DomainError):
    """The file used more time or memory than any of ours could, or ended the verifier."""

    code: ClassVar[str] = "file-unreadable"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the verifier said: the report, and the token of the QR link that the file names."""

    report: dict[str, Any]
    token: str


def _send(stream: IO[bytes], data: bytes) -> None:
    stream.write(len(data).to_bytes(4, "big") + data)
    stream.flush()


def _exactly(read: Callable[[int], bytes], count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = read(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def _receive(read: Callable[[int], bytes]) -> bytes:
    length = int.from_bytes(_exactly(read, 4), "big")
    if length > FRAME_MAX:
        raise EOFError
    return _exactly(read, length)


# -- the web's side ---------------------------------------------------------------------------
class _Verifier:
    """The verifier process of one web process. One file at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._owner = 0

    def verify(self, request: bytes, file: bytes) -> dict[str, Any]:
        """Have a file verified. Raises VerifierBusy, FileUnreadable."""
        if not self._lock.acquire(timeout=WAIT_SECONDS):
            raise VerifierBusy
        try:
            process = self._running()
            try:
                return self._exchange(process, request, file)
            except (BrokenPipeError, EOFError) as error:
                # It had nothing to do for long and went home just now: that says nothing of the file.
                went_home = self._ended_well(process)
                self._end()
                if not went_home:
                    raise FileUnreadable(reason=type(error).__name__) from error
            except (OSError, ValueError) as error:
                self._end()
                raise FileUnreadable(reason=type(error).__name__) from error
            return self._again(request, file)
        finally:
            self._lock.release()

    @staticmethod
    def _ended_well(process: subprocess.Popen[bytes]) -> bool:
        try:
            return process.wait(WAIT_SECONDS) == 0
        except subprocess.TimeoutExpired:
            return False

    def _again(self, request: bytes, file: bytes) -> dict[str, Any]:
        try:
            return self._exchange(self._running(), request, file)
        except (OSError, EOFError, ValueError) as error:
            self._end()
            raise FileUnreadable(reason=type(error).__name__) from error

    def _exchange(
        self, process: subprocess.Popen[bytes], request: bytes, file: bytes
    ) -> dict[str, Any]:
        assert process.stdin is not None
        _send(process.stdin, request)
        _send(process.stdin, file)
        answer: dict[str, Any] = json.loads(self._read(process, WALL_SECONDS))
        if "unreadable" in answer:
            raise FileUnreadable(reason=answer["unreadable"])
        if "refused" in answer:
            raise VerifierBusy(reason=answer["refused"])
        return answer

    def _read(self, process: subprocess.Popen[bytes], seconds: float) -> bytes:
        assert process.stdout is not None
        handle = process.stdout.fileno()
        deadline = time.monotonic() + seconds

        def read(count: int) -> bytes:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([handle], [], [], left)[0]:
                raise TimeoutError
            return os.read(handle, count)

        return _receive(read)

    def warm(self) -> None:
        """Start the process without waiting for it, if nobody else is doing so."""
        if self._lock.acquire(blocking=False):
            try:
                self._start()
            finally:
                self._lock.release()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid():
            # A fork of the web process must not share its parent's verifier.
            self._process, self._owner = None, os.getpid()
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._process is None:
            self._ready = False
            self._process = subprocess.Popen(
                [sys.executable, "-m", "certificates.isolated"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=_ROOT,
                # Nothing of our environment: it holds the addresses and passwords of the database.
                env={"PATH": os.defpath, "PYTHONPATH": str(_ROOT), "LANG": "C.UTF-8"},
                start_new_session=True,
            )
        return self._process

    def _running(self) -> subprocess.Popen[bytes]:
        process = self._start()
        if not self._ready:
            try:
                if self._read(process, START_SECONDS) != _READY:
                    raise VerifierBusy
            except (OSError, EOFError) as error:
                self._end()
                raise VerifierBusy(reason=type(error).__name__) from error
            self._ready = True
        return process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        # Its own group: a child that is busy with a file goes with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()

    def close(self) -> None:
        """End the verifier; the next file starts another."""
        with self._lock:
            if self._owner == os.getpid():
                self._end()


_verifier = _Verifier()


def verify(
    file: bytes,
    *,
    trust: bytes,
    status: bytes | None,
    at: date,
    register: Mapping[str, Any] | None = None,
) -> Answer:
    """Verify a file of unknown origin as `verify.verify_file` does, in a process apart.

    `trust` and `status` as they are published. Raises VerifierBusy, FileUnreadable.
    """
    request = {
        "trust": trust.decode(),
        "status": None if status is None else status.decode(),
        "at": at.isoformat(),
        "register": register,
    }
    answer = _verifier.verify(json.dumps(request).encode(), file)
    return Answer(report=answer["report"], token=answer["token"])


def warm() -> None:
    """Start this process's verifier in good time: loading it takes seconds."""
    _verifier.warm()


def close() -> None:
    """End this process's verifier, as a test or a worker does before it ends."""
    _verifier.close()


atexit.register(close)


# -- the verifier's side ----------------------------------------------------------------------
class _Lists:
    """The trust list and status read last: they change far less often than files come."""

    def __init__(self) -> None:
        self._texts: tuple[str, str | None] = ("", None)
        self._read: tuple[Any, Any] = (None, None)

    def read(self, trust_text: str, status_text: str | None) -> tuple[Any, Any]:
        from creditbank import trust

        if self._texts != (trust_text, status_text):
            known = trust.parse_trust(trust_text.encode())
            status = None
            if status_text is not None:
                status = trust.parse_status(status_text.encode(), known)
            self._texts, self._read = (trust_text, status_text), (known, status)
        return self._read


def _limit() -> None:
    for what, amount in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_NOFILE, FILES_MAX),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (amount, amount))


def _look(file: bytes, request: dict[str, Any], known: Any, status: Any) -> bytes:
    """Verify one file; in the child."""
    from certificates.verify import verify_file

    report = verify_file(
        file,
        trust=known,
        status=status,
        at=date.fromisoformat(request["at"]),
        register=request["register"],
    )
    token = report.data.verify_token if report.data else _token(file)
    return json.dumps({"report": report.to_json(), "token": token}).encode()


def _token(file: bytes) -> str:
    """Find the QR link's token in a file whose values could not be read."""
    from certificates import pdf

    content = file
    if b"%PDF-" in file[:1024]:
        try:
            content = pdf.attachment(pdf.open_pdf(file))
        except pdf.NotOurPdf:
            return ""
    match = _TOKEN.search(content)
    return match[1].decode() if match else ""


def _child(file: bytes, request: dict[str, Any], known: Any, status: Any) -> bytes:
    """Fork, verify under limits, and return the answer or why there is none."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(reading)
            _limit()
            answer = _look(file, request, known, status)
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(answer)
            code = 0
        except MemoryError:
            code = 2
        finally:
            # Without the parent's exit handlers and buffers.
            os._exit(code)
    os.close(writing)
    deadline = time.monotonic() + WALL_SECONDS - 5
    answer = b""
    with os.fdopen(reading, "rb") as pipe:
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                os.kill(pid, signal.SIGKILL)
                break
            part = os.read(pipe.fileno(), 1 << 16)
            if not part:
                break
            answer += part
    _, status_word = os.waitpid(pid, 0)
    if status_word == 0 and answer:
        return answer
    return json.dumps({"unreadable": os.waitstatus_to_exitcode(status_word)}).encode()


def main() -> int:
    """Verify files until the standard input ends."""
    # Loaded before the first fork, so that every child has it: code, fonts, contexts.
    import certificates.verify  # noqa: F401 - loaded here once, used in every child
    from certificates import fonts
    from creditbank.trust import TrustInvalid

    fonts.faces()
    lists = _Lists()
    _send(sys.stdout.buffer, _READY)
    while select.select([sys.stdin], [], [], IDLE_SECONDS)[0]:
        try:
            request = json.loads(_receive(sys.stdin.buffer.read))
            file = _receive(sys.stdin.buffer.read)
        except EOFError:
            break
        try:
            known, status = lists.read(request["trust"], request["status"])
        except TrustInvalid as error:
            _send(sys.stdout.buffer, json.dumps({"refused": str(error)}).encode())
            continue
        _send(sys.stdout.buffer, _child(file, request, known, status))
    return 0


if __name__ == "__main__":
    sys.exit(main())
