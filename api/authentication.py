"""Who asks: the key in the Authorization header, and nothing else."""

from __future__ import annotations

from typing import Final

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from api import keys, throttling
from api.models import ApiKey
from creditbank import counting
from creditbank.securitylog import operations as security
from creditbank.securitylog.kinds import EventKind
from creditbank.users.models import User

SCHEME: Final = "Bearer"
FAILURES_A_MINUTE: Final = 30


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer llcb_...` (RFC 6750, section 2.1). A session says nothing here."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        """Return the person a key acts for, and the key; None without the header.

        A key that opens nothing is refused also where none is needed: a program
        should learn that its key has expired before it depends on it.
        """
        header = get_authorization_header(request)
        if not header:
            return None
        scheme, _blank, token = header.partition(b" ")
        try:
            if scheme.lower() != SCHEME.lower().encode():
                raise keys.KeyRefused
            key = keys.authenticate(token.strip().decode("ascii", "replace"))
        except keys.KeyRefused as error:
            _note_refusal(request, token)
            wait = throttling.count(
                scope="refused-keys",
                who=counting.address_of(request.META),
                limit=FAILURES_A_MINUTE,
            )
            if wait is not None:
                raise Throttled(wait) from error
            raise AuthenticationFailed(code=error.code) from error
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401 answer."""
        return 'Bearer realm="creditbank"'


def _note_refusal(request: Request, token: bytes) -> None:
    """Tell the security log which key was refused (its public prefix), and from where (a digest)."""
    prefix = keys.prefix_of(token.strip().decode("ascii", "replace"))
    address = security.digest("address", counting.address_of(request.META))
    security.record(EventKind.API_KEY_REFUSED, actor=None, key=prefix, address=address)
