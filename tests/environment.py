"""Loaded before Django's settings: real services of this test process, and their addresses.

Every test process (each worker of a parallel run too) has a PostgreSQL and a
Valkey of its own in a temporary folder, both gone when it ends.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from creditbank.services.postgres import APP, Postgres
from creditbank.services.valkey import Valkey

MEMORY = Path("/dev/shm")
ROOM = 4 << 30
"""Bytes that must be free there: databases of a few tests, and the write-ahead log."""


def _place() -> str | None:
    """Return a folder in memory where there is room: copying a database there takes a quarter."""
    if "TMPDIR" in os.environ or not MEMORY.is_dir():
        return None
    return str(MEMORY) if shutil.disk_usage(MEMORY).free >= ROOM else None


HOME = Path(tempfile.mkdtemp(prefix="creditbank-tests-", dir=_place()))
HOME.chmod(0o755)

postgres = Postgres(HOME / "postgres", durable=False)
valkey = Valkey(HOME / "valkey")


def _stop() -> None:
    valkey.stop()
    postgres.stop()
    shutil.rmtree(HOME, ignore_errors=True)


(HOME / "bank" / "static").mkdir(parents=True)
postgres.start()
valkey.start()
atexit.register(_stop)
postgres.create_roles()

os.environ.update(
    {
        "DJANGO_SETTINGS_MODULE": "creditbank.settings",
        "DATABASE_URL": postgres.url(APP, "postgres"),
        "REDIS_URL": valkey.url(0),
        "BANK_HOME": str(HOME / "bank"),
        "BANK_ID": "bank.example",
        "PUBLIC_URL": "http://localhost:8000",
        "STATIC_HASHED": "0",
        "DJANGO_DEBUG": "0",
        "DATABASE_CONN_MAX_AGE": "0",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
    }
)
