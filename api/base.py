"""What all views of the API share: one representation, a scope, a limit, documented errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, Literal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from api.exceptions import PROBLEM, REFUSED, HttpsRequired, plain_answer
from api.models import Scope
from api.permissions import Anyone, KeyWithScope
from api.serializers import ProblemSerializer
from api.throttling import Counted, Limit
from api.titles import BY_STATUS

ALWAYS: Final = (401, 429, 500, 503)
"""Any address answers these: a key that opens nothing, too many requests, our own faults."""


class OneRepresentation(DefaultContentNegotiation):
    """Answer in the one form there is, whatever `Accept` says (RFC 9110, section 12.4.1)."""

    def select_renderer(
        self,
        request: Request,
        renderers: Sequence[BaseRenderer],  # type: ignore[override]
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """Return the first renderer."""
        return renderers[0], renderers[0].media_type or ""

    def select_parser(
        self,
        request: Request,
        parsers: Sequence[BaseParser],  # type: ignore[override]
    ) -> BaseParser | None:
        """Return the parser of exactly the request's content type, or None."""
        given = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == given), None)


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema names the keys."""

    target_class = "api.authentication.ApiKeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the security scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "llcb_<prefix>.<secret>"}


class BankSchema(AutoSchema):
    """Adds to each operation the errors it can answer with, all in one form."""

    view: BankView  # type: ignore[override]

    def _get_response_bodies(
        self, direction: Literal["request", "response"] = "response"
    ) -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for serializer in self.view.components:
            self.resolve_serializer(serializer, "response")
        reference = self.resolve_serializer(ProblemSerializer, "response").ref
        for status in sorted({*ALWAYS, *self.view.errors_of(self.method)}):
            body: dict[str, Any] = {
                "description": str(BY_STATUS[status]),
                "content": {PROBLEM: {"schema": reference}},
            }
            if status in (429, 503):
                body["headers"] = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}}}
            bodies[str(status)] = body
        return bodies

    def get_operation_id(self) -> str:
        """Return the view's own name for the operation: stable, since clients are made from it."""
        view = self.view
        return str(view.operation_post if self.method == "POST" else view.operation)

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Return the security requirement: a key, or for what is public a key or none."""
        super().get_auth()  # names the scheme among the components
        needed: list[dict[str, list[str]]] = [{"key": []}]
        return [{}, *needed] if self.view.public else needed


class BankView(APIView):
    """A view of the API.

    `scope` is what a key must have; a `public` view needs none, and counts a key
    that has it by the key. `errors` are the statuses it answers besides `ALWAYS`.
    """

    public: ClassVar[bool] = False
    scope: ClassVar[Scope | None] = None
    scope_post: ClassVar[Scope | None] = None
    """What a POST needs instead, where it needs something else than a GET."""
    limit: ClassVar[Limit] = Limit(scope="other", anonymous=60, keyed=300)
    errors: ClassVar[tuple[int, ...]] = ()
    operation: ClassVar[str] = ""
    operation_post: ClassVar[str] = ""
    components: ClassVar[tuple[type[Serializer[Any]], ...]] = ()
    """What a response's own schema refers to."""
    cached_for: ClassVar[int] = 0
    """Seconds that caches may keep an answer; 0 for what only the key's owner may see."""

    schema = BankSchema()
    metadata_class = None
    content_negotiation_class = OneRepresentation
    throttle_classes = [Counted]
    http_method_names = ["get", "head", "post"]

    def scope_of(self, method: str | None) -> Scope | None:
        """Return the scope that a key must have for a method."""
        return self.scope_post or self.scope if method == "POST" else self.scope

    def errors_of(self, method: str) -> tuple[int, ...]:
        """Return the statuses of errors that a method answers, besides those of all views."""
        own = () if self.public else (403,)
        return (*own, *self.errors, *((400, 413, 415, REFUSED) if method == "POST" else ()))

    def get_permissions(self) -> list[BasePermission]:
        """Return who may ask: anyone for what is public, else a key with the scope."""
        return [Anyone()] if self.public else [KeyWithScope()]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse clear text where the bank is reached by TLS, then go the usual way."""
        if settings.SECURE and not request.is_secure():
            raise HttpsRequired
        super().initial(request, *args, **kwargs)

    def finalize_response(
        self, request: Request, response: HttpResponse, *args: Any, **kwargs: Any
    ) -> Response:
        """Say who may keep the answer."""
        answer: Response = super().finalize_response(
            request,
            response,  # type: ignore[arg-type]
            *args,
            **kwargs,
        )
        if "Cache-Control" not in answer:
            answer["Cache-Control"] = (
                f"public, max-age={self.cached_for}" if self.cached_for else "no-store"
            )
        return answer


@csrf_exempt
def no_such_address(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    """Answer for an address that the API does not have."""
    return plain_answer("not-found", 404)
