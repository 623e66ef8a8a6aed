"""A log tells which exception it was and where, and nothing of what was being handled."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from typing import Any

import pytest
from django.db import IntegrityError

from creditbank.errors import DomainError
from creditbank.logs import Line, WithoutTokens
from creditbank.users.models import User

NAME = "欧阳鑫淼焱垚"


@pytest.fixture
def log() -> Any:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Line("%(levelname)s %(name)s %(message)s"))
    handler.addFilter(WithoutTokens())
    logger = logging.getLogger("tests.logs")
    logger.propagate = False
    logger.addHandler(handler)
    logger.told = stream.getvalue  # type: ignore[attr-defined]
    yield logger
    logger.removeHandler(handler)


class Refused(DomainError):
    code = "refused-here"


def test_an_exception_is_told_by_its_kind_and_its_places(log: Any) -> None:
    try:
        try:
            int(NAME)
        except ValueError as error:
            raise Refused(f"{NAME} is no number", found=NAME) from error
    except Refused as error:
        log.exception("it failed: %s", error)
    told = log.told()
    assert "it failed: Refused refused-here" in told
    assert told.index("ValueError") < told.rindex("Refused refused-here")
    assert 'test_logs.py", line' in told
    assert NAME not in told


def test_a_broken_constraint_is_named_without_the_value_that_broke_it(db: Any, log: Any) -> None:
    User.objects.create_user("canary.xinmiao")
    with pytest.raises(IntegrityError, match=r"canary\.xinmiao") as broken:
        User.objects.create_user("canary.xinmiao")
    log.error("twice", exc_info=broken.value)
    assert "IntegrityError" in log.told()
    assert "users_user_username" in log.told()
    assert "canary.xinmiao" not in log.told()


def test_a_link_that_opens_a_transcript_is_cut(log: Any) -> None:
    log.info("Not Found: %s", "/v/0123456789abcdefABCDEF")
    assert log.told().strip().endswith("Not Found: /v/…")


WORKER = f"""
import django
django.setup()
from celery.app.trace import build_tracer
from celery import signals
from creditbank.celery import app
signals.setup_logging.send(sender=None)

@app.task(name="tests.fails")
def fails():
    raise ValueError("{NAME}")

build_tracer("tests.fails", fails, app=app)("id", (), {{}}, {{"argsrepr": "()", "kwargsrepr": ""}})
"""


def test_a_task_that_fails_says_no_name_in_the_workers_log() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WORKER], capture_output=True, text=True, check=True
    )
    assert "tests.fails" in done.stderr
    assert "ValueError" in done.stderr
    assert NAME not in done.stderr + done.stdout
