"""Simulating one rule over 10,000 accounts: read, unsealed, and planned twice for each of them."""

from __future__ import annotations

import os
import random
import uuid
from dataclasses import replace
from typing import Any

from django.conf import settings

from creditbank.ledger.statements import Result
from creditbank.recognition.models import Simulation
from creditbank.recognition.register import publishing, rulebook
from creditbank.recognition.workflow import simulation
from creditbank.recognition.workflow.simulation import Counts
from learners.models import Learner, LearnerAccount
from tests.bench import recording
from tests.bench.recording import Province
from tests.bench.rig import Table, seconds
from tests.recognition.shelf import Shelf, make_shelf

ACCOUNTS = 10_000
OUTCOMES = 8
ITEMS = 60
RULES = 100
COURSES = 40


def learners(accounts: list[int]) -> None:
    """Give accounts that have none a learner; nothing of theirs is looked at, so that it is noise."""
    known = set(
        LearnerAccount.objects.filter(account_id__in=accounts).values_list("account_id", flat=True)
    )
    rows = [
        Learner(
            id=uuid.uuid4(),
            account_id=account,
            document_type="resident-id",
            name_sealed=os.urandom(60),
            identity_sealed=os.urandom(60),
            identity_digest=os.urandom(32),
        )
        for account in accounts
        if account not in known
    ]
    Learner.objects.bulk_create(rows)
    LearnerAccount.objects.bulk_create(
        LearnerAccount(account_id=row.account_id, learner=row) for row in rows
    )


def outcomes(province: Province, accounts: list[int]) -> None:
    """Let every account hold some courses of its own choice, with scores of its own."""
    items = province.college.items[-ITEMS:]
    chance = random.Random(20260617)
    made = [
        replace(
            province.college.award(account, item_row=item),
            result=Result(score=str(chance.randint(60, 100)), hours="48"),
        )
        for account in accounts
        for item in chance.sample(items, OUTCOMES)
    ]
    recording.record(province, made)


def register(shelf: Shelf, items: list[str], *, mark: str = "B") -> Any:
    """Publish a programme and a pack of rules for it, with codes of their own; return the programme."""
    programme = shelf.publish_programme(
        code=f"P-BENCH-{mark}",
        total="120",
        categories=[
            {"code": "core", "title": "核心", "title_en": "Core", "credits": "80"},
            {"code": "free", "title": "选修", "title_en": "Electives", "credits": "40"},
        ],
        courses=[
            {
                "code": f"C-{number:02}",
                "title": f"课程{number}",
                "title_en": f"Course {number}",
                "credits": "3",
                "category": "core" if number % 3 else "free",
            }
            for number in range(COURSES)
        ],
    )
    for number in range(RULES):
        shelf.publish(bench_rule(shelf, number, items, mark=mark))
    return programme


def bench_rule(
    shelf: Shelf, number: int, items: list[str], *, mark: str = "B", **changes: Any
) -> dict[str, Any]:
    """One rule of the pack: an item for one of two courses, under a cap."""
    return shelf.rule(
        **{
            "code": f"R-{mark}{number:03}",
            "title": f"规则{number}",
            "gate": None,
            "sources": {
                "outcome": {
                    "all": [{"item": [items[number % len(items)]]}, {"score": {"min": "60"}}]
                }
            },
            "allocation": {
                "to": [
                    {"course": f"C-{number % COURSES:02}"},
                    {"course": f"C-{(number * 7 + 3) % COURSES:02}"},
                ],
                "choose": 1,
            },
            "constraints": [{"cap": {"credits": "12"}}],
        }
        | changes
    )


def ten_thousand(table: Table, province: Province) -> None:
    """One rule over 10,000 accounts: of one course, as most are, and one that is for everybody."""
    settings.STAFF_SECOND_FACTOR = False
    simulation.SLICE_SECONDS = 3600.0  # type: ignore[misc]
    accounts = province.accounts[-ACCOUNTS:]
    learners(accounts)
    outcomes(province, accounts)
    shelf = make_shelf()
    items = [item.code for item in province.college.items[-ITEMS:]]
    programme = register(shelf, items)
    one = bench_rule(shelf, 50, items, version=2, in_force={"from": "2026-06-01"})
    one["sources"]["outcome"]["all"][1] = {"score": {"min": "80"}}
    everybody = one | {
        "version": 3,
        "sources": {"outcome": {"all": [{"kind": ["course"]}, {"score": {"min": "90"}}]}},
    }
    for name, said, goal in (("one course", one, "≤ 60 s"), ("every course", everybody, "")):
        draft = publishing.prepare_rule(
            institution=shelf.institution, document=said, acting_user=shelf.clerk
        )
        rules = rulebook.rules_in_force(programme=programme.parsed(), on=draft.first_day)
        assert len(rules) == RULES
        found = simulation.start_simulation(
            rule=draft, programme=programme, acting_user=shelf.clerk
        )
        took = seconds(lambda pk=found.pk: simulation.run(pk))  # type: ignore[misc]
        counts = Counts.read(Simulation.objects.get(pk=found.pk).counts)
        assert counts.learners == len(accounts), counts
        table.add(
            f"simulation of a rule of {name} over {len(accounts):,} accounts with"
            f" {OUTCOMES} outcomes, {RULES} rules in force",
            f"{took:.1f} s",
            goal=goal,
            against=f"{counts.gain:,} gain, {counts.lose:,} lose;"
            f" plans not proved: {counts.not_proved}; one process",
        )
