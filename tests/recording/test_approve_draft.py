"""Drafts and four eyes: what one person prepared, another decides, once."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction

from creditbank import access
from creditbank.institutions import operations as institutions
from creditbank.institutions.kinds import Role
from creditbank.jobs import outbox
from creditbank.jobs.models import JobState, Outbox
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from creditbank.ledger.audit import audit
from creditbank.recording import errors, limits, operations, queries, retention, sealing, uploads
from creditbank.recording.models import Draft, DraftState
from creditbank.sealing import SealBroken
from learners import operations as learners
from learners import queries as people
from tests.conftest import SignerProcess
from tests.institutions.cast import make_member
from tests.recording.cast import DAY, HEADERS, School, line, make_school, somebody, text_table


@pytest.fixture
def school(bank: object) -> School:
    return make_school()


def account_of(document: Any) -> int:
    learner = people.by_identity(document)
    assert learner is not None
    return int(learner.account_id)


# -- the whole way ----------------------------------------------------------------------------
def test_what_is_approved_stands_published_in_the_ledger_of_a_waiting_person(
    school: School,
) -> None:
    document = somebody()
    draft = school.submit(school.row(document=document, grade="良好", hours="48.0"))
    receipt = operations.approve_draft(draft=draft, acting_user=school.reviewer)
    learner = people.by_identity(document)
    assert learner is not None
    assert learner.is_waiting
    (line,) = entries.statement([learner.account_id])
    assert line.index == receipt.first_index
    assert line.recorded_at is not None
    assert line.credits == Decimal("3.00")
    assert line.outcome is not None
    assert line.outcome.completed_on == DAY
    assert (line.result.grade, line.result.score, line.result.hours) == ("良好", "86", "48")
    assert line.prepared_by == school.clerk_member.pseudonym
    assert line.approved_by == school.reviewer_member.pseudonym
    assert audit().findings == []


def test_an_approved_draft_keeps_its_receipt_and_lets_its_rows_go(school: School) -> None:
    draft = school.submit(*school.rows(3))
    receipt = operations.approve_draft(draft=draft, acting_user=school.reviewer)
    draft.refresh_from_db()
    assert draft.state == DraftState.APPROVED
    assert (draft.first_seq, draft.manifest_index, draft.count) == (
        receipt.first_seq,
        receipt.manifest_index,
        3,
    )
    assert draft.payload == b""
    assert queries.rows_of(draft) == []
    assert draft.decided_by == school.reviewer


def test_a_draft_tells_nobody_who_reads_the_database_whom_it_names(
    school: School, superuser_url: str
) -> None:
    import psycopg

    document = somebody()
    school.submit(school.row(document=document, name="上官示例"))
    with psycopg.connect(superuser_url) as connection:
        text = str(connection.execute("SELECT d::text FROM recording_draft d").fetchall())
    held = bytes(Draft.objects.get().payload)
    for secret in (document.number, document.number[6:14], "上官示例"):
        assert secret not in text
        assert secret.encode() not in held


def test_a_payload_moved_to_another_draft_does_not_open(school: School) -> None:
    first, second = school.prepare(), school.prepare()
    with pytest.raises(SealBroken):
        sealing.unseal("draft", second.pk, bytes(first.payload))


def test_rows_that_the_bank_holds_are_left_out_of_a_draft(school: School) -> None:
    document = somebody()
    receipt = school.record(school.row(document=document))
    draft = school.prepare(school.row(2, document=document), school.row(3))
    assert draft.rows == 1
    with pytest.raises(errors.NothingNew) as refused:
        school.prepare(school.row(document=document))
    assert refused.value.facts["indexes"] == [receipt.first_index]


def test_a_draft_with_a_bad_row_is_not_kept(school: School) -> None:
    with pytest.raises(errors.RowsRefused) as refused:
        school.prepare(school.row(2), school.row(3, item="NO-SUCH"), school.row(4, number="1"))
    assert [found.row for found in refused.value.problems] == [3, 4]
    assert not Draft.objects.exists()


def test_a_draft_without_rows_or_with_too_many_is_refused(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(errors.NoRows):
        operations.prepare_draft(
            institution=school.institution, stream=school.stream, rows=[], acting_user=school.clerk
        )
    monkeypatch.setattr(limits, "ROWS_MAX", 2)
    with pytest.raises(errors.TooManyRows):
        school.prepare(*school.rows(3))


# -- who may ----------------------------------------------------------------------------------
def test_nobody_approves_what_they_prepared(school: School) -> None:
    member = make_member(school.institution, Role.ADMIN, serial=77)
    draft = operations.prepare_draft(
        institution=school.institution,
        stream=school.stream,
        rows=[school.row()],
        acting_user=member.user,
    )
    operations.submit_draft(draft=draft, acting_user=member.user)
    for decide in (
        lambda: operations.approve_draft(draft=draft, acting_user=member.user),
        lambda: operations.refuse_draft(draft=draft, reason="r", acting_user=member.user),
        lambda: operations.request_approval(draft=draft, acting_user=member.user),
    ):
        with pytest.raises(access.SamePerson):
            decide()
    draft.refresh_from_db()
    assert draft.state == DraftState.SUBMITTED


def test_two_users_of_one_person_are_one_pair_of_eyes(school: School) -> None:
    second = make_member(school.institution, Role.REVIEWER)
    second.user.person_digest = school.clerk.person_digest
    second.user.save()
    draft = school.submit()
    with pytest.raises(access.SamePerson):
        operations.approve_draft(draft=draft, acting_user=second.user)


def test_a_reviewer_whose_document_nobody_saw_does_not_count(school: School) -> None:
    unseen = make_member(school.institution, Role.REVIEWER)
    with pytest.raises(access.PersonUnknown):
        operations.approve_draft(draft=school.submit(), acting_user=unseen.user)


def test_a_clerk_does_not_approve_and_a_viewer_does_not_prepare(school: School) -> None:
    other_clerk = make_member(school.institution, Role.CLERK, serial=78)
    with pytest.raises(access.Forbidden):
        operations.approve_draft(draft=school.submit(), acting_user=other_clerk.user)
    viewer = make_member(school.institution, Role.VIEWER, serial=79)
    with pytest.raises(access.Forbidden):
        school.prepare(acting_user=viewer.user)


def test_another_institutions_people_have_no_say(school: School) -> None:
    stranger = make_school()
    draft = school.submit()
    with pytest.raises(access.Forbidden):
        operations.approve_draft(draft=draft, acting_user=stranger.reviewer)
    with pytest.raises(access.NotFound):
        school.prepare(stream=stranger.stream)
    institutions.end_member(member=school.reviewer_member, acting_user=None)
    with pytest.raises(access.Forbidden):
        operations.approve_draft(draft=draft, acting_user=school.reviewer)


def test_a_reviewer_does_not_approve_credits_of_their_own(school: School) -> None:
    document = somebody()
    reviewer = make_member(school.institution, Role.REVIEWER)
    reviewer.user.person_digest = sealing_digest(document)
    reviewer.user.save()
    draft = school.submit(school.row(2, document=document), school.row(3))
    with pytest.raises(errors.RowsRefused) as refused:
        operations.approve_draft(draft=draft, acting_user=reviewer.user)
    assert [(one.row, one.code) for one in refused.value.problems] == [(2, "own-award")]
    draft.refresh_from_db()
    assert (draft.state, draft.decided_by) == (DraftState.SUBMITTED, None)


def sealing_digest(document: Any) -> bytes:
    from learners.sealing import identity_digest

    return identity_digest(document)


def test_an_institution_with_a_key_of_its_own_has_no_drafts(school: School) -> None:
    own = institutions.add_stream(
        institution=school.institution,
        name=f"{school.slug}.example/own",
        mode="own",
        acting_user=None,
    )
    with pytest.raises(access.OwnKeyStream) as refused:
        school.prepare(stream=own)
    assert "签名报送" in str(refused.value)


def test_a_suspended_institution_neither_prepares_nor_records(school: School) -> None:
    draft = school.submit()
    institutions.suspend_institution(institution=school.institution, acting_user=None)
    with pytest.raises(access.InstitutionSuspended):
        school.prepare()
    with pytest.raises(errors.RowsRefused):
        operations.approve_draft(draft=draft, acting_user=school.reviewer)
    assert queries.receipt_of(draft) is None


# -- once -------------------------------------------------------------------------------------
def test_an_approval_sent_again_returns_the_first_receipt(school: School) -> None:
    draft = school.submit()
    first = operations.approve_draft(draft=draft, acting_user=school.reviewer)
    size = ledger.head_size()
    assert operations.approve_draft(draft=draft, acting_user=school.reviewer) == first
    assert ledger.head_size() == size


def test_of_many_approvals_at_once_one_is_recorded(school: School) -> None:
    draft = school.submit(*school.rows(5))
    receipts, others = [], []

    def approve() -> None:
        try:
            receipts.append(operations.approve_draft(draft=draft, acting_user=school.reviewer))
        except errors.DraftBeingRecorded as error:
            others.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=approve) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receipts) + len(others) == 6
    assert len(set(receipts)) == 1
    assert receipts[0].count == 5
    draft.refresh_from_db()
    assert draft.count == 5
    assert queries.receipts(school.institution).count() == 1


def test_a_crash_after_the_recording_is_finished_by_whoever_comes_next(school: School) -> None:
    draft = school.submit(*school.rows(2))
    receipt = operations.approve_draft(draft=draft, acting_user=school.reviewer)
    # As if the process had died before it wrote the receipt down.
    again = school.submit()
    Draft.objects.filter(pk=draft.pk).update(
        first_seq=None, manifest_index=None, count=None, payload=bytes(again.payload)
    )
    operations.finish_draft(draft.pk)
    draft.refresh_from_db()
    assert draft.manifest_index == receipt.manifest_index
    assert queries.receipts(school.institution).count() == 1


def test_a_crash_after_the_decision_is_made_good_by_the_outbox(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = school.submit()

    def die(*_args: object, **_facts: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ledger, "record_statements", die)
        with pytest.raises(KeyboardInterrupt):
            operations.approve_draft(draft=draft, acting_user=school.reviewer)
    draft.refresh_from_db()
    assert (draft.state, draft.is_recorded) == (DraftState.APPROVED, False)
    assert outbox.run_due() == 0
    Outbox.objects.update(due_at=draft.created_at)
    assert outbox.run_due() == 1
    draft.refresh_from_db()
    assert draft.is_recorded


def test_a_draft_that_the_register_no_longer_accepts_is_open_again(school: School) -> None:
    document = somebody()
    draft = school.submit(school.row(2, document=document), school.row(3))
    school.record(school.row(document=document, score="91"))
    with pytest.raises(errors.RowsRefused) as refused:
        operations.approve_draft(draft=draft, acting_user=school.reviewer)
    assert [(one.row, one.code) for one in refused.value.problems] == [(2, "already-held")]
    draft.refresh_from_db()
    assert (draft.state, draft.decided_at) == (DraftState.SUBMITTED, None)
    assert len(queries.rows_of(draft)) == 2


def test_what_was_recorded_elsewhere_meanwhile_is_not_entered_twice(school: School) -> None:
    document = somebody()
    row = school.row(2, document=document)
    one, other = school.submit(row), school.submit(row)
    operations.approve_draft(draft=one, acting_user=school.reviewer)
    with pytest.raises(errors.NothingNew):
        operations.approve_draft(draft=other, acting_user=school.reviewer)
    assert entries.balance([account_of(document)]).available == Decimal("3.00")


# -- refusing and withdrawing -----------------------------------------------------------------
def test_a_refused_draft_says_why_and_can_be_corrected(school: School) -> None:
    draft = school.submit()
    with pytest.raises(errors.ReasonMissing):
        operations.refuse_draft(draft=draft, reason=" \n ", acting_user=school.reviewer)
    operations.refuse_draft(draft=draft, reason="成绩单缺盖章", acting_user=school.reviewer)
    draft.refresh_from_db()
    assert (draft.state, draft.refused_reason) == (DraftState.REFUSED, "成绩单缺盖章")
    assert list(queries.returned_to(school.institution, school.clerk)) == [draft]
    assert len(queries.rows_of(draft)) == 1
    with pytest.raises(errors.DraftNotOpen):
        operations.approve_draft(draft=draft, acting_user=school.reviewer)


def test_a_withdrawn_draft_is_empty_and_cannot_come_back(school: School) -> None:
    draft = school.submit()
    other = make_member(school.institution, Role.CLERK, serial=80)
    with pytest.raises(access.Forbidden):
        operations.withdraw_draft(draft=draft, acting_user=other.user)
    operations.withdraw_draft(draft=draft, acting_user=school.clerk)
    operations.withdraw_draft(draft=draft, acting_user=school.clerk)
    draft.refresh_from_db()
    assert (draft.state, draft.payload) == (DraftState.WITHDRAWN, b"")
    with pytest.raises(errors.DraftNotOpen):
        operations.approve_draft(draft=draft, acting_user=school.reviewer)
    with pytest.raises(errors.DraftNotOpen):
        operations.submit_draft(draft=draft, acting_user=school.clerk)


def test_a_draft_that_was_not_submitted_is_not_approved(school: School) -> None:
    with pytest.raises(errors.DraftNotOpen):
        operations.approve_draft(draft=school.prepare(), acting_user=school.reviewer)


# -- in the background ------------------------------------------------------------------------
def test_a_large_draft_is_recorded_by_a_worker_with_progress(school: School) -> None:
    draft = school.submit(*school.rows(30))
    job = operations.request_approval(draft=draft, acting_user=school.reviewer)
    assert operations.request_approval(draft=draft, acting_user=school.reviewer) == job
    outbox.run_due()
    job.refresh_from_db()
    draft.refresh_from_db()
    assert (job.state, job.done, job.total) == (JobState.SUCCEEDED, 30, 30)
    assert job.result == {"manifest_index": draft.manifest_index, "count": 30}


def test_a_recording_that_the_signer_was_away_for_is_taken_up_again(
    school: School, bank: SignerProcess
) -> None:
    draft = school.submit(*school.rows(3))
    bank.stop()
    job = operations.request_approval(draft=draft, acting_user=school.reviewer)
    outbox.run_due()
    job.refresh_from_db()
    draft.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.FAILED, "interrupted")
    assert (draft.state, draft.is_recorded) == (DraftState.APPROVED, False)
    bank.start()
    again = operations.request_approval(draft=draft, acting_user=school.reviewer)
    assert again != job
    outbox.run_due()
    draft.refresh_from_db()
    assert draft.is_recorded
    assert queries.receipts(school.institution).count() == 1
    # Nothing is left to do for whoever clicks once more.
    last = operations.request_approval(draft=draft, acting_user=school.reviewer)
    assert last == again


def test_a_draft_recorded_at_once_needs_no_worker_afterwards(school: School) -> None:
    draft = school.submit()
    receipt = operations.approve_draft(draft=draft, acting_user=school.reviewer)
    job = operations.request_approval(draft=draft, acting_user=school.reviewer)
    job.refresh_from_db()
    assert job.state == JobState.SUCCEEDED
    assert job.result["manifest_index"] == receipt.manifest_index


def test_a_job_whose_draft_is_refused_ends_with_the_rows_and_no_names(school: School) -> None:
    document = somebody()
    draft = school.submit(school.row(7, document=document))
    school.record(school.row(document=document, score="91"))
    job = operations.request_approval(draft=draft, acting_user=school.reviewer)
    outbox.run_due()
    job.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.FAILED, "rows-refused")
    assert job.result == {"problems": [["already-held", 7, "score"]], "count": 1}


# -- retaken courses --------------------------------------------------------------------------
def test_a_better_retake_takes_the_place_of_the_earlier_attempt(school: School) -> None:
    document = somebody()
    first = school.record(
        school.row(document=document, score="71", completed_on="2025-06-20", term="2024-2025-2")
    )
    again = school.row(document=document, score="88", completed_on="2026-06-17", term="2025-2026-2")
    receipt = school.record(again)
    assert (receipt.count, receipt.manifest_index) == (2, first.size)
    account = account_of(document)
    better, earlier = entries.statement([account])
    assert (better.state, better.result.score) == ("entered", "88")
    assert better.reference.u.endswith("/2")
    assert (earlier.state, earlier.acted_by_index) == ("reversed", receipt.first_index)
    assert entries.balance([account]).available == Decimal("3.00")
    with pytest.raises(errors.NothingNew):
        school.prepare(again)
    with pytest.raises(errors.NothingNew):
        school.prepare(
            school.row(document=document, score="71", completed_on="2025-06-20", term="2024-2025-2")
        )
    assert audit().findings == []


def test_a_retake_that_is_not_better_is_entered_without_credits(school: School) -> None:
    document = somebody()
    school.record(school.row(document=document, score="88", completed_on="2025-06-20"))
    again = school.row(document=document, score="71", completed_on="2026-06-17", term="2025-2026-2")
    receipt = school.record(again)
    assert receipt.count == 1
    account = account_of(document)
    worse, standing = entries.statement([account])
    assert (worse.credits, worse.result.score) == (Decimal("0.00"), "71")
    assert worse.reference.occurrence == "2025-2026-2"
    assert (standing.state, standing.result.score) == ("entered", "88")
    assert entries.balance([account]).available == Decimal("3.00")
    with pytest.raises(errors.NothingNew):
        school.prepare(again)
    assert audit().findings == []


def test_a_retake_says_its_term_and_a_comparable_result(school: School) -> None:
    document = somebody()
    school.record(school.row(document=document, score="88", completed_on="2025-06-20"))
    cases: list[tuple[dict[str, Any], str]] = [
        ({"score": "90"}, "term-missing"),
        ({"score": None, "grade": "良好", "term": "T2"}, "retake-not-comparable"),
        ({"score": "90", "completed_on": "2025-06-20", "term": "T2"}, "already-held"),
        ({"score": "88", "term": "T2"}, "already-held"),
    ]
    for changes, code in cases:
        with pytest.raises(errors.RowsRefused) as refused:
            school.prepare(school.row(document=document, **changes))
        assert [one.code for one in refused.value.problems] == [code]


# -- what the database refuses itself ---------------------------------------------------------
@pytest.mark.parametrize(
    "changes",
    [
        {"state": "lost"},
        {"rows": 0},
        {"manifest_index": 3},
        {"state": "approved"},
        {"state": "refused"},
        {"payload": b""},
        {"refused_reason": "r"},
        {"decided_as": "A" * 16},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_the_database_refuses_a_draft_that_cannot_be(
    school: School, changes: dict[str, Any]
) -> None:
    draft = school.submit()
    with pytest.raises(IntegrityError), transaction.atomic():
        Draft.objects.filter(pk=draft.pk).update(**changes)


def test_the_database_refuses_a_decision_by_the_author(school: School) -> None:
    draft = school.submit()
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Draft.objects.filter(pk=draft.pk).update(
            state="approved",
            decided_by=school.clerk,
            decided_as=draft.prepared_as,
            decided_at=draft.created_at,
        )
    assert "draft_decided_by_another" in str(refused.value)


# -- time and forgetting ----------------------------------------------------------------------
def test_what_names_people_goes_after_its_time(school: School) -> None:
    from creditbank.clock import now

    stale, refused = school.submit(), school.submit()
    operations.refuse_draft(draft=refused, reason="r", acting_user=school.reviewer)
    assert retention.purge() == 0
    assert retention.purge(now() + retention.REFUSED_KEPT) == 1
    refused.refresh_from_db()
    assert (refused.payload, refused.state) == (b"", DraftState.REFUSED)
    assert retention.purge(now() + retention.OPEN_KEPT) == 1
    stale.refresh_from_db()
    assert (stale.payload, stale.state) == (b"", DraftState.WITHDRAWN)
    assert queries.returned_to(school.institution, school.clerk).count() == 0


def test_a_person_is_taken_out_of_drafts_before_being_forgotten(school: School) -> None:
    document = somebody()
    learner = learners.register_learner(document=document, name="张示例")
    alone = school.submit(school.row(document=document))
    shared = school.submit(school.row(2, document=document), school.row(3))
    other = school.submit()
    assert retention.forget_in_drafts(learner) == 2
    assert retention.forget_in_drafts(learner) == 0
    learners.forget_learner(learner)
    for draft in (alone, shared, other):
        draft.refresh_from_db()
    assert (alone.state, alone.payload) == (DraftState.WITHDRAWN, b"")
    assert [row.number for row in queries.rows_of(shared)] == [3]
    assert (shared.rows, other.rows) == (1, 1)
    operations.approve_draft(draft=shared, acting_user=school.reviewer)


def test_a_decided_draft_loses_a_forgotten_persons_rows_before_it_is_recorded(
    school: School,
) -> None:
    document = somebody()
    learner = learners.register_learner(document=document, name="张示例")
    alone = school.submit(school.row(document=document))
    shared = school.submit(school.row(2, document=document), school.row(3))
    for draft in (alone, shared):
        operations.request_approval(draft=draft, acting_user=school.reviewer)
    learners.forget_learner(learner)
    outbox.run_due()
    for draft in (alone, shared):
        draft.refresh_from_db()
    assert (alone.state, alone.payload, alone.is_recorded) == (DraftState.WITHDRAWN, b"", False)
    assert (shared.is_recorded, shared.count) == (True, 1)
    assert people.by_identity(document) is None


def test_a_row_with_the_name_and_a_mistyped_number_goes_and_a_namesake_stays(
    school: School,
) -> None:
    document = somebody()
    learner = learners.register_learner(document=document, name="张示例")
    mistyped = document.number[:-1] + ("1" if document.number[-1] != "1" else "2")
    lines = [
        ["", "张 示例", "NO-SUCH", "2026-06-17", mistyped],
        line(somebody(), "NO-SUCH")[:5],
    ]
    upload = uploads.start_upload(
        institution=school.institution,
        stream=school.stream,
        name="张示例.csv",
        data=text_table(lines, [*HEADERS[:4], "备注"]),
        acting_user=school.clerk,
    )
    outbox.run_due()
    learners.forget_learner(learner)
    upload.refresh_from_db()
    report = queries.report_of(upload)
    assert report is not None
    assert set(report.originals) == {3}
    assert queries.file_name(upload) == retention.TAKEN_OUT


def test_the_day_of_completion_is_the_day_that_was_written(school: School) -> None:
    for written in ("2025年6月3日", "2025.6.3", "2025/6/3"):
        document = somebody()
        school.record(school.row(document=document, completed_on=written))
        (line,) = entries.statement([account_of(document)])
        assert line.outcome is not None
        assert line.outcome.completed_on == date(2025, 6, 3)
