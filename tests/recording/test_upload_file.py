"""Files handed in: checked by a worker, told truthfully, submitted as one draft."""

from __future__ import annotations

import io
from typing import Any

import pytest
from openpyxl import load_workbook

from creditbank import access
from creditbank.institutions import operations as institutions
from creditbank.institutions.kinds import Role
from creditbank.jobs import outbox
from creditbank.jobs.models import JobState
from creditbank.ledger import operations as ledger
from creditbank.recording import (
    checks,
    errors,
    files,
    operations,
    queries,
    retention,
    uploads,
    worksheets,
)
from creditbank.recording.labels import labels
from creditbank.recording.models import DraftState, Upload, UploadState
from learners import operations as learners
from tests.institutions.cast import make_member
from tests.recording.cast import HEADERS, School, line, make_school, somebody, text_table, workbook


@pytest.fixture
def school(bank: object) -> School:
    return make_school()


def hand_in(school: School, data: bytes, **changes: Any) -> Upload:
    facts: dict[str, Any] = {
        "institution": school.institution,
        "stream": school.stream,
        "name": "成绩.xlsx",
        "data": data,
        "acting_user": school.clerk,
    } | changes
    return uploads.start_upload(**facts)


def checked(school: School, data: bytes) -> Upload:
    upload = hand_in(school, data)
    outbox.run_due()
    upload.refresh_from_db()
    return upload


def test_a_file_is_checked_by_a_worker_and_nothing_is_entered(school: School) -> None:
    held, code = somebody(), school.items[0].code
    school.record(school.row(document=held))
    size = ledger.head_size()
    upload = checked(
        school,
        workbook(
            [
                line(somebody(), code),
                line(held, code),
                line(held, code),
                line(held, school.items[1].code),
                line(somebody(), "NO-SUCH", completed_on="去年"),
            ]
        ),
    )
    assert upload.state == UploadState.CHECKED
    assert (upload.total, upload.new, upload.held, upload.unchanged, upload.refused) == (
        5,
        2,
        0,
        1,
        2,
    )
    report = queries.report_of(upload)
    assert report is not None
    assert [(one.row, one.code) for one in report.problems] == [
        (4, "duplicate-in-file"),
        (6, "date-unreadable"),
        (6, "unknown-item"),
    ]
    assert set(report.originals) == {4, 6}
    assert ledger.head_size() == size
    assert upload.job is not None
    upload.job.refresh_from_db()
    assert (upload.job.state, upload.job.done, upload.job.total) == (JobState.SUCCEEDED, 5, 5)


def test_the_good_rows_become_one_draft_and_a_second_click_changes_nothing(
    school: School,
) -> None:
    code = school.items[0].code
    upload = checked(school, workbook([line(somebody(), code) for _ in range(4)]))
    draft = uploads.submit_upload(upload=upload, acting_user=school.clerk)
    assert (draft.rows, draft.state) == (4, DraftState.SUBMITTED)
    assert uploads.submit_upload(upload=upload, acting_user=school.clerk) == draft
    receipt = operations.approve_draft(draft=draft, acting_user=school.reviewer)
    assert receipt.count == 4
    again = checked(school, workbook([line(somebody(), code)]))
    assert again.new == 1


def test_the_same_file_handed_in_again_enters_nothing_and_is_recognised(school: School) -> None:
    data = workbook([line(somebody(), school.items[0].code) for _ in range(3)])
    first = checked(school, data)
    draft = uploads.submit_upload(upload=first, acting_user=school.clerk)
    operations.approve_draft(draft=draft, acting_user=school.reviewer)
    second = checked(school, data)
    assert (second.new, second.unchanged) == (0, 3)
    assert queries.same_file_before(second) == first
    assert queries.same_file_before(first) is None
    with pytest.raises(errors.NothingNew):
        uploads.submit_upload(upload=second, acting_user=school.clerk)


def test_a_file_that_cannot_be_read_says_why(school: School) -> None:
    upload = checked(school, b"%PDF-1.7\n")
    assert (upload.state, upload.error_code) == (UploadState.REFUSED, "file-wrong-type")
    assert upload.error_facts == {"found": "PDF"}
    assert upload.content == b""
    assert upload.job is not None
    assert upload.job.state == JobState.FAILED
    with pytest.raises(errors.UploadNotChecked):
        uploads.submit_upload(upload=upload, acting_user=school.clerk)


def test_an_empty_or_oversized_file_is_not_even_kept(school: School) -> None:
    for data, code in ((b" \r\n", "file-no-rows"), (b"x" * ((10 << 20) + 1), "file-too-large")):
        with pytest.raises(files.FileRefused) as refused:
            hand_in(school, data)
        assert refused.value.code == code
    assert not Upload.objects.exists()


def test_a_check_that_breaks_off_ends_in_a_state_with_a_number_and_can_be_tried_again(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = hand_in(school, workbook([line(somebody(), school.items[0].code)]))

    def break_off(*_args: object, **_facts: object) -> checks.Checked:
        raise RuntimeError("the machine is on fire")

    with monkeypatch.context() as patched:
        patched.setattr(uploads, "check_rows", break_off)
        outbox.run_due()
    upload.refresh_from_db()
    assert (upload.state, upload.error_code) == (UploadState.FAILED, "check-failed")
    assert len(upload.error_facts["incident"]) == 8
    uploads.check_again(upload=upload, acting_user=school.clerk)
    outbox.run_due()
    upload.refresh_from_db()
    assert (upload.state, upload.new) == (UploadState.CHECKED, 1)


def test_a_check_that_runs_twice_is_made_once(school: School) -> None:
    upload = checked(school, workbook([line(somebody(), school.items[0].code)]))
    report = bytes(upload.report)
    uploads.check_upload(upload.pk)
    upload.refresh_from_db()
    assert bytes(upload.report) == report


def test_the_register_may_have_moved_on_between_check_and_submission(school: School) -> None:
    document = somebody()
    upload = checked(school, workbook([line(document, school.items[0].code)]))
    school.record(school.row(document=document, score="91"))
    with pytest.raises(errors.RowsRefused):
        uploads.submit_upload(upload=upload, acting_user=school.clerk)
    upload.refresh_from_db()
    assert upload.draft is None


def test_only_a_clerk_of_the_institution_hands_files_in(school: School) -> None:
    data = workbook([line(somebody(), school.items[0].code)])
    viewer = make_member(school.institution, Role.VIEWER, serial=55)
    with pytest.raises(access.Forbidden):
        hand_in(school, data, acting_user=viewer.user)
    own = institutions.add_stream(
        institution=school.institution,
        name=f"{school.slug}.example/own",
        mode="own",
        acting_user=None,
    )
    with pytest.raises(access.OwnKeyStream):
        hand_in(school, data, stream=own)


def test_neither_the_file_nor_its_name_nor_the_report_can_be_read_from_the_database(
    school: School, superuser_url: str
) -> None:
    import psycopg

    document = somebody()
    data = text_table([line(document, "NO-SUCH"), line(somebody(), school.items[0].code)])
    upload = hand_in(school, data, name="上官示例的成绩.csv")
    for step in ("handed in", "checked"):
        if step == "checked":
            outbox.run_due()
        with psycopg.connect(superuser_url) as connection:
            for table in ("recording_upload", "jobs_job", "jobs_outbox"):
                rows = connection.execute(f"SELECT t::text FROM {table} t").fetchall()
                for secret in (document.number, "上官示例", "张示例"):
                    assert secret not in str(rows)
                    assert secret.encode().hex() not in str(rows)
    upload.refresh_from_db()
    assert queries.file_name(upload) == "上官示例的成绩.csv"


# -- the rows to correct ----------------------------------------------------------------------
def test_the_rows_to_correct_come_back_with_reasons_and_can_be_handed_in_again(
    school: School,
) -> None:
    documents = [somebody() for _ in range(3)]
    code = school.items[0].code
    rows = [
        line(documents[0], code),
        line(documents[1], code, completed_on="去年", score="2000"),
        line(documents[2], "=HYPERLINK(1)", name="@SUM(1)"),
    ]
    upload = checked(school, text_table(rows, (*HEADERS[:6], "备注")))
    report = queries.report_of(upload)
    assert report is not None
    book = load_workbook(io.BytesIO(worksheets.refused_rows(report, labels())))
    sheet = book.worksheets[0]
    lines = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert lines[0] == [*HEADERS[:6], "备注", "错误原因"]
    assert [one[0] for one in lines[1:]] == [documents[1].number, documents[2].number]
    assert "完成日期：日期无法读取。" in str(lines[1][7])
    assert "分数须在 0 至 1000 之间" in str(lines[1][7])
    assert {cell.number_format for row in sheet.iter_rows() for cell in row} == {"@"}
    wrong = {cell.coordinate for row in sheet.iter_rows() for cell in row if cell.fill.fill_type}
    assert wrong == {"D2", "E2", "B3", "C3"}
    # Corrected in the very file that came back, and handed in as it is.
    sheet["D2"], sheet["E2"] = "2026.6.17", "95"
    sheet["B3"], sheet["C3"] = "张示例", code
    buffer = io.BytesIO()
    book.save(buffer)
    second = checked(school, buffer.getvalue())
    assert (second.new, second.refused) == (2, 0)


def test_a_text_that_looks_like_a_formula_stays_a_text(school: School) -> None:
    upload = checked(
        school, text_table([line(somebody(), "=cmd|' /C calc'!A0", grade="+1+1", term="@x")])
    )
    report = queries.report_of(upload)
    assert report is not None
    data = worksheets.refused_rows(report, labels())
    sheet = load_workbook(io.BytesIO(data)).worksheets[0]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}
    assert all(cell.quotePrefix for row in sheet.iter_rows() for cell in row)
    import zipfile

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_the_template_can_be_filled_in_and_handed_in(school: School) -> None:
    data = worksheets.template(
        ["document_type", "number", "name", "item", "completed_on", "score"],
        [(item.code, item.title) for item in school.items],
    )
    book = load_workbook(io.BytesIO(data))
    sheet = book.worksheets[0]
    assert sheet.column_dimensions["B"].number_format == "@"
    document = somebody()
    sheet.append(["居民身份证", document.number, "张示例", school.items[0].code, "2026/6/17", 90])
    buffer = io.BytesIO()
    book.save(buffer)
    assert checked(school, buffer.getvalue()).new == 1


# -- time and forgetting ----------------------------------------------------------------------
def test_reports_go_after_thirty_days_and_counts_stay(school: School) -> None:
    from creditbank.clock import now

    upload = checked(school, text_table([line(somebody(), "NO-SUCH")]))
    assert retention.purge() == 0
    assert retention.purge(now() + retention.REPORTS_KEPT) == 1
    upload.refresh_from_db()
    assert (upload.report, upload.refused, upload.state) == (b"", 1, UploadState.CHECKED)
    assert queries.report_of(upload) is None


def test_a_person_is_taken_out_of_reports_before_being_forgotten(school: School) -> None:
    document = somebody()
    learner = learners.register_learner(document=document, name="张示例")
    spaced = document.number[:6] + " " + document.number[6:].lower()
    upload = checked(
        school,
        text_table(
            [
                line(document, school.items[0].code),
                ["", "张示例", "NO-SUCH", "2026-06-17", "", "", spaced],
                line(somebody(), "NO-SUCH"),
            ]
        ),
    )
    assert retention.forget_in_drafts(learner) == 1
    upload.refresh_from_db()
    report = queries.report_of(upload)
    assert report is not None
    assert (report.rows, set(report.originals)) == ((), {4})
    assert {one.row for one in report.problems} == {4}
