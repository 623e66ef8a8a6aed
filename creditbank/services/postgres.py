"""A PostgreSQL 18 server of our own, in a folder of its own.

It listens on a free port of 127.0.0.1 and on a unix socket in its folder,
asks every connection for a password (scram-sha-256), and runs as an
unprivileged user when we are root. Settings are those of production but for
the addresses and a small memory.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Final, LiteralString

import psycopg
from psycopg import sql

from creditbank.services import binaries, passwords, places
from creditbank.services.errors import FolderRefused, ServiceError, StartFailed
from creditbank.services.keeping import Kept, pause, tail
from creditbank.services.ports import HOST, free_port
from creditbank.services.serving import Server
from creditbank.services.users import owned_folder, run_as

SUPERUSER: Final = "postgres"
OWNER: Final = "bank_owner"
APP: Final = "bank_app"
SIGNER: Final = "bank_signer"
ROLES: Final = (OWNER, APP, SIGNER)

ROLE_SETTINGS: Final[dict[str, dict[LiteralString, str]]] = {
    # A migration waits for a lock no longer than its readers would wait for it.
    OWNER: {"lock_timeout": "10s"},
    APP: {
        "statement_timeout": "15s",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "30s",
    },
    # The signer reads long stretches of the log when it was away.
    SIGNER: {
        "statement_timeout": "60s",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "30s",
    },
}

CONNECTIONS: Final = {OWNER: 20, APP: 150, SIGNER: 20}
"""How many connections each role may have: none can shut the others out."""

SETTINGS: Final = {
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "lc_messages": "C",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "jit": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_timezone": "UTC",
    "log_lock_waits": "on",
    "log_min_duration_statement": "-1",
    # Statements and details of errors quote values, and values may be people.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
DURABLE: Final = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "checkpoint_timeout": "30min",
    "max_wal_size": "4GB",
    # The wheel is built without lz4; `on` is pglz.
    "wal_compression": "on",
}
FLEETING: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "checkpoint_timeout": "30min",
    "max_wal_size": "1GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # No processes of their own for reading and writing: tests start and stop many servers.
    "io_method": "sync",
}
MAJOR: Final = "18"
START_WAIT: Final = 180.0
"""Replaying 4 GB of write-ahead log after a crash takes minutes, not seconds."""
STOP_GRACE: Final = 60.0
PORT_TRIES: Final = 5
SOCKET_PATH_MAX: Final = 107
"""The longest path of a unix socket (unix(7), sun_path), in bytes."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_INITDB_OPTIONS: Final = (
    "--username=postgres",
    "--encoding=UTF8",
    # PostgreSQL's own C.UTF-8: an update of the system's C library changes no index.
    "--locale-provider=builtin",
    "--locale=C.UTF-8",
    "--auth=scram-sha-256",
    "--data-checksums",
    "--no-instructions",
)


class Postgres(Server):
    """One server, with the bank's three roles."""

    name = "PostgreSQL"

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        super().__init__(folder, durable=durable)
        self._passwords: dict[str, str] = {}

    @property
    def socket_folder(self) -> Path | None:
        """The folder of the unix socket, None where its path would be too long."""
        folder = self.folder / "run"
        longest = f"{folder}/.s.PGSQL.65535.lock"
        return folder if len(os.fsencode(longest)) <= SOCKET_PATH_MAX else None

    def start(self) -> None:
        """Start the server, creating its data the first time.

        Raises ServiceError: FolderRefused, FolderInUse, ProgramMissing or StartFailed.
        """
        if self.poll() is None:
            return
        self._place = places.settle(
            self._asked, binaries.postgres(), service="postgres", probe="postgres"
        )
        lock = places.lock(self._place)
        try:
            self._passwords = passwords.held(self.folder / "passwords.json", (SUPERUSER, *ROLES))
            self._create_data()
            self._launch(lock)
        finally:
            # The server has the lock now, and keeps it until its last process ends.
            os.close(lock)

    def url(self, role: str, database: str) -> str:
        """Return the URL at which a role reaches a database. Raises NotRunning."""
        return f"postgres://{role}:{self._passwords[role]}@{HOST}:{self.port}/{database}"

    def create_roles(self) -> None:
        """Create the bank's three roles, or set them right: no superusers, own time-outs."""
        with self._session() as session:
            for role in ROLES:
                name = sql.Identifier(role)
                found = session.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
                if found.fetchone() is None:
                    session.execute(sql.SQL("CREATE ROLE {}").format(name))
                session.execute(
                    sql.SQL(
                        "ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION"
                        " NOBYPASSRLS CONNECTION LIMIT {} PASSWORD {}"
                    ).format(
                        name, sql.Literal(CONNECTIONS[role]), sql.Literal(self._passwords[role])
                    )
                )
                for setting, value in ROLE_SETTINGS[role].items():
                    session.execute(
                        sql.SQL("ALTER ROLE {} SET {} = {}").format(
                            name, sql.SQL(setting), sql.Literal(value)
                        )
                    )

    def has_database(self, name: str) -> bool:
        """Tell whether a database of this name exists."""
        with self._session() as session:
            found = session.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            return found.fetchone() is not None

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database that `bank_owner` owns and that nobody else may create anything in.

        With a template it is a copy of that database (files are copied: about
        45 ms); nobody may be connected to the template. Raises
        psycopg.errors.DuplicateDatabase when there is one of this name.
        """
        database = _identifier(name)
        with self._session() as session:
            session.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY {}").format(
                    database,
                    sql.Identifier(OWNER),
                    sql.Identifier("template1") if template is None else _identifier(template),
                    sql.SQL("wal_log" if template is None else "file_copy"),
                )
            )
            # Rights on the database itself are not copied with a template.
            session.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
            session.execute(
                sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
                    database, sql.SQL(", ").join(map(sql.Identifier, ROLES))
                )
            )
        if template is None:
            with self._session(name) as session:
                session.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
                session.execute(
                    sql.SQL("CREATE SCHEMA keys AUTHORIZATION {}").format(sql.Identifier(OWNER))
                )

    def seal_template(self, name: str) -> None:
        """Let nobody connect to a database any more, so that it can always be copied."""
        with self._session() as session:
            session.execute(
                sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(_identifier(name))
            )

    def drop_database(self, name: str) -> None:
        """Drop a database and end its sessions. One that does not exist is dropped already."""
        with self._session() as session:
            session.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(_identifier(name))
            )

    def _session(self, database: str = SUPERUSER) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url(SUPERUSER, database), autocommit=True)

    def _create_data(self) -> None:
        """Run initdb beside the data folder and rename, so that a half-made one is never started."""
        place = self._settled
        data = place.folder / "data"
        version = data / "PG_VERSION"
        if data.exists():
            found = version.read_text(encoding="ascii").strip() if version.is_file() else "unknown"
            if found != MAJOR:
                raise FolderRefused(
                    f"{data} was written by PostgreSQL {found}; this is {MAJOR}. Dump it with the"
                    " old version and restore it here, or choose another folder"
                )
            if data.stat().st_uid != place.uid:
                raise FolderRefused(f"{data} belongs to user {data.stat().st_uid}, not {place.uid}")
            return
        draft = place.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        owned_folder(draft, place.user, mode=0o700)
        options = list(_INITDB_OPTIONS)
        if not self._durable:
            options.append("--no-sync")
        # In a file: on the command line others could read it.
        password = place.folder / "superuser.password"
        passwords.write_private(password, self._passwords[SUPERUSER] + "\n")
        if place.user is not None:
            os.chown(password, place.user.uid, place.user.gid)
        result = run_as(
            place.user,
            [place.programs["initdb"], "-D", draft, *options, f"--pwfile={password}"],
            within=draft,
        )
        password.unlink()
        if result.returncode != 0:
            raise StartFailed(f"initdb failed:\n{result.stdout}")
        draft.rename(data)

    def _launch(self, lock: int) -> None:
        place = self._settled
        owned_folder(place.folder / "run", place.user, mode=0o755)
        settings = SETTINGS | (DURABLE if self._durable else FLEETING)
        settings["unix_socket_directories"] = str(self.socket_folder or "")
        for _ in range(PORT_TRIES):
            self._port = free_port()
            options = [f"--{name}={value}" for name, value in settings.items()]
            options += [f"--listen_addresses={HOST}", f"--port={self._port}"]
            size = self.log.stat().st_size if self.log.exists() else 0
            kept = Kept(
                [place.programs["postgres"], "-D", place.folder / "data", *options],
                name="postgres",
                log=self.log,
                # SIGINT: end sessions, write a checkpoint, stop. SIGQUIT: stop
                # at once; the next start replays the log.
                stop_signal=signal.SIGINT,
                last_signal=signal.SIGQUIT,
                grace=STOP_GRACE,
                user=place.user,
                folder=place.folder / "data",
                hold=[lock],
            )
            kept.start()
            if self._becomes_ready(kept):
                self._kept = kept
                return
            kept.stop()
            if b"could not bind" not in self.log.read_bytes()[size:]:
                break
        raise StartFailed(f"PostgreSQL did not start:\n{tail(self.log)}")

    def _becomes_ready(self, kept: Kept) -> bool:
        """Wait until the server's own pid file says so (as pg_ctl does). False when it ended."""
        path = self.folder / "data" / "postmaster.pid"
        limit = time.monotonic() + START_WAIT
        while kept.poll() is None:
            try:
                lines = path.read_text(encoding="utf-8").splitlines()
            except FileNotFoundError:
                lines = []
            # Line 1 is the process, line 8 its state: a file left by a crash names another one.
            if len(lines) >= 8 and lines[0] == str(kept.pid) and lines[7].strip() == "ready":
                return True
            if time.monotonic() > limit:
                kept.stop()
                raise StartFailed(
                    f"PostgreSQL was not ready after {START_WAIT:.0f} s:\n{tail(self.log)}"
                )
            pause()
        return False


def _identifier(name: str) -> sql.Identifier:
    """Quote a database's name, refusing all but the plainest."""
    if not _NAME.fullmatch(name):
        raise ServiceError(f"{name!r} is no name for a database")
    return sql.Identifier(name)
