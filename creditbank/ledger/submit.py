"""The institution's own program: make a key, prepare a submission, sign it, all offline.

    python -m creditbank.ledger.submit keygen  --stream NAME --key FILE
    python -m creditbank.ledger.submit prepare --stream NAME --key FILE --rows ROWS.json \
        --catalogue CATALOGUE.json [--state STATE.json] --out SUBMISSION
    python -m creditbank.ledger.submit show [--entries] SUBMISSION

It needs neither Django nor a database nor the network. `docs/own-key.md` walks
the whole way with an example; `--help` prints the file formats.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import re
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from creditbank.errors import DomainError, Problem, Refusals
from creditbank.ledger import ownrows, submissions
from creditbank.ledger.statements import EntryReversed, Statement, b64, possession_message
from creditbank.proofs import notes, signatures
from creditbank.proofs.manifests import Manifest

PASSPHRASE: Final = "LLCB_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable
CIVIL: Final = timezone(timedelta(hours=8))
"""Civil dates are Asia/Shanghai's, which has had no summer time since 1991."""

FORMATS: Final = """\
CATALOGUE.json  what GET /api/v1/catalogue returns: items by "code/version".

ROWS.json       what POST /api/v1/streams/NAME/resolve returns, as it is; or a
                list of such rows. Members of a row:
  account       the account number, ABCD-EFGH-JKLM
  item, item_version, completed_on, valid_until (or null)
  u             what the outcome is unique by; from the bank, never made up
  credits       optional: the catalogue's, or "0" for a retake that is not better,
                which then names its term in "occurrence"
  grade, score, hours, certificate, batch, occurrence    texts, or ""
  reverses      null, or {"leaf": BASE64 OR HEX, "quantity": HUNDREDTHS}: the entry
                whose reversal is signed before the award, in the same submission
  reason        why it is reversed; optional before a better attempt
  prepared_by, approved_by   optional pseudonyms of who did
  row, waiting, retake       told by the bank, not signed
A row without "item" is a reversal alone: account, reverses and reason, no more.

STATE.json      what GET /api/v1/streams/NAME returns: the stream's next number and
                the root of its last manifest. Without it they are taken from
                ROWS.json, where "resolve" names them, or from --first and --previous.

SUBMISSION      the bytes to POST to /api/v1/streams/NAME/submissions with the media
                type application/vnd.creditbank.submission. After a lost answer send
                the same file again; never prepare twice for one number.

The key file is an encrypted PKCS#8 PEM. Its passphrase is asked for, or read from
LLCB_KEY_PASSPHRASE. Exit codes: 0 done, 1 rows refused (each problem a line on
standard error, nothing written), 2 wrong call or unreadable file.
"""


def generate_key() -> signatures.Signer:
    """Make a new signing key."""
    return signatures.generate("Ed25519")


def prepare(
    *,
    stream: str,
    statements: Sequence[Statement],
    first: int,
    previous: bytes,
    signer: signatures.Signer,
) -> bytes:
    """Prepare and sign a submission; return its bytes.

    `first` is the stream's next number and `previous` the root of its last
    manifest (32 zero bytes for the first), as the bank's receipt names them.
    """
    openings = [statement.opening() for statement in statements]
    leaves = submissions.derive(stream, first, openings)
    manifest = Manifest(
        stream=stream, first=first, count=len(openings), root=leaves.root, previous=previous
    )
    note = notes.sign_note(
        manifest.text(), notes.NoteSigner(name=stream, type=notes.ED25519, signer=signer)
    )
    return submissions.encode(note.encode(), openings)


def save_key(path: Path, signer: signatures.Signer, passphrase: bytes) -> None:
    """Write a key as encrypted PKCS#8 PEM, readable by its owner alone; never over another."""
    key = Ed25519PrivateKey.from_private_bytes(signer.secret)
    data = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase),
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def load_key(path: Path, passphrase: bytes) -> signatures.Signer:
    """Read a key that `save_key` wrote. Raises ValueError for another key or passphrase."""
    key = serialization.load_pem_private_key(path.read_bytes(), passphrase)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path} holds no Ed25519 key")
    return signatures.signer("Ed25519", key.private_bytes_raw())


def _passphrase() -> bytes:
    return (os.environ.get(PASSPHRASE) or getpass.getpass("Passphrase of the key: ")).encode()


def _keygen(options: argparse.Namespace) -> int:
    signer = generate_key()
    save_key(options.key, signer, _passphrase())
    possession = signer.sign(possession_message(options.stream, signer.public))
    _print(
        {
            "stream": options.stream,
            "algorithm": signer.algorithm,
            "public": b64(signer.public),
            "possession": b64(possession),
        }
    )
    return 0


def _prepare(options: argparse.Namespace) -> int:
    rows = options.rows.read_bytes()
    try:
        statements = ownrows.statements_of(
            ownrows.rows_of(rows),
            ownrows.catalogue_of(options.catalogue.read_bytes()),
            on=datetime.now(CIVIL).date(),
        )
    except ownrows.RowsRefused as refused:
        for problem in refused.problems:
            sys.stderr.write(_line(problem) + "\n")
        return 1
    told = ownrows.position_of(options.state.read_bytes() if options.state else rows)
    first, previous = told or (None, None)
    first = options.first if options.first is not None else first
    previous = options.previous or previous
    if first is None or previous is None:
        raise ValueError("say where the stream stands: --state FILE, or --first N --previous HEX")
    data = prepare(
        stream=options.stream,
        statements=statements,
        first=first,
        previous=previous,
        signer=load_key(options.key, _passphrase()),
    )
    options.out.write_bytes(data)
    _print(
        {
            "entries": len(statements),
            "reversals": sum(isinstance(one, EntryReversed) for one in statements),
            "bytes": len(data),
            "out": str(options.out),
        }
    )
    return 0


def _line(problem: Problem) -> str:
    """Write a problem as one line: row, field, value found, what is wrong, what was expected."""
    where = f"row {problem.row}: " if problem.row is not None else ""
    found = f"{problem.field}={problem.value or ''!r} " if problem.field else ""
    expected = f" (expected {problem.expected})" if problem.expected else ""
    return f"{where}{found}{problem.message} [{problem.code}]{expected}"


def _show(options: argparse.Namespace) -> int:
    received = submissions.parse(options.submission.read_bytes())
    leaves = submissions.derive(
        received.manifest.stream, received.manifest.first, received.openings
    )
    submissions.check_root(received, leaves)
    said: dict[str, object] = {
        "stream": received.manifest.stream,
        "first": received.manifest.first,
        "count": received.manifest.count,
        "root": received.manifest.root.hex(),
        "previous": received.manifest.previous.hex(),
    }
    if options.entries:
        said["entries"] = [
            {
                "seq": received.manifest.first + position,
                "kind": core["k"],
                "account": holder["a"],
                "quantity": core["q"],
                "u": reference["u"],
                "leaf": b64(leaf_hash),
            }
            for position, ((_, core, _, reference, holder), (_, leaf_hash)) in enumerate(
                zip(leaves.opened, leaves.rows, strict=True)
            )
        ]
    _print(said)
    return 0


def _natural(text: str) -> int:
    """Read a stream's number: 0 or more."""
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise argparse.ArgumentTypeError(f"0 or more is expected, not {text!r}")
    return int(text)


def _root(text: str) -> bytes:
    """Read a manifest's root: 64 hexadecimal digits."""
    if re.fullmatch("[0-9a-f]{64}", text) is None:
        raise argparse.ArgumentTypeError(f"64 hexadecimal digits are expected, not {text[:80]!r}")
    return bytes.fromhex(text)


def _print(value: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m creditbank.ledger.submit",
        description="Prepare and sign an institution's submissions, offline.",
        epilog=FORMATS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True)
    keygen = commands.add_parser("keygen", help="make a signing key and its proof of possession")
    keygen.add_argument("--stream", required=True)
    keygen.add_argument("--key", type=Path, required=True)
    keygen.set_defaults(run=_keygen)
    prepare_ = commands.add_parser(
        "prepare",
        help="prepare and sign a submission",
        epilog=FORMATS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    prepare_.add_argument("--stream", required=True)
    prepare_.add_argument("--key", type=Path, required=True)
    prepare_.add_argument("--rows", type=Path, required=True)
    prepare_.add_argument("--catalogue", type=Path, required=True)
    prepare_.add_argument("--state", type=Path, help="what GET /api/v1/streams/NAME returned")
    prepare_.add_argument("--first", type=_natural, help="the stream's next number")
    prepare_.add_argument("--previous", type=_root, help="the root of its last manifest")
    prepare_.add_argument("--out", type=Path, required=True)
    prepare_.set_defaults(run=_prepare)
    show = commands.add_parser("show", help="check a submission and say what it holds")
    show.add_argument("--entries", action="store_true", help="list the entries with their leaves")
    show.add_argument("submission", type=Path)
    show.set_defaults(run=_show)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except Refusals as error:
        sys.stderr.write("".join(f"{_line(problem)}\n" for problem in error.problems))
        return 2
    except (OSError, ValueError, TypeError, DomainError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
