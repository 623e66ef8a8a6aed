"""Which surroundings must not serve: connections in clear to other machines, a cache that fills the queue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004

HERE: Final = frozenset({"127.0.0.1", "localhost", "::1", ""})
"""This machine; "" is a unix socket."""
VERIFIED: Final = frozenset({"verify-full", "verify-ca"})


def database_faults(databases: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Say which databases are reached over the network without checking who answers."""
    for alias, database in databases.items():
        host = str(database.get("HOST") or "")
        mode = str(database.get("OPTIONS", {}).get("sslmode", ""))
        if host not in HERE and not host.startswith("/") and mode not in VERIFIED:
            yield f"the database {alias!r} on {host} is reached with sslmode={mode or 'prefer'}"


def queue_faults(broker: str, cache: str) -> Iterator[tuple[str, str]]:
    """Say what is wrong with broker and cache: a code and a sentence."""
    for name, url in (("REDIS_URL", broker), ("CACHE_URL", cache)):
        parts = urlsplit(url)
        if (parts.hostname or "") not in HERE and parts.scheme != "rediss":
            yield "bank.E021", f"{name} reaches {parts.hostname} without TLS (rediss://)"
    place, other = urlsplit(broker), urlsplit(cache)
    if (place.hostname or "") not in HERE and (place.hostname, place.port) == (
        other.hostname,
        other.port,
    ):
        yield "bank.W022", "broker and cache are one server: a full cache would stop the queue"


@register(Tags.security)
def surroundings(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001 - what every check is called with
    **kwargs: Any,  # noqa: ARG001
) -> list[CheckMessage]:
    """Refuse unchecked connections to other machines (`bank.E020` to `bank.W022`)."""
    found: list[CheckMessage] = [
        Error(fault, hint="Add ?sslmode=verify-full&sslrootcert=… to its URL.", id="bank.E020")
        for fault in database_faults(settings.DATABASES)
    ]
    for code, fault in queue_faults(settings.CELERY_BROKER_URL, settings.CACHE_URL):
        kind = Error if code.startswith("bank.E") else Warning
        found.append(kind(fault, id=code))
    return found
