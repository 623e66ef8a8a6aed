"""Keeping what was made of a transcript for a short while, sealed under its holder's key.

The cache is another program's memory. What holds personal data goes into it
sealed; when the holder is forgotten it can no longer be opened, however long
the cache still keeps it.
"""

from __future__ import annotations

import logging

import redis

from certificates import sealing
from certificates.sealing import Owned
from creditbank import cacheclient
from creditbank.ledger.learnerkeys import PersonForgotten
from creditbank.sealing import SealBroken

logger = logging.getLogger(__name__)


def _key(transcript: Owned, what: str) -> str:
    return f"sealed/{transcript.pk}/{what}"


def get(transcript: Owned, what: str) -> bytes | None:
    """Return what was kept under a name, or None when there is nothing that opens."""
    try:
        sealed = cacheclient.client().get(_key(transcript, what))
    except redis.RedisError as error:
        logger.warning("cache not read: %s", type(error).__name__)
        return None
    if not isinstance(sealed, bytes):
        return None
    try:
        return sealing.open_sealed(transcript, f"cache/{what}", sealed)
    except (PersonForgotten, SealBroken):
        return None


def put(transcript: Owned, what: str, data: bytes, *, seconds: int) -> None:
    """Keep bytes under a name. Raises PersonForgotten."""
    sealed = sealing.seal(transcript, f"cache/{what}", data)
    try:
        cacheclient.client().set(_key(transcript, what), sealed, ex=seconds)
    except redis.RedisError as error:
        logger.warning("cache not written: %s", type(error).__name__)
