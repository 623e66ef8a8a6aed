"""The security log is one chain: added to by the application, changed by nobody unseen."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from psycopg import sql

from creditbank.securitylog import operations, verification
from creditbank.securitylog.kinds import EventKind
from creditbank.securitylog.models import SecurityEvent
from creditbank.securitylog.operations import FactUnfit, record
from creditbank.securitylog.verification import verify

TABLE = "securitylog_securityevent"


@pytest.fixture
def log(db: Any, bank_home: Path) -> Any:
    """Five events, and the database they stand in."""
    for number in range(5):
        record(EventKind.DENIED, actor=number, code="not-found", where="page", number=number)
    return db


def superuser(log: Any) -> psycopg.Connection[tuple[object, ...]]:
    connected = psycopg.connect(log.superuser_url, autocommit=True)
    connected.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER ALL")
    return connected


def test_a_chain_that_nobody_touched_is_whole(log: Any) -> None:
    report = verify()
    assert (report.events, report.findings) == (5, [])
    assert verification.anchored() == report.end


def test_every_column_is_covered(log: Any) -> None:
    """Columns are read from the catalogue, so that a new one is covered or fails here."""
    changes = {
        "seq": "seq + 1000", "at": "at + interval '1 microsecond'", "kind": "'signed-in'",
        "actor": "actor + 1", "facts": "'{}'", "previous": "sha256(previous)", "mac": "sha256(mac)",
    }  # fmt: skip
    with superuser(log) as connected:
        columns = [
            str(name)
            for (name,) in connected.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s", [TABLE]
            )
        ]
        assert set(columns) == set(changes)
        for column in columns:
            for place in (1, 3, 5):
                with connected.transaction(force_rollback=True):
                    connected.execute(
                        sql.SQL("UPDATE {} SET {} = {} WHERE seq = %s").format(
                            sql.Identifier(TABLE), sql.Identifier(column), sql.SQL(changes[column])
                        ),
                        [place],
                    )
                    stored = connected.execute(
                        f"SELECT seq, at, kind, actor, facts, previous, mac FROM {TABLE}"
                        " ORDER BY seq"
                    ).fetchall()
                    assert _findings(stored), (column, place)
    assert verify().findings == []


def _findings(rows: list[tuple[Any, ...]]) -> list[str]:
    """Verify rows that another connection sees."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verification, "events", lambda after=0: iter(rows))
        patch.setattr(verification, "_move_anchor", lambda mark: None)
        return verify().findings


def test_a_missing_event_is_found_wherever_it_was(log: Any) -> None:
    verify()
    with superuser(log) as connected:
        for place, finding in ((1, "event 1 is missing"), (3, "event 3 is missing")):
            with connected.transaction(force_rollback=True):
                connected.execute(f"DELETE FROM {TABLE} WHERE seq = {place}")
                rows = connected.execute(
                    f"SELECT seq, at, kind, actor, facts, previous, mac FROM {TABLE} ORDER BY seq"
                ).fetchall()
                assert finding in _findings(rows)
        connected.execute(f"DELETE FROM {TABLE} WHERE seq > 3")
    assert verify().findings == ["the log ends at 3; it had come to 5"]


def test_a_chain_written_anew_is_not_the_one_that_was_found(log: Any) -> None:
    verify()
    with superuser(log) as connected:
        connected.execute(f"DELETE FROM {TABLE} WHERE seq > 2")
        connected.execute(f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER security_event_follows")
    for number in range(3):
        record(EventKind.DENIED, actor=90 + number, code="not-found", where="page", number=number)
    assert verify().findings == ["event 5 is not the one that was found there before"]


def test_without_the_key_store_no_event_can_be_made_up(log: Any) -> None:
    from creditbank.securitylog import chain

    with superuser(log) as connected:
        row = connected.execute(f"SELECT mac FROM {TABLE} WHERE seq = 5").fetchone()
        assert row is not None
        previous = bytes(row[0])  # type: ignore[arg-type]
        connected.execute(
            f"INSERT INTO {TABLE} SELECT 6, at, kind, actor, facts, %s, sha256(%s) FROM {TABLE}"
            " WHERE seq = 5",
            [previous, previous],
        )
    assert verify().findings == ["event 6 was changed"]
    assert chain.code(b"k" * 32, previous, b"e") != chain.code(b"l" * 32, previous, b"e")


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE {TABLE} SET actor = 1",
        f"DELETE FROM {TABLE}",
        f"TRUNCATE {TABLE}",
    ],
)
def test_the_application_adds_and_reads_and_nothing_else(statement: str, log: Any) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    with psycopg.connect(log.owner_url, autocommit=True) as owner:
        owner.execute("SET search_path = public")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            owner.execute(statement)
    with psycopg.connect(log.superuser_url, autocommit=True) as superuser_:
        superuser_.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            superuser_.execute(statement)


def test_the_database_refuses_what_does_not_follow(log: Any) -> None:
    for seq in (5, 7, 0):
        with (
            pytest.raises(DatabaseError) as refused,
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(
                f"INSERT INTO {TABLE} SELECT %s, at, kind, actor, facts, mac, sha256(mac)"
                f" FROM {TABLE} WHERE seq = 5",
                [seq],
            )
        cause = refused.value.__cause__
        assert isinstance(cause, psycopg.Error)
        assert cause.diag.constraint_name == "security_event_follows"


def test_a_person_does_not_fit_into_a_fact(db: Any, bank_home: Path) -> None:
    for text in ("李示例", "two words", "a@b.example", "x" * 121):
        with pytest.raises(FactUnfit):
            record(EventKind.DENIED, actor=None, code=text)
    with pytest.raises(TypeError):
        SecurityEvent(seq=1).save()
    assert SecurityEvent.objects.count() == 0


def test_an_event_stands_or_falls_with_its_transaction(db: Any, bank_home: Path) -> None:
    with transaction.atomic():
        assert record(EventKind.DENIED, actor=None) == 1
        transaction.set_rollback(True)
    assert record(EventKind.DENIED, actor=None) == 1


def test_many_at_once_make_one_chain(db: Any, bank_home: Path) -> None:
    def write() -> None:
        try:
            for _ in range(10):
                record(EventKind.SIGNED_IN, actor=1)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    report = verify()
    assert (report.events, report.findings) == (60, [])


def test_a_digest_tells_the_same_from_another_and_nothing_more(db: Any, bank_home: Path) -> None:
    one = operations.digest("sign-in-name", "somebody")
    assert one == operations.digest("sign-in-name", "somebody")
    assert one != operations.digest("address", "somebody")
    assert len(one) == 32


def test_the_command_verifies_and_says_where_the_chain_ends(log: Any) -> None:
    out = io.StringIO()
    call_command("security_log", "verify", stdout=out)
    assert out.getvalue().startswith("5 security events, the chain is whole; it ends at 5:")
    end = out.getvalue().strip().rpartition(" ")[2]
    record(EventKind.SIGNED_IN, actor=1)
    out = io.StringIO()
    call_command("security_log", "verify", after=end, stdout=out)
    assert out.getvalue().startswith("1 security events")
    with superuser(log) as connected:
        connected.execute(f"UPDATE {TABLE} SET actor = 77 WHERE seq = 2")
    errors = io.StringIO()
    with pytest.raises(CommandError):
        call_command("security_log", "verify", stderr=errors)
    assert errors.getvalue() == "event 2 was changed\n"


def test_an_export_is_a_private_file_of_json_lines_and_is_told_itself(
    log: Any, tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    call_command("security_log", "export", str(file), stdout=io.StringIO())
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5]
    assert lines[0]["facts"] == {"code": "not-found", "number": 0, "where": "page"}
    assert [line["previous"] for line in lines[1:]] == [line["mac"] for line in lines[:-1]]
    assert file.stat().st_mode & 0o777 == 0o600
    last = SecurityEvent.objects.order_by("seq").last()
    assert last is not None
    assert (last.kind, json.loads(last.facts)) == ("exported", {"what": "security-log", "count": 5})
    with pytest.raises(CommandError):
        call_command("security_log", "export", str(file))


def test_the_audit_has_a_line_for_the_chain(bank: Any, db: Any) -> None:
    from creditbank.ledger import queries

    queries.wait_until_published(2)
    record(EventKind.SIGNED_IN, actor=1)
    out = io.StringIO()
    call_command("audit", stdout=out)
    assert " security events." in out.getvalue()
    with superuser(db) as connected:
        connected.execute(f"UPDATE {TABLE} SET facts = '{{}}' WHERE seq = 1")
    errors = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("audit", stdout=io.StringIO(), stderr=errors)
    assert "security log: event 1 was changed" in errors.getvalue()
