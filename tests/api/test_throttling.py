"""How often one client may ask."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from tests.api.clients import anyone, forget_counters, problem, program_of
from tests.institutions.cast import make_institution

LOOKUP = {"number": "x", "code": "y"}
NOON = 1_795_492_800
"""The beginning of a minute, at which the clock of these tests stands."""


@pytest.fixture(autouse=True)
def one_minute() -> Any:
    with time_machine.travel(NOON, tick=False):
        yield


def ask(times: int, **headers: str) -> list[Any]:
    client = anyone(**headers)
    return [
        client.post("/api/v1/verify", LOOKUP, content_type="application/json") for _ in range(times)
    ]


def test_beyond_the_limit_the_answer_is_429_with_the_time_to_wait(db: Any) -> None:
    answers = ask(21)
    assert {answer.status_code for answer in answers[:20]} == {200}
    problem(answers[20], 429, "throttled")
    assert answers[20]["Retry-After"] == "60"


def test_with_the_next_minute_one_may_ask_again(db: Any) -> None:
    ask(21)
    with time_machine.travel(NOON + 60, tick=False):
        assert ask(1)[0].status_code == 200


def test_a_key_is_counted_by_itself(db: Any) -> None:
    ask(25)
    program = program_of(make_institution(), "verify")
    assert program.post("verify", LOOKUP).status_code == 200


def test_a_key_without_the_scope_is_counted_by_its_address(db: Any) -> None:
    program = program_of(make_institution(), "log")
    answers = [program.post("verify", LOOKUP).status_code for _ in range(25)]
    assert answers.count(429) == 5


def test_without_redis_everybody_passes(db: Any, settings: Any) -> None:
    settings.CACHE_URL = "redis://127.0.0.1:9/0"
    assert {answer.status_code for answer in ask(25)} == {200}


def test_keys_that_open_nothing_are_counted_by_address(db: Any) -> None:
    client = anyone(Authorization="Bearer llcb_nothing.x")
    statuses = [client.get("/api/v1/log").status_code for _ in range(31)]
    assert statuses[0] == 401
    assert statuses[30] == 429


def test_no_address_and_no_key_is_kept_in_redis(db: Any) -> None:
    forget_counters()
    anyone().get("/api/v1/log")
    import redis
    from django.conf import settings

    kept = b" ".join(redis.Redis.from_url(settings.CACHE_URL).keys("*"))
    assert b"api/log/" in kept
    assert b"127.0.0.1" not in kept
