"""What a key may do, and whose things it may touch.

What is not the key's is not found; what is, but not for its scope, is forbidden.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from api.models import ApiKey
from creditbank import access
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import Role, StreamPurpose
from creditbank.institutions.models import Institution, Stream
from creditbank.ledger.queries import EntryView
from creditbank.users.models import User
from learners.models import Learner

if TYPE_CHECKING:
    # The framework's views load this module while they are being loaded.
    from rest_framework.views import APIView


class ScopeMissing(access.Forbidden):
    """The key does not have the scope that this needs; the facts name it."""

    code: ClassVar[str] = "scope-missing"


class DenyAll(BasePermission):
    """The default: a view that names nobody is open to nobody."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Refuse."""
        return False


class Anyone(BasePermission):
    """For what is public: with a key or without one."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Allow."""
        return True


class KeyWithScope(BasePermission):
    """For a key that has the view's scope."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Allow a key with the scope; refuse one without it by name, and none with a challenge."""
        key = request.auth
        if not isinstance(key, ApiKey):
            return False
        scope = view.scope_of(request.method)  # type: ignore[attr-defined]
        if scope not in key.scopes:
            raise ScopeMissing(gettext("这个密钥没有所需的权限。"), expected=str(scope))
        return True


def caller(request: Request) -> User:
    """Return the person the request's key acts for."""
    user = request.user
    assert isinstance(user, User)
    return user


def _institution_of_key(request: Request) -> Institution:
    key = request.auth
    if not isinstance(key, ApiKey) or key.institution is None:
        raise access.NotFound
    return key.institution


def institution_for(request: Request, slug: str, role: Role) -> Institution:
    """Return the key's own institution. Raises NotFound for any other, Forbidden."""
    if _institution_of_key(request).slug != slug:
        raise access.NotFound
    return access.institution_for(caller(request), slug, role)


def stream_for(request: Request, name: str, role: Role) -> Stream:
    """Return a recording stream of the key's own institution. Raises NotFound, Forbidden."""
    own = _institution_of_key(request)
    try:
        stream = institutions.stream(name)
    except institutions.UnknownStream as error:
        raise access.NotFound from error
    if stream.institution_id != own.pk or stream.purpose != StreamPurpose.RECORDING:
        raise access.NotFound
    access.institution_for(caller(request), own.slug, role)
    return stream


def entry_for(request: Request, index: int) -> EntryView:
    """Return an entry that the key's own institution recorded. Raises NotFound."""
    return access.entry_for_institution(caller(request), _institution_of_key(request).slug, index)


def learner_for(request: Request) -> Learner:
    """Return the learner whose own key it is. Raises NotFound."""
    return access.learner_for(caller(request))
