"""An institution's own rules and programmes: prepared, checked, filed, published, withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import permissions
from api.base import BankView
from api.exceptions import problem_of
from api.models import Scope
from api.ruleserializers import (
    CheckedSerializer,
    FullVersionSerializer,
    VersionSerializer,
    VersionsSerializer,
    WithdrawalSerializer,
)
from api.ruleviews import CODE, VERSION, full_json, state_of, version_json
from api.throttling import Limit
from api.views.records import SLUG
from creditbank.errors import Problem
from creditbank.institutions.kinds import Role
from creditbank.institutions.models import Institution
from creditbank.recognition.register import checking, publishing, rulebook
from creditbank.recognition.register.documents import PROGRAMMES, RULES, DocumentKind

DOCUMENT: dict[str, Any] = {
    "application/json": {"type": "object", "additionalProperties": True},
}
"""A rule or a programme as its schema says (`/schemas/rule-v1.json`, `/schemas/programme-v1.json`)."""


class _OwnView(BankView):
    """A view of an institution's own documents of one kind."""

    scope = Scope.RULES
    limit = Limit(scope="own-rules", anonymous=10, keyed=300)
    errors: ClassVar[tuple[int, ...]] = (404,)
    kind: ClassVar[DocumentKind] = RULES

    def institution(self, request: Request, slug: str, role: Role) -> Institution:
        """Return the key's own institution."""
        return permissions.institution_for(request, slug, role)

    def row(self, institution: Institution, code: str, version: int) -> Any:
        """Return one of its versions. Raises UnknownRule, UnknownProgramme."""
        find = rulebook.own_rule if self.kind is RULES else rulebook.own_programme
        return find(institution, code, version)


class _ShelfView(_OwnView):
    def get(self, request: Request, slug: str) -> Response:
        """Return every version, drafts included, by code."""
        institution = self.institution(request, slug, Role.VIEWER)
        rows: Sequence[Any] = (
            rulebook.own_rules(institution)
            if self.kind is RULES
            else rulebook.own_programmes(institution)
        )
        return Response({"versions": [version_json(row, state_of(row)) for row in rows]})

    def post(self, request: Request, slug: str) -> Response:
        """Keep the body as a draft."""
        institution = self.institution(request, slug, Role.CLERK)
        prepare = publishing.prepare_rule if self.kind is RULES else publishing.prepare_programme
        row = prepare(
            institution=institution,
            document=request.data,
            acting_user=permissions.caller(request),
        )
        where = f"/api/v1/institutions/{slug}/{self.kind.name}s/{row.code}/{row.version}"
        return Response(full_json(row), status=201, headers={"Location": where})


class _CheckView(_OwnView):
    def post(self, request: Request, slug: str) -> Response:
        """Say everything that is wrong with the body; keep nothing."""
        institution = self.institution(request, slug, Role.VIEWER)
        checked = checking.check_document(self.kind, institution, request.data)
        return Response({"problems": _all(checked.problems), "warnings": _all(checked.warnings)})


def _all(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    return [problem_of(one) for one in problems]


class _VersionView(_OwnView):
    errors = (404, 409)

    def get(self, request: Request, slug: str, code: str, version: int) -> Response:
        """Return one version, whatever its state."""
        institution = self.institution(request, slug, Role.VIEWER)
        return Response(full_json(self.row(institution, code, version)))

    def post(self, request: Request, slug: str, code: str, version: int) -> Response:
        """Put the body into the draft."""
        institution = self.institution(request, slug, Role.CLERK)
        changed = publishing.change_draft(
            version=self.row(institution, code, version),
            document=request.data,
            acting_user=permissions.caller(request),
        )
        return Response(full_json(changed))


class _StepView(_OwnView):
    errors = (404, 409)

    def done(self, row: Any) -> Response:
        """Return the version after the step."""
        return Response(version_json(row, state_of(row)))


class _FileView(_StepView):
    def post(self, request: Request, slug: str, code: str, version: int) -> Response:
        """File the draft."""
        institution = self.institution(request, slug, Role.CLERK)
        row = self.row(institution, code, version)
        user = permissions.caller(request)
        if self.kind is RULES:
            return self.done(publishing.file_rule(rule=row, acting_user=user))
        return self.done(publishing.file_programme(programme=row, acting_user=user))


class _PublishView(_StepView):
    def post(self, request: Request, slug: str, code: str, version: int) -> Response:
        """Publish what another person prepared."""
        institution = self.institution(request, slug, Role.REVIEWER)
        row = self.row(institution, code, version)
        user = permissions.caller(request)
        if self.kind is RULES:
            return self.done(publishing.publish_rule(rule=row, acting_user=user))
        return self.done(publishing.publish_programme(programme=row, acting_user=user))


class _WithdrawView(_StepView):
    def post(self, request: Request, slug: str, code: str, version: int) -> Response:
        """Drop the draft, or withdraw what was published."""
        institution = self.institution(request, slug, Role.CLERK)
        row = self.row(institution, code, version)
        asked = WithdrawalSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said: dict[str, Any] = {
            "reason": asked.validated_data["reason"],
            "on": asked.validated_data.get("on"),
            "acting_user": permissions.caller(request),
        }
        if self.kind is RULES:
            gone: Any = publishing.withdraw_rule(rule=row, **said)
        else:
            gone = publishing.withdraw_programme(programme=row, **said)
        if not gone.is_published:
            return Response(version_json(gone, "withdrawn"))
        return self.done(gone)


# -- rules ------------------------------------------------------------------------------------
_AT_RULES: dict[str, Any] = {"tags": ["rules"]}
_AT_PROGRAMMES: dict[str, Any] = {"tags": ["programmes"]}
_ONE = [SLUG, CODE, VERSION]


class OwnRulesView(_ShelfView):
    """An institution's rules."""

    errors = (404, 409)
    operation = "list_own_rules"
    operation_post = "prepare_rule"

    @extend_schema(
        **_AT_RULES,
        summary=_("本机构的规则，含草稿"),
        parameters=[SLUG],
        responses={200: VersionsSerializer},
    )
    def get(self, request: Request, slug: str) -> Response:
        """Return every version, drafts included."""
        return super().get(request, slug)

    @extend_schema(
        **_AT_RULES,
        summary=_("准备一条规则的草稿"),
        description=_("正文就是规则文件。有任何问题则不保存，问题一次列全，field 是 JSON 指针。"),
        parameters=[SLUG],
        request=DOCUMENT,
        responses={201: FullVersionSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Keep the body as a draft."""
        return super().post(request, slug)


class CheckRuleView(_CheckView):
    """A check of a rule."""

    operation_post = "check_rule"

    @extend_schema(
        **_AT_RULES,
        summary=_("检查一条规则，不保存"),
        parameters=[SLUG],
        request=DOCUMENT,
        responses={200: CheckedSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Say everything that is wrong with the body."""
        return super().post(request, slug)


class OwnRuleView(_VersionView):
    """One version of an institution's rule."""

    operation = "get_own_rule"
    operation_post = "change_rule_draft"

    @extend_schema(
        **_AT_RULES,
        summary=_("本机构规则的一个版本"),
        parameters=_ONE,
        responses={200: FullVersionSerializer},
    )
    def get(self, request: Request, slug: str, code: str, version: int) -> Response:
        """Return the version."""
        return super().get(request, slug, code, version)

    @extend_schema(
        **_AT_RULES,
        summary=_("修改规则的草稿"),
        parameters=_ONE,
        request=DOCUMENT,
        responses={200: FullVersionSerializer},
    )
    def post(self, request: Request, slug: str, code: str, version: int) -> Response:
        """Put the body into the draft."""
        return super().post(request, slug, code, version)


class FileRuleView(_FileView):
    """The filing of a rule."""

    operation_post = "file_rule"

    @extend_schema(
        **_AT_RULES,
        summary=_("备案一条规则"),
        parameters=_ONE,
        request=None,
        responses={200: VersionSerializer},
    )
    def post(self, request: Request, slug: str, code: str, version: int) -> Response:
        """File the draft."""
        return super().post(request, slug, code, version)


class PublishRuleView(_PublishView):
    """The publication of a rule."""

    operation_post = "publish_rule"

    @extend_schema(
        **_AT_RULES,
        summary=_("公布一条规则"),
        description=_("由准备者以外的另一个人公布；可以重发，只登记一次。"),
        parameters=_ONE,
        request=None,
        responses={200: VersionSerializer},
    )
    def post(self, request: Request, slug: str, code: str, version: int) -> Response:
        """Publish what another person prepared."""
        return super().post(request, slug, code, version)


class WithdrawRuleView(_WithdrawView):
    """The withdrawal of a rule."""

    operation_post = "withdraw_rule"

    @extend_schema(
        **_AT_RULES,
        summary=_("撤回一条规则，或它的草稿"),
        parameters=_ONE,
        request=WithdrawalSerializer,
        responses={200: VersionSerializer},
    )
    def post(self, request: Request, slug: str, code: str, version: int) -> Response:
        """Drop the draft, or withdraw what was published."""
        return super().post(request, slug, code, version)


# -- programmes -------------------------------------------------------------------------------
class OwnProgrammesView(_ShelfView):
    """An institution's programmes."""

    kind = PROGRAMMES
    errors = (404, 409)
    operation = "list_own_programmes"
    operation_post = "prepare_programme"

    @extend_schema(
        **_AT_PROGRAMMES,
        summary=_("本机构的培养方案，含草稿"),
        parameters=[SLUG],
        responses={200: VersionsSerializer},
    )
    def get(self, request: Request, slug: str) -> Response:
        """Return every version, drafts included."""
        return super().get(request, slug)

    @extend_schema(
        **_AT_PROGRAMMES,
        summary=_("准备一份培养方案的草稿"),
        description=_("正文就是培养方案文件。有任何问题则不保存，问题一次列全。"),
        parameters=[SLUG],
        request=DOCUMENT,
        responses={201: FullVersionSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Keep the body as a draft."""
        return super().post(request, slug)


class CheckProgrammeView(_CheckView):
    """A check of a programme."""

    kind = PROGRAMMES
    operation_post = "check_programme"

    @extend_schema(
        **_AT_PROGRAMMES,
        summary=_("检查一份培养方案，不保存"),
        parameters=[SLUG],
        request=DOCUMENT,
        responses={200: CheckedSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Say everything that is wrong with the body."""
        return super().post(request, slug)


class OwnProgrammeView(_VersionView):
    """One version of an institution's programme."""

    kind = PROGRAMMES
    operation = "get_own_programme"
    operation_post = "change_programme_draft"

    @extend_schema(
        **_AT_PROGRAMMES,
        summary=_("本机构培养方案的一个版本"),
        parameters=_ONE,
        responses={200: FullVersionSerializer},
    )
    def get(self, request: Request, slug: str, code: str, version: int) -> Response:
        """Return the version."""
        return super().get(request, slug, code, version)

    @extend_schema(
        **_AT_PROGRAMMES,
        summary=_("修改培养方案的草稿"),
        parameters=_ONE,
        request=DOCUMENT,
        responses={200: FullVersionSerializer},
    )
    def post(self, request: Request, slug: str, code: str, version: int) -> Response:
        """Put the body into the draft."""
        return super().post(request, slug, code, version)


class FileProgrammeView(_FileView):
    """The filing of a programme."""

    kind = PROGRAMMES
    operation_post = "file_programme"

    @extend_schema(
        **_AT_PROGRAMMES,
        summary=_("备案一份培养方案"),
        parameters=_ONE,
        request=None,
        responses={200: VersionSerializer},
    )
    def post(self, request: Request, slug: str, code: str, version: int) -> Response:
        """File the draft."""
        return super().post(request, slug, code, version)


class PublishProgrammeView(_PublishView):
    """The publication of a programme."""

    kind = PROGRAMMES
    operation_post = "publish_programme"

    @extend_schema(
        **_AT_PROGRAMMES,
        summary=_("公布一份培养方案"),
        description=_("由准备者以外的另一个人公布；可以重发，只登记一次。"),
        parameters=_ONE,
        request=None,
        responses={200: VersionSerializer},
    )
    def post(self, request: Request, slug: str, code: str, version: int) -> Response:
        """Publish what another person prepared."""
        return super().post(request, slug, code, version)


class WithdrawProgrammeView(_WithdrawView):
    """The withdrawal of a programme."""

    kind = PROGRAMMES
    operation_post = "withdraw_programme"

    @extend_schema(
        **_AT_PROGRAMMES,
        summary=_("撤回一份培养方案，或它的草稿"),
        parameters=_ONE,
        request=WithdrawalSerializer,
        responses={200: VersionSerializer},
    )
    def post(self, request: Request, slug: str, code: str, version: int) -> Response:
        """Drop the draft, or withdraw what was published."""
        return super().post(request, slug, code, version)
