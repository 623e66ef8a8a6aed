"""The published rules and programmes: found, read, compared."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import BankView
from api.exceptions import REFUSED
from api.ruleserializers import (
    DifferencesSerializer,
    FindProgrammeSerializer,
    FindSerializer,
    FromSerializer,
    FullVersionSerializer,
    ProgrammesSerializer,
    RulesSerializer,
    VersionsSerializer,
)
from api.ruleviews import CODE, VERSION, full_json, version_json
from api.throttling import Limit
from creditbank.clock import today
from creditbank.recognition.models import RuleVersion, Version
from creditbank.recognition.register import rulebook, search
from creditbank.recognition.register.search import Register, Wanted

LIMIT = Limit(scope="rules", anonymous=60, keyed=600)
DOCUMENT = OpenApiResponse({"type": "object", "additionalProperties": True})


class RulesView(BankView):
    """The register of rules."""

    public = True
    limit = LIMIT
    errors = (REFUSED,)
    operation = "list_rules"
    cached_for = 60

    @extend_schema(
        tags=["rules"],
        summary=_("查找认定规则"),
        description=_("已公布的各版本。不给条件，就是全部。"),
        parameters=[FindSerializer],
        responses={200: RulesSerializer},
    )
    def get(self, request: Request) -> Response:
        """Return what was found, by code, the newest version first."""
        asked = FindSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        register = Register(said.get("on") or today())
        found = register.find(
            Wanted(
                text=said.get("q", ""),
                owner=said.get("owner", ""),
                programme=said.get("programme", ""),
                kind=said.get("kind", ""),
                body=said.get("body", ""),
                state=said.get("state", ""),
            )
        )
        part = found[said["offset"] : said["offset"] + said["limit"]]
        return Response({"total": len(found), "rules": [_rule_json(register, one) for one in part]})


def _rule_json(register: Register, one: search.Listed[RuleVersion]) -> dict[str, Any]:
    rule = one.row.parsed()
    return {
        **version_json(one.row, one.state),
        "law": rule.law,
        "kinds": sorted(register.kinds(one.row)),
        "programmes": list(rule.programmes),
    }


class RuleView(BankView):
    """One rule."""

    public = True
    limit = LIMIT
    errors = (404,)
    operation = "get_rule"
    cached_for = 60

    @extend_schema(
        tags=["rules"],
        summary=_("一条规则的全部版本"),
        parameters=[CODE],
        responses={200: VersionsSerializer},
    )
    def get(self, request: Request, code: str) -> Response:
        """Return the published versions, the newest first."""
        return Response(_versions(rulebook.versions(code)))


def _versions(rows: Any) -> dict[str, Any]:
    return {"versions": [version_json(one.row, one.state) for one in search.listed(rows, today())]}


class RuleVersionView(BankView):
    """One version of a rule."""

    public = True
    limit = LIMIT
    errors = (404,)
    operation = "get_rule_version"
    cached_for = 60

    @extend_schema(
        tags=["rules"],
        summary=_("规则的一个版本，连同原文"),
        parameters=[CODE, VERSION],
        responses={200: FullVersionSerializer},
    )
    def get(self, request: Request, code: str, version: int) -> Response:
        """Return the version."""
        return Response(full_json(rulebook.rule(code, version)))


class RuleDocumentView(BankView):
    """The document of a version."""

    public = True
    limit = LIMIT
    errors = (404,)
    operation = "get_rule_document"

    @extend_schema(
        tags=["rules"],
        summary=_("规则原文"),
        description=_("规范化的字节，登记簿登记的就是它的 SHA-256。"),
        parameters=[CODE, VERSION],
        responses={200: DOCUMENT},
    )
    def get(self, request: Request, code: str, version: int) -> HttpResponse:
        """Return the very bytes that were published."""
        return _bytes(rulebook.rule(code, version))


def _bytes(row: Version) -> HttpResponse:
    response = HttpResponse(bytes(row.document), content_type="application/json")
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


class RuleDifferencesView(BankView):
    """What changed between two versions of a rule."""

    public = True
    limit = LIMIT
    errors = (404, REFUSED)
    operation = "get_rule_differences"
    cached_for = 60

    @extend_schema(
        tags=["rules"],
        summary=_("两个版本之间的改动"),
        parameters=[CODE, VERSION, FromSerializer],
        responses={200: DifferencesSerializer},
    )
    def get(self, request: Request, code: str, version: int) -> Response:
        """Return the differences, by JSON pointer."""
        row = rulebook.rule(code, version)
        since = _since(request)
        older = rulebook.before(row) if since is None else rulebook.rule(code, since)
        if older is None:
            raise rulebook.UnknownRule(rule=code, version=version)
        return Response(_differences(older, row))


def _since(request: Request) -> int | None:
    asked = FromSerializer(data=request.query_params)
    asked.is_valid(raise_exception=True)
    since: int | None = asked.validated_data.get("since")
    return since


def _differences(older: Version, newer: Version) -> dict[str, Any]:
    return {
        "code": newer.code,
        "since": older.version,
        "version": newer.version,
        "differences": [
            {
                "change": one.change,
                "pointer": one.pointer,
                "before": one.before,
                "after": one.after,
            }
            for one in rulebook.between(older, newer)
        ],
    }


# -- programmes -------------------------------------------------------------------------------
class ProgrammesView(BankView):
    """The programmes."""

    public = True
    limit = LIMIT
    errors = (REFUSED,)
    operation = "list_programmes"
    cached_for = 60

    @extend_schema(
        tags=["programmes"],
        summary=_("培养方案"),
        parameters=[FindProgrammeSerializer],
        responses={200: ProgrammesSerializer},
    )
    def get(self, request: Request) -> Response:
        """Return what was found, by code, the newest version first."""
        asked = FindProgrammeSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        found = [
            one
            for one in Register(said.get("on") or today()).programmes
            if said.get("owner") in (None, one.row.owner.slug)
            and said.get("state") in (None, one.state)
        ]
        part = found[said["offset"] : said["offset"] + said["limit"]]
        return Response(
            {
                "total": len(found),
                "programmes": [version_json(one.row, one.state) for one in part],
            }
        )


class ProgrammeView(BankView):
    """One programme."""

    public = True
    limit = LIMIT
    errors = (404,)
    operation = "get_programme"
    cached_for = 60

    @extend_schema(
        tags=["programmes"],
        summary=_("一个专业的全部版本"),
        parameters=[CODE],
        responses={200: VersionsSerializer},
    )
    def get(self, request: Request, code: str) -> Response:
        """Return the published versions, the newest first."""
        return Response(_versions(rulebook.programme_versions(code)))


class ProgrammeVersionView(BankView):
    """One version of a programme."""

    public = True
    limit = LIMIT
    errors = (404,)
    operation = "get_programme_version"
    cached_for = 60

    @extend_schema(
        tags=["programmes"],
        summary=_("培养方案的一个版本，连同原文"),
        parameters=[CODE, VERSION],
        responses={200: FullVersionSerializer},
    )
    def get(self, request: Request, code: str, version: int) -> Response:
        """Return the version."""
        return Response(full_json(rulebook.programme(code, version)))


class ProgrammeDocumentView(BankView):
    """The document of a version."""

    public = True
    limit = LIMIT
    errors = (404,)
    operation = "get_programme_document"

    @extend_schema(
        tags=["programmes"],
        summary=_("培养方案原文"),
        parameters=[CODE, VERSION],
        responses={200: DOCUMENT},
    )
    def get(self, request: Request, code: str, version: int) -> HttpResponse:
        """Return the very bytes that were published."""
        return _bytes(rulebook.programme(code, version))


class ProgrammeDifferencesView(BankView):
    """What changed between two versions of a programme."""

    public = True
    limit = LIMIT
    errors = (404, REFUSED)
    operation = "get_programme_differences"
    cached_for = 60

    @extend_schema(
        tags=["programmes"],
        summary=_("两个版本之间的改动"),
        parameters=[CODE, VERSION, FromSerializer],
        responses={200: DifferencesSerializer},
    )
    def get(self, request: Request, code: str, version: int) -> Response:
        """Return the differences, by JSON pointer."""
        row = rulebook.programme(code, version)
        since = _since(request)
        older = rulebook.before(row) if since is None else rulebook.programme(code, since)
        if older is None:
            raise rulebook.UnknownProgramme(programme=code, version=version)
        return Response(_differences(older, row))
