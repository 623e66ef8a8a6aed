"""The outcome catalogue, as the program that signs offline reads it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import BankView
from api.exceptions import REFUSED
from api.serializers import CatalogueItemSerializer, OnDaySerializer
from api.throttling import Limit
from creditbank.clock import today
from creditbank.institutions import queries as institutions
from creditbank.institutions.models import CatalogueItem


class CatalogueView(BankView):
    """What can be recorded on a day, by code and version."""

    public = True
    limit = Limit(scope="catalogue", anonymous=60, keyed=300)
    errors = (REFUSED,)
    operation = "get_catalogue"
    components = (CatalogueItemSerializer,)
    cached_for = 60

    @extend_schema(
        tags=["catalogue"],
        summary=_("学习成果名录"),
        description=_("以“编码/版本”为名称的对象，即签名程序的 CATALOGUE.json。"),
        parameters=[OnDaySerializer],
        responses={
            200: OpenApiResponse(
                {
                    "type": "object",
                    "additionalProperties": {"$ref": "#/components/schemas/CatalogueItem"},
                }
            )
        },
    )
    def get(self, request: Request) -> Response:
        """Return the catalogue on a day; without one, today's."""
        asked = OnDaySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        items = institutions.catalogue(asked.validated_data.get("on") or today())
        return Response({f"{item.code}/{item.version}": item_json(item) for item in items})


def item_json(item: CatalogueItem) -> dict[str, Any]:
    """Return a catalogue item as the signing program reads it."""
    return {
        "item": item.code,
        "item_version": item.version,
        "kind": item.kind,
        "title": item.title,
        "title_en": item.title_en,
        "body": item.body_uscc,
        "body_name": item.body_name,
        "credits": str(item.approved_credits),
        "framework": item.framework,
        "level": item.level,
        "category": item.category,
        "institution": item.institution.slug,
        "valid_from": item.valid_from.isoformat(),
        "valid_until": item.valid_until.isoformat() if item.valid_until else None,
    }
