"""Writing an event: the one way into the security log."""

from __future__ import annotations

import hmac
import re
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from creditbank.clock import now
from creditbank.securitylog import chain
from creditbank.securitylog.kinds import EventKind

KEY: Final = "security-log"
LOCK: Final = 0x6C6C6362_73656375
"""The advisory lock under which the chain grows: one event after the other."""

_VALUE: Final = re.compile(r"[A-Za-z0-9_.:/+-]{0,120}")

Fact = str | int


class FactUnfit(ValueError):
    """A fact that might be a person's: only ids, codes and digests stand in the log."""


def record(kind: EventKind, *, actor: int | None, **facts: Fact) -> int:
    """Write an event and return its number.

    `actor` is the id of the user who did it, None for a stranger or the bank
    itself. Facts are numbers, and texts of ASCII letters, digits and `_.:/+-`:
    ids, codes, digests, never a name or a number of a document (FactUnfit).
    Within a transaction the event stands or falls with it, and the chain waits
    for the transaction's end: call it last.
    """
    for name, value in facts.items():
        if isinstance(value, str) and _VALUE.fullmatch(value) is None:
            raise FactUnfit(name)
    told = chain.facts_text(dict(facts))
    key = settings.KEYSTORE.get(KEY)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute("SELECT seq, mac FROM securitylog_securityevent ORDER BY seq DESC LIMIT 1")
        row = cursor.fetchone()
        last, previous = (0, chain.START) if row is None else (int(row[0]), bytes(row[1]))
        seq, at = last + 1, now()
        event = chain.event_bytes(seq=seq, at=at, kind=kind.value, actor=actor, facts=told)
        cursor.execute(
            "INSERT INTO securitylog_securityevent (seq, at, kind, actor, facts, previous, mac)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [seq, at, kind.value, actor, told, previous, chain.code(key, previous, event)],
        )
    return seq


def digest(what: str, text: str) -> str:
    """Return a keyed digest that stands for a text (a sign-in name, an address); 32 hex digits.

    Two events about one text can be told to be so; the text cannot be found
    again without the key store.
    """
    message = (
        b"llcb/security-subject/v1\0" + what.encode() + b"\0" + text.encode("utf-8", "replace")
    )
    return hmac.digest(settings.KEYSTORE.get(KEY), message, "sha256").hex()[:32]
