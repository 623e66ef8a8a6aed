"""The shapes of goals, requests, decisions, appeals and pre-approvals."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers import CODE_MAX, Figure, Index, Strict, Text
from creditbank.recognition.deciding.proofsteps import State
from creditbank.recognition.engine.findings import Verdict
from creditbank.recognition.models import (
    AppealState,
    DecisionState,
    LineVerdict,
    PreApprovalState,
    RequestState,
    ReviewVerdict,
)
from creditbank.recognition.workflow import appeals, caselist, decisions, requests
from creditbank.recognition.workflow.details import WORDS_MAX
from learners.identity import DocumentType

NUMBER: Final = r"^[RDAP]-[0-9]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$"
OUTCOMES_MAX: Final = 200
LINES_MAX: Final = 200
PAGE_MAX: Final = 200


@extend_schema_field({"type": "string", "format": "date"})
class Day(serializers.DateField):
    """A civil day as YYYY-MM-DD, and nothing else."""

    def to_internal_value(self, value: Any) -> Any:
        """Read a day. Raises ValidationError for anything but a JSON string."""
        if not isinstance(value, str) or len(value) != len("2026-06-17"):
            raise serializers.ValidationError(_("这里应是日期 YYYY-MM-DD。"), code="not-a-day")
        return super().to_internal_value(value)


def _choices(values: Any) -> list[tuple[str, str]]:
    return [(str(value), str(value)) for value in values]


REQUEST_STATES: Final = _choices(RequestState.values)
DECISION_STATES: Final = _choices(DecisionState.values)
APPEAL_STATES: Final = _choices(AppealState.values)
PRE_APPROVAL_STATES: Final = _choices(PreApprovalState.values)
LINE_VERDICTS: Final = _choices(LineVerdict.values)
FINDING_VERDICTS: Final = _choices(Verdict)
CHECK_STATES: Final = _choices(State)
"""Named here so that the schema has a name for each."""


def _amount(**options: Any) -> Figure:
    return Figure(max_length=16, **options)


# -- what a learner asks ----------------------------------------------------------------------
class GoalRequestSerializer(Strict):
    """A programme to follow: its version in force today, unless one is named."""

    programme = Text(max_length=CODE_MAX)
    version = serializers.IntegerField(required=False, min_value=1, max_value=9999)
    award_on = Day(required=False)


class WhatIfSerializer(Strict):
    """What to look at; nothing of it is stored."""

    programme = Text(max_length=CODE_MAX)
    version = serializers.IntegerField(required=False, min_value=1, max_value=9999)
    indexes = serializers.ListField(child=Index(), required=False, max_length=OUTCOMES_MAX)
    targets = serializers.ListField(
        child=Text(max_length=CODE_MAX), required=False, max_length=OUTCOMES_MAX
    )
    award_on = Day(required=False)


class RecognitionRequestSerializer(WhatIfSerializer):
    """A request. Without `indexes` the outcomes of the best plan are asked for."""

    consent = Text(
        required=False,
        allow_blank=True,
        max_length=CODE_MAX,
        help_text=f"{requests.CONSENT}：同意向该学校出示这些成果 / consent to show them",
    )
    words = Text(required=False, allow_blank=True, max_length=WORDS_MAX)
    resubmits = Text(required=False, max_length=CODE_MAX, help_text=_("先前的申请编号"))


class AppealRequestSerializer(Strict):
    """Lines of a decision that one does not agree with, and why."""

    positions = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=32767), max_length=LINES_MAX
    )
    text = Text(max_length=appeals.TEXT_MAX)


class SaySerializer(Strict):
    """Something to say."""

    text = Text(max_length=appeals.TEXT_MAX)


# -- what an institution asks -----------------------------------------------------------------
class QueueSerializer(serializers.Serializer[Any]):
    """Which requests; what waits, unless something else is asked for."""

    show = serializers.ChoiceField(
        choices=_choices(caselist.SHOWN), required=False, default=caselist.SHOWN[0]
    )
    programme = serializers.CharField(required=False, max_length=CODE_MAX)
    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=PAGE_MAX)
    offset = Index(required=False, default=0)


class RecognitionsAskedSerializer(serializers.Serializer[Any]):
    """Which of the decisions that were entered."""

    flagged = serializers.BooleanField(required=False, default=False)
    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=PAGE_MAX)
    offset = Index(required=False, default=0)


class PartSerializer(serializers.Serializer[Any]):
    """Which part of a list."""

    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=PAGE_MAX)
    offset = Index(required=False, default=0)


class FactSerializer(Strict):
    """A fact about an outcome that somebody looked into."""

    index = Index()
    name = Text(max_length=CODE_MAX)
    value = Text(max_length=120)


class JudgementSerializer(Strict):
    """A finding that is held to be met: which rule, on which outcomes."""

    rule = Text(max_length=CODE_MAX)
    version = serializers.IntegerField(min_value=1, max_value=9999)
    indexes = serializers.ListField(child=Index(), max_length=OUTCOMES_MAX)


class VerdictSerializer(Strict):
    """What is said of one line of the proposal."""

    position = serializers.IntegerField(min_value=0, max_value=32767)
    verdict = serializers.ChoiceField(choices=LINE_VERDICTS)
    credits = _amount(required=False, help_text=_("只在部分认定时"))
    reason = Text(required=False, allow_blank=True, max_length=60)
    note = Text(required=False, allow_blank=True, max_length=decisions.NOTE_MAX)


class VerdictsSerializer(Strict):
    """A verdict for each line."""

    verdicts = serializers.ListField(child=VerdictSerializer(), max_length=LINES_MAX)


class AnewSerializer(VerdictsSerializer):
    """A verdict for each line, and why it is decided anew."""

    text = Text(max_length=appeals.TEXT_MAX)


class AgreementSerializer(Strict):
    """A word to colleagues, if there is one."""

    note = Text(required=False, allow_blank=True, max_length=decisions.NOTE_MAX)


class ReasonSerializer(Strict):
    """Why."""

    reason = Text(max_length=200)


class PromisedSerializer(Strict):
    """What is promised for one target: a course (its own credits, unless named), or a category."""

    course = Text(required=False, max_length=CODE_MAX)
    category = Text(required=False, max_length=CODE_MAX)
    credits = _amount(required=False)
    waived = serializers.BooleanField(required=False, default=False)


class PreApprovalRequestSerializer(Strict):
    """For whom, which item by which day, and what it will count for."""

    document_type = serializers.ChoiceField(choices=DocumentType.choices)
    number = Text(max_length=CODE_MAX, help_text=_("学习者的证件号码"))
    programme = Text(max_length=CODE_MAX)
    item = Text(max_length=CODE_MAX)
    until = Day()
    score = _amount(required=False)
    targets = serializers.ListField(child=PromisedSerializer(), max_length=20)


# -- what is answered -------------------------------------------------------------------------
class GoalSerializer(serializers.Serializer[Any]):
    """A programme that a learner follows."""

    id = serializers.UUIDField()
    programme = serializers.CharField()
    programme_version = serializers.IntegerField()
    title = serializers.CharField()
    title_en = serializers.CharField()
    institution = serializers.CharField()
    award_on = serializers.DateField(allow_null=True)
    added_at = serializers.DateTimeField()


class GoalsSerializer(serializers.Serializer[Any]):
    """The programmes that a learner follows, oldest first."""

    goals = GoalSerializer(many=True)


class LineSerializer(serializers.Serializer[Any]):
    """What is proposed or was decided for one target, or of an outcome that nothing is given for."""

    position = serializers.IntegerField()
    rule = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField()
    indexes = serializers.ListField(child=Index())
    course = serializers.CharField(allow_blank=True)
    category = serializers.CharField(allow_blank=True)
    verdict = serializers.ChoiceField(choices=LINE_VERDICTS)
    credits = serializers.CharField()
    surplus = serializers.CharField()
    surplus_category = serializers.CharField(allow_blank=True)
    proposed = serializers.CharField()
    mark = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    note = serializers.CharField(allow_blank=True)
    law = serializers.CharField(allow_blank=True)
    law_on = serializers.DateField(allow_null=True)


class GrantSerializer(serializers.Serializer[Any]):
    """What a use of a rule can give."""

    course = serializers.CharField(allow_blank=True)
    category = serializers.CharField(allow_blank=True)
    credits = serializers.CharField()
    surplus = serializers.CharField()
    surplus_category = serializers.CharField(allow_blank=True)
    waived = serializers.BooleanField()
    mark = serializers.CharField(allow_blank=True)


class RuleReasonSerializer(serializers.Serializer[Any]):
    """One condition that failed or is not known, with the smallest change that meets it."""

    code = serializers.CharField()
    pointer = serializers.CharField(allow_blank=True, help_text="RFC 6901")
    index = Index(allow_null=True)
    found = serializers.CharField(allow_blank=True)
    wanted = serializers.CharField(allow_blank=True)
    change = serializers.CharField(allow_blank=True)
    sentence = serializers.CharField()


class RuleFindingSerializer(serializers.Serializer[Any]):
    """One rule held against one selection of outcomes."""

    rule = serializers.CharField()
    version = serializers.IntegerField()
    indexes = serializers.ListField(child=Index())
    verdict = serializers.ChoiceField(choices=FINDING_VERDICTS)
    grants = GrantSerializer(many=True)
    choose = serializers.IntegerField(help_text=_("0：全部；否则至多几项"))
    credits_max = serializers.CharField(allow_null=True)
    reasons = RuleReasonSerializer(many=True)


class CategoryStandingSerializer(serializers.Serializer[Any]):
    """What a category asks for, and what counts there."""

    code = serializers.CharField()
    asked = serializers.CharField()
    counted = serializers.CharField()
    pending = serializers.CharField()


class StandingSerializer(serializers.Serializer[Any]):
    """Where a learner stands in a programme."""

    state = serializers.ChoiceField(choices=_choices(("finished", "unfinished")))
    asked = serializers.CharField()
    counted = serializers.CharField()
    pending = serializers.CharField()
    missing = serializers.CharField()
    categories = CategoryStandingSerializer(many=True)
    courses_met = serializers.ListField(child=serializers.CharField())


class MissingSerializer(serializers.Serializer[Any]):
    """The fewest courses that complete the programme."""

    state = serializers.ChoiceField(choices=_choices(("shortest", "not-proved", "not-enough")))
    courses = serializers.ListField(child=serializers.CharField())
    credits = serializers.CharField()


class NewRulesSerializer(serializers.Serializer[Any]):
    """What rules that took effect lately add."""

    since = serializers.DateField()
    rules = serializers.ListField(child=serializers.CharField())
    credits = serializers.CharField()
    indexes = serializers.ListField(child=Index())


class PendingSerializer(serializers.Serializer[Any]):
    """What an open request would get, or a decision on its way gives."""

    request = serializers.CharField()
    decision = serializers.CharField(allow_null=True)
    credits = serializers.CharField()


class LookSerializer(serializers.Serializer[Any]):
    """Where a learner stands, and where they would stand. Nothing of it is stored."""

    programme = serializers.CharField()
    programme_version = serializers.IntegerField()
    now = StandingSerializer()
    preview = StandingSerializer()
    lines = LineSerializer(many=True)
    findings = RuleFindingSerializer(many=True)
    pending = PendingSerializer(many=True)
    missing = MissingSerializer()
    new_rules = NewRulesSerializer(allow_null=True)
    plan = serializers.ChoiceField(choices=_choices(("optimal", "not-proved")))


class SourceSerializer(serializers.Serializer[Any]):
    """An outcome that a request asks to use; while it is reserved nobody else can ask for it."""

    index = Index()
    leaf_hash = serializers.CharField(help_text="base64")
    credits = serializers.CharField()
    reserved = serializers.BooleanField()


class StepSerializer(serializers.Serializer[Any]):
    """One of the five states of a request."""

    state = serializers.ChoiceField(choices=REQUEST_STATES)
    reached_at = serializers.DateTimeField(allow_null=True)
    expected_on = serializers.DateField(allow_null=True)
    current = serializers.BooleanField()


class RequestSummarySerializer(serializers.Serializer[Any]):
    """A request in a list, without anything of the person."""

    number = serializers.CharField()
    institution = serializers.CharField()
    programme = serializers.CharField()
    programme_version = serializers.IntegerField()
    state = serializers.ChoiceField(choices=REQUEST_STATES)
    automatic = serializers.BooleanField()
    filed_on = serializers.DateField()
    expected_on = serializers.DateField()
    clock = serializers.ChoiceField(choices=_choices(("on-time", "due", "late", "stopped")))
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    appealed_at = serializers.DateTimeField(allow_null=True)
    outcomes = serializers.IntegerField()


class RequestsSerializer(serializers.Serializer[Any]):
    """Requests, and how many there are in all."""

    total = serializers.IntegerField()
    requests = RequestSummarySerializer(many=True)


class RequestSerializer(RequestSummarySerializer):
    """A request in full."""

    filed_at = serializers.DateTimeField()
    award_on = serializers.DateField(allow_null=True)
    notice_until = serializers.DateField(allow_null=True)
    person_asked_at = serializers.DateTimeField(allow_null=True)
    resubmits = serializers.CharField(allow_null=True)
    targets = serializers.ListField(child=serializers.CharField())
    words = serializers.CharField(allow_blank=True)
    sources = SourceSerializer(many=True)
    steps = StepSerializer(many=True)
    decisions = serializers.ListField(child=serializers.CharField())


class ReviewSerializer(serializers.Serializer[Any]):
    """One person's word on a decision, by the pseudonym of the membership."""

    stage = serializers.CharField()
    reviewer_as = serializers.CharField()
    institution = serializers.CharField()
    verdict = serializers.ChoiceField(choices=_choices(ReviewVerdict.values))
    at = serializers.DateTimeField()
    expert_years = serializers.IntegerField()


class DecisionSerializer(serializers.Serializer[Any]):
    """A decision with its lines."""

    number = serializers.CharField()
    request = serializers.CharField()
    institution = serializers.CharField()
    programme = serializers.CharField()
    programme_version = serializers.IntegerField()
    state = serializers.ChoiceField(choices=DECISION_STATES)
    automatic = serializers.BooleanField()
    credits = serializers.CharField()
    law_on = serializers.DateField()
    decided_at = serializers.DateTimeField(allow_null=True)
    notice_until = serializers.DateField(allow_null=True)
    appeal_until = serializers.DateField(allow_null=True)
    in_force_at = serializers.DateTimeField(allow_null=True)
    digest = serializers.CharField(allow_null=True, help_text="SHA-256, hex")
    entry_index = Index(allow_null=True)
    reversal_index = Index(allow_null=True)
    replaces = serializers.CharField(allow_null=True)
    flagged_at = serializers.DateTimeField(allow_null=True)
    lines = LineSerializer(many=True)
    reviews = ReviewSerializer(many=True)


class DecisionsSerializer(serializers.Serializer[Any]):
    """Decisions, and how many there are in all."""

    total = serializers.IntegerField()
    decisions = DecisionSerializer(many=True)


class OutcomeCheckSerializer(serializers.Serializer[Any]):
    """One numbered check of an outcome; could not be checked is neither valid nor invalid."""

    number = serializers.IntegerField()
    code = serializers.CharField()
    state = serializers.ChoiceField(choices=CHECK_STATES)
    why = serializers.CharField(allow_blank=True)


class OutcomeSerializer(serializers.Serializer[Any]):
    """An outcome of a case, verified now."""

    index = Index()
    item = serializers.CharField()
    item_version = serializers.IntegerField()
    kind = serializers.CharField()
    title = serializers.CharField()
    title_en = serializers.CharField(allow_blank=True)
    body = serializers.CharField()
    body_name = serializers.CharField()
    credits = serializers.CharField()
    completed_on = serializers.DateField()
    valid_until = serializers.DateField(allow_null=True)
    grade = serializers.CharField(allow_blank=True)
    score = serializers.CharField(allow_blank=True)
    hours = serializers.CharField(allow_blank=True)
    certificate = serializers.CharField(allow_blank=True)
    certificate_level = serializers.CharField(allow_blank=True)
    skill_level = serializers.CharField(allow_blank=True)
    verified = serializers.ChoiceField(choices=CHECK_STATES)
    checks = OutcomeCheckSerializer(many=True)


class WantedSerializer(serializers.Serializer[Any]):
    """A fact that a rule asks for, and what was attested."""

    index = Index(allow_null=True)
    name = serializers.CharField()
    rule = serializers.CharField()
    version = serializers.IntegerField()
    wanted = serializers.CharField(allow_blank=True)
    value = serializers.CharField(allow_blank=True)


class SimilarSerializer(serializers.Serializer[Any]):
    """An earlier decision under the same rule for the same target."""

    position = serializers.IntegerField()
    decision = serializers.CharField()
    decided_on = serializers.DateField()
    verdict = serializers.CharField()
    credits = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)


class ProcedureSerializer(serializers.Serializer[Any]):
    """How it is decided: how many people, at which stages, with which days."""

    people = serializers.IntegerField()
    chain = serializers.ListField(child=serializers.CharField())
    experts = serializers.IntegerField()
    expert_years = serializers.IntegerField()
    notice_days = serializers.IntegerField()
    appeal_days = serializers.IntegerField()


class CaseSerializer(serializers.Serializer[Any]):
    """A request as it is decided: its outcomes verified now, what could be given, by which rules."""

    request = RequestSerializer()
    name = serializers.CharField(allow_blank=True)
    identity = serializers.CharField(allow_blank=True, help_text=_("中间部分隐去的证件号码"))
    outcomes = OutcomeSerializer(many=True)
    lines = LineSerializer(many=True)
    unused = LineSerializer(many=True)
    findings = RuleFindingSerializer(many=True)
    facts = WantedSerializer(many=True)
    similar = SimilarSerializer(many=True)
    procedure = ProcedureSerializer()
    stage = serializers.CharField(allow_blank=True)
    proposal = DecisionSerializer(allow_null=True)


class MessageSerializer(serializers.Serializer[Any]):
    """What one side said in an appeal."""

    by_learner = serializers.BooleanField()
    author_as = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()
    text = serializers.CharField(allow_blank=True)
    file_name = serializers.CharField(allow_blank=True)


class AppealSummarySerializer(serializers.Serializer[Any]):
    """An appeal in a list."""

    number = serializers.CharField()
    decision = serializers.CharField()
    request = serializers.CharField()
    positions = serializers.ListField(child=serializers.IntegerField())
    state = serializers.ChoiceField(choices=APPEAL_STATES)
    filed_on = serializers.DateField()
    expected_on = serializers.DateField()
    decided_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.CharField(allow_null=True, help_text=_("新决定的编号"))


class AppealsSerializer(serializers.Serializer[Any]):
    """Appeals, and how many there are in all."""

    total = serializers.IntegerField()
    appeals = AppealSummarySerializer(many=True)


class AppealSerializer(AppealSummarySerializer):
    """An appeal with what was said."""

    messages = MessageSerializer(many=True)


class PreApprovalSummarySerializer(serializers.Serializer[Any]):
    """A pre-approval in a list."""

    number = serializers.CharField()
    institution = serializers.CharField()
    programme = serializers.CharField()
    programme_version = serializers.IntegerField()
    until = serializers.DateField()
    state = serializers.ChoiceField(choices=PRE_APPROVAL_STATES)
    prepared_at = serializers.DateTimeField()
    approved_at = serializers.DateTimeField(allow_null=True)
    entry_index = Index(allow_null=True)
    used_by = serializers.CharField(allow_null=True, help_text=_("兑现它的决定"))


class PreApprovalsSerializer(serializers.Serializer[Any]):
    """Pre-approvals, and how many there are in all."""

    total = serializers.IntegerField()
    pre_approvals = PreApprovalSummarySerializer(many=True)


class PreApprovalSerializer(PreApprovalSummarySerializer):
    """A pre-approval with the rule that it is."""

    document = serializers.DictField()


class NoticeLineSerializer(serializers.Serializer[Any]):
    """What a decision in notice gives for one target."""

    rule = serializers.CharField()
    version = serializers.IntegerField()
    target = serializers.CharField()
    title = serializers.CharField()
    title_en = serializers.CharField()
    verdict = serializers.ChoiceField(choices=LINE_VERDICTS)
    credits = serializers.CharField()


class NoticeSerializer(serializers.Serializer[Any]):
    """A decision in notice, without the person."""

    number = serializers.CharField()
    institution = serializers.CharField()
    programme = serializers.CharField()
    programme_version = serializers.IntegerField()
    decided_on = serializers.DateField()
    until = serializers.DateField()
    lines = NoticeLineSerializer(many=True)


class NoticesSerializer(serializers.Serializer[Any]):
    """All decisions in notice, those that end first before the others."""

    notices = NoticeSerializer(many=True)
