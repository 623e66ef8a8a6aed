"""What seeding leaves of recognition: goals, a queue, decisions of all kinds, files to recompute."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from creditbank.clock import today
from creditbank.demo import casework, pack
from creditbank.demo.cast import AUTHORITY, RECEIVER
from creditbank.demo.people import CLASSMATE, LEARNER, Person
from creditbank.institutions import queries as institutions
from creditbank.institutions.models import Institution
from creditbank.recognition.models import (
    AppealState,
    Decision,
    DecisionState,
    PreApproval,
    PreApprovalState,
    ProgrammeVersion,
    Request,
    RequestState,
    RuleVersion,
    VersionStatus,
)
from creditbank.recognition.register import publishing, rulebook
from creditbank.recognition.workflow import cascade, goals, preapprovals, requests, reviewing
from creditbank.users.models import User
from learners import queries
from learners.models import Learner

ROOT = Path(__file__).resolve().parent.parent.parent


def learner_of(person: Person) -> Learner:
    learner = queries.by_identity(person.document)
    assert learner is not None
    return learner


def college() -> Institution:
    return institutions.institution(RECEIVER)


def programme() -> ProgrammeVersion:
    return rulebook.programme_in_force(pack.PROGRAMME, today())


def request_of(story: casework.Story) -> Request:
    return Request.objects.get(
        learner=learner_of(story.person), programme__code=story.programme, resubmits__isnull=True
    )


def newest_decision(story: casework.Story) -> Decision:
    decision = request_of(story).decisions.order_by("proposed_at").last()
    assert decision is not None
    return decision


def preview(person: Person) -> dict[str, Decimal]:
    """What a learner would be told today: credits by course."""
    form = requests.prepare(learner=learner_of(person), programme=programme())
    return {line.target: line.credits for line in form.lines}


# -- the rule register ------------------------------------------------------------------------
def rules_are_published() -> None:
    assert ProgrammeVersion.objects.count() == len(pack.programmes())
    assert RuleVersion.objects.count() == len(pack.rules())
    (waiting,) = RuleVersion.objects.exclude(status=VersionStatus.PUBLISHED)
    assert (waiting.code, waiting.version) == pack.FILED
    assert (waiting.status, waiting.first_day) == (VersionStatus.FILED, today())
    for version in (*ProgrammeVersion.objects.all(), *RuleVersion.objects.exclude(pk=waiting.pk)):
        assert version.status == VersionStatus.PUBLISHED
        assert version.prepared_by != version.published_by
    assert rulebook.rule_in_force(pack.CERTIFICATE_RULE, today()).version == 3
    assert {row.code for row in rulebook.in_force(today())} == {one.code for one in pack.rules()}


# -- the journey's beginning ------------------------------------------------------------------
def the_learner_has_asked_nothing() -> None:
    learner = learner_of(LEARNER)
    assert goals.goals_of(learner) == []
    assert not Request.objects.filter(learner=learner).exists()
    form = requests.prepare(learner=learner, programme=programme())
    assert [one.holding.evidence.outcome.item for one in form.choices] == [casework.CERTIFICATE]
    assert [one.chosen for one in form.choices] == [True]
    assert {line.target: line.credits for line in form.lines} == {"LOG-102": 4, "LOG-103": 3}
    assert {(line.rule, line.version) for line in form.lines} == {(pack.CERTIFICATE_RULE, 3)}
    assert form.procedure.expected_days == 10
    assert form.procedure.appeal_days == 15


def the_classmate_has_a_goal() -> None:
    (goal,) = goals.goals_of(learner_of(CLASSMATE))
    assert goal.programme == programme()
    assert sum(preview(CLASSMATE).values()) == 7


def the_next_version_gives_the_classmate_less() -> None:
    """The authority's reviewer publishes what the college's clerk has filed."""
    waiting = RuleVersion.objects.get(code=pack.FILED[0], version=pack.FILED[1])
    publishing.publish_rule(rule=waiting, acting_user=User.objects.get(username=AUTHORITY))
    assert preview(CLASSMATE) == {"LOG-102": 3, "LOG-103": 2}


# -- what is there to see ---------------------------------------------------------------------
def requests_are_in_every_state() -> None:
    for stories, state in (
        ((casework.WAITING,), RequestState.SUBMITTED),
        ((casework.OPENED,), RequestState.REVIEWING),
        ((casework.IN_NOTICE,), RequestState.IN_NOTICE),
        (
            (casework.GIVEN, casework.EXEMPT, casework.APPEALED, casework.HALF, casework.ANEW),
            RequestState.IN_FORCE,
        ),
    ):
        assert {request_of(story).state for story in stories} == {state}


def decisions_have_every_verdict() -> None:
    decided = Decision.objects.filter(decided_at__isnull=False)
    assert {line.verdict for one in decided for line in one.lines.all()} == {
        "credit",
        "part",
        "waived",
        "refused",
    }
    given = {
        line.target: (line.verdict, line.credits)
        for line in newest_decision(casework.EXEMPT).lines.all()
    }
    assert given == {"LOG-102": ("credit", Decimal(4)), "LOG-103": ("waived", Decimal(0))}


def one_was_decided_without_anybody() -> None:
    person, code = casework.AUTOMATIC
    (request,) = Request.objects.filter(learner=learner_of(person))
    (decision,) = request.decisions.all()
    assert request.automatic
    assert decision.automatic
    assert request.programme.code == code
    assert decision.state == DecisionState.IN_FORCE
    assert decision.reviews.count() == 0
    assert decision.credits == 17
    assert {line.rule_code for line in decision.lines.all()} == {"R-029"}


def appeals_are_open_and_answered() -> None:
    (waiting,) = newest_decision(casework.APPEALED).appeals.all()
    assert waiting.state == AppealState.OPEN
    first, second = request_of(casework.ANEW).decisions.order_by("proposed_at")
    (answered,) = first.appeals.all()
    assert (answered.state, answered.outcome) == (AppealState.CHANGED, second)
    assert (first.state, second.state) == (DecisionState.REPLACED, DecisionState.IN_FORCE)
    assert (first.credits, second.credits) == (Decimal(0), Decimal(1))
    assert first.reviews.get().reviewer != second.reviews.get().reviewer


def one_is_promised() -> None:
    (row,) = PreApproval.objects.all()
    assert (row.state, row.learner) == (
        PreApprovalState.IN_FORCE,
        learner_of(casework.PROMISED[0]),
    )
    assert preapprovals.rule_of(row).allocation["to"] == [
        {"course": "LOG-102"},
        {"course": "LOG-103"},
    ]


def two_rest_on_what_fell() -> None:
    fallen = newest_decision(casework.FALLEN)
    assert fallen.state == DecisionState.REVERSED
    assert fallen.reversal_index is not None
    assert cascade.flagged(college()) == [newest_decision(casework.FLAGGED)]


def the_college_has_a_queue() -> None:
    queued = reviewing.queue(college())
    assert Counter(one.request.number for one in queued) == {
        request_of(story).number: 1
        for story in (casework.WAITING, casework.OPENED, casework.APPEALED)
    }
    assert [one.appeal is not None for one in queued].count(True) == 1


def a_reviewer_finds_three_similar_cases() -> None:
    similar = reviewing.look(request_of(casework.WAITING)).similar
    assert {position: len(cases) for position, cases in similar.items()} == {0: 3, 1: 3}
    assert sorted(case.verdict for case in similar[1]) == ["credit", "part", "waived"]


# -- files ------------------------------------------------------------------------------------
def replayed(file: Path, *options: str) -> tuple[int, str]:
    """Run the command that the demo prints; nothing of the bank is in its environment."""
    done = subprocess.run(
        [sys.executable, "-m", "creditbank.recognition.replay", str(file), *options],
        cwd=ROOT,
        env={"PATH": "/usr/bin", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.split(maxsplit=1)[0] if done.stdout else done.stderr


def every_decision_can_be_recomputed(folder: Path) -> None:
    trust = ("--trust", str(folder / "trust.json"))
    written = sorted((folder / "decisions").glob("*.json"))
    entered = Decision.objects.filter(entry_index__isnull=False)
    assert [file.stem for file in written] == sorted(one.number for one in entered)
    assert {file.stem: replayed(file, *trust) for file in written} == {
        file.stem: (0, "same") for file in written
    }
    document: Any = json.loads(written[0].read_bytes())
    document["package"]["lines"][0]["credits"] = "9"
    changed = folder / "changed.json"
    changed.write_text(
        json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
        encoding="utf-8",
    )
    assert replayed(changed, *trust)[0] == 1


def everything_is_there(folder: Path) -> None:
    """All of it, and nothing of it changed."""
    rules_are_published()
    the_learner_has_asked_nothing()
    the_classmate_has_a_goal()
    requests_are_in_every_state()
    decisions_have_every_verdict()
    one_was_decided_without_anybody()
    appeals_are_open_and_answered()
    one_is_promised()
    two_rest_on_what_fell()
    the_college_has_a_queue()
    a_reviewer_finds_three_similar_cases()
    every_decision_can_be_recomputed(folder)
