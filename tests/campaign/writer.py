"""An institution's program that never gives up: the writer the crash campaign kills.

    python -m tests.campaign.writer FOLDER

It sends submission after submission of its own-key stream. What it is about to
send is on disk before it is sent, what was acknowledged is on disk before the
next one; killed and started again, it sends the last one once more.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def _keep(path: Path, data: bytes, *, append: bool = False) -> None:
    """Write and fsync; a replaced file is replaced whole."""
    target = path if append else path.with_suffix(".new")
    with target.open("ab" if append else "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if not append:
        target.replace(path)


def main(folder: Path) -> None:
    import django

    django.setup()
    from django.db import Error, connections

    from creditbank.clock import today
    from creditbank.ledger import operations, ownrows, submissions, submit
    from creditbank.proofs import signatures

    facts = json.loads((folder / "writer.json").read_text())
    signer = signatures.signer("Ed25519", bytes.fromhex(facts["secret"]))
    pending, acknowledged, state = folder / "pending", folder / "acknowledged", folder / "state"
    position = (
        json.loads(state.read_text())
        if state.exists()
        else {"first": 0, "previous": "00" * 32, "made": 0}
    )
    pattern = facts["pattern"]
    while not (folder / "stop").exists():
        if pending.exists():
            data = pending.read_bytes()
        else:
            count = 1 + position["made"] % 7
            rows = []
            for number in range(position["made"], position["made"] + count):
                row = dict(pattern)
                row["account"] = facts["accounts"][number % len(facts["accounts"])]
                row["u"] = f"{pattern['u'][:-2]}{number}/1"
                rows.append(row)
            data = submit.prepare(
                stream=facts["stream"],
                statements=ownrows.statements_of(rows, facts["catalogue"], on=today()),
                first=position["first"],
                previous=bytes.fromhex(position["previous"]),
                signer=signer,
            )
            _keep(pending, data)
        try:
            receipt = operations.record_submission(data=data)
        except (Error, OSError) as error:
            sys.stderr.write(f"again: {type(error).__name__}\n")
            connections.close_all()
            time.sleep(0.05)
            continue
        manifest = submissions.parse(data).manifest
        line = {
            "first": manifest.first,
            "count": manifest.count,
            "root": manifest.root.hex(),
            "index": receipt.manifest_index,
        }
        _keep(acknowledged, json.dumps(line).encode() + b"\n", append=True)
        position = {
            "first": manifest.first + manifest.count,
            "previous": manifest.root.hex(),
            "made": position["made"] + manifest.count,
        }
        _keep(state, json.dumps(position).encode())
        pending.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
