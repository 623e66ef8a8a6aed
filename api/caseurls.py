"""The addresses of recognition: a learner's own, an institution's, and the public notices."""

from __future__ import annotations

from typing import Final

from django.urls import path, register_converter

from api.views import institution_cases as desk
from api.views import recognition as own


class CaseNumber:
    """A request's, decision's, appeal's or pre-approval's number as printed."""

    regex = "[RDAP]-[0-9]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}"

    def to_python(self, value: str) -> str:
        """Read the number."""
        return value

    def to_url(self, value: str) -> str:
        """Write the number."""
        return value


register_converter(CaseNumber, "apinumber")

_NUMBER: Final = "<apinumber:number>"
_ME: Final = "v1/me"
_ORG: Final = "v1/institutions/<slug:slug>"

cases = [
    path(f"{_ME}/goals", own.GoalsView.as_view(), name="api_goals"),
    path(f"{_ME}/goals/<uuid:goal>/drop", own.GoalView.as_view(), name="api_drop_goal"),
    path(f"{_ME}/what-if", own.WhatIfView.as_view(), name="api_what_if"),
    path(f"{_ME}/requests", own.OwnRequestsView.as_view(), name="api_requests"),
    path(f"{_ME}/requests/{_NUMBER}", own.OwnRequestView.as_view(), name="api_request"),
    path(
        f"{_ME}/requests/{_NUMBER}/withdraw",
        own.WithdrawRequestView.as_view(),
        name="api_withdraw_request",
    ),
    path(
        f"{_ME}/requests/{_NUMBER}/person",
        own.AskForPersonView.as_view(),
        name="api_ask_for_person",
    ),
    path(f"{_ME}/decisions", own.OwnDecisionsView.as_view(), name="api_decisions"),
    path(f"{_ME}/decisions/{_NUMBER}", own.OwnDecisionView.as_view(), name="api_decision"),
    path(
        f"{_ME}/decisions/{_NUMBER}/file",
        own.OwnDecisionFileView.as_view(),
        name="api_decision_file",
    ),
    path(
        f"{_ME}/decisions/{_NUMBER}/appeals",
        own.FileAppealView.as_view(),
        name="api_file_appeal",
    ),
    path(f"{_ME}/appeals", own.OwnAppealsView.as_view(), name="api_appeals"),
    path(f"{_ME}/appeals/{_NUMBER}", own.OwnAppealView.as_view(), name="api_appeal"),
    path(
        f"{_ME}/appeals/{_NUMBER}/messages",
        own.SayInAppealView.as_view(),
        name="api_say_in_appeal",
    ),
    path(
        f"{_ME}/appeals/{_NUMBER}/withdraw",
        own.WithdrawAppealView.as_view(),
        name="api_withdraw_appeal",
    ),
    path(f"{_ME}/pre-approvals", own.OwnPreApprovalsView.as_view(), name="api_pre_approvals"),
    path(
        f"{_ME}/pre-approvals/{_NUMBER}",
        own.OwnPreApprovalView.as_view(),
        name="api_pre_approval",
    ),
    path(f"{_ORG}/requests", desk.RequestQueueView.as_view(), name="api_queue"),
    path(f"{_ORG}/requests/{_NUMBER}", desk.CaseView.as_view(), name="api_case"),
    path(f"{_ORG}/requests/{_NUMBER}/open", desk.OpenCaseView.as_view(), name="api_open_case"),
    path(
        f"{_ORG}/requests/{_NUMBER}/facts",
        desk.AttestFactView.as_view(),
        name="api_attest_fact",
    ),
    path(f"{_ORG}/requests/{_NUMBER}/judgements", desk.JudgeView.as_view(), name="api_judge"),
    path(f"{_ORG}/requests/{_NUMBER}/decision", desk.ProposeView.as_view(), name="api_propose"),
    path(f"{_ORG}/requests/{_NUMBER}/agree", desk.AgreeView.as_view(), name="api_agree"),
    path(f"{_ORG}/requests/{_NUMBER}/return", desk.ReturnView.as_view(), name="api_return"),
    path(
        f"{_ORG}/decisions",
        desk.InstitutionDecisionsView.as_view(),
        name="api_institution_decisions",
    ),
    path(
        f"{_ORG}/decisions/{_NUMBER}",
        desk.InstitutionDecisionView.as_view(),
        name="api_institution_decision",
    ),
    path(
        f"{_ORG}/decisions/{_NUMBER}/file",
        desk.InstitutionDecisionFileView.as_view(),
        name="api_institution_decision_file",
    ),
    path(
        f"{_ORG}/decisions/{_NUMBER}/reverse",
        desk.ReverseDecisionView.as_view(),
        name="api_reverse_decision",
    ),
    path(
        f"{_ORG}/appeals",
        desk.InstitutionAppealsView.as_view(),
        name="api_institution_appeals",
    ),
    path(
        f"{_ORG}/appeals/{_NUMBER}",
        desk.InstitutionAppealView.as_view(),
        name="api_institution_appeal",
    ),
    path(
        f"{_ORG}/appeals/{_NUMBER}/messages",
        desk.AnswerAppealView.as_view(),
        name="api_answer_appeal",
    ),
    path(f"{_ORG}/appeals/{_NUMBER}/uphold", desk.UpholdView.as_view(), name="api_uphold"),
    path(
        f"{_ORG}/appeals/{_NUMBER}/decision",
        desk.DecideAnewView.as_view(),
        name="api_decide_anew",
    ),
    path(
        f"{_ORG}/pre-approvals",
        desk.InstitutionPreApprovalsView.as_view(),
        name="api_institution_pre_approvals",
    ),
    path(
        f"{_ORG}/pre-approvals/{_NUMBER}",
        desk.InstitutionPreApprovalView.as_view(),
        name="api_institution_pre_approval",
    ),
    path(
        f"{_ORG}/pre-approvals/{_NUMBER}/approve",
        desk.ApprovePreApprovalView.as_view(),
        name="api_approve_pre_approval",
    ),
    path(
        f"{_ORG}/pre-approvals/{_NUMBER}/withdraw",
        desk.WithdrawPreApprovalView.as_view(),
        name="api_withdraw_pre_approval",
    ),
    path("v1/notices", desk.NoticesView.as_view(), name="api_notices"),
]
