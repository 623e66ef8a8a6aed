"""The addresses of the API, all under /api/. `v1` never changes in meaning, it only grows."""

from __future__ import annotations

from django.urls import path, re_path, register_converter

from api.base import no_such_address
from api.caseurls import cases
from api.views.catalogue import CatalogueView
from api.views.institution_rules import (
    CheckProgrammeView,
    CheckRuleView,
    FileProgrammeView,
    FileRuleView,
    OwnProgrammesView,
    OwnProgrammeView,
    OwnRulesView,
    OwnRuleView,
    PublishProgrammeView,
    PublishRuleView,
    WithdrawProgrammeView,
    WithdrawRuleView,
)
from api.views.institutions import InstitutionsView
from api.views.log import ConsistencyView, InclusionView, LogEntryView, LogView
from api.views.receipts import ReceiptView
from api.views.records import DraftView, RecordsView
from api.views.rules import (
    ProgrammeDifferencesView,
    ProgrammeDocumentView,
    ProgrammesView,
    ProgrammeVersionView,
    ProgrammeView,
    RuleDifferencesView,
    RuleDocumentView,
    RulesView,
    RuleVersionView,
    RuleView,
)
from api.views.schema import DocsView, SchemaView
from api.views.simulations import SimulationsView, SimulationView
from api.views.statements import StatementView
from api.views.streams import NAME_PATTERN, ResolveView, StreamView, SubmissionsView
from api.views.transcripts import (
    TranscriptJsonView,
    TranscriptPdfView,
    TranscriptsView,
    TranscriptView,
)
from api.views.verification import VerifyView


class StreamName:
    """A stream's name: a host's name, a slash, one or two parts more."""

    regex = NAME_PATTERN

    def to_python(self, value: str) -> str:
        """Read the name."""
        return value

    def to_url(self, value: str) -> str:
        """Write the name."""
        return value


class Index:
    """A log index in its one spelling, and never beyond a bigint."""

    regex = "0|[1-9][0-9]{0,15}"

    def to_python(self, value: str) -> int:
        """Read the index."""
        return int(value)

    def to_url(self, value: int) -> str:
        """Write the index."""
        return str(value)


class Number:
    """A transcript's number as printed."""

    regex = "[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){2}"

    def to_python(self, value: str) -> str:
        """Read the number."""
        return value

    def to_url(self, value: str) -> str:
        """Write the number."""
        return value


class Code:
    """A rule's or programme's code."""

    regex = "[A-Za-z0-9][A-Za-z0-9._-]{0,39}"

    def to_python(self, value: str) -> str:
        """Read the code."""
        return value

    def to_url(self, value: str) -> str:
        """Write the code."""
        return value


class Version:
    """A version's number in its one spelling."""

    regex = "[1-9][0-9]{0,3}"

    def to_python(self, value: str) -> int:
        """Read the number."""
        return int(value)

    def to_url(self, value: int) -> str:
        """Write the number."""
        return str(value)


register_converter(StreamName, "streamname")
register_converter(Index, "apiindex")
register_converter(Number, "transcriptnumber")
register_converter(Code, "apicode")
register_converter(Version, "apiversion")

_VERSION = "<apicode:code>/<apiversion:version>"
_OWN_RULES = "v1/institutions/<slug:slug>/rules"
_OWN_PROGRAMMES = "v1/institutions/<slug:slug>/programmes"

rules = [
    path("v1/rules", RulesView.as_view(), name="api_rules"),
    path("v1/rules/<apicode:code>", RuleView.as_view(), name="api_rule"),
    path(f"v1/rules/{_VERSION}", RuleVersionView.as_view(), name="api_rule_version"),
    path(f"v1/rules/{_VERSION}/document", RuleDocumentView.as_view(), name="api_rule_document"),
    path(
        f"v1/rules/{_VERSION}/differences",
        RuleDifferencesView.as_view(),
        name="api_rule_differences",
    ),
    path("v1/programmes", ProgrammesView.as_view(), name="api_programmes"),
    path("v1/programmes/<apicode:code>", ProgrammeView.as_view(), name="api_programme"),
    path(f"v1/programmes/{_VERSION}", ProgrammeVersionView.as_view(), name="api_programme_version"),
    path(
        f"v1/programmes/{_VERSION}/document",
        ProgrammeDocumentView.as_view(),
        name="api_programme_document",
    ),
    path(
        f"v1/programmes/{_VERSION}/differences",
        ProgrammeDifferencesView.as_view(),
        name="api_programme_differences",
    ),
    path(_OWN_RULES, OwnRulesView.as_view(), name="api_own_rules"),
    path(f"{_OWN_RULES}/check", CheckRuleView.as_view(), name="api_check_rule"),
    path(f"{_OWN_RULES}/{_VERSION}", OwnRuleView.as_view(), name="api_own_rule"),
    path(f"{_OWN_RULES}/{_VERSION}/file", FileRuleView.as_view(), name="api_file_rule"),
    path(f"{_OWN_RULES}/{_VERSION}/publish", PublishRuleView.as_view(), name="api_publish_rule"),
    path(f"{_OWN_RULES}/{_VERSION}/withdraw", WithdrawRuleView.as_view(), name="api_withdraw_rule"),
    path(
        f"{_OWN_RULES}/{_VERSION}/simulations",
        SimulationsView.as_view(),
        name="api_simulations",
    ),
    path(
        f"{_OWN_RULES}/{_VERSION}/simulations/<uuid:simulation>",
        SimulationView.as_view(),
        name="api_simulation",
    ),
    path(_OWN_PROGRAMMES, OwnProgrammesView.as_view(), name="api_own_programmes"),
    path(f"{_OWN_PROGRAMMES}/check", CheckProgrammeView.as_view(), name="api_check_programme"),
    path(f"{_OWN_PROGRAMMES}/{_VERSION}", OwnProgrammeView.as_view(), name="api_own_programme"),
    path(
        f"{_OWN_PROGRAMMES}/{_VERSION}/file",
        FileProgrammeView.as_view(),
        name="api_file_programme",
    ),
    path(
        f"{_OWN_PROGRAMMES}/{_VERSION}/publish",
        PublishProgrammeView.as_view(),
        name="api_publish_programme",
    ),
    path(
        f"{_OWN_PROGRAMMES}/{_VERSION}/withdraw",
        WithdrawProgrammeView.as_view(),
        name="api_withdraw_programme",
    ),
]

v1 = [
    *cases,
    *rules,
    path("v1/catalogue", CatalogueView.as_view(), name="api_catalogue"),
    path("v1/institutions", InstitutionsView.as_view(), name="api_institutions"),
    path("v1/institutions/<slug:slug>/records", RecordsView.as_view(), name="api_records"),
    path("v1/institutions/<slug:slug>/drafts/<uuid:draft>", DraftView.as_view(), name="api_draft"),
    # Before the stream itself, whose name may have three parts.
    path(
        "v1/streams/<streamname:name>/submissions",
        SubmissionsView.as_view(),
        name="api_submissions",
    ),
    path("v1/streams/<streamname:name>/resolve", ResolveView.as_view(), name="api_resolve"),
    path("v1/streams/<streamname:name>", StreamView.as_view(), name="api_stream"),
    path("v1/receipts/<apiindex:index>", ReceiptView.as_view(), name="api_receipt"),
    path("v1/me/statement", StatementView.as_view(), name="api_statement"),
    path("v1/me/transcripts", TranscriptsView.as_view(), name="api_transcripts"),
    path(
        "v1/me/transcripts/<transcriptnumber:number>",
        TranscriptView.as_view(),
        name="api_transcript",
    ),
    path(
        "v1/me/transcripts/<transcriptnumber:number>/pdf",
        TranscriptPdfView.as_view(),
        name="api_transcript_pdf",
    ),
    path(
        "v1/me/transcripts/<transcriptnumber:number>/json",
        TranscriptJsonView.as_view(),
        name="api_transcript_json",
    ),
    path("v1/verify", VerifyView.as_view(), name="api_verify"),
    path("v1/log", LogView.as_view(), name="api_log"),
    path("v1/log/entries/<apiindex:index>", LogEntryView.as_view(), name="api_log_entry"),
    path("v1/log/proofs/<apiindex:index>", InclusionView.as_view(), name="api_log_proof"),
    path("v1/log/consistency", ConsistencyView.as_view(), name="api_log_consistency"),
]

urlpatterns = [
    *v1,
    path("schema", SchemaView.as_view(), name="api_schema"),
    path("docs", DocsView.as_view(), name="api_docs"),
    re_path(r"", no_such_address),
]
