"""What can be done with drafts: prepare, submit, approve, refuse, withdraw.

An approval is a decision first, then a recording. The decision is a row; if the
process dies in between, the outbox records the draft a minute later, and the
draft's id is the idempotency key, so that it is recorded once whoever does it.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext

from creditbank import access
from creditbank.clock import now, today
from creditbank.errors import DomainError, Problem
from creditbank.institutions.kinds import Role
from creditbank.institutions.models import Institution, Stream
from creditbank.jobs import outbox, progress
from creditbank.jobs.models import Job, Outbox
from creditbank.ledger import guard, log, problemwords
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from creditbank.ledger.log import Receipt
from creditbank.recording import limits, payloads, people, queries, roles, sealing, statements
from creditbank.recording.checks import Checked, Progress, check_rows
from creditbank.recording.corrections import reverse_record
from creditbank.recording.errors import (
    DraftBeingRecorded,
    DraftNotOpen,
    NoRows,
    NothingNew,
    ReasonMissing,
    RowsRefused,
    TooManyRows,
)
from creditbank.recording.models import Draft, DraftState
from creditbank.recording.problems import problem
from creditbank.recording.resolving import resolve_identities
from creditbank.recording.rows import RawRow
from creditbank.users.models import User

__all__ = [
    "approve_draft",
    "finish_draft",
    "prepare_draft",
    "refuse_draft",
    "request_approval",
    "resolve_identities",
    "reverse_record",
    "submit_draft",
    "withdraw_draft",
]

logger = logging.getLogger(__name__)

RECORD: Final = "recording.record"
REASON_MAX: Final = 300
FINISH_AFTER: Final = timedelta(seconds=60)
PUBLISH_SECONDS: Final = 30.0
PROBLEMS_TOLD: Final = 100


# -- preparing --------------------------------------------------------------------------------
def prepare_draft(
    *,
    institution: Institution,
    stream: Stream,
    rows: Sequence[RawRow],
    acting_user: User,
    checked: Checked | None = None,
) -> Draft:
    """Keep rows that a clerk prepared, sealed, for another person to decide on.

    Rows that the bank already holds are left out. `checked` spares a second
    check to a caller who has just made one of the same rows. Raises RowsRefused
    with every problem of every row, NothingNew, NoRows, TooManyRows, Forbidden,
    OwnKeyStream, InstitutionSuspended; then nothing is kept.
    """
    member = roles.acting_member(institution, acting_user, Role.CLERK)
    roles.require_hosted(institution, stream)
    if not rows:
        raise NoRows(gettext("没有可存入的行。"))
    if len(rows) > limits.ROWS_MAX:
        raise TooManyRows(found=len(rows), expected=limits.ROWS_MAX)
    if checked is None:
        checked = check_rows(institution, rows, today(), stream=stream.name, acting=[acting_user])
    if checked.problems:
        raise RowsRefused(checked.problems)
    if not checked.accepted:
        raise NothingNew(
            gettext("这些成果学分银行都已有，没有新的可存入。"),
            indexes=[one.index for one in checked.unchanged],
        )
    pk = uuid.uuid4()
    payload = payloads.encode_rows(accepted.row.raw() for accepted in checked.accepted)
    draft = Draft.objects.create(
        pk=pk,
        institution=institution,
        stream=stream,
        payload=sealing.seal("draft", pk, payload),
        rows=len(checked.accepted),
        prepared_by=acting_user,
        prepared_as=member.pseudonym,
    )
    logger.info("draft %s of %s rows prepared by %s", pk, draft.rows, member.pseudonym)
    return draft


def submit_draft(*, draft: Draft, acting_user: User) -> Draft:
    """Hand a draft to the reviewers. Done twice, nothing changes. Raises DraftNotOpen, Forbidden."""
    roles.acting_member(draft.institution, acting_user, Role.CLERK)
    with transaction.atomic():
        held = _locked(draft)
        if held.state == DraftState.DRAFT:
            held.state = DraftState.SUBMITTED
            held.submitted_at = now()
            held.save(update_fields=["state", "submitted_at"])
        elif held.state != DraftState.SUBMITTED:
            raise _not_open(held)
    return held


def withdraw_draft(*, draft: Draft, acting_user: User) -> Draft:
    """Take a draft back before it is decided; its rows are gone. Done twice, nothing changes.

    By whoever prepared it, or an administrator. Raises Forbidden, DraftNotOpen.
    """
    member = roles.acting_member(draft.institution, acting_user, Role.CLERK)
    if not access.same_person(draft.prepared_by, acting_user) and not member.may(Role.ADMIN):
        raise access.Forbidden(gettext("只有经办人本人或管理员可以撤回。"))
    with transaction.atomic():
        held = _locked(draft)
        if held.is_open:
            _empty(held)
        elif held.state != DraftState.WITHDRAWN:
            raise _not_open(held)
    logger.info("draft %s withdrawn by %s", draft.pk, member.pseudonym)
    return held


def _empty(draft: Draft) -> None:
    draft.state = DraftState.WITHDRAWN
    draft.payload = b""
    draft.save(update_fields=["state", "payload"])


# -- deciding ---------------------------------------------------------------------------------
def refuse_draft(*, draft: Draft, reason: str, acting_user: User) -> Draft:
    """Send a draft back with a reason (退回). Done twice, nothing changes.

    Raises ReasonMissing, Forbidden, SamePerson, PersonUnknown, DraftNotOpen.
    """
    member = _reviewer(draft, acting_user)
    text = " ".join(reason.split())[:REASON_MAX]
    if not text:
        raise ReasonMissing(gettext("请写明退回的原因。"))
    with transaction.atomic():
        held = _locked(draft)
        if held.state == DraftState.SUBMITTED:
            held.state = DraftState.REFUSED
            held.refused_reason = text
            _decided(held, acting_user, member)
        elif held.state != DraftState.REFUSED:
            raise _not_open(held)
    logger.info("draft %s refused by %s", draft.pk, member)
    return held


def approve_draft(*, draft: Draft, acting_user: User) -> Receipt:
    """Approve what another person prepared, record it, and wait until it is published.

    Safe to repeat: an approval sent again, or finished after a crash, returns
    the receipt of the first. The rows are checked again, since the register may
    have moved on; when they no longer hold, the draft is open again and
    RowsRefused or NothingNew is raised. Raises Forbidden, SamePerson,
    PersonUnknown, DraftNotOpen; NotYetPublished when the rows are recorded but
    no checkpoint covers them in time.
    """
    held = _decide(draft, acting_user, background=False)
    receipt = _record(held)
    entries.wait_until_published(receipt.size, timeout=PUBLISH_SECONDS)
    return receipt


def request_approval(*, draft: Draft, acting_user: User) -> Job:
    """Approve a large draft and let a worker record it; return the job that shows how far it is.

    Raises what `approve_draft` raises of the decision; LedgerReadOnly.
    """
    held = _decide(draft, acting_user, background=True)
    if held.job is None:
        # Recorded before, without a worker: there is nothing left to wait for.
        job = progress.create(RECORD, total=held.rows, owner=acting_user.pk)
        progress.succeed(job.pk, manifest_index=held.manifest_index, count=held.count)
        return job
    return held.job


def _decide(draft: Draft, acting_user: User, *, background: bool) -> Draft:
    member = _reviewer(draft, acting_user)
    # Before anything is decided: an approval that cannot be recorded would only wait.
    guard.refuse_unguarded()
    with transaction.atomic():
        held = _locked(draft)
        if held.state == DraftState.SUBMITTED:
            held.state = DraftState.APPROVED
            held.job = _job(held, acting_user) if background else None
            _decided(held, acting_user, member)
            _make_sure(held, at_once=background)
        elif held.state != DraftState.APPROVED:
            raise _not_open(held)
        elif background and not held.is_recorded and not (held.job and held.job.at_work):
            held.job = _job(held, acting_user)
            held.save(update_fields=["job"])
            _make_sure(held, at_once=True)
    logger.info("draft %s approved by %s", draft.pk, member)
    return held


def _job(draft: Draft, user: User) -> Job:
    return progress.create(RECORD, total=draft.rows, owner=user.pk)


def _make_sure(draft: Draft, *, at_once: bool) -> None:
    """Let the outbox record the draft: now, or in a minute if this process does not."""
    if at_once:
        outbox.enqueue_on_commit(RECORD, str(draft.pk))
    else:
        at = now()
        Outbox.objects.create(
            handler=RECORD, ids=[str(draft.pk)], due_at=at + FINISH_AFTER, created_at=at
        )


def _reviewer(draft: Draft, user: User) -> str:
    """Return the pseudonym of a reviewer who is another person than the author."""
    member = roles.acting_member(draft.institution, user, Role.REVIEWER)
    access.require_other_person(draft.prepared_by, user)
    return member.pseudonym


def _decided(draft: Draft, user: User, pseudonym: str) -> None:
    draft.decided_by = user
    draft.decided_as = pseudonym
    draft.decided_at = now()
    draft.save(
        update_fields=["state", "refused_reason", "decided_by", "decided_as", "decided_at", "job"]
    )


def _locked(draft: Draft) -> Draft:
    return (
        Draft.objects.select_for_update(of=("self",))
        .select_related("institution", "stream", "prepared_by", "decided_by", "job")
        .get(pk=draft.pk)
    )


def _not_open(draft: Draft) -> DraftNotOpen:
    return DraftNotOpen(gettext("这份草稿已处理，不能再更改。"), state=str(draft.state))


# -- recording --------------------------------------------------------------------------------
def finish_draft(pk: uuid.UUID) -> None:
    """Record an approved draft that is not recorded yet; the outbox calls it, perhaps twice.

    What the register refuses opens the draft again and ends its job; what passes
    by itself (the signer away) is raised, and tried again later.
    """
    draft = queries.draft_by_id(pk)
    if draft is None or draft.state != DraftState.APPROVED or draft.is_recorded:
        return
    job = draft.job
    if job is not None:
        progress.step(job.pk, text="check")
    try:
        receipt = _record(draft, lambda done: _step(job, done))
    except (RowsRefused, NothingNew) as error:
        if job is not None:
            told = error.problems if isinstance(error, RowsRefused) else ()
            progress.fail(
                job.pk,
                error.code,
                problems=[[one.code, one.row, one.field] for one in told[:PROBLEMS_TOLD]],
                count=len(told),
            )
        return
    except Exception:
        # Tried again while the outbox has patience; until then the page says the truth.
        if job is not None:
            progress.fail(job.pk, "interrupted")
        raise
    if job is not None:
        progress.succeed(job.pk, manifest_index=receipt.manifest_index, count=receipt.count)


def _step(job: Job | None, done: int) -> None:
    if job is not None:
        progress.step(job.pk, done=done)


def _record(draft: Draft, tell: Progress | None = None) -> Receipt:
    """Record an approved draft, once whoever asks; keep the receipt and let the rows go."""
    with alone(draft):
        held = queries.draft_by_id(draft.pk)
        if held is None or held.state != DraftState.APPROVED:
            raise _not_open(held or draft)
        receipt = queries.receipt_of(held)
        if receipt is None:
            receipt = _enter(held, tell)
        held.first_seq = receipt.first_seq
        held.manifest_index = receipt.manifest_index
        held.count = receipt.count
        held.payload = b""
        held.save(update_fields=["first_seq", "manifest_index", "count", "payload"])
    logger.info("draft %s recorded at %s", draft.pk, receipt.manifest_index)
    return receipt


@contextmanager
def alone(draft: Draft) -> Iterator[None]:
    """Let one process at a time record a draft, or change what it will record.

    Raises DraftBeingRecorded.

    A lock of the session, not of a transaction: an append must be the outermost
    transaction, and the lock must go with the process that holds it.
    """
    number = int.from_bytes(hashlib.sha256(draft.pk.bytes).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        if not cursor.fetchone()[0]:
            raise DraftBeingRecorded(gettext("这份草稿正在存入，请稍候再看。"))
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def _enter(draft: Draft, tell: Progress | None) -> Receipt:
    assert draft.decided_by is not None
    rows = payloads.decode_rows(sealing.unseal("draft", draft.pk, bytes(draft.payload)))
    checked = check_rows(
        draft.institution,
        rows,
        today(),
        stream=draft.stream.name,
        acting=[draft.prepared_by, draft.decided_by],
        progress=tell,
    )
    if checked.problems:
        raise _open_again(draft, RowsRefused(checked.problems))
    if not checked.accepted:
        held = [one.index for one in checked.unchanged]
        raise _open_again(
            draft,
            NothingNew(gettext("这些成果学分银行都已有，没有新的可存入。"), indexes=held),
        )
    accounts, problems = people.accounts_for(checked.accepted)
    if problems:
        raise _open_again(draft, RowsRefused(problems))
    said, numbers = statements.of(
        checked.accepted,
        accounts,
        prepared_by=draft.prepared_as,
        approved_by=draft.decided_as,
    )
    try:
        return ledger.record_statements(
            stream=draft.stream.name,
            statements=said,
            idempotency_key=queries.idempotency_key(draft),
            institution_id=draft.institution_id,
            request_digest=hashlib.sha256(b"llcb/draft/v1\0" + draft.pk.bytes).digest(),
        )
    except (ledger.SubmissionRefused, log.DuplicateOutcome, log.ActsOnInvalid) as error:
        raise _open_again(draft, RowsRefused(_problems_of(error, numbers))) from error


def _open_again(draft: Draft, error: DomainError) -> DomainError:
    """Let a draft that the register refuses wait for a decision again; return the error."""
    draft.state = DraftState.SUBMITTED
    draft.decided_by = None
    draft.decided_as = ""
    draft.decided_at = None
    draft.save(update_fields=["state", "decided_by", "decided_as", "decided_at"])
    return error


def _problems_of(error: Exception, numbers: Sequence[int]) -> list[Problem]:
    """Turn the ledger's refusal, which counts statements, into problems of rows."""

    def row(position: object) -> int | None:
        return numbers[position - 1] if isinstance(position, int) else None

    if isinstance(error, ledger.SubmissionRefused):
        return [
            problem(
                "not-recordable",
                row(one.row),
                one.field,
                one.value or "",
                problemwords.expected(one) or "",
            )
            for one in error.problems
        ]
    if isinstance(error, log.DuplicateOutcome):
        rows = error.facts.get("rows")
        positions = rows if isinstance(rows, list) else []
        return [problem("duplicate-outcome", row(one), "item") for one in positions]
    refused = error.problems if isinstance(error, log.ActsOnInvalid) else ()
    return [problem("not-recordable", row(one.row), "item", one.code) for one in refused]
