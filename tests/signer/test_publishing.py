"""The signer follows the log and publishes a signed checkpoint of every committed head."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import pytest

from creditbank.proofs import notes
from creditbank.proofs.notes import NoteKey
from tests.signer.support import (
    change_json,
    client,
    read_json,
    times,
    until,
    until_published,
    verified,
)
from tests.signer.writer import Writer


def test_an_append_is_published_with_the_root_of_the_stored_rows(
    signer: Any, writer: Writer
) -> None:
    size = writer.append(3)
    checkpoint = verified(until_published(writer, size), client(signer).public())
    assert (checkpoint.origin, checkpoint.size) == ("bank.example/log", 4)
    assert checkpoint.root == writer.root(size)


def test_a_checkpoint_bears_the_logs_line_and_two_cosignatures_of_one_time(
    signer: Any, writer: Writer
) -> None:
    before = int(time.time())
    note = notes.SignedNote.parse(until_published(writer, writer.append()))
    keys = client(signer).public()
    assert [line.name for line in note.lines] == [
        "bank.example/log",
        "bank.example/cosigner",
        "bank.example/cosigner-pq",
    ]
    types = [NoteKey.parse_vkey(vkey).type for vkey in (keys.log_vkey, *keys.cosigner_vkeys)]
    assert types == [notes.ED25519, notes.COSIGNATURE, notes.ML_DSA_COSIGNATURE]
    first, second = times(note.encode())
    assert first == second
    assert before <= first <= time.time()


def test_no_private_key_verifies_as_two(signer: Any) -> None:
    keys = client(signer).public()
    publics = [
        NoteKey.parse_vkey(vkey).verifier.public for vkey in (keys.log_vkey, *keys.cosigner_vkeys)
    ]
    assert len(set(publics)) == 3


def test_every_published_checkpoint_is_a_prefix_of_the_log(signer: Any, writer: Writer) -> None:
    for count in (1, 254, 1, 300, 2, 600):
        size = writer.append(count)
        until_published(writer, size)
    keys = client(signer).public()
    published = writer.checkpoints()
    assert published[-1][0] == size
    for size, note in published:
        assert verified(note, keys).root == writer.root(size)


def test_appends_in_quick_succession_end_in_one_checkpoint_of_the_last(
    signer: Any, writer: Writer
) -> None:
    sizes = [writer.append() for _ in range(40)]
    until_published(writer, sizes[-1])
    published = [size for size, _ in writer.checkpoints()]
    assert published == sorted(set(published))
    assert set(published) <= set(sizes)


def test_an_append_nobody_announced_is_published_all_the_same(signer: Any, writer: Writer) -> None:
    until_published(writer, writer.append())
    until_published(writer, writer.append(announce=False))


def test_publication_is_announced_and_the_row_is_there_by_then(
    signer: Any, writer: Writer, db: Any
) -> None:
    with psycopg.connect(db.app_url, autocommit=True) as listener:
        listener.execute("LISTEN ledger_checkpoint")
        size = writer.append(2)
        (announced,) = listener.notifies(timeout=10, stop_after=1)
        assert announced.payload == str(size)
        assert size in dict(writer.checkpoints())


def test_an_uncommitted_append_is_not_published(signer: Any, writer: Writer, db: Any) -> None:
    size = writer.append()
    until_published(writer, size)
    with Writer(db.app_url) as other, other.connection.transaction(force_rollback=True):
        other.append(5)
        time.sleep(1.5)
        assert [found for found, _ in writer.checkpoints()] == [size]
    until_published(writer, writer.append())


def test_an_empty_log_has_no_checkpoint(signer: Any, writer: Writer) -> None:
    time.sleep(1.2)
    assert writer.checkpoints() == []


@pytest.mark.parametrize("ahead", [0, 3_600])
def test_the_time_of_a_checkpoint_never_decreases(signer: Any, writer: Writer, ahead: int) -> None:
    until_published(writer, writer.append())
    signer.stop()
    state = signer.home / "signer" / "state.json"
    last = read_json(state)["time"] + ahead
    change_json(state, time=last)
    signer.start()
    assert min(times(until_published(writer, writer.append()))) >= last


def test_restarting_goes_on_with_the_same_keys_where_it_stopped(
    signer: Any, writer: Writer
) -> None:
    until_published(writer, writer.append(700))
    keys = client(signer).public()
    assert signer.stop() == 0
    waiting = writer.append(9)
    time.sleep(0.2)
    assert waiting not in dict(writer.checkpoints())
    signer.start()
    assert verified(until_published(writer, waiting), keys).root == writer.root(waiting)
    assert client(signer).public() == keys


def test_state_and_anchor_hold_the_published_head(signer: Any, writer: Writer) -> None:
    size = writer.append(10)
    until_published(writer, size)
    state = read_json(signer.home / "signer" / "state.json")
    anchor = read_json(signer.home / "anchor" / "head.json")
    assert state["size"] == anchor["size"] == size
    assert state["root"] == anchor["root"]


def test_a_large_backlog_is_published_in_one_go(signer: Any, writer: Writer) -> None:
    signer.stop()
    for _ in range(7):
        size = writer.append(10_000)
    signer.start()
    note = until(lambda: dict(writer.checkpoints()).get(size), "the backlog", 60)
    assert verified(note, client(signer).public()).root == writer.root(size)
    assert [found for found, _ in writer.checkpoints()] == [size]
