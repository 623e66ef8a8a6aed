"""The outbox: what must happen is a row; the message only makes it soon.

`enqueue_on_commit` writes the row in the caller's transaction and sends its id
after the commit. A sweep sends again what is due. Handlers take ids, may run
twice, and are parked after five tries for a person to look at.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.db import transaction

from creditbank.clock import now
from creditbank.jobs.models import Outbox, OutboxState

log = logging.getLogger(__name__)

Handler = Callable[..., None]
TRIES_MAX: Final = 5
LEASE: Final = timedelta(seconds=320)
"""Longer than a task may run: while it lasts nobody else takes the row."""
RUN: Final = "creditbank.jobs.run"

_handlers: dict[str, Handler] = {}


def handler(name: str) -> Callable[[Handler], Handler]:
    """Register a function as the handler of a name; it takes ids and may run twice."""

    def register(function: Handler) -> Handler:
        if name in _handlers and _handlers[name] is not function:
            raise ValueError(f"two handlers for {name}")
        _handlers[name] = function
        return function

    return register


def enqueue_on_commit(name: str, *ids: str | int) -> None:
    """Let a handler run after the present transaction commits, surely once, perhaps twice."""
    at = now()
    row = Outbox.objects.create(handler=name, ids=list(ids), due_at=at, created_at=at)
    transaction.on_commit(lambda: _send(row.pk))


def _send(pk: int) -> None:
    """Tell a worker. When the broker is away the sweep will tell it later."""
    from creditbank.celery import app

    try:
        app.send_task(RUN, args=[pk], retry=False)
    except Exception as error:  # noqa: BLE001 - the row stands; any broker failure means later
        log.warning("outbox %s not sent: %s", pk, type(error).__name__)


def run(pk: int) -> None:
    """Run one row's handler, unless it is done or another worker holds its lease."""
    at = now()
    taken = Outbox.objects.filter(pk=pk, state=OutboxState.WAITING, due_at__lte=at).update(
        due_at=at + LEASE
    )
    if not taken:
        return
    row = Outbox.objects.get(pk=pk)
    tries = row.tries + 1
    try:
        _handlers[row.handler](*row.ids)
    except Exception as error:
        parked = tries >= TRIES_MAX
        Outbox.objects.filter(pk=pk).update(
            tries=tries,
            state=OutboxState.PARKED if parked else OutboxState.WAITING,
            due_at=now() + timedelta(seconds=2**tries),
            last_error=type(error).__name__,
        )
        log.exception("outbox %s (%s), try %s failed", pk, row.handler, tries)
    else:
        Outbox.objects.filter(pk=pk).update(tries=tries, state=OutboxState.DONE)


def sweep(limit: int = 200) -> int:
    """Send what is due again; return how many rows were sent."""
    due = Outbox.objects.filter(state=OutboxState.WAITING, due_at__lte=now()).order_by("due_at")
    pks = list(due.values_list("pk", flat=True)[:limit])
    for pk in pks:
        _send(pk)
    return len(pks)


def run_due() -> int:
    """Run everything that is due in this process: for commands and tests without a worker."""
    count = 0
    while True:
        pk = (
            Outbox.objects.filter(state=OutboxState.WAITING, due_at__lte=now())
            .order_by("pk")
            .values_list("pk", flat=True)
            .first()
        )
        if pk is None:
            return count
        run(pk)
        count += 1
