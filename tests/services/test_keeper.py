"""The keeper: no program outlives who started it, whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from creditbank.services.errors import StartFailed
from creditbank.services.keeping import Kept
from tests.services.processes import eventually, is_running, naming, parent

STUBBORN = "trap '' TERM; echo ready; while true; do sleep 0.1; done"
WITH_ORPHAN = "setsid sleep 3600 & echo $!; sleep 0.2; exit 3"
PARENT = """
import sys, time
from pathlib import Path
from creditbank.services.keeping import Kept
kept = Kept(["/bin/sleep", sys.argv[2]], name="sleep", log=Path(sys.argv[1]))
kept.start()
print(kept.pid, flush=True)
time.sleep(600)
"""


def shell(script: str, folder: Path, **options: object) -> Kept:
    return Kept(
        ["/bin/sh", "-c", script],
        name="shell",
        log=folder / "shell.log",
        merged=folder / "all.log",
        **options,  # type: ignore[arg-type]
    )


def test_a_programs_output_goes_to_its_log_and_named_to_the_log_of_all(tmp_path: Path) -> None:
    kept = shell("echo one; echo two >&2; printf three", tmp_path)
    kept.start()
    assert kept.wait(10) == 0
    assert (tmp_path / "shell.log").read_text() == "one\ntwo\nthree\n"
    assert (tmp_path / "all.log").read_text().splitlines() == [
        "shell   | one",
        "shell   | two",
        "shell   | three",
    ]
    assert "two" in kept.tail()


@pytest.mark.parametrize(("script", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)])
def test_its_exit_status_is_passed_on(tmp_path: Path, script: str, status: int) -> None:
    kept = shell(script, tmp_path)
    kept.start()
    assert kept.wait(10) == status
    assert kept.poll() == status
    assert kept.stop() == status


def test_a_program_that_is_not_there_is_an_error_with_its_name(tmp_path: Path) -> None:
    kept = Kept(["/no/such/program"], name="missing", log=tmp_path / "log")
    with pytest.raises(StartFailed, match="/no/such/program"):
        kept.start()


def test_a_program_that_will_not_end_is_killed_after_its_grace(tmp_path: Path) -> None:
    kept = shell(STUBBORN, tmp_path, grace=0.5)
    kept.start()
    assert eventually(lambda: "ready" in kept.tail())
    assert kept.stop() == 128 + signal.SIGKILL
    assert not is_running(kept.pid)


def test_what_a_program_left_behind_ends_with_it(tmp_path: Path) -> None:
    kept = shell(WITH_ORPHAN, tmp_path)
    kept.start()
    assert eventually(lambda: (tmp_path / "shell.log").read_text() != "")
    orphan = int((tmp_path / "shell.log").read_text())
    assert is_running(orphan)
    assert kept.wait(20) == 3
    assert not is_running(orphan)


def test_a_killed_parent_takes_its_programs_along(tmp_path: Path) -> None:
    mark = "86399.25"
    starter = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "log"), mark], stdout=subprocess.PIPE
    )
    with starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert is_running(pid)
        starter.kill()
    assert eventually(lambda: not is_running(pid))
    assert eventually(lambda: naming(mark) == [])


def test_a_killed_keeper_takes_its_program_along(tmp_path: Path) -> None:
    kept = Kept(["/bin/sleep", "86398"], name="sleep", log=tmp_path / "log")
    kept.start()
    os.kill(parent(kept.pid), signal.SIGKILL)
    assert eventually(lambda: not is_running(kept.pid))
    assert kept.stop() == -signal.SIGKILL


def test_signals_that_the_parent_blocks_still_reach_the_program(tmp_path: Path) -> None:
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        kept = Kept(["/bin/sleep", "86397"], name="sleep", log=tmp_path / "log", grace=20.0)
        kept.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    assert kept.stop() == 128 + signal.SIGTERM


def test_a_long_log_is_set_aside_before_the_next_start(tmp_path: Path) -> None:
    log = tmp_path / "shell.log"
    log.write_bytes(b"x" * (6 << 20))
    kept = shell("echo new", tmp_path)
    kept.start()
    assert kept.wait(10) == 0
    assert log.read_text() == "new\n"
    assert (tmp_path / "shell.log.1").stat().st_size == 6 << 20
