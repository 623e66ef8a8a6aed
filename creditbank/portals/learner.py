"""The learner's pages: the account, its entries, claiming, settings; and all their addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from creditbank import access
from creditbank.ledger import queries as ledger
from creditbank.ledger.queries import StatementLine
from creditbank.portals import (
    learner_goals,
    learner_requests,
    learner_transcripts,
    outcomewords,
)
from creditbank.portals.learner_goals import goal_cards
from creditbank.portals.learner_requests import used_by_url
from creditbank.portals.learner_transcripts import shown_transcripts
from creditbank.portals.log import LogIndex
from creditbank.portals.logwords import signer_of
from creditbank.portals.ratelimit import limited
from creditbank.portals.requestshown import ListedRequest
from creditbank.portals.signedin import signed_in
from creditbank.recognition.models import ProgrammeVersion, RequestSource
from creditbank.recognition.register import rulebook
from creditbank.recognition.workflow import holdings
from creditbank.recognition.workflow.records import requests_of
from learners import operations as learners
from learners import proofs
from learners import queries as people
from learners.models import Learner

assert LogIndex is not None  # the addresses below use the converter that is registered with it

STATES: Final = ("entered", "reserved", "used", "recognised", "lapsed")
PAGE_SIZE: Final = 50
NEWEST: Final = 5


class ClaimForm(forms.Form):
    """The single-use code that a clerk hands out after seeing the document."""

    code = forms.CharField(
        label=gettext_lazy("认领码"),
        max_length=64,
        help_text=gettext_lazy("由机构经办人核对您的证件后交给您，30 天内有效，只能用一次。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class ForgetForm(forms.Form):
    """The learner types the word: forgetting cannot be undone."""

    word = forms.CharField(label=gettext_lazy("请输入“删除”两个字"), max_length=10)

    def clean_word(self) -> str:
        """Refuse anything but the word."""
        word: str = self.cleaned_data["word"].strip()
        if word not in ("删除", "delete"):
            raise forms.ValidationError(gettext("请输入“删除”（或 delete）以确认。"))
        return word


@login_required
@never_cache
def welcome(request: HttpRequest) -> HttpResponse:
    """Take whoever signed in to where their work is."""
    user = signed_in(request)
    if people.learner_of(user) is not None:
        return redirect("me")
    from creditbank.institutions.queries import memberships

    places = memberships(user)
    if places:
        return redirect(f"/org/{places[0].institution.slug}")
    return redirect("claim")


@login_required
@never_cache
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """Show the account: four totals that open their lists, what is new, what can be done."""
    learner = people.learner_of(signed_in(request))
    if learner is None:
        return redirect("claim")
    accounts = people.accounts_of(learner)
    lines = ledger.statement(accounts)
    return render(
        request,
        "learner/account.html",
        {
            "learner": learner,
            "name": people.display_name(learner),
            "accounts": accounts,
            "balance": ledger.balance(accounts),
            "totals": holdings.totals(learner),
            "newest": shown_lines(lines[:NEWEST]),
            "count": len(lines),
            "transcripts": shown_transcripts(learner, newest=3),
            "goals": goal_cards(learner),
            "waiting": [ListedRequest(request=row) for row in requests_of(learner) if row.is_open],
        },
    )


@login_required
@never_cache
@require_GET
def records(request: HttpRequest) -> HttpResponse:
    """List the entries, all or of one state, newest first."""
    learner = access.learner_for(signed_in(request))
    accounts = people.accounts_of(learner)
    lines = ledger.statement(accounts)
    wanted = request.GET.get("state", "")
    shown = shown_lines(lines)
    chosen = [one for one in shown if one.listed_as == wanted] if wanted in STATES else shown
    page = Paginator(chosen, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request,
        "learner/records.html",
        {
            "totals": holdings.totals(learner),
            "page": page,
            "shown": page.object_list,
            "state": wanted,
            "total": len(chosen),
        },
    )


@login_required
@never_cache
@require_GET
def record(request: HttpRequest, index: int) -> HttpResponse:
    """Show one entry: what, from whom, when, its proof in plain words."""
    access.entry_for_learner(signed_in(request), index)
    learner = access.learner_for(signed_in(request))
    line = next(
        (line for line in ledger.statement(people.accounts_of(learner)) if line.index == index),
        None,
    )
    if line is None:
        raise ledger.UnknownEntry(index=index)
    state = ledger.log_state()
    view = ledger.entry(index)
    technical = [
        (gettext("登记簿序号"), str(index)),
        (gettext("叶哈希"), line.leaf_hash.hex()),
        (gettext("序列与编号"), f"{view.stream} · {view.seq}"),
        (gettext("清单序号"), str(view.manifest_index)),
        (gettext("检查点大小"), str(state.published_size)),
    ]
    return render(
        request,
        "learner/record.html",
        {
            "line": line,
            "shown": shown_lines([line])[0],
            "technical": technical,
            "size": state.size,
        },
    )


@dataclass(frozen=True, kw_only=True)
class ShownLine:
    """A line of the statement in the reader's words, with what it was recognised for.

    `request` is the number of the open request that an outcome is reserved for.
    """

    line: StatementLine
    request: str = ""

    @property
    def institution(self) -> str:
        """Who signed it."""
        return signer_of(self.line.stream).name

    @property
    def title(self) -> str:
        """What was achieved; of recognised credits, for which programme they count."""
        line = self.line
        if line.outcome is not None:
            return outcomewords.title(line.outcome)
        assert line.recognised is not None
        name = line.recognised.programme if self.programme is None else self.programme
        return gettext("认定的学分：%(programme)s") % {"programme": name}

    @cached_property
    def programme(self) -> ProgrammeVersion | None:
        """The programme that recognised credits count for, where the register knows it."""
        recognised = self.line.recognised
        if recognised is None:
            return None
        try:
            return rulebook.programme(recognised.programme, recognised.programme_version)
        except rulebook.UnknownProgramme:
            return None

    @property
    def programme_url(self) -> str:
        """The public page of that version of the programme."""
        row = self.programme
        return "" if row is None else reverse("programme_version", args=[row.code, row.version])

    @property
    def on(self) -> date | None:
        """The day of completion, or of the decision."""
        if self.line.outcome is not None:
            return self.line.outcome.completed_on
        return self.line.recognised.decided_on if self.line.recognised else None

    @property
    def state(self) -> str:
        """The state that the page draws."""
        return "reserved" if self.request else self.line.state

    @property
    def listed_as(self) -> str:
        """Under which of the totals it is found: converted credits stand apart."""
        if self.line.outcome is None:
            return "recognised"
        return "lapsed" if self.state in ("expired", "reversed") else self.state

    @property
    def used_url(self) -> str:
        """The page of the decision that uses it, or that recognised it."""
        number = self.number
        return used_by_url(number) if number else ""

    @property
    def number(self) -> str:
        """The number of the decision that uses it, or that recognised it."""
        recognised = self.line.recognised
        return recognised.decision if recognised is not None else self.line.used_by

    @property
    def other_title(self) -> str:
        """The title in the other language, for the second line."""
        return outcomewords.other_title(self.line.outcome) if self.line.outcome else ""

    @property
    def body(self) -> str:
        """Who awarded it."""
        return outcomewords.body(self.line.outcome) if self.line.outcome else ""

    @property
    def level(self) -> str:
        """The level it stands at, in words."""
        return outcomewords.level(self.line.outcome) if self.line.outcome else ""


def shown_lines(lines: Sequence[StatementLine]) -> list[ShownLine]:
    """Return lines as a page shows them, with the open requests that reserve them."""
    taken = {
        bytes(leaf): number
        for leaf, number in RequestSource.objects.filter(
            active=True,
            leaf__in=[line.leaf_hash for line in lines if line.state == "entered"],
        ).values_list("leaf", "request__number")
    }
    return [ShownLine(line=line, request=taken.get(line.leaf_hash, "")) for line in lines]


# -- claiming and settings --------------------------------------------------------------------
@login_required
@never_cache
@require_http_methods(["GET", "POST"])
@limited(scope="claim", limit=20)
def claim(request: HttpRequest) -> HttpResponse:
    """Claim a waiting account with a code: typing an identity number never claims one."""
    user = signed_in(request)
    if people.learner_of(user) is not None:
        return redirect("me")
    form = ClaimForm(request.POST or None)
    if form.is_valid():
        try:
            learners.claim(user=user, code=form.cleaned_data["code"])
        except proofs.ClaimRefused as error:
            form.add_error("code", error.message or gettext("认领码无效或已过期。"))
        else:
            messages.success(request, gettext("已认领：等候的学习成果都在您的账户里了。"))
            return redirect("me")
    return render(
        request,
        "learner/claim.html",
        {"form": form},
        status=422 if form.errors else 200,
    )


@login_required
@never_cache
@require_GET
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show identity (masked), sign-in, and how to be forgotten."""
    return _settings(request, access.learner_for(signed_in(request)), ForgetForm())


def _settings(request: HttpRequest, learner: Learner, form: ForgetForm) -> HttpResponse:
    return render(
        request,
        "learner/settings.html",
        {
            "name": people.display_name(learner),
            "identity": people.masked_identity(learner),
            "accounts": people.accounts_of(learner),
            "form": form,
        },
        status=422 if form.errors else 200,
    )


@login_required
@never_cache
@require_POST
def forget(request: HttpRequest) -> HttpResponse:
    """Forget the learner: keys deleted, columns blanked, signed out. It cannot be undone."""
    learner = access.learner_for(signed_in(request))
    form = ForgetForm(request.POST)
    if not form.is_valid():
        return _settings(request, learner, form)
    learners.forget_learner(learner)
    logout(request)
    messages.success(request, gettext("您的个人信息已删除。登记簿上的承诺值不再指向任何人。"))
    return redirect("home")


urlpatterns = [
    path("welcome", welcome, name="welcome"),
    path("me", account, name="me"),
    path("me/records", records, name="records"),
    path("me/records/<logindex:index>", record, name="record"),
    *learner_goals.urlpatterns,
    *learner_requests.urlpatterns,
    *learner_transcripts.urlpatterns,
    path("me/claim", claim, name="claim"),
    path("me/settings", settings_page, name="me_settings"),
    path("me/settings/forget", forget, name="forget"),
]
