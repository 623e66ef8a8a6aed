"""A learner's own recognition: goals, what-if, requests, decisions, appeals, pre-approvals."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import acts, casejson, permissions, requests
from api.base import BankView
from api.caseserializers import (
    NUMBER,
    AppealRequestSerializer,
    AppealSerializer,
    AppealsSerializer,
    DecisionSerializer,
    DecisionsSerializer,
    GoalRequestSerializer,
    GoalSerializer,
    GoalsSerializer,
    LookSerializer,
    PreApprovalSerializer,
    PreApprovalsSerializer,
    RecognitionRequestSerializer,
    RequestSerializer,
    RequestsSerializer,
    SaySerializer,
    WhatIfSerializer,
)
from api.models import Scope
from api.throttling import Limit
from api.views.records import IDEMPOTENCY_KEY
from creditbank.access import NotFound
from creditbank.clock import today
from creditbank.recognition.models import Appeal, Decision, Goal, PreApproval, ProgrammeVersion
from creditbank.recognition.models import Request as Filed
from creditbank.recognition.register import rulebook
from creditbank.recognition.workflow import appeals, decisionfile, goals, holdings, records, whatif
from creditbank.recognition.workflow import requests as recognition
from creditbank.recognition.workflow.whatif import Look
from learners.models import Learner

READS: Final = Limit(scope="own-recognition", anonymous=10, keyed=300)
COMPUTES: Final = Limit(scope="what-if", anonymous=10, keyed=60)
ACTS: Final = Limit(scope="own-requests", anonymous=10, keyed=60)
TAG: Final = "recognition"
_ZERO: Final = Decimal(0)
FILE: Final = OpenApiResponse({"type": "object", "additionalProperties": True})
NUMBER_IN_PATH: Final = OpenApiParameter(
    name="number",
    location=OpenApiParameter.PATH,
    type={"type": "string", "pattern": NUMBER},
    description=_("申请、决定、复议或预认定的编号"),
)
GOAL: Final = OpenApiParameter(
    name="goal", location=OpenApiParameter.PATH, type={"type": "string", "format": "uuid"}
)


def programme_of(asked: Mapping[str, Any]) -> ProgrammeVersion:
    """Return the programme that is named: a version of it, or the one in force today.

    Raises UnknownProgramme.
    """
    if "version" in asked:
        return rulebook.programme(asked["programme"], asked["version"])
    return rulebook.programme_in_force(asked["programme"], today())


def leaves_of(learner: Learner, indexes: Iterable[int]) -> list[bytes]:
    """Return the leaf hashes of a learner's outcomes by their log indexes.

    What is not the learner's stands for itself as a leaf that nobody has, so that
    the operation says what is wrong with it, beside everything else.
    """
    known = {one.evidence.index: one.leaf for one in holdings.holdings_of(learner)}
    return [known.get(index, index.to_bytes(32, "big")) for index in indexes]


class _OwnView(BankView):
    """A view of the learner's own recognition."""

    scope = Scope.RECOGNITION
    limit = READS
    errors = (404, 410)


# -- goals ------------------------------------------------------------------------------------
class GoalsView(_OwnView):
    """The programmes that the learner follows."""

    operation = "list_goals"
    operation_post = "add_goal"

    @extend_schema(tags=[TAG], summary=_("本人的目标"), responses={200: GoalsSerializer})
    def get(self, request: Request) -> Response:
        """Return the goals, oldest first."""
        found = goals.goals_of(permissions.learner_for(request))
        return Response({"goals": [casejson.goal(one) for one in found]})

    @extend_schema(
        tags=[TAG],
        summary=_("把专业设为目标"),
        description=_("同一专业再设一次，只更改毕业日期。"),
        request=GoalRequestSerializer,
        responses={200: GoalSerializer},
    )
    def post(self, request: Request) -> Response:
        """Follow a programme."""
        learner = permissions.learner_for(request)
        asked = GoalRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made = goals.add_goal(
            learner=learner,
            programme=programme_of(asked.validated_data),
            award_on=asked.validated_data.get("award_on"),
            acting_user=permissions.caller(request),
        )
        return Response(casejson.goal(made))


class GoalView(_OwnView):
    """One goal, to be given up."""

    operation_post = "drop_goal"

    @extend_schema(
        tags=[TAG],
        summary=_("放弃一个目标"),
        description=_("已认定的学分不受影响。"),
        parameters=[GOAL],
        request=None,
        responses={200: GoalsSerializer},
    )
    def post(self, request: Request, goal: uuid.UUID) -> Response:
        """Follow a programme no more; return the goals that are left."""
        learner = permissions.learner_for(request)
        found = next((one for one in goals.goals_of(learner) if one.pk == goal), None)
        if found is None:
            raise NotFound
        goals.drop_goal(goal=found, acting_user=permissions.caller(request))
        left: list[Goal] = goals.goals_of(learner)
        return Response({"goals": [casejson.goal(one) for one in left]})


# -- what-if ----------------------------------------------------------------------------------
class WhatIfView(_OwnView):
    """What would count; nothing is stored."""

    limit = COMPUTES
    operation_post = "what_if"

    @extend_schema(
        tags=[TAG],
        summary=_("试算：现在的成果能抵什么"),
        description=_("什么也不存。不给 indexes，就用所有可用的成果；不给 targets，就是全部。"),
        request=WhatIfSerializer,
        responses={200: LookSerializer},
    )
    def post(self, request: Request) -> Response:
        """Look at a programme."""
        learner = permissions.learner_for(request)
        asked = WhatIfSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        found = whatif.look(
            learner=learner,
            programme=programme_of(said),
            leaves=leaves_of(learner, said["indexes"]) if "indexes" in said else None,
            targets=said.get("targets", ()),
            award_on=said.get("award_on"),
        )
        return Response(_look(found))


def _look(found: Look) -> dict[str, Any]:
    indexes = {one.leaf: one.evidence.index for one in found.situation.holdings}
    rules = {key: row.parsed() for key, row in found.rules.items()}
    new = found.new
    return {
        "programme": found.row.code,
        "programme_version": found.row.version,
        "now": casejson.standing(found.now),
        "preview": casejson.standing(found.preview),
        "lines": casejson.proposed(found.proposed, indexes),
        "findings": casejson.findings(found.computed.findings, indexes, rules),
        "pending": [
            {
                "request": one.request.number,
                "decision": one.decision.number if one.decision is not None else None,
                "credits": casejson.amount(
                    sum((line.grant.credits + line.grant.surplus for line in one.lines), _ZERO)
                ),
            }
            for one in found.pending
        ],
        "missing": {
            "state": found.missing.state,
            "courses": list(found.missing.courses),
            "credits": casejson.amount(found.missing.credits),
        },
        "new_rules": None
        if new is None
        else {
            "since": new.since,
            "rules": [f"{row.code}/{row.version}" for row in new.rows],
            "credits": casejson.amount(new.credits),
            "indexes": casejson.found_in(indexes, new.leaves),
        },
        "plan": found.computed.plan.state,
    }


# -- requests ---------------------------------------------------------------------------------
class OwnRequestsView(_OwnView):
    """The learner's requests."""

    operation = "list_requests"
    operation_post = "request_recognition"

    def errors_of(self, method: str) -> tuple[int, ...]:
        """A request may also come twice under one key, and the institution may not decide online."""
        return (*super().errors_of(method), *((409,) if method == "POST" else ()))

    @extend_schema(tags=[TAG], summary=_("本人的认定申请"), responses={200: RequestsSerializer})
    def get(self, request: Request) -> Response:
        """Return the requests, newest first."""
        found = records.requests_of(permissions.learner_for(request))
        return Response(
            {"total": len(found), "requests": [casejson.request_summary(one) for one in found]}
        )

    @extend_schema(
        tags=[TAG],
        summary=_("申请认定"),
        description=_(
            "占用所选的成果，直到决定或撤回。不给 indexes，就用最优方案的成果。"
            "全部问题一次说明，有问题就什么也不提交。"
        ),
        parameters=[IDEMPOTENCY_KEY],
        request=RecognitionRequestSerializer,
        responses={201: RequestSerializer},
    )
    def post(self, request: Request) -> Response:
        """File a request, once for each key."""
        learner = permissions.learner_for(request)
        key = requests.read_key(request.headers.get("Idempotency-Key", ""))
        asked = RecognitionRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        user = permissions.caller(request)

        def act() -> str:
            programme = programme_of(said)
            indexes = said.get("indexes")
            leaves = (
                recognition.prepare(learner=learner, programme=programme).leaves
                if indexes is None
                else leaves_of(learner, indexes)
            )
            made = recognition.request_recognition(
                learner=learner,
                programme=programme,
                leaves=leaves,
                targets=said.get("targets", ()),
                consent=said["consent"] if said.get("consent") == recognition.CONSENT else "",
                words=said.get("words", ""),
                award_on=said.get("award_on"),
                resubmits=_own_request(learner, said["resubmits"]) if "resubmits" in said else None,
                acting_user=user,
            )
            return made.number

        number = acts.once(
            owner=learner, operation="request_recognition", asked=said, key=key, act=act
        )
        return Response(
            casejson.request(records.request(number)),
            status=201,
            headers={"Location": f"/api/v1/me/requests/{number}"},
        )


def _own_request(learner: Learner, number: str) -> Filed:
    found = records.request(number)
    if found.learner_id != learner.pk:
        raise NotFound
    return found


class OwnRequestView(_OwnView):
    """One request."""

    operation = "get_request"

    @extend_schema(
        tags=[TAG],
        summary=_("一份申请的进度"),
        parameters=[NUMBER_IN_PATH],
        responses={200: RequestSerializer},
    )
    def get(self, request: Request, number: str) -> Response:
        """Return where a request stands."""
        return Response(casejson.request(_own_request(permissions.learner_for(request), number)))


class _OwnRequestActView(_OwnView):
    limit = ACTS
    errors = (404, 409, 410)  # type: ignore[assignment]


class WithdrawRequestView(_OwnRequestActView):
    """Taking a request back."""

    operation_post = "withdraw_request"

    @extend_schema(
        tags=[TAG],
        summary=_("撤回申请"),
        parameters=[NUMBER_IN_PATH],
        request=None,
        responses={200: RequestSerializer},
    )
    def post(self, request: Request, number: str) -> Response:
        """Take a request back; its outcomes are free again."""
        found = _own_request(permissions.learner_for(request), number)
        recognition.withdraw_request(request=found, acting_user=permissions.caller(request))
        return Response(casejson.request(records.request(number)))


class AskForPersonView(_OwnRequestActView):
    """Asking for a person."""

    operation_post = "ask_for_person"

    @extend_schema(
        tags=[TAG],
        summary=_("对自动作出的不予认定，要求由人审核"),
        parameters=[NUMBER_IN_PATH],
        request=None,
        responses={200: RequestSerializer},
    )
    def post(self, request: Request, number: str) -> Response:
        """Have a person decide what was refused automatically."""
        found = _own_request(permissions.learner_for(request), number)
        recognition.ask_for_person(request=found, acting_user=permissions.caller(request))
        return Response(casejson.request(records.request(number)))


# -- decisions --------------------------------------------------------------------------------
def _own_decision(learner: Learner, number: str) -> Decision:
    found = records.decision(number)
    if found.request.learner_id != learner.pk:
        raise NotFound
    return found


class OwnDecisionsView(_OwnView):
    """The decisions about the learner."""

    operation = "list_decisions"

    @extend_schema(tags=[TAG], summary=_("本人的认定决定"), responses={200: DecisionsSerializer})
    def get(self, request: Request) -> Response:
        """Return the decisions, replaced ones included, newest first."""
        found = records.decisions_of(permissions.learner_for(request))
        return Response(
            {"total": len(found), "decisions": [casejson.decision(one) for one in found]}
        )


class OwnDecisionView(_OwnView):
    """One decision."""

    operation = "get_decision"

    @extend_schema(
        tags=[TAG],
        summary=_("一份认定决定"),
        parameters=[NUMBER_IN_PATH],
        responses={200: DecisionSerializer},
    )
    def get(self, request: Request, number: str) -> Response:
        """Return a decision with its lines."""
        return Response(casejson.decision(_own_decision(permissions.learner_for(request), number)))


def file_of(row: Decision) -> HttpResponse:
    """Hand out a decision's file, byte for byte as `recognition.replay` reads it."""
    response = HttpResponse(decisionfile.build(row), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{row.number}.json"'
    return response


class OwnDecisionFileView(_OwnView):
    """A decision's file."""

    operation = "get_decision_file"

    @extend_schema(
        tags=[TAG],
        summary=_("决定文件，任何人可凭它重新计算"),
        parameters=[NUMBER_IN_PATH],
        responses={200: FILE},
    )
    def get(self, request: Request, number: str) -> HttpResponse:
        """Return the file."""
        return file_of(_own_decision(permissions.learner_for(request), number))


# -- appeals ----------------------------------------------------------------------------------
def _own_appeal(learner: Learner, number: str) -> Appeal:
    found = records.appeal(number)
    if found.decision.request.learner_id != learner.pk:
        raise NotFound
    return found


class OwnAppealsView(_OwnView):
    """The learner's appeals."""

    operation = "list_appeals"

    @extend_schema(tags=[TAG], summary=_("本人的复议"), responses={200: AppealsSerializer})
    def get(self, request: Request) -> Response:
        """Return the appeals, newest first."""
        found = records.appeals_of(permissions.learner_for(request))
        return Response(
            {"total": len(found), "appeals": [casejson.appeal_summary(one) for one in found]}
        )


class FileAppealView(_OwnRequestActView):
    """Appealing against a decision."""

    operation_post = "file_appeal"

    @extend_schema(
        tags=[TAG],
        summary=_("申请复议"),
        description=_("由没有参与原决定的人办理。"),
        parameters=[NUMBER_IN_PATH, IDEMPOTENCY_KEY],
        request=AppealRequestSerializer,
        responses={201: AppealSerializer},
    )
    def post(self, request: Request, number: str) -> Response:
        """Appeal against lines of a decision, once for each key."""
        learner = permissions.learner_for(request)
        found = _own_decision(learner, number)
        key = requests.read_key(request.headers.get("Idempotency-Key", ""))
        asked = AppealRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said, user = asked.validated_data, permissions.caller(request)

        def act() -> str:
            made = appeals.file_appeal(
                decision=found,
                positions=said["positions"],
                text=said["text"],
                acting_user=user,
            )
            return made.number

        appeal = acts.once(
            owner=learner,
            operation=f"file_appeal/{number}",
            asked=said,
            key=key,
            act=act,
        )
        return Response(
            casejson.appeal(records.appeal(appeal)),
            status=201,
            headers={"Location": f"/api/v1/me/appeals/{appeal}"},
        )


class OwnAppealView(_OwnView):
    """One appeal."""

    operation = "get_appeal"

    @extend_schema(
        tags=[TAG],
        summary=_("一份复议和往来意见"),
        parameters=[NUMBER_IN_PATH],
        responses={200: AppealSerializer},
    )
    def get(self, request: Request, number: str) -> Response:
        """Return an appeal with what was said."""
        return Response(casejson.appeal(_own_appeal(permissions.learner_for(request), number)))


class SayInAppealView(_OwnRequestActView):
    """Saying something in an appeal."""

    operation_post = "say_in_appeal"

    @extend_schema(
        tags=[TAG],
        summary=_("在复议中补充意见"),
        parameters=[NUMBER_IN_PATH],
        request=SaySerializer,
        responses={201: AppealSerializer},
    )
    def post(self, request: Request, number: str) -> Response:
        """Add to the thread."""
        found = _own_appeal(permissions.learner_for(request), number)
        asked = SaySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        appeals.say(
            appeal=found,
            text=asked.validated_data["text"],
            acting_user=permissions.caller(request),
        )
        return Response(casejson.appeal(records.appeal(number)), status=201)


class WithdrawAppealView(_OwnRequestActView):
    """Taking an appeal back."""

    operation_post = "withdraw_appeal"

    @extend_schema(
        tags=[TAG],
        summary=_("撤回复议"),
        parameters=[NUMBER_IN_PATH],
        request=None,
        responses={200: AppealSerializer},
    )
    def post(self, request: Request, number: str) -> Response:
        """Take an appeal back; the decision stands."""
        found = _own_appeal(permissions.learner_for(request), number)
        appeals.withdraw_appeal(appeal=found, acting_user=permissions.caller(request))
        return Response(casejson.appeal(records.appeal(number)))


# -- pre-approvals ----------------------------------------------------------------------------
class OwnPreApprovalsView(_OwnView):
    """What institutions have promised the learner."""

    operation = "list_pre_approvals"

    @extend_schema(tags=[TAG], summary=_("本人的预认定"), responses={200: PreApprovalsSerializer})
    def get(self, request: Request) -> Response:
        """Return the pre-approvals, newest first."""
        found = records.pre_approvals_of(permissions.learner_for(request))
        return Response(
            {
                "total": len(found),
                "pre_approvals": [casejson.pre_approval_summary(one) for one in found],
            }
        )


class OwnPreApprovalView(_OwnView):
    """One pre-approval."""

    operation = "get_pre_approval"

    @extend_schema(
        tags=[TAG],
        summary=_("一份预认定和它的规则"),
        parameters=[NUMBER_IN_PATH],
        responses={200: PreApprovalSerializer},
    )
    def get(self, request: Request, number: str) -> Response:
        """Return a pre-approval with the rule that it is."""
        found: PreApproval = records.pre_approval(number)
        if found.learner_id != permissions.learner_for(request).pk:
            raise NotFound
        return Response(casejson.pre_approval(found))
