"""The key store: secrets that are created once, kept private, and refused when they are not."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from creditbank import keystore
from creditbank.keystore import FileKeyStore

CHILD = """
import sys, time
from creditbank.keystore import FileKeyStore
store = FileKeyStore(sys.argv[1])
sys.stdin.readline()
print(store.get("kek-1").hex())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "bank" / "secrets"


def test_a_secret_is_created_on_first_use_and_stays_the_same(folder: Path) -> None:
    secret = FileKeyStore(folder).get("kek-1")
    assert len(secret) == 32
    assert FileKeyStore(folder).get("kek-1") == secret


def test_two_names_have_two_secrets(folder: Path) -> None:
    store = FileKeyStore(folder)
    assert len({store.get(name) for name in keystore.NAMES}) == len(keystore.NAMES)


def test_folder_and_files_are_closed_to_group_and_others(folder: Path) -> None:
    before = os.umask(0)
    try:
        FileKeyStore(folder).get("kek-1")
    finally:
        os.umask(before)
    assert oct(folder.stat().st_mode & 0o777) == "0o700"
    assert [(path.name, oct(path.stat().st_mode & 0o777)) for path in folder.iterdir()] == [
        ("kek-1.key", "0o600")
    ]


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o602, 0o610])
def test_a_file_that_others_can_reach_is_refused(folder: Path, mode: int) -> None:
    FileKeyStore(folder).get("kek-1")
    (folder / "kek-1.key").chmod(mode)
    with pytest.raises(keystore.KeyUnsafe) as refusal:
        FileKeyStore(folder).get("kek-1")
    assert refusal.value.facts["mode"] == f"{mode:04o}"


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701])
def test_a_folder_that_others_can_enter_is_refused(folder: Path, mode: int) -> None:
    FileKeyStore(folder).get("kek-1")
    folder.chmod(mode)
    with pytest.raises(keystore.KeyUnsafe):
        FileKeyStore(folder).get("kek-1")


def test_a_symbolic_link_in_place_of_a_secret_is_refused(folder: Path, tmp_path: Path) -> None:
    FileKeyStore(folder).get("kek-1")
    (folder / "kek-1.key").rename(tmp_path / "elsewhere")
    (folder / "kek-1.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(keystore.KeyUnsafe):
        FileKeyStore(folder).get("kek-1")


def test_a_pipe_in_place_of_a_secret_is_refused_without_waiting(folder: Path) -> None:
    FileKeyStore(folder).get("signer")
    os.mkfifo(folder / "kek-1.key", 0o600)
    with pytest.raises(keystore.KeyUnsafe):
        FileKeyStore(folder).get("kek-1")


@pytest.mark.parametrize("content", [b"", b"00" * 31, b"00" * 33, b"zz" * 32, b"\xff" * 64])
def test_a_damaged_secret_is_refused_and_not_replaced(folder: Path, content: bytes) -> None:
    FileKeyStore(folder).get("kek-1")
    (folder / "kek-1.key").write_bytes(content)
    with pytest.raises(keystore.KeyUnreadable):
        FileKeyStore(folder).get("kek-1")
    assert (folder / "kek-1.key").read_bytes() == content


@pytest.mark.parametrize("name", ["", "../kek-1", "KEK", "kek_1", "-kek", "kek-", "a" * 65, "a/b"])
def test_a_name_that_could_leave_the_folder_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(keystore.KeyNameInvalid):
        FileKeyStore(folder).get(name)


def test_a_store_that_may_not_create_says_what_is_missing(folder: Path) -> None:
    with pytest.raises(keystore.KeyMissing):
        FileKeyStore(folder, may_create=False).get("kek-1")
    assert not folder.exists()
    FileKeyStore(folder).get("signer")
    with pytest.raises(keystore.KeyMissing) as refusal:
        FileKeyStore(folder, may_create=False).get("kek-1")
    assert refusal.value.facts["name"] == "kek-1"


def test_no_secret_shows_in_a_repr_or_an_error(folder: Path) -> None:
    store = FileKeyStore(folder)
    secret = store.get("kek-1").hex()
    (folder / "kek-1.key").chmod(0o644)
    with pytest.raises(keystore.KeyUnsafe) as refusal:
        FileKeyStore(folder).get("kek-1")
    assert secret not in repr(store) + repr(refusal.value) + str(refusal.value.facts)


def test_processes_that_race_for_the_creation_all_get_one_secret(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True)
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    try:
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        found = {child.communicate(timeout=30)[0].strip() for child in children}
    finally:
        for child in children:
            child.kill()
    assert found == {FileKeyStore(folder).get("kek-1").hex()}
    assert [path.name for path in folder.iterdir()] == ["kek-1.key"]


def test_threads_with_stores_of_their_own_all_get_one_secret(folder: Path) -> None:
    gate = threading.Barrier(8)
    found: list[bytes] = []

    def race() -> None:
        store = FileKeyStore(folder)
        gate.wait()
        found.append(store.get("media"))

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_creation_that_was_cut_short_leaves_no_secret_behind(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True)
    (folder / ".kek-1.key.123.0011223344556677").write_text("00" * 20)
    assert FileKeyStore(folder).get("kek-1") != bytes(32)


def test_the_default_store_is_the_one_of_the_settings() -> None:
    from django.conf import settings

    assert keystore.default() is settings.KEYSTORE
