"""Any order of awards, decisions and reversals leaves the ledger as a simple book would have it.

The book below knows nothing of entries: only which awards stand, and which decision
uses which. After every step the ledger's own sums and states are compared with it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from creditbank.ledger import log, operations, queries, recognitions
from creditbank.ledger.audit import audit
from tests.ledger.cast import College, make_college, published
from tests.ledger.recognising import consumed, new_decision, recognised

STEPS = 60


@dataclass
class Decision:
    """A decision of the book: what it uses, and whether it stands."""

    index: int
    college: College
    uses: set[int]
    credits: Decimal
    stands: bool = True


@dataclass
class Book:
    """What a clerk would write down of one learner."""

    account: int
    awards: dict[int, bool] = field(default_factory=dict)
    """By index: whether it stands."""
    decisions: dict[str, Decision] = field(default_factory=dict)

    @property
    def used(self) -> dict[int, str]:
        return {
            award: number
            for number, decision in self.decisions.items()
            if decision.stands
            for award in decision.uses
        }

    def compare(self) -> None:
        """Compare the ledger with the book."""
        used = self.used
        balance = queries.balance([self.account])
        standing = sum(self.awards.values())
        assert balance.awarded == 3 * len(self.awards)
        assert balance.lapsed == 3 * (len(self.awards) - standing)
        assert balance.used == 3 * len(used)
        assert balance.available == 3 * (standing - len(used))
        assert balance.converted == sum(
            (one.credits for one in self.decisions.values() if one.stands), Decimal(0)
        )
        for line in queries.statement([self.account]):
            if line.recognised is not None:
                decision = self.decisions[line.recognised.decision]
                assert (line.state == "entered") is decision.stands
            else:
                assert line.used_by == used.get(line.index, "")
                expected = "used" if line.index in used else "entered"
                assert line.state == (expected if self.awards[line.index] else "reversed")


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_steps_is_as_the_book_has_it(bank: object, seed: int) -> None:
    chance = random.Random(seed)
    awarding = make_college(courses=4)
    colleges = [make_college(courses=1) for _ in range(3)]
    book = Book(account=operations.open_account())
    generations = dict.fromkeys(range(4), 0)
    holding: dict[int, int] = {}
    """By course: the award that stands."""

    def award() -> None:
        course = chance.randrange(4)
        said = awarding.award(
            book.account,
            item_row=awarding.items[course],
            generation=generations[course] + 1,
        )
        if course in holding:
            with pytest.raises(log.ActsOnInvalid):
                awarding.record(said)
            return
        index = awarding.record(said).first_index
        generations[course] += 1
        holding[course] = index
        book.awards[index] = True

    def decide(replacing: str = "") -> None:
        college = book.decisions[replacing].college if replacing else chance.choice(colleges)
        pool = sorted(holding.values()) if chance.random() < 0.8 else sorted(book.awards)
        wanted = chance.sample(pool, min(len(pool), chance.randint(1, 3)))
        if not wanted:
            return
        number, given = new_decision(), Decimal(chance.randint(0, 800)) / 100
        free_after = {index for index, number in book.used.items() if number != replacing}
        possible = all(book.awards[index] and index not in free_after for index in wanted)
        before = (
            recognitions.recognition(book.decisions[replacing].index).undoing(reason="r")
            if replacing
            else []
        )

        def enter() -> log.Receipt:
            return operations.recognise(
                stream=college.hosted,
                recognised=recognised(college, book.account, number, credits=given),
                consumed=[consumed(index, number) for index in wanted],
                replacing=before,
                idempotency_key=number,
                institution_id=college.institution.pk,
            )

        if not possible:
            with pytest.raises(log.ActsOnInvalid):
                enter()
            return
        receipt = enter()
        if replacing:
            book.decisions[replacing].stands = False
        book.decisions[number] = Decision(
            index=receipt.index_of(len(before)), college=college, uses=set(wanted), credits=given
        )

    def standing() -> list[str]:
        return [number for number, one in book.decisions.items() if one.stands]

    def replace_decision() -> None:
        if standing():
            decide(replacing=chance.choice(standing()))

    def reverse_decision() -> None:
        if standing():
            decision = book.decisions[chance.choice(standing())]
            operations.reverse_recognition(index=decision.index, reason="r")
            decision.stands = False

    def reverse_award() -> None:
        if holding:
            course = chance.choice(sorted(holding))
            index = holding.pop(course)
            operations.reverse_entry(index=index, reason="r")
            book.awards[index] = False
            for decision in book.decisions.values():
                if decision.stands:
                    decision.uses.discard(index)

    steps = [award, award, decide, decide, replace_decision, reverse_decision, reverse_award]
    for _ in range(STEPS):
        chance.choice(steps)()
        book.compare()
    published(awarding.record(awarding.award(operations.open_account())))
    assert len(book.decisions) > 3
    assert audit().findings == []
