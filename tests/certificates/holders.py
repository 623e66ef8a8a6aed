"""A learner with credits, and transcripts issued to that learner, for the tests of certificates."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from certificates import operations, queries
from certificates.models import Transcript
from creditbank.jobs import outbox
from creditbank.ledger import queries as ledger
from learners.models import Learner
from tests.learners.people import register, resident
from tests.ledger.cast import College, make_college, published

_serial = itertools.count(500)


@dataclass
class Holder:
    """A learner and the college that recorded for them."""

    learner: Learner
    college: College

    def indexes(self) -> list[int]:
        """The log indexes of the learner's entries in force, oldest first."""
        lines = ledger.statement([self.learner.account_id])
        return [line.index for line in reversed(lines) if line.state == "entered"]

    def request(self, **changes: Any) -> Transcript:
        facts: dict[str, Any] = {"learner": self.learner, "acting_user": None} | changes
        return operations.request_transcript(**facts)

    def issue(self, **changes: Any) -> Transcript:
        """Request a transcript and let the outbox issue it."""
        made = self.request(**changes)
        outbox.run_due()
        made.refresh_from_db()
        assert made.state == "issued", made.job and made.job.error_code
        return made


def make_holder(*, lines: int = 3, college: College | None = None, **person: Any) -> Holder:
    """A learner with that many courses recorded and published."""
    recorded_by = college or make_college(courses=lines)
    facts: dict[str, Any] = {"document": resident(next(_serial)), "name": "金明·示例"} | person
    learner = register(**facts)
    published(
        recorded_by.record(
            *(
                recorded_by.award(learner.account_id, item_row=item)
                for item in recorded_by.items[:lines]
            )
        )
    )
    return Holder(learner=learner, college=recorded_by)


def code_of(transcript: Transcript) -> str:
    return queries.printed_code(transcript)


def token_of(transcript: Transcript) -> str:
    return queries.verify_token(transcript)
