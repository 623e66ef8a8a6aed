"""Reading the security log again: every event as it was written, and none missing."""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection

from creditbank.securitylog import chain
from creditbank.securitylog.operations import KEY

FINDINGS_MAX: Final = 50
_STEP: Final = 5_000
_ROWS: Final = (
    "SELECT seq, at, kind, actor, facts, previous, mac FROM securitylog_securityevent"
    " WHERE seq > %s ORDER BY seq LIMIT %s"
)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A place in the chain: an event's number and code."""

    seq: int
    mac: bytes


@dataclass(kw_only=True)
class ChainReport:
    """What was read: how many events, where the chain ends, and what is not as it must be."""

    events: int = 0
    end: Mark = Mark(seq=0, mac=chain.START)
    findings: list[str] = field(default_factory=list)


def _anchor() -> Path:
    path: Path = settings.BANK_HOME / "anchor" / "security.json"
    return path


def anchored() -> Mark:
    """Return where the chain ended when it was last found whole; the start before any time."""
    try:
        kept = json.loads(_anchor().read_text(encoding="ascii"))
    except FileNotFoundError:
        return Mark(seq=0, mac=chain.START)
    return Mark(seq=int(kept["seq"]), mac=bytes.fromhex(kept["mac"]))


def events(after: int = 0) -> Iterator[tuple[Any, ...]]:
    """Read the stored rows in their order, a few thousand at a time."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_ROWS, [after, _STEP])
            rows = cursor.fetchall()
        yield from rows
        if len(rows) < _STEP:
            return
        after = rows[-1][0]


def verify(*, after: Mark | None = None) -> ChainReport:
    """Check every event after a mark (an archived part's end), and that the end is still there.

    The anchor file says how far the chain had come when it was last found whole:
    a chain that ends before it, or differs there, was cut or written anew. When
    nothing is wrong the anchor moves on.
    """
    key = settings.KEYSTORE.get(KEY)
    start = after or Mark(seq=0, mac=chain.START)
    report = ChainReport(end=start)
    anchor = anchored()
    at_anchor: bytes | None = start.mac if anchor.seq == start.seq else None
    for seq, at, kind, actor, facts, previous, mac in events(start.seq):
        if len(report.findings) >= FINDINGS_MAX:
            return report
        report.events += 1
        if seq != report.end.seq + 1:
            report.findings.append(f"event {report.end.seq + 1} is missing")
        if bytes(previous) != report.end.mac:
            report.findings.append(f"event {seq} does not follow the one before it")
        event = chain.event_bytes(seq=seq, at=at, kind=kind, actor=actor, facts=facts)
        if not hmac.compare_digest(chain.code(key, bytes(previous), event), bytes(mac)):
            report.findings.append(f"event {seq} was changed")
        if seq == anchor.seq:
            at_anchor = bytes(mac)
        report.end = Mark(seq=seq, mac=bytes(mac))
    if anchor.seq >= start.seq and at_anchor is None:
        report.findings.append(f"the log ends at {report.end.seq}; it had come to {anchor.seq}")
    elif anchor.seq >= start.seq and at_anchor != anchor.mac:
        report.findings.append(f"event {anchor.seq} is not the one that was found there before")
    if not report.findings and report.end.seq > anchor.seq:
        _move_anchor(report.end)
    return report


def _move_anchor(mark: Mark) -> None:
    path = _anchor()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    with fresh.open("w", encoding="ascii") as file:
        file.write(json.dumps({"seq": mark.seq, "mac": mark.mac.hex()}))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
