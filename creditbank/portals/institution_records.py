"""What an institution has recorded: its receipts, one entry with its proof, taking one back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from creditbank import access
from creditbank.errors import DomainError
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import Role, StreamMode
from creditbank.ledger import kinds, learnerkeys
from creditbank.ledger import queries as ledger
from creditbank.ledger.models import Manifest
from creditbank.ledger.queries import EntryView, NotYetPublished
from creditbank.portals import log, outcomewords
from creditbank.portals.downloads import download
from creditbank.portals.forms import DocumentForm, ReversalForm
from creditbank.portals.institution_frame import (
    PAGE_SIZE,
    Desk,
    desk_for,
    desk_page,
    say,
    show,
)
from creditbank.proofs import notes
from creditbank.recording import operations, queries
from creditbank.recording.models import Draft
from learners import queries as learners

LIST_SIZE: Final = 20
INDEX: Final = log.LogIndex
"""How an index is written in the addresses below; registered where the log's addresses are."""


@dataclass(frozen=True, kw_only=True)
class ReceiptLine:
    """A submission in a list: where it stands, how many entries, when published, from which draft.

    `hosted`: the bank keeps the key that signed it.
    """

    index: int
    stream: str
    first_seq: int
    count: int
    published_at: datetime | None
    draft: Draft | None
    hosted: bool


def receipt_lines(manifests: Iterable[Manifest]) -> list[ReceiptLine]:
    """Return submissions as a list shows them."""
    rows = list(manifests)
    times = queries.published_at(row.idx for row in rows)
    drafts = queries.drafts_behind(row.idx for row in rows)
    modes = {name: institutions.stream(name).mode for name in {row.stream for row in rows}}
    return [
        ReceiptLine(
            index=row.idx,
            stream=row.stream,
            first_seq=row.first_seq,
            count=row.n,
            published_at=times.get(row.idx),
            draft=drafts.get(row.idx),
            hosted=modes[row.stream] == StreamMode.HOSTED,
        )
        for row in rows
    ]


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def records(request: HttpRequest, slug: str) -> HttpResponse:
    """List the institution's submissions; a POST looks one person's entries up.

    A number is looked up by POST: an address is logged and remembered, and an
    identity number belongs in neither.
    """
    desk = desk_for(request, slug)
    form = DocumentForm(request.POST or None)
    found = None
    if request.method == "POST" and form.is_valid():
        try:
            found = queries.records_of(desk.institution, form.document)
        except learnerkeys.PersonForgotten:
            found = []
        access.note_view(desk.user, what="person", about=desk.slug, count=1 if found else 0)
    page = Paginator(queries.receipts(desk.institution), LIST_SIZE).get_page(
        request.GET.get("page")
    )
    context = {
        "form": form,
        "found": found,
        "page": page,
        "receipts": receipt_lines(page.object_list),
        "figures": queries.figures(desk.institution, desk.user),
    }
    return show(request, desk, "records", context, status=422 if form.errors else 200)


@desk_page
@require_safe
def receipt(request: HttpRequest, slug: str, index: int) -> HttpResponse:
    """Show the receipt of one submission: what was entered where, and how anybody can check it."""
    desk = desk_for(request, slug)
    found = queries.receipt(desk.institution, index)
    page = Paginator(range(found.count), PAGE_SIZE).get_page(request.GET.get("page"))
    start = page.start_index() - 1
    manifest = ledger.manifest(index)
    note = notes.SignedNote.parse(manifest.note)
    lines = queries.record_lines(found, start=start, count=PAGE_SIZE)
    context = {
        "receipt": found,
        "last_index": found.first_index + found.count - 1,
        "last_seq": found.first_seq + found.count - 1,
        "published_at": queries.published_at([found.size - 1]).get(found.size - 1),
        "draft": queries.drafts_behind([index]).get(index),
        "lines": lines,
        "page": page,
        "manifest": note.encode().decode(),
        "size": ledger.log_state().published_size,
    }
    access.note_view(desk.user, what="receipt", about=index, count=len(lines))
    return show(request, desk, "receipt", context)


@desk_page
@require_safe
def record(request: HttpRequest, slug: str, index: int) -> HttpResponse:
    """Show one entry of the institution: what it says, its proof, and the way to take it back."""
    desk = desk_for(request, slug)
    entry = access.entry_for_institution(request.user, slug, index)
    return _record_page(request, desk, entry, ReversalForm())


def _record_page(
    request: HttpRequest,
    desk: Desk,
    entry: EntryView,
    form: ReversalForm,
    *,
    status: int = 200,
) -> HttpResponse:
    line = queries.record_line(entry)
    access.note_view(desk.user, what="record", about=entry.index)
    published = queries.published_at([entry.index]).get(entry.index)
    hosted = institutions.stream(entry.stream).mode == StreamMode.HOSTED
    learner = learners.by_account(entry.account)
    context: dict[str, Any] = {
        "entry": entry,
        "line": line,
        "outcome_title": outcomewords.title(line.outcome) if line.outcome else "",
        "body": outcomewords.body(line.outcome) if line.outcome else "",
        "level": outcomewords.level(line.outcome) if line.outcome else "",
        "is_award": entry.kind is kinds.AWARD,
        "learner": learner,
        "identity": (
            learners.masked_identity(learner) if learner and not learner.is_forgotten else ""
        ),
        "prepared_by": queries.who(line.prepared_by),
        "approved_by": queries.who(line.approved_by),
        "published_at": published,
        "form": form,
        "hosted": hosted,
        "may_reverse": (
            desk.may_review and hosted and entry.kind is kinds.AWARD and line.undone_by is None
        ),
        "technical": [
            (gettext("登记簿序号"), str(entry.index)),
            (gettext("叶哈希"), entry.leaf_hash.hex()),
            (gettext("序列与编号"), f"{entry.stream} · {entry.seq}"),
            (gettext("清单序号"), str(entry.manifest_index)),
            (gettext("检查点大小"), str(ledger.log_state().published_size)),
        ],
    }
    return show(request, desk, "record_entry", context, status=status)


@desk_page
@require_safe
def proof(request: HttpRequest, slug: str, index: int) -> HttpResponse:
    """Hand out an entry's proof with its opening, for the institution's own files."""
    desk_for(request, slug)
    access.entry_for_institution(request.user, slug, index)
    data = ledger.proof(index).encode()
    return download(data, f"log-{index}.tlog-proof", "text/plain; charset=utf-8")


@desk_page
@require_POST
def reverse(request: HttpRequest, slug: str, index: int) -> HttpResponse:
    """Take an entry back, with a reason."""
    desk = desk_for(request, slug, Role.REVIEWER)
    entry = access.entry_for_institution(request.user, slug, index)
    form = ReversalForm(request.POST)
    if not form.is_valid():
        return _record_page(request, desk, entry, form, status=422)
    try:
        operations.reverse_record(
            institution=desk.institution,
            index=index,
            reason=form.cleaned_data["reason"],
            acting_user=desk.user,
        )
    except NotYetPublished:
        messages.info(request, gettext("已冲正，公布用的签名正在生成。"))
    except DomainError as error:
        say(request, error)
    else:
        messages.success(request, gettext("已冲正。原记录仍在登记簿上，不再计入学分。"))
    return redirect("org_record_entry", slug=slug, index=index)


urlpatterns: list[URLPattern] = [
    path("org/<slug:slug>/records", records, name="org_records"),
    path("org/<slug:slug>/records/<logindex:index>", record, name="org_record_entry"),
    path("org/<slug:slug>/records/<logindex:index>/proof", proof, name="org_record_proof"),
    path("org/<slug:slug>/records/<logindex:index>/reverse", reverse, name="org_record_reverse"),
    path("org/<slug:slug>/receipts/<logindex:index>", receipt, name="org_receipt"),
]
