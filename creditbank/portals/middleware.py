"""What every page shares: a session's absolute age, and domain errors told as pages."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from typing import ClassVar, Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from creditbank.access import Forbidden, note_denial
from creditbank.errors import DomainError
from creditbank.signer.client import SignerUnavailable

log = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]

NOT_FOUND: Final = frozenset(
    {"not-found", "unknown-entry", "checkpoint-missing", "unknown-stream", "unknown-account"}
)
UNAVAILABLE: Final = frozenset({"signer-unavailable", "not-yet-published", "ledger-read-only"})


class SigningUnavailable(DomainError):
    """The signing process does not answer just now; nothing was entered."""

    code: ClassVar[str] = "signer-unavailable"


def limit_of(user: object) -> int:
    """Return how long a session of a user may last in all, in seconds: a working day for staff."""
    ages: dict[str, int] = settings.SESSION_ABSOLUTE_AGE
    return ages["staff" if getattr(user, "is_staff", False) else "learner"]


class SessionAgeMiddleware:
    """End a session that is older than its absolute limit, however busy it has been."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Sign the person out when the session began too long ago."""
        if request.user.is_authenticated:
            began = request.session.get("began")
            if began is None:
                request.session["began"] = int(time.time())
            elif time.time() - began > limit_of(request.user):
                logout(request)
        return self._get_response(request)


class DomainErrorMiddleware:
    """Answer a domain error with a page: what happened, whose move it is, an incident number."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Turn a DomainError into a page; leave all else to Django."""
        if isinstance(error, SignerUnavailable):
            error = SigningUnavailable(str(error))
        if not isinstance(error, DomainError):
            return None
        if error.code == "second-factor-required":
            messages.warning(request, error.message)
            return redirect("mfa_index")
        if error.code == "sign-in-required":
            return redirect(f"{settings.LOGIN_URL}?next={request.path}")
        match = request.resolver_match
        note_denial(error, request.user, where=match.view_name if match else "")
        incident = secrets.token_hex(4)
        status = status_of(error)
        log.info("%s %s incident %s", error.code, status, incident)
        template = f"{status}.html" if status in (403, 404) else "error.html"
        context = {"error": error, "code": error.code, "incident": incident, "status": status}
        return render(request, template, context, status=status)


def status_of(error: DomainError) -> int:
    """Return the HTTP status a page answers a domain error with."""
    if error.code in NOT_FOUND:
        return 404
    if isinstance(error, Forbidden):
        return 403
    if error.code in UNAVAILABLE:
        return 503
    return 409
