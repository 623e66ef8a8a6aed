"""`python -m creditbank.signer`: start the signer.

Exit codes: 0 asked to stop; 2 wrong arguments; 3 keys missing, unsafe or of
another secret; 4 the database is not the one that was signed (behind-anchor,
root-differs, memory-lost, checkpoints-differ); 5 rows, tiles and head differ, or
the ledger is not guarded (rows-differ, unguarded); 6 another signer is at work. After 3 to 6 starting again does not help; docs/runbook.md says what does.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from creditbank.keystore import KeyStoreError
from creditbank.signer.certificates import BANK_NAME_MAX
from creditbank.signer.errors import EXIT_KEYS, EXIT_USAGE, SignerStops
from creditbank.signer.keys import Identity
from creditbank.signer.process import Process, Settings

log = logging.getLogger("creditbank.signer")

SWITCH_SECONDS = 0.0005
"""How long a thread that hashes may keep the others waiting (the interpreter's own: 5 ms)."""


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    environment = os.environ.get
    parser = argparse.ArgumentParser(
        prog="python -m creditbank.signer",
        description="Hold the bank's keys, publish checkpoints, sign on typed requests.",
    )
    parser.add_argument(
        "--home", type=Path, default=environment("BANK_HOME"), help="the bank's folder (BANK_HOME)"
    )
    parser.add_argument(
        "--database",
        default=environment("SIGNER_DATABASE_URL"),
        help="PostgreSQL URL of the role bank_signer; in the environment (SIGNER_DATABASE_URL)"
        " its password is not seen in the list of processes",
    )
    parser.add_argument(
        "--origin",
        default=f"{environment('BANK_ID', 'bank.example')}/log",
        help="the log's origin, BANK_ID/log",
    )
    parser.add_argument(
        "--public-url",
        default=environment("PUBLIC_URL", "http://localhost:8000"),
        help="written into the certificates when they are made (PUBLIC_URL)",
    )
    parser.add_argument(
        "--bank-name",
        default=environment("BANK_NAME", "示例省终身教育学分银行"),
        help="written into the certificates when they are made (BANK_NAME)",
    )
    parser.add_argument(
        "--socket", type=Path, default=environment("SIGNER_SOCKET"), help="HOME/signer/signer.sock"
    )
    parser.add_argument("--state", type=Path, help="folder of state and keys; HOME/signer")
    parser.add_argument(
        "--anchor", type=Path, help="the anchor's file, on other storage; HOME/anchor/head.json"
    )
    parser.add_argument(
        "--secrets", type=Path, help="folder with signer.key, of the signer's user; HOME/secrets"
    )
    parser.add_argument("--export", type=Path, help="folder of the exported log; HOME/log")
    parser.add_argument("--no-export", action="store_true", help="do not export the log")
    parser.add_argument(
        "--adopt-checkpoints",
        action="store_true",
        help="this once take the stored checkpoints for all there were: after an older copy was"
        " restored and its entries replayed (docs/runbook.md)",
    )
    parser.add_argument("--verbose", action="store_true", help="say more in the log")
    found = parser.parse_args(arguments)
    if not found.home:
        parser.error("--home or BANK_HOME is needed")
    if not found.database:
        parser.error("--database or SIGNER_DATABASE_URL is needed")
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/log", found.origin):
        parser.error("--origin is a host name in lower case, then /log")
    if not 1 <= len(found.bank_name) <= BANK_NAME_MAX:
        parser.error(f"--bank-name has 1 to {BANK_NAME_MAX} characters")
    return found


def _settings(found: argparse.Namespace) -> Settings:
    home: Path = found.home.absolute()
    state: Path = found.state or home / "signer"
    return Settings(
        database=found.database,
        identity=Identity(
            origin=found.origin,
            bank_name=found.bank_name,
            public_url=found.public_url.rstrip("/"),
        ),
        socket=found.socket or home / "signer" / "signer.sock",
        state=state,
        anchor=found.anchor or home / "anchor" / "head.json",
        secrets=found.secrets or home / "secrets",
        export=None if found.no_export else found.export or home / "log",
        adopt_checkpoints=found.adopt_checkpoints,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal asks to stop; return the exit code."""
    found = _arguments(arguments)
    logging.basicConfig(
        level=logging.DEBUG if found.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s signer: %(message)s",
        stream=sys.stderr,
    )
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        process = Process(_settings(found))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: process.stopping.set())
        process.run()
    except SignerStops as stop:
        log.critical("stopped: %s: %s", stop.code, stop.message)
        return stop.exit_code
    except KeyStoreError as error:
        log.critical("stopped: %s: %s", error.code, error.message)
        return EXIT_KEYS
    except OSError as error:
        log.critical("cannot start: %s", error)
        return EXIT_USAGE
    log.info("stopped as asked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
