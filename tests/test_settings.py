"""The surroundings that must not serve, and the figures that settings must keep."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.test import Client

from creditbank import gunicorn
from creditbank.securitylog.checks import database_faults, queue_faults, surroundings
from creditbank.services.postgres import APP, CONNECTIONS, OWNER, SIGNER
from creditbank.users.operations import end_sessions, open_user
from tests.environment import postgres
from tests.institutions.cast import make_user

PASSWORD = "corréct-horse-battery-staple"


def test_a_database_elsewhere_is_reached_with_its_certificate_checked() -> None:
    def faults(host: str, **options: str) -> list[str]:
        return list(database_faults({"default": {"HOST": host, "OPTIONS": options}}))

    assert faults("127.0.0.1") == faults("/run/postgresql") == []
    assert faults("db.example", sslmode="verify-full") == []
    assert faults("db.example") == [
        "the database 'default' on db.example is reached with sslmode=prefer"
    ]
    assert len(faults("db.example", sslmode="require")) == 1


def test_broker_and_cache_elsewhere_use_tls_and_are_two() -> None:
    assert list(queue_faults("redis://127.0.0.1:1/0", "redis://127.0.0.1:1/1")) == []
    assert list(queue_faults("rediss://a.example/0", "rediss://b.example/0")) == []
    found = [code for code, _ in queue_faults("redis://a.example/0", "redis://a.example/1")]
    assert found == ["bank.E021", "bank.E021", "bank.W022"]


def test_the_check_says_what_it_found(settings: Any) -> None:
    assert surroundings(None) == []
    settings.CELERY_BROKER_URL = "redis://queue.example/0"
    assert [message.id for message in surroundings(None)] == ["bank.E021"]


def test_no_role_can_shut_the_others_out(db: Any) -> None:
    with psycopg.connect(db.superuser_url) as connection:
        rows = connection.execute(
            "SELECT rolname, rolconnlimit, rolsuper FROM pg_roles WHERE rolname = ANY(%s)",
            [[APP, OWNER, SIGNER]],
        ).fetchall()
        (most,) = connection.execute("SHOW max_connections").fetchone() or ("0",)
    assert {name: limit for name, limit, _ in rows} == CONNECTIONS
    assert not any(superuser for _, _, superuser in rows)
    assert sum(CONNECTIONS.values()) < int(str(most))


def test_the_database_s_log_holds_no_values(db: Any) -> None:
    secret = "229999199001010413"
    with psycopg.connect(db.app_url) as connection:
        for statement in (
            "INSERT INTO users_user (username) VALUES (%s)",
            "SELECT * FROM nowhere WHERE name = %s",
        ):
            with pytest.raises(psycopg.Error):
                connection.execute(statement, [secret])
            connection.rollback()
        with pytest.raises(psycopg.Error):
            connection.execute(f"SELECT '{secret}' FROM nowhere")
    log = Path(postgres.log).read_text(errors="replace")
    assert 'relation "nowhere" does not exist' in log
    assert "violates not-null constraint" in log
    assert secret not in log


def test_a_web_process_ends_what_lasts_too_long_or_is_too_long() -> None:
    assert (gunicorn.worker_class, gunicorn.timeout, gunicorn.graceful_timeout) == (
        "gthread",
        30,
        25,
    )
    assert gunicorn.max_requests == 2000
    assert gunicorn.limit_request_line <= 4094
    assert gunicorn.limit_request_fields <= 50
    assert "*" not in gunicorn.forwarded_allow_ips


def test_tasks_end_before_the_queue_brings_them_again() -> None:
    visible = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    assert settings.CELERY_TASK_SOFT_TIME_LIMIT < settings.CELERY_TASK_TIME_LIMIT < visible
    assert settings.CELERY_ACCEPT_CONTENT == ["json"]
    assert settings.CELERY_TASK_ACKS_LATE
    assert settings.CELERY_TASK_REJECT_ON_WORKER_LOST


def test_a_session_lasts_a_working_day_for_staff_and_a_day_for_others(
    db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff, other = make_user(is_staff=True), make_user()
    hour = 3600
    start = time.time()
    for user, lasts, ended in ((staff, 7 * hour, 9 * hour), (other, 23 * hour, 25 * hour)):
        client = Client()
        client.force_login(user)
        client.get("/welcome")
        monkeypatch.setattr(time, "time", lambda at=start + lasts: at)
        client.get("/welcome")
        assert "_auth_user_id" in client.session
        monkeypatch.setattr(time, "time", lambda at=start + ended: at)
        client.get("/welcome")
        assert "_auth_user_id" not in client.session
        monkeypatch.setattr(time, "time", lambda: start)


def test_other_browsers_are_signed_out_and_this_one_is_not(db: Any) -> None:
    user = open_user(username="duan", password=PASSWORD)
    here, there = Client(), Client()
    for client in (here, there):
        client.post("/account/login/", {"login": "duan", "password": PASSWORD})
        assert "_auth_user_id" in client.session
    end_sessions(user, but=here.session.session_key)
    assert "_auth_user_id" in here.session
    there.get("/welcome")
    assert "_auth_user_id" not in there.session
