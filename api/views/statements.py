"""A learner's own statement."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import permissions
from api.base import BankView
from api.exceptions import REFUSED
from api.models import Scope
from api.serializers import PageSerializer, StatementSerializer
from api.throttling import Limit
from creditbank.ledger import queries as ledger
from creditbank.ledger.numbers import format_account
from creditbank.ledger.queries import StatementLine
from learners import queries as learners


class StatementView(BankView):
    """Accounts, totals and outcomes of the learner whose key it is."""

    scope = Scope.STATEMENT
    limit = Limit(scope="statement", anonymous=10, keyed=60)
    errors = (404, 410, REFUSED)
    operation = "get_statement"

    @extend_schema(
        tags=["me"],
        summary=_("本人的对账单"),
        description=_("最新的在前；下一页以 next_before 作 before。"),
        parameters=[PageSerializer],
        responses={200: StatementSerializer},
    )
    def get(self, request: Request) -> Response:
        """Return the learner's accounts, totals and one page of outcomes."""
        asked = PageSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        limit, before = asked.validated_data["limit"], asked.validated_data.get("before")
        accounts = learners.accounts_of(permissions.learner_for(request))
        balance = ledger.balance(accounts)
        lines = [
            line for line in ledger.statement(accounts) if before is None or line.index < before
        ]
        page = lines[:limit]
        return Response(
            {
                "accounts": [format_account(number) for number in accounts],
                "balance": {
                    "awarded": str(balance.awarded),
                    "available": str(balance.available),
                    "used": str(balance.used),
                    "lapsed": str(balance.lapsed),
                    "converted": str(balance.converted),
                },
                "lines": [_line(line) for line in page],
                "next_before": page[-1].index if len(lines) > limit else None,
            }
        )


def _line(line: StatementLine) -> dict[str, Any]:
    outcome, recognised = line.outcome, line.recognised
    body = outcome or recognised
    return {
        "index": line.index,
        "account": format_account(line.account),
        "kind": line.kind.name,
        "state": line.state,
        "credits": str(line.credits),
        "item": outcome.item if outcome else None,
        "item_version": outcome.item_version if outcome else None,
        "outcome_kind": outcome.kind if outcome else None,
        "title": outcome.title if outcome else None,
        "title_en": outcome.title_en if outcome else None,
        "body": body.body if body else None,
        "body_name": body.body_name if body else None,
        "framework": outcome.framework if outcome else None,
        "level": outcome.level if outcome else None,
        "completed_on": outcome.completed_on if outcome else None,
        "valid_until": outcome.valid_until if outcome else None,
        "grade": line.result.grade,
        "score": line.result.score,
        "hours": line.result.hours,
        "certificate": line.reference.certificate,
        "stream": line.stream,
        "recorded_at": line.recorded_at,
        "acted_by_index": line.acted_by_index,
        "acted_reason": line.acted_reason,
        "decision": recognised.decision if recognised else line.used_by,
    }
