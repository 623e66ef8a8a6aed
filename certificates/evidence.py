"""The ledger proofs inside a document: what each establishes, judged by the trust list alone.

A proof authenticates itself (institution's signature, log, cosignatures), so
what it establishes may be set beside the file even when the file's own
signature has failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final

from certificates.formats import clr
from certificates.formats.transcript import (
    Difference,
    TranscriptData,
    TranscriptLine,
    outcome_differences,
    result_differences,
)
from creditbank.ledger.statements import Outcome, Result, StatementInvalid
from creditbank.proofs import bundles
from creditbank.proofs.bundles import ProofBundle, VerifiedEntry
from creditbank.proofs.canonical import NotCanonical
from creditbank.proofs.manifests import Manifest
from creditbank.proofs.merkle import ProofInvalid
from creditbank.proofs.notes import ED25519, NoteKey, NoteMalformed, unb64
from creditbank.proofs.signatures import SignatureInvalid, verifier
from creditbank.trust import TrustList

Json = Any

PROOF_MAX: Final = 128 * 1024
KINDS: Final = frozenset({"award", "recognise"})
ISSUE: Final = "transcript-issue"
PROVINCE: Final = timezone(timedelta(hours=8))

_PROOF_ERRORS: Final = (NoteMalformed, NotCanonical, ProofInvalid, SignatureInvalid)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a proof establishes nothing, for readers."""

    field: str
    zh: str
    en: str


@dataclass(frozen=True, kw_only=True)
class LineProof:
    """What a line's proof came to: the entry it establishes, or why it establishes none."""

    number: int
    line: TranscriptLine
    entry: VerifiedEntry | None
    refusal: Refusal | None
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What the proof of a document's registration came to."""

    entry: VerifiedEntry | None
    refusal: Refusal | None
    digest: bytes = b""
    number: str = ""

    @property
    def time(self) -> datetime | None:
        """By then the document's digest stood in the log."""
        return None if self.entry is None else datetime.fromtimestamp(self.entry.time, UTC)


def prove_line(
    number: int, line: TranscriptLine, data: TranscriptData, trust: TrustList
) -> LineProof:
    """Check a line's ledger proof and compare the line with the opening it shows."""
    entry, refusal = _prove(line.proof, trust)
    if entry is None or refusal is not None:
        return LineProof(number=number, line=line, entry=None, refusal=refusal)
    if entry.leaf.kind not in KINDS:
        refusal = Refusal(
            field="proof",
            zh=f"登记的是另一种分录（{entry.leaf.kind}）",
            en=f"the entry is of another kind ({entry.leaf.kind})",
        )
        return LineProof(number=number, line=line, entry=None, refusal=refusal)
    compared = _compare(number, line, data, entry)
    if isinstance(compared, Refusal):
        return LineProof(number=number, line=line, entry=None, refusal=compared)
    return LineProof(
        number=number, line=line, entry=entry, refusal=None, differences=tuple(compared)
    )


def _compare(
    number: int, line: TranscriptLine, data: TranscriptData, entry: VerifiedEntry
) -> list[Difference] | Refusal:
    try:
        core, holder, result = _part(entry, "core"), _part(entry, "holder"), _part(entry, "result")
        if core is None or holder is None:
            return Refusal(
                field="proof",
                zh="登记证明没有出示成果内容或账号",
                en="the proof does not show the outcome or the account",
            )
        proved = Outcome.from_core(dict(core))
        graded = Result() if result is None else Result.from_part(_texts(result))
        account = str(holder["a"])
    except (NotCanonical, StatementInvalid, KeyError, TypeError, ValueError):
        return Refusal(
            field="proof",
            zh="登记证明出示的内容无法读取",
            en="what the proof shows cannot be read",
        )
    found = [
        *outcome_differences(number, line.outcome, proved),
        *result_differences(number, line.result, graded),
    ]
    claimed = line.account or data.account
    if account != claimed:
        found.append(Difference(field="account", line=number, in_file=claimed, expected=account))
    if entry.index != line.index:
        found.append(
            Difference(
                field="index", line=number, in_file=str(line.index), expected=str(entry.index)
            )
        )
    proved_on = civil_date(entry.time)
    if line.recorded_on > proved_on:
        found.append(
            Difference(
                field="recorded_on",
                line=number,
                in_file=line.recorded_on.isoformat(),
                expected=f"<= {proved_on.isoformat()}",
            )
        )
    return found


def prove_registration(text: str | None, trust: TrustList) -> Registration:
    """Check the proof that a document is registered: by the bank's own stream, as a transcript."""
    if text is None:
        return Registration(
            entry=None,
            refusal=Refusal(
                field="registration",
                zh="文件没有登记证明：从未在登记簿登记",
                en="the document has no proof of registration: it was never entered",
            ),
        )
    entry, refusal = _prove(text, trust)
    if entry is None or refusal is not None:
        return Registration(
            entry=None,
            refusal=None
            if refusal is None
            else Refusal(field="registration", zh=refusal.zh, en=refusal.en),
        )
    try:
        core = _part(entry, "core")
        if entry.leaf.kind != ISSUE or entry.leaf.stream != trust.bank_stream or core is None:
            raise NotCanonical("not the registration of a transcript")
        return Registration(
            entry=entry, refusal=None, digest=_digest(core), number=str(core["number"])
        )
    except (NotCanonical, KeyError, ValueError):
        return Registration(
            entry=None,
            refusal=Refusal(
                field="registration",
                zh="登记证明不是学分银行对证明文件的登记",
                en="the proof is not the bank's registration of a transcript",
            ),
        )


def registration_text(evidence: Json, data: TranscriptData) -> str | None:
    """Return the proof's text if the evidence is exactly as we write it, else None."""
    if not isinstance(evidence, list) or len(evidence) != 1 or not isinstance(evidence[0], dict):
        return None
    text = evidence[0].get("narrative")
    if not isinstance(text, str):
        return None
    try:
        index = ProofBundle.parse(text.encode()).index
    except (*_PROOF_ERRORS, ValueError):
        return None
    return text if evidence[0] == clr.registration(data.public_url, index, text) else None


def _prove(text: str, trust: TrustList) -> tuple[VerifiedEntry | None, Refusal | None]:
    if len(text) > PROOF_MAX:
        return None, Refusal(field="proof", zh="登记证明过长", en="the proof is too long")
    bundle: ProofBundle | None = None
    try:
        bundle = ProofBundle.parse(text.encode())
        entry = bundles.verify(
            bundle=bundle,
            log_key=trust.log_key,
            cosigners=trust.cosigners,
            stream_keys=trust.stream_keys,
        )
    except (*_PROOF_ERRORS, UnicodeEncodeError) as error:
        return None, _reason(bundle, trust, error)
    return entry, None


def _reason(bundle: ProofBundle | None, trust: TrustList, error: Exception) -> Refusal:
    """Say in words why a proof fails; a key out of force is told apart from a wrong signature."""
    if bundle is None:
        return Refusal(
            field="proof", zh="登记证明无法读取", en=f"the proof cannot be read ({error})"
        )
    try:
        manifest = Manifest.parse(bundle.manifest.text)
    except NoteMalformed:
        return Refusal(field="proof", zh="报送清单无法读取", en="the manifest cannot be read")
    stream = trust.streams.get(manifest.stream)
    if stream is None:
        return Refusal(
            field="institution_name",
            zh=f"登记序列 {manifest.stream} 不属于任何已公布的机构",
            en=f"the stream {manifest.stream} belongs to no institution on the list",
        )
    index = bundle.manifest_index
    signed = {line.key_id for line in bundle.manifest.lines}
    for key in stream.keys:
        note_key = NoteKey(stream.name, ED25519, verifier(key.algorithm, key.public))
        if note_key.key_id not in signed or key.in_force(index):
            continue
        if key.retired is not None and index >= key.retired:
            zh, en = f"密钥已于登记簿第 {key.retired} 号停用", f"was retired at {key.retired}"
        elif key.compromised_from is not None and index >= key.compromised_from:
            zh = f"密钥自登记簿第 {key.compromised_from} 号起不再可信"
            en = f"is compromised from {key.compromised_from} on"
        else:
            zh, en = f"密钥自登记簿第 {key.added} 号起才启用", f"was added at {key.added} only"
        return Refusal(
            field="proof",
            zh=f"{stream.institution}的{zh}，而这份清单在第 {index} 号",
            en=f"the key of {stream.institution} {en}, and this manifest stands at {index}",
        )
    if not signed & {
        NoteKey(stream.name, ED25519, verifier(key.algorithm, key.public)).key_id
        for key in stream.keys
    }:
        return Refusal(
            field="proof",
            zh=f"清单不是用{stream.institution}的密钥签名的",
            en=f"the manifest is not signed with a key of {stream.institution}",
        )
    return Refusal(field="proof", zh="登记证明不成立", en=f"the proof does not hold ({error})")


def _part(entry: VerifiedEntry, name: str) -> Mapping[str, str | int] | None:
    return None if entry.disclosure is None else entry.disclosure.part(name)


def _texts(part: Mapping[str, str | int]) -> dict[str, str]:
    return {name: str(value) for name, value in part.items()}


def _digest(core: Mapping[str, str | int]) -> bytes:
    digest = unb64(str(core["digest"]))
    if len(digest) != 32:
        raise ValueError("not a digest of 32 bytes")
    return digest


def civil_date(time: int) -> date:
    """Return the civil date in the province at a POSIX time."""
    return datetime.fromtimestamp(time, PROVINCE).date()
