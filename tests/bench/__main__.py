"""`make bench`: every figure of docs/performance.md, in one run, side by side with its peer.

python -m tests.bench [--entries 1000000] [--write docs/performance.md]
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.rig import Table, rig

HEADER = ("what", "median (min–max)", "goal", "beside it")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    table = Table()
    print(f"| {' | '.join(HEADER)} |\n|---|---|---|---|", flush=True)
    wanted = options.only

    def asked(name: str) -> bool:
        return not wanted or name in wanted

    if asked("plans"):
        from tests.bench import plans

        plans.plans(table)
    if asked("demo"):
        from tests.bench import demo

        demo.accounts(table)
    if wanted and {"plans", "demo"}.issuperset(wanted):
        return _written(table, options.write)
    with rig() as services:
        from tests.bench import reading, recording

        province = recording.Province()
        small = big = raw = 0.0
        recording.grow(province, 10_000)
        if asked("raw"):
            small, _ = recording.against_raw_copy(services, table, province, "10 k")
        if asked("receipts"):
            recording.receipts_against_pgbench(services, table, province)
        if asked("documents"):
            from tests.bench import documents

            documents.transcripts(services, table, province)
        if asked("pages"):
            from tests.bench import pages

            pages.verification(table, province)
        if asked("simulation"):
            from tests.bench import simulating

            simulating.ten_thousand(table, province)
        if asked("automatic"):
            from tests.bench import automatic

            automatic.keeping_up(table, province)
        if asked("reads"):
            recording.grow(province, options.entries)
            if asked("raw"):
                big, raw = recording.against_raw_copy(
                    services, table, province, f"{options.entries // 1000} k"
                )
                table.add("/ the rate at 10 k", f"{big / small:.2f}", goal="≥ 0.9")
            if raw:
                recording.from_statements(table, province, raw)
            recording.settle(services)
            reading.balance_against_primary_key(table, province)
            reading.proofs(table)
            reading.full_audit(table, big)
        if asked("bulk_create"):
            recording.against_bulk_create(services, table, province)
        if asked("peers"):
            from tests.bench import peers

            peers.against_hordak(services, table, province)
    return _written(table, options.write)


def _written(table: Table, to: Path | None) -> int:
    if to is not None:
        lines = ["| " + " | ".join(row.cells) + " |" for row in table.rows]
        head = [f"| {' | '.join(HEADER)} |", "|---|---|---|---|"]
        machine = (
            f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()},"
            f" {datetime.now(UTC).date().isoformat()}, `make bench`."
        )
        to.write_text("\n".join([machine, "", *head, *lines]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
