"""Verification of a transcript by a stranger's program."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import BankView
from api.exceptions import REFUSED
from api.models import Scope
from api.parsers import (
    CredentialParser,
    Document,
    JSONDocumentParser,
    LinkedDataParser,
    OctetsParser,
    PdfParser,
)
from api.serializers import NumberAndCodeSerializer, VerificationSerializer
from api.throttling import Limit
from certificates import codes, verification
from certificates.documents import TranscriptData
from certificates.models import VerifiedBy
from certificates.report import CODES
from certificates.verification import Verified
from creditbank.clock import now
from creditbank.errors import DomainError

TYPO = "V-TYPO"


class FileEmpty(DomainError):
    """There is no file in the request."""

    code = "file-empty"


class VerifyView(BankView):
    """The seven checks, by number and code or by file."""

    public = True
    scope = Scope.VERIFY
    limit = Limit(scope="verify", anonymous=20, keyed=120)
    errors = (REFUSED,)
    operation_post = "verify"
    parser_classes = [
        JSONDocumentParser,
        PdfParser,
        CredentialParser,
        LinkedDataParser,
        OctetsParser,
    ]

    @extend_schema(
        tags=["verify"],
        summary=_("核验学分证明"),
        description=_(
            "正文为 {number, code}，或者证明文件本身：PDF，或 JSON（可验证凭证）。"
            "文件只核验，不保存。结论见 code；“无法核实”不等于“无效”。"
        ),
        request={
            "application/json": NumberAndCodeSerializer,
            "application/pdf": OpenApiTypes.BINARY,
            "application/vc": OpenApiTypes.BINARY,
            "application/ld+json": OpenApiTypes.BINARY,
            "application/octet-stream": OpenApiTypes.BINARY,
        },
        responses={200: VerificationSerializer},
    )
    def post(self, request: Request) -> Response:
        """Verify, and keep a receipt that says nothing of who asked."""
        given = request.data
        if not isinstance(given, Document) or not given.data:
            raise FileEmpty
        if not given.is_json or _is_credential(given.value):
            return Response(_told(verification.verify_upload(given.data)))
        asked = NumberAndCodeSerializer(data=given.value)
        asked.is_valid(raise_exception=True)
        try:
            found = verification.verify_number(**asked.validated_data)
        except codes.Typo as typo:
            unread = Verified(code=TYPO, by=VerifiedBy.NUMBER, at=now())
            return Response(_json(unread, receipt=None, typo=typo))
        return Response(_told(found))


def _is_credential(value: Any) -> bool:
    return isinstance(value, dict) and "@context" in value


def _told(verified: Verified) -> dict[str, Any]:
    """Return a result with a receipt; one that looked at nothing has none."""
    looked = verified.code not in (verification.NOT_FOUND, verification.UNAVAILABLE)
    receipt = verification.keep_receipt(verified).number if looked else None
    return _json(verified, receipt=receipt)


def _json(
    verified: Verified, *, receipt: str | None, typo: codes.Typo | None = None
) -> dict[str, Any]:
    report = verified.report or {}
    known = CODES.get(verified.code)
    transcript = verified.transcript
    revocation = verified.revocation
    return {
        "code": verified.code,
        "outcome": verified.outcome,
        "headline": {"zh": known.zh, "en": known.en} if known else FORGOTTEN_WORDS,
        "next": {"zh": known.next_zh, "en": known.next_en} if known else {"zh": "", "en": ""},
        "by": verified.by.value,
        "at": verified.at,
        "receipt": receipt,
        "number": transcript.number if transcript else report.get("number"),
        "checks": report.get("checks", []),
        "differences": report.get("differences", []),
        "typo": None
        if typo is None
        else {"field": typo.field, "group": typo.group, "reason": typo.reason},
        "register": None if verified.register is None else _register(verified.register),
        "revocation": None
        if revocation is None
        else {
            "index": revocation.index,
            "reason": revocation.reason,
            "successor": revocation.successor,
            "at": verified.revoked_at,
        },
        "log_size": verified.log_size,
        "status_at": verified.status_at,
        "file_sha256": verified.file_sha256.hex() if verified.file_sha256 else None,
    }


FORGOTTEN_WORDS = {
    "zh": "登记簿已不再保存此人的信息",
    "en": "The register no longer holds this person",
}


def _register(data: TranscriptData) -> dict[str, Any]:
    """Return the register's own values, to be compared with what was shown."""
    return {
        "number": data.number,
        "holder_name": data.holder_name,
        "holder_identity_masked": data.holder_identity_masked,
        "issued_on": data.issued_on,
        "lines": [
            {
                "index": line.index,
                "title": line.outcome.title,
                "title_en": line.outcome.title_en,
                "body_name": line.outcome.body_name,
                "credits": str(line.outcome.credits),
                "completed_on": line.outcome.completed_on,
                "grade": line.result.grade,
                "score": line.result.score,
                "hours": line.result.hours,
            }
            for line in data.lines
        ],
    }
