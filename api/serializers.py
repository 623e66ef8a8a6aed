"""The shapes that come in and go out. What comes in has no members beyond those named."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from certificates.formats.transcript import LINES_MAX
from certificates.models import TranscriptState
from creditbank.institutions.kinds import (
    Category,
    InstitutionKind,
    InstitutionStatus,
    OutcomeKind,
    StreamMode,
)
from creditbank.proofs.canonical import INTEGER_MAX
from creditbank.recording.limits import CELL_CHARACTERS_MAX
from creditbank.recording.models import DraftState
from creditbank.recording.resolving import ROWS_MAX

CODE_MAX: Final = 40
_UNKNOWN: Final = _("没有这个成员。")
_NOT_TEXT: Final = _("这里应是文字。")


# -- fields -----------------------------------------------------------------------------------
class Text(serializers.CharField):
    """A JSON string, and nothing that could be taken for one."""

    def to_internal_value(self, data: Any) -> str:
        """Read a string. Raises ValidationError for a number."""
        if not isinstance(data, str):
            raise serializers.ValidationError(_NOT_TEXT, code="not-text")
        return super().to_internal_value(data)


@extend_schema_field({"type": ["string", "number"]})
class Figure(Text):
    """A figure as a string ("3.00") or as a JSON number, which is read as a decimal."""

    def to_internal_value(self, data: Any) -> str:
        """Read a figure and return it as text."""
        if isinstance(data, Decimal) or type(data) is int:
            data = format(data, "f") if isinstance(data, Decimal) else str(data)
        return super().to_internal_value(data)


@extend_schema_field({"type": "integer", "minimum": 0, "maximum": INTEGER_MAX})
class Index(serializers.Field[Any, Any, Any, Any]):
    """A log index or size."""

    default_error_messages = {"invalid": _("这里应是不小于 0 的整数。")}

    def to_internal_value(self, data: Any) -> int:
        """Read an index: a JSON integer, or its digits in a query."""
        if isinstance(data, str) and data.isascii() and data.isdigit() and len(data) <= 16:
            data = int(data)
        if type(data) is not int or not 0 <= data <= INTEGER_MAX:
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        """Return the index."""
        return value


class Strict(serializers.Serializer[Any]):
    """A request's object: a member that nobody reads is a mistake, and is said to be one."""

    def to_internal_value(self, data: Any) -> Any:
        """Read the object. Raises ValidationError for what is wrong and what is not known, at once."""
        errors: dict[str, Any] = {}
        value = None
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if not isinstance(error.detail, dict) or not isinstance(data, Mapping):
                raise
            errors = dict(error.detail)
        for name in sorted(set(data) - set(self.fields))[:20]:
            errors[name[:CODE_MAX]] = [
                serializers.ErrorDetail(str(_UNKNOWN), code="member-unknown")
            ]
        if errors:
            raise serializers.ValidationError(errors)
        return value


def _text(limit: int = CELL_CHARACTERS_MAX, **options: Any) -> Text:
    return Text(required=False, allow_blank=True, max_length=limit, **options)


# -- what comes in ----------------------------------------------------------------------------
class OutcomeRowSerializer(Strict):
    """One person's one outcome, as an institution's own system knows it."""

    document_type = _text(help_text="resident-id, hk-mo-permit, tw-permit, foreign-pr, passport")
    number = _text(help_text="证件号码 / the identity document's number")
    name = _text()
    item = _text(help_text="名录编码 / the catalogue item's code")
    completed_on = _text(help_text="YYYY-MM-DD")
    valid_until = _text(help_text="YYYY-MM-DD")
    credits = Figure(required=False, allow_blank=True, max_length=CELL_CHARACTERS_MAX)
    grade = _text()
    score = Figure(required=False, allow_blank=True, max_length=CELL_CHARACTERS_MAX)
    hours = Figure(required=False, allow_blank=True, max_length=CELL_CHARACTERS_MAX)
    certificate = _text()
    batch = _text()
    year = _text()
    project = _text()
    contest = _text()
    edition = _text()
    event = _text()
    started_on = _text(help_text="YYYY-MM-DD")
    term = _text()


class OutcomeRowsSerializer(Strict):
    """Rows, checked all at once."""

    rows = serializers.ListField(
        child=OutcomeRowSerializer(), allow_empty=False, max_length=ROWS_MAX
    )


class TranscriptRequestSerializer(Strict):
    """Which entries the transcript is to hold; without a list, all that are in force."""

    indexes = serializers.ListField(
        child=Index(), allow_empty=False, max_length=LINES_MAX, required=False
    )


class NumberAndCodeSerializer(Strict):
    """A transcript's number and verification code, as printed."""

    number = Text(max_length=CODE_MAX)
    code = Text(max_length=CODE_MAX)


class OnDaySerializer(serializers.Serializer[Any]):
    """A civil day in Asia/Shanghai."""

    on = serializers.DateField(required=False)


class PageSerializer(serializers.Serializer[Any]):
    """Which part of a list."""

    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=200)
    before = Index(required=False)


class AtSizeSerializer(serializers.Serializer[Any]):
    """A published tree size; without one, the newest."""

    size = Index(required=False)


class TwoSizesSerializer(serializers.Serializer[Any]):
    """Two tree sizes, the older first."""

    old = Index()
    new = Index()


# -- problems ---------------------------------------------------------------------------------
class RowProblemSerializer(serializers.Serializer[Any]):
    """One thing wrong: where it is, what was found, what was expected."""

    code = serializers.CharField()
    row = serializers.IntegerField(allow_null=True, help_text="从 1 起 / counted from 1")
    field = serializers.CharField(allow_null=True)
    value = serializers.CharField(allow_null=True)
    expected = serializers.CharField(allow_null=True)
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """A problem (RFC 9457). `code` never changes; `type` is the page that explains it."""

    type = serializers.URLField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField(required=False)
    facts = serializers.DictField(required=False)
    problems = RowProblemSerializer(many=True, required=False)
    incident = serializers.CharField(required=False)


# -- catalogue and institutions ---------------------------------------------------------------
class CatalogueItemSerializer(serializers.Serializer[Any]):
    """One approved version of a catalogue item."""

    item = serializers.CharField()
    item_version = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=OutcomeKind.choices)
    title = serializers.CharField()
    title_en = serializers.CharField(allow_blank=True)
    body = serializers.CharField(help_text="授予机构统一社会信用代码")
    body_name = serializers.CharField()
    credits = serializers.CharField(help_text="核定的学分银行学分 / approved bank credits")
    framework = serializers.CharField(allow_blank=True)
    level = serializers.CharField(allow_blank=True)
    category = serializers.ChoiceField(choices=Category.choices)
    institution = serializers.CharField()
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(allow_null=True)


class RegionSerializer(serializers.Serializer[Any]):
    """A part of the province."""

    code = serializers.CharField()
    name = serializers.CharField()
    name_en = serializers.CharField()


class SigningKeySerializer(serializers.Serializer[Any]):
    """A stream's public key and the log indexes at which its life changed."""

    algorithm = serializers.CharField()
    public = serializers.CharField(help_text="base64")
    added_index = Index()
    retired_index = Index(allow_null=True)
    compromised_from_index = Index(allow_null=True)
    in_force = serializers.BooleanField()


class StreamSummarySerializer(serializers.Serializer[Any]):
    """A stream of an institution."""

    name = serializers.CharField()
    mode = serializers.ChoiceField(choices=StreamMode.choices)
    active = serializers.BooleanField()


class InstitutionSerializer(serializers.Serializer[Any]):
    """An institution of the public register."""

    slug = serializers.CharField()
    name = serializers.CharField()
    name_en = serializers.CharField()
    name_ko = serializers.CharField(allow_blank=True)
    kind = serializers.ChoiceField(choices=InstitutionKind.choices)
    uscc = serializers.CharField()
    region = RegionSerializer()
    industry = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=InstitutionStatus.choices)
    opened_on = serializers.DateField()
    streams = StreamSummarySerializer(many=True)


class InstitutionsSerializer(serializers.Serializer[Any]):
    """The public register."""

    institutions = InstitutionSerializer(many=True)


# -- streams, submissions, drafts -------------------------------------------------------------
class StreamSerializer(StreamSummarySerializer):
    """Where a stream stands: what the next manifest must name."""

    institution = serializers.CharField()
    next_seq = Index()
    previous = serializers.CharField(help_text="上一份清单的根，十六进制 / hex")
    keys = SigningKeySerializer(many=True)


class ReceiptSerializer(serializers.Serializer[Any]):
    """Where a submission stands in the log (回执)."""

    stream = serializers.CharField()
    first_seq = Index()
    count = serializers.IntegerField()
    manifest_index = Index()
    first_index = Index()
    last_index = Index()
    size = Index(help_text="the least tree size that covers the submission")
    root = serializers.CharField(help_text="the manifest's root, hex")  # type: ignore[assignment]
    published = serializers.BooleanField()


class ReversesSerializer(serializers.Serializer[Any]):
    """The earlier attempt that a better one takes the place of."""

    index = Index()
    leaf = serializers.CharField(help_text="base64")
    quantity = serializers.IntegerField()


class ResolvedRowSerializer(serializers.Serializer[Any]):
    """A row for `prepare`: number for identity, and all that the signature must hold."""

    row = serializers.IntegerField()
    account = serializers.CharField()
    waiting = serializers.BooleanField()
    u = serializers.CharField()
    credits = serializers.CharField()
    item = serializers.CharField()
    item_version = serializers.IntegerField()
    completed_on = serializers.DateField()
    valid_until = serializers.DateField(allow_null=True)
    grade = serializers.CharField(allow_blank=True)
    score = serializers.CharField(allow_blank=True)
    hours = serializers.CharField(allow_blank=True)
    certificate = serializers.CharField(allow_blank=True)
    batch = serializers.CharField(allow_blank=True)
    occurrence = serializers.CharField(allow_blank=True)
    retake = serializers.ChoiceField(choices=["", "better", "not-better"])
    reverses = ReversesSerializer(allow_null=True)


class UnchangedRowSerializer(serializers.Serializer[Any]):
    """A row that the bank holds already."""

    row = serializers.IntegerField()
    account = serializers.CharField()
    index = Index()


class ResolvedSerializer(serializers.Serializer[Any]):
    """The rows to sign, those the bank holds already, and where the stream stands."""

    rows = ResolvedRowSerializer(many=True)
    unchanged = UnchangedRowSerializer(many=True)
    next_seq = Index()
    previous = serializers.CharField()


class DraftSerializer(serializers.Serializer[Any]):
    """A draft on its way to a second person's approval."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=DraftState.choices)
    rows = serializers.IntegerField()
    stream = serializers.CharField()
    created_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    refused_reason = serializers.CharField(allow_blank=True)
    receipt = ReceiptSerializer(allow_null=True)


class EntryReceiptSerializer(serializers.Serializer[Any]):
    """The receipt of one entry, with its proof under a published checkpoint."""

    index = Index()
    kind = serializers.CharField()
    credits = serializers.CharField()
    leaf_hash = serializers.CharField(help_text="base64")
    recorded_at = serializers.DateTimeField()
    receipt = ReceiptSerializer()
    proof = serializers.CharField(help_text="c2sp.org/tlog-proof with the opening")


# -- the learner's own ------------------------------------------------------------------------
class BalanceSerializer(serializers.Serializer[Any]):
    """Totals in credits, with two places."""

    awarded = serializers.CharField()
    available = serializers.CharField()
    used = serializers.CharField()
    lapsed = serializers.CharField()
    converted = serializers.CharField()


class StatementLineSerializer(serializers.Serializer[Any]):
    """One outcome and what became of it; or what an institution recognised for some (认定)."""

    index = Index()
    account = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.CharField()
    credits = serializers.CharField()
    item = serializers.CharField(allow_null=True)
    item_version = serializers.IntegerField(allow_null=True)
    outcome_kind = serializers.CharField(allow_null=True)
    title = serializers.CharField(allow_null=True)
    title_en = serializers.CharField(allow_null=True, allow_blank=True)
    body = serializers.CharField(allow_null=True)
    body_name = serializers.CharField(allow_null=True)
    framework = serializers.CharField(allow_null=True, allow_blank=True)
    level = serializers.CharField(allow_null=True, allow_blank=True)
    completed_on = serializers.DateField(allow_null=True)
    valid_until = serializers.DateField(allow_null=True)
    grade = serializers.CharField(allow_blank=True)
    score = serializers.CharField(allow_blank=True)
    hours = serializers.CharField(allow_blank=True)
    certificate = serializers.CharField(allow_blank=True)
    stream = serializers.CharField()
    recorded_at = serializers.DateTimeField(allow_null=True)
    acted_by_index = Index(allow_null=True)
    acted_reason = serializers.CharField(allow_blank=True)
    decision = serializers.CharField(
        allow_blank=True, help_text="number of the decision that uses or recognised it"
    )


class StatementSerializer(serializers.Serializer[Any]):
    """A learner's statement (对账单): accounts, totals, outcomes, newest first."""

    accounts = serializers.ListField(child=serializers.CharField())
    balance = BalanceSerializer()
    lines = StatementLineSerializer(many=True)
    next_before = Index(allow_null=True)


class TranscriptSerializer(serializers.Serializer[Any]):
    """A transcript, from its request to its end. Link and code only when it is ready."""

    number = serializers.CharField()
    state = serializers.ChoiceField(choices=TranscriptState.choices)
    ready = serializers.BooleanField()
    requested_at = serializers.DateTimeField()
    issued_on = serializers.DateField(allow_null=True)
    register_index = Index(allow_null=True)
    revoked_index = Index(allow_null=True)
    revoked_for = serializers.CharField(allow_blank=True)
    successor = serializers.CharField(allow_null=True)
    error_code = serializers.CharField(allow_blank=True)
    verify_url = serializers.URLField(allow_null=True)
    verification_code = serializers.CharField(allow_null=True)


class TranscriptsSerializer(serializers.Serializer[Any]):
    """A learner's transcripts, newest first."""

    transcripts = TranscriptSerializer(many=True)


# -- verification -----------------------------------------------------------------------------
class WordsSerializer(serializers.Serializer[Any]):
    """A sentence in both languages."""

    zh = serializers.CharField(allow_blank=True)
    en = serializers.CharField(allow_blank=True)


class FindingSerializer(WordsSerializer):
    """One thing that a check found."""

    code = serializers.CharField(allow_blank=True)
    verdict = serializers.CharField()
    field = serializers.CharField(allow_blank=True)
    line = serializers.IntegerField(allow_null=True)


class CheckSerializer(serializers.Serializer[Any]):
    """One of the seven numbered checks."""

    number = serializers.IntegerField(min_value=1, max_value=7)
    name = WordsSerializer()
    verdict = serializers.CharField()
    evaluated = serializers.BooleanField()
    findings = FindingSerializer(many=True)


class DifferenceSerializer(serializers.Serializer[Any]):
    """One field in which the file differs from the register."""

    field = serializers.CharField()
    line = serializers.IntegerField(allow_null=True)
    label = WordsSerializer()  # type: ignore[assignment]
    in_file = serializers.CharField(allow_blank=True)
    expected = serializers.CharField(allow_blank=True)


class TypoSerializer(serializers.Serializer[Any]):
    """Where a typing error is: `group` 1 to 3, 0 when the length is wrong."""

    field = serializers.CharField()
    group = serializers.IntegerField()
    reason = serializers.CharField()


class RegisterLineSerializer(serializers.Serializer[Any]):
    """A line as the register holds it."""

    index = Index()
    title = serializers.CharField()
    title_en = serializers.CharField(allow_blank=True)
    body_name = serializers.CharField()
    credits = serializers.CharField()
    completed_on = serializers.DateField()
    grade = serializers.CharField(allow_blank=True)
    score = serializers.CharField(allow_blank=True)
    hours = serializers.CharField(allow_blank=True)


class RegisterSerializer(serializers.Serializer[Any]):
    """What the register holds: compare it with what you were shown."""

    number = serializers.CharField()
    holder_name = serializers.CharField()
    holder_identity_masked = serializers.CharField(allow_blank=True)
    issued_on = serializers.DateField()
    lines = RegisterLineSerializer(many=True)


class RevocationSerializer(serializers.Serializer[Any]):
    """What the log says of a revocation."""

    index = Index()
    reason = serializers.CharField()
    successor = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField(allow_null=True)


class VerificationSerializer(serializers.Serializer[Any]):
    """A verification: one verdict, the seven checks behind it, and its receipt."""

    code = serializers.CharField(help_text="V-OK, V-TAMPERED, V-REVOKED, …")
    outcome = serializers.CharField(help_text="valid, note, undetermined, invalid, none")
    headline = WordsSerializer()
    next = WordsSerializer()
    by = serializers.CharField()
    at = serializers.DateTimeField()
    receipt = serializers.CharField(allow_null=True)
    number = serializers.CharField(allow_null=True)
    checks = CheckSerializer(many=True)
    differences = DifferenceSerializer(many=True)
    typo = TypoSerializer(allow_null=True)
    register = RegisterSerializer(allow_null=True)
    revocation = RevocationSerializer(allow_null=True)
    log_size = Index(allow_null=True)
    status_at = serializers.DateTimeField(allow_null=True)
    file_sha256 = serializers.CharField(allow_null=True)


# -- the log ----------------------------------------------------------------------------------
class LogSerializer(serializers.Serializer[Any]):
    """Where the log stands."""

    origin = serializers.CharField()
    size = Index(help_text="published")
    recorded = Index(help_text="recorded, perhaps not yet published")
    root = serializers.CharField(allow_null=True, help_text="base64")  # type: ignore[assignment]
    published_at = serializers.DateTimeField(allow_null=True)
    checkpoint = serializers.CharField(allow_null=True, help_text="c2sp.org/tlog-checkpoint")
    log_vkey = serializers.CharField(allow_null=True)
    cosigner_vkeys = serializers.ListField(child=serializers.CharField())


class LogEntrySerializer(serializers.Serializer[Any]):
    """One leaf of the log. `opening` only of the public kinds."""

    index = Index()
    type = serializers.ChoiceField(choices=[("entry", "entry"), ("manifest", "manifest")])
    kind = serializers.CharField(allow_null=True)
    stream = serializers.CharField()
    seq = Index(help_text="of a manifest: the number of its first entry")
    quantity = serializers.IntegerField(allow_null=True)
    count = serializers.IntegerField(allow_null=True)
    manifest_index = Index()
    acts_on = serializers.CharField(allow_null=True, help_text="base64 leaf hash")
    leaf = serializers.CharField()
    leaf_hash = serializers.CharField(help_text="base64")
    recorded_at = serializers.DateTimeField(allow_null=True)
    opening = serializers.CharField(allow_null=True)


class InclusionSerializer(serializers.Serializer[Any]):
    """The path from a leaf to a published root (RFC 6962, section 2.1.1)."""

    index = Index()
    size = Index()
    leaf_hash = serializers.CharField(help_text="base64")
    path = serializers.ListField(child=serializers.CharField())
    root = serializers.CharField(help_text="base64")  # type: ignore[assignment]
    checkpoint = serializers.CharField()
    proof = serializers.CharField(
        allow_null=True, help_text="c2sp.org/tlog-proof; null for a manifest"
    )


class ConsistencySerializer(serializers.Serializer[Any]):
    """The proof that the older tree is a beginning of the newer (RFC 6962, section 2.1.2)."""

    old = Index()
    new = Index()
    path = serializers.ListField(child=serializers.CharField())
    old_checkpoint = serializers.CharField(allow_null=True)
    new_checkpoint = serializers.CharField(allow_null=True)
