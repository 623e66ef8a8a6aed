"""Start a program under a keeper (see `keeper.py`), and stop it, from the side of the parent."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from creditbank.services.errors import NotRunning, StartFailed, StopFailed
from creditbank.services.users import ServiceUser

KEEPER: Final = Path(__file__).with_name("keeper.py")
LOG_MAX: Final = 5 << 20
"""A log longer than this is set aside as `.1` before the program starts anew."""
TAIL_LINES: Final = 15
SPARE: Final = 30.0
"""How much longer than its steps a keeper may take before it is given up."""


def turn_over(log: Path) -> None:
    """Set a long log aside, so that a demo that runs for years does not fill the disk."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_MAX:
            log.replace(log.with_name(log.name + ".1"))


def tail(log: Path, *, since: int = 0) -> str:
    """Return the last lines of a log from an offset on, or a sentence saying that there are none."""
    try:
        with log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(since if since <= end else 0, end - 65536))
            last = file.read().decode(errors="replace").splitlines()[-TAIL_LINES:]
    except FileNotFoundError:
        last = []
    return "\n".join(f"    {line}" for line in last) or f"    ({log} says nothing)"


class Kept:
    """A program under a keeper: started once, polled, stopped.

    `stop_signal` asks it to end; after `grace` seconds `last_signal` insists,
    and a kill follows. With `merged`, its output goes line by line to `log`
    and to the log of all programs; without, the program writes `log` itself.
    """

    def __init__(
        self,
        program: Sequence[str | Path],
        *,
        name: str,
        log: Path,
        merged: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        last_signal: signal.Signals = signal.SIGKILL,
        grace: float = 10.0,
        user: ServiceUser | None = None,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        hold: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.log = log
        self._merged = merged
        self._grace = grace
        self._environment = None if environment is None else dict(environment)
        self._hold = tuple(hold)
        options = ["--name", name, "--stop", str(int(stop_signal)), "--grace", str(grace)]
        options += ["--last", str(int(last_signal))]
        if user is not None:
            options += ["--user", str(user.uid), "--group", str(user.gid)]
        if folder is not None:
            options += ["--folder", str(folder)]
        for descriptor in hold:
            options += ["--hold", str(descriptor)]
        if merged is not None:
            options += ["--log", str(log), "--merged", str(merged)]
        self._command = [sys.executable, "-I", "-S", str(KEEPER), *options, "--"]
        self._command += [str(part) for part in program]
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._since = 0

    def tail(self) -> str:
        """Return the last lines that the program wrote since its start."""
        return tail(self.log, since=self._since)

    def start(self) -> None:
        """Start the keeper and the program. Raises StartFailed when the program cannot be run."""
        turn_over(self.log)
        with self.log.open("ab") as errors:
            os.fchmod(errors.fileno(), 0o600)
            self._since = errors.seek(0, os.SEEK_END)
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self._environment,
                pass_fds=self._hold,
                # Its own session: a Ctrl-C at the terminal reaches the parent
                # alone, which then stops the programs in their right order.
                start_new_session=True,
            )
        assert self._process.stdout is not None
        with self._process.stdout as answer:
            line = answer.readline()
        if not line:
            self._end()
            raise StartFailed(f"{self.name} cannot be started:\n{self.tail()}")
        self._pid = int(line)

    @property
    def pid(self) -> int:
        """The program's own process id. Raises NotRunning before the start."""
        if not self._pid:
            raise NotRunning(f"{self.name} is not running")
        return self._pid

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs. 128 + n when signal n ended it."""
        return self.wait(0)

    def wait(self, timeout: float) -> int | None:
        """Wait for the program's end; return its exit status, or None when the time is up."""
        if self._process is None:
            return 0
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        self._let_go()
        return status

    def ask_to_stop(self) -> None:
        """Ask the program to end, without waiting. Done twice, the second time does nothing."""
        pipe = None if self._process is None else self._process.stdin
        if pipe is None or pipe.closed:
            return
        with contextlib.suppress(BrokenPipeError):
            # Said in words and not only by closing: a forked copy of this
            # process may still hold the pipe.
            pipe.write(b"stop\n")
            pipe.flush()
        self._let_go()

    def stop(self) -> int:
        """Stop the program and wait for its end and its orphans'; return its exit status.

        Stopping what has ended returns its status again. Raises StopFailed when
        even the keeper does not answer.
        """
        if self._process is None:
            return 0
        self.ask_to_stop()
        status = self.wait(self._grace + SPARE)
        if status is None:
            self._process.kill()
            self._end()
            raise StopFailed(f"{self.name} did not stop:\n{self.tail()}")
        return status

    def _let_go(self) -> None:
        """Close our end of the pipe that tells the keeper that we are there."""
        pipe = None if self._process is None else self._process.stdin
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def _end(self) -> None:
        assert self._process is not None
        self._let_go()
        self._process.wait()


def pause() -> None:
    """Wait the moment between two looks at a program that is starting."""
    time.sleep(0.02)
