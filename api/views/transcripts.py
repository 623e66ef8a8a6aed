"""A learner's own transcripts: requested, followed, fetched."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import permissions
from api.base import BankView
from api.models import Scope
from api.serializers import TranscriptRequestSerializer, TranscriptSerializer, TranscriptsSerializer
from api.throttling import Limit
from certificates import operations, queries
from certificates.models import Transcript

NUMBER = OpenApiParameter(
    name="number",
    location=OpenApiParameter.PATH,
    type={"type": "string", "pattern": "^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$"},
    description=_("证明编号"),
)


class TranscriptsView(BankView):
    """The learner's transcripts."""

    scope = Scope.TRANSCRIPTS
    limit = Limit(scope="transcripts", anonymous=10, keyed=60)
    errors = (404, 410)
    operation = "list_transcripts"
    operation_post = "request_transcript"

    def errors_of(self, method: str) -> tuple[int, ...]:
        """A request may also find nothing to certify."""
        return (*super().errors_of(method), *((409,) if method == "POST" else ()))

    @extend_schema(tags=["me"], summary=_("本人的学分证明"), responses={200: TranscriptsSerializer})
    def get(self, request: Request) -> Response:
        """Return the learner's transcripts, newest first."""
        learner = permissions.learner_for(request)
        found = queries.transcripts_of(learner)
        return Response({"transcripts": [transcript_json(one) for one in found]})

    @extend_schema(
        tags=["me"],
        summary=_("申请学分证明"),
        description=_("已有一份正在制作时，返回那一份。"),
        request=TranscriptRequestSerializer,
        responses={202: TranscriptSerializer},
    )
    def post(self, request: Request) -> Response:
        """Request a transcript."""
        learner = permissions.learner_for(request)
        asked = TranscriptRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made = operations.request_transcript(
            learner=learner,
            acting_user=permissions.caller(request),
            indexes=asked.validated_data.get("indexes"),
        )
        return Response(
            transcript_json(made),
            status=202,
            headers={"Location": f"/api/v1/me/transcripts/{made.number}"},
        )


class _OneTranscriptView(BankView):
    scope = Scope.TRANSCRIPTS
    limit = Limit(scope="transcript", anonymous=60, keyed=300)
    errors: ClassVar[tuple[int, ...]] = (404, 410)

    def transcript(self, request: Request, number: str) -> Transcript:
        """Return the learner's own transcript. Raises TranscriptUnknown."""
        return queries.transcript_of(permissions.learner_for(request), number)


class TranscriptView(_OneTranscriptView):
    """One transcript."""

    operation = "get_transcript"

    @extend_schema(
        tags=["me"],
        summary=_("一份学分证明的现状"),
        parameters=[NUMBER],
        responses={200: TranscriptSerializer},
    )
    def get(self, request: Request, number: str) -> Response:
        """Return where a transcript stands."""
        return Response(transcript_json(self.transcript(request, number)))


class TranscriptPdfView(_OneTranscriptView):
    """The signed PDF."""

    operation = "get_transcript_pdf"
    errors = (404, 409, 410)

    @extend_schema(
        tags=["me"],
        summary=_("学分证明的 PDF"),
        parameters=[NUMBER],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, number: str) -> HttpResponse:
        """Return the signed PDF."""
        data = queries.pdf(self.transcript(request, number))
        return _file(data, "application/pdf", f"{number}.pdf")


class TranscriptJsonView(_OneTranscriptView):
    """The signed credential."""

    operation = "get_transcript_json"
    errors = (404, 409, 410)

    @extend_schema(
        tags=["me"],
        summary=_("学分证明的可验证凭证（ClrCredential）"),
        parameters=[NUMBER],
        responses={200: OpenApiResponse(OpenApiTypes.OBJECT)},
    )
    def get(self, request: Request, number: str) -> HttpResponse:
        """Return the signed document, byte for byte as it was signed."""
        data = queries.json(self.transcript(request, number))
        return _file(data, "application/json", f"{number}.json")


def _file(data: bytes, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def transcript_json(transcript: Transcript) -> dict[str, Any]:
    """Return where a transcript stands; link and code for its holder, once it is ready."""
    ready = transcript.is_ready
    token = queries.verify_token(transcript) if ready else ""
    successor = transcript.successor
    return {
        "number": transcript.number,
        "state": transcript.state,
        "ready": ready,
        "requested_at": transcript.requested_at,
        "issued_on": transcript.issued_on,
        "register_index": transcript.register_index,
        "revoked_index": transcript.revoked_index,
        "revoked_for": transcript.revoked_for,
        "successor": successor.number if successor else None,
        "error_code": transcript.job.error_code if transcript.job else "",
        "verify_url": f"{settings.PUBLIC_URL}/v/{token}" if ready else None,
        "verification_code": queries.printed_code(transcript) if ready else None,
    }
