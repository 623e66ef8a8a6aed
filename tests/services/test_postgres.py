"""The PostgreSQL that demo and tests stand on."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from creditbank.services import places
from creditbank.services.errors import FolderInUse, FolderRefused, NotRunning, ServiceError
from creditbank.services.postgres import APP, OWNER, SIGNER, SUPERUSER, Postgres
from tests.environment import postgres
from tests.services.processes import command, eventually, is_running, naming, user


@pytest.fixture
def server(folder: Path) -> Postgres:
    return Postgres(folder / "postgres", durable=False)


def value(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as session:
        row = session.execute(query).fetchone()
        assert row is not None
        return row[0]


def test_it_is_postgresql_18_and_answers_with_a_password(server: Postgres) -> None:
    with server:
        assert str(value(server.url(SUPERUSER, "postgres"), "SHOW server_version")).startswith("18")
        wrong = f"postgres://postgres:wrong@127.0.0.1:{server.port}/postgres"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)


def test_stopping_leaves_no_process(server: Postgres) -> None:
    server.start()
    home, pid = str(server.folder), server.pid
    assert naming(home)
    server.stop()
    assert not is_running(pid)
    assert naming(home) == []
    with pytest.raises(NotRunning):
        server.url(APP, "postgres")


def test_starting_and_stopping_twice_changes_nothing(server: Postgres) -> None:
    server.start()
    pid = server.pid
    server.start()
    assert server.pid == pid
    server.stop()
    server.stop()


def test_a_second_start_makes_nothing_anew_and_keeps_data_and_passwords(server: Postgres) -> None:
    with server:
        server.create_roles()
        server.create_database("bank")
        with psycopg.connect(server.url(OWNER, "bank"), autocommit=True) as session:
            session.execute("CREATE TABLE kept AS SELECT 1 AS n")
        password = server.url(OWNER, "bank").split(":")[2].split("@")[0]
    made = (server.folder / "data" / "PG_VERSION").stat().st_mtime_ns
    again = Postgres(server.folder, durable=False)
    with again:
        assert password in again.url(OWNER, "bank")
        assert value(again.url(OWNER, "bank"), "SELECT n FROM kept") == 1
    assert (server.folder / "data" / "PG_VERSION").stat().st_mtime_ns == made


def test_as_root_it_runs_as_someone_else_and_otherwise_as_ourselves(server: Postgres) -> None:
    with server:
        assert user(server.pid) == (
            pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
        )
        assert user(server.pid) != 0
        assert (server.folder / "data").stat().st_uid == user(server.pid)


def test_passwords_are_for_our_eyes_alone(server: Postgres) -> None:
    with server:
        path = server.folder / "passwords.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_uid == os.geteuid()
        password = server.url(SUPERUSER, "postgres").split(":")[2].split("@")[0]
        assert password in path.read_text()
        for pid in naming(str(server.folder)):
            assert password.encode() not in command(pid)
        assert stat.S_IMODE((server.folder / "data").stat().st_mode) == 0o700


def test_it_listens_on_the_loopback_address_and_a_socket_in_its_folder(server: Postgres) -> None:
    with server:
        url = server.url(SUPERUSER, "postgres")
        assert value(url, "SHOW listen_addresses") == "127.0.0.1"
        assert server.socket_folder is not None
        by_socket = url.replace("127.0.0.1", "").replace(f":{server.port}", "")
        by_socket += f"?host={server.socket_folder}&port={server.port}"
        assert value(by_socket, "SELECT inet_client_addr()") is None


def test_what_is_durable_survives_a_power_cut_and_what_is_for_tests_need_not(folder: Path) -> None:
    for durable, expected in ((True, "on"), (False, "off")):
        with Postgres(folder / f"durable-{durable}", durable=durable) as server:
            url = server.url(SUPERUSER, "postgres")
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                assert value(url, f"SHOW {setting}") == expected
            assert value(url, "SHOW data_checksums") == "on"


def test_committed_rows_survive_a_kill_of_the_server(folder: Path) -> None:
    server = Postgres(folder / "postgres")
    server.start()
    server.create_roles()
    server.create_database("bank")
    with psycopg.connect(server.url(OWNER, "bank"), autocommit=True) as session:
        session.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        os.kill(server.pid, 9)
    assert eventually(lambda: server.poll() is not None)
    server.start()
    assert value(server.url(OWNER, "bank"), "SELECT count(*) FROM kept") == 1000
    server.stop()


# -- roles and databases ----------------------------------------------------------------------


@pytest.fixture
def bank() -> Iterator[Postgres]:
    postgres.create_roles()
    postgres.create_database("bank")
    yield postgres
    for name in ("bank", "copy"):
        postgres.drop_database(name)


def test_the_roles_are_no_superusers_and_have_their_time_outs(bank: Postgres) -> None:
    for role in (OWNER, APP, SIGNER):
        rights = (
            "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls"
            " FROM pg_roles WHERE rolname = current_user"
        )
        assert value(bank.url(role, "bank"), rights) is False
    app = bank.url(APP, "bank")
    assert value(app, "SHOW statement_timeout") == "15s"
    assert value(app, "SHOW lock_timeout") == "10s"
    assert value(app, "SHOW idle_in_transaction_session_timeout") == "30s"


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.t (n int)",
        "CREATE TABLE keys.t (n int)",
        "CREATE TEMPORARY TABLE t (n int)",
        "CREATE SCHEMA s",
        "CREATE DATABASE d",
        "CREATE ROLE r",
        "SELECT * FROM pg_authid",
        "COPY (SELECT 1) TO '/tmp/out'",
        "SET ROLE bank_owner",
    ],
)
def test_the_application_may_create_nothing(bank: Postgres, statement: str) -> None:
    for role in (APP, SIGNER):
        with (
            psycopg.connect(bank.url(role, "bank"), autocommit=True) as session,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            session.execute(statement)


def test_the_owner_may_create_in_both_schemas(bank: Postgres) -> None:
    with psycopg.connect(bank.url(OWNER, "bank"), autocommit=True) as session:
        session.execute("CREATE TABLE public.t (n int)")
        session.execute("CREATE TABLE keys.t (n int)")


def test_a_copy_of_a_template_has_its_rows_and_the_same_closed_doors(bank: Postgres) -> None:
    with psycopg.connect(bank.url(OWNER, "bank"), autocommit=True) as session:
        session.execute("CREATE TABLE kept AS SELECT 7 AS n")
    bank.seal_template("bank")
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        psycopg.connect(bank.url(OWNER, "bank"))
    bank.create_database("copy", template="bank")
    assert value(bank.url(OWNER, "copy"), "SELECT n FROM kept") == 7
    with psycopg.connect(bank.url(SUPERUSER, "copy"), autocommit=True) as session:
        session.execute("CREATE ROLE stranger LOGIN PASSWORD 'x'")
        stranger = f"postgres://stranger:x@127.0.0.1:{bank.port}/copy"
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(stranger)
        session.execute("DROP ROLE stranger")
    bank.drop_database("copy")
    bank.drop_database("copy")
    assert not bank.has_database("copy")


def test_a_database_is_dropped_although_someone_is_connected(bank: Postgres) -> None:
    with psycopg.connect(bank.url(APP, "bank"), autocommit=True) as session:
        bank.drop_database("bank")
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")


@pytest.mark.parametrize("name", ["Bank", 'x"; DROP ROLE bank_owner; --', "", "a" * 64])
def test_an_odd_name_for_a_database_is_refused(bank: Postgres, name: str) -> None:
    with pytest.raises(ServiceError):
        bank.create_database(name)


# -- folders ----------------------------------------------------------------------------------


def test_a_folder_that_is_a_file_is_refused(folder: Path) -> None:
    path = folder / "postgres"
    path.write_text("a file")
    with pytest.raises(FolderRefused):
        Postgres(path).start()
    assert path.read_text() == "a file"


def test_a_folder_with_other_things_is_refused_and_left_as_it_is(folder: Path) -> None:
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(FolderRefused, match="other things"):
        Postgres(folder).start()
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_another_services_folder_is_refused(folder: Path) -> None:
    (folder / "service").write_text("valkey\n")
    with pytest.raises(FolderRefused, match="valkey"):
        Postgres(folder).start()


def test_data_of_another_version_are_refused_and_named(folder: Path, server: Postgres) -> None:
    server.start()
    server.stop()
    version = server.folder / "data" / "PG_VERSION"
    version.write_text("15\n")
    with pytest.raises(FolderRefused, match="PostgreSQL 15"):
        server.start()
    version.write_text("18\n")
    with server:
        assert value(server.url(SUPERUSER, "postgres"), "SELECT 1") == 1


def test_a_folder_in_use_is_refused(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "IN_USE_WAIT", 0.2)
    with server:
        other = Postgres(server.folder, durable=False)
        with pytest.raises(FolderInUse):
            other.start()
        assert value(server.url(SUPERUSER, "postgres"), "SELECT 1") == 1


def test_half_made_data_are_made_anew(folder: Path, server: Postgres) -> None:
    server.start()
    server.stop()
    (server.folder / "data").rename(server.folder / "data.new")
    (server.folder / "data.new" / "PG_VERSION").unlink()
    with server:
        assert value(server.url(SUPERUSER, "postgres"), "SELECT 1") == 1
