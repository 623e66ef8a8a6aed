"""The public register of institutions."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import BankView
from api.serializers import InstitutionsSerializer
from api.throttling import Limit
from creditbank.institutions import queries
from creditbank.institutions.models import Institution
from creditbank.institutions.queries import StreamKeys


class InstitutionsView(BankView):
    """Every institution, with its streams."""

    public = True
    limit = Limit(scope="institutions", anonymous=60, keyed=300)
    operation = "list_institutions"
    cached_for = 60

    @extend_schema(
        tags=["institutions"],
        summary=_("办学机构名册"),
        responses={200: InstitutionsSerializer},
    )
    def get(self, request: Request) -> Response:
        """Return the register."""
        streams: dict[str, list[StreamKeys]] = {}
        for stream in queries.stream_keys():
            streams.setdefault(stream.uscc, []).append(stream)
        found = queries.institutions()
        return Response(
            {"institutions": [_institution(one, streams.get(one.uscc, [])) for one in found]}
        )


def _institution(institution: Institution, streams: list[StreamKeys]) -> dict[str, Any]:
    region = institution.region
    return {
        "slug": institution.slug,
        "name": institution.name,
        "name_en": institution.name_en,
        "name_ko": institution.name_ko,
        "kind": institution.kind,
        "uscc": institution.uscc,
        "region": {"code": region.code, "name": region.name, "name_en": region.name_en},
        "industry": institution.industry.code if institution.industry else None,
        "status": institution.status,
        "opened_on": institution.opened_on.isoformat(),
        "streams": [
            {
                "name": stream.stream,
                "mode": stream.mode,
                "active": any(key.in_force for key in stream.keys),
            }
            for stream in streams
        ],
    }
