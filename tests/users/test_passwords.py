"""A password is long and its owner's own; nothing else is asked of it."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from creditbank.users.models import User
from creditbank.users.passwords import LENGTH_MAX
from tests.institutions.cast import make_user


def codes(password: str, user: User | None = None) -> set[str | None]:
    try:
        validate_password(password, user)
    except ValidationError as error:
        return {one.code for one in error.error_list}
    return set()


@pytest.mark.parametrize(
    "password",
    [
        "corréct-horse-battery-staple",
        "春眠不觉晓处处闻啼鸟夜来风雨声",
        "xq4t-9v2m-hh7c-pr3k",
        "lower case words alone are enough",
        "x9" * 0 + "k" + "".join(chr(97 + n * 7 % 26) for n in range(63)),
    ],
)
def test_any_long_phrase_of_one_s_own_is_taken(password: str) -> None:
    assert codes(password) == set()


def test_fifteen_characters_alone_and_twelve_beside_a_second_factor(db: object) -> None:
    user = make_user()
    assert codes("kolibri-9-saft", user) == {"password_too_short"}
    assert codes("kolibri-9-saft!", user) == set()
    Authenticator.objects.create(user_id=user.pk, type=Authenticator.Type.RECOVERY_CODES, data={})
    assert codes("kolibri-9-saft", user) == {"password_too_short"}
    Authenticator.objects.create(user_id=user.pk, type=Authenticator.Type.TOTP, data={})
    assert codes("kolibri-9-sa", user) == set()
    assert codes("kolibri-9-s", user) == {"password_too_short"}


def test_what_would_take_long_to_hash_is_refused() -> None:
    assert codes("aB3-" + "xyzöäüß!?" * 40) == {"password_too_long"}
    assert LENGTH_MAX >= 64


@pytest.mark.parametrize(
    "password",
    [
        "aaaaaaaaaaaaaaaaaa",
        "123123123123123123",
        "01234567890123456",
        "zyxwvutsrqponmlkj",
        "qwertyuiopasdfghj",
        "ｑｗｅｒｔｙｕｉｏｐａｓｄｆｇｈｊ",
        "passwordpassword12",
        "PASSWORD Password 1",
        "学分银行学分银行学分银行123",
        "xuefenyinhang2026",
        "creditbank creditbank",
        "guanliyuan admin 1234",
    ],
)
def test_what_is_long_but_everybody_s_is_refused(password: str) -> None:
    assert "password_guessable" in codes(password)


def test_the_name_one_signs_in_with_is_no_password(db: object) -> None:
    user = make_user("duanmu-the-second-of-her-name")
    assert "password_too_similar" in codes("duanmu-the-second-of-her-name", user)
