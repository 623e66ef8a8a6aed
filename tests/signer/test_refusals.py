"""What the signer refuses to go on with, its exit codes, and what it bears with."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from creditbank.signer.keys import BANK_KEYS
from tests.signer.support import (
    Backup,
    b64,
    change_json,
    client,
    read_json,
    refusal,
    superuser,
    until,
    until_published,
    verdict,
)
from tests.signer.writer import Writer


@pytest.fixture
def stopped(signer: Any, writer: Writer) -> Any:
    """A signer that has published a checkpoint of 601 leaves and was stopped."""
    until_published(writer, writer.append(600))
    signer.stop()
    return signer


# -- the database is not the one that was signed ------------------------------------------------
def test_an_older_copy_is_refused_at_the_start(signer: Any, writer: Writer, db: Any) -> None:
    until_published(writer, writer.append(300))
    backup = Backup(db.superuser_url)
    until_published(writer, writer.append(300))
    signer.stop()
    backup.restore()
    assert refusal(signer) == (4, "behind-anchor")


@pytest.mark.parametrize("refilled", [300, 900])
def test_an_older_copy_filled_again_is_refused_at_the_start(
    signer: Any, writer: Writer, db: Any, refilled: int
) -> None:
    until_published(writer, writer.append(300))
    backup = Backup(db.superuser_url)
    until_published(writer, writer.append(300))
    signer.stop()
    backup.restore()
    writer.append(refilled)
    assert refusal(signer) == (4, "root-differs")


def test_an_older_copy_restored_under_a_running_signer_stops_it(
    signer: Any, writer: Writer, db: Any
) -> None:
    until_published(writer, writer.append(300))
    backup = Backup(db.superuser_url)
    until_published(writer, writer.append(300))
    backup.restore()
    code, last = verdict(signer)
    assert code == 4
    assert "behind-anchor" in last


def test_an_older_copy_filled_again_under_a_running_signer_stops_it(
    signer: Any, writer: Writer, db: Any
) -> None:
    until_published(writer, writer.append(300))
    backup = Backup(db.superuser_url)
    until_published(writer, writer.append(300))
    signer.process.send_signal(signal.SIGSTOP)
    backup.restore()
    writer.append(700)
    signer.process.send_signal(signal.SIGCONT)
    code, last = verdict(signer)
    assert code == 4
    assert "root-differs" in last


def test_after_a_refusal_no_checkpoint_was_published(signer: Any, writer: Writer, db: Any) -> None:
    until_published(writer, writer.append(300))
    backup = Backup(db.superuser_url)
    until_published(writer, writer.append(300))
    signer.stop()
    backup.restore()
    before = writer.checkpoints()
    writer.append(900)
    refusal(signer)
    assert writer.checkpoints() == before


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE ledger_entry SET leaf = leaf || ' ' WHERE idx = 605", id="leaf"),
        pytest.param("UPDATE ledger_manifest SET note = note || ' ' WHERE idx = 601", id="note"),
        pytest.param("DELETE FROM ledger_entry WHERE idx = 605", id="missing"),
        pytest.param(
            "UPDATE ledger_entry a SET leaf = b.leaf FROM ledger_entry b"
            " WHERE (a.idx, b.idx) IN ((604, 605), (605, 604))",
            id="swapped",
        ),
        pytest.param("UPDATE ledger_head SET root = sha256('x')", id="head-root"),
        pytest.param(
            "UPDATE ledger_head SET frontier = sha256('x') || substr(frontier, 33)",
            id="head-frontier",
        ),
        pytest.param("DELETE FROM ledger_tile WHERE level = 0 AND n = 2", id="tile-missing"),
        pytest.param(
            "UPDATE ledger_tile SET data = set_byte(data, 99, get_byte(data, 99) # 1)"
            " WHERE level = 0 AND n = 2",
            id="tile-data",
        ),
        pytest.param(
            "UPDATE ledger_tile SET root = sha256('x') WHERE level = 0 AND n = 2", id="tile-root"
        ),
        pytest.param(
            "DELETE FROM ledger_tile WHERE level = 0 AND n = 0;"
            " UPDATE ledger_entry SET leaf = leaf || ' ' WHERE idx = 605",
            id="old-tile-too",
        ),
    ],
)
def test_new_rows_that_differ_from_the_head_are_refused(
    stopped: Any, writer: Writer, db: Any, statement: str
) -> None:
    writer.append(300)
    with superuser(db.superuser_url) as connection:
        for part in statement.split(";"):
            connection.execute(part.encode())
    before = writer.checkpoints()
    assert refusal(stopped) == (5, "rows-differ")
    assert writer.checkpoints() == before


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE ledger_entry SET leaf = leaf || ' ' WHERE idx = 600", id="leaf"),
        pytest.param("UPDATE ledger_tile SET root = sha256('x') WHERE n = 1", id="tile-root"),
        pytest.param(
            "UPDATE ledger_tile SET data = set_byte(data, 0, get_byte(data, 0) # 1),"
            " root = sha256('x') WHERE n = 0",
            id="tile",
        ),
    ],
)
def test_signed_rows_that_were_changed_are_another_history(
    stopped: Any, db: Any, statement: str
) -> None:
    with superuser(db.superuser_url) as connection:
        connection.execute(statement.encode())
    assert refusal(stopped) == (4, "root-differs")


def test_a_head_changed_at_the_signed_size_is_refused_by_a_running_signer(
    signer: Any, writer: Writer, db: Any
) -> None:
    until_published(writer, writer.append(5))
    with superuser(db.superuser_url) as connection:
        connection.execute("UPDATE ledger_head SET root = sha256('x')")
    code, last = verdict(signer)
    assert code == 5
    assert "rows-differ" in last


def test_a_published_checkpoint_that_was_changed_is_refused(
    stopped: Any, writer: Writer, db: Any
) -> None:
    note = bytearray(writer.checkpoints()[-1][1])
    note[40] ^= 1
    with superuser(db.superuser_url) as connection:
        connection.execute("UPDATE ledger_checkpoint SET note = %s", [bytes(note)])
    assert refusal(stopped) == (3, "keys-unusable")


def test_a_checkpoint_under_another_size_is_refused(stopped: Any, db: Any) -> None:
    with superuser(db.superuser_url) as connection:
        connection.execute("UPDATE ledger_checkpoint SET size = size - 1")
    assert refusal(stopped) == (5, "rows-differ")


# -- the signer's own memory --------------------------------------------------------------------
def test_without_state_and_anchor_a_published_log_is_not_gone_on_with(stopped: Any) -> None:
    (stopped.home / "signer" / "state.json").unlink()
    (stopped.home / "anchor" / "head.json").unlink()
    assert refusal(stopped) == (4, "memory-lost")


def test_without_the_anchor_a_state_is_not_enough(stopped: Any) -> None:
    shutil.rmtree(stopped.home / "anchor")
    assert refusal(stopped) == (4, "memory-lost")
    assert not (stopped.home / "anchor").exists()


def test_memories_older_than_what_was_published_are_refused(signer: Any, writer: Writer) -> None:
    until_published(writer, writer.append(30))
    paths = (signer.home / "signer" / "state.json", signer.home / "anchor" / "head.json")
    files = {path: path.read_bytes() for path in paths}
    until_published(writer, writer.append(30))
    signer.stop()
    for path, data in files.items():
        path.write_bytes(data)
    assert refusal(signer) == (4, "memory-lost")


def test_an_anchor_that_outsiders_vouch_for_lets_a_signer_without_memory_go_on(
    stopped: Any, writer: Writer
) -> None:
    (stopped.home / "signer" / "state.json").unlink()
    size, _ = writer.checkpoints()[-1]
    change_json(stopped.home / "anchor" / "head.json", size=size, root=b64(writer.root(size)))
    stopped.start()
    until_published(writer, writer.append())


def test_an_anchor_with_another_root_is_refused(stopped: Any) -> None:
    change_json(stopped.home / "anchor" / "head.json", root=b64(bytes(32)))
    assert refusal(stopped) == (4, "root-differs")


@pytest.mark.parametrize("path", ["signer/state.json", "anchor/head.json"])
def test_a_damaged_memory_is_refused_and_not_replaced(stopped: Any, path: str) -> None:
    for content in (b"", b'{"size":1,"v":1}', b"\xff"):
        (stopped.home / path).write_bytes(content)
        assert refusal(stopped) == (4, "memory-lost"), content
        assert (stopped.home / path).read_bytes() == content


def test_a_state_whose_frontier_was_changed_is_refused(stopped: Any) -> None:
    state = stopped.home / "signer" / "state.json"
    size = read_json(state)["size"]
    change_json(state, frontier=b64(bytes(32) * size.bit_count()))
    assert refusal(stopped) == (4, "memory-lost")


# -- keys ---------------------------------------------------------------------------------------
def test_a_missing_key_is_not_made_anew_once_something_was_signed(stopped: Any) -> None:
    for name in BANK_KEYS:
        path = stopped.home / "signer" / "keys" / f"{name}.json"
        data = path.read_bytes()
        path.unlink()
        assert refusal(stopped) == (3, "keys-unusable"), name
        assert not path.exists()
        path.write_bytes(data)


def test_keys_sealed_under_another_secret_are_refused(stopped: Any) -> None:
    secret = stopped.home / "secrets" / "signer.key"
    secret.write_text("ab" * 32)
    assert refusal(stopped) == (3, "keys-unusable")


def test_a_key_of_another_name_put_in_place_is_refused(stopped: Any) -> None:
    keys = stopped.home / "signer" / "keys"
    shutil.copy(keys / "document.json", keys / "log.json")
    assert refusal(stopped) == (3, "keys-unusable")


def test_a_key_file_that_was_changed_is_refused(stopped: Any) -> None:
    path = stopped.home / "signer" / "keys" / "pades.json"
    for member in ("public", "sealed", "certificate", "algorithm", "name"):
        data = path.read_bytes()
        value = read_json(path)[member]
        change_json(path, **{member: ("B" if value[0] != "B" else "C") + value[1:]})
        assert refusal(stopped) == (3, "keys-unusable"), member
        path.write_bytes(data)


def test_other_keys_than_those_that_signed_are_refused(stopped: Any, writer: Writer) -> None:
    memory = {
        path: (stopped.home / path).read_bytes()
        for path in ("signer/state.json", "anchor/head.json")
    }
    shutil.rmtree(stopped.home / "signer")
    shutil.rmtree(stopped.home / "anchor")
    assert refusal(stopped) == (3, "keys-unusable")
    for path, data in memory.items():
        (stopped.home / path).parent.mkdir(exist_ok=True)
        (stopped.home / path).write_bytes(data)
    assert refusal(stopped) == (3, "keys-unusable")


def test_a_missing_secret_is_not_made_anew_once_something_was_signed(stopped: Any) -> None:
    secret = stopped.home / "secrets" / "signer.key"
    secret.unlink()
    assert refusal(stopped) == (3, "key-missing")
    assert not secret.exists()


def test_a_secret_that_others_can_read_is_refused(stopped: Any) -> None:
    (stopped.home / "secrets" / "signer.key").chmod(0o644)
    assert refusal(stopped) == (3, "key-unsafe")


# -- two signers --------------------------------------------------------------------------------
def test_a_second_signer_on_the_same_folder_is_refused(signer: Any, writer: Writer) -> None:
    second = type(signer)(signer.home, signer._url)
    assert refusal(second) == (6, "another-signer")
    until_published(writer, writer.append())


def test_a_second_signer_on_the_same_database_is_refused(
    signer: Any, writer: Writer, db: Any, tmp_path: Any
) -> None:
    until_published(writer, writer.append())
    home = tmp_path / "second"
    home.mkdir()
    assert refusal(type(signer)(home, db.signer_url)) == (6, "another-signer")
    until_published(writer, writer.append())


def test_a_signer_that_was_overtaken_by_another_stops(signer: Any, writer: Writer) -> None:
    until_published(writer, writer.append())
    anchor = signer.home / "anchor" / "head.json"
    change_json(anchor, size=read_json(anchor)["size"] + 5)
    writer.append()
    code, last = verdict(signer)
    assert code == 6
    assert "another-signer" in last


# -- what it bears with ---------------------------------------------------------------------------
def _open_to_connections(db: Any, *, allowed: bool) -> None:
    url = db.superuser_url.rsplit("/", 1)[0] + "/postgres"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(
                sql.Identifier(db.name), sql.Literal(allowed)
            )
        )
        if not allowed:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND application_name = 'creditbank-signer'",
                [db.name],
            )


def test_a_database_that_goes_away_is_waited_for_and_said(
    signer: Any, writer: Writer, db: Any
) -> None:
    until_published(writer, writer.append())
    _open_to_connections(db, allowed=False)
    until(lambda: "cannot publish, trying again" in signer.log(), "a word about it")
    size = writer.append(3)
    time.sleep(1.0)
    assert signer.process.poll() is None
    assert size not in dict(writer.checkpoints())
    assert client(signer).stream_key("a.example/1").algorithm == "Ed25519"
    _open_to_connections(db, allowed=True)
    until_published(writer, size)


def test_a_database_that_is_not_there_at_the_start_is_waited_for(
    stopped: Any, writer: Writer, db: Any
) -> None:
    _open_to_connections(db, allowed=False)
    size = writer.append(3)
    stopped.start()
    until(lambda: "cannot publish, trying again" in stopped.log(), "a word about it")
    _open_to_connections(db, allowed=True)
    until_published(writer, size)


def test_connections_cut_by_the_server_are_made_again(signer: Any, writer: Writer, db: Any) -> None:
    until_published(writer, writer.append())
    for _ in range(3):
        with psycopg.connect(db.superuser_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'creditbank-signer'"
            )
        until_published(writer, writer.append())
    assert signer.process.poll() is None


def test_a_database_swapped_while_it_was_away_is_refused(
    signer: Any, writer: Writer, db: Any
) -> None:
    until_published(writer, writer.append(300))
    backup = Backup(db.superuser_url)
    until_published(writer, writer.append(300))
    _open_to_connections(db, allowed=False)
    until(lambda: "cannot publish, trying again" in signer.log(), "a word about it")
    _open_to_connections(db, allowed=True)
    signer.process.send_signal(signal.SIGSTOP)
    backup.restore()
    writer.append(900)
    signer.process.send_signal(signal.SIGCONT)
    code, last = verdict(signer)
    assert code == 4
    assert "root-differs" in last


def test_storage_that_cannot_be_written_is_waited_for(signer: Any, writer: Writer) -> None:
    until_published(writer, writer.append())
    # A folder in the place of the draft: no right of root's makes it writable.
    draft = signer.home / "signer" / ".state.json.new"
    draft.mkdir()
    size = writer.append()
    until(lambda: "cannot publish, trying again" in signer.log(), "a word about it")
    assert size not in dict(writer.checkpoints())
    draft.rmdir()
    until_published(writer, size)


def test_arguments_that_make_no_sense_are_refused(stopped: Any, tmp_path: Any) -> None:
    for arguments in (
        [],
        ["--home", str(tmp_path)],
        ["--home", str(tmp_path), "--database", "postgres://x", "--origin", "Bank/log"],
        ["--home", str(tmp_path), "--database", "postgres://x", "--origin", "bank.example"],
        ["--home", str(tmp_path), "--database", "postgres://x", "--bank-name", "行" * 49],
    ):
        found = subprocess.run(
            [sys.executable, "-m", "creditbank.signer", *arguments],
            env={"PATH": "/usr/bin"},
            capture_output=True,
            cwd=Path(__file__).parents[2],
        )
        assert found.returncode == 2, arguments
        assert b"error:" in found.stderr
