"""What can be done with files: hand in, check, submit what is good."""

from __future__ import annotations

import logging
import secrets
import uuid
from typing import Final

from django.db import transaction
from django.utils.translation import gettext

from creditbank.clock import today
from creditbank.institutions.kinds import Role
from creditbank.institutions.models import Institution, Stream
from creditbank.jobs import outbox, progress
from creditbank.jobs.models import Job
from creditbank.recording import (
    files,
    limits,
    operations,
    payloads,
    queries,
    roles,
    sealing,
)
from creditbank.recording.checks import check_rows
from creditbank.recording.errors import NoRows, NothingNew, UploadNotChecked
from creditbank.recording.models import Draft, Upload, UploadState
from creditbank.recording.payloads import Report
from creditbank.users.models import User

logger = logging.getLogger(__name__)

CHECK: Final = "recording.check"
NAME_MAX: Final = 120


def start_upload(
    *, institution: Institution, stream: Stream, name: str, data: bytes, acting_user: User
) -> Upload:
    """Take a file in; a worker reads and checks it. Nothing is entered.

    Raises Forbidden, OwnKeyStream, InstitutionSuspended, and FileRefused when
    it is empty or too large to be kept.
    """
    roles.acting_member(institution, acting_user, Role.CLERK)
    roles.require_hosted(institution, stream)
    if not data.strip():
        raise files.refused("file-no-rows")
    if len(data) > limits.FILE_BYTES_MAX:
        raise files.refused("file-too-large", found=len(data), expected=limits.FILE_BYTES_MAX)
    pk = uuid.uuid4()
    with transaction.atomic():
        upload = Upload.objects.create(
            pk=pk,
            institution=institution,
            stream=stream,
            uploaded_by=acting_user,
            digest=sealing.content_digest(data),
            name_sealed=sealing.seal("name", pk, name[-NAME_MAX:].encode()),
            content=sealing.seal("content", pk, data),
            job=progress.create("recording.check", total=0, owner=acting_user.pk),
        )
        outbox.enqueue_on_commit(CHECK, str(pk))
    logger.info("upload %s of %s bytes for %s", pk, len(data), institution.slug)
    return upload


def check_upload(pk: uuid.UUID) -> None:
    """Read and check a file; the outbox calls it, perhaps twice.

    Whatever happens ends in a state that the page shows: checked, refused with
    the reason, or failed with a number under which the log has the details.
    """
    upload = queries.upload_by_id(pk)
    if upload is None or upload.state != UploadState.CHECKING:
        return
    try:
        _check(upload)
    except files.FileRefused as error:
        _end(
            upload,
            UploadState.REFUSED,
            error.code,
            {name: str(value)[:200] for name, value in error.facts.items()},
        )
    except Exception:
        incident = secrets.token_hex(4)
        logger.exception("upload %s could not be checked, incident %s", pk, incident)
        _end(upload, UploadState.FAILED, "check-failed", {"incident": incident})


def _end(upload: Upload, state: UploadState, code: str, facts: dict[str, str]) -> None:
    upload.state = state
    upload.error_code = code
    upload.error_facts = facts
    if state == UploadState.REFUSED:
        upload.content = b""
    upload.save(update_fields=["state", "error_code", "error_facts", "content"])
    if upload.job is not None:
        progress.fail(upload.job.pk, code, **facts)


def _check(upload: Upload) -> None:
    assert upload.job is not None
    job = upload.job.pk
    progress.step(job, text="read")
    data = sealing.unseal("content", upload.pk, bytes(upload.content))
    table = files.read_table(data)
    Job.objects.filter(pk=job).update(total=len(table.rows))
    progress.step(job, text="check")
    checked = check_rows(
        upload.institution,
        table.rows,
        today(),
        stream=upload.stream.name,
        acting=[upload.uploaded_by],
        progress=lambda done: progress.step(job, done=done),
    )
    bad = checked.refused_rows
    report = Report(
        headers=table.headers,
        rows=tuple(one.row.raw() for one in checked.accepted),
        unchanged=tuple((one.row.number, one.index) for one in checked.unchanged),
        problems=checked.problems,
        originals={number: table.originals[number] for number in bad},
        ignored=table.ignored,
        sheet=table.sheet,
        encoding=table.encoding,
    )
    upload.report = sealing.seal("report", upload.pk, payloads.encode_report(report))
    upload.content = b""
    upload.state = UploadState.CHECKED
    upload.total = len(table.rows)
    upload.new = len(checked.new)
    upload.held = len(checked.held)
    upload.unchanged = len(checked.unchanged)
    upload.refused = len(bad)
    upload.save(
        update_fields=[
            "report",
            "content",
            "state",
            "total",
            "new",
            "held",
            "unchanged",
            "refused",
        ]
    )
    progress.succeed(
        job, new=upload.new, held=upload.held, unchanged=upload.unchanged, refused=upload.refused
    )


def check_again(*, upload: Upload, acting_user: User) -> Upload:
    """Check a file anew whose check did not come to an end. Done twice, once."""
    roles.acting_member(upload.institution, acting_user, Role.CLERK)
    with transaction.atomic():
        held = Upload.objects.select_for_update().get(pk=upload.pk)
        if held.state == UploadState.FAILED:
            held.state = UploadState.CHECKING
            held.error_code = ""
            held.error_facts = {}
            held.job = progress.create("recording.check", total=0, owner=acting_user.pk)
            held.save(update_fields=["state", "error_code", "error_facts", "job"])
            outbox.enqueue_on_commit(CHECK, str(held.pk))
    return held


def submit_upload(*, upload: Upload, acting_user: User) -> Draft:
    """Hand the good rows of a checked file to the reviewers, as one draft.

    Done twice, the draft of the first time is returned. Raises UploadNotChecked,
    NoRows when no row can be entered, RowsRefused when the register has moved on
    since the check, and all that `prepare_draft` raises.
    """
    held = queries.upload(upload.institution, upload.pk)
    if held.draft is not None:
        return operations.submit_draft(draft=held.draft, acting_user=acting_user)
    report = queries.report_of(held)
    if report is None:
        raise UploadNotChecked(gettext("这个文件还没有检查完，或检查结果已清除。"))
    if not report.rows:
        if report.unchanged:
            raise NothingNew(
                gettext("这些成果学分银行都已有，没有新的可存入。"),
                indexes=[index for _, index in report.unchanged],
            )
        raise NoRows(gettext("没有可存入的行。"))
    with transaction.atomic():
        # The row is locked, so that two clicks make one draft.
        locked = Upload.objects.select_for_update().get(pk=held.pk)
        if locked.draft_id is None:
            locked.draft = operations.prepare_draft(
                institution=held.institution,
                stream=held.stream,
                rows=report.rows,
                acting_user=acting_user,
            )
            locked.save(update_fields=["draft"])
        assert locked.draft is not None
        return operations.submit_draft(draft=locked.draft, acting_user=acting_user)
