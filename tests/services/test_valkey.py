"""The Valkey that demo and tests stand on."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest
import redis

from creditbank.services.errors import FolderRefused, NotRunning
from creditbank.services.valkey import Valkey
from tests.services.processes import command, is_running, naming, user


@pytest.fixture
def server(folder: Path) -> Valkey:
    return Valkey(folder / "valkey")


def test_it_answers_with_the_password_alone(server: Valkey) -> None:
    with server, redis.Redis.from_url(server.url(2)) as client:
        assert client.ping() is True
        with socket.create_connection(("127.0.0.1", server.port)) as stranger:
            stranger.sendall(b"PING\r\n")
            assert stranger.recv(100).startswith(b"-NOAUTH")


def test_stopping_leaves_no_process(server: Valkey) -> None:
    server.start()
    home, pid = str(server.folder), server.pid
    assert naming(home)
    server.stop()
    server.stop()
    assert not is_running(pid)
    assert naming(home) == []
    with pytest.raises(NotRunning):
        server.url()


def test_a_second_start_keeps_what_was_queued(server: Valkey) -> None:
    with server, redis.Redis.from_url(server.url(0)) as client:
        client.lpush("queue", b"work")
    with server, redis.Redis.from_url(server.url(0)) as client:
        assert client.lrange("queue", 0, -1) == [b"work"]


def test_as_root_it_runs_as_someone_else_and_nobody_reads_its_password(server: Valkey) -> None:
    with server:
        assert user(server.pid) != 0
        password = server.url().split(":")[2].split("@")[0].encode()
        for pid in naming(str(server.folder)):
            assert password not in command(pid)
        for name in ("passwords.json", "valkey.conf"):
            assert stat.S_IMODE((server.folder / name).stat().st_mode) == 0o600
        assert (server.folder / "passwords.json").stat().st_uid == os.geteuid()


def test_a_folder_with_other_things_is_refused(folder: Path) -> None:
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(FolderRefused):
        Valkey(folder).start()
