"""Keys for programs: made, used, ended."""

from __future__ import annotations

import io
import logging
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from api import keys
from api.models import ApiKey
from creditbank import access
from creditbank.clock import now, today
from creditbank.institutions import operations as institutions
from creditbank.institutions.kinds import Role
from learners import operations as learners
from tests.api.clients import Program, admin_of, problem, program_of, program_of_learner
from tests.institutions.cast import make_institution, make_member
from tests.learners.people import register

PATH = "log"


def make(institution: Any, **changes: Any) -> keys.NewKey:
    facts: dict[str, Any] = {
        "institution": institution,
        "label": "教务系统",
        "scopes": ["submit"],
        "expires_on": today() + timedelta(days=30),
    } | changes
    if "acting_user" not in facts:
        facts["acting_user"] = admin_of(institution).user
    return keys.create_institution_key(**facts)


def test_a_key_is_shown_once_and_kept_as_a_digest(db: Any) -> None:
    made = make(make_institution())
    row = ApiKey.objects.get()
    prefix, _dot, secret = made.token.removeprefix("llcb_").partition(".")
    assert row.prefix == prefix
    assert len(secret) == 43
    assert secret.encode() not in bytes(row.digest)
    assert bytes(row.digest) == keys.digest(made.token)
    assert secret not in repr(made)


def test_a_key_opens_and_its_day_of_use_is_kept(db: Any) -> None:
    made = make(make_institution())
    found = keys.authenticate(made.token)
    assert found.pk == made.key.pk
    assert ApiKey.objects.get().last_used_on == today()


def test_a_wrong_secret_opens_nothing(db: Any) -> None:
    token = make(make_institution()).token
    other = make(make_institution()).token
    mixed = token.partition(".")[0] + "." + other.partition(".")[2]
    for wrong in (mixed, token[:-1], token + "A", token.swapcase(), "", "llcb_.", token + "\0"):
        with pytest.raises(keys.KeyRefused):
            keys.authenticate(wrong)


def test_a_revoked_key_opens_nothing(db: Any) -> None:
    made = make(make_institution())
    keys.revoke(prefix=made.key.prefix)
    with pytest.raises(keys.KeyRefused):
        keys.authenticate(made.token)


def test_a_key_opens_on_its_last_day_and_not_after(db: Any) -> None:
    made = make(make_institution())
    with time_machine.travel(now() + timedelta(days=30)):
        keys.authenticate(made.token)
    with time_machine.travel(now() + timedelta(days=31)), pytest.raises(keys.KeyRefused):
        keys.authenticate(made.token)


def test_a_key_ends_with_the_membership_of_whom_it_acts_for(db: Any) -> None:
    institution = make_institution()
    member = admin_of(institution)
    made = make(institution, acting_user=member.user)
    institutions.end_member(member=member, acting_user=None)
    with pytest.raises(keys.KeyRefused):
        keys.authenticate(made.token)


def test_a_key_demands_the_second_factor_of_whom_it_acts_for(db: Any, settings: Any) -> None:
    made = make(make_institution())
    settings.STAFF_SECOND_FACTOR = True
    with pytest.raises(keys.KeyRefused):
        keys.authenticate(made.token)


def test_a_forgotten_learners_key_opens_nothing(bank: Any) -> None:
    learner = register()
    program = program_of_learner(learner)
    assert program.get("me/statement").status_code == 200
    learners.forget_learner(learner)
    problem(program.get("me/statement"), 401, "api-key-refused")


def test_only_an_administrator_makes_a_key(db: Any) -> None:
    institution = make_institution()
    clerk = make_member(institution, Role.REVIEWER, serial=1).user
    with pytest.raises(access.Forbidden):
        make(institution, acting_user=clerk)
    with pytest.raises(access.NotFound):
        make(institution, acting_user=admin_of(make_institution()).user)


@pytest.mark.parametrize(
    "changes",
    [
        {"scopes": []},
        {"scopes": ["statement"]},
        {"scopes": ["everything"]},
        {"label": " "},
        {"expires_on": today() + timedelta(days=366)},
        {"expires_on": today() - timedelta(days=1)},
    ],
)
def test_a_key_without_purpose_or_end_is_not_made(changes: dict[str, Any], db: Any) -> None:
    with pytest.raises(keys.KeyInvalid):
        make(make_institution(), **changes)


def test_a_learner_cannot_have_an_institutions_scopes(bank: Any) -> None:
    with pytest.raises(keys.KeyInvalid):
        program_of_learner(register(), "submit")


def test_a_key_that_opens_nothing_is_refused_also_where_none_is_needed(db: Any) -> None:
    program = Program(token="llcb_nosuchkey123." + "A" * 43, user=None, prefix="")  # type: ignore[arg-type]
    answer = program.get(PATH)
    problem(answer, 401, "api-key-refused")
    assert answer["WWW-Authenticate"] == 'Bearer realm="creditbank"'


def test_another_scheme_is_refused(db: Any) -> None:
    from django.test import Client

    for header in ("Basic YTpi", "llcb_x", "Bearer", "Bearer \xe9"):
        answer = Client().get("/api/v1/log", headers={"Authorization": header})
        problem(answer, 401, "api-key-refused")


def test_a_key_without_the_scope_is_told_which_one(db: Any) -> None:
    institution = make_institution()
    program = program_of(institution, "log")
    answer = program.post(f"institutions/{institution.slug}/records", {"rows": []})
    assert problem(answer, 403, "scope-missing")["facts"] == {"expected": "record"}


def test_a_session_is_no_key(db: Any) -> None:
    from django.test import Client

    client = Client()
    client.force_login(
        admin_of(make_institution()).user, "django.contrib.auth.backends.ModelBackend"
    )
    problem(client.get("/api/v1/me/statement"), 401, "api-key-missing")


def test_the_secret_is_in_no_log(db: Any, caplog: Any) -> None:
    with caplog.at_level(logging.DEBUG):
        made = make(make_institution())
        keys.authenticate(made.token)
    assert made.key.prefix in caplog.text
    assert made.token.partition(".")[2] not in caplog.text


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("api_key", *arguments, stdout=out)
    return out.getvalue().strip()


def test_the_command_makes_lists_and_revokes(db: Any) -> None:
    institution = make_institution()
    user = admin_of(institution).user
    token = run(
        "create", "--institution", institution.slug, "--user", user.username,
        "--label", "demo", "--scopes", "submit,resolve", "--days", "10",
    )  # fmt: skip
    key = keys.authenticate(token)
    assert key.scopes == ["resolve", "submit"]
    assert key.expires_on == today() + timedelta(days=10)
    listed = run("list", "--institution", institution.slug)
    assert key.prefix in listed
    assert token.partition(".")[2] not in listed
    run("revoke", key.prefix)
    assert "revoked" in run("list")
    with pytest.raises(keys.KeyRefused):
        keys.authenticate(token)


def test_the_command_says_why_not(db: Any) -> None:
    institution = make_institution()
    user = admin_of(institution).user
    with pytest.raises(CommandError, match="api-key-invalid"):
        run("create", "--institution", institution.slug, "--user", user.username,
            "--label", "x", "--scopes", "all")  # fmt: skip
    with pytest.raises(CommandError, match="no such user"):
        run("create", "--learner", "--user", "nobody-here", "--scopes", "statement")
    with pytest.raises(CommandError, match="not-found"):
        run("revoke", "nothing")
