"""What can be read of transcripts."""

from __future__ import annotations

import hmac
import uuid
from dataclasses import dataclass
from json import loads
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from certificates import codes, operations, sealing, trustlist
from certificates.models import Revoking, Transcript, TranscriptState
from certificates.sealing import Secrets
from creditbank import prepared
from creditbank.errors import DomainError
from learners.models import Learner

ISSUED_ONCE: Final = (
    TranscriptState.ISSUED,
    TranscriptState.REVOKED,
    TranscriptState.SUPERSEDED,
)
"""States in which somebody may hold the document."""

STEP_WORDS: Final[dict[str, Promise]] = {
    "build": _("汇集成果与登记证明"),
    "register": _("在登记簿登记摘要"),
    "publish": _("等待登记簿公布"),
    "sign": _("签名"),
    "print": _("制作 PDF"),
}
REVERSAL_WORDS: Final[dict[str, Promise]] = {
    trustlist.REVERSED: _("登记机构冲正"),
    trustlist.REVERSED_BY_ORDER: _("依主管部门决定冲正"),
}
_DUMMY: Final = bytes(32)


class NotReady(DomainError):
    """The transcript's files are not made yet."""

    code: ClassVar[str] = "transcript-not-ready"


def transcript(pk: str) -> Transcript:
    """Return a transcript by id. Raises TranscriptUnknown."""
    found = Transcript.objects.select_related("learner", "job", "successor").filter(pk=pk).first()
    if found is None:
        raise operations.TranscriptUnknown(transcript=str(pk))
    return found


def transcripts_of(learner: Learner) -> list[Transcript]:
    """Return a learner's transcripts, newest first, without their sealed files."""
    return list(
        Transcript.objects.filter(learner=learner)
        .select_related("job", "successor")
        .defer("draft_sealed", "json_sealed", "pdf_sealed")
    )


def transcript_of(learner: Learner, number: str) -> Transcript:
    """Return a learner's transcript by its number. Raises TranscriptUnknown, as for another's."""
    found = (
        Transcript.objects.filter(learner=learner, number=number)
        .select_related("learner", "job", "successor")
        .first()
    )
    if found is None:
        raise operations.TranscriptUnknown(number=number)
    return found


def at_work(learner: Learner) -> Transcript | None:
    """Return the transcript of a learner that is being issued now, if there is one."""
    return (
        Transcript.objects.filter(
            learner=learner, state__in=[TranscriptState.REQUESTED, TranscriptState.REGISTERED]
        )
        .select_related("job")
        .first()
    )


def by_token(token: str) -> Transcript | None:
    """Return the issued transcript that a QR link names, if there is one."""
    return _issued().filter(token_digest=operations.token_digest(token)).first()


@dataclass(frozen=True, kw_only=True)
class TokenRow:
    """An issued transcript as far as a kept page needs it, and the newest checkpoint's size."""

    pk: uuid.UUID
    account_id: int
    log_size: int


def token_row(token: str) -> TokenRow | None:
    """Return what a kept page of a QR link is found by, in one query without any sealed column."""
    rows = prepared.run(
        "SELECT t.id, t.account, c.size FROM certificates_transcript t CROSS JOIN LATERAL ("
        " SELECT size FROM ledger_checkpoint ORDER BY size DESC LIMIT 1) c"
        " WHERE t.token_digest = %s AND t.state = ANY(%s)",
        [operations.token_digest(token), [state.value for state in ISSUED_ONCE]],
    )
    return TokenRow(pk=rows[0][0], account_id=rows[0][1], log_size=rows[0][2]) if rows else None


def by_number(number: str, code: str) -> Transcript | None:
    """Return the issued transcript of a number and its verification code, if they belong together.

    `number` and `code` as `codes.check_number` and `codes.check_code` return
    them. An unknown number and a wrong code cost the same: one query, one digest.
    """
    held = _issued().filter(number=number).values_list("pk", "code_digest").first()
    pk, digest = (None, _DUMMY) if held is None else (held[0], bytes(held[1]))
    if not hmac.compare_digest(operations.code_digest(number, code), digest) or pk is None:
        return None
    return _issued().get(pk=pk)


def by_digest(digest: bytes) -> Transcript | None:
    """Return the issued transcript whose registered document has this digest, if there is one."""
    return _issued().filter(digest=digest).first()


def _issued() -> QuerySet[Transcript]:
    return Transcript.objects.filter(state__in=ISSUED_ONCE).defer("draft_sealed", "pdf_sealed")


def register_index(number: str) -> int | None:
    """Return where a transcript's number is registered in the log, if it is one of ours."""
    found = Transcript.objects.filter(number=number).values_list("register_index", flat=True)
    return found.first()


def json(transcript: Transcript) -> bytes:
    """Return the signed document. Raises NotReady, PersonForgotten."""
    if transcript.json_sealed is None:
        raise NotReady(transcript=str(transcript.pk))
    return sealing.unseal(transcript, "json_sealed")


def pdf(transcript: Transcript) -> bytes:
    """Return the signed PDF. Raises NotReady, PersonForgotten."""
    if transcript.pdf_sealed is None:
        raise NotReady(transcript=str(transcript.pk))
    return sealing.unseal(transcript, "pdf_sealed")


def document(transcript: Transcript) -> dict[str, Any]:
    """Return the signed document as JSON. Raises NotReady, PersonForgotten.

    It is our own, as we sealed it: parsed without the care that strangers' files need.
    """
    value: dict[str, Any] = loads(json(transcript))
    return value


def verify_token(transcript: Transcript) -> str:
    """Return the token of the QR link, for the holder's own page. Raises PersonForgotten."""
    return Secrets.of(transcript).token


def printed_code(transcript: Transcript) -> str:
    """Return the verification code as printed, for the holder's own page. Raises PersonForgotten."""
    return codes.grouped(Secrets.of(transcript).code)


def reason_words(reason: str) -> str | Promise:
    """Return the words for a published reason of a revocation or a reversal."""
    if reason in Revoking.values:
        return Revoking(reason).label
    return REVERSAL_WORDS.get(reason, reason)
