"""The demo's training centre signs its own submissions, with the program that real ones use.

Its folder holds what such an institution holds: an encrypted key, the passphrase
beside it (in a demo; never in earnest), the rows that `resolve` answered with,
the catalogue, and each submission as it was sent.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings

from creditbank.clock import today
from creditbank.demo.files import json_bytes, replace, write_once
from creditbank.errors import DomainError
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import OutcomeKind
from creditbank.institutions.models import Institution, Member, Stream
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from creditbank.ledger.models import StreamHead
from creditbank.ledger.submit import PASSPHRASE
from creditbank.recording.operations import resolve_identities
from creditbank.recording.resolving import ResolvedRow
from creditbank.recording.rows import RawRow


class ProgramFailed(DomainError):
    """The institution's program ended badly; the facts hold what it said."""

    code: ClassVar[str] = "demo-program-failed"


def _submit(folder: Path, *arguments: str) -> dict[str, Any]:
    """Run the program as the institution would, with nothing of the bank's in its environment."""
    write_once(folder / "passphrase", lambda: secrets.token_urlsafe(18).encode())
    done = subprocess.run(
        [sys.executable, "-m", "creditbank.ledger.submit", *arguments],
        cwd=settings.BASE_DIR,
        env={
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            PASSPHRASE: (folder / "passphrase").read_text(),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ProgramFailed(done.stderr[-2000:], status=done.returncode)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def enter_key(stream: Stream, folder: Path) -> None:
    """Make the stream's key in the institution's folder and enter its public half."""
    said = folder / "key.json"
    if not said.exists():
        # A key whose public half was never told is of no use to anybody.
        (folder / "key.pem").unlink(missing_ok=True)
        key = str(folder / "key.pem")
        replace(said, json_bytes(_submit(folder, "keygen", "--stream", stream.name, "--key", key)))
    answer = json.loads(said.read_text(encoding="utf-8"))
    public = base64.b64decode(answer["public"])
    if any(held.public == public for held in institutions.signing_keys(stream.name)):
        return
    ledger.add_key(
        stream=stream.name,
        algorithm=answer["algorithm"],
        public=public,
        possession=base64.b64decode(answer["possession"]),
    )


def submit(
    *, institution: Institution, stream: Stream, rows: list[RawRow], staff: tuple[Member, Member],
    folder: Path,
) -> None:  # fmt: skip
    """Resolve the rows, prepare and sign a submission with the program, and enter it.

    Rows that the bank holds already are left out; when nothing is left, nothing
    is sent.
    """
    resolved = resolve_identities(
        institution=institution,
        stream=stream,
        rows=rows,
        acting_users=[member.user for member in staff],
    )
    if not resolved.rows:
        return
    replace(
        folder / "rows.json",
        json_bytes({"rows": [_row(row, staff) for row in resolved.rows]}),
    )
    replace(folder / "catalogue.json", json_bytes(_catalogue()))
    head = StreamHead.objects.get(stream=stream.name)
    out = folder / f"submission-{head.next_seq}"
    _submit(
        folder,
        "prepare",
        "--stream", stream.name,
        "--key", str(folder / "key.pem"),
        "--rows", str(folder / "rows.json"),
        "--catalogue", str(folder / "catalogue.json"),
        "--first", str(head.next_seq),
        "--previous", bytes(head.prev_root).hex(),
        "--out", str(out),
    )  # fmt: skip
    receipt = ledger.record_submission(data=out.read_bytes())
    entries.wait_until_published(receipt.size)


def _row(row: ResolvedRow, staff: tuple[Member, Member]) -> dict[str, object]:
    clerk, reviewer = staff
    outcome = row.outcome
    return {
        "account": row.account,
        "item": outcome.item,
        "item_version": outcome.item_version,
        "completed_on": outcome.completed_on.isoformat(),
        "valid_until": outcome.valid_until.isoformat() if outcome.valid_until else "",
        "u": row.u,
        "grade": row.result.grade,
        "score": row.result.score,
        "hours": row.result.hours,
        "certificate": row.reference.certificate,
        "batch": row.reference.batch,
        "occurrence": row.reference.occurrence,
        "credits": str(row.credits),
        "reverses": (
            {"leaf": row.reverses[1].hex(), "quantity": row.reverses[2]} if row.reverses else None
        ),
        "prepared_by": clerk.pseudonym,
        "approved_by": reviewer.pseudonym,
    }


def _catalogue() -> dict[str, dict[str, object]]:
    """Return what the institution needs of the public catalogue, by code and version."""
    return {
        f"{item.code}/{item.version}": {
            "kind": item.kind,
            "title": item.title,
            "title_en": item.title_en,
            "body": item.body_uscc,
            "body_name": item.body_name,
            "credits": str(item.approved_credits),
            "framework": item.framework,
            "level": item.level,
            "category": item.category,
        }
        for item in institutions.catalogue(today(), kinds=[OutcomeKind.TRAINING])
    }
