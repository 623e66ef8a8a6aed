"""What a person at the terminal sees while things start: one line per step, and how long it took.

Chinese first, then English. Nobody waits more than two seconds in silence.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

SILENCE_MAX: Final = 2.0
"""How long the terminal may show nothing new, in seconds."""


class Console:
    """Lines on the terminal, each with the seconds since the start."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._start = time.monotonic()
        self._last = self._start
        self._lock = threading.Lock()

    def line(self, text: str = "") -> None:
        """Print a line as it is."""
        with self._lock:
            print(text, file=self._stream, flush=True)
            self._last = time.monotonic()

    def step(self, text: str) -> None:
        """Print a line with the seconds since the start."""
        self.line(f"[{time.monotonic() - self._start:6.1f} s] {text}")

    @contextmanager
    def doing(self, text: str) -> Iterator[None]:
        """Print what is being done, that it goes on while it does, and when it was long, its end."""
        at = time.monotonic()
        self.step(f"{text} …")
        done = threading.Event()

        def tell() -> None:
            while not done.wait(max(0.1, self._last + SILENCE_MAX - time.monotonic())):
                if time.monotonic() - self._last >= SILENCE_MAX:
                    self.step(f"… {text}: {time.monotonic() - at:.0f} s")

        teller = threading.Thread(target=tell, daemon=True)
        teller.start()
        try:
            yield
        finally:
            done.set()
            teller.join()
        took = time.monotonic() - at
        if took > SILENCE_MAX:
            self.step(f"{text}: {took:.1f} s")


class Follower:
    """Copies what is new in a log to the console, whole lines only."""

    def __init__(self, log: Path, console: Console) -> None:
        self._log = log
        self._console = console
        self._offset = log.stat().st_size if log.exists() else 0

    def copy(self) -> None:
        """Print the lines that were written since the last time."""
        try:
            with self._log.open("rb") as file:
                if file.seek(0, 2) < self._offset:
                    # The log was set aside and begun anew.
                    self._offset = 0
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return
        whole = data.rpartition(b"\n")[0]
        if whole:
            self._offset += len(whole) + 1
            for line in whole.decode(errors="replace").splitlines():
                self._console.line(f"    {line}")
