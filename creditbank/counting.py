"""How often one client asks: an atomic counter in Redis, and the address a client asks from.

One round trip counts and answers; what reads, decides and writes lets two
requests at once both pass. When Redis is away nobody is counted and everybody
passes: neither a check of a certificate nor a submission may stop because a
counter did.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

import redis
from django.conf import settings

from creditbank import cacheclient

logger = logging.getLogger(__name__)

WINDOW: Final = 60
"""A limit is one of requests a minute."""


def _add(key: str) -> int:
    with cacheclient.client().pipeline(transaction=False) as pipe:
        pipe.incr(key)
        pipe.expire(key, 2 * WINDOW)
        answers: list[Any] = pipe.execute()
    return int(answers[0])


def address_of(meta: Mapping[str, Any]) -> str:
    """Return the address that asks, from a request's `META`; an IPv6 one as its /64.

    One client has a whole /64. `X-Forwarded-For` counts only from the proxies
    that NUM_PROXIES says stand before us: what is further left, anybody can write.
    """
    address = str(meta.get("REMOTE_ADDR", ""))
    proxies = int(settings.REST_FRAMEWORK.get("NUM_PROXIES") or 0)
    header = str(meta.get("HTTP_X_FORWARDED_FOR", ""))
    hops = [part.strip() for part in header.split(",") if part.strip()]
    if proxies and hops:
        address = hops[-min(proxies, len(hops))]
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)


def count(*, scope: str, who: str, limit: int) -> int | None:
    """Count one request of a client; return the seconds to wait beyond the limit, else None.

    Only a keyed digest of `who`, an address or a key, goes to Redis.
    """
    moment = int(time.time())
    window = moment // WINDOW
    mac = hmac.digest(settings.SECRET_KEY.encode(), f"{scope}/{window}/{who}".encode(), "sha256")
    try:
        counted = _add(f"asked/{scope}/{mac.hex()[:32]}")
    except redis.RedisError as error:
        logger.warning("requests for %s are not counted: %s", scope, type(error).__name__)
        return None
    return None if counted <= limit else (window + 1) * WINDOW - moment
