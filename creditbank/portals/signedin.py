"""Who asks, on a page for those who have signed in."""

from __future__ import annotations

from django.http import HttpRequest

from creditbank.users.models import User


def signed_in(request: HttpRequest) -> User:
    """Return the user of a request behind `login_required`."""
    assert isinstance(request.user, User)
    return request.user
