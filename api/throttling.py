"""How often a program may ask: with a key by the key, without one by its address.

DRF's own throttles read, decide and write; two requests at once both pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from api.models import ApiKey
from creditbank import counting

if TYPE_CHECKING:
    # The framework's views load this module while they are being loaded.
    from rest_framework.views import APIView


def count(*, scope: str, who: str, limit: int) -> int | None:
    """Count one request; return the seconds to wait beyond the limit, else None."""
    return counting.count(scope=f"api/{scope}", who=who, limit=limit)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Requests a minute: from one address without a key, and with one key of the scope."""

    scope: str
    anonymous: int
    keyed: int


class Counted(BaseThrottle):
    """Counts a request against its view's limit."""

    def __init__(self) -> None:
        self._wait: int | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request and say whether it may pass."""
        limit: Limit = view.limit  # type: ignore[attr-defined]
        key = request.auth
        needed = view.scope_of(request.method)  # type: ignore[attr-defined]
        if isinstance(key, ApiKey) and needed in (None, *key.scopes):
            self._wait = count(scope=limit.scope, who=f"key {key.pk}", limit=limit.keyed)
        else:
            address = counting.address_of(request.META)
            self._wait = count(scope=limit.scope, who=address, limit=limit.anonymous)
        return self._wait is None

    def wait(self) -> float | None:
        """Return the seconds until the next minute."""
        return self._wait
