"""The public register of rules and programmes: found, read in plain words, compared, taken away."""

from __future__ import annotations

import calendar
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal, TypeVar

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, register_converter, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from creditbank.access import NotFound
from creditbank.clock import today
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import OutcomeKind
from creditbank.institutions.models import in_english
from creditbank.portals import opendata, rulewords
from creditbank.portals.publicfiles import JSON, PublicFile, missing
from creditbank.portals.ratelimit import limited
from creditbank.recognition.language import schemas
from creditbank.recognition.language.differences import Difference
from creditbank.recognition.models import ProgrammeVersion, RuleVersion, Version
from creditbank.recognition.register import rulebook, search
from creditbank.recognition.register.documents import RULES
from creditbank.recognition.register.search import ANY, Register, State, Wanted
from creditbank.users.models import User

V = TypeVar("V", RuleVersion, ProgrammeVersion)

PAGE: Final = 40
LIMIT: Final = 120
TEXT_MAX: Final = 60
SCHEMA_AGE: Final = 3600
"""Schemas of one version only grow in words, never in meaning; a day would be as good."""

STATE_LABELS: Final[dict[State, Any]] = {
    "in-force": _("现行"),
    "upcoming": _("将生效"),
    "superseded": _("已有新版本"),
    "past": _("已到期"),
    "withdrawn": _("已撤回"),
}
STATE_NAMES: Final[dict[State, str]] = {
    "in-force": "rule-in-force",
    "upcoming": "rule-upcoming",
    "superseded": "rule-superseded",
    "past": "rule-past",
    "withdrawn": "rule-withdrawn",
}


@dataclass(frozen=True, kw_only=True)
class ShownVersion:
    """A version in a list: the row, and the state that the page draws."""

    row: Any
    state: str


def shown(found: Iterable[search.Listed[V]]) -> list[ShownVersion]:
    """Return listed versions as a page shows them."""
    return [ShownVersion(row=one.row, state=STATE_NAMES[one.state]) for one in found]


# -- the list of rules ------------------------------------------------------------------------
@require_safe
@limited(scope="rules", limit=LIMIT)
def rule_list(request: HttpRequest) -> HttpResponse:
    """List the published rules; found by words, owner, programme, source and state."""
    register = Register(today())
    wanted = _wanted(request)
    found = register.find(wanted)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rules": [_shown_rule(register, one) for one in page.object_list],
        "chosen": len(found),
        "total": len(register.rules),
        "wanted": wanted,
        "asked": any((wanted.text, wanted.owner, wanted.programme, wanted.kind, wanted.body)),
        "owners": register.owners,
        "programmes": register.programmes_in_force,
        "kinds": OutcomeKind.choices,
        "states": list(STATE_LABELS.items()),
        "state": request.GET.get("state", "in-force"),
        "body_name": body_names([wanted.body]).get(wanted.body, wanted.body),
    }
    return render(request, "public/rules.html", context)


def _wanted(request: HttpRequest) -> Wanted:
    """Read the filter; without any, what is in force is shown."""
    asked = request.GET
    state = asked.get("state", "in-force")
    return Wanted(
        text=asked.get("q", "").strip()[:TEXT_MAX],
        owner=asked.get("owner", ""),
        programme=asked.get("programme", ""),
        kind=asked.get("kind", ""),
        body=asked.get("body", ""),
        state=state if state in search.STATES else "",
    )


@dataclass(frozen=True, kw_only=True)
class ShownRule(ShownVersion):
    """A rule in the list, with where it leads from and to."""

    sources: tuple[str, ...]
    programmes: tuple[str, ...]


def _shown_rule(register: Register, one: search.Listed[RuleVersion]) -> ShownRule:
    return ShownRule(
        row=one.row,
        state=STATE_NAMES[one.state],
        sources=tuple(kind_name(kind) for kind in sorted(register.kinds(one.row))),
        programmes=one.row.parsed().programmes,
    )


def kind_name(kind: str) -> str:
    """Name a kind of outcome; any kind, where a rule asks for none."""
    return gettext("任何类型") if kind == ANY else str(OutcomeKind(kind).label)


def body_names(codes: Iterable[str]) -> dict[str, str]:
    """Name awarding bodies by their codes; one that the bank does not know by its code."""
    named = {}
    for code in codes:
        found = institutions.institution_by_uscc(code) if code else None
        named[code] = str(found) if found is not None else code or gettext("任何单位")
    return named


# -- what covers what -------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Cell:
    """How many rules lead from a source to a programme, and where they are listed."""

    name: str
    count: int
    url: str


@require_safe
@limited(scope="rules", limit=LIMIT)
def coverage(request: HttpRequest) -> HttpResponse:
    """Show which sources reach which programmes, and where there is no way at all."""
    by: Literal["kind", "body"] = "body" if request.GET.get("by") == "body" else "kind"
    found = Register(today()).coverage(by)
    names = (
        {column: kind_name(column) for column in found.columns}
        if by == "kind"
        else body_names(found.columns)
    )
    rows = [
        (
            programme,
            [
                Cell(
                    name=names[column],
                    count=counts.get(column, 0),
                    url=_listing(programme=programme.code, **{by: column}),
                )
                for column in found.columns
            ],
        )
        for programme, counts in found.rows
    ]
    covered = sum(1 for _programme, counts in found.rows if counts)
    context = {
        "by": by,
        "columns": [names[column] for column in found.columns],
        "rows": rows,
        "covered": covered,
        "programmes": len(found.rows),
        "links": sum(cell.count for _programme, cells in rows for cell in cells),
    }
    return render(request, "public/rule_coverage.html", context)


def _listing(**asked: str) -> str:
    said = {name: value for name, value in asked.items() if value}
    return f"{reverse('rules')}?{urlencode(said)}"


# -- what is not used -------------------------------------------------------------------------
MONTHS: Final = (0, 6, 12, 24)
"""For how long a rule has not been used; 0: never, however short it is in force."""


@login_required
@never_cache
@require_safe
def unused(request: HttpRequest) -> HttpResponse:
    """List the rules in force that no decision has used for so many months; for members of institutions."""
    if not isinstance(request.user, User) or not institutions.memberships(request.user):
        raise NotFound
    asked = request.GET.get("months", "")
    months = int(asked) if asked in map(str, MONTHS) else 12
    day = today()
    since = earlier(day, months) if months else None
    found = rulebook.unused(on=day, since=since)
    context = {
        "months": months,
        "choices": MONTHS,
        "since": since,
        "rules": found,
        "in_force": len(rulebook.in_force(day)),
    }
    return render(request, "public/rules_unused.html", context)


def earlier(day: date, months: int) -> date:
    """Return the day so many months before; the month's last day where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


# -- one version ------------------------------------------------------------------------------
def _rule_versions(code: str) -> list[RuleVersion]:
    try:
        return rulebook.versions(code)
    except rulebook.UnknownRule:
        raise NotFound(rule=code) from None


@require_safe
@limited(scope="rules", limit=LIMIT)
def rule_newest(request: HttpRequest, code: str) -> HttpResponse:
    """Show the version in force today; where there is none, the newest."""
    versions = _rule_versions(code)
    return _rule_page(request, _present(versions), versions)


@require_safe
@limited(scope="rules", limit=LIMIT)
def rule_page(request: HttpRequest, code: str, version: int) -> HttpResponse:
    """Show one version of a rule: what it says, since when, what changed, and its entry."""
    versions = _rule_versions(code)
    return _rule_page(request, _one(versions, version), versions)


def _rule_page(request: HttpRequest, row: RuleVersion, versions: list[RuleVersion]) -> HttpResponse:
    rule = row.parsed()
    reached = [
        programme
        for programme in rulebook.programmes_in_force(today())
        if rulebook.is_for(row, programme.parsed())
    ]
    context = {
        **version_context(row, versions),
        "rule": rule,
        "says": rulewords.says(RULES, rule),
        "basis": rule.document.get("basis", {}),
        "reached": reached,
    }
    return render(request, "public/rule.html", context)


def _present(versions: Sequence[V]) -> V:
    """Return the version that is in force today; where there is none, the newest."""
    for one in search.listed(versions, today()):
        if one.state == "in-force":
            return one.row
    return versions[0]


def _one(versions: Sequence[V], version: int) -> V:
    for row in versions:
        if row.version == version:
            return row
    raise NotFound(version=version)


def version_context(row: V, versions: Sequence[V]) -> dict[str, Any]:
    """Return what the page of a published version shows besides what it says."""
    everything = search.listed(versions, today())
    states = {one.row.pk: one for one in everything}
    before = next((one for one in versions if one.version < row.version), None)
    return {
        "row": row,
        "state": STATE_NAMES[states[row.pk].state],
        "versions": shown(everything),
        "current": _present(versions),
        "before": before,
        "differences": [] if before is None else shown_differences(rulebook.between(before, row)),
        "superseded_on": rulebook.superseded_on(row),
        "digest": bytes(row.digest).hex(),
        "pretty": json.dumps(rulebook.document(row), ensure_ascii=False, indent=2),
    }


@dataclass(frozen=True, kw_only=True)
class ShownDifference:
    """A difference, its values written as JSON writes them."""

    change: str
    pointer: str
    before: str
    after: str


def shown_differences(found: Iterable[Difference]) -> list[ShownDifference]:
    """Return differences as a page shows them."""
    return [
        ShownDifference(
            change=one.change,
            pointer=one.pointer,
            before=_value(one.before),
            after=_value(one.after),
        )
        for one in found
    ]


def _value(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# -- programmes -------------------------------------------------------------------------------
@require_safe
@limited(scope="rules", limit=LIMIT)
def programme_list(request: HttpRequest) -> HttpResponse:
    """List the programmes into which outcomes can be recognised."""
    register = Register(today())
    text = request.GET.get("q", "").strip()[:TEXT_MAX]
    found = [
        one
        for one in register.programmes
        if one.state in ("in-force", "upcoming") and _named_so(one.row, text)
    ]
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "programmes": [
            (one, one.row.parsed(), _reaching(register, one.row)) for one in shown(page.object_list)
        ],
        "chosen": len(found),
        "total": len(register.programmes),
        "text": text,
    }
    return render(request, "public/programmes.html", context)


def _named_so(row: ProgrammeVersion, text: str) -> bool:
    wanted = text.casefold()
    names = (row.code, row.title, row.title_en, row.owner.name, row.owner.name_en)
    return not text or any(wanted in name.casefold() for name in names)


def _reaching(register: Register, row: ProgrammeVersion) -> int:
    programme = row.parsed()
    return sum(
        1
        for one in register.rules
        if one.state == "in-force" and rulebook.is_for(one.row, programme)
    )


def _programme_versions(code: str) -> list[ProgrammeVersion]:
    try:
        return rulebook.programme_versions(code)
    except rulebook.UnknownProgramme:
        raise NotFound(programme=code) from None


@require_safe
@limited(scope="rules", limit=LIMIT)
def programme_newest(request: HttpRequest, code: str) -> HttpResponse:
    """Show the version of a programme in force today; where there is none, the newest."""
    versions = _programme_versions(code)
    return _programme_page(request, _present(versions), versions)


@require_safe
@limited(scope="rules", limit=LIMIT)
def programme_page(request: HttpRequest, code: str, version: int) -> HttpResponse:
    """Show one version of a programme: what it asks for, and which rules reach it."""
    versions = _programme_versions(code)
    return _programme_page(request, _one(versions, version), versions)


def _programme_page(
    request: HttpRequest, row: ProgrammeVersion, versions: list[ProgrammeVersion]
) -> HttpResponse:
    context = {
        **version_context(row, versions),
        **programme_context(row),
        "rules": rulebook.rules_in_force(programme=row.parsed(), on=today()),
    }
    return render(request, "public/programme.html", context)


def programme_context(row: ProgrammeVersion) -> dict[str, Any]:
    """Return what a programme asks for, as a page shows it."""
    programme = row.parsed()
    return {
        "programme": programme,
        "level": level_name(programme.framework, programme.level),
        "categories": [
            (category, [one for one in programme.courses if one.category == category.code])
            for category in programme.categories
        ],
        "english": in_english(),
    }


def level_name(framework: str, level: str) -> str:
    """Name a level of a framework; by its codes, where the register does not know it."""
    try:
        found = institutions.level_of(framework, level)
    except institutions.UnknownItem:
        return f"{framework} {level}".strip()
    return f"{found} · {found.framework}"


# -- files ------------------------------------------------------------------------------------
@require_safe
@limited(scope="rules", limit=LIMIT)
def rule_document(request: HttpRequest, code: str, version: int) -> PublicFile:
    """Serve the very bytes whose digest stands in the log: the same for ever."""
    try:
        return _document(rulebook.rule(code, version))
    except rulebook.UnknownRule:
        return missing("no such version was published")


@require_safe
@limited(scope="rules", limit=LIMIT)
def programme_document(request: HttpRequest, code: str, version: int) -> PublicFile:
    """Serve a programme's canonical bytes: the same for ever."""
    try:
        return _document(rulebook.programme(code, version))
    except rulebook.UnknownProgramme:
        return missing("no such version was published")


def _document(row: Version) -> PublicFile:
    return PublicFile(bytes(row.document), content_type=JSON, immutable=True)


@require_safe
@limited(scope="rules", limit=LIMIT)
def open_json(request: HttpRequest) -> PublicFile:
    """Serve every published rule and programme, all versions, as JSON."""
    return opendata.as_json().compressed(request)


@require_safe
@limited(scope="rules", limit=LIMIT)
def open_csv(request: HttpRequest) -> PublicFile:
    """Serve every published version of every rule as a table."""
    return opendata.as_csv().compressed(request)


@require_safe
@limited(scope="rules", limit=LIMIT)
def schema(request: HttpRequest, name: str) -> PublicFile:
    """Serve a JSON Schema."""
    try:
        data = schemas.read(name)
    except KeyError:
        return missing("no such schema")
    return PublicFile(data, content_type="application/schema+json", max_age=SCHEMA_AGE)


class DocumentCode:
    """A rule's or programme's code in an address."""

    regex = "[A-Za-z0-9][A-Za-z0-9._-]{0,39}"

    def to_python(self, value: str) -> str:
        """Read the code."""
        return value

    def to_url(self, value: str) -> str:
        """Write the code."""
        return value


class VersionNumber:
    """A version's number in an address, in its one spelling."""

    regex = "[1-9][0-9]{0,3}"

    def to_python(self, value: str) -> int:
        """Read the number."""
        return int(value)

    def to_url(self, value: int) -> str:
        """Write the number."""
        return str(value)


register_converter(DocumentCode, "doccode")
register_converter(VersionNumber, "docversion")

urlpatterns = [
    path("rules", rule_list, name="rules"),
    # Codes that could be taken for these addresses are not given: `checking.RESERVED`.
    path("rules/open.json", open_json, name="rules_json"),
    path("rules/open.csv", open_csv, name="rules_csv"),
    path("rules/unused", unused, name="rule_unused"),
    path("rules/coverage", coverage, name="rule_coverage"),
    path("rules/<doccode:code>", rule_newest, name="rule"),
    path("rules/<doccode:code>/<docversion:version>", rule_page, name="rule_version"),
    path(
        "rules/<doccode:code>/<docversion:version>/document.json",
        rule_document,
        name="rule_document",
    ),
    path("programmes", programme_list, name="programmes"),
    path("programmes/<doccode:code>", programme_newest, name="programme"),
    path(
        "programmes/<doccode:code>/<docversion:version>", programme_page, name="programme_version"
    ),
    path(
        "programmes/<doccode:code>/<docversion:version>/document.json",
        programme_document,
        name="programme_document",
    ),
    path("schemas/<slug:name>.json", schema, name="schema"),
]
