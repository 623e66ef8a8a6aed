"""The client keeps a connection per thread, opens another when it is gone, and names its errors."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from creditbank.proofs.manifests import Manifest
from creditbank.signer import client as client_module
from creditbank.signer.client import SignerClient, SignerRefused, SignerUnavailable
from tests.signer.support import client, until

MANIFEST = Manifest(stream="a.example/1", first=0, count=1, root=bytes(32), previous=bytes(32))


def connections(signer: Any) -> int:
    """Count the signer's open sockets but for the one it listens on and its database's."""
    inodes = set()
    for path in Path(f"/proc/{signer.process.pid}/fd").iterdir():
        # The signer closes descriptors while we read its list: what is gone is not open.
        with contextlib.suppress(FileNotFoundError):
            inodes.add(os.readlink(path))
    unix = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    mine = [line for line in unix if f"socket:[{line[6]}]" in inodes and line[5] == "03"]
    return len(mine)


def test_one_thread_uses_one_connection_whatever_the_number_of_clients(signer: Any) -> None:
    for _ in range(5):
        client(signer).public()
    assert connections(signer) == 1


def test_threads_have_connections_of_their_own_which_end_with_them(signer: Any) -> None:
    gate = threading.Barrier(6)

    def ask() -> None:
        client(signer).stream_key("a.example/1")
        gate.wait()
        gate.wait()

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    gate.wait()
    assert connections(signer) == 5
    gate.wait()
    for thread in threads:
        thread.join()
    until(lambda: connections(signer) == 0, "the connections of ended threads to be closed")


def test_answers_of_many_threads_are_not_mixed_up(signer: Any) -> None:
    def ask(number: int) -> bool:
        stream = f"a.example/{number % 7}"
        asking = client(signer)
        key = asking.stream_key(stream)
        note = asking.manifest(
            Manifest(stream=stream, first=number, count=1, root=bytes(32), previous=bytes(32))
        )
        return f"{stream}\n{number} 1\n".encode() in note and len(key.public) == 32

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(ask, range(600)))


def test_a_restarted_signer_is_asked_again_without_a_word(signer: Any) -> None:
    asking = client(signer)
    key = asking.stream_key("a.example/1")
    for ending in (signer.stop, signer.kill):
        ending()
        signer.start()
        assert asking.stream_key("a.example/1") == key


def test_no_signer_is_said_and_again_when_it_is_back(signer: Any) -> None:
    asking = client(signer)
    asking.public()
    signer.kill()
    with pytest.raises(SignerUnavailable) as error:
        asking.public()
    assert error.value.code == "signer-unavailable"
    assert str(signer.home) in error.value.message
    signer.start()
    assert asking.public().log_vkey


def test_no_socket_is_the_same_as_no_signer(tmp_path: Path) -> None:
    for path in (tmp_path / "none.sock", tmp_path / "no folder" / "none.sock"):
        with pytest.raises(SignerUnavailable):
            SignerClient(path).public()


def wait_until_stopped(pid: int) -> None:
    """The signal is sent, but each thread stops in its own time."""
    limit = time.monotonic() + 10
    while {
        task.joinpath("stat").read_text().rpartition(")")[2].split()[0]
        for task in Path(f"/proc/{pid}/task").iterdir()
    } != {"T"}:
        assert time.monotonic() < limit
        time.sleep(0.001)


def test_a_signer_that_does_not_answer_is_waited_for_seconds_only(
    signer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "ANSWER_SECONDS", 0.3)
    asking = client(signer)
    asking.stream_key("a.example/1")
    signer.process.send_signal(signal.SIGSTOP)
    try:
        wait_until_stopped(signer.process.pid)
        with pytest.raises(SignerUnavailable):
            asking.manifest(MANIFEST)
    finally:
        signer.process.send_signal(signal.SIGCONT)
    # The late answer belongs to a connection that was given up.
    assert asking.public().streams.keys() == {"a.example/1"}


@pytest.mark.parametrize(
    "answer", [b"", b"\x00\x00\x00\x05hello", b"\x00\x00\x00\x09", b"\xff\xff\xff\xff"]
)
def test_an_answer_that_is_none_is_no_signer(tmp_path: Path, answer: bytes) -> None:
    path = tmp_path / "odd.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def reply() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=reply)
        thread.start()
        with pytest.raises(SignerUnavailable):
            SignerClient(path).public()
        thread.join()


def test_a_forked_process_opens_a_connection_of_its_own(signer: Any) -> None:
    asking = client(signer)
    asking.stream_key("a.example/1")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        result = b"failed"
        try:
            asking.manifest(MANIFEST)
            result = b"%d" % connections(signer)
        finally:
            os.write(writer, result)
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read() == b"2"
    os.waitpid(child, 0)
    assert asking.manifest(MANIFEST)


def test_a_refusal_carries_the_signers_code_and_words(signer: Any) -> None:
    with pytest.raises(SignerRefused) as refusal:
        client(signer).manifest(MANIFEST)
    assert refusal.value.code == "signer-refused"
    assert refusal.value.facts["refusal"] == "no-stream-key"
    assert "a.example/1" in str(refusal.value.facts["detail"])


def test_what_cannot_be_encoded_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    with pytest.raises(SignerRefused) as refusal:
        SignerClient(tmp_path / "none.sock").trust("\ud800")
    assert refusal.value.refusal == "malformed"


def test_a_folder_deeper_than_a_socket_address_is_reached(
    signer: Any, db: Any, tmp_path: Path
) -> None:
    signer.stop()
    home = tmp_path / ("deep" * 20) / ("deeper" * 10)
    home.mkdir(parents=True)
    deep = type(signer)(home, db.signer_url)
    deep.start(wait=False)
    try:
        asking = SignerClient(home / "signer" / "signer.sock")

        def answer() -> object:
            try:
                return asking.public()
            except SignerUnavailable:
                return None

        assert until(answer, "the signer in the deep folder").log_vkey
    finally:
        assert deep.stop() == 0
