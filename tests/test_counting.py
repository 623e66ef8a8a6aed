"""Addresses are counted, not headers anybody can write; and a counter never stands in the way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
import time_machine
from django.conf import settings as bank

from creditbank.counting import address_of, count


@pytest.fixture(autouse=True)
def one_minute() -> Iterator[None]:
    with time_machine.travel(1_795_492_800, tick=False):
        yield


@pytest.fixture(autouse=True)
def counters() -> redis.Redis:
    client = redis.Redis.from_url(bank.CACHE_URL)
    client.flushdb()
    return client


def meta(remote: str = "192.0.2.1", forwarded: str = "") -> dict[str, str]:
    said = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    return {"REMOTE_ADDR": remote, **said}


def test_the_limit_is_reached_by_the_request_after_it() -> None:
    answers = [count(scope="t", who="one", limit=3) for _ in range(5)]
    assert answers[:3] == [None, None, None]
    assert all(wait is not None and 1 <= wait <= 60 for wait in answers[3:])


def test_scopes_and_clients_are_counted_apart() -> None:
    for _ in range(3):
        count(scope="t", who="one", limit=3)
    assert count(scope="t", who="one", limit=3) is not None
    assert count(scope="u", who="one", limit=3) is None
    assert count(scope="t", who="another", limit=3) is None


def test_sixteen_at_once_are_counted_sixteen_times() -> None:
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: count(scope="t", who="one", limit=10), range(16)))
    assert sum(wait is None for wait in waits) == 10


def test_a_forwarded_address_counts_only_from_known_proxies(settings: Any) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 0}
    assert address_of(meta(forwarded="198.51.100.9")) == "192.0.2.1"
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    assert address_of(meta(forwarded="10.9.9.9, 198.51.100.9")) == "198.51.100.9"
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 2}
    assert address_of(meta(forwarded="1.1.1.1, 10.9.9.9, 198.51.100.9")) == "10.9.9.9"
    assert address_of(meta()) == "192.0.2.1"
    assert address_of(meta(forwarded="rubbish, rubbish")) == "unknown"


def test_an_ipv6_client_is_counted_by_its_network() -> None:
    one, other = meta("2001:db8::1"), meta("2001:db8::ffff:2")
    assert address_of(one) == address_of(other) == "2001:db8::"
    assert address_of(meta("2001:db8:0:1::1")) != address_of(one)
    assert address_of(meta("::ffff:192.0.2.5")) == "192.0.2.5"
    assert address_of(meta("nothing")) == "unknown"


def test_no_address_is_kept_in_clear(counters: redis.Redis) -> None:
    count(scope="t", who="192.0.2.77", limit=3)
    (key,) = counters.keys("*")
    assert key.startswith(b"asked/t/")
    assert b"192.0.2.77" not in key


def test_when_redis_is_away_nobody_is_stopped(settings: Any) -> None:
    settings.CACHE_URL = "redis://127.0.0.1:1/0"
    assert [count(scope="t", who="one", limit=1) for _ in range(3)] == [None] * 3
