"""The bank records only while triggers, constraints and rights are those of the checked-in list."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from creditbank import guards
from creditbank.ledger import guard, operations, tasks
from creditbank.ledger.audit import audit
from creditbank.ledger.models import GuardState
from tests.conftest import Database
from tests.ledger.cast import College, make_college, published
from tests.signer.support import refusal


@contextmanager
def superuser(db: Database) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with psycopg.connect(db.superuser_url, autocommit=True) as session:
        yield session


def looked_at(url: str, schema: str) -> list[str]:
    with psycopg.connect(url) as session, session.cursor() as cursor:
        return guards.problems(cursor, schema)


# -- the list ---------------------------------------------------------------------------------
@pytest.mark.parametrize("schema", ["public", "keys"])
def test_a_database_fresh_from_the_migrations_is_as_the_list_says(
    db: Database, schema: str
) -> None:
    assert looked_at(db.app_url, schema) == []
    assert looked_at(db.owner_url, schema) == []


def test_the_signer_sees_what_the_bank_sees(db: Database) -> None:
    with superuser(db) as session:
        session.execute("ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_follows")
    assert looked_at(db.signer_url, "public") == looked_at(db.app_url, "public") != []


def test_the_list_names_every_trigger_constraint_and_table_of_the_ledger(db: Database) -> None:
    with superuser(db) as session:

        def pairs(query: str) -> set[tuple[str, str]]:
            return {(str(a), str(b)) for a, b in session.execute(query.encode()).fetchall()}

        ours = (
            "c.relkind = 'r' AND c.relname <> 'django_migrations' AND"
            " (n.nspname = 'keys' OR (n.nspname = 'public'"
            " AND (c.relname LIKE 'ledger\\_%' OR c.relname LIKE 'securitylog\\_%'"
            f" OR c.relname IN {(*guards.VERSIONS, *guards.DECISIONS)})))"
        )
        tables = "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        assert pairs(
            "SELECT c.relname, t.tgname FROM pg_trigger t"
            " JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
            f" WHERE NOT t.tgisinternal AND {ours}"
        ) == set(
            guards.LEDGER_TRIGGERS
            | guards.SECURITY_TRIGGERS
            | guards.RECOGNITION_TRIGGERS
            | guards.KEYS_TRIGGERS
        )
        assert pairs(
            "SELECT c.relname, k.conname FROM pg_constraint k"
            " JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
            f" WHERE k.contype IN ('p', 'u', 'c') AND {ours}"
            " UNION SELECT c.relname, i.relname FROM pg_index x"
            " JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            f" WHERE x.indisunique AND x.indpred IS NULL AND {ours}"
        ) == {
            (table, name)
            for table, names in (
                guards.LEDGER_CONSTRAINTS | guards.RECOGNITION_CONSTRAINTS | guards.KEYS_CONSTRAINTS
            ).items()
            for name in names
        }
        assert {
            table for table, _ in pairs(f"SELECT c.relname, n.nspname FROM {tables} WHERE {ours}")
        } == (guards.LEDGER_GRANTS.keys() | guards.KEYS_GRANTS.keys()) - {"django_migrations"}


# -- what is seen -----------------------------------------------------------------------------
CHANGES = {
    "ALTER TABLE ledger_checkpoint ENABLE REPLICA TRIGGER ledger_checkpoint_unchanged":
        "trigger ledger_checkpoint_unchanged on ledger_checkpoint is not enabled always",
    "DROP TRIGGER ledger_tile_not_truncated ON ledger_tile":
        "trigger ledger_tile_not_truncated on ledger_tile is missing",
    "CREATE OR REPLACE FUNCTION ledger_deny() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RETURN NEW; END'":
        "function ledger_deny of trigger ledger_entry_unchanged is another",
    "CREATE OR REPLACE TRIGGER ledger_head_follows BEFORE UPDATE ON ledger_head FOR EACH ROW"
    " WHEN (false) EXECUTE FUNCTION ledger_head_follows()":
        "trigger ledger_head_follows on ledger_head is another",
    "CREATE OR REPLACE TRIGGER ledger_tile_unchanged BEFORE UPDATE OF root OR DELETE ON ledger_tile"
    " FOR EACH ROW EXECUTE FUNCTION ledger_deny()":
        "trigger ledger_tile_unchanged on ledger_tile is another",
    "CREATE TRIGGER mine BEFORE INSERT ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_deny()":
        "trigger mine on ledger_entry is not one of ours",
    "CREATE RULE mine AS ON INSERT TO ledger_account DO INSTEAD NOTHING":
        "rules or row security stand on ledger_account",
    "DROP INDEX entry_once_per_outcome":
        "constraint entry_once_per_outcome on ledger_entry is missing",
    "ALTER TABLE keys.learner_key DISABLE TRIGGER learner_key_forgotten":
        "trigger learner_key_forgotten on learner_key is not enabled always",
    "CREATE OR REPLACE FUNCTION ledger_checkpoint_link(previous bytea, note bytea) RETURNS bytea"
    " LANGUAGE sql IMMUTABLE AS 'SELECT previous'":
        "function ledger_checkpoint_link is another",
    "GRANT UPDATE ON ledger_entry TO bank_app": "bank_app has UPDATE on ledger_entry",
    "GRANT UPDATE (note) ON ledger_manifest TO bank_app":
        "bank_app has UPDATE (note) on ledger_manifest",
    "GRANT INSERT ON ledger_checkpoint TO bank_app": "bank_app has INSERT on ledger_checkpoint",
    "GRANT DELETE ON ledger_tile TO PUBLIC": "PUBLIC has DELETE on ledger_tile",
    "GRANT SELECT ON ledger_account TO bank_signer": "bank_signer has SELECT on ledger_account",
    "GRANT SELECT ON ledger_head TO bank_signer WITH GRANT OPTION":
        "bank_signer has SELECT WITH GRANT OPTION on ledger_head",
    "REVOKE SELECT ON ledger_entry FROM bank_signer": "bank_signer lacks SELECT on ledger_entry",
    "GRANT TRUNCATE ON learners_learner TO bank_app": "bank_app has TRUNCATE on learners_learner",
    "GRANT CREATE ON SCHEMA public TO bank_app": "bank_app has CREATE on schema public",
    "GRANT UPDATE ON keys.learner_key TO bank_app": "bank_app has UPDATE on learner_key",
    "ALTER TABLE ledger_tile OWNER TO bank_app": "bank_app has UPDATE on ledger_tile",
}  # fmt: skip


@pytest.mark.parametrize("statement", CHANGES)
def test_each_guard_that_is_taken_away_is_named(db: Database, statement: str) -> None:
    with superuser(db) as session:
        session.execute(statement.encode())
    assert CHANGES[statement] in guard.check()


@pytest.mark.parametrize("trigger", sorted(guards.LEDGER_TRIGGERS | guards.RECOGNITION_TRIGGERS))
def test_any_disabled_trigger_is_named(db: Database, trigger: tuple[str, str]) -> None:
    table, name = trigger
    with superuser(db) as session:
        session.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}".encode())
    assert guard.check() == (f"trigger {name} on {table} is not enabled always",)


def test_a_role_given_to_the_application_is_named(db: Database) -> None:
    with superuser(db) as session:
        try:
            session.execute("GRANT bank_owner TO bank_app")
            session.execute("ALTER ROLE bank_signer CREATEROLE")
            assert set(guard.check()) >= {
                "role bank_app is a member of bank_owner",
                "role bank_signer has attributes beyond signing in",
            }
        finally:
            session.execute("REVOKE bank_owner FROM bank_app")
            session.execute("ALTER ROLE bank_signer NOCREATEROLE")
    assert guard.check() == ()


def test_a_role_that_may_only_look_is_nobodys_business(db: Database) -> None:
    with superuser(db) as session:
        try:
            session.execute("CREATE ROLE onlooker")
            session.execute("GRANT SELECT ON ledger_entry TO onlooker")
            assert guard.check() == ()
            session.execute("GRANT UPDATE ON ledger_entry TO onlooker")
            assert guard.check() == ("onlooker has UPDATE on ledger_entry",)
        finally:
            session.execute("DROP OWNED BY onlooker")
            session.execute("DROP ROLE onlooker")


# -- what follows -----------------------------------------------------------------------------
@pytest.fixture
def college(bank: Any) -> College:
    return make_college()


DISABLE = "ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_unchanged"
ENABLE = "ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_unchanged"


@pytest.mark.parametrize(
    ("harm", "mend"),
    [
        (DISABLE, ENABLE),
        (
            "GRANT DELETE ON ledger_entry TO bank_app",
            "REVOKE DELETE ON ledger_entry FROM bank_app",
        ),
    ],
)
def test_nothing_is_recorded_until_the_guard_is_back(
    college: College, db: Database, harm: str, mend: str
) -> None:
    (account,) = operations.open_accounts(1)
    with superuser(db) as session:
        session.execute(harm.encode())
        tasks.check_guards()
        size = operations.head_size()
        with pytest.raises(guard.LedgerReadOnly) as refused:
            college.record(college.award(account))
        assert refused.value.code == "ledger-read-only"
        with pytest.raises(guard.LedgerReadOnly):
            operations.open_accounts(1)
        assert operations.head_size() == size
        session.execute(mend.encode())
        tasks.check_guards()
    published(college.record(college.award(account)))


def test_what_another_process_saw_is_known_within_seconds(
    college: College, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = operations.open_account()
    college.record(college.award(account))
    GuardState.objects.update(problems=["seen elsewhere"])
    college.record(college.award(account, item_row=college.items[1]))
    began = time.monotonic()
    monkeypatch.setattr(guard.time, "monotonic", lambda: began + guard.REMEMBERED_SECONDS + 1)
    with pytest.raises(guard.LedgerReadOnly):
        college.record(college.award(account, item_row=college.items[2]))


def test_no_request_pays_for_the_look(db: Database) -> None:
    guard.check()
    with CaptureQueriesContext(connection) as queries:
        for _ in range(100):
            guard.refuse_unguarded()
    assert len(queries) == 0
    guard.forget()
    with CaptureQueriesContext(connection) as queries:
        for _ in range(100):
            guard.refuse_unguarded()
    assert len(queries) == 1


def test_when_nobody_has_looked_for_long_whoever_asks_looks(db: Database) -> None:
    guard.check()
    with superuser(db) as session:
        session.execute(DISABLE)
        assert guard.known() == ()
        guard.forget()
        assert guard.known() == ()
        session.execute("UPDATE guard_state SET checked_at = checked_at - interval '16 minutes'")
    guard.forget()
    assert guard.known() == (
        "trigger ledger_entry_unchanged on ledger_entry is not enabled always",
    )


def test_the_audit_and_the_command_name_it(
    college: College, db: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit().findings == []
    call_command("check_guards")
    with superuser(db) as session:
        session.execute(DISABLE)
    (finding,) = audit().findings
    assert (finding.code, finding.detail) == (
        "unguarded",
        "trigger ledger_entry_unchanged on ledger_entry is not enabled always",
    )
    with pytest.raises(SystemExit) as stopped:
        call_command("check_guards")
    assert stopped.value.code == 1
    assert finding.detail in capsys.readouterr().err


def test_the_signer_does_not_start_over_an_unguarded_ledger(bank: Any, db: Database) -> None:
    bank.stop()
    with superuser(db) as session:
        session.execute(DISABLE)
        assert refusal(bank) == (5, "unguarded")
        session.execute(ENABLE)
    bank.start()


def test_pages_say_that_the_register_is_read_only(
    college: College, db: Database, client: Client
) -> None:
    words = "登记簿暂时只读"
    for page in ("/", "/log"):
        assert words not in client.get(page).content.decode()
    with superuser(db) as session:
        session.execute(DISABLE)
    guard.check()
    for page in ("/", "/log"):
        answer = client.get(page)
        assert answer.status_code == 200
        assert words in answer.content.decode()
        assert "trigger" not in answer.content.decode()
