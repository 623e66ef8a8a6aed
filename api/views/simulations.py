"""Simulating a draft of a rule before it is published."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import permissions
from api.base import BankView
from api.models import Scope
from api.ruleserializers import (
    SimulationRequestSerializer,
    SimulationSerializer,
    SimulationsSerializer,
)
from api.ruleviews import CODE, VERSION
from api.throttling import Limit
from api.views.records import SLUG
from creditbank.clock import today
from creditbank.institutions.kinds import Role
from creditbank.ledger.statements import credits_of
from creditbank.recognition.models import RuleVersion, Simulation
from creditbank.recognition.register import rulebook
from creditbank.recognition.workflow import simulation

NUMBER = OpenApiParameter(
    name="simulation", location=OpenApiParameter.PATH, type={"type": "string", "format": "uuid"}
)
_CREDITS = ("gain_credits", "lose_credits")


class _DraftView(BankView):
    scope = Scope.RULES
    limit = Limit(scope="simulations", anonymous=10, keyed=300)

    def rule(self, request: Request, slug: str, code: str, version: int) -> RuleVersion:
        """Return a version of the key's own institution."""
        institution = permissions.institution_for(request, slug, Role.CLERK)
        return rulebook.own_rule(institution, code, version)


class SimulationsView(_DraftView):
    """The simulations of a draft."""

    errors = (404,)
    operation = "list_simulations"
    operation_post = "simulate_rule"

    @extend_schema(
        tags=["rules"],
        summary=_("草稿的模拟"),
        parameters=[SLUG, CODE, VERSION],
        responses={200: SimulationsSerializer},
    )
    def get(self, request: Request, slug: str, code: str, version: int) -> Response:
        """Return the draft's simulations, newest first."""
        rule = self.rule(request, slug, code, version)
        return Response({"simulations": [_json(one) for one in simulation.simulations_of(rule)]})

    @extend_schema(
        tags=["rules"],
        summary=_("模拟一份草稿"),
        description=_(
            "用登记簿里全部学习者的成果，按现行规则和换上草稿以后各算一次最优方案；"
            "结果只有计数。由后台进行，按 Location 查看进度。"
        ),
        parameters=[SLUG, CODE, VERSION],
        request=SimulationRequestSerializer,
        responses={202: SimulationSerializer},
    )
    def post(self, request: Request, slug: str, code: str, version: int) -> Response:
        """Let a worker simulate the draft for a programme."""
        rule = self.rule(request, slug, code, version)
        asked = SimulationRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        found = simulation.start_simulation(
            rule=rule,
            programme=rulebook.programme_in_force(asked.validated_data["programme"], today()),
            acting_user=permissions.caller(request),
        )
        where = f"/api/v1/institutions/{slug}/rules/{code}/{version}/simulations/{found.pk}"
        return Response(_json(found), status=202, headers={"Location": where})


class SimulationView(_DraftView):
    """One simulation."""

    errors = (404,)
    operation = "get_simulation"

    @extend_schema(
        tags=["rules"],
        summary=_("模拟的进度和结果"),
        parameters=[SLUG, CODE, VERSION, NUMBER],
        responses={200: SimulationSerializer},
    )
    def get(
        self, request: Request, slug: str, code: str, version: int, simulation: uuid.UUID
    ) -> Response:
        """Return how far it is, and what it has counted."""
        rule = self.rule(request, slug, code, version)
        return Response(_json(find(rule, simulation)))


def find(rule: RuleVersion, pk: uuid.UUID) -> Simulation:
    """Return one simulation of a rule. Raises UnknownSimulation."""
    return simulation.simulation(rule, pk)


def _json(found: Simulation) -> dict[str, Any]:
    counts = {
        name: str(credits_of(value)) if name in _CREDITS else value
        for name, value in found.counts.items()
    }
    return {
        "id": str(found.pk),
        "programme": found.programme.code,
        "state": found.job.state,
        "done": found.job.done,
        "total": found.job.total,
        "error_code": found.job.error_code,
        "digest": bytes(found.digest).hex(),
        "started_at": found.started_at,
        "counts": counts,
    }
