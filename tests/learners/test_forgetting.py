"""Forgetting a person: nothing of them can be read, and nothing that was proved is undone."""

import psycopg
import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, transaction

from creditbank.clock import now
from creditbank.institutions.operations import add_member
from creditbank.ledger import learnerkeys
from creditbank.ledger.learnerkeys import PersonForgotten
from creditbank.ledger.models import CreditAccount
from creditbank.ledger.numbers import format_account
from creditbank.ledger.operations import open_account
from creditbank.users.models import User
from learners import leaving, operations, queries, sealing
from learners.models import ClaimCode, Consent, Learner
from tests.institutions import cast
from tests.learners import people
from tests.learners.test_privacy import encodings, found

NAME = "欧阳示例珊"


@pytest.fixture
def clerk(db) -> User:
    return cast.make_member(cast.make_institution()).user


def claimed(clerk: User, **user) -> tuple[Learner, User]:
    learner = people.register(name=NAME)
    account = cast.make_user(**user)
    operations.claim(user=account, code=operations.issue_claim_code(learner, clerk))
    operations.give_consent(learner=learner, purpose="sensitive-data", wording="2026-1")
    return Learner.objects.get(pk=learner.pk), account


def test_nothing_of_a_forgotten_person_can_be_read(clerk, superuser_url):
    learner, user = claimed(clerk, username="ouyang.shili", display_name="小欧阳")
    document = queries.identity(learner)
    copy = bytes(learner.name_sealed)
    digest = bytes(learner.identity_digest or b"")
    session = SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session.save()
    UserSession.objects.create(
        user=user, ip="192.0.2.7", user_agent="Example Browser", session_key=session.session_key
    )
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})

    operations.forget_learner(learner)

    assert learner.is_forgotten
    assert queries.by_identity(document) is None
    for read in (queries.display_name, queries.identity, queries.masked_identity):
        with pytest.raises(PersonForgotten):
            read(learner)
    # A copy of the column, from a backup say, is of no use either.
    with pytest.raises(PersonForgotten):
        sealing.open_sealed(
            learner.account_id, sealing.purpose(queries.TABLE, "name_sealed", learner.pk), copy
        )
    needles = {digest, copy, b"ouyang", b"192.0.2.7", b"Example Browser"}
    for text in (NAME, document.number, "小欧阳"):
        needles |= encodings(text)
    assert found(superuser_url, needles) == []
    assert not Session.objects.exists()
    assert not UserSession.objects.exists()
    assert not Authenticator.objects.exists()
    assert not ClaimCode.objects.exists()
    assert not Consent.objects.exists()


def test_the_user_is_ended_and_cannot_sign_in_again(clerk):
    learner, user = claimed(clerk)
    user.set_password("a long enough passphrase")
    user.save()
    operations.forget_learner(learner)
    ended = User.objects.get(pk=user.pk)
    assert not ended.is_active
    assert not ended.has_usable_password()
    assert ended.person_digest is None
    assert ended.username.startswith("forgotten-")
    assert queries.learner_of(ended) is None


def test_accounts_and_what_was_proved_stay(clerk):
    learner, _ = claimed(clerk)
    second = open_account()
    operations.link_account(learner=learner, account=second)
    operations.forget_learner(learner)
    assert CreditAccount.objects.filter(number__in=[learner.account_id, second]).count() == 2
    assert learnerkeys.keys_of([learner.account_id, second]) == {}
    assert queries.accounts_of(learner) == [learner.account_id, second]


def test_forgetting_twice_changes_nothing(clerk):
    learner, _ = claimed(clerk)
    operations.forget_learner(learner)
    first = Learner.objects.values().get(pk=learner.pk)
    operations.forget_learner(learner)
    assert Learner.objects.values().get(pk=learner.pk) == first


def test_others_are_not_touched(clerk):
    learner, _ = claimed(clerk)
    other, _ = claimed(clerk)
    operations.forget_learner(learner)
    assert queries.display_name(Learner.objects.get(pk=other.pk)) == NAME
    assert queries.masked_identity(other)


def test_a_waiting_person_can_be_forgotten(clerk):
    learner = people.register(name=NAME)
    operations.forget_learner(learner)
    assert learner.is_forgotten
    assert not learner.is_waiting


def test_someone_who_works_for_an_institution_keeps_that_sign_in_only(clerk):
    learner, user = claimed(clerk)
    school = cast.make_institution()
    add_member(institution=school, user=user, role="clerk", acting_user=None)
    operations.forget_learner(learner)
    kept = User.objects.get(pk=user.pk)
    assert kept.is_active
    assert kept.username == user.username
    assert queries.learner_of(kept) is None


def test_the_same_person_may_come_back_as_somebody_new(clerk):
    learner, _ = claimed(clerk)
    document = queries.identity(learner)
    operations.forget_learner(learner)
    again = operations.find_or_open(document=document, name=NAME)
    assert again.opened
    assert again.learner != learner
    assert again.learner.account_id != learner.account_id


def test_what_a_crash_left_is_finished(clerk, superuser_url):
    learner, _ = claimed(clerk)
    account = learner.account_id
    with psycopg.connect(superuser_url, autocommit=True) as superuser:
        # The keys' database refuses, after the columns were blanked.
        superuser.execute("REVOKE DELETE ON keys.learner_key FROM bank_app")
        with pytest.raises(ProgrammingError):
            operations.forget_learner(learner)
        superuser.execute("GRANT DELETE ON keys.learner_key TO bank_app")
    assert Learner.objects.get(pk=learner.pk).is_forgotten
    assert set(learnerkeys.keys_of([account])) == {account}
    assert operations.finish_forgetting() == 1
    assert learnerkeys.keys_of([account]) == {}
    assert operations.finish_forgetting() == 0


def test_forgetting_inside_a_transaction_is_refused(clerk):
    learner, _ = claimed(clerk)
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        operations.forget_learner(learner)
    assert queries.display_name(Learner.objects.get(pk=learner.pk)) == NAME


def test_a_half_forgotten_row_is_refused_by_the_database(clerk):
    learner, _ = claimed(clerk)
    with pytest.raises(IntegrityError, match="learner_forgotten_is_blank"):
        Learner.objects.filter(pk=learner.pk).update(forgotten_at=now())
    operations.forget_learner(learner)
    with pytest.raises(IntegrityError, match="learner_forgotten_is_blank"):
        Learner.objects.filter(pk=learner.pk).update(identity_digest=bytes(32))


def test_who_asks_on_paper_is_forgotten_by_account_number(clerk):
    learner, _ = claimed(clerk)
    call_command("forget_learner", format_account(learner.account_id), "--yes")
    learner.refresh_from_db()
    assert learner.is_forgotten
    for wrong in ("0000-0000-0000", format_account(open_account())):
        with pytest.raises(CommandError):
            call_command("forget_learner", wrong, "--yes")


def test_only_the_role_that_owns_the_tables_erases_what_remains(clerk):
    with pytest.raises(CommandError, match="bank_owner"):
        call_command("erase_remains")


def test_nobody_is_forgotten_while_a_part_of_the_bank_cannot_give_up(clerk, monkeypatch):
    learner, _ = claimed(clerk)

    def refuses(_learner):
        raise RuntimeError("not now")

    monkeypatch.setitem(leaving._holders, "another part", refuses)
    with pytest.raises(RuntimeError, match="not now"):
        operations.forget_learner(learner)
    assert queries.display_name(Learner.objects.get(pk=learner.pk)) == NAME
