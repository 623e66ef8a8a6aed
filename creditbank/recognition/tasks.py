"""What the outbox runs for recognition, and what is looked at again and again."""

from __future__ import annotations

import uuid
from typing import Final

from celery import shared_task

from creditbank.jobs import outbox
from creditbank.recognition.register import publishing
from creditbank.recognition.workflow import (
    automatic,
    cascade,
    decisions,
    preapprovals,
    requests,
    simulation,
)

FINISH: Final = publishing.FINISH


@outbox.handler(FINISH)
def finish(kind: str, pk: int) -> None:
    """Enter what is decided and not entered yet; runs as often as it is told to."""
    publishing.finish(kind, pk)


@outbox.handler(simulation.SIMULATE)
def simulate(pk: str) -> None:
    """Go on with a simulation; runs as often as it is told to."""
    simulation.run(uuid.UUID(pk))


@outbox.handler(requests.DECIDE)
def decide(pk: str) -> None:
    """Decide a request that asks for no person; runs as often as it is told to."""
    automatic.decide(uuid.UUID(pk))


@outbox.handler(decisions.SETTLE)
def settle(pk: str) -> None:
    """Make a decision to which all have agreed; runs as often as it is told to."""
    decisions.settle(uuid.UUID(pk))


@outbox.handler(decisions.ENTER)
def enter(pk: str) -> None:
    """Enter a decision whose time has come; runs as often as it is told to."""
    decisions.finish(uuid.UUID(pk))


@outbox.handler(preapprovals.ENTER)
def enter_pre_approval(pk: str) -> None:
    """Enter an approved pre-approval; runs as often as it is told to."""
    preapprovals.finish(uuid.UUID(pk))


@outbox.handler(automatic.CONSIDER)
def consider(*pairs: str) -> None:
    """Recognise what rules give without an application; runs as often as it is told to."""
    automatic.consider_all(*pairs)


@outbox.handler(automatic.NEW_RULE)
def new_rule(code: str, version: int) -> None:
    """Look for whom a new rule could serve; runs as often as it is told to."""
    automatic.new_rule(code, version)


@shared_task(name="creditbank.recognition.follow")  # type: ignore[untyped-decorator]
def follow() -> None:
    """Look at what is new in the log: outcomes to recognise, outcomes that fell."""
    cascade.follow()
    automatic.follow()


@shared_task(name="creditbank.recognition.daily")  # type: ignore[untyped-decorator]
def daily() -> None:
    """Let decisions come into force whose notice has passed; look at rules whose first day it is."""
    decisions.enter_due()
    automatic.rules_from_today()
