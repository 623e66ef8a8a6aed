"""What can be done with transcripts: request, issue, revoke, supersede.

The order of issuing is register, then sign. Every step leaves its result in the
transcript's row before the next begins, and takes what it finds there when it
runs again, so that a crash anywhere repeats at most one step and never changes
what was registered.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import string
import uuid
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from certificates import codes, documents, pades, pages, pdf, sealing, trustlist
from certificates.documents import Document, Prepared, TranscriptData, TranscriptLine
from certificates.formats import clr, dataintegrity
from certificates.formats.transcript import LINES_MAX
from certificates.models import Revoking, Transcript, TranscriptState
from certificates.sealing import Secrets
from creditbank.access import NotFound
from creditbank.clock import PROVINCE, now, today
from creditbank.errors import DomainError
from creditbank.institutions import queries as institutions
from creditbank.jobs import outbox, progress
from creditbank.jobs.models import Outbox, OutboxState
from creditbank.ledger import log
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from creditbank.ledger.numbers import format_account
from creditbank.ledger.queries import StatementLine
from creditbank.ledger.statements import TranscriptIssued, TranscriptRevoked
from creditbank.signer.client import SignerError, SignerUnavailable
from creditbank.users.models import User
from learners import queries as learners
from learners.models import Learner

logger = logging.getLogger(__name__)

ISSUE: Final = "certificates.issue"
CODE_KEY: Final = "code-digest"
TOKEN_LENGTH: Final = 22
LETTERS_AND_DIGITS: Final = string.digits + string.ascii_letters
PUBLISH_SECONDS: Final = 30.0
LINES_IN_FORCE: Final = ("entered", "used")
"""Reversed and expired lines are not put on a new transcript."""

STEPS: Final = ("build", "register", "publish", "sign", "print")
"""The steps of issuing, as the job names them; words for them are in `queries.STEP_WORDS`."""

STUCK_AFTER: Final = timedelta(minutes=2)
GIVEN_UP_AFTER: Final = timedelta(days=1)

_LATER: Final = (SignerUnavailable, entries.NotYetPublished, OperationalError, InterfaceError)
"""What passes by itself: the job waits, and the outbox tries again."""


class NothingToCertify(DomainError):
    """The account holds no published outcome in force, or not one that was chosen."""

    code: ClassVar[str] = "nothing-to-certify"


class UnknownLines(DomainError):
    """An entry was chosen that is not an outcome in force of this learner."""

    code: ClassVar[str] = "unknown-lines"


class TranscriptUnknown(NotFound):
    """There is no such transcript, or it is another learner's."""


class NotIssued(DomainError):
    """The transcript is not issued, or no longer in force, so this cannot be done with it."""

    code: ClassVar[str] = "transcript-not-issued"


class AtWork(DomainError):
    """Another transcript of this learner is being issued; one at a time."""

    code: ClassVar[str] = "transcript-at-work"


# -- requesting -------------------------------------------------------------------------------
def token_digest(token: str) -> bytes:
    """Return the digest under which a QR link's token is found (SHA-256, 32 bytes).

    The token has 131 random bits, so the digest needs no key.
    """
    return hashlib.sha256(b"llcb/transcript-token/v1\0" + token.encode()).digest()


def code_digest(number: str, code: str) -> bytes:
    """Return the keyed digest of a number and its verification code (HMAC-SHA-256).

    Keyed, since 45 bits of chance can be tried through on a copied database.
    """
    message = f"llcb/transcript-code/v1\0{number}|{code}".encode()
    return hmac.digest(settings.KEYSTORE.get(CODE_KEY), message, "sha256")


def request_transcript(
    *, learner: Learner, acting_user: User | None, indexes: Collection[int] | None = None
) -> Transcript:
    """Request a transcript of all outcomes in force, or of the chosen log indexes.

    A request made while one is being worked on returns that one. Raises
    NothingToCertify, UnknownLines, PersonForgotten. What is missing only from
    the newest checkpoint is waited for when the transcript is issued.
    """
    return _request(learner=learner, acting_user=acting_user, indexes=indexes, replaces=None)


def supersede_transcript(
    *,
    transcript: Transcript,
    acting_user: User | None,
    indexes: Collection[int] | None = None,
) -> Transcript:
    """Request the corrected version (更正版本) of a transcript.

    When the new one is issued, the register revokes the old one and names the
    new one as its successor; until then the old one stays as it is. Asked again,
    it returns the version under way. Raises NotIssued, AtWork and what
    `request_transcript` raises.
    """
    return _request(
        learner=transcript.learner,
        acting_user=acting_user,
        indexes=indexes,
        replaces=transcript,
    )


def _request(
    *,
    learner: Learner,
    acting_user: User | None,
    indexes: Collection[int] | None,
    replaces: Transcript | None,
) -> Transcript:
    chosen = None if indexes is None else tuple(sorted(set(indexes)))
    _lines(learner, chosen)
    with transaction.atomic():
        Learner.objects.select_for_update().get(pk=learner.pk)
        at_work = Transcript.objects.filter(
            learner=learner, state__in=[TranscriptState.REQUESTED, TranscriptState.REGISTERED]
        ).first()
        if replaces is not None:
            replaces.refresh_from_db()
            if at_work is not None and replaces.successor_id == at_work.pk:
                return at_work
            if replaces.state != TranscriptState.ISSUED:
                raise NotIssued(number=replaces.number, state=replaces.state)
            if at_work is not None:
                raise AtWork(number=at_work.number)
        elif at_work is not None:
            return at_work
        made = _new(learner, chosen, acting_user)
        if replaces is not None:
            replaces.successor = made
            replaces.save(update_fields=["successor"])
        outbox.enqueue_on_commit(ISSUE, str(made.pk))
    return made


def _new(learner: Learner, indexes: tuple[int, ...] | None, acting_user: User | None) -> Transcript:
    number, code = codes.new_number(), codes.new_code()
    token = "".join(secrets.choice(LETTERS_AND_DIGITS) for _ in range(TOKEN_LENGTH))
    made = Transcript(
        number=number,
        account_id=learner.account_id,
        learner=learner,
        code_digest=code_digest(number, code),
        token_digest=token_digest(token),
        requested_at=now(),
    )
    made.secrets_sealed = Secrets(token=token, code=code, indexes=indexes).seal(made)
    made.job = progress.create(
        ISSUE, total=len(STEPS), owner=acting_user.pk if acting_user else None
    )
    # A number drawn before is as unlikely as a guess of it: 1 in 2**45 for each.
    made.save(force_insert=True)
    return made


def _lines(learner: Learner, indexes: tuple[int, ...] | None) -> list[StatementLine]:
    """Return the outcomes to certify, oldest first: those a decision uses stay achievements.

    Recognised credits are left out. They say what one institution gives for these
    outcomes in one of its programmes, and stand on that institution's own papers.
    """
    found = [
        line
        for line in reversed(entries.statement(learners.accounts_of(learner)))
        if line.state in LINES_IN_FORCE and line.outcome is not None
    ]
    if indexes is not None:
        by_index = {line.index: line for line in found}
        unknown = [index for index in indexes if index not in by_index]
        if unknown:
            raise UnknownLines(indexes=unknown)
        found = [by_index[index] for index in indexes]
    if not found:
        raise NothingToCertify(learner=str(learner.pk))
    if len(found) > LINES_MAX:
        raise NothingToCertify(lines=len(found), expected=f"at most {LINES_MAX}")
    return found


# -- issuing ----------------------------------------------------------------------------------
def issue_transcript(transcript_id: uuid.UUID) -> Transcript:
    """Issue a requested transcript: build, register, publish, sign, print. Safe to repeat.

    Ends in state issued with the job succeeded, or in state failed with the
    job's code. Raises SignerUnavailable, NotYetPublished or a database error
    when it is worth trying again; then what was done so far stays.
    """
    try:
        transcript = Transcript.objects.select_related("learner").get(pk=transcript_id)
    except Transcript.DoesNotExist:
        raise TranscriptUnknown(transcript=str(transcript_id)) from None
    if transcript.state == TranscriptState.FAILED:
        return transcript
    try:
        if transcript.state in (TranscriptState.REQUESTED, TranscriptState.REGISTERED):
            _Issue(transcript).run()
        _finish(transcript)
    except _LATER:
        raise
    except (DomainError, SignerError) as error:
        _fail(transcript, error.code)
    return transcript


def _fail(transcript: Transcript, code: str) -> None:
    logger.warning("transcript %s failed: %s", transcript.pk, code)
    Transcript.objects.filter(
        pk=transcript.pk, state__in=[TranscriptState.REQUESTED, TranscriptState.REGISTERED]
    ).update(state=TranscriptState.FAILED)
    transcript.refresh_from_db()
    if transcript.job_id is not None:
        progress.fail(transcript.job_id, code, transcript=str(transcript.pk))


class _Issue:
    """One run through the steps of one transcript."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._prepared: Prepared | None = None

    def run(self) -> None:
        """Take every step that is not taken yet."""
        self._at("build")
        prepared = self._draft()
        self._at("register")
        size = self._register(prepared)
        self._at("publish")
        entries.wait_until_published(size, timeout=PUBLISH_SECONDS)
        self._at("sign")
        document = self._sign(prepared)
        self._at("print")
        self._print(document)

    def _at(self, step: str) -> None:
        if self._transcript.job_id is not None:
            progress.step(self._transcript.job_id, text=step, done=STEPS.index(step))

    def _keep(self, column: str, value: bytes, **more: object) -> bool:
        """Store a step's result unless another run stored its own before; then take that one."""
        transcript = self._transcript
        kept = Transcript.objects.filter(
            pk=transcript.pk,
            state__in=[TranscriptState.REQUESTED, TranscriptState.REGISTERED],
            **{f"{column}__isnull": True},
        ).update(**{column: value, **more})
        transcript.refresh_from_db()
        return bool(kept)

    def _draft(self) -> Prepared:
        transcript = self._transcript
        if transcript.draft_sealed is None:
            data = _data(transcript)
            # Before anything is registered: a character that cannot be printed is refused here.
            pages.layout(data)
            prepared = documents.prepare(data)
            sealed = sealing.seal(transcript, "draft_sealed", documents.encode(prepared.document))
            if self._keep("draft_sealed", sealed, digest=prepared.digest, issued_on=data.issued_on):
                return prepared
        draft = documents.decode(sealing.unseal(transcript, "draft_sealed"))
        return Prepared(document=draft, statements=dataintegrity.statements(draft))

    def _register(self, prepared: Prepared) -> int:
        """Enter the digest; return the tree size that covers it."""
        transcript = self._transcript
        if transcript.register_index is None:
            receipt = ledger.record_public(
                TranscriptIssued(number=transcript.number, digest=prepared.digest)
            )
            Transcript.objects.filter(pk=transcript.pk, register_index__isnull=True).update(
                register_index=receipt.first_index, state=TranscriptState.REGISTERED
            )
            transcript.refresh_from_db()
        assert transcript.register_index is not None
        return transcript.register_index + 1

    def _sign(self, prepared: Prepared) -> Document:
        transcript = self._transcript
        if transcript.json_sealed is None:
            index = transcript.register_index
            assert index is not None
            proof = entries.proof(index).encode().decode()
            signer = ledger.signer()

            def sign(options_hash: bytes, document_hash: bytes) -> bytes:
                return signer.document(
                    proof_options_hash=options_hash,
                    document_hash=document_hash,
                    number=transcript.number,
                    index=index,
                )

            document = prepared.registered(proof).signed(
                verification_method=trustlist.verification_method(), created=now(), sign=sign
            )
            sealed = sealing.seal(transcript, "json_sealed", documents.encode(document))
            if self._keep("json_sealed", sealed):
                return document
        return documents.decode(sealing.unseal(transcript, "json_sealed"))

    def _print(self, document: Document) -> None:
        transcript = self._transcript
        data = replace(clr.read(document), code=Secrets.of(transcript).code)
        signer = ledger.signer()

        def sign(signed_attributes: bytes) -> bytes:
            return signer.pades(signed_attributes=signed_attributes, number=transcript.number)

        file = pades.sign(
            pdf.render(document, data),
            sign=sign,
            chain=trustlist.signer_material().pades_chain,
            name=settings.BANK_NAME,
            attachment=documents.encode(document),
            attachment_name=pdf.ATTACHMENT,
        )
        self._keep(
            "pdf_sealed",
            sealing.seal(transcript, "pdf_sealed", file),
            state=TranscriptState.ISSUED,
        )


def _data(transcript: Transcript) -> TranscriptData:
    """Gather what the transcript is to say, every line proved under one checkpoint."""
    learner = transcript.learner
    held = Secrets.of(transcript)
    lines = _lines(learner, held.indexes)
    entries.wait_until_published(max(line.index for line in lines) + 1, timeout=PUBLISH_SECONDS)
    size = entries.log_state().published_size
    times = entries.recorded_times(line.index for line in lines)
    others = sorted({line.account for line in lines} - {learner.account_id})
    names: dict[str, str] = {}
    for stream in {line.stream for line in lines}:
        owner = institutions.stream(stream).institution
        names[stream] = owner.name if owner is not None else settings.BANK_NAME
    return TranscriptData(
        number=transcript.number,
        code=held.code,
        holder_name=learners.display_name(learner),
        holder_identity_masked=learners.masked_identity(learner),
        account=format_account(learner.account_id),
        other_accounts=tuple(format_account(number) for number in others),
        issued_on=today(),
        issuer_name=settings.BANK_NAME,
        issuer_name_en=settings.BANK_NAME_EN,
        bank_did=settings.BANK_DID,
        public_url=settings.PUBLIC_URL,
        verify_token=held.token,
        lines=tuple(
            _line(
                line,
                account="" if line.account == learner.account_id else format_account(line.account),
                recorded_at=times[line.index],
                name=names[line.stream],
                size=size,
            )
            for line in lines
        ),
    )


def _line(
    line: StatementLine, *, account: str, recorded_at: datetime, name: str, size: int
) -> TranscriptLine:
    assert line.outcome is not None
    return TranscriptLine(
        account=account,
        index=line.index,
        outcome=line.outcome,
        result=line.result,
        state=line.state,
        recorded_on=recorded_at.astimezone(PROVINCE).date(),
        institution_name=name,
        proof=entries.proof(line.index, size=size).encode().decode(),
    )


def _finish(transcript: Transcript) -> None:
    """Let the new version take the old one's place, and end the job."""
    old = Transcript.objects.filter(successor=transcript).first()
    if old is not None and old.state == TranscriptState.ISSUED:
        revoke_transcript(
            transcript=old, reason=Revoking.SUPERSEDED, acting_user=None, successor=transcript
        )
    if transcript.job_id is not None:
        progress.succeed(transcript.job_id, transcript=str(transcript.pk))


def resume_transcripts() -> int:
    """Put back to work what was interrupted and is no longer in the outbox; return how many.

    After a day it is given up, so that its page does not wait for ever.
    """
    at = now()
    resumed = 0
    stuck = Transcript.objects.filter(
        state__in=[TranscriptState.REQUESTED, TranscriptState.REGISTERED],
        requested_at__lt=at - STUCK_AFTER,
    )
    for transcript in stuck:
        if Outbox.objects.filter(
            handler=ISSUE, ids=[str(transcript.pk)], state=OutboxState.WAITING
        ).exists():
            continue
        if transcript.requested_at < at - GIVEN_UP_AFTER:
            _fail(transcript, "gave-up")
            continue
        with transaction.atomic():
            outbox.enqueue_on_commit(ISSUE, str(transcript.pk))
        resumed += 1
    return resumed


# -- revoking ---------------------------------------------------------------------------------
def revoke_transcript(
    *,
    transcript: Transcript,
    reason: str,
    acting_user: User | None,
    successor: Transcript | None = None,
) -> log.Receipt:
    """Revoke a transcript (撤销), for a reason of the published list.

    Entered in the register first: from the next checkpoint on every verifier
    sees it. Done twice, entered once, and the first reason stands. Raises
    NotIssued for a transcript that was never issued.
    """
    wanted = Revoking(reason)
    transcript.refresh_from_db()
    if transcript.register_index is None or transcript.digest is None:
        raise NotIssued(number=transcript.number, state=transcript.state)
    if transcript.revoked_index is not None:
        return entries.receipt(transcript.revoked_index)
    if transcript.state != TranscriptState.ISSUED:
        raise NotIssued(number=transcript.number, state=transcript.state)
    try:
        receipt = ledger.record_public(
            TranscriptRevoked(
                number=transcript.number,
                digest=bytes(transcript.digest),
                leaf=entries.entry(transcript.register_index).leaf_hash,
                reason=wanted.value,
                successor=successor.number if successor else "",
            )
        )
    except log.KeyReused:
        # Entered before with another reason, and the row was not written: it is now.
        found = trustlist.revocation_of(transcript)
        receipt = entries.receipt(found.index)
        wanted = Revoking(found.reason)
        successor = Transcript.objects.filter(number=found.successor).first()
    Transcript.objects.filter(pk=transcript.pk, revoked_index__isnull=True).update(
        revoked_index=receipt.first_index,
        revoked_for=wanted,
        state=TranscriptState.SUPERSEDED if successor else TranscriptState.REVOKED,
    )
    transcript.refresh_from_db()
    logger.info(
        "transcript %s revoked for %s by user %s",
        transcript.pk,
        transcript.revoked_for,
        acting_user.pk if acting_user else "-",
    )
    return receipt
