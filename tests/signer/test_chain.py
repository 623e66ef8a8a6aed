"""Every checkpoint is linked to the one before; state and anchor know the chain."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections

from creditbank.ledger.audit import audit
from creditbank.services.postgres import OWNER
from tests import conftest
from tests.signer.support import (
    Backup,
    b64,
    change_json,
    client,
    read_json,
    refusal,
    superuser,
    until_published,
    verdict,
)
from tests.signer.writer import Writer

TAG = b"llcb/checkpoints/v1\0"


def links(writer: Writer) -> list[bytes]:
    """Return the chain's values by the definition in docs/ledger-format.md."""
    values = [bytes(32)]
    for _, note in writer.checkpoints():
        values.append(sha256(TAG + values[-1] + note).digest())
    return values[1:]


def stored(writer: Writer) -> list[bytes]:
    with writer.connection.transaction():
        rows = writer.connection.execute("SELECT chain FROM ledger_checkpoint ORDER BY size")
        return [bytes(chain) for (chain,) in rows]


def memories(signer: Any) -> tuple[Any, Any]:
    return signer.home / "signer" / "state.json", signer.home / "anchor" / "head.json"


@pytest.fixture
def three(signer: Any, writer: Writer) -> Any:
    """A stopped signer that has published three checkpoints."""
    for count in (5, 300, 7):
        until_published(writer, writer.append(count))
    signer.stop()
    return signer


def test_each_row_state_and_anchor_hold_the_chain(three: Any, writer: Writer) -> None:
    assert stored(writer) == links(writer)
    for path in memories(three):
        memory = read_json(path)
        assert base64.b64decode(memory["chain"]) == links(writer)[-1]
        assert base64.b64decode(memory["chain_before"]) == links(writer)[-2]
        assert memory["checkpoints"] == 3


def test_the_database_refuses_a_checkpoint_that_is_not_linked(
    three: Any, writer: Writer, db: Any
) -> None:
    size = writer.append(3)
    note = writer.checkpoints()[-1][1]
    with psycopg.connect(db.signer_url, autocommit=True) as session:
        for chain in (bytes(32), links(writer)[-1], sha256(TAG + bytes(32) + note).digest()):
            with pytest.raises(psycopg.errors.CheckViolation):
                session.execute(
                    "INSERT INTO ledger_checkpoint VALUES (%s, %s, %s)", [size, note, chain]
                )


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE ledger_checkpoint SET chain = sha256('x')", id="changed"),
        pytest.param(
            "DELETE FROM ledger_checkpoint WHERE size > (SELECT min(size) FROM ledger_checkpoint)",
            id="two-taken-off-the-end",
        ),
        pytest.param("DELETE FROM ledger_checkpoint", id="all-taken-away"),
    ],
)
def test_over_a_broken_chain_nothing_is_signed(
    three: Any, writer: Writer, db: Any, statement: str
) -> None:
    with superuser(db.superuser_url) as connection:
        connection.execute(statement.encode())
    before = writer.checkpoints()
    writer.append(3)
    assert refusal(three) == (4, "checkpoints-differ")
    assert writer.checkpoints() == before


def test_an_older_memory_must_be_of_the_checkpoint_published_then(
    signer: Any, writer: Writer, db: Any
) -> None:
    until_published(writer, writer.append(5))
    size = writer.checkpoints()[-1][0]
    old = memories(signer)[0].read_bytes()
    for _ in range(2):
        until_published(writer, writer.append(5))
    signer.stop()
    memories(signer)[0].write_bytes(old)
    with superuser(db.superuser_url) as connection:
        connection.execute(
            "UPDATE ledger_checkpoint SET chain = sha256('x') WHERE size = %s", [size]
        )
    assert refusal(signer) == (4, "checkpoints-differ")


def test_a_last_link_changed_under_a_running_signer_stops_it(
    signer: Any, writer: Writer, db: Any
) -> None:
    until_published(writer, writer.append(5))
    with superuser(db.superuser_url) as connection:
        connection.execute("UPDATE ledger_checkpoint SET chain = sha256('x')")
    writer.append(5)
    code, last = verdict(signer)
    assert code == 4
    assert "checkpoints-differ" in last


def test_a_backup_filled_again_alike_goes_on_once_the_operator_says_so(
    signer: Any, writer: Writer, db: Any
) -> None:
    """The entries came back byte for byte; the checkpoints between are lost, and that is said."""
    until_published(writer, writer.append(5))
    for _ in range(3):
        until_published(writer, writer.append(5))
    signer.stop()
    sizes = [size for size, _ in writer.checkpoints()]
    with superuser(db.superuser_url) as connection:
        connection.execute("DELETE FROM ledger_checkpoint WHERE size > %s", [sizes[0]])
    assert refusal(signer) == (4, "checkpoints-differ")
    signer.extra = ["--adopt-checkpoints"]
    signer.start()
    size = writer.append(2)
    until_published(writer, size)
    signer.stop()
    assert [found for found, _ in writer.checkpoints()] == [sizes[0], sizes[-1], size]
    assert stored(writer) == links(writer)
    assert read_json(memories(signer)[1])["checkpoints"] == 3
    signer.extra = []
    signer.start()
    until_published(writer, writer.append())


def test_memories_without_a_chain_take_it_from_the_rows(three: Any, writer: Writer) -> None:
    """As a signer of before the chain left them, or an anchor made by hand."""
    for path in memories(three):
        memory = read_json(path)
        for name in ("chain", "chain_before", "checkpoints"):
            del memory[name]
        path.write_text(json.dumps(memory | {"v": 1}, sort_keys=True, separators=(",", ":")))
    three.start()
    until_published(writer, writer.append(2))
    assert stored(writer) == links(writer)
    assert read_json(memories(three)[1])["checkpoints"] == 4
    assert client(three).public()


def test_what_is_taken_from_the_rows_must_be_linked(three: Any, writer: Writer, db: Any) -> None:
    for path in memories(three):
        memory = read_json(path)
        for name in ("chain", "chain_before", "checkpoints"):
            del memory[name]
        path.write_text(json.dumps(memory | {"v": 1}, sort_keys=True, separators=(",", ":")))
    middle = writer.checkpoints()[1][0]
    with superuser(db.superuser_url) as connection:
        connection.execute("DELETE FROM ledger_checkpoint WHERE size = %s", [middle])
    assert refusal(three) == (4, "checkpoints-differ")


def test_a_state_whose_chain_does_not_end_in_its_note_is_no_memory(three: Any) -> None:
    change_json(memories(three)[0], chain=b64(bytes(32)))
    assert refusal(three) == (4, "memory-lost")


def test_checkpoints_from_before_the_chain_are_linked_by_the_migration(
    bank: Any, writer: Writer, db: Any
) -> None:
    bank.stop()
    before = writer.checkpoints()
    expected = stored(writer)
    conftest._point_at(db.name, OWNER)
    call_command("migrate", "ledger", "0003_forgetting", verbosity=0)
    with psycopg.connect(db.owner_url) as session:
        columns = session.execute("SELECT * FROM ledger_checkpoint LIMIT 1").description
        assert columns is not None
        assert [column.name for column in columns] == ["size", "note"]
    # What stands on the ledger's tables went back with them.
    call_command("migrate", verbosity=0)
    connections.close_all()
    conftest._point_at(db.name, conftest.APP)
    assert writer.checkpoints() == before
    assert stored(writer) == expected
    assert audit().findings == []
    bank.start()


def test_a_backup_restored_whole_is_still_behind_the_anchor(
    signer: Any, writer: Writer, db: Any
) -> None:
    until_published(writer, writer.append(10))
    backup = Backup(db.superuser_url)
    until_published(writer, writer.append(10))
    signer.stop()
    backup.restore()
    assert refusal(signer) == (4, "behind-anchor")
