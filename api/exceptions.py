"""Every refusal as problem+json (RFC 9457): a stable code, the facts, and no internals."""

from __future__ import annotations

import logging
import math
import secrets
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse, JsonResponse
from django.utils.translation import get_language
from rest_framework import exceptions as drf
from rest_framework.response import Response

from api import keys
from api.parsers import BodyTooLarge
from api.titles import title
from certificates.operations import TranscriptUnknown
from creditbank.access import Forbidden, NotFound, note_denial
from creditbank.errors import DomainError, Problem, Refusals
from creditbank.recognition.register import problemwords
from creditbank.signer.client import SignerError

logger = logging.getLogger(__name__)

PROBLEM: Final = "application/problem+json"
RETRY_SECONDS: Final = 5
REFUSED: Final = 422

STATUS: Final[dict[str, int]] = {
    "not-found": 404,
    "unknown-entry": 404,
    "unknown-stream": 404,
    "unknown-institution": 404,
    "unknown-learner": 404,
    "unknown-key": 404,
    "unknown-rule": 404,
    "unknown-programme": 404,
    "unknown-simulation": 404,
    "checkpoint-missing": 404,
    "beyond-log": 404,
    "person-forgotten": 410,
    "duplicate-outcome": 409,
    "idempotency-key-reused": 409,
    "stream-forked": 409,
    "stream-gap": 409,
    "stale-previous-root": 409,
    "stream-mode": 409,
    "stream-closed": 409,
    "acts-on-invalid": 409,
    "account-overdrawn": 409,
    "nothing-new": 409,
    "draft-not-open": 409,
    "draft-being-recorded": 409,
    "version-exists": 409,
    "version-not-draft": 409,
    "version-not-filed": 409,
    "publication-underway": 409,
    "request-not-open": 409,
    "not-automatic": 409,
    "nothing-to-judge": 409,
    "decision-not-open": 409,
    "case-changed": 409,
    "decision-not-flagged": 409,
    "appeal-not-open": 409,
    "pre-approval-not-open": 409,
    "stage-not-yours": 403,
    "expert-needed": 403,
    "nothing-to-certify": 409,
    "transcript-not-ready": 409,
    "transcript-not-issued": 409,
    "transcript-at-work": 409,
    "submission-too-large": 413,
    "too-many-rows": 413,
    "not-yet-published": 503,
    "ledger-read-only": 503,
    "signer-unavailable": 503,
    "verifier-busy": 503,
}
"""The status of each code that is not 422: what is not here is a refusal of the content."""

FACTS: Final = frozenset(
    {
        "appeal",
        "bytes",
        "decision",
        "entries",
        "expected",
        "experts",
        "field",
        "first",
        "found",
        "group",
        "index",
        "indexes",
        "institution",
        "next_seq",
        "number",
        "outcome_kinds",
        "programme",
        "published",
        "reason",
        "request",
        "row",
        "rows",
        "rule",
        "size",
        "stage",
        "state",
        "stream",
        "value",
        "version",
        "years",
    }
)
"""The facts that go out. Anything else an error carries stays inside."""


class RequestInvalid(Refusals):
    """A request whose shape is wrong: every problem at once."""

    code = "request-invalid"


class HttpsRequired(drf.APIException):
    """Keys do not travel in clear."""

    status_code = 403
    default_code = "https-required"


class IdempotencyKeyMissing(DomainError):
    """A request that must not happen twice came without its key."""

    code = "idempotency-key-missing"


def status_of(error: DomainError) -> int:
    """Return the HTTP status of a domain error."""
    if error.code in STATUS:
        return STATUS[error.code]
    if isinstance(error, NotFound | TranscriptUnknown):
        return 404
    if isinstance(error, Forbidden):
        return 403
    return 400 if isinstance(error, IdempotencyKeyMissing) else REFUSED


# -- the body ---------------------------------------------------------------------------------
def problem_json(
    code: str,
    status: int,
    *,
    detail: str = "",
    facts: Mapping[str, object] | None = None,
    problems: Sequence[Problem] = (),
    incident: str = "",
) -> dict[str, Any]:
    """Return the members of a problem."""
    body: dict[str, Any] = {
        "type": f"{settings.PUBLIC_URL}/help/errors#{code}",
        "title": title(code, status),
        "status": status,
        "code": code,
    }
    if detail:
        body["detail"] = detail
    shown = {name: _plain(value) for name, value in (facts or {}).items() if name in FACTS}
    if shown:
        body["facts"] = shown
    if problems:
        body["problems"] = [problem_of(problem) for problem in problems]
    if incident:
        body["incident"] = incident
    return body


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return str(value)


def problem_of(problem: Problem) -> dict[str, Any]:
    """Return one problem as an answer lists it, in the reader's language."""
    return {
        "code": problem.code,
        "row": problem.row,
        "field": problem.field,
        "value": problem.value,
        "expected": problemwords.expected(problem),
        "message": problemwords.message(problem),
    }


def _headers(status: int, wait: float | None = None) -> dict[str, str]:
    headers = {"Cache-Control": "no-store", "Content-Language": get_language() or "zh-hans"}
    if status == 503:
        headers["Retry-After"] = str(RETRY_SECONDS)
    if wait is not None:
        headers["Retry-After"] = str(max(1, math.ceil(wait)))
    return headers


def _answer(body: dict[str, Any], wait: float | None = None) -> Response:
    status = body["status"]
    return Response(body, status=status, headers=_headers(status, wait), content_type=PROBLEM)


def plain_answer(code: str, status: int) -> HttpResponse:
    """Return a problem outside of any API view, as for an address that is none."""
    return JsonResponse(
        problem_json(code, status),
        status=status,
        headers=_headers(status),
        content_type=PROBLEM,
        json_dumps_params={"ensure_ascii": False},
    )


# -- from errors ------------------------------------------------------------------------------
def problem_handler(error: Exception, context: dict[str, Any]) -> Response:
    """Answer any exception of a view: known ones by their code, the rest with an incident number."""
    if isinstance(error, DomainError):
        request = context.get("request")
        match = getattr(request, "resolver_match", None)
        user = getattr(request, "user", None)
        note_denial(error, user, where=match.view_name if match else "")
        return _domain(error)
    if isinstance(error, SignerError):
        # Whatever the signer said is between us: the client can only come back.
        return _ours("signer-unavailable", 503, error)
    if isinstance(error, OperationalError | InterfaceError):
        return _ours("service-unavailable", 503, error)
    if isinstance(error, Http404):
        return _answer(problem_json("not-found", 404))
    if isinstance(error, PermissionDenied):
        return _answer(problem_json("forbidden", 403))
    if isinstance(error, RequestDataTooBig):
        return _answer(problem_json("body-too-large", 413))
    if isinstance(error, drf.APIException):
        return _framework(error)
    return _ours("internal-error", 500, error)


def _domain(error: DomainError) -> Response:
    status = status_of(error)
    if status >= 500:
        return _ours(error.code, status, error, facts=error.facts)
    problems = error.problems if isinstance(error, Refusals) else ()
    return _answer(
        problem_json(error.code, status, detail=error.message, facts=error.facts, problems=problems)
    )


def _ours(
    code: str, status: int, error: Exception, *, facts: Mapping[str, object] | None = None
) -> Response:
    """Answer what is our own fault; log where it happened, never what was being handled."""
    incident = secrets.token_hex(4)
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames[-8:]))
    level = logging.ERROR if status == 500 else logging.WARNING
    logger.log(level, "incident %s: %s %s at %s", incident, code, type(error).__name__, where)
    return _answer(problem_json(code, status, facts=facts, incident=incident))


def _framework(error: drf.APIException) -> Response:
    if isinstance(error, drf.ValidationError):
        return _domain(RequestInvalid(list(_invalid(error.get_full_details()))))
    code, facts = _code_of(error)
    wait = getattr(error, "wait", None) if isinstance(error, drf.Throttled) else None
    answer = _answer(problem_json(code, error.status_code, facts=facts), wait)
    challenge = getattr(error, "auth_header", None)
    if challenge:
        answer["WWW-Authenticate"] = challenge
    return answer


def _code_of(error: drf.APIException) -> tuple[str, dict[str, object]]:
    if isinstance(error, drf.ParseError):
        code = error.get_codes()
        return (code if isinstance(code, str) else "request-invalid"), {}
    if isinstance(error, BodyTooLarge):
        return error.default_code, {"expected": error.limit}
    if isinstance(error, HttpsRequired):
        return error.default_code, {}
    known: dict[type[drf.APIException], str] = {
        drf.UnsupportedMediaType: "media-type-unsupported",
        drf.MethodNotAllowed: "method-not-allowed",
        drf.NotAuthenticated: "api-key-missing",
        drf.AuthenticationFailed: keys.KeyRefused.code,
        drf.PermissionDenied: "forbidden",
        drf.NotFound: "not-found",
        drf.Throttled: "throttled",
    }
    return known.get(type(error), "request-invalid"), {}


def _invalid(details: Any, path: tuple[str | int, ...] = ()) -> Iterator[Problem]:
    """Flatten a serializer's errors: one problem each, with the row where there are rows."""
    if isinstance(details, Mapping) and {"message", "code"} == details.keys():
        rows = [step for step in path if isinstance(step, int)]
        names = [step for step in path if isinstance(step, str) and step != "non_field_errors"]
        yield Problem(
            code=str(details["code"]).replace("_", "-"),
            row=rows[0] + 1 if rows else None,
            field=names[-1] if names else None,
            message=str(details["message"]),
        )
    elif isinstance(details, Mapping):
        for name, inner in details.items():
            yield from _invalid(inner, (*path, name))
    elif isinstance(details, Sequence) and not isinstance(details, str):
        many = any(
            isinstance(inner, Mapping) and {"message", "code"} != inner.keys() for inner in details
        )
        for position, inner in enumerate(details):
            yield from _invalid(inner, (*path, position) if many else path)
