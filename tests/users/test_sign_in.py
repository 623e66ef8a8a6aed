"""Signing in through django-allauth: by name, with second factors that are kept sealed."""

import pytest
from allauth.account.forms import LoginForm, SignupForm
from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from cryptography.exceptions import InvalidTag
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory

from creditbank.users.adapter import AccountAdapter, MfaAdapter
from creditbank.users.models import User
from creditbank.users.operations import open_user

pytestmark = pytest.mark.usefixtures("db")

PASSPHRASE = "a long enough passphrase"


@pytest.fixture
def request_(rf: RequestFactory):
    request = rf.post("/account/login/")
    request.session = SessionStore()
    with context.request_context(request):
        yield request


def sign_in(request, login: str, password: str = PASSPHRASE) -> User | None:
    form = LoginForm(data={"login": login, "password": password}, request=request)
    return form.user if form.is_valid() else None


def sign_up(request, **changes: str) -> SignupForm:
    data = {"username": "wang", "password1": PASSPHRASE, "password2": PASSPHRASE} | changes
    return SignupForm(data=data)


@pytest.mark.parametrize("typed", ["wang", "Wang", "WANG"])
def test_a_user_signs_in_by_name_whatever_the_case(request_, typed):
    user = open_user(username="wang", password=PASSPHRASE)
    assert sign_in(request_, typed) == user


def test_a_wrong_password_and_an_unknown_name_are_told_alike(request_):
    open_user(username="wang", password=PASSPHRASE)
    told = []
    for login, password in (("wang", "another passphrase"), ("li", PASSPHRASE)):
        form = LoginForm(data={"login": login, "password": password}, request=request_)
        assert not form.is_valid()
        told.append(form.errors.as_json())
    assert told[0] == told[1]


def test_an_ended_user_does_not_sign_in(request_):
    user = open_user(username="wang", password=PASSPHRASE)
    User.objects.filter(pk=user.pk).update(is_active=False)
    found = sign_in(request_, "wang")
    # allauth hands an inactive user to its own page, which signs nobody in.
    assert found is None or not found.is_active


def test_anybody_may_open_a_user_and_it_comes_without_rights(request_):
    assert AccountAdapter().is_open_for_signup(request_)
    form = sign_up(request_, username=" Wang.Shili ")
    assert form.is_valid(), form.errors
    user = form.save(request_)
    assert user.username == "wang.shili"
    assert not user.is_staff
    assert user.check_password(PASSPHRASE)


@pytest.mark.parametrize(
    "changes",
    [
        {"username": "11010519491231002X"},
        {"username": "a b"},
        {"password1": "short", "password2": "short"},
        {"password2": "something else entirely"},
    ],
)
def test_a_bad_name_or_password_is_refused_at_sign_up(request_, changes):
    assert not sign_up(request_, **changes).is_valid()


def test_a_taken_name_is_refused_at_sign_up(request_):
    open_user(username="wang", password=None)
    form = sign_up(request_, username="WANG")
    assert not form.is_valid()
    assert "username" in form.errors


def test_a_second_factors_secret_is_sealed_and_opens_again(settings):
    adapter = MfaAdapter()
    sealed = adapter.encrypt("JBSWY3DPEHPK3PXP")
    assert "JBSWY3DPEHPK3PXP" not in sealed
    assert adapter.encrypt("JBSWY3DPEHPK3PXP") != sealed
    assert adapter.decrypt(sealed) == "JBSWY3DPEHPK3PXP"
    tampered = sealed[:20] + ("A" if sealed[20] != "A" else "B") + sealed[21:]
    with pytest.raises(InvalidTag):
        adapter.decrypt(tampered)


def test_the_settings_use_the_sealing_adapter(settings):
    assert settings.MFA_ADAPTER == "creditbank.users.adapter.MfaAdapter"


def test_totp_and_recovery_codes_work_through_the_seal(settings, request_):
    user = open_user(username="wang", password=None)
    secret = generate_totp_secret()
    totp = TOTP.activate(user, secret)
    assert secret not in str(totp.instance.data)
    counter = next(iter(yield_hotp_counters_from_time()))
    code = format_hotp_value(hotp_value(secret, counter))
    assert totp.validate_code(code)
    assert not totp.validate_code(code), "a code is good for one use"
    codes = RecoveryCodes.activate(user)
    assert codes.get_unused_codes()


def test_staff_keep_their_authenticator_unless_they_have_another_factor(settings):
    user = open_user(username="wang", password=None)
    totp = Authenticator.objects.create(
        user=user, type=Authenticator.Type.TOTP, data={"secret": "x"}
    )
    Authenticator.objects.create(user=user, type=Authenticator.Type.RECOVERY_CODES, data={})
    adapter = MfaAdapter()
    assert adapter.can_delete_authenticator(totp)
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    totp.refresh_from_db()
    settings.STAFF_SECOND_FACTOR = True
    assert not adapter.can_delete_authenticator(totp)
    Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={})
    assert adapter.can_delete_authenticator(totp)
    settings.STAFF_SECOND_FACTOR = False
    assert adapter.can_delete_authenticator(totp)
