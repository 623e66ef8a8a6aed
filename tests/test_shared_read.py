"""A shared read is never older than the question, and is not asked for everyone anew."""

from __future__ import annotations

import threading
import time

import pytest

from creditbank.sharedread import SharedRead


def test_threads_that_wait_share_one_read_begun_after_they_asked() -> None:
    began: list[float] = []

    def fetch() -> float:
        began.append(time.monotonic())
        time.sleep(0.05)
        return began[-1]

    shared = SharedRead(fetch)
    stale: list[tuple[float, float]] = []

    def ask() -> None:
        asked = time.monotonic()
        answer = shared.read()
        if answer < asked:
            stale.append((asked, answer))

    threads = [threading.Thread(target=ask) for _ in range(40)]
    for number, thread in enumerate(threads):
        thread.start()
        if number == 20:
            time.sleep(0.02)
    for thread in threads:
        thread.join()
    assert stale == []
    assert len(began) < 6


def test_a_read_that_fails_fails_for_its_caller_alone() -> None:
    answers = iter([ValueError("gone"), 7])

    def fetch() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    shared = SharedRead(fetch)
    with pytest.raises(ValueError, match="gone"):
        shared.read()
    assert shared.read() == 7
