"""A stream: where it stands, what is resolved for it, what is submitted to it."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, OpenApiRequest, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import permissions
from api.base import BankView
from api.models import Scope
from api.parsers import SubmissionParser
from api.queries import b64, receipt_json, signing_keys
from api.requests import raw_rows
from api.serializers import (
    OutcomeRowsSerializer,
    ReceiptSerializer,
    ResolvedSerializer,
    StreamSerializer,
)
from api.throttling import Limit
from creditbank.errors import DomainError
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import Role, StreamMode
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from creditbank.ledger import submissions
from creditbank.ledger.numbers import format_account
from creditbank.recording import operations as recording
from creditbank.recording.checks import Unchanged
from creditbank.recording.resolving import ResolvedRow

PUBLISH_SECONDS: Final = 10.0
NAME_PATTERN: Final = "[a-z0-9][a-z0-9.-]{0,62}(?:/[a-z0-9][a-z0-9.-]{0,40}){1,2}"
NAME: Final = OpenApiParameter(
    name="name",
    location=OpenApiParameter.PATH,
    type={"type": "string", "pattern": f"^{NAME_PATTERN}$"},
    description="域名/名称",
)


class OtherStream(DomainError):
    """The submission's manifest is of another stream than the address."""

    code = "submission-stream"


class StreamView(BankView):
    """Where a stream stands."""

    public = True
    limit = Limit(scope="streams", anonymous=120, keyed=600)
    errors = (404,)
    operation = "get_stream"

    @extend_schema(
        tags=["streams"],
        summary=_("序列的现状：下一个序号、上一份清单的根、密钥"),
        parameters=[NAME],
        responses={200: StreamSerializer},
    )
    def get(self, request: Request, name: str) -> Response:
        """Return what the next manifest must name, and the stream's keys."""
        stream = institutions.stream(name)
        next_seq, previous = entries.stream_head(name)
        return Response(
            {
                "name": stream.name,
                "mode": stream.mode,
                "active": stream.active,
                "institution": stream.institution.slug if stream.institution else "",
                "next_seq": next_seq,
                "previous": previous.hex(),
                "keys": signing_keys(name),
            }
        )


class SubmissionsView(BankView):
    """Submissions that an institution signed with its own key."""

    scope = Scope.SUBMIT
    limit = Limit(scope="submit", anonymous=60, keyed=600)
    errors = (404, 409)
    operation_post = "submit"
    parser_classes = [SubmissionParser]

    @extend_schema(
        tags=["streams"],
        summary=_("报送自持密钥签名的清单"),
        description=_(
            "正文是签名程序写出的字节。全部接受或全部不接受；同一份再次报送，返回第一次的回执。"
            "201：已公布；202：已登记，尚待公布。"
        ),
        parameters=[NAME],
        request=OpenApiRequest({"type": "string", "format": "binary"}),
        responses={201: ReceiptSerializer, 202: ReceiptSerializer},
    )
    def post(self, request: Request, name: str) -> Response:
        """Enter a submission and return its receipt."""
        stream = permissions.stream_for(request, name, Role.CLERK)
        given: object = request.data
        data = given if isinstance(given, bytes) else b""
        found = submissions.parse(data).manifest.stream
        if found != stream.name:
            raise OtherStream(
                gettext("清单所写的序列与网址不同。"), found=found[:120], expected=stream.name
            )
        receipt = ledger.record_submission(data=data)
        try:
            entries.wait_until_published(receipt.size, timeout=PUBLISH_SECONDS)
        except entries.NotYetPublished:
            status = 202
        else:
            status = 201
        return Response(
            receipt_json(receipt),
            status=status,
            headers={"Location": f"/api/v1/receipts/{receipt.first_index}"},
        )


class ResolveView(BankView):
    """Identities in, account numbers out, for an institution that signs itself."""

    scope = Scope.RESOLVE
    limit = Limit(scope="resolve", anonymous=10, keyed=60)
    errors = (404, 409)
    operation_post = "resolve"

    @extend_schema(
        tags=["streams"],
        summary=_("以证件号码查询账号，供离线签名"),
        description=_(
            "为尚无账户的人开立待认领账户。所有行的问题一次列出；有问题时不开户。"
            "重修的课程：较好的一次附有须先冲正的分录（reverses），不较好的一次以 0 学分和学期记入。"
        ),
        parameters=[NAME],
        request=OutcomeRowsSerializer,
        responses={200: ResolvedSerializer},
    )
    def post(self, request: Request, name: str) -> Response:
        """Resolve rows for the stream."""
        stream = permissions.stream_for(request, name, Role.CLERK)
        if stream.mode != StreamMode.OWN:
            raise ledger.StreamMode(stream=stream.name, expected="own")
        asked = OutcomeRowsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        assert stream.institution is not None
        resolved = recording.resolve_identities(
            institution=stream.institution,
            stream=stream,
            rows=raw_rows(asked.validated_data["rows"]),
            acting_users=[permissions.caller(request)],
        )
        next_seq, previous = entries.stream_head(name)
        return Response(
            {
                "rows": [_row(row) for row in resolved.rows],
                "unchanged": [_unchanged(row) for row in resolved.unchanged],
                "next_seq": next_seq,
                "previous": previous.hex(),
            }
        )


def _row(row: ResolvedRow) -> dict[str, Any]:
    outcome, result, reference = row.outcome, row.result, row.reference
    reverses = None
    if row.reverses is not None:
        index, leaf, quantity = row.reverses
        reverses = {"index": index, "leaf": b64(leaf), "quantity": quantity}
    return {
        "row": row.row,
        "account": row.account,
        "waiting": row.waiting,
        "u": row.u,
        "credits": str(row.credits),
        "item": outcome.item,
        "item_version": outcome.item_version,
        "completed_on": outcome.completed_on.isoformat(),
        "valid_until": outcome.valid_until.isoformat() if outcome.valid_until else None,
        "grade": result.grade,
        "score": result.score,
        "hours": result.hours,
        "certificate": reference.certificate,
        "batch": reference.batch,
        "occurrence": reference.occurrence,
        "retake": row.retake,
        "reverses": reverses,
    }


def _unchanged(row: Unchanged) -> dict[str, Any]:
    return {"row": row.row.number, "account": format_account(row.account), "index": row.index}
