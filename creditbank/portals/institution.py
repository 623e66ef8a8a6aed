"""An institution's desk: what waits today, its people, its streams and keys; and all its addresses."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_safe

from creditbank import access, clock
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import Role, StreamMode
from creditbank.institutions.models import Stream
from creditbank.institutions.queries import KeyInForce
from creditbank.portals import (
    institution_appeals,
    institution_approvals,
    institution_developers,
    institution_imports,
    institution_preapprovals,
    institution_recognitions,
    institution_record,
    institution_records,
    institution_requests,
    institution_rules,
)
from creditbank.portals.forms import DocumentForm
from creditbank.portals.institution_frame import desk_for, desk_page, show
from creditbank.portals.institution_records import receipt_lines
from creditbank.recognition.workflow import caselist
from creditbank.recording import queries
from learners import operations as learners
from learners.proofs import ClaimRefused

NEWEST = 5


@desk_page
@require_safe
def today(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what waits for the reader, what runs, and what the institution has recorded."""
    desk = desk_for(request, slug)
    streams = institutions.streams(desk.institution)
    context = {
        "figures": queries.figures(desk.institution, desk.user),
        "waiting": queries.waiting_for(desk.institution, desk.user)[:NEWEST],
        "returned": queries.returned_to(desk.institution, desk.user)[:NEWEST],
        "uploads": queries.open_uploads(desk.institution),
        "newest": receipt_lines(queries.receipts(desk.institution)[:NEWEST]),
        "hosted": any(row.active and row.mode == StreamMode.HOSTED for row in streams),
        "streams": streams,
        "scopes": institutions.scopes(desk.institution),
        "receives": caselist.receives(desk.slug),
        "cases": caselist.figures(desk.institution, on=clock.today()),
        "elsewhere": caselist.elsewhere(desk.institution),
    }
    return show(request, desk, "today", context)


@desk_page
@require_safe
def members(request: HttpRequest, slug: str) -> HttpResponse:
    """List who acts for the institution, and in which role."""
    desk = desk_for(request, slug)
    return show(request, desk, "members", {"members": institutions.members(desk.institution)})


@dataclass(frozen=True, kw_only=True)
class StreamKeys:
    """A stream with its keys, each with the state that the page draws."""

    stream: Stream
    keys: tuple[tuple[KeyInForce, str], ...]


@desk_page
@require_safe
def keys(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the institution's streams and the keys that sign for them."""
    desk = desk_for(request, slug)
    streams = [
        StreamKeys(
            stream=row,
            keys=tuple((key, _state(key)) for key in institutions.signing_keys(row.name)),
        )
        for row in institutions.streams(desk.institution)
    ]
    return show(request, desk, "keys", {"streams": streams})


def _state(key: KeyInForce) -> str:
    if key.compromised_from_index is not None:
        return "compromised"
    return "in-force" if key.in_force else "retired"


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def claim_code(request: HttpRequest, slug: str) -> HttpResponse:
    """Hand out a claim code to somebody whose document the clerk has in front of them."""
    desk = desk_for(request, slug, Role.CLERK)
    form = DocumentForm(request.POST or None)
    code = ""
    if request.method == "POST" and form.is_valid():
        try:
            learner = access.learner_to_hand_code(desk.user, slug, form.document)
            code = learners.issue_claim_code(learner, desk.user)
        except (access.NotFound, access.OwnAward, ClaimRefused) as error:
            form.add_error("number", error.message)
    context = {"form": form, "code": code}
    return show(request, desk, "claim_code", context, status=422 if form.errors else 200)


urlpatterns: list[URLPattern] = [
    path("org/<slug:slug>", today, name="org"),
    path("org/<slug:slug>/members", members, name="org_members"),
    path("org/<slug:slug>/keys", keys, name="org_keys"),
    path("org/<slug:slug>/claim-codes", claim_code, name="org_claim_code"),
    *institution_record.urlpatterns,
    *institution_imports.urlpatterns,
    *institution_approvals.urlpatterns,
    *institution_records.urlpatterns,
    *institution_developers.urlpatterns,
    *institution_rules.urlpatterns,
    *institution_requests.urlpatterns,
    *institution_appeals.urlpatterns,
    *institution_recognitions.urlpatterns,
    *institution_preapprovals.urlpatterns,
]
