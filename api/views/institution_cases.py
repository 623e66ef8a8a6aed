"""An institution's requests, decisions, appeals and pre-approvals, for its own programs.

A key acts for the administrator who made it: whatever four eyes ask for is asked
of that person. Every answer about a person is noted in the security log.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.http import HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import acts, casejson, permissions, requests
from api.base import BankView
from api.caseserializers import (
    AgreementSerializer,
    AnewSerializer,
    AppealSerializer,
    AppealsSerializer,
    CaseSerializer,
    DecisionSerializer,
    DecisionsSerializer,
    FactSerializer,
    JudgementSerializer,
    NoticesSerializer,
    PartSerializer,
    PreApprovalRequestSerializer,
    PreApprovalSerializer,
    PreApprovalsSerializer,
    QueueSerializer,
    ReasonSerializer,
    RecognitionsAskedSerializer,
    RequestsSerializer,
    SaySerializer,
    VerdictsSerializer,
)
from api.exceptions import REFUSED, RequestInvalid
from api.models import Scope
from api.throttling import Limit
from api.views.recognition import FILE, NUMBER_IN_PATH, TAG, file_of
from api.views.records import IDEMPOTENCY_KEY, SLUG
from creditbank import access
from creditbank.clock import today
from creditbank.errors import Problem
from creditbank.institutions.kinds import Role
from creditbank.institutions.models import Institution
from creditbank.recognition.models import Decision
from creditbank.recognition.models import Request as Filed
from creditbank.recognition.register import rulebook
from creditbank.recognition.workflow import (
    appeals,
    cascade,
    caselist,
    decisions,
    notices,
    preapprovals,
    records,
    reviewing,
)
from creditbank.recognition.workflow.decisions import Verdict
from creditbank.recognition.workflow.preapprovals import Promised
from learners import queries as learners
from learners.identity import DocumentType, IdentityDocument, IdentityInvalid

LIMIT: Final = Limit(scope="cases", anonymous=10, keyed=300)


class _DeskView(BankView):
    """A view of what an institution decides: reading with one scope, acting with another."""

    scope = Scope.READ_REQUESTS
    scope_post = Scope.DECIDE
    limit = LIMIT
    errors = (404, 409, 410)

    def errors_of(self, method: str) -> tuple[int, ...]:
        """Reading conflicts with nothing."""
        found = super().errors_of(method)
        return found if method == "POST" else tuple(one for one in found if one != 409)

    def institution(self, request: Request, slug: str, role: Role) -> Institution:
        """Return the key's own institution."""
        return permissions.institution_for(request, slug, role)


def _noted(request: Request, *, what: str, about: str) -> None:
    access.note_view(permissions.caller(request), what=what, about=about)


def _case(request: Request, filed: Filed) -> dict[str, Any]:
    """Return a case in full; it is noted that it was shown."""
    opened = reviewing.look(filed)
    case = opened.case
    _noted(request, what="recognition-case", about=filed.number)
    indexes = {one.leaf: one.evidence.index for one in case.situation.holdings}
    return {
        "request": casejson.request(filed),
        "name": learners.display_name(filed.learner),
        "identity": learners.masked_identity(filed.learner),
        "outcomes": [casejson.outcome(one) for one in opened.verified],
        "lines": casejson.proposed(case.proposed, indexes),
        "unused": casejson.proposed(case.unused, indexes),
        "findings": casejson.findings(case.computed.findings, indexes, case.book.by_key()),
        "facts": [
            {
                "index": indexes.get(one.leaf),
                "name": one.name,
                "rule": one.rule,
                "version": one.version,
                "wanted": one.wanted,
                "value": one.value,
            }
            for one in opened.wanted
        ],
        "similar": [
            {
                "position": position,
                "decision": one.decision,
                "decided_on": one.decided_on,
                "verdict": one.verdict,
                "credits": one.credits,
                "reason": one.reason,
            }
            for position, found in opened.similar.items()
            for one in found
        ],
        "procedure": {
            "people": case.procedure.people,
            "chain": list(case.procedure.chain),
            "experts": case.procedure.panel.experts,
            "expert_years": case.procedure.panel.years,
            "notice_days": case.procedure.notice_days,
            "appeal_days": case.procedure.appeal_days,
        },
        "stage": opened.stage,
        "proposal": casejson.decision(opened.decision) if opened.decision is not None else None,
    }


def _leaves(filed: Filed, indexes: Sequence[int]) -> tuple[bytes, ...]:
    """Return the leaf hashes of a request's outcomes; what is none of them is one nobody has."""
    known = {index: leaf for leaf, index in casejson.indexes_of(filed).items()}
    return tuple(known.get(index, index.to_bytes(32, "big")) for index in indexes)


# -- requests ---------------------------------------------------------------------------------
class RequestQueueView(_DeskView):
    """An institution's requests."""

    errors = (404, REFUSED)  # type: ignore[assignment]
    operation = "list_institution_requests"

    @extend_schema(
        tags=[TAG],
        summary=_("向本机构提出的认定申请"),
        description=_("最先到期的在前。不含申请人的任何信息。"),
        parameters=[SLUG, QueueSerializer],
        responses={200: RequestsSerializer},
    )
    def get(self, request: Request, slug: str) -> Response:
        """Return one part of the requests."""
        institution = self.institution(request, slug, Role.VIEWER)
        asked = QueueSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        found = caselist.requests_of(
            institution, show=said["show"], programme=said.get("programme", ""), on=today()
        )
        part: Any = found[said["offset"] : said["offset"] + said["limit"]]
        return Response(
            {
                "total": found.count(),
                "requests": [casejson.request_summary(row, outcomes=row.outcomes) for row in part],
            }
        )


class CaseView(_DeskView):
    """One case."""

    operation = "get_case"

    @extend_schema(
        tags=[TAG],
        summary=_("一份申请的全部材料：成果现场核验，规则逐条判定"),
        parameters=[SLUG, NUMBER_IN_PATH],
        responses={200: CaseSerializer},
    )
    def get(self, request: Request, slug: str, number: str) -> Response:
        """Return a case in full."""
        institution = self.institution(request, slug, Role.VIEWER)
        return Response(_case(request, caselist.request_for(institution, number)))


class _CaseActView(_DeskView):
    def filed(self, request: Request, slug: str, number: str) -> Filed:
        """Return a request on which a reviewer acts."""
        return caselist.request_for(self.institution(request, slug, Role.REVIEWER), number)


class OpenCaseView(_CaseActView):
    """Beginning to review."""

    operation_post = "open_case"

    @extend_schema(
        tags=[TAG],
        summary=_("开始审核，申请人会看到“审核中”"),
        parameters=[SLUG, NUMBER_IN_PATH],
        request=None,
        responses={200: CaseSerializer},
    )
    def post(self, request: Request, slug: str, number: str) -> Response:
        """Begin to review a request."""
        filed = self.filed(request, slug, number)
        reviewing.open_case(request=filed, acting_user=permissions.caller(request))
        return Response(_case(request, records.request(number)))


class AttestFactView(_CaseActView):
    """Attesting a fact."""

    operation_post = "attest_fact"

    @extend_schema(
        tags=[TAG],
        summary=_("记下核实的事实"),
        parameters=[SLUG, NUMBER_IN_PATH],
        request=FactSerializer,
        responses={200: CaseSerializer},
    )
    def post(self, request: Request, slug: str, number: str) -> Response:
        """Attest a fact about an outcome."""
        filed = self.filed(request, slug, number)
        asked = FactSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        (leaf,) = _leaves(filed, [said["index"]])
        reviewing.attest_fact(
            request=filed,
            leaf=leaf,
            name=said["name"],
            value=said["value"],
            acting_user=permissions.caller(request),
        )
        return Response(_case(request, records.request(number)))


class JudgeView(_CaseActView):
    """Judging what the computation cannot tell."""

    operation_post = "judge_finding"

    @extend_schema(
        tags=[TAG],
        summary=_("判断一条无法自动判定的规则为符合"),
        parameters=[SLUG, NUMBER_IN_PATH],
        request=JudgementSerializer,
        responses={200: CaseSerializer},
    )
    def post(self, request: Request, slug: str, number: str) -> Response:
        """Hold a rule to be met."""
        filed = self.filed(request, slug, number)
        asked = JudgementSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        reviewing.judge(
            request=filed,
            rule=said["rule"],
            version=said["version"],
            leaves=_leaves(filed, said["indexes"]),
            acting_user=permissions.caller(request),
        )
        return Response(_case(request, records.request(number)))


# -- deciding ---------------------------------------------------------------------------------
def _amount(text: str | None, field: str) -> Decimal | None:
    """Read an amount of credits. Raises RequestInvalid."""
    if text is None or text == "":
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise RequestInvalid(
            [Problem(code="not-a-figure", field=field, value=text, message=gettext("不是数字。"))]
        )
    return amount


def _verdicts(said: Sequence[dict[str, Any]]) -> list[Verdict]:
    return [
        Verdict(
            position=one["position"],
            verdict=one["verdict"],
            credits=_amount(one.get("credits"), "credits"),
            reason=one.get("reason", ""),
            note=one.get("note", ""),
        )
        for one in said
    ]


def _made(request: Request, row: Decision) -> Response:
    _noted(request, what="recognition-decision", about=row.number)
    return Response(casejson.decision(row))


class ProposeView(_CaseActView):
    """Proposing a decision."""

    operation_post = "propose_decision"

    @extend_schema(
        tags=[TAG],
        summary=_("提出认定决定，并作为第一人同意"),
        description=_(
            "对方案的每一项给出意见；规则只要求一人时，决定即作出。"
            "密钥以制作它的管理员的名义办理，另须几人同意由规则决定。"
        ),
        parameters=[SLUG, NUMBER_IN_PATH],
        request=VerdictsSerializer,
        responses={200: DecisionSerializer},
    )
    def post(self, request: Request, slug: str, number: str) -> Response:
        """Propose a decision."""
        filed = self.filed(request, slug, number)
        asked = VerdictsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made = decisions.propose_decision(
            request=filed,
            verdicts=_verdicts(asked.validated_data["verdicts"]),
            acting_user=permissions.caller(request),
        )
        return _made(request, made)


def _proposal(filed: Filed) -> Decision:
    found = records.proposal(filed)
    if found is None:
        raise access.NotFound
    return found


class AgreeView(_CaseActView):
    """Agreeing to a proposal."""

    operation_post = "agree_to_decision"

    @extend_schema(
        tags=[TAG],
        summary=_("同意另一人提出的决定"),
        parameters=[SLUG, NUMBER_IN_PATH],
        request=AgreementSerializer,
        responses={200: DecisionSerializer},
    )
    def post(self, request: Request, slug: str, number: str) -> Response:
        """Agree to what another person proposed."""
        filed = self.filed(request, slug, number)
        asked = AgreementSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made = decisions.agree(
            decision=_proposal(filed),
            note=asked.validated_data.get("note", ""),
            acting_user=permissions.caller(request),
        )
        return _made(request, made)


class ReturnView(_CaseActView):
    """Sending a proposal back."""

    operation_post = "return_decision"

    @extend_schema(
        tags=[TAG],
        summary=_("退回另一人提出的决定"),
        parameters=[SLUG, NUMBER_IN_PATH],
        request=ReasonSerializer,
        responses={200: DecisionSerializer},
    )
    def post(self, request: Request, slug: str, number: str) -> Response:
        """Send a proposal back with a reason."""
        filed = self.filed(request, slug, number)
        asked = ReasonSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made = decisions.return_decision(
            decision=_proposal(filed),
            reason=asked.validated_data["reason"],
            acting_user=permissions.caller(request),
        )
        return _made(request, made)


# -- decisions --------------------------------------------------------------------------------
class InstitutionDecisionsView(_DeskView):
    """What an institution has recognised."""

    errors = (404, 410, REFUSED)
    operation = "list_institution_decisions"

    @extend_schema(
        tags=[TAG],
        summary=_("本机构已登记的认定决定；flagged：依据已变，待确认"),
        parameters=[SLUG, RecognitionsAskedSerializer],
        responses={200: DecisionsSerializer},
    )
    def get(self, request: Request, slug: str) -> Response:
        """Return one part of the decisions."""
        institution = self.institution(request, slug, Role.VIEWER)
        asked = RecognitionsAskedSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        found = caselist.recognitions_of(institution, flagged=said["flagged"])
        part = found[said["offset"] : said["offset"] + said["limit"]]
        shown = [casejson.decision(row) for row in part]
        access.note_view(
            permissions.caller(request),
            what="recognition-decisions",
            about=slug,
            count=len(shown),
        )
        return Response({"total": found.count(), "decisions": shown})


class InstitutionDecisionView(_DeskView):
    """One decision."""

    operation = "get_institution_decision"

    @extend_schema(
        tags=[TAG],
        summary=_("本机构的一份认定决定"),
        parameters=[SLUG, NUMBER_IN_PATH],
        responses={200: DecisionSerializer},
    )
    def get(self, request: Request, slug: str, number: str) -> Response:
        """Return a decision that was made."""
        institution = self.institution(request, slug, Role.VIEWER)
        return _made(request, caselist.decision_for(institution, number))


class InstitutionDecisionFileView(_DeskView):
    """A decision's file."""

    operation = "get_institution_decision_file"

    @extend_schema(
        tags=[TAG],
        summary=_("本机构的一份决定文件"),
        parameters=[SLUG, NUMBER_IN_PATH],
        responses={200: FILE},
    )
    def get(self, request: Request, slug: str, number: str) -> HttpResponse:
        """Return the file."""
        institution = self.institution(request, slug, Role.VIEWER)
        found = caselist.decision_for(institution, number)
        access.note_export(
            permissions.caller(request), what="recognition-decision", about=number, count=1
        )
        return file_of(found)


class ReverseDecisionView(_DeskView):
    """Reversing a decision whose outcome fell."""

    operation_post = "confirm_reversal"

    @extend_schema(
        tags=[TAG],
        summary=_("确认冲正一份依据已变的决定"),
        parameters=[SLUG, NUMBER_IN_PATH],
        request=ReasonSerializer,
        responses={200: DecisionSerializer},
    )
    def post(self, request: Request, slug: str, number: str) -> Response:
        """Reverse a flagged decision."""
        institution = self.institution(request, slug, Role.REVIEWER)
        found = caselist.decision_for(institution, number)
        if found.request.institution_id != institution.pk:
            raise access.NotFound
        asked = ReasonSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made = cascade.confirm_reversal(
            decision=found,
            reason=asked.validated_data["reason"],
            acting_user=permissions.caller(request),
        )
        return _made(request, made)


# -- appeals ----------------------------------------------------------------------------------
class InstitutionAppealsView(_DeskView):
    """Appeals against an institution's decisions."""

    errors = (404, REFUSED)  # type: ignore[assignment]
    operation = "list_institution_appeals"

    @extend_schema(
        tags=[TAG],
        summary=_("对本机构决定的复议"),
        parameters=[SLUG, PartSerializer],
        responses={200: AppealsSerializer},
    )
    def get(self, request: Request, slug: str) -> Response:
        """Return one part of the appeals, open ones first."""
        institution = self.institution(request, slug, Role.VIEWER)
        asked = PartSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        found = caselist.appeals_of(institution)
        part = found[said["offset"] : said["offset"] + said["limit"]]
        return Response(
            {
                "total": found.count(),
                "appeals": [casejson.appeal_summary(row) for row in part],
            }
        )


class InstitutionAppealView(_DeskView):
    """One appeal."""

    operation = "get_institution_appeal"

    @extend_schema(
        tags=[TAG],
        summary=_("一份复议和往来意见"),
        parameters=[SLUG, NUMBER_IN_PATH],
        responses={200: AppealSerializer},
    )
    def get(self, request: Request, slug: str, number: str) -> Response:
        """Return an appeal with what was said."""
        institution = self.institution(request, slug, Role.VIEWER)
        return _appeal(request, institution, number)


def _appeal(
    request: Request, institution: Institution, number: str, *, status: int = 200
) -> Response:
    _noted(request, what="recognition-appeal", about=number)
    found = caselist.appeal_for(institution, number)
    return Response(casejson.appeal(found), status=status)


class AnswerAppealView(_DeskView):
    """Saying something to the learner."""

    operation_post = "answer_in_appeal"

    @extend_schema(
        tags=[TAG],
        summary=_("在复议中回复申请人"),
        parameters=[SLUG, NUMBER_IN_PATH],
        request=SaySerializer,
        responses={201: AppealSerializer},
    )
    def post(self, request: Request, slug: str, number: str) -> Response:
        """Add to the thread."""
        institution = self.institution(request, slug, Role.REVIEWER)
        found = caselist.appeal_for(institution, number)
        asked = SaySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        appeals.say(
            appeal=found,
            text=asked.validated_data["text"],
            acting_user=permissions.caller(request),
        )
        return _appeal(request, institution, number, status=201)


class UpholdView(_DeskView):
    """Answering that the decision stands."""

    operation_post = "uphold_decision"

    @extend_schema(
        tags=[TAG],
        summary=_("答复：维持原决定"),
        parameters=[SLUG, NUMBER_IN_PATH],
        request=SaySerializer,
        responses={200: AppealSerializer},
    )
    def post(self, request: Request, slug: str, number: str) -> Response:
        """Answer that the decision stands, as somebody who did not decide."""
        institution = self.institution(request, slug, Role.REVIEWER)
        found = caselist.appeal_for(institution, number)
        asked = SaySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        appeals.uphold(
            appeal=found,
            text=asked.validated_data["text"],
            acting_user=permissions.caller(request),
        )
        return _appeal(request, institution, number)


class DecideAnewView(_DeskView):
    """Deciding anew in an appeal."""

    operation_post = "decide_anew"

    @extend_schema(
        tags=[TAG],
        summary=_("复议中重新决定"),
        parameters=[SLUG, NUMBER_IN_PATH],
        request=AnewSerializer,
        responses={200: DecisionSerializer},
    )
    def post(self, request: Request, slug: str, number: str) -> Response:
        """Propose a new decision, as somebody who did not decide."""
        institution = self.institution(request, slug, Role.REVIEWER)
        found = caselist.appeal_for(institution, number)
        asked = AnewSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made = appeals.decide_anew(
            appeal=found,
            verdicts=_verdicts(asked.validated_data["verdicts"]),
            text=asked.validated_data["text"],
            acting_user=permissions.caller(request),
        )
        return _made(request, made)


# -- pre-approvals ----------------------------------------------------------------------------
class InstitutionPreApprovalsView(_DeskView):
    """An institution's pre-approvals."""

    errors = (404, 409, 410, REFUSED)  # type: ignore[assignment]
    operation = "list_institution_pre_approvals"
    operation_post = "prepare_pre_approval"

    @extend_schema(
        tags=[TAG],
        summary=_("本机构的预认定"),
        parameters=[SLUG, PartSerializer],
        responses={200: PreApprovalsSerializer},
    )
    def get(self, request: Request, slug: str) -> Response:
        """Return one part of the pre-approvals, those that wait for approval first."""
        institution = self.institution(request, slug, Role.VIEWER)
        asked = PartSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        found = caselist.pre_approvals_of(institution)
        part = found[said["offset"] : said["offset"] + said["limit"]]
        return Response(
            {
                "total": found.count(),
                "pre_approvals": [casejson.pre_approval_summary(row) for row in part],
            }
        )

    @extend_schema(
        tags=[TAG],
        summary=_("准备预认定，待另一人复核"),
        parameters=[SLUG, IDEMPOTENCY_KEY],
        request=PreApprovalRequestSerializer,
        responses={201: PreApprovalSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Prepare a pre-approval, once for each key."""
        institution = self.institution(request, slug, Role.CLERK)
        key = requests.read_key(request.headers.get("Idempotency-Key", ""))
        asked = PreApprovalRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said, user = asked.validated_data, permissions.caller(request)
        document = _document(said)
        targets = [
            Promised(
                course=one.get("course", ""),
                category=one.get("category", ""),
                credits=_amount(one.get("credits"), "targets"),
                waived=one["waived"],
            )
            for one in said["targets"]
        ]
        score = _amount(said.get("score"), "score")

        def act() -> str:
            programme = rulebook.programme_in_force(said["programme"], today())
            if programme.owner_id != institution.pk:
                raise rulebook.UnknownProgramme(programme=said["programme"])
            made = preapprovals.prepare_pre_approval(
                learner=access.learner_to_promise(user, slug, document),
                programme=programme,
                item=said["item"],
                until=said["until"],
                targets=targets,
                score=score,
                acting_user=user,
            )
            return made.number

        number = acts.once(
            owner=institution, operation="prepare_pre_approval", asked=said, key=key, act=act
        )
        return _pre_approval(request, institution, number, status=201)


def _document(said: dict[str, Any]) -> IdentityDocument:
    """Read an identity document. Raises RequestInvalid, without the number."""
    try:
        return IdentityDocument(type=DocumentType(said["document_type"]), number=said["number"])
    except IdentityInvalid as error:
        raise RequestInvalid(
            [Problem(code=error.code, field="number", message=error.message)]
        ) from None


def _pre_approval(
    request: Request, institution: Institution, number: str, *, status: int = 200
) -> Response:
    _noted(request, what="pre-approval", about=number)
    found = caselist.pre_approval_for(institution, number)
    where = f"/api/v1/institutions/{institution.slug}/pre-approvals/{number}"
    headers = {"Location": where} if status == 201 else None
    return Response(casejson.pre_approval(found), status=status, headers=headers)


class InstitutionPreApprovalView(_DeskView):
    """One pre-approval."""

    operation = "get_institution_pre_approval"

    @extend_schema(
        tags=[TAG],
        summary=_("一份预认定和它的规则"),
        parameters=[SLUG, NUMBER_IN_PATH],
        responses={200: PreApprovalSerializer},
    )
    def get(self, request: Request, slug: str, number: str) -> Response:
        """Return a pre-approval with the rule that it is."""
        return _pre_approval(request, self.institution(request, slug, Role.VIEWER), number)


class ApprovePreApprovalView(_DeskView):
    """Approving a pre-approval."""

    operation_post = "approve_pre_approval"

    @extend_schema(
        tags=[TAG],
        summary=_("复核另一人准备的预认定"),
        parameters=[SLUG, NUMBER_IN_PATH],
        request=None,
        responses={200: PreApprovalSerializer},
    )
    def post(self, request: Request, slug: str, number: str) -> Response:
        """Approve what another person prepared."""
        institution = self.institution(request, slug, Role.REVIEWER)
        preapprovals.approve_pre_approval(
            pre_approval=caselist.pre_approval_for(institution, number),
            acting_user=permissions.caller(request),
        )
        return _pre_approval(request, institution, number)


class WithdrawPreApprovalView(_DeskView):
    """Taking a pre-approval back."""

    operation_post = "withdraw_pre_approval"

    @extend_schema(
        tags=[TAG],
        summary=_("撤回尚未复核的预认定"),
        parameters=[SLUG, NUMBER_IN_PATH],
        request=None,
        responses={200: PreApprovalSerializer},
    )
    def post(self, request: Request, slug: str, number: str) -> Response:
        """Take a pre-approval back that nobody has approved."""
        institution = self.institution(request, slug, Role.CLERK)
        preapprovals.withdraw_pre_approval(
            pre_approval=caselist.pre_approval_for(institution, number),
            acting_user=permissions.caller(request),
        )
        return _pre_approval(request, institution, number)


# -- notices ----------------------------------------------------------------------------------
class NoticesView(BankView):
    """Decisions in notice, for everybody."""

    public = True
    limit = Limit(scope="notices", anonymous=60, keyed=300)
    operation = "list_notices"
    cached_for = 60

    @extend_schema(
        tags=[TAG],
        summary=_("公示中的认定决定，不含是谁的"),
        responses={200: NoticesSerializer},
    )
    def get(self, request: Request) -> Response:
        """Return all decisions in notice."""
        return Response(
            {
                "notices": [
                    {
                        "number": one.number,
                        "institution": one.institution.slug,
                        "programme": one.programme.code,
                        "programme_version": one.programme.version,
                        "decided_on": one.decided_on,
                        "until": one.until,
                        "lines": [
                            {
                                "rule": line.rule,
                                "version": line.version,
                                "target": line.target,
                                "title": line.title,
                                "title_en": line.title_en,
                                "verdict": line.verdict,
                                "credits": casejson.amount(line.credits),
                            }
                            for line in one.lines
                        ],
                    }
                    for one in notices.in_notice()
                ]
            }
        )
