"""The public register of institutions: who may record what, since when, with which keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from creditbank.access import NotFound
from creditbank.clock import PROVINCE, today
from creditbank.institutions import queries as institutions
from creditbank.institutions.models import Institution, RecordingScope
from creditbank.ledger import events
from creditbank.ledger import queries as ledger
from creditbank.portals import outcomewords

CATALOGUE_PAGE: Final = 50
REGISTER_PAGE: Final = 60


@require_safe
def institution_list(request: HttpRequest) -> HttpResponse:
    """List who may record, and since when; found by name, kind and place."""
    found = institutions.institutions()
    text = request.GET.get("q", "").strip()[:60]
    kind = request.GET.get("kind", "")
    region = request.GET.get("region", "")
    kinds = sorted({(item.kind, str(item.get_kind_display())) for item in found})
    regions = sorted({(item.region.code, str(item.region)) for item in found})
    chosen = [
        item
        for item in found
        if (not text or _names(item, text))
        and (not kind or item.kind == kind)
        and (not region or item.region.code == region)
    ]
    page = Paginator(chosen, REGISTER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "total": len(found),
        "chosen": len(chosen),
        "text": text,
        "kind": kind,
        "region": region,
        "kinds": kinds,
        "regions": regions,
    }
    return render(request, "public/institutions.html", context)


def _names(item: Institution, text: str) -> bool:
    wanted = text.casefold()
    return any(
        wanted in name.casefold() for name in (item.name, item.name_en, item.name_ko, item.uscc)
    )


@dataclass(frozen=True, kw_only=True)
class ShownKey:
    """A key of a stream: its life by log indexes."""

    algorithm: str
    public: str
    state: str
    added: int
    retired: int | None
    compromised_from: int | None


@dataclass(frozen=True, kw_only=True)
class ShownStream:
    """A stream with its keys."""

    name: str
    mode: str
    active: bool
    opened_at: datetime
    keys: tuple[ShownKey, ...]


@dataclass(frozen=True, kw_only=True)
class HistoryLine:
    """Something that happened, on a day, perhaps with an entry in the log."""

    on: date
    words: str
    index: int | None = None


@require_safe
def institution_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one institution: what it may record, with which keys, and how that came about."""
    try:
        found = institutions.institution(slug)
    except institutions.UnknownInstitution:
        raise NotFound(institution=slug) from None
    newest = events.newest_checkpoint()
    lives = events.published(newest).keys_below(newest.size)
    streams = [
        ShownStream(
            name=stream.name,
            mode=str(stream.get_mode_display()),
            active=stream.active,
            opened_at=stream.opened_at,
            keys=tuple(_key(life) for life in lives.get(stream.name, [])),
        )
        for stream in institutions.streams(found)
    ]
    scopes = institutions.scopes(found)
    items = Paginator(institutions.active_items(found, today()), CATALOGUE_PAGE)
    page = items.get_page(request.GET.get("page"))
    names = outcomewords.institution_names()
    context = {
        "institution": found,
        "scopes": scopes,
        "today": today(),
        "streams": streams,
        "items": page,
        "catalogue": [(item, names.get(item.body_name, item.body_name)) for item in page],
        "history": _history(found, scopes, streams),
    }
    return render(request, "public/institution.html", context)


def _key(life: events.KeyLife) -> ShownKey:
    state = "in-force"
    if life.compromised_from is not None:
        state = "compromised"
    elif life.retired is not None:
        state = "retired"
    return ShownKey(
        algorithm=life.algorithm,
        public=life.public.hex(),
        state=state,
        added=life.added,
        retired=life.retired,
        compromised_from=life.compromised_from,
    )


def _history(
    institution: Institution, scopes: list[RecordingScope], streams: list[ShownStream]
) -> list[HistoryLine]:
    """Tell what happened, newest first. Days of the log are those of its checkpoints."""
    lines = [HistoryLine(on=institution.opened_on, words=gettext("列入机构名录"))]
    for scope in scopes:
        kind = str(scope)
        lines.append(
            HistoryLine(on=scope.valid_from, words=gettext("可以记录：%(kind)s") % {"kind": kind})
        )
        if scope.valid_until is not None:
            lines.append(
                HistoryLine(
                    on=scope.valid_until,
                    words=gettext("不再记录：%(kind)s") % {"kind": kind},
                )
            )
    indexes = [
        (words, index)
        for stream in streams
        for key in stream.keys
        for words, index in (
            (gettext("启用签名密钥"), key.added),
            (gettext("停用签名密钥"), key.retired),
        )
        if index is not None
    ]
    times = ledger.recorded_times([index for _words, index in indexes])
    lines += [
        HistoryLine(on=times[index].astimezone(PROVINCE).date(), words=words, index=index)
        for words, index in indexes
        if index in times
    ]
    return sorted(lines, key=lambda line: line.on, reverse=True)


urlpatterns = [
    path("institutions", institution_list, name="institutions"),
    path("institutions/<slug:slug>", institution_page, name="institution_page"),
]
