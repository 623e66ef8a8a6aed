"""What a transcript says, as frozen values: the holder, the lines, the totals, and their names.

Pure. `formats.clr` turns these values into a ClrCredential and back,
`certificates.pdf` into pages; both name a field by the same word, so that a
difference found in either can be told to a reader in the same terms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import ClassVar, Final

from creditbank.errors import DomainError
from creditbank.ledger.statements import Outcome, Result
from creditbank.proofs import texts

LINES_MAX: Final = 300
"""More than anyone has earned; a longer document is not one of ours."""

STATES: Final = ("entered", "used", "expired", "reversed")
TOKEN: Final = re.compile(r"[0-9A-Za-z]{22}")
NO_CREDITS: Final = Decimal("0.00")


class TranscriptInvalid(DomainError):
    """Values that cannot stand on a transcript; the facts name field, line, value and expected."""

    code: ClassVar[str] = "transcript-invalid"


@dataclass(frozen=True, kw_only=True)
class Label:
    """A field's name for readers, Chinese first."""

    zh: str
    en: str


FIELDS: Final[dict[str, Label]] = {
    "number": Label(zh="证明编号", en="Number"),
    "code": Label(zh="验证码", en="Verification code"),
    "holder_name": Label(zh="持证人姓名", en="Holder"),
    "holder_identity_masked": Label(zh="证件号码", en="Identity document"),
    "account": Label(zh="学分账号", en="Credit account"),
    "other_accounts": Label(zh="其他学分账号", en="Other credit accounts"),
    "issued_on": Label(zh="出具日期", en="Date of issue"),
    "issuer_name": Label(zh="出具机构", en="Issuer"),
    "issuer_name_en": Label(zh="出具机构英文名称", en="Issuer in English"),
    "bank_did": Label(zh="出具机构标识", en="Issuer's identifier"),
    "public_url": Label(zh="核验网址", en="Verification address"),
    "verify_token": Label(zh="核验链接", en="Verification link"),
    "totals": Label(zh="合计", en="Totals"),
    "lines": Label(zh="成果条目", en="Lines"),
    "index": Label(zh="登记簿序号", en="Register number"),
    "title": Label(zh="成果名称", en="Title"),
    "title_en": Label(zh="成果英文名称", en="Title in English"),
    "kind": Label(zh="成果类型", en="Kind"),
    "item": Label(zh="成果代码", en="Item"),
    "item_version": Label(zh="成果版本", en="Item version"),
    "body": Label(zh="授予单位统一社会信用代码", en="Awarding body's code"),
    "body_name": Label(zh="授予单位", en="Awarding body"),
    "institution_name": Label(zh="登记机构", en="Recording institution"),
    "credits": Label(zh="学分", en="Credits"),
    "framework": Label(zh="资历框架", en="Framework"),
    "level": Label(zh="等级", en="Level"),
    "category": Label(zh="类别", en="Category"),
    "completed_on": Label(zh="完成日期", en="Completed on"),
    "valid_until": Label(zh="有效期至", en="Valid until"),
    "grade": Label(zh="成绩等级", en="Grade"),
    "score": Label(zh="分数", en="Score"),
    "hours": Label(zh="学时", en="Hours"),
    "state": Label(zh="状态", en="State"),
    "recorded_on": Label(zh="登记日期", en="Recorded on"),
    "proof": Label(zh="登记证明", en="Ledger proof"),
    "registration": Label(zh="证明文件登记", en="Registration of the document"),
    "signature": Label(zh="数字签名", en="Digital signature"),
    "attachment": Label(zh="附件", en="Attachment"),
    "page": Label(zh="页面", en="Page"),
    "qr": Label(zh="二维码", en="QR code"),
    "content": Label(zh="内容", en="Content"),
}


def label(field: str) -> Label:
    """Return a field's name for readers; a field without one is named by its own word."""
    return FIELDS.get(field, Label(zh=field, en=field))


@dataclass(frozen=True, kw_only=True)
class Totals:
    """The sums over a transcript's lines, in credits.

    `credits` is what the lines give in all: available and used. Lapsed lines
    (reversed or expired) stay readable and count nothing.
    """

    count: int
    credits: Decimal
    available: Decimal
    used: Decimal
    lapsed: Decimal


@dataclass(frozen=True, kw_only=True)
class TranscriptLine:
    """One learning outcome as the ledger holds it, with its proof.

    `index` is the entry's log index, `proof` the text of its ledger proof
    (c2sp.org/tlog-proof), `recorded_on` the civil date of its first checkpoint.
    """

    index: int
    outcome: Outcome
    result: Result
    state: str
    recorded_on: date
    institution_name: str
    proof: str
    account: str = ""
    """The account the entry stands in, where it is another than the document's first."""

    def __post_init__(self) -> None:
        if not 0 <= self.index < 1 << 53:
            raise TranscriptInvalid(field="index", value=str(self.index), expected="a log index")
        if self.state not in STATES:
            raise TranscriptInvalid(field="state", value=self.state, expected=", ".join(STATES))
        _check_text("institution_name", self.institution_name)
        if not self.proof:
            raise TranscriptInvalid(field="proof", value="", expected="a ledger proof")


@dataclass(frozen=True, kw_only=True)
class TranscriptData:
    """Everything a transcript says.

    `code` (12 characters, without hyphens) is printed on the page and never
    part of the signed data: who holds the file alone cannot look it up by
    number. `verify_token` is the random part of the QR link. A learner may have
    several accounts (`other_accounts`); a line names its own when it is not the
    first. Raises TranscriptInvalid for values that cannot stand on a document.
    """

    number: str
    code: str = ""
    holder_name: str
    holder_identity_masked: str
    account: str
    other_accounts: tuple[str, ...] = ()
    issued_on: date
    issuer_name: str
    issuer_name_en: str
    bank_did: str
    public_url: str
    verify_token: str
    lines: tuple[TranscriptLine, ...]

    def __post_init__(self) -> None:
        for field in ("number", "holder_name", "account", "issuer_name", "bank_did", "public_url"):
            _check_text(field, getattr(self, field))
        for field in ("holder_identity_masked", "issuer_name_en"):
            _check_text(field, getattr(self, field), required=False)
        if not TOKEN.fullmatch(self.verify_token):
            raise TranscriptInvalid(
                field="verify_token", value=self.verify_token, expected="22 letters and digits"
            )
        if not self.lines or len(self.lines) > LINES_MAX:
            raise TranscriptInvalid(
                field="lines", value=str(len(self.lines)), expected=f"1 to {LINES_MAX} lines"
            )
        if len(set(self.accounts)) != len(self.accounts) or not all(self.accounts):
            raise TranscriptInvalid(
                field="account", value=", ".join(self.accounts), expected="each account once"
            )
        seen: set[int] = set()
        for number, line in enumerate(self.lines, start=1):
            if line.index in seen:
                raise TranscriptInvalid(
                    field="index", line=number, value=str(line.index), expected="each entry once"
                )
            seen.add(line.index)
            if line.account and line.account not in self.other_accounts:
                raise TranscriptInvalid(
                    field="account",
                    line=number,
                    value=line.account,
                    expected=", ".join(self.accounts),
                )

    @property
    def accounts(self) -> tuple[str, ...]:
        """All accounts of the holder that the transcript covers, the main one first."""
        return (self.account, *self.other_accounts)

    @property
    def verify_url(self) -> str:
        """The address that the QR code opens; also the credential's id."""
        return f"{self.public_url}/v/{self.verify_token}"

    @property
    def totals(self) -> Totals:
        """The sums over the lines; never given, always computed."""
        sums = dict.fromkeys(STATES, NO_CREDITS)
        for line in self.lines:
            sums[line.state] += line.outcome.credits
        return Totals(
            count=len(self.lines),
            credits=sums["entered"] + sums["used"],
            available=sums["entered"],
            used=sums["used"],
            lapsed=sums["expired"] + sums["reversed"],
        )

    def without_proofs(self) -> TranscriptData:
        """Return the same transcript with every proof replaced by a dash, for comparing values."""
        return replace(self, lines=tuple(replace(line, proof="-") for line in self.lines))


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field that differs: what the file says, and what was expected in its place.

    `line` counts the transcript's lines from 1; None is the document itself.
    """

    field: str
    line: int | None = None
    in_file: str
    expected: str

    @property
    def label_zh(self) -> str:
        """The field's Chinese name, with the line."""
        name = label(self.field).zh
        return name if self.line is None else f"第 {self.line} 项 {name}"

    @property
    def label_en(self) -> str:
        """The field's English name, with the line."""
        name = label(self.field).en
        return name if self.line is None else f"Line {self.line}: {name}"


_DOCUMENT_FIELDS: Final = (
    "number",
    "holder_name",
    "holder_identity_masked",
    "account",
    "other_accounts",
    "issued_on",
    "issuer_name",
    "issuer_name_en",
    "bank_did",
    "public_url",
    "verify_token",
)
_OUTCOME_FIELDS: Final = (
    "title",
    "title_en",
    "kind",
    "item",
    "item_version",
    "body",
    "body_name",
    "credits",
    "framework",
    "level",
    "category",
    "completed_on",
    "valid_until",
)
_RESULT_FIELDS: Final = ("grade", "score", "hours")
_LINE_FIELDS: Final = ("index", "account", "state", "recorded_on", "institution_name")


def plain(value: object) -> str:
    """Write a value as readers compare it: ISO dates, two places for credits, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, tuple):
        return ", ".join(plain(item) for item in value)
    return str(value)


def _pairs(
    number: int | None, in_file: object, expected: object, fields: tuple[str, ...]
) -> Iterator[Difference]:
    for field in fields:
        left, right = plain(getattr(in_file, field)), plain(getattr(expected, field))
        if left != right:
            yield Difference(field=field, line=number, in_file=left, expected=right)


def outcome_differences(
    number: int | None, in_file: Outcome, expected: Outcome
) -> list[Difference]:
    """Name the fields in which two outcomes differ."""
    return list(_pairs(number, in_file, expected, _OUTCOME_FIELDS))


def result_differences(number: int | None, in_file: Result, expected: Result) -> list[Difference]:
    """Name the fields in which two results differ."""
    return list(_pairs(number, in_file, expected, _RESULT_FIELDS))


def line_differences(
    number: int, in_file: TranscriptLine, expected: TranscriptLine
) -> list[Difference]:
    """Name the fields in which two lines differ; proofs are not compared."""
    return [
        *outcome_differences(number, in_file.outcome, expected.outcome),
        *result_differences(number, in_file.result, expected.result),
        *_pairs(number, in_file, expected, _LINE_FIELDS),
    ]


def differences(in_file: TranscriptData, expected: TranscriptData) -> list[Difference]:
    """Name every field in which a file differs from what was expected, document first."""
    found = list(_pairs(None, in_file, expected, _DOCUMENT_FIELDS))
    if len(in_file.lines) == len(expected.lines):
        for number, (left, right) in enumerate(
            zip(in_file.lines, expected.lines, strict=True), start=1
        ):
            found += line_differences(number, left, right)
        return found
    # Lines were taken away or added: compare those that both have, by log index.
    by_index = {line.index: line for line in expected.lines}
    for number, left in enumerate(in_file.lines, start=1):
        match = by_index.pop(left.index, None)
        if match is None:
            found.append(
                Difference(field="lines", line=number, in_file=left.outcome.title, expected="")
            )
        else:
            found += line_differences(number, left, match)
    found += [
        Difference(field="lines", in_file="", expected=f"{line.outcome.title} ({line.index})")
        for line in by_index.values()
    ]
    return found


def _check_text(field: str, value: str, *, required: bool = True) -> None:
    found = texts.fault(value, required=required)
    if found is not None:
        raise TranscriptInvalid(field=field, value=found[0], expected=found[1])
