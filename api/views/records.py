"""Recording for an institution whose key the bank keeps: rows in, a draft for a second person."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import permissions, requests
from api.base import BankView
from api.models import Scope
from api.queries import receipt_json
from api.serializers import DraftSerializer, OutcomeRowsSerializer
from api.throttling import Limit
from creditbank import access
from creditbank.institutions.kinds import Role
from creditbank.recording import queries as recording
from creditbank.recording.models import Draft

SLUG = OpenApiParameter(
    name="slug",
    location=OpenApiParameter.PATH,
    type={"type": "string", "pattern": "^[a-z0-9-]{1,40}$"},
)
IDEMPOTENCY_KEY = OpenApiParameter(
    name="Idempotency-Key",
    location=OpenApiParameter.HEADER,
    required=True,
    type={"type": "string", "pattern": "^[!-~]{1,100}$"},
    description=_("每个请求一个，不重复；同一个请求重发时不变。"),
)
DRAFT = OpenApiParameter(
    name="draft", location=OpenApiParameter.PATH, type={"type": "string", "format": "uuid"}
)


class RecordsView(BankView):
    """Rows for a hosted stream."""

    scope = Scope.RECORD
    limit = Limit(scope="record", anonymous=10, keyed=120)
    errors = (404, 409)
    operation_post = "record"

    @extend_schema(
        tags=["records"],
        summary=_("提交成果，待另一人复核"),
        description=_(
            "所有行一次检查，有任何问题则全部不收。复核由机构的另一位成员在网页上进行；"
            "复核后可从草稿取得回执。"
        ),
        parameters=[SLUG, IDEMPOTENCY_KEY],
        request=OutcomeRowsSerializer,
        responses={202: DraftSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Hand rows to the institution's reviewers."""
        institution = permissions.institution_for(request, slug, Role.CLERK)
        key = requests.read_key(request.headers.get("Idempotency-Key", ""))
        asked = OutcomeRowsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        user = permissions.caller(request)
        draft = requests.submit_rows(
            institution=institution,
            stream=access.stream_for_recording(user, institution, ()),
            rows=asked.validated_data["rows"],
            key=key,
            acting_user=user,
        )
        return Response(
            draft_json(draft),
            status=202,
            headers={"Location": f"/api/v1/institutions/{slug}/drafts/{draft.pk}"},
        )


class DraftView(BankView):
    """What became of a draft."""

    scope = Scope.RECORD
    limit = Limit(scope="drafts", anonymous=60, keyed=600)
    errors = (404,)
    operation = "get_draft"

    @extend_schema(
        tags=["records"],
        summary=_("草稿的现状与回执"),
        parameters=[SLUG, DRAFT],
        responses={200: DraftSerializer},
    )
    def get(self, request: Request, slug: str, draft: uuid.UUID) -> Response:
        """Return a draft's state, and its receipt once it was recorded."""
        institution = permissions.institution_for(request, slug, Role.CLERK)
        return Response(draft_json(recording.draft(institution, draft)))


def draft_json(draft: Draft) -> dict[str, Any]:
    """Return a draft without its rows: those name people, and the client has them."""
    receipt = recording.receipt_of(draft)
    return {
        "id": str(draft.pk),
        "state": draft.state,
        "rows": draft.rows,
        "stream": draft.stream.name,
        "created_at": draft.created_at,
        "submitted_at": draft.submitted_at,
        "decided_at": draft.decided_at,
        "refused_reason": draft.refused_reason,
        "receipt": None if receipt is None else receipt_json(receipt),
    }
