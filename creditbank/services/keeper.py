"""The keeper: one small process between a program and whoever started it.

It starts the program, passes on when to stop, and outlives its own parent just
long enough to stop what that parent left behind. Three things guard against a
process that stays:

* the parent holds the other end of the keeper's standard input; when the
  parent ends, however it ends, the keeper reads the end of file and stops the
  program (and once a second it looks whether its parent is still the same);
* the program asks the kernel for its stop signal should the keeper itself be
  killed (`PR_SET_PDEATHSIG`, prctl(2));
* the keeper adopts the program's orphans (`PR_SET_CHILD_SUBREAPER`) and waits
  for the last of them, or kills it.

The keeper is a process of its own because those calls belong to a thread and
need a moment between fork and exec, which is only safe in a program that has
no other threads. It is run as a file, with the standard library alone:

    python -I -S keeper.py OPTIONS -- PROGRAM ARGUMENT...

The first line it writes is the program's process id; its exit status is the
program's, 128 + the signal's number when a signal ended it.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
CANNOT_START = 127
ORPHANS_WAIT = 5.0
KILL_WAIT = 5.0
LINE_MAX = 65536


class Output:
    """The program's output, line by line, to its own log and to one log of all programs."""

    def __init__(self, name: str, log: str, merged: str | None) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._name = f"{name:<8}| ".encode()
        self._log = os.open(log, flags, 0o600)
        self._merged = os.open(merged, flags, 0o600) if merged else None
        self._rest = b""

    def write(self, data: bytes) -> None:
        """Write what is whole lines; keep the beginning of the next."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LINE_MAX:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._line(line)

    def end(self) -> None:
        """Write the line that had no end."""
        if self._rest:
            self._line(self._rest)
            self._rest = b""

    def _line(self, line: bytes) -> None:
        # One write per line in append mode: lines of several keepers never mix.
        os.write(self._log, line + b"\n")
        if self._merged is not None:
            os.write(self._merged, self._name + line + b"\n")


def last_wish(libc: ctypes.CDLL, stop: int) -> Callable[[], None]:
    """Return what the child does before exec: ask for `stop` when the keeper dies."""
    keeper = os.getpid()

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, stop, 0, 0, 0)
        if os.getppid() != keeper:
            os._exit(CANNOT_START)

    return ask


def children() -> list[int]:
    """Return the process ids whose parent this process is, orphans it adopted among them."""
    mine = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:
                # The name may hold spaces and brackets; what follows the last bracket does not.
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            mine.append(int(entry))
    return mine


class Keeper:
    """One program, from its start to the end of its last orphan."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._parent = os.getppid()
        self._pid = 0
        self._status: int | None = None
        self._alone = False
        self._selector = selectors.DefaultSelector()
        self._output: Output | None = None
        self._stopping: list[tuple[float, int]] = []
        self._libc = ctypes.CDLL(None, use_errno=True)

    def run(self) -> int:
        """Start the program, keep it, and return its exit status."""
        self._libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._listen()
        pipe = self._start()
        while self._status is None:
            self._turn(pipe, 1.0)
        self._bury(pipe)
        if self._output is not None:
            self._output.end()
        return self._status

    def _listen(self) -> None:
        wake, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        # Whoever started us may have blocked them, and the program must have them too.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda number, _frame: None)
        self._selector.register(wake, selectors.EVENT_READ, "signal")
        self._selector.register(0, selectors.EVENT_READ, "parent")

    def _start(self) -> int | None:
        options = self._options
        pipe: int | None = None
        writer: int = 2
        if options.log:
            self._output = Output(options.name, options.log, options.merged)
            pipe, writer = os.pipe2(os.O_CLOEXEC)
            os.set_blocking(pipe, False)
            self._selector.register(pipe, selectors.EVENT_READ, "output")
        credentials: dict[str, object] = {}
        if options.user is not None:
            credentials = {"user": options.user, "group": options.group, "extra_groups": []}
        try:
            child = subprocess.Popen(
                options.program,
                stdin=subprocess.DEVNULL,
                stdout=writer,
                stderr=writer,
                cwd=options.folder,
                pass_fds=options.hold,
                start_new_session=True,
                preexec_fn=last_wish(self._libc, options.stop),
                **credentials,  # type: ignore[call-overload]
            )
        except (OSError, subprocess.SubprocessError) as error:
            print(f"cannot start {options.program[0]}: {error}", file=sys.stderr, flush=True)
            raise SystemExit(CANNOT_START) from None
        if pipe is not None:
            os.close(writer)
        # From here on the program alone holds the folder's lock, so that the
        # lock tells whether any of its processes is left.
        for descriptor in options.hold:
            os.close(descriptor)
        self._pid = child.pid
        child.returncode = 0  # waited for below, together with the orphans
        print(child.pid, flush=True)
        return pipe

    def _turn(self, pipe: int | None, longest: float) -> None:
        """Wait for the next thing to happen and deal with it."""
        if self._stopping:
            longest = max(0.0, min(longest, self._stopping[0][0] - time.monotonic()))
        for key, _ in self._selector.select(longest):
            if key.data == "signal":
                if any(number != signal.SIGCHLD for number in os.read(key.fd, 4096)):
                    self._stop()
            elif key.data == "parent":
                self._selector.unregister(key.fd)
                self._stop()
            elif key.data == "output" and pipe is not None:
                self._copy(pipe)
        if os.getppid() != self._parent:
            self._stop()
        while self._stopping and self._stopping[0][0] <= time.monotonic():
            _, number = self._stopping.pop(0)
            self._signal(number)
        self._reap()

    def _copy(self, pipe: int) -> None:
        assert self._output is not None
        try:
            data = os.read(pipe, LINE_MAX)
        except BlockingIOError:
            return
        if data:
            self._output.write(data)
        else:
            self._selector.unregister(pipe)

    def _stop(self) -> None:
        """Ask the program to end, then insist, then kill it."""
        if self._stopping or self._status is not None:
            return
        at = time.monotonic()
        steps = [(0.0, self._options.stop), (self._options.grace, self._options.last)]
        if self._options.last != signal.SIGKILL:
            steps.append((self._options.grace + KILL_WAIT, signal.SIGKILL))
        # Kept once more at the end: a list that never empties says that stopping has begun.
        steps.append((float("inf"), signal.SIGKILL))
        self._stopping = [(at + wait, number) for wait, number in steps]

    def _signal(self, number: int) -> None:
        if self._status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, number)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._alone = True
                return
            if pid == 0:
                return
            if pid == self._pid:
                code = os.waitstatus_to_exitcode(status)
                self._status = code if code >= 0 else 128 - code

    def _bury(self, pipe: int | None) -> None:
        """Wait for orphans of the program, kill those that stay, copy their last words."""
        self._stopping = []
        limit = time.monotonic() + ORPHANS_WAIT
        while not self._alone:
            if time.monotonic() > limit:
                for pid in children():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            self._turn(pipe, 0.05)
        while pipe is not None and pipe in self._selector.get_map():
            self._turn(pipe, 0.0)


def read(arguments: list[str]) -> argparse.Namespace:
    """Read the keeper's options and, after `--`, the program."""
    parser = argparse.ArgumentParser(description="Keep one program; see the module's words.")
    parser.add_argument("--name", default="program")
    parser.add_argument("--stop", type=int, default=int(signal.SIGTERM), help="first signal")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds until the last signal")
    parser.add_argument("--last", type=int, default=int(signal.SIGKILL), help="last signal")
    parser.add_argument("--user", type=int, help="user id to run the program as")
    parser.add_argument("--group", type=int, help="group id to run the program as")
    parser.add_argument("--folder", help="working folder of the program")
    parser.add_argument("--hold", type=int, action="append", default=[], help="descriptor to pass")
    parser.add_argument("--log", help="file for the program's output")
    parser.add_argument("--merged", help="file for the output of all programs")
    parser.add_argument("program", nargs="+")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(Keeper(read(sys.argv[1:])).run())
