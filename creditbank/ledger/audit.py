"""The audit: every row read again, every invariant recomputed from the signed bytes.

The rows stream in index order over manifests and entries together. Nothing is
taken from a column that the signed bytes can tell: columns are compared with
what they should be. The audit goes on after a finding and names the first wrong
index; it needs the key store, and says which entries it could read the opening
of and which belong to persons who were forgotten.

Checked: I1 indexes contiguous from 0; I2 head, frontier and root are those of
all leaves; I3 every checkpoint is a prefix, properly signed, and linked to the
one before; I4 in each stream numbers contiguous, chain unbroken, signature by a
key in force; I5 every column equals leaf and opening; I6 one award per outcome,
one undoing per entry, generations in order; I7 no account below 0; I8 full tiles
are the leaf hashes; I9 the head is not behind the anchor, and the checkpoints
are those the anchor counted; I10 triggers and rights are as checked in; I11 a
decision and what it uses stand in one manifest and in one person's accounts, and
no use outlives its decision; I12 an outcome stands in one account of a person.

A long log is cut at manifests into stretches that are read at the same time by
processes of their own (`auditing.processes`); what lies between two stretches is
compared here. Should the tree of one not end where the next one begins, the log
is read again in one piece, which names what is wrong. Nothing that is held grows
with the log, but for the accounts in which something was taken out or undone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

import psycopg
from django.conf import settings
from django.db import connections

from creditbank import guards
from creditbank.ledger import learnerkeys, linked, logkeys
from creditbank.ledger.auditing import accounts, heads, persons
from creditbank.ledger.auditing.checkpoints import Checkpoints
from creditbank.ledger.auditing.effects import Effects
from creditbank.ledger.auditing.findings import AuditReport, Finding, Progress
from creditbank.ledger.auditing.processes import Children, Order, Target, carry_out, reading
from creditbank.ledger.auditing.secrets import Secrets
from creditbank.ledger.auditing.streamkeys import StreamKeys, read_lives
from creditbank.ledger.auditing.stretch import END, ZERO_ROOT, StretchResult, check_follows
from creditbank.ledger.log import Idempotency
from creditbank.ledger.routers import KEYS

__all__ = ["Audit", "AuditReport", "Finding", "audit"]

WORTH_SHARING: Final = 50_000
"""Leaves from which on starting other processes costs less than it saves."""

Connection = psycopg.Connection[tuple[Any, ...]]


def _target(alias: str) -> Target:
    """Return how a database is reached, in terms another process can be told."""
    parameters = connections[alias].get_connection_params()
    return {name: str(value) for name, value in parameters.items() if type(value) in (str, int)}


class Audit:
    """One run of the audit over the database the settings name."""

    def __init__(
        self,
        *,
        progress: Progress | None = None,
        processes: int | None = None,
        worth_sharing: int = WORTH_SHARING,
    ) -> None:
        """Prepare. `processes` read at the same time; as many as there are cores unless given."""
        self.report = AuditReport()
        self._progress = progress or (lambda done, total: None)
        self._processes = processes or len(os.sched_getaffinity(0))
        self._worth_sharing = worth_sharing
        self._ledger, self._keys = _target("default"), _target(KEYS)
        self._kek = settings.KEYSTORE.get(learnerkeys.KEK)
        self._streams: dict[str, tuple[int, bytes]] = {}

    def run(self) -> AuditReport:
        """Audit everything; the report lists all findings (the first 200)."""
        report, found = self.report, self.report.found
        checkpoints = Checkpoints(keys=logkeys.log_keys(), origin=settings.LOG_ORIGIN, found=found)
        # Who is linked is asked before the snapshot and after it: what was linked before holds
        # no outcome twice in it, and what it uses together was linked by the end of it.
        linked_before = linked.present()
        # A transaction of its own, so that writers may go on: the snapshot is one.
        with reading(self._ledger) as ledger:
            total = self._head_size(ledger)
            lives = read_lives(ledger, found)
            keys = StreamKeys(lives)
            orders = [
                Order(
                    ledger=self._ledger,
                    keys=self._keys,
                    kek=self._kek,
                    snapshot=_snapshot(ledger),
                    lives=tuple(lives),
                    origin=settings.LOG_ORIGIN,
                    bank=settings.BANK_STREAM,
                    start=start,
                    stop=stop,
                )
                for start, stop in self._stretches(ledger, total)
            ]

            def tell(done: int) -> None:
                self._progress(done, total)

            shared: list[StretchResult] | None = None
            if len(orders) > 1:
                with Children(orders, tell) as children:
                    missing = self._beside(ledger, checkpoints)
                    shared = children.results()
            else:
                missing = self._beside(ledger, checkpoints)
            if shared is None or not _joined(shared):
                whole = _whole(orders)
                shared = [carry_out(whole, tell)]
            self._join(shared)
            checkpoints.check_roots([wrong for one in shared for wrong in one.wrong_checkpoints])
            effects = Effects()
            for one in shared:
                effects.add(one.effects)
            effects.check(ledger, found, bank=settings.BANK_STREAM, others=linked.present())
            self._persons(ledger, linked_before)
            frontier = shared[-1].after
            report.size = frontier.size
            heads.check_head(ledger, frontier, found)
            heads.check_upper_tiles(ledger, frontier.size, found)
            heads.check_stream_heads(ledger, self._streams, found)
            heads.check_fork_evidence(ledger, keys, found)
            self._submission_keys(ledger)
            report.checkpoints = checkpoints.chain.count
        with psycopg.connect(**self._ledger, autocommit=True) as now:  # type: ignore[arg-type]
            accounts.check_missing(now, missing, found)
            self._guards(now)
            anchor = settings.BANK_HOME / "anchor" / "head.json"
            checkpoints.check_anchor(now, anchor, size=report.size)
        report.settle()
        return report

    def _beside(self, ledger: Connection, checkpoints: Checkpoints) -> list[int]:
        """Check what no stretch holds, while others read; return the accounts to look for again."""
        checkpoints.read(ledger)
        with reading(self._keys) as keys:
            return accounts.check_accounts(
                ledger, keys, kek=self._kek, kek_id=learnerkeys.KEK, found=self.report.found
            )

    def _persons(self, ledger: Connection, others: linked.Others) -> None:
        """Check that people with several accounts hold an outcome in one of them."""
        if others:
            with reading(self._keys) as keys:
                secrets = Secrets(ledger=ledger, keys=keys, kek=self._kek)
                persons.check_persons(ledger, secrets, others, self.report.found)

    def _guards(self, ledger: Connection) -> None:
        """Check what guards the ledger in the database: triggers, constraints, rights."""
        with psycopg.connect(**self._keys, autocommit=True) as keys:  # type: ignore[arg-type]
            for connection, schema in ((ledger, "public"), (keys, "keys")):
                with connection.cursor() as cursor:
                    for problem in guards.problems(cursor, schema):
                        self.report.found("unguarded", f"schema {schema}", detail=problem)

    # -- stretches ------------------------------------------------------------------------------
    def _stretches(self, ledger: Connection, total: int) -> list[tuple[int, int]]:
        """Cut the log at manifests into as many stretches as there are processes."""
        count = self._processes if total >= self._worth_sharing else 1
        starts = [0]
        for number in range(1, count):
            row = ledger.execute(
                "SELECT idx FROM ledger_manifest WHERE idx >= %s ORDER BY idx LIMIT 1",
                [total * number // count],
            ).fetchone()
            if row is not None and row[0] > starts[-1]:
                starts.append(row[0])
        return list(zip(starts, [*starts[1:], END], strict=True))

    def _join(self, stretches: Sequence[StretchResult]) -> None:
        """Put the stretches together: counts and findings, and each stream over all of them."""
        for stretch in stretches:
            self.report.add(stretch.report)
            for name, run in stretch.streams.items():
                next_seq, root = self._streams.get(name, (0, ZERO_ROOT))
                check_follows(run.first, run.previous, next_seq, root, run.index, self.report.found)
                self._streams[name] = (run.next_seq, run.root)

    def _head_size(self, ledger: Connection) -> int:
        row = ledger.execute("SELECT size FROM ledger_head WHERE id = 1").fetchone()
        return int(row[0]) if row else 0

    def _submission_keys(self, ledger: Connection) -> None:
        with ledger.cursor("audit_submissions", binary=True) as cursor:
            cursor.execute(
                "SELECT k.institution_id, k.key, k.digest, k.idx, k.mac, m.idx"
                " FROM ledger_submissionkey k LEFT JOIN ledger_manifest m ON m.idx = k.idx"
            )
            for institution_id, key, digest, index, mac, stands in cursor:
                idempotency = Idempotency(institution_id=institution_id, key=key, digest=digest)
                if stands is None or idempotency.mac(index) != mac:
                    where = f"ledger_submissionkey {institution_id}/{key}"
                    self.report.found("submission-key", where, index)


def _snapshot(ledger: Connection) -> str:
    row = ledger.execute("SELECT pg_export_snapshot()").fetchone()
    assert row is not None
    return str(row[0])


def _joined(stretches: Sequence[StretchResult]) -> bool:
    """Tell whether the tree of each stretch ends where the next one began."""
    return all(one.after == other.before for one, other in pairwise(stretches))


def _whole(orders: Sequence[Order]) -> Order:
    return replace(orders[0], stop=END)


def audit(*, progress: Progress | None = None, processes: int | None = None) -> AuditReport:
    """Audit the whole ledger (账本审计)."""
    return Audit(progress=progress, processes=processes).run()
