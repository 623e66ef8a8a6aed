"""The receipt of an entry, for the institution that recorded it."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import permissions
from api.base import BankView
from api.models import Scope
from api.queries import b64, receipt_json
from api.serializers import EntryReceiptSerializer
from api.throttling import Limit
from creditbank.ledger import queries as ledger
from creditbank.ledger.statements import credits_of

INDEX: Final = OpenApiParameter(
    name="index",
    location=OpenApiParameter.PATH,
    type={"type": "integer", "minimum": 0, "maximum": 10**16 - 1},
    description=_("登记簿序号"),
)


class ReceiptView(BankView):
    """An entry's receipt with its proof."""

    scope = Scope.RECEIPTS
    limit = Limit(scope="receipts", anonymous=60, keyed=600)
    errors = (404,)
    operation = "get_receipt"

    @extend_schema(
        tags=["records"],
        summary=_("一笔记录的回执与登记证明"),
        description=_("尚未公布时返回 503，请按 Retry-After 再试。"),
        parameters=[INDEX],
        responses={200: EntryReceiptSerializer},
    )
    def get(self, request: Request, index: int) -> Response:
        """Return the receipt of an entry that the key's institution recorded."""
        entry = permissions.entry_for(request, index)
        proof = ledger.proof(entry.index)
        return Response(
            {
                "index": entry.index,
                "kind": entry.kind.name,
                "credits": str(credits_of(entry.quantity)),
                "leaf_hash": b64(entry.leaf_hash),
                "recorded_at": ledger.recorded_times([entry.index])[entry.index],
                "receipt": receipt_json(ledger.receipt(entry.index)),
                "proof": proof.encode().decode(),
            }
        )
