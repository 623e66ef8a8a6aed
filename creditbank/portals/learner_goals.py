"""A learner's goals: how far each is, what meets which course, what else could be asked for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from creditbank import access
from creditbank.access import NotFound
from creditbank.clock import today
from creditbank.institutions.models import Institution
from creditbank.portals import casewords, obstaclewords, rules, rulewords
from creditbank.portals.casewords import ShownLine
from creditbank.portals.goalshown import (
    Asked,
    OwnOutcome,
    ShownCategory,
    Way,
    WhyNot,
    own_outcomes,
    why_not,
)
from creditbank.portals.learner_requests import (
    ShownChoice,
    chosen_indexes,
    leaves_of,
    shown_choice,
)
from creditbank.portals.requestshown import states_of
from creditbank.portals.ring import NOTHING, Share
from creditbank.portals.signedin import signed_in
from creditbank.recognition.deciding import procedure
from creditbank.recognition.engine.findings import Verdict
from creditbank.recognition.language.programmes import Course, Programme
from creditbank.recognition.models import (
    Goal,
    PreApproval,
    ProgrammeVersion,
    Request,
    RuleVersion,
)
from creditbank.recognition.planning.missing import Missing
from creditbank.recognition.register import rulebook
from creditbank.recognition.register.documents import RULES
from creditbank.recognition.workflow import goals, requests, whatif
from creditbank.recognition.workflow.requests import Form, Target
from creditbank.recognition.workflow.whatif import Look, NewRules
from learners.models import Learner

assert rules is not None  # the addresses below use the converter that is registered with it
logger = logging.getLogger(__name__)

PAGE_SIZE: Final = 20
TEXT_MAX: Final = 60


def programme_for(learner: Learner, code: str) -> tuple[ProgrammeVersion, Goal | None]:
    """Return the version of a programme that a learner follows, else the one in force.

    Raises NotFound when there is none of this code.
    """
    goal = next((one for one in goals.goals_of(learner) if one.programme.code == code), None)
    if goal is not None:
        return goal.programme, goal
    try:
        return rulebook.programme_in_force(code, today()), None
    except rulebook.UnknownProgramme:
        raise NotFound(programme=code) from None


# -- cards ------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class GoalCard:
    """A goal in a list: its shares, and what could be used. `way` is None when it failed."""

    goal: Goal
    way: Way | None

    @property
    def code(self) -> str:
        """The programme's code, by which its page is found."""
        return self.goal.programme.code

    @property
    def institution(self) -> Institution:
        """Whose programme it is."""
        return self.goal.programme.owner

    @property
    def programme(self) -> Programme:
        """The programme."""
        return self.goal.programme.parsed()

    @property
    def unavailable(self) -> bool:
        """Whether the progress could not be computed just now."""
        return self.way is None

    @property
    def share(self) -> Share | None:
        """How many of the programme's credits are there."""
        return None if self.way is None else self.way.share

    @property
    def categories(self) -> list[ShownCategory]:
        """The categories with their shares."""
        return [] if self.way is None else self.way.categories

    @property
    def usable(self) -> int:
        """How many outcomes the best plan would use."""
        return 0 if self.way is None else len(self.way.look.usable)

    @property
    def newly(self) -> NewRules | None:
        """What rules that took effect lately let the learner use."""
        return None if self.way is None else self.way.look.new

    @property
    def new_rules(self) -> list[RuleVersion]:
        """Those of these rules that the best plan uses."""
        if self.way is None or self.newly is None:
            return []
        used = {(line.rule, line.version) for line in self.way.look.proposed}
        return [row for row in self.newly.rows if (row.code, row.version) in used]


def goal_cards(learner: Learner) -> list[GoalCard]:
    """Return a learner's goals as cards; one that cannot be computed says so and spoils no other."""
    return [_card(goal) for goal in goals.goals_of(learner)]


def _card(goal: Goal) -> GoalCard:
    try:
        look = whatif.look(learner=goal.learner, programme=goal.programme, award_on=goal.award_on)
    except Exception:
        # Whatever it is, the other goals are shown all the same.
        logger.exception("a goal for %s could not be computed", goal.programme.code)
        return GoalCard(goal=goal, way=None)
    return GoalCard(goal=goal, way=Way(look))


# -- the list ---------------------------------------------------------------------------------
@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def goal_list(request: HttpRequest) -> HttpResponse:
    """Show the goals, and find programmes to add; a POST adds one."""
    learner = access.learner_for(signed_in(request))
    if request.method == "POST":
        row, goal = programme_for(learner, request.POST.get("programme", ""))
        if goal is None:
            goals.add_goal(learner=learner, programme=row, acting_user=signed_in(request))
            messages.success(request, gettext("已添加目标：%(name)s。") % {"name": row})
        return redirect("goals")
    asked = request.GET.get("q", "").strip()[:TEXT_MAX]
    cards = goal_cards(learner)
    found = [row for row in rulebook.programmes_in_force(today()) if _named_so(row, asked)]
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "goals": cards,
        "codes": {card.code for card in cards},
        "asked": asked,
        "page": page,
        "found": page.object_list,
        "found_total": len(found),
    }
    return render(request, "learner/goals.html", context)


def _named_so(row: ProgrammeVersion, text: str) -> bool:
    """Say whether every word of a text is found in the programme's names or its institution's."""
    names = " ".join((row.code, row.title, row.title_en, row.owner.name, row.owner.name_en))
    return all(word in names.casefold() for word in text.casefold().split())


@login_required
@require_POST
def goal_drop(request: HttpRequest, code: str) -> HttpResponse:
    """Follow a programme no more; what was asked for and recognised stays."""
    learner = access.learner_for(signed_in(request))
    _row, goal = programme_for(learner, code)
    if goal is not None:
        goals.drop_goal(goal=goal, acting_user=signed_in(request))
        messages.success(request, gettext("已移除目标。"))
    return redirect("goals")


# -- one goal ---------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class PossibleUse:
    """One use of a rule that a preview proposes: which outcomes, for what, under which version."""

    rule: str
    version: int
    row: RuleVersion | None
    says: Sequence[object]
    outcomes: tuple[OwnOutcome, ...]
    lines: tuple[ShownLine, ...]
    automatic: bool

    @property
    def law(self) -> str:
        """By which day's rule it is decided."""
        return self.lines[0].law


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A use that applies and is not in the plan, and what keeps it out."""

    rule: str
    version: int
    outcomes: tuple[OwnOutcome, ...]
    sentences: tuple[str, ...]


class Preview:
    """What a learner's free outcomes, or those that were chosen, would give. Nothing is stored."""

    def __init__(self, look: Look, form: Form, *, by_hand: bool) -> None:
        self._look = look
        self._form = form
        self.chosen_by_hand = by_hand

    @property
    def not_proved(self) -> bool:
        """Whether time ran out before the plan was proved to be the best."""
        return self._look.computed.plan.state != "optimal"

    @property
    def may_ask(self) -> bool:
        """Whether there is something to ask for: a line, or what only a person can settle."""
        return bool(self._look.proposed or self.unsettled)

    @cached_property
    def uses(self) -> list[PossibleUse]:
        """The uses of the plan, each with its rule in plain words."""
        look = self._look
        shown = casewords.proposed_lines(look.proposed, look.programme, look.situation.holdings)
        grouped: dict[tuple[str, int, tuple[bytes, ...]], list[ShownLine]] = {}
        for line, said in zip(look.proposed, shown, strict=True):
            grouped.setdefault((line.rule, line.version, line.leaves), []).append(said)
        known = rulewords.Known.today()
        return [
            self._use(code, version, leaves, lines, known)
            for (code, version, leaves), lines in grouped.items()
        ]

    def _use(
        self,
        code: str,
        version: int,
        leaves: Sequence[bytes],
        lines: Sequence[ShownLine],
        known: rulewords.Known,
    ) -> PossibleUse:
        row = self._look.rules.get((code, version))
        rule = next(one for one in self._form.rules if (one.code, one.version) == (code, version))
        return PossibleUse(
            rule=code,
            version=version,
            row=row,
            says=rulewords.says(RULES, rule, known),
            outcomes=own_outcomes(self._look, leaves),
            lines=tuple(lines),
            automatic=procedure.of([rule.procedure]).automatic,
        )

    # -- what is not used ---------------------------------------------------------------------
    @cached_property
    def unsettled(self) -> list[WhyNot]:
        """What a person has to look into, for outcomes that the plan does not use."""
        return self._why_not(Verdict.UNKNOWN)

    @cached_property
    def refused(self) -> list[WhyNot]:
        """What does not meet a rule, with every reason, for outcomes that the plan does not use."""
        return self._why_not(Verdict.REFUSED)

    def _why_not(self, verdict: Verdict) -> list[WhyNot]:
        used = {leaf for line in self._look.proposed for leaf in line.leaves}
        return [
            why_not(self._look, one)
            for one in self._look.computed.findings
            if one.verdict is verdict and not used.intersection(one.leaves)
        ]

    @cached_property
    def left_out(self) -> list[LeftOut]:
        """What applies and is not in the plan, each with what keeps it out."""
        held = {one.leaf: one.evidence for one in self._look.situation.holdings}
        programme = self._look.programme
        return [
            LeftOut(
                rule=one.rule,
                version=one.version,
                outcomes=own_outcomes(self._look, one.leaves),
                sentences=tuple(
                    obstaclewords.sentence(obstacle, programme, held) for obstacle in one.obstacles
                ),
            )
            for one in self._look.computed.plan.left_out
        ]

    # -- choosing otherwise -------------------------------------------------------------------
    @cached_property
    def choices(self) -> list[ShownChoice]:
        """The outcomes that can be tried, and those that cannot."""
        return [shown_choice(one) for one in self._form.choices]

    @property
    def targets(self) -> tuple[Target, ...]:
        """The courses and categories that the chosen outcomes can be used for."""
        return self._form.targets

    @property
    def query(self) -> str:
        """The choice, as the address of the request's form carries it: log indexes and codes."""
        pairs: list[tuple[str, int | str]] = [
            ("o", one.index) for one in self.choices if one.chosen and one.problem is None
        ]
        chosen = [one for one in self.targets if one.chosen]
        if len(chosen) < len(self.targets):
            pairs += [("t", one.code) for one in chosen]
        return f"?{urlencode(pairs)}" if pairs else ""


@dataclass(frozen=True, kw_only=True)
class ShownPending:
    """A request that is not in force yet, and the credits that it would give."""

    request: Request
    credits: Decimal

    @property
    def state(self) -> str:
        """The state that the page draws."""
        return states_of(self.request)[0]


class GoalPage:
    """Everything that the page of one goal shows."""

    def __init__(self, look: Look, goal: Goal | None, preview: Preview | None) -> None:
        self._way = Way(look, previewed=preview is not None)
        self._look = look
        self.goal = goal
        self.preview = preview

    @property
    def row(self) -> ProgrammeVersion:
        """The version of the programme."""
        return self._look.row

    @cached_property
    def newer(self) -> ProgrammeVersion | None:
        """The version that is in force today, when the learner follows an older one."""
        try:
            present = rulebook.programme_in_force(self.row.code, today())
        except rulebook.UnknownProgramme:
            return None
        return present if present.version > self.row.version else None

    @property
    def share(self) -> Share:
        """How many of the programme's credits are there, with what the preview would add."""
        return self._way.share

    @property
    def categories(self) -> list[ShownCategory]:
        """The categories with their courses."""
        return self._way.categories

    @property
    def pending(self) -> list[ShownPending]:
        """The requests that are not in force yet."""
        return [
            ShownPending(
                request=one.request,
                credits=sum(
                    (line.grant.credits + line.grant.surplus for line in one.lines), NOTHING
                ),
            )
            for one in self._look.pending
        ]

    @cached_property
    def promises(self) -> list[PreApproval]:
        """What the institution committed itself to, for outcomes still to be earned."""
        return [one.row for one in self._look.situation.promises]

    @property
    def usable(self) -> int:
        """How many outcomes the best plan would use."""
        return len(self._look.usable)

    @property
    def newly(self) -> NewRules | None:
        """What rules that took effect lately let the learner use."""
        return self._look.new

    @property
    def has_findings(self) -> bool:
        """Whether any rule is about one of the free outcomes."""
        return bool(self._look.computed.findings)

    @property
    def minimums(self) -> list[Asked]:
        """The minimums of the programme."""
        return self._way.minimums

    @property
    def thresholds(self) -> list[Asked]:
        """What sums of counted credits open."""
        return self._way.thresholds

    @property
    def misplaced(self) -> bool:
        """Whether enough credits were earned, but not in the categories that ask for them."""
        return any(one.code == "misplaced" for one in self._look.now.shortfalls)

    @property
    def finished(self) -> bool:
        """Whether the programme asks for nothing more."""
        return self._look.now.state == "finished"

    @property
    def shortest(self) -> Missing:
        """The fewest courses that would complete the programme."""
        return self._way.shortest

    @property
    def courses_to_take(self) -> list[Course]:
        """Those courses, the required ones first."""
        found = (self._look.programme.course(code) for code in self.shortest.courses)
        return sorted((one for one in found if one is not None), key=lambda one: not one.required)


@login_required
@never_cache
@require_safe
def goal_page(request: HttpRequest, code: str) -> HttpResponse:
    """Show the way to one programme; with `look`, also what could be asked for. Nothing is stored."""
    learner = access.learner_for(signed_in(request))
    row, goal = programme_for(learner, code)
    award_on = goal.award_on if goal is not None else None
    if "look" not in request.GET:
        look = whatif.look(learner=learner, programme=row, award_on=award_on)
        return render(request, "learner/goal.html", {"view": GoalPage(look, goal, None)})
    form, leaves, targets = _chosen(learner, row, request.GET, award_on=award_on)
    look = whatif.look(
        learner=learner, programme=row, leaves=leaves, targets=targets, award_on=award_on
    )
    preview = Preview(look, form, by_hand=leaves is not None or bool(targets))
    return render(request, "learner/goal.html", {"view": GoalPage(look, goal, preview)})


def _chosen(
    learner: Learner, row: ProgrammeVersion, asked: QueryDict, *, award_on: date | None
) -> tuple[Form, list[bytes] | None, list[str]]:
    """Return the form with what was chosen, and the choice: no outcomes and no targets mean all."""
    form = requests.prepare(learner=learner, programme=row, award_on=award_on)
    leaves = leaves_of(form, chosen_indexes(asked)) or None
    if leaves is None and not asked.getlist("t"):
        return form, None, []
    form = requests.prepare(learner=learner, programme=row, leaves=leaves, award_on=award_on)
    targets = [one.code for one in form.targets if one.code in asked.getlist("t")]
    if len(targets) == len(form.targets):
        targets = []
    if targets:
        form = requests.prepare(
            learner=learner, programme=row, leaves=leaves, targets=targets, award_on=award_on
        )
    return form, leaves, targets


urlpatterns: list[URLPattern] = [
    path("me/goals", goal_list, name="goals"),
    path("me/goals/<doccode:code>", goal_page, name="goal"),
    path("me/goals/<doccode:code>/drop", goal_drop, name="goal_drop"),
]
