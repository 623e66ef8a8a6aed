"""The schema (OpenAPI 3.1) and its pages, both without any other host."""

from __future__ import annotations

import functools
from typing import Any, Final

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import include, path
from django.utils.decorators import method_decorator
from django.utils.translation import get_language, override
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.views import APIView

from api.permissions import Anyone

RELAXED: Final = {"style-src": [UNSAFE_INLINE], "img-src": ["data:"]}
"""What the documentation's script needs: a style of its own, and pictures in it."""


@functools.cache
def schema_bytes(language: str) -> bytes:
    """Return the schema in a language. It changes with the code alone, so it is made once."""
    with override(language):
        patterns = [path("api/", include("api.urls"))]
        generator: Any = SchemaGenerator
        made = generator(patterns=patterns).get_schema(request=None, public=True)
        rendered: bytes = OpenApiJsonRenderer().render(made, renderer_context={})
    return rendered


class SchemaView(APIView):
    """The schema."""

    schema = None
    authentication_classes = []
    permission_classes = [Anyone]
    http_method_names = ["get", "head"]

    def get(self, request: Request) -> HttpResponse:
        """Return the schema as JSON, its texts in the reader's language."""
        response = HttpResponse(
            schema_bytes(get_language() or "zh-hans"),
            content_type="application/vnd.oai.openapi+json",
        )
        response["Cache-Control"] = "public, max-age=60"
        return response


@method_decorator(csp_update(RELAXED), name="dispatch")
class DocsView(SpectacularSwaggerSplitView):
    """The documentation, to be read and tried."""

    url_name = "api_schema"
    url_self = "/api/docs"
    title = "API"
    template_name = "api/docs.html"
    template_name_js = "api/docs.js"
    authentication_classes: list[type] = []
    permission_classes = [Anyone]
    http_method_names = ["get", "head"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Serve the page or its script."""
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response
