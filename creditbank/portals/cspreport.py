"""Where browsers tell that a page's Content-Security-Policy refused something."""

from __future__ import annotations

import json
import logging
import re
from typing import Any, Final
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from creditbank.portals.ratelimit import limited

log = logging.getLogger(__name__)

BYTES_MAX: Final = 16_384
LIMIT: Final = 30
_DIRECTIVE: Final = re.compile(r"[a-z-]{3,40}")
_WORD: Final = re.compile(r"[a-z-]{1,20}")


@csrf_exempt
@require_POST
@limited(scope="csp", limit=LIMIT)
def report(request: HttpRequest) -> HttpResponse:
    """Log which directive refused what from where: hosts alone, since addresses may hold more.

    Anybody can write here; so what does not look like a directive or a host is
    not repeated, and nothing but the log learns of it.
    """
    if int(request.META.get("CONTENT_LENGTH") or 0) > BYTES_MAX:
        return HttpResponse(status=413)
    try:
        told: Any = json.loads(request.body)
        members = told["csp-report"]
        directive = str(members.get("effective-directive") or members.get("violated-directive"))
        blocked = _host(str(members.get("blocked-uri", "")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return HttpResponse(status=400)
    name = directive.partition(" ")[0]
    log.warning("csp: %s refused %s", name if _DIRECTIVE.fullmatch(name) else "?", blocked)
    return HttpResponse(status=204)


def _host(uri: str) -> str:
    if _WORD.fullmatch(uri):
        return uri
    try:
        return urlsplit(uri).hostname or "?"
    except ValueError:
        return "?"


urlpatterns = [path("csp", report, name="csp_report")]
