"""The shapes of rules and programmes."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from api.serializers import CODE_MAX, Index, RowProblemSerializer, Strict, Text
from creditbank.institutions.kinds import OutcomeKind
from creditbank.jobs.models import JobState
from creditbank.recognition.models import VersionStatus
from creditbank.recognition.register import search
from creditbank.recognition.register.publishing import REASON_MAX

STATES = [(state, state) for state in search.STATES]
VERSION_STATES = [
    *STATES,
    *((status.value, status.value) for status in (VersionStatus.DRAFT, VersionStatus.FILED)),
]
CHANGES = [(change, change) for change in ("added", "removed", "changed")]
PAGE_MAX = 200


# -- what is asked ----------------------------------------------------------------------------
class FindSerializer(serializers.Serializer[Any]):
    """What is looked for in the register; what is not given is not asked."""

    q = serializers.CharField(required=False, max_length=60, help_text="每个词都要有 / every word")
    owner = serializers.SlugField(required=False, max_length=CODE_MAX)
    programme = serializers.CharField(required=False, max_length=CODE_MAX)
    kind = serializers.ChoiceField(choices=OutcomeKind.choices, required=False)
    body = serializers.CharField(required=False, max_length=18)
    state = serializers.ChoiceField(choices=STATES, required=False)
    on = serializers.DateField(required=False, help_text="默认今天 / today unless given")
    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=PAGE_MAX)
    offset = Index(required=False, default=0)


class FindProgrammeSerializer(serializers.Serializer[Any]):
    """What is looked for among the programmes."""

    owner = serializers.SlugField(required=False, max_length=CODE_MAX)
    state = serializers.ChoiceField(choices=STATES, required=False)
    on = serializers.DateField(required=False)
    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=PAGE_MAX)
    offset = Index(required=False, default=0)


class FromSerializer(serializers.Serializer[Any]):
    """The older of two versions; without one, the version before."""

    since = serializers.IntegerField(required=False, min_value=1, max_value=9999)


class WithdrawalSerializer(Strict):
    """Why a version is withdrawn, and from which day on (today, unless given)."""

    reason = Text(max_length=REASON_MAX)
    on = serializers.DateField(required=False)


class SimulationRequestSerializer(Strict):
    """For which programme a draft is simulated."""

    programme = Text(max_length=CODE_MAX)


# -- what is answered -------------------------------------------------------------------------
class VersionSerializer(serializers.Serializer[Any]):
    """A version of a rule or a programme."""

    code = serializers.CharField()
    version = serializers.IntegerField()
    state = serializers.ChoiceField(
        choices=[
            *STATES,
            (VersionStatus.DRAFT.value, "draft"),
            (VersionStatus.FILED.value, "filed"),
        ]
    )
    title = serializers.CharField()
    title_en = serializers.CharField()
    owner = serializers.CharField(help_text="机构的网址名 / the owner's slug")
    owner_uscc = serializers.CharField()
    first_day = serializers.DateField()
    last_day = serializers.DateField(allow_null=True)
    digest = serializers.CharField(help_text="SHA-256, hex")
    filed_at = serializers.DateTimeField(allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True)
    log_index = Index(allow_null=True)
    withdrawn_on = serializers.DateField(allow_null=True)
    withdrawal_reason = serializers.CharField(allow_blank=True)
    withdrawal_log_index = Index(allow_null=True)


class RuleSerializer(VersionSerializer):
    """A version of a rule, and where it leads from and to."""

    law = serializers.ChoiceField(choices=[("filing", "filing"), ("decision", "decision")])
    kinds = serializers.ListField(
        child=serializers.CharField(allow_blank=True),
        help_text="可用的成果类型，空文字为任何类型 / an empty text: any kind",
    )
    programmes = serializers.ListField(child=serializers.CharField())


class RulesSerializer(serializers.Serializer[Any]):
    """A part of the register, and how many versions were found in all."""

    total = serializers.IntegerField()
    rules = RuleSerializer(many=True)


class ProgrammesSerializer(serializers.Serializer[Any]):
    """A part of the programmes, and how many versions were found in all."""

    total = serializers.IntegerField()
    programmes = VersionSerializer(many=True)


class VersionsSerializer(serializers.Serializer[Any]):
    """The versions of one code, the newest first."""

    versions = VersionSerializer(many=True)


class FullVersionSerializer(VersionSerializer):
    """A version with its document."""

    document = serializers.DictField()


class PointedSerializer(serializers.Serializer[Any]):
    """One place in which two documents differ."""

    change = serializers.ChoiceField(choices=CHANGES)
    pointer = serializers.CharField(allow_blank=True, help_text="RFC 6901")
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class DifferencesSerializer(serializers.Serializer[Any]):
    """What changed from one version to another."""

    code = serializers.CharField()
    since = serializers.IntegerField()
    version = serializers.IntegerField()
    differences = PointedSerializer(many=True)


class CheckedSerializer(serializers.Serializer[Any]):
    """What was found of a document; `field` is the JSON pointer. Nothing was kept."""

    problems = RowProblemSerializer(many=True)
    warnings = RowProblemSerializer(many=True)


class SimulatedSerializer(serializers.Serializer[Any]):
    """What a simulation has counted: learners and credits, nothing of anybody's."""

    learners = serializers.IntegerField()
    forgotten = serializers.IntegerField()
    holding = serializers.IntegerField()
    aside = serializers.IntegerField()
    not_proved = serializers.IntegerField()
    gain = serializers.IntegerField()
    gain_credits = serializers.CharField()
    lose = serializers.IntegerField()
    lose_credits = serializers.CharField()
    states = serializers.DictField(child=serializers.IntegerField())
    bins = serializers.DictField(child=serializers.IntegerField())
    goals = serializers.DictField(child=serializers.IntegerField())
    decisions = serializers.DictField(child=serializers.IntegerField())
    reasons = serializers.DictField(child=serializers.IntegerField())
    obstacles = serializers.DictField(child=serializers.IntegerField())


class SimulationSerializer(serializers.Serializer[Any]):
    """A simulation: how far it is, and what it has counted till there."""

    id = serializers.UUIDField()
    programme = serializers.CharField()
    state = serializers.ChoiceField(choices=JobState.choices)
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    error_code = serializers.CharField(allow_blank=True)
    digest = serializers.CharField(help_text="模拟时草稿的 SHA-256 / of the document simulated")
    started_at = serializers.DateTimeField()
    counts = SimulatedSerializer()


class SimulationsSerializer(serializers.Serializer[Any]):
    """A draft's simulations, newest first."""

    simulations = SimulationSerializer(many=True)
