"""Other people's ledgers beside ours, through the API they tell their users to use."""

from __future__ import annotations

import subprocess
import sys

from creditbank.services.postgres import OWNER
from tests.bench.recording import Province, imported
from tests.bench.rig import ROOT, Rig, Table, alternating, spread


def against_hordak(rig: Rig, table: Table, province: Province) -> None:
    """Bulk recording beside django-hordak's transfer_to, one commit each."""
    rig.postgres.create_database("hordak")
    url = rig.postgres.url(OWNER, "hordak")

    def theirs() -> float:
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.hordak_peer", url, "4"],
            cwd=ROOT, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return float(done.stdout.strip().splitlines()[-1])

    imported(province, 1)
    one, two, hordak = alternating(
        lambda: imported(province, 1), lambda: imported(province, 2), theirs
    )
    for processes, ours in ((1, one), (2, two)):
        table.add(
            f"bulk recording, processes: {processes}, / django-hordak transfer_to and commit",
            spread([a / b for a, b in zip(ours, hordak, strict=True)]),
            goal="≥ 100",
            against=f"{spread(ours, '/s')} beside {spread(hordak, '/s')}",
        )
