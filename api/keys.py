"""Keys for programs: made, shown once, looked up, revoked.

A key is `llcb_<prefix>.<secret>`. The prefix finds the row, the 256-bit secret
opens it; a digest of that many random bits needs neither salt nor stretching.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import ClassVar, Final

from django.utils.translation import gettext

from api.models import OF_INSTITUTIONS, OF_LEARNERS, ApiKey, Scope
from creditbank import access
from creditbank.clock import now, today
from creditbank.errors import DomainError
from creditbank.institutions.kinds import Role
from creditbank.institutions.models import Institution
from creditbank.securitylog import operations as security
from creditbank.securitylog.kinds import EventKind
from creditbank.users.models import User
from learners import leaving
from learners.models import Learner

logger = logging.getLogger(__name__)

LIFETIME_MAX: Final = timedelta(days=365)
LABEL_MAX: Final = 80
SECRET_BYTES: Final = 32
PREFIX_LENGTH: Final = 12
ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"

_TOKEN: Final = re.compile(r"llcb_([0-9a-z]{12})\.([A-Za-z0-9_-]{43})")
_NO_DIGEST: Final = bytes(32)


class KeyInvalid(DomainError):
    """A key that cannot be made: the facts name the field and what was expected."""

    code: ClassVar[str] = "api-key-invalid"


class KeyUnknown(DomainError):
    """There is no such key of this owner."""

    code: ClassVar[str] = "not-found"


class KeyRefused(DomainError):
    """The key does not open anything: unknown, expired, revoked, or its person has gone."""

    code: ClassVar[str] = "api-key-refused"


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A key just made; `token` is shown once and kept nowhere."""

    key: ApiKey
    token: str = field(repr=False)


def digest(token: str) -> bytes:
    """Return the digest under which a whole key is kept (SHA-256, 32 bytes)."""
    return hashlib.sha256(b"llcb/api-key/v1\0" + token.encode()).digest()


# -- making -----------------------------------------------------------------------------------
def create_institution_key(
    *,
    institution: Institution,
    label: str,
    scopes: Collection[str],
    expires_on: date,
    acting_user: User,
) -> NewKey:
    """Make a key for an institution's program; by one of its administrators, for whom it acts.

    Raises KeyInvalid, and what `access.institution_for` raises.
    """
    found = access.institution_for(acting_user, institution.slug, Role.ADMIN)
    text = " ".join(label.split())
    if not text or len(text) > LABEL_MAX or not text.isprintable():
        raise KeyInvalid(gettext("请写明密钥的用途。"), field="label", expected=f"1 – {LABEL_MAX}")
    return _create(
        ApiKey(institution=found, label=text, user=acting_user),
        scopes,
        OF_INSTITUTIONS,
        expires_on,
    )


def create_learner_key(*, scopes: Collection[str], expires_on: date, acting_user: User) -> NewKey:
    """Make a key for a learner's own program. Raises KeyInvalid, NotFound."""
    learner: Learner = access.learner_for(acting_user)
    return _create(ApiKey(learner=learner, user=acting_user), scopes, OF_LEARNERS, expires_on)


def _create(key: ApiKey, scopes: Collection[str], allowed: Collection[Scope], on: date) -> NewKey:
    wanted = sorted(set(scopes))
    if not wanted or not set(wanted) <= {scope.value for scope in allowed}:
        raise KeyInvalid(
            gettext("密钥的权限不对。"),
            field="scopes",
            expected=", ".join(scope.value for scope in allowed),
        )
    day = today()
    if not day <= on <= day + LIFETIME_MAX:
        raise KeyInvalid(
            gettext("密钥最长一年有效。"),
            field="expires_on",
            value=on.isoformat(),
            expected=f"{day.isoformat()} – {(day + LIFETIME_MAX).isoformat()}",
        )
    key.prefix = "".join(secrets.choice(ALPHABET) for _ in range(PREFIX_LENGTH))
    token = f"llcb_{key.prefix}.{secrets.token_urlsafe(SECRET_BYTES)}"
    key.digest = digest(token)
    key.scopes = wanted
    key.expires_on = on
    key.save(force_insert=True)
    security.record(
        EventKind.API_KEY_MADE, actor=key.user_id, key=key.prefix, scopes="+".join(wanted)
    )
    logger.info("api key %s made for %s: %s", key.prefix, key.owner, " ".join(wanted))
    return NewKey(key=key, token=token)


def prefix_of(token: str) -> str:
    """Return the public part of a token, under which its key is found; "" for what is no token."""
    match = _TOKEN.fullmatch(token)
    return match[1] if match else ""


# -- using ------------------------------------------------------------------------------------
def authenticate(token: str) -> ApiKey:
    """Return the key that a token opens. Raises KeyRefused, the same for every reason.

    An unknown prefix and a wrong secret cost the same: one query, one comparison.
    """
    prefix = prefix_of(token)
    key = (
        ApiKey.objects.select_related("institution", "learner", "user")
        .filter(prefix=prefix)
        .first()
    )
    held = _NO_DIGEST if key is None else bytes(key.digest)
    if not hmac.compare_digest(digest(token), held) or key is None:
        raise KeyRefused
    day = today()
    if key.revoked_at is not None or key.expires_on < day or not _person_is_there(key):
        raise KeyRefused
    if key.last_used_on != day:
        ApiKey.objects.filter(pk=key.pk).update(last_used_on=day)
    return key


def _person_is_there(key: ApiKey) -> bool:
    """Say whether the person for whom a key acts still can: a key outlives nobody's rights."""
    if key.learner is not None:
        return key.user.is_active and key.learner.user_id == key.user_id
    try:
        access.institution_for(key.user, key.owner)
    except (access.NotFound, access.Forbidden):
        return False
    return True


# -- ending -----------------------------------------------------------------------------------
def revoke(*, prefix: str) -> ApiKey:
    """Revoke a key; it opens nothing from the next request on. Done twice, nothing changes.

    Raises KeyUnknown.
    """
    key = ApiKey.objects.select_related("institution").filter(prefix=prefix).first()
    if key is None:
        raise KeyUnknown(prefix=prefix)
    if key.revoked_at is None:
        key.revoked_at = now()
        key.save(update_fields=["revoked_at"])
        security.record(EventKind.API_KEY_REVOKED, actor=None, key=key.prefix)
        logger.info("api key %s revoked", key.prefix)
    return key


@leaving.gives_up("api.keys")
def end_keys_of(learner: Learner) -> None:
    """Delete a learner's keys. Done twice, nothing changes."""
    ApiKey.objects.filter(learner=learner).delete()


def keys_of(institution: Institution | None = None) -> list[ApiKey]:
    """Return all keys, or those of an institution, newest first."""
    found = ApiKey.objects.select_related("institution", "user")
    return list(found if institution is None else found.filter(institution=institution))
