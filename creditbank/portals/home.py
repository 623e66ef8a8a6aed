"""The public home with the bank's live figures, and the pages that explain."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Final

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET, require_safe
from redis.exceptions import RedisError

from creditbank.clock import today
from creditbank.institutions.queries import institutions
from creditbank.jobs.models import Job
from creditbank.jobs.progress import newest
from creditbank.ledger import guard
from creditbank.ledger import queries as ledger
from creditbank.ledger.queries import LogState
from creditbank.portals import states
from creditbank.recognition.register import rulebook

SEEDING: Final = "demo-seed"
FIGURES_SECONDS: Final = 3600


@dataclass(frozen=True, kw_only=True)
class Figures:
    """How large the bank is, as of one published checkpoint."""

    institutions: int
    learners: int
    credits: Decimal
    transcripts: int


def figures(state: LogState) -> Figures:
    """Return the figures as of a checkpoint; remembered per checkpoint, for it never changes."""
    key = f"figures/{state.published_size}/{state.checkpoint[-24:].hex()}"
    try:
        held = cache.get(key)
    except RedisError:
        held = None
    if held is not None:
        return Figures(**held)
    totals = ledger.totals()
    made = Figures(
        institutions=len(institutions()),
        learners=totals.accounts,
        credits=totals.awarded,
        transcripts=totals.transcripts,
    )
    try:
        cache.set(key, asdict(made), FIGURES_SECONDS)
    except RedisError:
        return made
    return made


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Say what this is; verify a certificate; find the way in; live figures with their time."""
    state = ledger.log_state()
    context: dict[str, object] = {
        "state": state,
        "figures": figures(state),
        "rules": len(rulebook.in_force(today())),
        "read_only": bool(guard.known()),
    }
    seeding = newest(SEEDING)
    if seeding is not None and seeding.at_work:
        context |= {"seeding": _seeding(seeding), "refresh_seconds": 3}
    return render(request, "public/home.html", context)


def _seeding(job: Job) -> dict[str, object]:
    return {
        "done": job.done,
        "total": job.total,
        "state": states.of_job(job),
        "label": job.step,
        "poll_url": "/seeding",
    }


@require_GET
def seeding(request: HttpRequest) -> HttpResponse:
    """Answer the progress of the demo's seeding alone, for the home page to poll."""
    job = newest(SEEDING)
    if job is None:
        return HttpResponse(status=204)
    response = render(request, "components/progress.html", _seeding(job))
    if not job.at_work:
        response["HX-Refresh"] = "true"
    return response


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain how it works in plain words."""
    return render(request, "public/help.html")


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """State what is kept of a person, where, and how it is forgotten."""
    return render(request, "public/privacy.html")


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """State how accessible the pages are, and whom to tell when they are not."""
    return render(request, "public/accessibility.html")


urlpatterns = [
    path("", home, name="home"),
    path("seeding", seeding, name="seeding"),
    path("help", help_page, name="help"),
    path("privacy", privacy, name="privacy"),
    path("accessibility", accessibility, name="accessibility"),
]
