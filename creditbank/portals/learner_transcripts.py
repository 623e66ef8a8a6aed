"""A learner's transcripts: request, download, correct, revoke, and what strangers are told of each."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from certificates import operations, queries, verification
from certificates.models import Revoking, Transcript, TranscriptState
from creditbank import access
from creditbank.jobs.models import Job
from creditbank.ledger import queries as ledger
from creditbank.portals import states
from creditbank.portals.downloads import download
from creditbank.portals.results import Shown, shown
from creditbank.portals.signedin import signed_in
from learners import queries as people
from learners.models import Learner

PUBLISH_SECONDS: Final = 10.0
HOLDERS_REASONS: Final = (Revoking.HOLDER, Revoking.CONTENT, Revoking.IDENTITY)
"""The published reasons that are a holder's to give."""

_ROW: Final = {
    TranscriptState.REQUESTED: "preparing",
    TranscriptState.REGISTERED: "preparing",
    TranscriptState.REVOKED: "revoked",
    TranscriptState.SUPERSEDED: "superseded",
    TranscriptState.FAILED: "failed",
}
_RESULT: Final = {
    "V-OK": "issued",
    "V-NOTE-EXPIRED": "line-expired",
    "V-NOTE-SUPERSEDED": "superseded",
    "V-NOTE-FROZEN-BEFORE": "note",
    "V-REVOKED": "line-reversed",
    "V-HOLD": "undetermined",
    "V-UNAVAILABLE": "unchecked",
}
"""What an issued transcript is, by the result that a stranger gets: the register decides."""


class RevokeForm(forms.Form):
    """Why, and that the holder knows what it means."""

    reason = forms.ChoiceField(
        label=_("撤销的原因"),
        choices=[(reason.value, reason.label) for reason in HOLDERS_REASONS],
        initial=Revoking.HOLDER.value,
        help_text=_("原因会写入登记簿并公布，以后不能更改。"),
        widget=forms.RadioSelect,
    )
    sure = forms.BooleanField(
        label=_("我知道撤销后不能恢复，凡持有这份证明的人核验时都会看到“无效”。"),
        error_messages={"required": _("请勾选，表示您知道撤销的后果。")},
    )


class ShownTranscript:
    """A transcript with its state as the register has it, and its job's progress."""

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self.ready = transcript.is_ready
        job: Job | None = transcript.job
        self.progress = states.of_job(job) if job else ""
        self.job = job
        self.at_work = self.progress in ("queued", "running")
        self.result: Shown | None = None
        self.state = _ROW.get(TranscriptState(transcript.state), "")
        if self.ready:
            self.result = shown(verification.verify_issued(transcript))
            self.state = self.state or _RESULT.get(self.result.code, "invalid")

    @property
    def step(self) -> str:
        """What is being done to it just now, in words."""
        return str(queries.STEP_WORDS.get(self.job.step, "")) if self.job else ""

    @property
    def stands(self) -> bool:
        """Whether it is issued and neither revoked nor replaced: it can be, then."""
        return self.transcript.state == TranscriptState.ISSUED

    @property
    def wants_correction(self) -> bool:
        """Whether something on it holds no longer, so that a corrected version is due."""
        return self.stands and self.state in ("line-reversed", "line-expired")

    @property
    def findings(self) -> list[str]:
        """What the checks found against it, in sentences."""
        checks = self.result.checks if self.result else ()
        return [one.sentence for check in checks for one in check.findings if one.code]


def shown_transcripts(learner: Learner, newest: int | None = None) -> list[ShownTranscript]:
    """Return a learner's transcripts, newest first, all or only so many."""
    return [ShownTranscript(one) for one in queries.transcripts_of(learner)[:newest]]


def _own(request: HttpRequest, number: str) -> Transcript:
    return queries.transcript_of(access.learner_for(signed_in(request)), number)


# -- list and request -------------------------------------------------------------------------
@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def transcript_list(request: HttpRequest) -> HttpResponse:
    """List the transcripts; a POST requests a new one."""
    learner = access.learner_for(signed_in(request))
    if request.method == "POST":
        try:
            made = operations.request_transcript(learner=learner, acting_user=signed_in(request))
        except operations.NothingToCertify:
            messages.error(request, gettext("账户里还没有可以出具证明的成果。"))
            return redirect("transcripts")
        return redirect("transcript", number=made.number)
    transcripts = shown_transcripts(learner)
    return render(
        request,
        "learner/transcripts.html",
        {
            "transcripts": transcripts,
            "balance": ledger.balance(people.accounts_of(learner)),
            "refresh_seconds": 3 if any(item.at_work for item in transcripts) else None,
        },
    )


# -- one transcript ---------------------------------------------------------------------------
@login_required
@never_cache
@require_GET
def transcript(request: HttpRequest, number: str) -> HttpResponse:
    """Show one transcript: its progress while it is made, its files and standing afterwards."""
    one = ShownTranscript(_own(request, number))
    context: dict[str, Any] = {"shown": one, "refresh_seconds": 2 if one.at_work else None}
    if request.headers.get("HX-Request"):
        response = render(request, "learner/transcript_progress.html", context)
        if not one.at_work:
            response["HX-Refresh"] = "true"
        return response
    if one.ready:
        context |= {
            "token": queries.verify_token(one.transcript),
            "code": queries.printed_code(one.transcript),
        }
    return render(request, "learner/transcript.html", context)


@login_required
@never_cache
@require_GET
def transcript_pdf(request: HttpRequest, number: str) -> HttpResponse:
    """Hand out the PDF."""
    found = _own(request, number)
    return download(queries.pdf(found), f"transcript-{number}.pdf", "application/pdf")


@login_required
@never_cache
@require_GET
def transcript_json(request: HttpRequest, number: str) -> HttpResponse:
    """Hand out the credential as JSON."""
    found = _own(request, number)
    return download(queries.json(found), f"transcript-{number}.json", "application/json")


# -- correcting and revoking ------------------------------------------------------------------
@login_required
@never_cache
@require_POST
def correct(request: HttpRequest, number: str) -> HttpResponse:
    """Request the corrected version; the old one is replaced when the new one is issued."""
    old = _own(request, number)
    try:
        made = operations.supersede_transcript(transcript=old, acting_user=signed_in(request))
    except operations.NothingToCertify:
        messages.error(
            request, gettext("账户里已没有有效的成果，不能出具更正版本。可以撤销这份证明。")
        )
    except operations.AtWork:
        messages.error(request, gettext("另一份学分证明正在制作，请等它完成后再试。"))
    except operations.NotIssued:
        messages.error(request, gettext("这份证明已撤销或已有更正版本。"))
    else:
        return redirect("transcript", number=made.number)
    return redirect("transcript", number=number)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, number: str) -> HttpResponse:
    """Revoke the transcript: say what that means, ask why and whether it is meant, then do it."""
    one = ShownTranscript(_own(request, number))
    if not one.stands:
        messages.error(request, gettext("这份证明已撤销或已有更正版本。"))
        return redirect("transcript", number=number)
    form = RevokeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        receipt = operations.revoke_transcript(
            transcript=one.transcript,
            reason=form.cleaned_data["reason"],
            acting_user=signed_in(request),
        )
        try:
            ledger.wait_until_published(receipt.first_index + 1, timeout=PUBLISH_SECONDS)
        except ledger.NotYetPublished:
            messages.info(request, gettext("已撤销并登记，公布用的签名正在生成。"))
        else:
            messages.success(request, gettext("已撤销。从现在起，任何人核验都会看到“无效”。"))
        return redirect("transcript", number=number)
    return render(
        request,
        "learner/transcript_revoke.html",
        {"shown": one, "form": form},
        status=422 if form.errors else 200,
    )


urlpatterns: list[URLPattern] = [
    path("me/transcripts", transcript_list, name="transcripts"),
    path("me/transcripts/<str:number>", transcript, name="transcript"),
    path("me/transcripts/<str:number>/pdf", transcript_pdf, name="transcript_pdf"),
    path("me/transcripts/<str:number>/json", transcript_json, name="transcript_json"),
    path("me/transcripts/<str:number>/correct", correct, name="transcript_correct"),
    path("me/transcripts/<str:number>/revoke", revoke, name="transcript_revoke"),
]
