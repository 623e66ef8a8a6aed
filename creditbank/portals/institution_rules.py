"""Rules and programmes at an institution's desk: write, check, simulate, file, publish, withdraw.

Both kinds of documents go the same way; each address says which it is about.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from creditbank import access
from creditbank.access import NotFound
from creditbank.clock import today
from creditbank.errors import DomainError, Problem
from creditbank.institutions.kinds import InstitutionKind, Role
from creditbank.ledger import queries as entries
from creditbank.ledger.queries import NotYetPublished
from creditbank.portals import rulewords, simulations
from creditbank.portals.forms import WithdrawalForm
from creditbank.portals.institution_frame import (
    POLL_SECONDS,
    Desk,
    desk_for,
    desk_page,
    say,
    show,
)
from creditbank.portals.rules import STATE_NAMES, programme_context, shown_differences
from creditbank.portals.uploads import keep_in_memory
from creditbank.recognition.models import RuleVersion, Version, VersionStatus
from creditbank.recognition.register import checking, publishing, rulebook, search
from creditbank.recognition.register.checking import Checked, DocumentRefused
from creditbank.recognition.register.documents import PROGRAMMES, RULES, DocumentKind
from creditbank.recognition.register.folders import pretty
from creditbank.recognition.workflow import simulation

TEXT_MAX: Final = 1 << 20
PUBLISH_SECONDS: Final = 20.0


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """One kind of documents at the desk: its addresses and its words."""

    kind: DocumentKind
    name: str
    title: Promise
    lead: Promise
    one: Promise

    def url(self, page: str, slug: str, *parts: object) -> str:
        """Return the address of one of the shelf's pages."""
        suffix = f"_{page}" if page else ""
        return reverse(f"org_{self.name}{suffix}", args=[slug, *parts])

    @property
    def is_rules(self) -> bool:
        """Whether the documents are rules."""
        return self.kind is RULES


SHELVES: Final = {
    "rules": Shelf(
        kind=RULES,
        name="rules",
        title=_("规则"),
        lead=_("一个人准备并备案，另一个人公布。公布后登记在登记簿上，谁也不能改动。"),
        one=_("规则"),
    ),
    "programmes": Shelf(
        kind=PROGRAMMES,
        name="programmes",
        title=_("专业"),
        lead=_("专业的培养方案说明毕业要求哪些学分。一个人准备并备案，另一个人公布。"),
        one=_("培养方案"),
    ),
}


# -- the list ---------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class ShownVersion:
    """A version in a list of the desk."""

    row: Any
    state: str
    url: str


@desk_page
@require_safe
def shelf_page(request: HttpRequest, slug: str, shelf: str) -> HttpResponse:
    """List the institution's versions; for the authority, what others have filed."""
    desk = desk_for(request, slug)
    at = SHELVES[shelf]
    own = (
        rulebook.own_rules(desk.institution)
        if at.is_rules
        else rulebook.own_programmes(desk.institution)
    )
    rows = shown_versions(desk, at, own)
    context: dict[str, Any] = {
        "shelf": at,
        "rows": rows,
        "waiting": [one for one in rows if one.row.status == VersionStatus.FILED],
        "new_url": at.url("new", slug) if desk.may_record else "",
        "is_authority": _is_authority(desk),
    }
    if context["is_authority"]:
        filed = rulebook.filed_rules() if at.is_rules else rulebook.filed_programmes()
        context["filed"] = shown_versions(
            desk, at, [row for row in filed if row.owner_id != desk.institution.pk]
        )
    return show(request, desk, "rules", context)


def _is_authority(desk: Desk) -> bool:
    return desk.institution.kind == InstitutionKind.PROVINCIAL_AUTHORITY


def shown_versions(desk: Desk, shelf: Shelf, rows: Sequence[Any]) -> list[ShownVersion]:
    """Return versions as the desk lists them."""
    published = {one.row.pk: one.state for one in search.listed(rows, today())}
    return [
        ShownVersion(
            row=row,
            state=state_of(row, published[row.pk]),
            url=shelf.url("version", desk.slug, row.code, row.version),
        )
        for row in rows
    ]


def state_of(row: Version, published: search.State) -> str:
    """Return the name of the state in which a version is drawn."""
    if row.is_being_published:
        return "rule-publishing"
    if row.status == VersionStatus.DRAFT:
        return "rule-draft"
    if row.status == VersionStatus.FILED:
        return "rule-filed"
    return STATE_NAMES[published]


# -- writing ----------------------------------------------------------------------------------
@csrf_exempt
def write(
    request: HttpRequest, slug: str, shelf: str, code: str = "", version: int = 0
) -> HttpResponse:
    """Keep an uploaded document in memory and under its cap; then the page, with the check against forgery."""
    if request.method == "POST":
        keep_in_memory(request, cap=TEXT_MAX)
    return _write(request, slug, shelf, code, version)


@csrf_protect
@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def _write(request: HttpRequest, slug: str, shelf: str, code: str, version: int) -> HttpResponse:
    """Write a new draft, or change one; check it, or keep it."""
    desk = desk_for(request, slug, Role.CLERK)
    at = SHELVES[shelf]
    held = _own(desk, at, code, version) if code else None
    if held is not None and held.status != VersionStatus.DRAFT:
        return redirect(at.url("version", slug, code, version))
    text = _written(request) if request.method == "POST" else _begun(request, desk, at, held)
    checked: Checked | None = None
    status = 200
    if request.method == "POST":
        checked = checking.check_document(at.kind, desk.institution, text.encode())
        if request.POST.get("step") == "save":
            try:
                kept = _keep(at, desk, held, text)
            except DocumentRefused as error:
                checked = Checked(document=None, problems=error.problems)
                status = 422
            except DomainError as error:
                say(request, error)
                status = 409
            else:
                messages.success(request, gettext("草稿已保存。"))
                return redirect(at.url("version", slug, kept.code, kept.version))
    context = {
        "shelf": at,
        "held": held,
        "text": text,
        "checked": checked,
        "problems": shown_problems(checked.problems) if checked else [],
        "warnings": shown_problems(checked.warnings) if checked else [],
        "says": rulewords.says(at.kind, checked.document) if checked else None,
        "back_url": at.url("version", slug, code, version) if held else at.url("", slug),
    }
    if request.headers.get("HX-Request"):
        return render(request, "rules/_checked.html", context)
    return show(request, desk, "rule_write", context, status=status)


def _written(request: HttpRequest) -> str:
    """Return the document that was handed in: the file if there is one, else what was typed."""
    file = request.FILES.get("file")
    if file is not None:
        data: bytes = file.read()
        return data.decode("utf-8", "replace")
    return request.POST.get("document", "")


def _begun(request: HttpRequest, desk: Desk, at: Shelf, held: Any) -> str:
    """Return what the page begins with: the draft, another version as a pattern, or the least there is."""
    if held is not None:
        return pretty(bytes(held.document)).decode()
    code, _slash, number = request.GET.get("from", "").rpartition("/")
    if code and number.isdigit():
        try:
            pattern = _own(desk, at, code, int(number))
        except NotFound:
            pattern = None
        if pattern is not None:
            said = {**rulebook.document(pattern), "version": pattern.version + 1}
            return json.dumps(said, ensure_ascii=False, indent=2)
    return rulewords.pattern(at.kind, desk.institution)


def _keep(at: Shelf, desk: Desk, held: Any, text: str) -> Any:
    if held is not None:
        return publishing.change_draft(version=held, document=text.encode(), acting_user=desk.user)
    prepare = publishing.prepare_rule if at.is_rules else publishing.prepare_programme
    return prepare(institution=desk.institution, document=text.encode(), acting_user=desk.user)


@dataclass(frozen=True, kw_only=True)
class ShownProblem:
    """A problem of a document, its sentence in the reader's language."""

    pointer: str
    message: str
    value: str
    expected: str
    code: str


def shown_problems(problems: Sequence[Problem]) -> list[ShownProblem]:
    """Return problems as a page shows them."""
    return [
        ShownProblem(
            pointer=found.field or "",
            message=f"{rulewords.message(found)} · {found.value}"
            if found.code in rulewords.BETWEEN_RULES
            else rulewords.message(found),
            value="" if found.code in rulewords.BETWEEN_RULES else found.value or "",
            expected=found.expected or "",
            code=found.code,
        )
        for found in problems
    ]


# -- one version ------------------------------------------------------------------------------
def _own(desk: Desk, at: Shelf, code: str, version: int) -> Any:
    """Return a version of the institution's own. Raises NotFound."""
    find = rulebook.own_rule if at.is_rules else rulebook.own_programme
    try:
        return find(desk.institution, code, version)
    except (rulebook.UnknownRule, rulebook.UnknownProgramme):
        raise NotFound(code=code, version=version) from None


def _seen(desk: Desk, at: Shelf, code: str, version: int) -> Any:
    """Return a version that the desk may see: its own, and to the authority what was filed."""
    if not _is_authority(desk):
        return _own(desk, at, code, version)
    find = rulebook.any_rule if at.is_rules else rulebook.any_programme
    try:
        row = find(code, version)
    except (rulebook.UnknownRule, rulebook.UnknownProgramme):
        raise NotFound(code=code, version=version) from None
    if row.status == VersionStatus.DRAFT and row.owner_id != desk.institution.pk:
        raise NotFound(code=code, version=version)
    return row


@desk_page
@require_safe
def version_page(
    request: HttpRequest, slug: str, shelf: str, code: str, version: int
) -> HttpResponse:
    """Show one version: what it says, what is wrong with it, and what the reader may do."""
    desk = desk_for(request, slug)
    at = SHELVES[shelf]
    row = _seen(desk, at, code, version)
    return _version_page(request, desk, at, row, WithdrawalForm())


def _version_page(
    request: HttpRequest,
    desk: Desk,
    at: Shelf,
    row: Any,
    form: WithdrawalForm,
    *,
    status: int = 200,
) -> HttpResponse:
    checked = Checked(document=row.parsed()) if row.is_published else checking.check(row)
    before = rulebook.before(row)
    url = at.url("version", desk.slug, row.code, row.version)
    context: dict[str, Any] = {
        "shelf": at,
        "row": row,
        "state": shown_versions(desk, at, [row])[0].state,
        "form": form,
        "url": url,
        "problems": shown_problems(checked.problems),
        "warnings": shown_problems(checked.warnings),
        "before": before,
        "differences": [] if before is None else shown_differences(rulebook.between(before, row)),
        "digest": bytes(row.digest).hex(),
        "pretty": pretty(bytes(row.document)).decode(),
        "public_url": _public_url(at, row),
        "edit_url": f"{url}/edit" if _may_edit(desk, row) else "",
        "again_url": f"{at.url('new', desk.slug)}?from={row.code}/{row.version}"
        if desk.may_record and row.owner_id == desk.institution.pk
        else "",
        "may_file": _may_file(desk, row) and not checked.problems,
        "may_publish": _may_publish(desk, row),
        "may_withdraw": _may_withdraw(desk, row),
        "is_author": access.same_person(row.prepared_by, desk.user),
    }
    if at.is_rules:
        context |= {"says": rulewords.says(at.kind, row.parsed()), **_simulated(desk, row)}
    else:
        context |= programme_context(row)
    return show(request, desk, "rule", context, status=status)


def _simulated(desk: Desk, row: RuleVersion) -> dict[str, Any]:
    """Return what the page of a draft says of its simulations."""
    if row.is_published:
        return {}
    simulated = simulations.newest(row, simulation.simulations_of(row))
    return {
        "simulated": simulated,
        "may_simulate": desk.may_record,
        "targets": simulation.programmes_for(row),
        "refresh_seconds": POLL_SECONDS if simulated is not None and simulated.at_work else None,
    }


def _public_url(at: Shelf, row: Version) -> str:
    if not row.is_published:
        return ""
    return reverse(
        "rule_version" if at.is_rules else "programme_version", args=[row.code, row.version]
    )


def _is_own(desk: Desk, row: Version) -> bool:
    return row.owner_id == desk.institution.pk


def _may_edit(desk: Desk, row: Version) -> bool:
    return (
        row.status == VersionStatus.DRAFT
        and desk.may_record
        and _is_own(desk, row)
        and access.same_person(row.prepared_by, desk.user)
    )


def _may_file(desk: Desk, row: Version) -> bool:
    return row.status == VersionStatus.DRAFT and desk.may_record and _is_own(desk, row)


def _may_publish(desk: Desk, row: Version) -> bool:
    """Say whether to draw the button; whether it counts is asked again when it is pressed."""
    if row.status != VersionStatus.FILED or not desk.may_review:
        return False
    try:
        access.require_other_person(row.prepared_by, desk.user)
    except access.Forbidden:
        return False
    return True


def _may_withdraw(desk: Desk, row: Version) -> bool:
    if row.withdrawn_on is not None or row.is_being_published:
        return False
    if row.is_published:
        return desk.may_review
    return desk.may_record and _is_own(desk, row)


# -- deciding ---------------------------------------------------------------------------------
@desk_page
@require_POST
def file(request: HttpRequest, slug: str, shelf: str, code: str, version: int) -> HttpResponse:
    """File a draft with the authority."""
    desk = desk_for(request, slug, Role.CLERK)
    at = SHELVES[shelf]
    row = _own(desk, at, code, version)
    try:
        if at.is_rules:
            publishing.file_rule(rule=row, acting_user=desk.user)
        else:
            publishing.file_programme(programme=row, acting_user=desk.user)
    except DocumentRefused:
        messages.error(request, gettext("还有问题没有解决，没有备案。"))
    except DomainError as error:
        say(request, error)
    else:
        messages.success(request, gettext("已备案，等待另一个人公布。"))
    return redirect(at.url("version", slug, code, version))


@desk_page
@require_POST
def publish(request: HttpRequest, slug: str, shelf: str, code: str, version: int) -> HttpResponse:
    """Publish what another person prepared."""
    desk = desk_for(request, slug, Role.REVIEWER)
    at = SHELVES[shelf]
    row = _seen(desk, at, code, version)
    back = redirect(at.url("version", slug, code, version))
    try:
        if at.is_rules:
            row = publishing.publish_rule(rule=row, acting_user=desk.user)
        else:
            row = publishing.publish_programme(programme=row, acting_user=desk.user)
        entries.wait_until_published(row.entry_index + 1, timeout=PUBLISH_SECONDS)
    except DocumentRefused:
        messages.error(request, gettext("备案以后情况有了变化，没有公布。请看下面的问题。"))
        return back
    except NotYetPublished:
        messages.info(request, gettext("已登记，公布用的签名正在生成。"))
        return back
    except DomainError as error:
        say(request, error)
        return back
    messages.success(request, gettext("已公布，任何人可以在登记簿里核对。"))
    return back


@desk_page
@require_POST
def withdraw(request: HttpRequest, slug: str, shelf: str, code: str, version: int) -> HttpResponse:
    """Drop a draft, or withdraw what was published, with a reason."""
    desk = desk_for(request, slug, Role.CLERK)
    at = SHELVES[shelf]
    row = _seen(desk, at, code, version)
    form = WithdrawalForm(request.POST)
    if not form.is_valid():
        return _version_page(request, desk, at, row, form, status=422)
    asked: dict[str, Any] = {
        "reason": form.cleaned_data["reason"],
        "acting_user": desk.user,
        "on": form.cleaned_data["on"],
    }
    try:
        if at.is_rules:
            row = publishing.withdraw_rule(rule=row, **asked)
        else:
            row = publishing.withdraw_programme(programme=row, **asked)
    except publishing.WithdrawalInvalid as error:
        form.add_error(str(error.facts["field"]), error.message)
        return _version_page(request, desk, at, row, form, status=422)
    except DomainError as error:
        say(request, error)
        return redirect(at.url("version", slug, code, version))
    if row.is_published:
        messages.success(request, gettext("已撤回，登记簿已登记。"))
        return redirect(at.url("version", slug, code, version))
    messages.success(request, gettext("草稿已撤回。"))
    return redirect(at.url("", slug))


# -- simulating -------------------------------------------------------------------------------
@desk_page
@require_POST
def simulate(request: HttpRequest, slug: str, code: str, version: int) -> HttpResponse:
    """Let a worker simulate a draft for a programme."""
    desk = desk_for(request, slug, Role.CLERK)
    at = SHELVES["rules"]
    row = _seen(desk, at, code, version)
    back = redirect(f"{at.url('version', slug, code, version)}#simulation")
    try:
        programme = rulebook.programme_in_force(request.POST.get("programme", "")[:40], today())
        simulation.start_simulation(rule=row, programme=programme, acting_user=desk.user)
    except rulebook.UnknownProgramme:
        messages.error(request, gettext("请选择一个现行的专业。"))
    except DomainError as error:
        say(request, error)
    return back


@desk_page
@require_safe
def simulation_progress(request: HttpRequest, slug: str, code: str, version: int) -> HttpResponse:
    """Answer how far the newest simulation is; the page is drawn anew when it has ended."""
    desk = desk_for(request, slug)
    at = SHELVES["rules"]
    row = _seen(desk, at, code, version)
    simulated = simulations.newest(row, simulation.simulations_of(row))
    if simulated is None:
        raise NotFound
    url = at.url("version", slug, code, version)
    if not request.headers.get("HX-Request"):
        return redirect(f"{url}#simulation")
    response = show(request, desk, "simulation", {"simulated": simulated, "url": url})
    if not simulated.at_work:
        response["HX-Refresh"] = "true"
    return response


def _urls(shelf: str) -> list[URLPattern]:
    base, name, said = f"org/<slug:slug>/{shelf}", f"org_{shelf}", {"shelf": shelf}
    one = f"{base}/<doccode:code>/<docversion:version>"
    return [
        path(base, shelf_page, said, name=name),
        path(f"{base}/new", write, said, name=f"{name}_new"),
        path(one, version_page, said, name=f"{name}_version"),
        path(f"{one}/edit", write, said, name=f"{name}_edit"),
        path(f"{one}/file", file, said, name=f"{name}_file"),
        path(f"{one}/publish", publish, said, name=f"{name}_publish"),
        path(f"{one}/withdraw", withdraw, said, name=f"{name}_withdraw"),
    ]


_RULE: Final = "org/<slug:slug>/rules/<doccode:code>/<docversion:version>"

urlpatterns: list[URLPattern] = [
    *_urls("rules"),
    *_urls("programmes"),
    path(f"{_RULE}/simulate", simulate, name="org_rules_simulate"),
    path(f"{_RULE}/simulation", simulation_progress, name="org_rules_simulation"),
]
