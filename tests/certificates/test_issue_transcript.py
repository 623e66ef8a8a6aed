"""Requesting and issuing a transcript: register, then sign; every step safe to repeat."""

from __future__ import annotations

import json
from typing import Any

import pytest

from certificates import documents, operations, queries, trustlist
from certificates.models import Transcript
from certificates.verify import verify_file
from creditbank.clock import today
from creditbank.jobs import outbox
from creditbank.jobs.models import Job, Outbox
from creditbank.ledger import events
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from creditbank.ledger.audit import audit
from creditbank.trust import parse_status, parse_trust
from tests.certificates.holders import Holder, make_holder
from tests.institutions.cast import make_user
from tests.learners.people import register
from tests.ledger.cast import published


@pytest.fixture
def holder(bank: Any) -> Holder:
    return make_holder()


def test_a_transcript_is_registered_before_it_is_signed_and_verifies_offline(
    holder: Holder,
) -> None:
    user = make_user()
    made = holder.request(acting_user=user)
    assert made.state == "requested"
    assert Job.objects.get(pk=made.job_id).owner == user.pk
    outbox.run_due()
    made.refresh_from_db()
    assert made.state == "issued"
    job = Job.objects.get(pk=made.job_id)
    assert (job.state, job.done, job.total) == ("succeeded", 5, 5)
    assert job.result == {"transcript": str(made.pk)}

    view = entries.entry(made.register_index or 0)
    core = json.loads(view.opening().split(b"\t")[0])
    assert core["number"] == made.number
    document = queries.document(made)
    assert documents.digest(document) == bytes(made.digest or b"")

    trust = parse_trust(trustlist.build_trust_list())
    status = parse_status(trustlist.build_status(), trust)
    for file in (queries.pdf(made), queries.json(made)):
        report = verify_file(file, trust=trust, status=status, at=today())
        assert report.code == "V-OK", report.findings
        assert report.index == made.register_index
        assert report.data is not None
        assert report.data.holder_name == "金明·示例"
        assert len(report.data.lines) == 3
    assert audit().findings == []


def test_each_line_names_its_entry_and_the_institution(holder: Holder) -> None:
    made = holder.issue()
    trust = parse_trust(trustlist.build_trust_list())
    report = verify_file(queries.json(made), trust=trust, status=None, at=today())
    assert report.data is not None
    assert [line.index for line in report.data.lines] == holder.indexes()
    assert {line.institution_name for line in report.data.lines} == {
        holder.college.institution.name
    }
    assert report.data.issued_on == today()


def test_a_request_while_one_is_at_work_returns_that_one(holder: Holder) -> None:
    first = holder.request()
    assert holder.request() == first
    assert Outbox.objects.filter(handler=operations.ISSUE).count() == 1
    outbox.run_due()
    assert holder.request() != first


def test_only_the_chosen_entries_are_certified(holder: Holder) -> None:
    chosen = holder.indexes()[1:2]
    made = holder.issue(indexes=chosen)
    trust = parse_trust(trustlist.build_trust_list())
    report = verify_file(queries.json(made), trust=trust, status=None, at=today())
    assert report.data is not None
    assert [line.index for line in report.data.lines] == chosen


def test_an_entry_that_is_not_ones_own_cannot_be_chosen(holder: Holder) -> None:
    other = make_holder(college=holder.college)
    with pytest.raises(operations.UnknownLines) as refused:
        holder.request(indexes=other.indexes()[:1])
    assert refused.value.facts["indexes"] == other.indexes()[:1]
    assert Transcript.objects.count() == 0


def test_an_account_without_outcomes_gets_no_transcript(holder: Holder) -> None:
    nobody = register()
    with pytest.raises(operations.NothingToCertify):
        operations.request_transcript(learner=nobody, acting_user=None)


def test_reversed_entries_are_left_out(holder: Holder) -> None:
    gone = holder.indexes()[0]
    published(ledger.reverse_entry(index=gone, reason="误录"))
    made = holder.issue()
    trust = parse_trust(trustlist.build_trust_list())
    report = verify_file(queries.json(made), trust=trust, status=None, at=today())
    assert report.data is not None
    assert gone not in [line.index for line in report.data.lines]
    assert len(report.data.lines) == 2


@pytest.mark.parametrize("step", ["_register", "_sign", "_print"])
def test_a_crash_before_a_step_changes_nothing_that_was_done(
    holder: Holder, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The worker dies as the step begins; what runs later goes on from the row."""
    made = holder.request()

    def die(self: Any, *args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(operations._Issue, step, die)
        with pytest.raises(KeyboardInterrupt):
            operations.issue_transcript(made.pk)
    made.refresh_from_db()
    digest, size = bytes(made.digest or b""), ledger.head_size()
    registered = made.register_index
    operations.issue_transcript(made.pk)
    made.refresh_from_db()
    assert made.state == "issued"
    assert bytes(made.digest or b"") == digest
    assert documents.digest(queries.document(made)) == digest
    if registered is not None:
        assert made.register_index == registered
        assert ledger.head_size() == size


def test_issuing_again_changes_no_byte(holder: Holder) -> None:
    made = holder.issue()
    before = (queries.pdf(made), queries.json(made), ledger.head_size())
    operations.issue_transcript(made.pk)
    made.refresh_from_db()
    assert (queries.pdf(made), queries.json(made), ledger.head_size()) == before


def test_while_the_signer_is_away_the_job_waits_and_then_goes_on(holder: Holder, bank: Any) -> None:
    made = holder.request()
    bank.stop()
    outbox.run_due()
    made.refresh_from_db()
    assert made.state == "requested"
    assert Job.objects.get(pk=made.job_id).state == "running"
    row = Outbox.objects.get(handler=operations.ISSUE)
    assert (row.state, row.tries) == ("waiting", 1)
    bank.start()
    operations.issue_transcript(made.pk)
    made.refresh_from_db()
    assert made.state == "issued"


def test_a_name_that_cannot_be_printed_is_refused_before_anything_is_registered(
    holder: Holder,
) -> None:
    unprintable = make_holder(college=holder.college, name="示例\U0003134a")
    size = ledger.head_size()
    made = unprintable.request()
    outbox.run_due()
    made.refresh_from_db()
    assert made.state == "failed"
    assert Job.objects.get(pk=made.job_id).error_code == "glyph-missing"
    assert ledger.head_size() == size


def test_what_was_interrupted_is_put_back_to_work(holder: Holder) -> None:
    made = holder.request()
    Outbox.objects.filter(handler=operations.ISSUE).update(state="parked")
    assert operations.resume_transcripts() == 0
    Transcript.objects.filter(pk=made.pk).update(
        requested_at=made.requested_at - operations.STUCK_AFTER * 2
    )
    assert operations.resume_transcripts() == 1
    assert operations.resume_transcripts() == 0
    outbox.run_due()
    made.refresh_from_db()
    assert made.state == "issued"


def test_what_could_not_be_issued_in_a_day_is_given_up(holder: Holder) -> None:
    made = holder.request()
    Outbox.objects.filter(handler=operations.ISSUE).update(state="parked")
    Transcript.objects.filter(pk=made.pk).update(
        requested_at=made.requested_at - operations.GIVEN_UP_AFTER * 2
    )
    assert operations.resume_transcripts() == 0
    made.refresh_from_db()
    assert made.state == "failed"
    assert Job.objects.get(pk=made.job_id).error_code == "gave-up"


def test_nothing_personal_stands_in_clear_in_the_row(holder: Holder) -> None:
    made = holder.issue()
    row = Transcript.objects.filter(pk=made.pk).values_list().get()
    text = b" ".join(
        bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()
        for value in row
    )
    token, code = queries.verify_token(made), queries.printed_code(made).replace("-", "")
    for personal in ("金明", "新能源", token, code):
        assert personal.encode() not in text
    assert str(made.account_id).encode() in text
    assert events.published().revocation_of == {}
