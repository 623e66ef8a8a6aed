"""`make demo`: what it refuses, and that stopping it stops everything."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from creditbank.services import stack
from creditbank.services.ports import free_port
from tests.services.processes import command, eventually, naming

STARTED = "migrating"


def is_program(pid: int, module: bytes) -> bool:
    """Tell whether a process is the module itself, not its keeper."""
    line = command(pid)
    return module in line and b"keeper.py" not in line


def demo(folder: Path, **variables: str) -> subprocess.Popen[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in (*stack.VARIABLES, "BANK_HOME", "PUBLIC_URL")
    }
    environment |= {"PORT": str(free_port()), "DEMO_DIR": str(folder / "demo"), **variables}
    return subprocess.Popen(
        [sys.executable, "-m", "creditbank.services.launcher", "demo"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def refused(folder: Path, **variables: str) -> tuple[int, str]:
    with demo(folder, **variables) as process:
        output, _ = process.communicate(timeout=60)
        return process.returncode, output


def test_a_taken_port_is_named_and_nothing_is_started(folder: Path, taken: int) -> None:
    status, output = refused(folder, PORT=str(taken))
    assert status == 1
    assert f"port {taken} is in use" in output
    assert not (folder / "demo" / "postgres").exists()


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_a_port_that_is_none_is_refused(folder: Path, port: str) -> None:
    status, output = refused(folder, PORT=port)
    assert status == 2
    assert "PORT must be a number from 1 to 65535" in output


def test_a_database_on_another_machine_gets_no_demo_accounts(folder: Path) -> None:
    url = "postgres://x:x@db.example/bank"
    status, output = refused(
        folder, DATABASE_URL=url, DATABASE_OWNER_URL=url, SIGNER_DATABASE_URL=url
    )
    assert status == 1
    assert "db.example" in output


def test_a_database_without_its_three_roles_is_refused(folder: Path) -> None:
    status, output = refused(folder, DATABASE_URL="postgres://x:x@localhost/bank")
    assert status == 2
    assert "DATABASE_OWNER_URL" in output


def test_a_folder_that_is_a_file_is_refused(folder: Path) -> None:
    (folder / "demo").write_text("")
    status, output = refused(folder)
    assert status == 1
    assert "not a folder" in output


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -9)]
)
def test_stopped_in_the_middle_of_starting_it_leaves_no_process(
    folder: Path, number: signal.Signals, status: int
) -> None:
    with demo(folder) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if STARTED in line:
                break
        assert naming(str(folder)) != []
        process.send_signal(number)
        process.stdout.read()
        assert process.wait(60) == status
    assert eventually(lambda: naming(str(folder)) == [], 30)


def test_a_program_that_dies_is_reported_with_its_last_words_and_stops_all(folder: Path) -> None:
    with demo(folder) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "home page:" in line:
                break
        signers = [pid for pid in naming(str(folder)) if is_program(pid, b"creditbank.signer")]
        assert len(signers) == 1
        os.kill(signers[0], signal.SIGKILL)
        output = process.stdout.read()
        assert process.wait(90) == 1
    assert "signer ended by itself with status 137" in output
    assert "signer.log" in output
    assert naming(str(folder)) == []
