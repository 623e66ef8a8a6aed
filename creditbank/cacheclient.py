"""The cache as its own client speaks to it, for what every visitor's request asks.

Django's cache makes a client for each call, which costs as much as the answer.
Patience is short: nothing that a visitor asks may wait for a counter or a copy.
"""

from __future__ import annotations

import threading
from typing import Final

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

SECONDS: Final = 0.25

_lock: Final = threading.Lock()
_clients: Final[dict[str, redis.Redis]] = {}


def client() -> redis.Redis:
    """Return this process's client of the cache. Its calls raise redis.RedisError."""
    url: str = settings.CACHE_URL
    with _lock:
        if url not in _clients:
            _clients[url] = redis.Redis.from_url(
                url,
                socket_timeout=SECONDS,
                socket_connect_timeout=SECONDS,
                retry=Retry(NoBackoff(), 0),
            )
        return _clients[url]
