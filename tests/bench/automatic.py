"""Recognition without an application while an import of 50,000 rows comes in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from django.conf import settings

from creditbank.jobs import outbox
from creditbank.jobs.models import Outbox
from creditbank.ledger.statements import CreditAwarded
from creditbank.recognition.models import Decision, DecisionState, Goal, ProgrammeVersion
from creditbank.recognition.workflow import automatic
from learners.models import Consent, ConsentPurpose, Learner
from tests.bench import recording, simulating
from tests.bench.recording import Province
from tests.bench.rig import Table, seconds
from tests.recognition.shelf import make_shelf

LEARNERS = 10_000
COURSES = 5
ROWS = LEARNERS * COURSES
SERVED = 500
"""Rows that an automatic rule applies to: one in a hundred."""


def keeping_up(table: Table, province: Province) -> None:
    """Everybody follows the programme and consents; a hundredth of the rows is recognised."""
    settings.STAFF_SECOND_FACTOR = False
    # The first courses of the catalogue are held already; these are not.
    accounts = province.accounts[-LEARNERS:]
    simulating.learners(accounts)
    shelf = make_shelf()
    items = [item.code for item in province.college.items[-COURSES:]]
    programme = simulating.register(shelf, items[1:], mark="A")
    recent = {"all": [{"item": [items[0]]}, {"completed": {"from": "2026-03-01"}}]}
    rule = simulating.bench_rule(
        shelf,
        998,
        items,
        mark="A",
        sources={"outcome": recent},
        allocation={"to": [{"course": "C-39"}]},
        procedure={"mode": "automatic"},
    )
    shelf.publish(rule)
    _follow(programme, accounts)
    automatic.follow()
    rows = [
        _row(province, account, course, recent=number < SERVED and course == 0)
        for number, account in enumerate(accounts)
        for course in range(COURSES)
    ]
    imported = seconds(lambda: recording.record(province, rows))
    looked = seconds(automatic.follow)
    waiting = Outbox.objects.filter(handler=automatic.CONSIDER, state="waiting").count()
    decided = seconds(outbox.run_due)
    made = Decision.objects.filter(state=DecisionState.IN_FORCE, automatic=True).count()
    assert made == SERVED, made
    table.add(
        f"automatic recognition after an import of {ROWS:,} rows: looking through what is new",
        f"{ROWS / looked:,.0f}/s",
        against=f"the import itself: {ROWS / imported:,.0f}/s, one process",
    )
    table.add(
        f"/ recognising the {made} that a rule applies to, each a signed submission",
        f"{made / decided:,.1f}/s",
        against=f"{waiting} rows of the outbox, one worker; {simulating.RULES + 1} rules in force",
    )


def _follow(programme: ProgrammeVersion, accounts: Sequence[int]) -> None:
    learners = list(Learner.objects.filter(account_id__in=accounts))
    Goal.objects.bulk_create(Goal(learner=one, programme=programme) for one in learners)
    Consent.objects.bulk_create(
        Consent(learner=one, purpose=ConsentPurpose.MUTUAL_RECOGNITION, wording="recognition/1")
        for one in learners
    )


def _row(province: Province, account: int, course: int, *, recent: bool) -> CreditAwarded:
    made = province.college.award(account, item_row=province.college.items[course - COURSES])
    completed = date(2026, 6, 17) if recent else date(2026, 1, 17)
    return replace(made, outcome=replace(made.outcome, completed_on=completed))
