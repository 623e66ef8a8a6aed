"""State and anchor on disk: whole or not at all, and moved by one signer only."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from creditbank.proofs import merkle
from creditbank.proofs.chains import EMPTY_CHAIN
from creditbank.signer.errors import AnotherSigner, MemoryLost
from creditbank.signer.files import FolderLock, make_folder, write_durably
from creditbank.signer.state import (
    EMPTY_ANCHORED,
    EMPTY_STATE,
    Anchored,
    FileAnchor,
    State,
    StateFile,
    TreeHead,
)

FRONTIER = merkle.Frontier.empty().extend([bytes([n]) * 32 for n in range(7)])
NOTE = "笔记\n".encode()
STATE = State(
    frontier=FRONTIER,
    root=FRONTIER.root(),
    note=NOTE,
    time=1_780_000_000,
    chain=EMPTY_CHAIN.extend(b"earlier").extend(NOTE),
)


def _anchored(size: int, root: bytes = bytes(32)) -> Anchored:
    return Anchored(head=TreeHead(size=size, root=root), chain=EMPTY_CHAIN.extend(b"%d" % size))


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "state.json")
    assert file.read() is None
    for state in (EMPTY_STATE, STATE, replace(STATE, chain=None)):
        file.write(state)
        assert file.read() == state


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"size":7', b'"size":8'),
        (b'"size":7', b'"size":-7'),
        (b'"size":7', b'"size":"7"'),
        (b'"size":7', b'"size":true'),
        (b'"v":2', b'"v":3'),
        (b'"chain":"', b'"chain":"A'),
        (b'"chain_before":"', b'"chain_before":"AAAA'),
        (b'"checkpoints":2', b'"checkpoints":-2'),
        (b'"note":"56yU', b'"note":"57yU'),
        (b'"time":1780000000', b'"time":null'),
        (b'"root":"', b'"root":"A'),
        (b'"note":"', b'"note":"*'),
        (b'"frontier":"', b'"frontier":"AAAA'),
        (b'{"chain":', b'{ "chain":'),
    ],
)
def test_a_changed_state_is_no_memory(tmp_path: Path, old: bytes, new: bytes) -> None:
    path = tmp_path / "state.json"
    StateFile(path).write(STATE)
    data = path.read_bytes()
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, new))
    with pytest.raises(MemoryLost):
        StateFile(path).read()


def test_an_anchor_moves_only_from_where_it_is_expected(tmp_path: Path) -> None:
    anchor = FileAnchor(tmp_path / "other disk" / "head.json")
    assert anchor.read() is None
    anchor.advance(expected=None, to=EMPTY_ANCHORED)
    first, second = STATE.anchored, _anchored(9)
    anchor.advance(expected=EMPTY_ANCHORED, to=first)
    for wrong in (None, EMPTY_ANCHORED, second, replace(first, chain=None), _anchored(7)):
        with pytest.raises(AnotherSigner):
            anchor.advance(expected=wrong, to=second)
    assert anchor.read() == first
    anchor.advance(expected=first, to=second)
    assert anchor.read() == second


def test_an_anchor_made_by_hand_knows_no_chain(tmp_path: Path) -> None:
    path = tmp_path / "head.json"
    FileAnchor(path).advance(expected=None, to=replace(_anchored(9), chain=None))
    assert b"chain" not in path.read_bytes()
    assert FileAnchor(path).read() == replace(_anchored(9), chain=None)


def test_of_racing_signers_one_moves_the_anchor(tmp_path: Path) -> None:
    path = tmp_path / "head.json"
    FileAnchor(path).advance(expected=None, to=EMPTY_ANCHORED)
    gate = threading.Barrier(8)
    won: list[int] = []

    def race(number: int) -> None:
        gate.wait()
        try:
            FileAnchor(path).advance(expected=EMPTY_ANCHORED, to=_anchored(number))
        except AnotherSigner:
            return
        won.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert FileAnchor(path).read() == _anchored(won[0])


def test_a_file_is_replaced_with_its_mode_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (b"first", b"", b"x" * 300_000):
        write_durably(path, data)
        assert path.read_bytes() == data
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


def test_a_folder_gets_its_mode_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        make_folder(tmp_path / "made", mode=0o750)
    finally:
        os.umask(before)
    assert oct((tmp_path / "made").stat().st_mode & 0o777) == "0o750"
    (tmp_path / "made").chmod(0o700)
    make_folder(tmp_path / "made", mode=0o750)
    assert oct((tmp_path / "made").stat().st_mode & 0o777) == "0o700"


def test_a_folder_is_locked_once(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    with pytest.raises(AnotherSigner):
        FolderLock(tmp_path)
    lock.close()
    FolderLock(tmp_path).close()
