"""Whoever owns the database can change rows; nobody can change them unseen.

As a database superuser, with the triggers off, every column of every ledger
table is changed in turn. The columns are read from the catalogue, so that a new
one is covered or fails here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from creditbank.institutions.queries import stream
from creditbank.ledger import learnerkeys, log, operations
from creditbank.ledger.audit import Audit, AuditReport
from creditbank.ledger.auditing import secrets
from creditbank.ledger.auditing.findings import Finding
from creditbank.ledger.models import ForkEvidence
from creditbank.ledger.numbers import format_account
from tests.conftest import Database
from tests.ledger.cast import College, make_college, make_own_stream, published
from tests.ledger.recognising import recognise

EXCEPTIONS = {
    ("keys", "forgetting", "n"): "a counter that only tells processes to drop their caches",
    ("keys", "forgotten", "acct"): "names no one; an account that has no secret must stand in it",
}
"""Columns whose change the audit need not find, each with its reason."""


def audit(audit: Audit | None = None) -> AuditReport:
    """Audit, but for the guards, which stand down here from the start (see test_guards)."""
    report = (audit or Audit()).run()
    report.findings = [finding for finding in report.findings if finding.code != "unguarded"]
    return report


@pytest.fixture
def college(bank: object) -> College:
    return make_college()


@pytest.fixture
def ledger(college: College, db: Database) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A ledger with something in every table, over a tile's border, seen as a superuser."""
    accounts = operations.open_accounts(300)
    awards = college.record(*(college.award(account) for account in accounts))
    own = make_own_stream(college)
    first = own.prepare(college.award(accounts[0], item_row=college.items[1]))
    fork = own.prepare(college.award(accounts[1], item_row=college.items[1]))
    own.submit(first)
    with pytest.raises(log.StreamForked):
        operations.record_submission(data=fork)
    receipt = college.record(college.award(accounts[2], item_row=college.items[1]))
    operations.reverse_entry(index=receipt.first_index, reason="r")
    college.record(
        college.award(accounts[3], item_row=college.items[2], valid_until=date(2026, 7, 1))
    )
    (receipt,) = operations.expire_credits(on=date(2026, 11, 2))
    recognise(make_college(courses=1), accounts[4], awards.index_of(4))
    entered = recognise(make_college(courses=1), accounts[5], awards.index_of(5))
    published(operations.reverse_recognition(index=entered.first_index, reason="r"))
    learnerkeys.forget([accounts[299]])
    assert ForkEvidence.objects.count() == 1
    assert stream(own.name)
    assert audit().findings == []
    with psycopg.connect(db.superuser_url, autocommit=True) as connection:
        connection.execute("SET search_path = public, keys")
        connection.execute("SET session_replication_role = replica")
        for table in _tables(connection):
            connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER ALL").format(_name(table)))
        yield connection


def _tables(connection: psycopg.Connection[tuple[object, ...]]) -> list[tuple[str, str]]:
    rows = connection.execute(
        "SELECT table_schema, table_name FROM information_schema.tables"
        " WHERE (table_schema = 'public' AND table_name LIKE 'ledger\\_%')"
        " OR (table_schema = 'keys' AND table_name <> 'django_migrations') ORDER BY 1, 2"
    ).fetchall()
    return [(str(schema), str(table)) for schema, table in rows]


def _name(table: tuple[str, str]) -> sql.Identifier:
    return sql.Identifier(*table)


def _columns(
    connection: psycopg.Connection[tuple[object, ...]], table: tuple[str, str]
) -> list[tuple[str, str]]:
    rows = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
        table,
    ).fetchall()
    return [(str(name), str(kind)) for name, kind in rows]


CHANGES = {
    "bigint": "{column} + 1000000",
    "integer": "{column} + 1",
    "smallint": "CASE WHEN {column} = 1 THEN 6 WHEN {column} = 6 THEN 1 WHEN {column} = 2 THEN 3"
    " WHEN {column} = 3 THEN 2 WHEN {column} = 32 THEN 33 ELSE {column} + 1 END",
    "bytea": "set_byte({column}, octet_length({column}) / 2,"
    " get_byte({column}, octet_length({column}) / 2) # 1)",
    "text": "{column} || 'x'",
}


def _rows_to_change(
    connection: psycopg.Connection[tuple[object, ...]], table: tuple[str, str]
) -> list[str]:
    """The first, the middle and the last row of a table."""
    rows = connection.execute(sql.SQL("SELECT ctid FROM {}").format(_name(table))).fetchall()
    assert rows, f"{table} is empty: the test would prove nothing of it"
    return sorted({str(rows[at][0]) for at in (0, len(rows) // 2, len(rows) - 1)})


def test_a_change_of_any_column_of_any_ledger_table_is_found(
    ledger: psycopg.Connection[tuple[object, ...]],
) -> None:
    unseen: list[str] = []
    changed = 0
    for table in _tables(ledger):
        for column, kind in _columns(ledger, table):
            if (*table, column) in EXCEPTIONS:
                continue
            for ctid in _rows_to_change(ledger, table):
                before = ledger.execute(
                    sql.SQL("SELECT {} FROM {} WHERE ctid = %s::tid").format(
                        sql.Identifier(column), _name(table)
                    ),
                    [ctid],
                ).fetchone()
                assert before is not None
                if before[0] == b"":
                    continue
                expression = CHANGES[kind].replace("{column}", f'"{column}"')
                try:
                    row = ledger.execute(
                        sql.SQL("UPDATE {} SET {} = {} WHERE ctid = %s::tid RETURNING ctid").format(
                            _name(table), sql.Identifier(column), sql.SQL(expression)
                        ),
                        [ctid],
                    ).fetchone()
                except psycopg.errors.IntegrityError:
                    continue  # Refused by a constraint: found before it happened.
                assert row is not None
                changed += 1
                learnerkeys._cache.clear()
                report = audit()
                if not report.findings:
                    unseen.append(f"{table}.{column} at {ctid}")
                elif table[1] in ("ledger_entry", "ledger_manifest"):
                    assert report.first_wrong_index is not None
                ledger.execute(
                    sql.SQL("UPDATE {} SET {} = %s WHERE ctid = %s::tid").format(
                        _name(table), sql.Identifier(column)
                    ),
                    [before[0], row[0]],
                )
    learnerkeys._cache.clear()
    assert unseen == []
    assert changed > 60
    assert audit().findings == []


@pytest.mark.parametrize("which", ["first", "middle", "last"])
def test_a_deleted_entry_is_found_with_its_index(
    ledger: psycopg.Connection[tuple[object, ...]], which: str
) -> None:
    (size,) = ledger.execute("SELECT max(idx) FROM ledger_entry").fetchone() or (0,)
    assert isinstance(size, int)
    index = {"first": 1, "middle": 200, "last": size}[which]
    ledger.execute("DELETE FROM ledger_entry WHERE idx = %s", [index])
    assert index in {finding.index for finding in audit().findings}


def test_two_swapped_entries_are_found(ledger: psycopg.Connection[tuple[object, ...]]) -> None:
    ledger.execute("UPDATE ledger_entry SET idx = 1000000 WHERE idx = 50")
    ledger.execute("UPDATE ledger_entry SET idx = 50 WHERE idx = 51")
    ledger.execute("UPDATE ledger_entry SET idx = 51 WHERE idx = 1000000")
    assert {50, 51} & {finding.index for finding in audit().findings}


def test_an_appended_entry_is_found(ledger: psycopg.Connection[tuple[object, ...]]) -> None:
    ledger.execute(
        "INSERT INTO ledger_entry SELECT idx + 1, acct, dkey + 1, kind, qty, leaf, opening"
        " FROM ledger_entry ORDER BY idx DESC LIMIT 1"
    )
    (size,) = ledger.execute("SELECT max(idx) FROM ledger_entry").fetchone() or (0,)
    assert audit().first_wrong_index == size


@pytest.mark.parametrize("table", ["ledger_checkpoint", "ledger_tile", "ledger_head"])
def test_an_emptied_table_is_found(
    ledger: psycopg.Connection[tuple[object, ...]], table: str
) -> None:
    ledger.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    assert audit().findings


# -- the chain of the checkpoints -------------------------------------------------------------
def _sizes(ledger: psycopg.Connection[tuple[object, ...]]) -> list[int]:
    rows = ledger.execute("SELECT size FROM ledger_checkpoint ORDER BY size").fetchall()
    return [int(str(size)) for (size,) in rows]


def _relink(ledger: psycopg.Connection[tuple[object, ...]]) -> None:
    """Write every link anew over the notes that are there now, as a superuser can."""
    chain = bytes(32)
    for size, note in ledger.execute(
        "SELECT size, note FROM ledger_checkpoint ORDER BY size"
    ).fetchall():
        assert isinstance(note, bytes)
        chain = sha256(b"llcb/checkpoints/v1\0" + chain + note).digest()
        ledger.execute("UPDATE ledger_checkpoint SET chain = %s WHERE size = %s", [chain, size])


def _named(code: str) -> set[str]:
    return {finding.where for finding in audit().findings if finding.code == code}


def test_any_checkpoint_taken_out_is_found_by_the_one_after_it(
    ledger: psycopg.Connection[tuple[object, ...]],
) -> None:
    sizes = _sizes(ledger)
    assert len(sizes) > 5
    for at, size in enumerate(sizes):
        row = ledger.execute(
            "DELETE FROM ledger_checkpoint WHERE size = %s RETURNING note, chain", [size]
        ).fetchone()
        assert row is not None
        if at + 1 < len(sizes):
            assert _named("checkpoint-chain") == {f"ledger_checkpoint {sizes[at + 1]}"}
        else:
            assert _named("checkpoint-missing") == {f"ledger_checkpoint {size}"}
        assert _named("checkpoint-count")
        ledger.execute("INSERT INTO ledger_checkpoint VALUES (%s, %s, %s)", [size, *row])
    assert audit().findings == []


def test_a_checkpoint_taken_out_and_all_links_written_anew_is_found_by_the_anchor(
    ledger: psycopg.Connection[tuple[object, ...]],
) -> None:
    sizes = _sizes(ledger)
    ledger.execute("DELETE FROM ledger_checkpoint WHERE size = %s", [sizes[2]])
    _relink(ledger)
    assert {(finding.code, finding.where) for finding in audit().findings} == {
        ("checkpoint-anchor", f"ledger_checkpoint {sizes[-1]}"),
        ("checkpoint-count", f"ledger_checkpoint {sizes[-1]}"),
    }


def test_two_swapped_checkpoints_are_found(
    ledger: psycopg.Connection[tuple[object, ...]],
) -> None:
    sizes = _sizes(ledger)
    for before, after in ((sizes[1], -1), (sizes[2], sizes[1]), (-1, sizes[2])):
        ledger.execute("UPDATE ledger_checkpoint SET size = %s WHERE size = %s", [after, before])
    assert _named("checkpoint-size") == {
        f"ledger_checkpoint {sizes[1]}",
        f"ledger_checkpoint {sizes[2]}",
    }
    assert f"ledger_checkpoint {sizes[1]}" in _named("checkpoint-chain")


def test_a_genuine_checkpoint_put_in_once_more_is_found(
    ledger: psycopg.Connection[tuple[object, ...]],
) -> None:
    """Signed by the bank itself, a prefix of the log, and yet never published here."""
    sizes = _sizes(ledger)
    row = ledger.execute(
        "DELETE FROM ledger_checkpoint WHERE size = %s RETURNING note, chain", [sizes[3]]
    ).fetchone()
    assert row is not None
    _relink(ledger)
    ledger.execute("INSERT INTO ledger_checkpoint VALUES (%s, %s, %s)", [sizes[3], *row])
    found = _named("checkpoint-chain")
    assert found == {f"ledger_checkpoint {sizes[4]}"}


def test_an_anchor_set_back_is_found(
    ledger: psycopg.Connection[tuple[object, ...]], bank_home: Path
) -> None:
    path = bank_home / "anchor" / "head.json"
    anchor = json.loads(path.read_text())
    path.write_text(
        json.dumps(anchor | {"size": _sizes(ledger)[-2]}, sort_keys=True, separators=(",", ":"))
    )
    assert _named("anchor-behind") == {"anchor/head.json"}
    path.write_text("{}")
    assert _named("anchor-damaged") == {"anchor/head.json"}


# -- in several processes ---------------------------------------------------------------------
@pytest.mark.parametrize("processes", [2, 5])
def test_in_several_processes_the_audit_reads_and_finds_the_same(
    ledger: psycopg.Connection[tuple[object, ...]], processes: int
) -> None:
    def both() -> tuple[list[Finding], list[Finding]]:
        alone = audit(Audit(processes=1))
        shared = audit(Audit(processes=processes, worth_sharing=0))
        counts = [
            (one.size, one.manifests, one.entries, one.opened, one.forgotten, one.tiles)
            for one in (alone, shared)
        ]
        assert counts[0] == counts[1]
        return alone.findings, shared.findings

    assert both() == ([], [])
    for statement in (
        "UPDATE ledger_entry SET qty = qty + 1 WHERE idx IN (100, 300)",
        "UPDATE ledger_manifest SET first_seq = first_seq + 1000 WHERE idx > 300",
        "UPDATE ledger_entry SET leaf = leaf || ' ' WHERE idx = 100",
        "UPDATE ledger_tile SET root = sha256('x')",
        "DELETE FROM ledger_entry WHERE idx = 250",
        "DELETE FROM ledger_manifest WHERE idx > 300",
    ):
        ledger.execute(statement.encode())
        alone, shared = both()
        assert alone
        assert {(one.code, one.where, one.index) for one in shared} == {
            (one.code, one.where, one.index) for one in alone
        }


def test_the_audit_tells_how_far_it_is(ledger: psycopg.Connection[tuple[object, ...]]) -> None:
    for processes in (1, 2):
        told: list[int] = []
        report = Audit(
            processes=processes,
            worth_sharing=0,
            progress=lambda done, total: told.append(done),  # noqa: B023
        ).run()
        assert told[-1] == report.size


def test_what_the_audit_derives_of_a_secret_is_what_the_bank_derives(bank: object) -> None:
    secret = os.urandom(32)
    decrypt, dedup, printed = secrets.derive(7, secret)
    own = learnerkeys.AccountKeys.derive(secret)
    sealed = own.seal(b"opening", bytes(12))
    assert decrypt(sealed[: secrets.NONCE], sealed[secrets.NONCE :], None) == b"opening"
    assert (dedup, secrets.PUBLIC_DEDUP) == (own.dedup, learnerkeys.PUBLIC_DEDUP)
    assert secrets.dedup_key(dedup, "award", "某|某/1") == learnerkeys.dedup_key(
        own.dedup, "award", "某|某/1"
    )
    assert printed == format_account(7)


def test_the_triggers_and_rights_that_guard_the_ledger_are_in_place(
    college: College, db: Database
) -> None:
    with psycopg.connect(db.app_url, autocommit=True) as connection:
        for statement in (
            "UPDATE ledger_entry SET qty = 0",
            "DELETE FROM ledger_entry",
            "TRUNCATE ledger_entry",
            "DELETE FROM ledger_manifest",
            "UPDATE ledger_manifest SET n = 1",
            "INSERT INTO ledger_checkpoint VALUES (99, 'x')",
            "DELETE FROM ledger_head",
            "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
            "CREATE TABLE mine (x int)",
            "SELECT set_config('session_replication_role', 'replica', false)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    with psycopg.connect(db.owner_url, autocommit=True) as connection:
        for statement in (
            "UPDATE ledger_entry SET qty = 0",
            "DELETE FROM ledger_manifest",
            "TRUNCATE ledger_tile",
            "UPDATE ledger_head SET size = 1",
        ):
            with pytest.raises(
                (psycopg.errors.InsufficientPrivilege, psycopg.errors.CheckViolation)
            ):
                connection.execute(statement)
