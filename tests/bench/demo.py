"""The demo's learners under a pack of 300 rules: the best plan, and the page that asks what if."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final

from tests.bench.rig import Row, Table, rig, spread, timed

if TYPE_CHECKING:
    from creditbank.recognition.deciding.computation import Inputs
    from creditbank.recognition.models import ProgrammeVersion
    from learners.models import Learner

RULES: Final = 300
PAGES: Final = 40
"""How often a page is asked for in a round."""


def accounts(table: Table) -> None:
    """Measure in a process of its own: a demo is a bank of its own, with its own database."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        table.rows += pool.submit(_measured).result()


def _measured() -> list[Row]:
    table = Table()
    with rig() as services:
        from django.conf import settings

        from creditbank.demo.people import CLASSMATE, LEARNER
        from creditbank.demo.seed import seed
        from creditbank.recognition.workflow import situations
        from learners import queries
        from learners.models import Learner

        settings.BANK_DEMO = True
        settings.STAFF_SECOND_FACTOR = False
        settings.ALLOWED_HOSTS = ["localhost"]
        seed(services.home / "demo", lambda _: None)
        programme = _programme()
        _fill(programme)
        people = list(Learner.objects.order_by("opened_at", "pk"))
        inputs = [_inputs(learner, programme) for learner in people]
        _plans(table, inputs)
        _looks(table, people, programme)
        mine = [
            one
            for one in map(queries.by_identity, (LEARNER.document, CLASSMATE.document))
            if one is not None
        ]
        assert len(mine) == 2
        assert all(situations.situation(one, programme).available for one in mine)
        _pages(table, mine, programme)
    return list(table.rows)


# -- the pack ---------------------------------------------------------------------------------
def _programme() -> ProgrammeVersion:
    from creditbank.clock import today
    from creditbank.recognition.register import rulebook

    return rulebook.programme_in_force("NP-LOG", today())


def _fill(programme: ProgrammeVersion) -> None:
    """Publish rules of the college until 300 are in force: an item of the catalogue for some course."""
    from creditbank.clock import today
    from creditbank.institutions import queries as institutions
    from creditbank.institutions.kinds import Role
    from creditbank.institutions.models import Member
    from creditbank.recognition.register import publishing, rulebook

    owner = programme.owner
    people = {
        role: Member.objects.filter(institution=owner, role=role).first()
        for role in (Role.CLERK, Role.REVIEWER)
    }
    clerk, reviewer = (people[role].user for role in (Role.CLERK, Role.REVIEWER))  # type: ignore[union-attr]
    standing = len(rulebook.rules_in_force(programme=programme.parsed(), on=today()))
    items = sorted({row.code for row in institutions.approved_versions()})
    courses = [one for one in programme.parsed().courses if one.replaceable]
    for number in range(RULES - standing):
        course = courses[(number * 7 + number // len(items)) % len(courses)]
        draft = publishing.prepare_rule(
            institution=owner,
            document=_rule(number, owner.uscc, programme.code, items, course.code),
            acting_user=clerk,
        )
        filed = publishing.file_rule(rule=draft, acting_user=clerk)
        publishing.publish_rule(rule=filed, acting_user=reviewer)
    assert len(rulebook.rules_in_force(programme=programme.parsed(), on=today())) == RULES


def _rule(
    number: int, owner: str, programme: str, items: Sequence[str], course: str
) -> dict[str, Any]:
    """One rule of the pack: one of two items, for one course, no more than either is worth."""
    return {
        "v": "llcb/rule/v1",
        "code": f"R-B{number:03}",
        "version": 1,
        "owner": owner,
        "title": f"成果抵免课程{number}",
        "title_en": f"Outcome for a course, {number}",
        "basis": {"title": "学分认定与转换办法"},
        "in_force": {"from": "2026-03-01"},
        "law": "filing",
        "programmes": [programme],
        "sources": {
            "outcome": {
                "item": sorted({items[number % len(items)], items[(number * 3 + 1) % len(items)]})
            }
        },
        "allocation": {
            "to": [{"course": course, "credits": {"lower": [{"of": "bank"}, {"of": "target"}]}}]
        },
        "constraints": [{"cap": {"credits": "8"}}],
        "procedure": {"mode": "review"},
    }


# -- the best plan ----------------------------------------------------------------------------
def _inputs(learner: Learner, programme: ProgrammeVersion) -> Inputs:
    from creditbank.clock import today
    from creditbank.recognition.workflow import situations

    on = today()
    found = situations.situation(learner, programme)
    book = situations.book(found, filed_on=on, law_on=on)
    assert len(book.rules) >= RULES
    return situations.inputs(found, book.rules, filed_on=on, law_on=on)


def _plans(table: Table, inputs: Sequence[Inputs]) -> None:
    """The plan of each account, its findings given, and the whole computation."""
    from creditbank.recognition.deciding import computation
    from creditbank.recognition.planning import plan

    asked = []
    for one in inputs:
        found = computation.compute(one)
        asked.append(
            {
                "programme": one.programme,
                "findings": found.findings,
                "rules": sorted(one.rules, key=lambda rule: (rule.code, rule.version)),
                "evidence": sorted(one.evidence, key=lambda piece: piece.index),
                "context": computation.context(one),
                "earlier": one.earlier,
                "limit_seconds": None,
            }
        )
    most = max(len(one["evidence"]) for one in asked)
    findings = sum(len(one["findings"]) for one in asked) / len(asked)
    credits_ = sum((plan.best(**one).credits for one in asked), Decimal(0)) / len(asked)
    _timed(
        table,
        f"best plan, the demo's {len(asked)} accounts × {RULES} rules",
        [lambda one=one: plan.best(**one) for one in asked],  # type: ignore[misc]
        goal="p95 ≤ 100 ms",
        against=f"up to {most} outcomes; {findings:.0f} findings, {credits_:.1f} credits a plan",
    )
    _timed(
        table,
        "/ with holding all outcomes against all rules",
        [lambda one=one: computation.compute(one) for one in inputs],  # type: ignore[misc]
    )


def _looks(table: Table, people: Iterable[Learner], programme: ProgrammeVersion) -> None:
    from creditbank.recognition.workflow import whatif

    _timed(
        table,
        "/ with reading and opening the account: what counts, what could",
        [lambda one=one: whatif.look(learner=one, programme=programme) for one in people],  # type: ignore[misc]
    )


# -- the page ---------------------------------------------------------------------------------
def _pages(table: Table, people: Sequence[Learner], programme: ProgrammeVersion) -> None:
    from django.test import Client

    clients = []
    for learner in people:
        assert learner.user is not None
        client = Client(SERVER_NAME="localhost")
        client.force_login(learner.user, backend="django.contrib.auth.backends.ModelBackend")
        clients.append(client)
    for what, query in (("page of a goal", ""), ("what-if page", "?look=1")):
        address = f"/me/goals/{programme.code}{query}"

        def load(client: Client, address: str = address) -> None:
            answer = client.get(address)
            assert answer.status_code == 200, answer.status_code
            assert "NP-LOG" in answer.content.decode()

        turns = itertools.islice(itertools.cycle(clients), PAGES)
        _timed(
            table,
            f"{what}, {RULES} rules in force",
            [lambda client=client: load(client) for client in turns],  # type: ignore[misc]
            goal="≤ 500 ms",
        )


def _timed(
    table: Table,
    what: str,
    calls: Sequence[Callable[[], object]],
    *,
    goal: str = "",
    against: str = "",
) -> None:
    """Each call once a round, warm; of each round the median and the 95th percentile."""
    for call in calls:
        call()
    halves, tails = timed(calls)
    table.add(
        f"{what}, p95",
        spread(tails, " ms"),
        goal=goal,
        against="; ".join(filter(None, (f"p50 {spread(halves, ' ms')}", against))),
    )
