"""Worker processes of the bank, driven by the benchmark: work handed over first, then one start.

python -m tests.bench.workers receipts|import   -> reads pickled work from standard input, does
what is there to warm up with, says "ready", waits for a line, does the rest, and prints what came
of it as one line of JSON. Work is a pair: what to warm up with, and what is measured.

`receipts`: a list of clients' submissions; each client is a thread that waits for one receipt
under a checkpoint after the other; the latencies in seconds. `import`: parts of an import, each a
list of submissions; the tree size that covers them all.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType

from tests.bench.rig import ROOT


class Workers:
    """Some worker processes, each with its share of the work."""

    def __init__(self, what: str, shares: Sequence[object]) -> None:
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.bench.workers", what],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for _ in shares
        ]
        for process, share in zip(self._processes, shares, strict=True):
            self._say(process, pickle.dumps(share))
        for process in self._processes:
            if self._hear(process) != b"ready\n":
                raise RuntimeError("a worker of the benchmark did not start")

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._processes:
            if error is not None:
                process.kill()
            process.wait(60)

    @staticmethod
    def _say(process: subprocess.Popen[bytes], data: bytes) -> None:
        assert process.stdin is not None
        process.stdin.write(data)
        process.stdin.flush()

    @staticmethod
    def _hear(process: subprocess.Popen[bytes]) -> bytes:
        assert process.stdout is not None
        return process.stdout.readline()

    def run(self) -> list[list[float]]:
        """Let all start at once; return what each one says when it is done."""
        for process in self._processes:
            self._say(process, b"\n")
        return [json.loads(self._hear(process)) for process in self._processes]


def _receipts(clients: list[list[bytes]]) -> list[float]:
    from django.db import connections

    from creditbank.ledger import operations, queries

    latencies: list[float] = []

    def client(mine: list[bytes]) -> None:
        try:
            for data in mine:
                began = time.perf_counter()
                receipt = operations.record_submission(data=data)
                queries.wait_until_published(receipt.size, timeout=30)
                latencies.append(time.perf_counter() - began)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=client, args=(mine,)) for mine in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies


def _import(parts: list[list[bytes]]) -> list[float]:
    from creditbank.ledger import operations

    last = 0
    for receipts in operations.record_submissions(parts):
        last = receipts[-1].size
    return [last]


def main() -> None:
    """Be a worker."""
    import django

    django.setup()
    from creditbank import interpreter
    from creditbank.ledger import queries

    warm, work = pickle.load(sys.stdin.buffer)
    do = {"receipts": _receipts, "import": _import}[sys.argv[1]]
    queries.wait_until_published(1)
    do(warm)
    interpreter.tune()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.buffer.readline()
    sys.stdout.write(json.dumps(do(work)) + "\n")


if __name__ == "__main__":
    main()
