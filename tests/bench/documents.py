"""Transcripts: issued, proved and signed as a PDF, once registered; verified."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date

from certificates import operations, queries, trustlist
from certificates.models import TranscriptState
from certificates.verify import verify_file
from creditbank.jobs import outbox
from creditbank.ledger import queries as ledger
from learners.models import Learner
from tests.bench.recording import Province
from tests.bench.rig import ROUNDS, Rig, Table, spread
from tests.institutions.cast import approve, propose
from tests.learners.people import register, resident
from tests.ledger.cast import published


def transcripts(rig: Rig, table: Table, province: Province) -> None:
    """A transcript of 10 and of 60 lines: the whole request, and the part after registration."""
    items = [approve(propose(province.college.institution)) for _ in range(60)]
    for count, goal in ((10, "≤ 150 ms once registered"), (60, "")):
        learner = register(document=resident(), name="李龑")
        awards = [
            province.college.award(learner.account_id, item_row=item) for item in items[:count]
        ]
        published(province.college.record(*awards))
        whole, after, checked = _measure(learner)
        table.add(f"transcript of {count} lines, request to PDF", spread(whole, " ms"))
        table.add(f"of that, once registered ({count} lines)", spread(after, " ms"), goal=goal)
        table.add(f"verifying the PDF of {count} lines offline", spread(checked, " ms"))


def _measure(learner: Learner) -> tuple[list[float], list[float], list[float]]:
    whole: list[float] = []
    after: list[float] = []
    checked: list[float] = []
    for number in range(ROUNDS + 1):
        requested = operations.request_transcript(learner=learner, acting_user=None)
        marks: dict[str, float] = {}
        issue = operations._Issue(requested)
        issue._sign = _timed(issue._sign, marks)  # type: ignore[method-assign]
        began = time.perf_counter()
        issue.run()
        ended = time.perf_counter()
        requested.refresh_from_db()
        assert requested.state == TranscriptState.ISSUED
        if number:
            whole.append((ended - began) * 1e3)
            after.append((ended - marks["registered"]) * 1e3)
            checked.append(_verified(queries.pdf(requested)))
    outbox.run_due()
    return whole, after, checked


def _timed(step: Callable[..., object], marks: dict[str, float]) -> Callable[..., object]:
    def timed(*args: object) -> object:
        marks["registered"] = time.perf_counter()
        return step(*args)

    return timed


def _verified(pdf: bytes) -> float:
    size = trustlist.published_size()
    trust, status = trustlist.live_trust(size), trustlist.status(size)
    began = time.perf_counter()
    report = verify_file(pdf, trust=trust, status=status, at=date(2026, 12, 31))
    took = (time.perf_counter() - began) * 1e3
    assert report.code.startswith("V-OK"), report.code
    assert ledger.log_state().published_size >= size
    return took
