"""The whole surroundings at once, and the servers of others in their place."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from creditbank.services import stack
from creditbank.services.errors import NotRunning, ServiceError
from tests.services.processes import eventually, naming

OUTSIDE = {
    "DATABASE_URL": "postgres://a:a@db.example/bank",
    "DATABASE_OWNER_URL": "postgres://o:o@db.example/bank",
    "SIGNER_DATABASE_URL": "postgres://s:s@db.example/bank",
    "REDIS_URL": "redis://cache.example/0",
}


def test_its_environment_reaches_the_database_in_three_roles_and_the_broker(folder: Path) -> None:
    with stack.Stack(folder, durable=False) as services:
        variables = services.environment()
        assert stack.environment(folder) == variables
        roles = []
        for name in stack.DATABASE_VARIABLES:
            with psycopg.connect(variables[name]) as session:
                row = session.execute("SELECT current_user, current_database()").fetchone()
                assert row is not None
                roles.append(row)
        assert roles == [
            ("bank_app", "creditbank"),
            ("bank_owner", "creditbank"),
            ("bank_signer", "creditbank"),
        ]
        with redis.Redis.from_url(variables["REDIS_URL"]) as client:
            assert client.ping()
        assert Path(variables["BANK_HOME"]).is_dir()
    assert naming(str(folder)) == []
    with pytest.raises(NotRunning):
        stack.environment(folder)


def test_servers_of_others_are_used_and_not_started(folder: Path) -> None:
    with stack.Stack(folder, outside=OUTSIDE) as services:
        assert services.servers() == []
        variables = services.environment()
        assert {name: variables[name] for name in OUTSIDE} == OUTSIDE
        assert naming(str(folder)) == []
    assert not (folder / "postgres").exists()


def test_a_database_of_others_needs_all_three_roles(folder: Path) -> None:
    with pytest.raises(ServiceError, match="DATABASE_OWNER_URL, SIGNER_DATABASE_URL"):
        stack.Stack(folder, outside={"DATABASE_URL": OUTSIDE["DATABASE_URL"]})


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "creditbank.services", "--home", str(folder), *arguments]


def plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in stack.VARIABLES}


def test_a_command_runs_beside_the_services_and_its_status_is_ours(folder: Path) -> None:
    script = "import os, sys; print(os.environ['DATABASE_URL']); sys.exit(5)"
    done = subprocess.run(
        command(folder, "run", "--fleeting", "--", sys.executable, "-c", script),
        env=plain_environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 5, done.stderr
    assert done.stdout.startswith("postgres://bank_app:")
    assert naming(str(folder)) == []


def test_run_prints_the_environment_and_ends_on_ctrl_c(folder: Path) -> None:
    with subprocess.Popen(
        command(folder, "run", "--fleeting"),
        env=plain_environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as runner:
        assert runner.stdout is not None
        assert runner.stdout.readline().startswith("export DATABASE_URL=postgres://bank_app:")
        runner.send_signal(signal.SIGINT)
        assert runner.wait(30) == 0
    assert naming(str(folder)) == []


def test_killed_it_leaves_no_server_and_can_be_started_again(folder: Path) -> None:
    with subprocess.Popen(
        command(folder, "run"), env=plain_environment(), stdout=subprocess.PIPE, text=True
    ) as runner:
        assert runner.stdout is not None
        assert runner.stdout.readline().startswith("export")
        runner.kill()
    with stack.Stack(folder) as services, psycopg.connect(services.environment()["DATABASE_URL"]):
        pass
    assert eventually(lambda: naming(str(folder)) == [])
