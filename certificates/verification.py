"""Verifying a transcript at the bank's own desk: by its link, by its number and code, by its file.

The same seven checks as everywhere (`certificates.verify`), with the trust list
and status of the newest checkpoint, and beside them what only the bank can add:
the register's own values. A result says nothing of who asked; a receipt of it
holds nothing of the holder.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from django.core.cache import cache

from certificates import codes, isolated, queries, trustlist
from certificates.documents import TranscriptData
from certificates.formats import clr
from certificates.models import Transcript, Verification, VerifiedBy
from certificates.report import CODES
from certificates.trustlist import Live
from certificates.verify import verify_file
from creditbank.clock import PROVINCE, now, today
from creditbank.errors import DomainError
from creditbank.ledger import queries as ledger
from creditbank.ledger.events import Revocation
from creditbank.ledger.learnerkeys import PersonForgotten
from creditbank.signer.client import SignerUnavailable
from creditbank.trust import Status

logger = logging.getLogger(__name__)

Report = dict[str, Any]

OK: Final = "V-OK"
NOT_FOUND: Final = "V-NOTFOUND"
WRONG_FILE: Final = "V-WRONGFILE"
UNAVAILABLE: Final = "V-UNAVAILABLE"
FORGOTTEN: Final = "V-FORGOTTEN"
"""Our own beside the codes of the report: the register no longer holds this person."""

FILE_MAX: Final = 10 << 20
CACHE_SECONDS: Final = 3600
_COMPARED_WITH_REGISTER: Final = frozenset({"V-TAMPERED", "V-FORGED"})


class ReceiptUnknown(DomainError):
    """There is no receipt of this number."""

    code: ClassVar[str] = "not-found"


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What a verification came to.

    `report` is the report's JSON, None where no document was looked at.
    `register` holds the register's values, None when there is no such document
    or its holder was forgotten. `log_size` is the checkpoint it speaks of.
    """

    code: str
    by: VerifiedBy
    at: datetime
    report: Report | None = None
    transcript: Transcript | None = None
    register: TranscriptData | None = None
    revocation: Revocation | None = None
    revoked_at: datetime | None = None
    log_size: int | None = None
    status_at: datetime | None = None
    file_sha256: bytes | None = None

    @property
    def outcome(self) -> str:
        """valid, note, undetermined, invalid, or none when there was nothing to judge."""
        if self.code == FORGOTTEN:
            return "invalid" if self._revoked else "undetermined"
        return CODES[self.code].outcome.value

    @property
    def _revoked(self) -> bool:
        return self.revocation is not None and not self.revocation.successor


# -- by link, by number -----------------------------------------------------------------------
def verify_token(token: str) -> Verified:
    """Verify the transcript that a QR link names; V-NOTFOUND when there is none."""
    return _registered(queries.by_token(token), VerifiedBy.TOKEN)


def verify_number(number: str, code: str) -> Verified:
    """Verify by number and verification code, as typed. Raises codes.Typo.

    V-NOTFOUND says the same, and takes the same time, for an unknown number and
    for a wrong code.
    """
    number_read = codes.check_number(number)
    return _registered(queries.by_number(number_read, codes.check_code(code)), VerifiedBy.NUMBER)


def verify_issued(transcript: Transcript) -> Verified:
    """Verify a transcript of ours as a stranger with its link would, for its holder's own pages."""
    return _registered(transcript, VerifiedBy.TOKEN)


def _registered(transcript: Transcript | None, by: VerifiedBy) -> Verified:
    at = now()
    if transcript is None:
        return Verified(code=NOT_FOUND, by=by, at=at)
    live = trustlist.live()
    facts = {"transcript": transcript, **_revocation(live, transcript)}
    try:
        file = queries.json(transcript)
    except PersonForgotten:
        return Verified(
            code=FORGOTTEN, by=by, at=at, log_size=live.size, status_at=live.status.at, **facts
        )
    register = clr.read(json.loads(file))
    try:
        report = _own_report(transcript, file, live)
    except SignerUnavailable:
        return Verified(code=UNAVAILABLE, by=by, at=at, register=register, **facts)
    return Verified(
        code=report["code"],
        by=by,
        at=at,
        report=report,
        register=register,
        log_size=live.size,
        status_at=live.status.at,
        **facts,
    )


def _revocation(live: Live, transcript: Transcript) -> dict[str, Any]:
    """Return what the log says of a transcript's revocation, if it was revoked."""
    found = live.events.revocation_of_number.get(transcript.number)
    if found is None or found.index >= live.size:
        return {}
    times = ledger.recorded_times([found.index])
    return {"revocation": found, "revoked_at": times.get(found.index)}


@dataclass(frozen=True, kw_only=True)
class _Relevant:
    """The part of a status that can concern one document."""

    revoked: tuple[str, str, int] | None
    reversed: tuple[tuple[int, str] | None, ...]

    @classmethod
    def of(cls, status: Status, digest: bytes, leaves: list[bytes]) -> _Relevant:
        revocation = status.revoked.get(digest)
        reversals = [status.reversed.get(leaf) for leaf in leaves]
        return cls(
            revoked=None
            if revocation is None
            else (revocation.reason, revocation.successor, revocation.index),
            reversed=tuple(
                None if item is None else (item.index, item.reason) for item in reversals
            ),
        )

    def mark(self) -> str:
        return hashlib.sha256(repr(self).encode()).hexdigest()


def _own_report(transcript: Transcript, file: bytes, live: Live) -> Report:
    """Verify a document as the register holds it; the signatures once, the status every time.

    The proofs in a sealed document cannot change. So their report is kept, without
    anything of the holder, for as long as keys, day and what concerns this document
    in the status stay the same. Raises SignerUnavailable.
    """
    digest = bytes(transcript.digest or b"")
    day = today()
    key = "verified/" + "/".join(
        (
            str(transcript.pk),
            hashlib.sha256(bytes(transcript.json_sealed or b"")).hexdigest()[:16],
            str(len(live.events.key_events)),
            day.isoformat(),
        )
    )
    held = _cached(key)
    if held is not None:
        leaves = [bytes.fromhex(leaf) for leaf in held["leaves"]]
        if _Relevant.of(live.status, digest, leaves).mark() == held["mark"]:
            return _as_of(held["report"], live.status)
    found = verify_file(file, trust=trustlist.live_trust(live.size), status=live.status, at=day)
    report = _without_person(found.to_json())
    relevant = _Relevant.of(live.status, digest, list(found.leaves))
    _remember(
        key,
        {
            "report": report,
            "leaves": [leaf.hex() for leaf in found.leaves],
            "mark": relevant.mark(),
        },
    )
    return report


def _as_of(report: Report, status: Status) -> Report:
    """Let the sentence of check 5 speak of the status that was looked up now."""
    when = status.at.astimezone(PROVINCE).strftime("%Y-%m-%d %H:%M")
    for check in report["checks"]:
        if check["number"] == 5 and not any(item["code"] for item in check["findings"]):
            for finding in check["findings"]:
                finding["zh"] = f"截至 {when}（登记簿 {status.size:,} 条），未被撤销或更正。"
                finding["en"] = (
                    f"As of {when} (register size {status.size:,}), not revoked and not corrected."
                )
    report["status"] = {"at": status.at.isoformat(), "size": status.size}
    return report


def _without_person(report: Report) -> Report:
    """Take the holder's name out of check 7; the page shows it from the register."""
    for check in report["checks"]:
        if check["number"] == 7:
            for finding in check["findings"]:
                finding["zh"] = "请核对持证人本人的姓名和证件号码。"
                finding["en"] = "Check the holder's name and identity document in person."
    return report


def _cached(key: str) -> dict[str, Any] | None:
    try:
        value: dict[str, Any] | None = cache.get(key)
    except Exception as error:  # noqa: BLE001 - without a cache it is verified anew
        logger.warning("cache not read: %s", type(error).__name__)
        return None
    return value


def _remember(key: str, value: dict[str, Any]) -> None:
    try:
        cache.set(key, value, timeout=CACHE_SECONDS)
    except Exception as error:  # noqa: BLE001 - without a cache it is verified anew
        logger.warning("cache not written: %s", type(error).__name__)


# -- by file ----------------------------------------------------------------------------------
def verify_upload(file: bytes) -> Verified:
    """Verify a file that a stranger handed in, PDF or JSON, and keep only its digest.

    The file is read in a process apart. Where it differs from what the bank
    registered, it is compared with the register's document, which is found by
    the token of the QR link in the file: a number alone, which the log
    publishes, opens nothing. Never raises for what is in the file.
    """
    at = now()
    sha256 = hashlib.sha256(file).digest()
    if len(file) > FILE_MAX:
        return Verified(code=WRONG_FILE, by=VerifiedBy.FILE, at=at, file_sha256=sha256)
    try:
        lists = trustlist.signed_lists()
        answer = isolated.verify(file, trust=lists.trust, status=lists.status, at=today())
        transcript = _transcript_of(answer)
        document = None if transcript is None else _document(transcript)
        if document is not None and answer.report["code"] in _COMPARED_WITH_REGISTER:
            answer = isolated.verify(
                file, trust=lists.trust, status=lists.status, at=today(), register=document
            )
    except isolated.FileUnreadable as error:
        logger.info("a file could not be verified: %s", error.facts.get("reason"))
        return Verified(code=WRONG_FILE, by=VerifiedBy.FILE, at=at, file_sha256=sha256)
    except (SignerUnavailable, ledger.CheckpointMissing, isolated.VerifierBusy):
        return Verified(code=UNAVAILABLE, by=VerifiedBy.FILE, at=at, file_sha256=sha256)
    status = answer.report["status"]
    return Verified(
        code=answer.report["code"],
        by=VerifiedBy.FILE,
        at=at,
        report=_without_person(answer.report),
        transcript=transcript,
        register=None if document is None else clr.read(dict(document)),
        log_size=lists.size,
        status_at=None if status is None else datetime.fromisoformat(status["at"]),
        file_sha256=sha256,
        **({} if transcript is None else _revocation(trustlist.live(), transcript)),
    )


def _transcript_of(answer: isolated.Answer) -> Transcript | None:
    """Find the transcript a file is of: the very content registered, or the token it names."""
    digest = answer.report["digest"]
    found = queries.by_digest(bytes.fromhex(digest)) if digest else None
    if found is None and answer.token:
        found = queries.by_token(answer.token)
    return found


def _document(transcript: Transcript) -> Mapping[str, Any] | None:
    try:
        return queries.document(transcript)
    except PersonForgotten:
        return None


# -- receipts ---------------------------------------------------------------------------------
def keep_receipt(verified: Verified) -> Verification:
    """Keep a receipt (核验回执) of a verification and return it."""
    return Verification.objects.create(
        number=codes.grouped("".join(secrets.choice(codes.ALPHABET) for _ in range(12))),
        at=verified.at,
        by=verified.by,
        transcript=verified.transcript,
        code=verified.code,
        file_sha256=verified.file_sha256,
        log_size=verified.log_size,
    )


def receipt(number: str) -> Verification:
    """Return a receipt by its number. Raises ReceiptUnknown."""
    found = (
        Verification.objects.select_related("transcript")
        .defer("transcript__draft_sealed", "transcript__json_sealed", "transcript__pdf_sealed")
        .filter(number=number.strip().upper())
        .first()
    )
    if found is None:
        raise ReceiptUnknown(receipt=number)
    return found


__all__ = [
    "FORGOTTEN",
    "NOT_FOUND",
    "OK",
    "UNAVAILABLE",
    "WRONG_FILE",
    "ReceiptUnknown",
    "Verified",
    "keep_receipt",
    "receipt",
    "verify_issued",
    "verify_number",
    "verify_token",
    "verify_upload",
]
