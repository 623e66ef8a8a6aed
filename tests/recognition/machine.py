"""Any order of awards, requests, decisions, appeals, reversals, expiries and new rules, against a small book.

The book knows nothing of the bank's tables: outcomes and what they are, requests,
decisions and what each gives. After each step the bank must say the same.
Everything is drawn from one seed. Days pass by moving the clock.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

import time_machine

from creditbank.institutions.models import CatalogueItem
from creditbank.jobs import outbox
from creditbank.ledger import operations as ledger
from creditbank.recognition import replay
from creditbank.recognition.deciding import workdays
from creditbank.recognition.models import Appeal, Decision, Request
from creditbank.recognition.workflow import (
    appeals,
    cascade,
    cases,
    decisionfile,
    decisions,
    holdings,
    records,
    requests,
)
from creditbank.recognition.workflow.decisions import Verdict
from creditbank.recognition.workflow.errors import RequestRefused
from creditbank.users.models import User
from learners.models import Learner
from tests.recognition.world import World, programme_document

State = Literal["available", "reserved", "used", "lapsed"]
BANK_CREDITS = 8
ITEMS = 3
NOTICE = (0, 2, 0)
"""Working days of notice, by item."""
START = date(2027, 3, 1)


@dataclass
class Outcome:
    """An outcome in the book."""

    leaf: bytes
    index: int
    item: int
    valid_until: date
    state: State = "available"


@dataclass
class Given:
    """A decision in the book: what it gives for each outcome, and by when it was made."""

    row: Decision
    gives: dict[bytes, Decimal]
    whole: dict[bytes, Decimal]
    state: str
    decided_on: date
    notice_until: date | None = None
    replaces: Given | None = None
    appealed: bool = False

    @property
    def used(self) -> list[bytes]:
        return [leaf for leaf, credits_ in self.gives.items() if credits_]

    @property
    def credits(self) -> Decimal:
        return sum(self.gives.values(), Decimal(0))


@dataclass
class Asked:
    """A request in the book."""

    row: Request
    leaves: list[bytes]
    worth: dict[bytes, Decimal]
    open: bool = True
    decided: list[Given] = field(default_factory=list)
    instead_of: Given | None = None
    """The refusal that is decided anew, when what came of its appeal was void."""


@dataclass
class Person:
    """A learner in the book."""

    learner: Learner
    outcomes: dict[bytes, Outcome] = field(default_factory=dict)
    requests: list[Asked] = field(default_factory=list)

    def credits(self, state: State) -> int:
        return BANK_CREDITS * sum(one.state == state for one in self.outcomes.values())

    @property
    def converted(self) -> Decimal:
        return sum(
            (
                given.credits
                for asked in self.requests
                for given in asked.decided
                if given.state == "in-force"
            ),
            Decimal(0),
        )


class Machine:
    """One world, and any number of runs in it: each with new learners."""

    def __init__(self, world: World, *, seed: int) -> None:
        self.world = world
        self.seed = seed
        self.day = START
        self.items: list[CatalogueItem] = []
        self.worth: list[Decimal] = []
        self.versions: list[int] = []
        self.changed_on: list[date] = []
        self.people: list[Person] = []
        self.random = random.Random(seed)
        self.taken: dict[str, int] = {}
        with self.now():
            self._found()

    @contextmanager
    def now(self) -> Iterator[None]:
        with time_machine.travel(f"{self.day.isoformat()}T09:00:00+08:00", tick=True):
            yield

    def _found(self) -> None:
        """A programme that has room for everything, and a rule for each item."""
        owner = self.world.college.institution
        category = {"code": "free", "title": "选修", "title_en": "Electives", "credits": "900"}
        self.world.programme = self.world.college.publish_programme(
            programme_document(
                owner,
                code=f"{owner.slug}-ANY",
                total="900",
                categories=[category],
                courses=[
                    {
                        "code": "C-1",
                        "title": "课程",
                        "title_en": "Course",
                        "credits": "1",
                        "category": "free",
                    }
                ],
            )
        )
        for number in range(ITEMS):
            self.items.append(self.world.x_certificate())
            self.worth.append(Decimal(0))
            self.versions.append(0)
            self.changed_on.append(date.min)
            self._publish(number, first=date(2020, 1, 1))

    def _publish(self, number: int, *, first: date) -> None:
        self.versions[number] += 1
        self.worth[number] = Decimal(self.random.randint(1, 12)) / 2
        self.changed_on[number] = first
        text = str(self.worth[number].normalize())
        self.world.publish(
            self.items[number],
            code=f"{self.world.college.slug}-M-{number}",
            version=self.versions[number],
            in_force={"from": first.isoformat()},
            programmes=[self.world.programme.code],
            sources={"outcome": {"item": [self.items[number].code]}},
            allocation={"to": [{"category": "free", "credits": text}]},
            constraints=None,
            procedure={"mode": "review", "notice_days": NOTICE[number], "appeal_days": 5},
        )

    # -- running ----------------------------------------------------------------------------
    def run(self, steps: int) -> None:
        """One run: two new learners, so many steps; then every decision is computed again."""
        with self.now():
            self.people = [Person(self.world.learner()) for _ in range(2)]
            for person in self.people:
                self.award(person)
        for number in range(steps):
            step = self.random.choices(list(STEPS), [weight for _, weight in STEPS.values()])[0]
            person = self.random.choice(self.people)
            with self.now():
                done = STEPS[step][0](self, person)
                if done is not False:
                    self.taken[step] = self.taken.get(step, 0) + 1
            try:
                with self.now():
                    self.compare()
            except AssertionError as error:
                raise AssertionError(
                    f"seed {self.seed}, step {number} ({step}): {error}"
                ) from error
        with self.now():
            self.replay_all()

    def compare(self) -> None:
        """The bank says what the book says."""
        for person in self.people:
            totals = records.totals(person.learner)
            found = (totals.available, totals.reserved, totals.used, totals.lapsed)
            wanted = tuple(
                person.credits(state) for state in ("available", "reserved", "used", "lapsed")
            )
            assert found == wanted, f"totals {found}, expected {wanted}"
            assert totals.converted == person.converted, (
                f"converted {totals.converted}, expected {person.converted}"
            )
            for asked in person.requests:
                asked.row.refresh_from_db()
                assert asked.row.is_open == asked.open, f"{asked.row.number} open"
                for given in asked.decided:
                    given.row.refresh_from_db()
                    assert given.row.state == given.state, (
                        f"{given.row.number} {given.row.state}, expected {given.state}"
                    )

    def replay_all(self) -> None:
        for person in self.people:
            for asked in person.requests:
                for given in asked.decided:
                    report = replay.verify(decisionfile.build(given.row), trust=None)
                    bad = [check for check in report.checks if check.state == "invalid"]
                    assert not bad, (given.row.number, bad)

    # -- steps ------------------------------------------------------------------------------
    def award(self, person: Person) -> None:
        item = self.random.randrange(ITEMS)
        until = self.day + timedelta(days=self.random.choice([3, 20, 4000]))
        leaf = self.world.record_certificate(
            person.learner, self.items[item], completed_on=START, valid_until=until
        )
        index = next(
            one.evidence.index for one in holdings.holdings_of(person.learner) if one.leaf == leaf
        )
        person.outcomes[leaf] = Outcome(leaf=leaf, index=index, item=item, valid_until=until)

    def request(self, person: Person) -> bool:
        if not person.outcomes:
            return False
        count = self.random.randint(1, min(3, len(person.outcomes)))
        leaves = self.random.sample(list(person.outcomes), count)
        fit = all(person.outcomes[leaf].state == "available" for leaf in leaves)
        row = self._file(person, leaves)
        assert (row is not None) is fit, [self._state(person, leaf) for leaf in leaves]
        if row is None:
            return False
        worth = {leaf: self.worth[person.outcomes[leaf].item] for leaf in leaves}
        person.requests.append(Asked(row=row, leaves=leaves, worth=worth))
        self._set(person, leaves, "reserved")
        return True

    def _file(self, person: Person, leaves: list[bytes]) -> Request | None:
        try:
            return self.world.request(person.learner, leaves)
        except RequestRefused:
            return None

    def withdraw(self, person: Person) -> bool:
        asked = self._pick(one for one in person.requests if one.open)
        if asked is None:
            return False
        requests.withdraw_request(request=asked.row, acting_user=self._user(person))
        asked.open = False
        self._let_go(person, asked.leaves)
        return True

    def decide(self, person: Person) -> bool:
        asked = self._pick(one for one in person.requests if one.open)
        if asked is None:
            return False
        verdicts, gives = self._verdicts(asked)
        before = asked.instead_of
        row = decisions.propose_decision(
            request=asked.row,
            verdicts=verdicts,
            acting_user=self.world.officer(0 if before is None else 1),
        )
        if before is not None and not any(gives.values()):
            before.state = "replaced"
        self._decided(person, asked, row, gives, held=asked.leaves, replaces=before)
        return True

    def _verdicts(self, asked: Asked) -> tuple[list[Verdict], dict[bytes, Decimal]]:
        """Draw a verdict for each line; what the book expects is that each outcome has one line."""
        case = cases.current(asked.row)
        verdicts, gives = [], dict.fromkeys(asked.leaves, Decimal(0))
        for position, line in enumerate(case.proposed):
            (leaf,) = line.leaves
            assert line.credits == asked.worth[leaf], (line.credits, asked.worth[leaf])
            verdict = self.random.choice(["credit", "credit", "part", "refused"])
            if verdict == "credit":
                verdicts.append(Verdict(position=position, verdict="credit"))
                gives[leaf] = line.credits
            elif verdict == "part":
                part = line.credits / 2
                verdicts.append(
                    Verdict(
                        position=position,
                        verdict="part",
                        credits=part,
                        reason="credits-lower-than-course",
                    )
                )
                gives[leaf] = part
            else:
                verdicts.append(
                    Verdict(position=position, verdict="refused", reason="content-differs")
                )
        return verdicts, gives

    def _decided(
        self,
        person: Person,
        asked: Asked,
        row: Decision,
        gives: dict[bytes, Decimal],
        *,
        held: list[bytes],
        replaces: Given | None,
    ) -> None:
        """Enter a decision in the book; `held` are the outcomes that the request has reserved."""
        used = [leaf for leaf, credits_ in gives.items() if credits_]
        notice = max(
            (NOTICE[person.outcomes[leaf].item] for leaf in self._proposed(row)), default=0
        )
        given = Given(
            row=row,
            gives=gives,
            whole=dict(asked.worth),
            state="refused",
            decided_on=self.day,
            replaces=replaces,
        )
        asked.open = False
        asked.decided.append(given)
        if used:
            given.state = "in-notice" if notice else "in-force"
            given.notice_until = workdays.after(self.day, notice) if notice else None
        self._let_go(person, [leaf for leaf in held if leaf not in used])
        if given.state == "in-force":
            self._enter(person, given)

    @staticmethod
    def _proposed(row: Decision) -> list[bytes]:
        return [leaf for line in row.lines.all() if line.target for leaf in line.leaf_hashes]

    def _enter(self, person: Person, given: Given) -> None:
        if given.replaces is not None:
            given.replaces.state = "replaced"
            self._set(
                person,
                [leaf for leaf in given.replaces.used if self._state(person, leaf) == "used"],
                "available",
            )
        self._set(person, given.used, "used")
        given.state = "in-force"

    def appeal(self, person: Person) -> bool:
        """Appeal against something that was given less than whole, and decide anew or not."""
        found = self._pick(
            (asked, given)
            for asked in person.requests
            for given in asked.decided
            if given.state in ("in-force", "refused")
            and not given.appealed
            and given.row.flagged_at is None
            and self.day <= given.decided_on + timedelta(days=5)
        )
        if found is None:
            return False
        asked, given = found
        # What rests on something that fell is reversed first.
        if any(self._state(person, leaf) == "lapsed" for leaf in given.used):
            return False
        appeal = appeals.file_appeal(
            decision=given.row, positions=[0], text="请复核", acting_user=self._user(person)
        )
        given.appealed = True
        again = [
            leaf
            for leaf in asked.leaves
            if leaf not in given.used and self._state(person, leaf) == "available"
        ]
        self._set(person, again, "reserved")
        # What was decided in an appeal can be appealed too: each time somebody else decides.
        other = self.world.officer(sum(one.appealed for one in asked.decided))
        answer = self.random.choice(["anew", "upheld", "withdrawn"])
        if answer == "anew":
            self._anew(person, asked, given, appeal, again, other)
            return True
        if answer == "upheld":
            appeals.uphold(appeal=appeal, text="维持", acting_user=other)
        else:
            appeals.withdraw_appeal(appeal=appeal, acting_user=self._user(person))
        self._let_go(person, again)
        return True

    def _anew(
        self,
        person: Person,
        asked: Asked,
        given: Given,
        appeal: Appeal,
        again: list[bytes],
        other: User,
    ) -> None:
        case = cases.current(asked.row)
        row = appeals.decide_anew(
            appeal=appeal,
            verdicts=[Verdict(position=at, verdict="credit") for at in range(len(case.proposed))],
            text="同意",
            acting_user=other,
        )
        can = {*given.used, *again}
        gives = {leaf: asked.worth[leaf] if leaf in can else Decimal(0) for leaf in asked.leaves}
        if not any(gives.values()) and given.state == "refused":
            given.state = "replaced"
        self._decided(person, asked, row, gives, held=again, replaces=given)

    def reverse(self, person: Person) -> bool:
        # What is used falls more often than the rest: there is more to go wrong.
        outcome = self._pick(
            one
            for one in person.outcomes.values()
            for _ in range(4 if one.state == "used" else 1)
            if one.state != "lapsed"
        )
        if outcome is None:
            return False
        ledger.reverse_entry(index=outcome.index, reason="登记有误")
        outcome.state = "lapsed"
        return True

    def confirm(self, person: Person) -> bool:
        """The college reverses what rests on something that fell; the rest is asked for anew."""
        cascade.follow()
        found = self._pick(
            (asked, given)
            for asked in person.requests
            for given in asked.decided
            if given.state == "in-force"
            and any(self._state(person, leaf) == "lapsed" for leaf in given.used)
        )
        if found is None:
            return False
        asked, given = found
        if self._under_way(asked, given):
            return False
        cascade.confirm_reversal(
            decision=given.row, reason="依据已失效", acting_user=self.world.officer(2)
        )
        given.state = "reversed"
        left = [leaf for leaf in given.used if self._state(person, leaf) == "used"]
        if left:
            row = Request.objects.filter(resubmits=asked.row).latest("filed_at")
            person.requests.append(
                Asked(row=row, leaves=left, worth={leaf: asked.worth[leaf] for leaf in left})
            )
            self._set(person, left, "reserved")
        return True

    @staticmethod
    def _under_way(asked: Asked, given: Given) -> bool:
        return any(one.state == "in-notice" and one.replaces is given for one in asked.decided)

    def new_version(self, _person: Person) -> bool:
        number = self.random.randrange(ITEMS)
        if self.changed_on[number] >= self.day:
            return False
        self._publish(number, first=self.day)
        # A law is a day's: what was filed this morning and is not decided falls under it too.
        for person in self.people:
            for asked in person.requests:
                if asked.open and asked.row.filed_on == self.day:
                    for leaf in asked.worth:
                        if person.outcomes[leaf].item == number:
                            asked.worth[leaf] = self.worth[number]
        return True

    def next_day(self, _person: Person) -> None:
        self.day += timedelta(days=self.random.randint(1, 3))
        with self.now():
            ledger.expire_credits(on=self.day)
            decisions.enter_due()
            cascade.follow()
            outbox.run_due()
        for person in self.people:
            for outcome in person.outcomes.values():
                if outcome.state == "available" and outcome.valid_until < self.day:
                    outcome.state = "lapsed"
            for asked in person.requests:
                for given in asked.decided:
                    due = given.notice_until is not None and given.notice_until < self.day
                    if given.state == "in-notice" and due:
                        self._due(person, asked, given)

    def _due(self, person: Person, asked: Asked, given: Given) -> None:
        fallen = any(self._state(person, leaf) == "lapsed" for leaf in given.used)
        if not fallen:
            self._enter(person, given)
            return
        given.state = "void"
        if given.replaces is None or given.replaces.state != "in-force":
            asked.open = True
            asked.instead_of = given.replaces
        else:
            given.replaces.appealed = True

    # -- the book ---------------------------------------------------------------------------
    def _pick(self, found: Iterator[Any]) -> Any:
        every = list(found)
        return self.random.choice(every) if every else None

    @staticmethod
    def _user(person: Person) -> Any:
        return person.learner.user

    @staticmethod
    def _state(person: Person, leaf: bytes) -> State:
        return person.outcomes[leaf].state

    @staticmethod
    def _set(person: Person, leaves: list[bytes], state: State) -> None:
        for leaf in leaves:
            person.outcomes[leaf].state = state

    def _let_go(self, person: Person, leaves: list[bytes]) -> None:
        for leaf in leaves:
            if person.outcomes[leaf].state == "reserved":
                person.outcomes[leaf].state = "available"


STEPS: dict[str, tuple[Callable[[Machine, Person], Any], int]] = {
    "award": (Machine.award, 5),
    "request": (Machine.request, 7),
    "withdraw": (Machine.withdraw, 1),
    "decide": (Machine.decide, 6),
    "appeal": (Machine.appeal, 3),
    "reverse": (Machine.reverse, 2),
    "confirm": (Machine.confirm, 4),
    "new version": (Machine.new_version, 1),
    "next day": (Machine.next_day, 3),
}
