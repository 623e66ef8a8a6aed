"""Users: sign-in names in any script, one per person's choosing, nothing personal in them."""

import pytest
from django.db import IntegrityError

from creditbank.users import persons, usernames
from creditbank.users.models import User
from creditbank.users.operations import (
    PasswordTooWeak,
    PersonMismatch,
    UsernameInvalid,
    UsernameTaken,
    bind_person,
    end_user,
    open_user,
)

pytestmark = pytest.mark.usefixtures("db")

PASSPHRASE = "a long enough passphrase"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Wang.Shili", "wang.shili"),
        ("  wang_shili-2 ", "wang_shili-2"),
        ("王示例", "王示例"),
        ("ｗａｎｇ", "wang"),
        ("김시범", "김시범"),
        ("user18612345678", "user18612345678"),
    ],
)
def test_a_sign_in_name_has_one_stored_form(typed, stored):
    user = open_user(username=typed, password=None)
    assert user.username == stored
    assert User.objects.get_by_natural_key(typed.upper()) == user


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("a", "username-length"),
        ("a" * 41, "username-length"),
        ("a b", "username-characters"),
        ("a@b.example", "username-characters"),
        ("a\u202eb", "username-characters"),
        ("11010519491231002X", "username-is-identity-number"),
        ("11010519491231002x", "username-is-identity-number"),
        ("110105491231002", "username-is-identity-number"),
    ],
)
def test_what_is_no_sign_in_name_is_refused_with_the_reason(typed, why):
    with pytest.raises(UsernameInvalid) as refused:
        open_user(username=typed, password=None)
    assert refused.value.facts["reason"] == why
    assert refused.value.message


def test_a_name_is_taken_whatever_its_case():
    open_user(username="wang", password=None)
    with pytest.raises(UsernameTaken):
        open_user(username="WANG", password=None)
    assert User.objects.count() == 1


def test_the_database_itself_keeps_names_in_lower_case():
    user = open_user(username="wang", password=None)
    with pytest.raises(IntegrityError, match="user_name_lower_case"):
        User.objects.filter(pk=user.pk).update(username="Wang")


def test_a_weak_password_is_refused_with_every_reason():
    with pytest.raises(PasswordTooWeak) as refused:
        open_user(username="wang", password="password")
    assert len(refused.value.facts["reasons"]) >= 2
    assert not User.objects.exists()


def test_a_user_without_a_password_signs_in_with_none():
    user = open_user(username="wang", password=None)
    assert not user.has_usable_password()
    assert not user.check_password("")


def test_a_password_is_kept_as_an_argon2_hash():
    user = open_user(username="wang", password=PASSPHRASE)
    assert user.password.startswith("argon2$argon2id$")
    assert user.check_password(PASSPHRASE)


def test_a_new_user_is_nobody_in_particular_and_no_staff():
    user = open_user(username="wang", password=None)
    assert not user.is_staff
    assert not persons.is_identified(user)
    assert user.get_full_name() == "wang"


def test_an_identity_is_bound_once_and_never_exchanged():
    user = open_user(username="wang", password=None)
    bind_person(user=user, digest=b"\x01" * 32)
    bind_person(user=user, digest=b"\x01" * 32)
    with pytest.raises(PersonMismatch):
        bind_person(user=user, digest=b"\x02" * 32)
    assert bytes(User.objects.get(pk=user.pk).person_digest) == b"\x01" * 32
    with pytest.raises(ValueError, match="32 bytes"):
        bind_person(user=open_user(username="li", password=None), digest=b"short")


def test_two_sign_ins_of_one_person_are_one_and_unknown_persons_are_not():
    one, two, three, four = (
        open_user(username=f"user-{n}", password=None) for n in ("a", "b", "c", "d")
    )
    bind_person(user=one, digest=b"\x01" * 32)
    bind_person(user=two, digest=b"\x01" * 32)
    bind_person(user=three, digest=b"\x02" * 32)
    assert persons.are_one(one, two)
    assert persons.are_one(User.objects.get(pk=one.pk), User.objects.get(pk=two.pk))
    assert not persons.are_one(one, three)
    assert not persons.are_one(one, four)
    assert persons.are_one(four, four)


def test_an_ended_user_is_nobody_any_more():
    user = open_user(username="wang", password=PASSPHRASE, display_name="王示例")
    bind_person(user=user, digest=b"\x01" * 32)
    end_user(user)
    name = user.username
    end_user(user)
    assert user.username == name
    assert not user.is_active
    assert user.display_name == ""
    assert user.person_digest is None
    assert not user.check_password(PASSPHRASE)
    assert open_user(username="wang", password=None)


def test_normalising_is_stable():
    for text in ("Ｗａｎｇ", "王示例", "İstanbul", "ẞtraße"):
        once = usernames.normalise(text)
        assert usernames.normalise(once) == once
