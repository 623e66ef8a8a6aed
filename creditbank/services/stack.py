"""The whole surroundings of one bank: PostgreSQL, Valkey, and the environment that names them.

    HOME/postgres   the database server     HOME/valkey   broker and cache
    HOME/bank       BANK_HOME: the folder the bank itself owns (secrets, signer, logs)
    HOME/environment.json   what to set to reach all this, while it runs

A server that `DATABASE_URL` or `REDIS_URL` names is used in place of ours.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from creditbank.services import postgres, valkey
from creditbank.services.errors import NotRunning, ServiceError
from creditbank.services.passwords import write_private
from creditbank.services.places import make_passable
from creditbank.services.serving import Server, Startable

DATABASE: Final = "creditbank"
DATABASE_VARIABLES: Final = ("DATABASE_URL", "DATABASE_OWNER_URL", "SIGNER_DATABASE_URL")
"""The three roles' ways to the database: who runs the bank, who migrates, who signs."""

VARIABLES: Final = (*DATABASE_VARIABLES, "REDIS_URL")
"""What names servers of others, in place of ours."""


def database_environment(server: postgres.Postgres, database: str) -> dict[str, str]:
    """Return the variables that name a database of a running server, one for each role."""
    return {
        "DATABASE_URL": server.url(postgres.APP, database),
        "DATABASE_OWNER_URL": server.url(postgres.OWNER, database),
        "SIGNER_DATABASE_URL": server.url(postgres.SIGNER, database),
    }


def environment(home: Path) -> dict[str, str]:
    """Return the variables of the stack that runs in this folder. Raises NotRunning."""
    path = home.absolute() / "environment.json"
    try:
        found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotRunning(f"nothing runs in {home}") from None
    return found


class Stack(Startable):
    """The services of one folder.

    `outside` (normally `os.environ`) may name servers of others, which are then
    used, and neither started nor stopped.
    """

    def __init__(
        self, home: Path, *, durable: bool = True, outside: Mapping[str, str] | None = None
    ) -> None:
        self.home = home.absolute()
        self.bank_home = self.home / "bank"
        self._outside = dict(outside or {})
        self._environment: dict[str, str] = {}
        self.postgres: postgres.Postgres | None = None
        self.valkey: valkey.Valkey | None = None
        named = [name for name in DATABASE_VARIABLES if self._outside.get(name)]
        if not named:
            self.postgres = postgres.Postgres(self.home / "postgres", durable=durable)
        elif len(named) < len(DATABASE_VARIABLES):
            missing = ", ".join(name for name in DATABASE_VARIABLES if name not in named)
            raise ServiceError(
                f"{named[0]} names a database of your own; set {missing} too: the bank reaches it"
                " in three roles (docs/runbook.md)"
            )
        if not self._outside.get("REDIS_URL"):
            self.valkey = valkey.Valkey(self.home / "valkey", durable=durable)

    def start(self) -> None:
        """Start the servers; create the roles and the database. Raises ServiceError."""
        make_passable(self.home)
        self.bank_home.mkdir(mode=0o700, exist_ok=True)
        if self.valkey is not None:
            self.valkey.start()
        if self.postgres is not None:
            self.postgres.start()
            self.postgres.create_roles()
            if not self.postgres.has_database(DATABASE):
                self.postgres.create_database(DATABASE)
        self._environment = {
            **self._database(),
            "REDIS_URL": self._outside["REDIS_URL"] if self.valkey is None else self.valkey.url(),
            "BANK_HOME": str(self.bank_home),
        }
        write_private(
            self.home / "environment.json", json.dumps(self._environment, indent=1) + "\n"
        )

    def stop(self) -> None:
        """Stop the servers that are ours. Done twice, nothing happens."""
        if self._environment:
            (self.home / "environment.json").unlink(missing_ok=True)
            self._environment = {}
        try:
            if self.valkey is not None:
                self.valkey.stop()
        finally:
            if self.postgres is not None:
                self.postgres.stop()

    def environment(self) -> dict[str, str]:
        """Return the variables that name these services. Raises NotRunning."""
        if not self._environment:
            raise NotRunning(f"nothing runs in {self.home}")
        return dict(self._environment)

    def child_environment(self, **changes: str) -> dict[str, str]:
        """Return a whole environment for a child: ours, with the services and the changes."""
        return {**os.environ, **self.environment(), **changes}

    def servers(self) -> list[Server]:
        """Return the servers that are ours to start and stop."""
        return [server for server in (self.postgres, self.valkey) if server is not None]

    def _database(self) -> dict[str, str]:
        if self.postgres is not None:
            return database_environment(self.postgres, DATABASE)
        return {name: self._outside[name] for name in DATABASE_VARIABLES}
