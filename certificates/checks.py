"""One verification: the seven checks in their order, and what each finds (pure).

Nothing in the file is believed before check 2 has passed; if it fails, checks
3 to 6 are not evaluated on the file. What the ledger proofs in it establish by
themselves is used to name the field that differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Final

import pypdf

from certificates import documents, evidence, pades, pdf
from certificates.fonts import GlyphMissing
from certificates.formats import clr, dataintegrity
from certificates.formats.transcript import Difference, TranscriptData, differences
from certificates.formats.vocabulary import reason_label
from certificates.report import Check, Finding, Report, Verdict, headline_code
from creditbank.proofs.signatures import ED25519, SignatureInvalid, verifier
from creditbank.trust import Status, TrustList

Json = Any

FILE_MAX: Final = 10 << 20
LINES_NAMED: Final = 20


class _Stop(Exception):
    """The file cannot be looked at any further."""


@dataclass
class Verification:
    """The checks of one file: `run` makes them all and returns the report."""

    trust: TrustList
    status: Status | None
    at: date
    register: Mapping[str, Json] | None
    found: dict[int, list[Finding]] = field(default_factory=lambda: {n: [] for n in range(1, 8)})
    differences: list[Difference] = field(default_factory=list)
    document: dict[str, Json] = field(default_factory=dict)
    reader: pypdf.PdfReader | None = None
    raw: bytes = b""
    data: TranscriptData | None = None
    digest: bytes | None = None
    lines: list[evidence.LineProof] = field(default_factory=list)
    registration: evidence.Registration | None = None

    def run(self, raw: bytes) -> Report:
        """Make every check that can be made. Never raises for what is in the file."""
        self.raw = raw
        try:
            self._check_format()
            self._read_document()
            self._check_content()
        except _Stop:
            pass
        if not self.found[1]:
            self._valid(1, "是本平台出具的学分证明文件。", "A transcript of this platform.")
        unaltered = not any(item.verdict is Verdict.INVALID for item in self.found[2])
        if self.data is not None and unaltered:
            self._check_issuer(self.data)
            self._check_registration(self.data)
            self._check_status()
            self._check_validity(self.data)
        self._hint()
        return self._report(evaluated=self.data is not None and unaltered)

    # -- noting -------------------------------------------------------------------------------

    def _note(
        self,
        number: int,
        verdict: Verdict,
        zh: str,
        en: str,
        *,
        code: str = "",
        about: str = "",
        line: int | None = None,
    ) -> None:
        self.found[number].append(
            Finding(verdict=verdict, zh=zh, en=en, code=code, field=about, line=line)
        )

    def _valid(self, number: int, zh: str, en: str) -> None:
        self._note(number, Verdict.VALID, zh, en)

    def _invalid(
        self, number: int, code: str, zh: str, en: str, *, about: str, line: int | None = None
    ) -> None:
        self._note(number, Verdict.INVALID, zh, en, code=code, about=about, line=line)

    def _differ(self, found: Sequence[Difference]) -> None:
        """Note differences, each field once; the first source that names one is kept."""
        known = {(item.field, item.line) for item in self.differences}
        for item in found:
            if (item.field, item.line) not in known:
                known.add((item.field, item.line))
                self.differences.append(item)

    # -- 1 file format ------------------------------------------------------------------------

    def _wrong_file(self, zh: str, en: str) -> _Stop:
        self._invalid(1, "V-WRONGFILE", zh, en, about="content")
        self.differences.clear()
        return _Stop()

    def _check_format(self) -> None:
        if len(self.raw) > FILE_MAX:
            raise self._wrong_file("文件超过 10 MiB。", "The file is larger than 10 MiB.")
        content = self.raw
        if b"%PDF-" in self.raw[:1024]:
            content = self._attachment()
        elif self.raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] != b"{":
            raise self._wrong_file(
                "既不是 PDF 也不是 JSON 文件。", "Neither a PDF nor a JSON file."
            )
        try:
            self.document = documents.decode(content)
        except documents.DocumentMalformed as error:
            if b"ClrCredential" not in content:
                raise self._wrong_file(
                    "文件内容无法读取。", f"The content cannot be read ({error})."
                ) from error
            self._invalid(
                2,
                "V-TAMPERED",
                "数据不是本平台写出的形式（重复的名称、过深的嵌套或非法的数值）。",
                f"The data is not in the form that this platform writes: {error}.",
                about="content",
            )
            raise _Stop from error
        if not clr.is_clr(self.document):
            raise self._wrong_file("不是学分证明。", "Not a credit transcript.")

    def _attachment(self) -> bytes:
        try:
            self.reader = pdf.open_pdf(self.raw)
            return pdf.attachment(self.reader)
        except pdf.NotOurPdf as error:
            trouble = self._pdf_trouble()
            if trouble in _OURS_CHANGED:
                self.reader = None
                self._invalid(2, "V-TAMPERED", *_TROUBLES[trouble], about=_TROUBLE_FIELDS[trouble])
                raise _Stop from error
            raise self._wrong_file(
                "PDF 中没有本平台的数据，或文件已损坏。",
                "The PDF holds no data of this platform, or is damaged.",
            ) from error

    def _pdf_trouble(self) -> pades.Trouble | None:
        """Say what is wrong with the PDF's signature, judged as of now; None if nothing is."""
        try:
            pades.validate(self.raw, roots=self.trust.pades_roots, at=self._moment())
        except pades.PdfSignatureInvalid as error:
            return error.trouble
        return None

    def _moment(self) -> datetime:
        """The moment certificates are judged at: when the register proves the document, or today."""
        proved = self.registration.time if self.registration else None
        return proved or datetime.combine(self.at, time(12), UTC)

    # -- 2 content unaltered ------------------------------------------------------------------

    def _read_document(self) -> None:
        """Read the values; stop if the document is not of the one shape that ours have."""
        issuer = self.document.get("issuer")
        ours = isinstance(issuer, dict) and issuer.get("id") in self.trust.dids
        try:
            dataintegrity.check_contexts(
                {name: item for name, item in self.document.items() if name != "proof"}
            )
            self.data = clr.read(self.document)
        except dataintegrity.NotSignable as error:
            self._refuse_shape(
                ours,
                f"含有未经允许的上下文：{error.facts.get('term', '')}。",
                f"It names a context that is not allowed: {error.facts.get('term', '')}.",
                about="@context",
            )
        except clr.ShapeInvalid as error:
            about = str(error.facts.get("field") or error.facts.get("path") or "content")
            line = error.facts.get("line")
            line = line if isinstance(line, int) else None
            self._differ(
                [
                    Difference(
                        field=about,
                        line=line,
                        in_file=_short(error.facts.get("value")),
                        expected=_short(error.facts.get("expected")),
                    )
                ]
            )
            self._refuse_shape(
                ours,
                "文件中有一处不是本平台写出的内容。",
                f"One place is not as this platform writes it ({error}).",
                about=about,
                line=line,
                readable=error.data,
            )

    def _refuse_shape(
        self,
        ours: bool,
        zh: str,
        en: str,
        *,
        about: str,
        line: int | None = None,
        readable: TranscriptData | None = None,
    ) -> None:
        if not ours:
            raise self._wrong_file(
                "不是本平台签发的学分证明。", "A transcript, but not one of this platform."
            )
        self._invalid(2, "V-TAMPERED", zh, en, about=about, line=line)
        if readable is not None:
            self._name_differences(readable)
        raise _Stop

    def _name_differences(self, data: TranscriptData) -> None:
        """Set the values beside whatever is known of them: the openings, the register, the page."""
        self.lines = [
            evidence.prove_line(number, line, data, self.trust)
            for number, line in enumerate(data.lines, start=1)
        ]
        self._check_lines_against_openings()
        if self.register is not None:
            self._check_against_register(data, self.register)
        if self.reader is not None:
            self._check_pdf(data, self.reader)

    def _check_content(self) -> None:
        if self.data is None:
            raise _Stop
        data = self.data
        registered, proof_of_registration, proof = clr.split(self.document)
        text = evidence.registration_text(proof_of_registration, data)
        if proof_of_registration is not None and text is None:
            self._invalid(
                2,
                "V-TAMPERED",
                "登记证明不是本平台写出的形式。",
                "The proof of registration is not in the form that this platform writes.",
                about="registration",
            )
            raise _Stop
        self.registration = evidence.prove_registration(text, self.trust)
        try:
            prepared = documents.Prepared(
                document=registered, statements=dataintegrity.statements(registered)
            )
            self.digest = prepared.digest
            # The registration is signed with the rest.
            canonical = prepared.registered(text).statements if text else prepared.statements
        except dataintegrity.NotSignable as error:
            self._invalid(
                2,
                "V-TAMPERED",
                "文件中有签名无法覆盖的内容。",
                f"It says something that no signature covers ({error}).",
                about="content",
            )
            raise _Stop from error
        self._check_proof(proof, canonical)
        self._name_differences(data)
        if not self.found[2]:
            self._valid(2, "内容与签名一致，未被改动。", "The content is as it was signed.")

    def _check_proof(self, proof: Json, canonical: frozenset[str]) -> None:
        if proof is None:
            self._invalid(
                2,
                "V-FORGED",
                "文件没有数字签名。",
                "The document has no signature.",
                about="signature",
            )
            return
        try:
            options, _ = dataintegrity.read_proof(proof)
        except dataintegrity.ProofMalformed as error:
            self._invalid(
                2,
                "V-FORGED",
                "数字签名不是本平台的签名形式。",
                f"The signature is not in the form of this platform ({error}).",
                about="signature",
            )
            return
        method = self.trust.methods.get(options["verificationMethod"])
        if method is None:
            self._note(
                2,
                Verdict.UNDETERMINED,
                "签名所用的密钥不在信任名单上，无法据此判断。",
                "The key of the signature is not on the trust list, so it proves nothing here.",
                about="signature",
            )
            return
        try:
            dataintegrity.verify(self.document, canonical, verifier(ED25519, method[1]))
        except SignatureInvalid:
            intact = self.registration is not None and self.registration.digest == self.digest
            self._invalid(
                2,
                "V-TAMPERED",
                "签名与内容不符。",
                "The signature does not fit the content.",
                # A content whose digest is registered is whole; then the signature is not.
                about="signature" if intact else "content",
            )

    def _check_lines_against_openings(self) -> None:
        for item in self.lines:
            self._differ(item.differences)
            for difference in item.differences[:LINES_NAMED]:
                self._invalid(
                    2,
                    "V-TAMPERED",
                    f"{difference.label_zh}：文件为“{difference.in_file}”，"
                    f"登记为“{difference.expected}”。",
                    f"{difference.label_en}: the file says “{difference.in_file}”, "
                    f"the register “{difference.expected}”.",
                    about=difference.field,
                    line=difference.line,
                )

    def _check_against_register(self, data: TranscriptData, register: Mapping[str, Json]) -> None:
        held = clr.read(dict(register))
        found = differences(data, held)
        self._differ(found)
        for item in found[:LINES_NAMED]:
            self._invalid(
                2,
                "V-TAMPERED",
                f"{item.label_zh}：文件为“{item.in_file}”，登记为“{item.expected}”。",
                f"{item.label_en}: the file says “{item.in_file}”, the register “{item.expected}”.",
                about=item.field,
                line=item.line,
            )

    def _check_pdf(self, data: TranscriptData, reader: pypdf.PdfReader) -> None:
        try:
            shown = pdf.compare_pages(reader, data)
        except (pdf.NotOurPdf, GlyphMissing):
            shown = [Difference(field="page", in_file="", expected="")]
        except pdf.OtherLayout:
            # Pages set by an earlier version: the file's signature alone speaks for them.
            shown = []
        self._differ(shown)
        for item in shown[:LINES_NAMED]:
            self._invalid(
                2,
                "V-TAMPERED",
                f"{item.label_zh}：页面显示“{item.in_file}”，数据为“{item.expected}”。",
                f"{item.label_en}: the page shows “{item.in_file}”, the data “{item.expected}”.",
                about=item.field,
                line=item.line,
            )
        trouble = self._pdf_trouble()
        if trouble is pades.Trouble.STRANGER:
            self._invalid(3, "V-FORGED", *_TROUBLES[trouble], about="signature")
        elif trouble is not None:
            self._invalid(2, "V-TAMPERED", *_TROUBLES[trouble], about=_TROUBLE_FIELDS[trouble])

    # -- 3 the issuer -------------------------------------------------------------------------

    def _check_issuer(self, data: TranscriptData) -> None:
        proof = self.document.get("proof")
        method = proof.get("verificationMethod") if isinstance(proof, dict) else None
        known = self.trust.methods.get(method) if isinstance(method, str) else None
        if data.bank_did not in self.trust.dids:
            self._invalid(
                3,
                "V-FORGED",
                f"签发者 {data.bank_did} 不是本学分银行。",
                f"The issuer {data.bank_did} is not this credit bank.",
                about="bank_did",
            )
        elif known is None:
            self._invalid(
                3,
                "V-FORGED",
                "文件冒用本学分银行的名义，签名密钥不属于本行。",
                "It speaks in the name of this credit bank, with a key that is not the bank's.",
                about="signature",
            )
        elif known[0] != data.bank_did:
            self._invalid(
                3,
                "V-FORGED",
                "签名密钥属于另一签发者。",
                "The key of the signature is another issuer's.",
                about="signature",
            )
        if not self.found[3]:
            self._valid(
                3,
                f"由{data.issuer_name}（{data.bank_did}）签发。",
                f"Issued by {data.issuer_name_en or data.issuer_name} ({data.bank_did}).",
            )

    # -- 4 registration and keys --------------------------------------------------------------

    def _check_registration(self, data: TranscriptData) -> None:
        registration = self.registration
        if registration is None or registration.entry is None:
            refusal = registration.refusal if registration else None
            self._invalid(
                4,
                "V-FORGED",
                f"{refusal.zh}。" if refusal else "没有登记证明。",
                f"{refusal.en}." if refusal else "There is no proof of registration.",
                about="registration",
            )
        elif registration.digest != self.digest:
            self._invalid(
                4,
                "V-FORGED",
                "登记的是另一份文件。",
                "The registration is of another document.",
                about="registration",
            )
        elif registration.number != data.number:
            self._invalid(
                4,
                "V-FORGED",
                f"登记的编号是 {registration.number}。",
                f"The registration is of number {registration.number}.",
                about="number",
            )
        elif data.issued_on > evidence.civil_date(registration.entry.time):
            self._invalid(
                4,
                "V-FORGED",
                "出具日期晚于登记时间。",
                "The date of issue is later than the registration.",
                about="issued_on",
            )
        self._check_lines(registration)
        if not self.found[4] and registration is not None and registration.entry is not None:
            when = evidence.civil_date(registration.entry.time).isoformat()
            self._valid(
                4,
                f"已于 {when} 前登记（登记簿第 {registration.entry.index} 号）；"
                f"{len(self.lines)} 项成果的登记证明全部成立。",
                f"Registered by {when} (register entry {registration.entry.index}); "
                f"the proofs of all {len(self.lines)} lines hold.",
            )

    def _check_lines(self, registration: evidence.Registration | None) -> None:
        entered = registration.entry if registration else None
        for item in self.lines:
            if item.refusal is not None:
                self._invalid(
                    4,
                    "V-FORGED",
                    f"第 {item.number} 项：{item.refusal.zh}。",
                    f"Line {item.number}: {item.refusal.en}.",
                    about=item.refusal.field,
                    line=item.number,
                )
            elif entered is not None and item.line.index >= entered.index:
                self._invalid(
                    4,
                    "V-FORGED",
                    f"第 {item.number} 项在证明登记之后才存入。",
                    f"Line {item.number} was entered after the document was registered.",
                    about="index",
                    line=item.number,
                )

    # -- 5 present status ---------------------------------------------------------------------

    def _check_status(self) -> None:
        status, digest = self.status, self.digest
        entered = self.registration.entry if self.registration else None
        if status is None:
            self._unavailable("没有状态文件，未能检查是否已撤销。", "There is no status file.")
            return
        if entered is None or digest is None:
            self._unavailable(
                "文件没有成立的登记，状态无从查起。",
                "The document has no registration that holds, so no status can be looked up.",
            )
            return
        if entered.index >= status.size:
            self._unavailable(
                f"状态文件只到登记簿第 {status.size} 条，早于本证明的登记。",
                f"The status file covers {status.size} entries only; this was registered later.",
            )
            return
        revoked = status.revoked.get(digest)
        why = reason_label(revoked.reason if revoked is not None else "")
        if revoked is not None and not revoked.successor:
            self._invalid(
                5,
                "V-REVOKED",
                f"签发机构已撤销本证明（登记簿第 {revoked.index:,} 号）：{why.zh}。",
                f"Revoked by the issuer (register entry {revoked.index:,}): {why.en}.",
                about="number",
            )
        elif revoked is not None:
            self._note(
                5,
                Verdict.VALID,
                f"已有更正版本 {revoked.successor}：{why.zh}。",
                f"Superseded by {revoked.successor}: {why.en}.",
                code="V-NOTE-SUPERSEDED",
                about="number",
            )
        self._check_reversals(status, superseded=revoked is not None)
        if not self.found[5]:
            when = status.at.astimezone(evidence.PROVINCE).strftime("%Y-%m-%d %H:%M")
            self._valid(
                5,
                f"截至 {when}（登记簿 {status.size:,} 条），未被撤销或更正。",
                f"As of {when} (register size {status.size:,}), not revoked and not corrected.",
            )

    def _check_reversals(self, status: Status, *, superseded: bool) -> None:
        for item in self.lines:
            if item.entry is None or item.line.state not in ("entered", "used"):
                continue
            reversal = status.reversed.get(item.entry.leaf_hash)
            if reversal is None or self._lapsed(item.line.outcome.valid_until):
                continue
            why = reason_label(reversal.reason)
            zh = (
                f"第 {item.number} 项已被冲正（登记簿第 {reversal.index:,} 号）："
                f"{why.zh}；其余各项不受影响。"
            )
            en = (
                f"Line {item.number} was reversed (register entry {reversal.index:,}): "
                f"{why.en}; the other lines stand."
            )
            if superseded:
                self._note(
                    5,
                    Verdict.VALID,
                    zh,
                    en,
                    code="V-NOTE-SUPERSEDED",
                    about="lines",
                    line=item.number,
                )
            else:
                self._invalid(5, "V-REVOKED", zh, en, about="lines", line=item.number)

    def _lapsed(self, valid_until: date | None) -> bool:
        """Say whether an outcome's last valid day, which is inclusive, has passed."""
        return valid_until is not None and valid_until < self.at

    def _unavailable(self, zh: str, en: str) -> None:
        self._note(5, Verdict.UNDETERMINED, zh, en, code="V-UNAVAILABLE", about="state")

    # -- 6 validity, 7 the holder -------------------------------------------------------------

    def _check_validity(self, data: TranscriptData) -> None:
        if data.issued_on > self.at:
            self._note(
                6,
                Verdict.UNDETERMINED,
                "出具日期晚于所给的核验日期。",
                "It was issued after the date it is checked for.",
                code="V-UNAVAILABLE",
                about="issued_on",
            )
        for number, line in enumerate(data.lines, start=1):
            until = line.outcome.valid_until
            if until is not None and self._lapsed(until) and line.state in ("entered", "used"):
                self._note(
                    6,
                    Verdict.VALID,
                    f"第 {number} 项的有效期至 {until.isoformat()}。",
                    f"Line {number} was valid until {until.isoformat()}.",
                    code="V-NOTE-EXPIRED",
                    about="valid_until",
                    line=number,
                )
        if not self.found[6]:
            self._valid(6, "各项均在有效期内。", "All lines are within their validity.")

    def _hint(self) -> None:
        if self.data is not None:
            self._note(
                7,
                Verdict.UNDETERMINED,
                f"请核对持证人本人：{self.data.holder_name}，"
                f"证件号码 {self.data.holder_identity_masked or '—'}。",
                f"Check the person: {self.data.holder_name}, "
                f"identity document {self.data.holder_identity_masked or '—'}.",
                about="holder_name",
            )

    # -- the report ---------------------------------------------------------------------------

    def _report(self, *, evaluated: bool) -> Report:
        skipped = (
            "文件内容已不可信，本项未在文件上评估。",
            "Not evaluated: the file cannot be relied on.",
        )
        checks = []
        for number, found in self.found.items():
            skip = (number in (3, 4, 5, 6) and not evaluated) or not found
            checks.append(
                Check(
                    number=number,
                    findings=(Finding(verdict=Verdict.UNDETERMINED, zh=skipped[0], en=skipped[1]),)
                    if skip
                    else tuple(found),
                    skipped=skip,
                )
            )
        code = headline_code(
            finding for check in checks if not check.skipped for finding in check.findings
        )
        entered = self.registration.entry if self.registration else None
        return Report(
            code=code,
            checks=tuple(checks),
            checked_on=self.at,
            data=self.data,
            differences=tuple(self.differences),
            digest=self.digest,
            index=entered.index if entered else None,
            registered_at=self.registration.time if self.registration else None,
            status_at=self.status.at if self.status else None,
            status_size=self.status.size if self.status else None,
            leaves=tuple(item.entry.leaf_hash for item in self.lines if item.entry),
        )


_OURS_CHANGED: Final = frozenset(
    {
        pades.Trouble.ALTERED,
        pades.Trouble.APPENDED,
        pades.Trouble.ANNOTATION,
        pades.Trouble.CONTENT,
        pades.Trouble.ATTACHMENT,
        pades.Trouble.UPDATED,
    }
)
_TROUBLES: Final[Mapping[pades.Trouble, tuple[str, str]]] = {
    pades.Trouble.MISSING: ("PDF 的数字签名已被去除。", "The PDF's signature was taken away."),
    pades.Trouble.SEVERAL: (
        "PDF 上有另外的签名。",
        "There are further signatures on the PDF.",
    ),
    pades.Trouble.ALTERED: (
        "PDF 在签名后被改动。",
        "The PDF was altered after it was signed.",
    ),
    pades.Trouble.APPENDED: (
        "PDF 末尾在签名后被添加了数据。",
        "Data was appended to the PDF after it was signed.",
    ),
    pades.Trouble.ANNOTATION: (
        "PDF 在签名后被添加了批注或图章。",
        "A note or stamp was added to the PDF after it was signed.",
    ),
    pades.Trouble.CONTENT: (
        "PDF 的页面内容在签名后被替换。",
        "The content of a page was replaced after the PDF was signed.",
    ),
    pades.Trouble.ATTACHMENT: (
        "PDF 的附件在签名后被替换或添加。",
        "An attached file was replaced or added after the PDF was signed.",
    ),
    pades.Trouble.UPDATED: (
        "PDF 在签名后被更新。",
        "The PDF was updated after it was signed.",
    ),
    pades.Trouble.NOT_CERTIFYING: (
        "PDF 的签名不是禁止改动的认证签名。",
        "The PDF's signature is not one that forbids changes.",
    ),
    pades.Trouble.STRANGER: (
        "PDF 的签名证书不属于本学分银行。",
        "The certificate of the PDF's signature is not this credit bank's.",
    ),
    pades.Trouble.DAMAGED: (
        "PDF 的签名无法读取。",
        "The PDF's signature cannot be read.",
    ),
}
_TROUBLE_FIELDS: Final[Mapping[pades.Trouble, str]] = {
    pades.Trouble.MISSING: "signature",
    pades.Trouble.SEVERAL: "signature",
    pades.Trouble.ALTERED: "page",
    pades.Trouble.APPENDED: "page",
    pades.Trouble.ANNOTATION: "page",
    pades.Trouble.CONTENT: "page",
    pades.Trouble.ATTACHMENT: "attachment",
    pades.Trouble.UPDATED: "page",
    pades.Trouble.NOT_CERTIFYING: "signature",
    pades.Trouble.STRANGER: "signature",
    pades.Trouble.DAMAGED: "signature",
}


def _short(value: object) -> str:
    return "" if value is None else str(value)[:200]
