"""An outcome that a decision uses stays an achievement; what was recognised for it is no line."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from certificates import operations, queries, trustlist
from certificates.report import Report
from certificates.verify import verify_file
from creditbank.clock import today
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from creditbank.trust import parse_status, parse_trust
from tests.certificates.holders import Holder, make_holder
from tests.ledger.cast import make_college, published
from tests.ledger.recognising import recognise


@pytest.fixture
def holder(bank: Any) -> Holder:
    return make_holder()


def verified(file: bytes) -> Report:
    trust = parse_trust(trustlist.build_trust_list())
    status = parse_status(trustlist.build_status(), trust)
    return verify_file(file, trust=trust, status=status, at=today())


def test_used_outcomes_are_certified_as_used_and_verify(holder: Holder) -> None:
    first, second, third = holder.indexes()
    published(recognise(make_college(courses=1), holder.learner.account_id, first, second))
    made = holder.issue()
    for file in (queries.pdf(made), queries.json(made)):
        report = verified(file)
        assert report.code == "V-OK", report.findings
        assert report.data is not None
        assert [(line.index, line.state) for line in report.data.lines] == [
            (first, "used"),
            (second, "used"),
            (third, "entered"),
        ]
        totals = report.data.totals
        assert (totals.credits, totals.used, totals.available) == (
            Decimal(9),
            Decimal(6),
            Decimal(3),
        )


def test_what_was_recognised_cannot_be_chosen_as_a_line(holder: Holder) -> None:
    first, *_ = holder.indexes()
    entered = published(recognise(make_college(courses=1), holder.learner.account_id, first))
    with pytest.raises(operations.UnknownLines):
        holder.request(indexes=[entered.first_index])


def test_a_recognition_that_is_reversed_later_leaves_the_transcript_good(holder: Holder) -> None:
    first, *_ = holder.indexes()
    entered = published(recognise(make_college(courses=1), holder.learner.account_id, first))
    made = holder.issue()
    published(ledger.reverse_recognition(index=entered.first_index, reason="撤销"))
    assert verified(queries.json(made)).code == "V-OK"
    again = holder.issue()
    report = verified(queries.json(again))
    assert report.data is not None
    assert {line.state for line in report.data.lines} == {"entered"}


def test_a_used_outcome_that_falls_is_revoked_on_the_transcript(holder: Holder) -> None:
    first, *_ = holder.indexes()
    published(recognise(make_college(courses=1), holder.learner.account_id, first))
    made = holder.issue()
    published(ledger.reverse_entry(index=first, reason="误录"))
    assert verified(queries.json(made)).code == "V-REVOKED"
    assert entries.balance([holder.learner.account_id]).used == 0
