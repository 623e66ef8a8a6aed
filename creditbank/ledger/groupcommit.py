"""Group commit: submissions that arrive together are prepared and appended in one go.

Whoever arrives while nobody leads becomes the leader, prepares all that wait,
one after the other, and appends them in one transaction; the others sleep until
their receipt is there, or until they are told to lead. While one leader's
transaction is under way the next one prepares. A transaction for one costs as
much as a transaction for forty, and forty threads that prepare at once hinder
each other more than they gain. There is no thread of its own, so nothing is
lost when a worker process ends.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from creditbank.ledger import basis, log, sealing
from creditbank.ledger.basis import Basis
from creditbank.ledger.log import Batch, Receipt

GROUP_MAX: Final = 512
ALONE: Final = 64 << 10
"""A submission of more bytes is prepared by whoever brings it: nobody waits for that."""
PORTION: Final = 48
"""How many are prepared before the leader looks whether it may commit."""
QUIET: Final = 0.0003
CATCH_UP: Final = 0.003
"""In a crowd a leader waits for a portion, or until nobody has come for QUIET seconds."""

Prepare = Callable[[Basis], Batch]


class _Waiting:
    """One submission in the queue, and what became of it."""

    def __init__(self, prepare: Prepare) -> None:
        self.prepare = prepare
        self.leads = False
        self.bell = threading.Lock()
        self.bell.acquire()
        self.batch: Batch | None = None
        self.receipt: Receipt | None = None
        self.error: BaseException | None = None

    @contextmanager
    def told(self) -> Iterator[None]:
        """Keep what is raised for whoever brought the submission."""
        try:
            yield
        except BaseException as error:  # noqa: BLE001 - raised again where it belongs
            self.error = error


class GroupCommit:
    """The queue of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._committing = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        self._led = False
        self._crowd = False

    def append(self, prepare: Prepare, *, size: int) -> Receipt:
        """Prepare a submission of `size` bytes and append it together with those that wait.

        Raises what `prepare` and `log.append` raise.
        """
        if size > ALONE:
            batch = prepare(basis.current())
            sealing.seal(batch, sealing.keys_for([batch]))
            mine = _Waiting(lambda _: batch)
        else:
            mine = _Waiting(prepare)
        with self._lock:
            self._queue.append(mine)
            mine.leads, self._led = not self._led, True
        if not mine.leads:
            mine.bell.acquire()
        if mine.leads:
            self._lead()
        if mine.error is not None:
            raise mine.error
        assert mine.receipt is not None
        return mine.receipt

    def _lead(self) -> None:
        group: list[_Waiting] = []
        try:
            self._gather(group)
            try:
                self._commit([waiting for waiting in group if waiting.error is None])
            finally:
                self._committing.release()
        except BaseException as error:
            for waiting in group:
                if waiting.receipt is None:
                    waiting.error = waiting.error or error
            raise
        finally:
            for waiting in group:
                if not waiting.leads:
                    waiting.bell.release()

    def _gather(self, group: list[_Waiting]) -> None:
        """Prepare who waits until it is this group's turn to commit; then hand the lead on."""
        try:
            if self._crowd:
                self._let_others_catch_up()
            while True:
                portion = self._take(min(PORTION, GROUP_MAX - len(group)))
                group += portion
                # While another group is being committed there is time for who comes meanwhile.
                if self._committing.acquire(timeout=0 if portion else QUIET):
                    return
        finally:
            self._crowd = len(group) > 1
            self._hand_on()

    def _let_others_catch_up(self) -> None:
        deadline = time.monotonic() + CATCH_UP
        waiting = 0
        while waiting < min(len(self._queue), PORTION) and time.monotonic() < deadline:
            waiting = len(self._queue)
            time.sleep(QUIET)

    def _hand_on(self) -> None:
        with self._lock:
            heir = self._queue[0] if self._queue else None
            self._led = heir is not None
        if heir is not None:
            heir.leads = True
            heir.bell.release()

    def _take(self, most: int) -> list[_Waiting]:
        """Take and prepare those who wait; what cannot be prepared is told to who brought it."""
        with self._lock:
            taken = [self._queue.popleft() for _ in range(min(most, len(self._queue)))]
        if not taken:
            return taken
        try:
            self._prepare(taken)
        except BaseException as error:  # noqa: BLE001 - handed to everyone who waits for it
            for waiting in taken:
                waiting.error = waiting.error or error
        return taken

    @staticmethod
    def _prepare(taken: list[_Waiting]) -> None:
        # Looked up after all of them came: nobody is judged by what was true before.
        held = basis.current()
        for waiting in taken:
            with waiting.told():
                waiting.batch = waiting.prepare(held)
        open_ = [(w, w.batch) for w in taken if w.batch is not None and not w.batch.rows]
        keys = sealing.keys_for(batch for _, batch in open_)
        for waiting, batch in open_:
            with waiting.told():
                sealing.seal(batch, keys)

    def _commit(self, group: list[_Waiting]) -> None:
        """Commit the group; when it is refused, each alone, so that only the guilty one fails."""
        if not group:
            return
        batches = [waiting.batch for waiting in group if waiting.batch is not None]
        try:
            receipts = log.append(batches)
        except BaseException as error:  # noqa: BLE001 - handed to the caller who waits for it
            if len(group) == 1:
                group[0].error = error
                return
            for waiting, batch in zip(group, batches, strict=True):
                _forget_numbers(batch)
                self._commit([waiting])
        else:
            for waiting, receipt in zip(group, receipts, strict=True):
                waiting.receipt = receipt


def _forget_numbers(batch: Batch) -> None:
    """Undo the numbering of a hosted batch whose transaction was rolled back."""
    if batch.sign is not None:
        batch.manifest = None
        batch.leaves = []
        batch.note = b""


_group = GroupCommit()


def append(prepare: Prepare, *, size: int) -> Receipt:
    """Prepare a submission of `size` bytes and append it through this process's group commit."""
    return _group.append(prepare, size=size)
