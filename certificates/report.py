"""The result of a verification: seven named checks, the codes, and one headline.

The numbers and codes are the same on the page, in the API, in the browser and
on the command line. A check that could not be made is never drawn as passed
and never as failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from certificates.formats.transcript import Difference, Label, TranscriptData, label


class Verdict(StrEnum):
    """What one check found."""

    VALID = "valid"
    INVALID = "invalid"
    UNDETERMINED = "undetermined"


class Outcome(StrEnum):
    """What the checks come to, for a reader: the word beside the headline."""

    VALID = "valid"
    NOTE = "note"
    UNDETERMINED = "undetermined"
    INVALID = "invalid"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Code:
    """A headline: what it says, what it comes to, what to do now."""

    zh: str
    en: str
    outcome: Outcome
    next_zh: str
    next_en: str


CODES: Final[Mapping[str, Code]] = {
    "V-OK": Code(
        zh="有效",
        en="Valid",
        outcome=Outcome.VALID,
        next_zh="请核对持证人证件，并保存核验回执。",
        next_en="Compare the holder's identity document, and keep the receipt of this check.",
    ),
    "V-NOTE-EXPIRED": Code(
        zh="真实，但已过有效期",
        en="Genuine, past its validity",
        outcome=Outcome.NOTE,
        next_zh="请询问持证人是否已续期。",
        next_en="Ask the holder whether it was renewed.",
    ),
    "V-NOTE-SUPERSEDED": Code(
        zh="真实，但已有更正版本",
        en="Genuine, superseded by a correction",
        outcome=Outcome.NOTE,
        next_zh="请持证人出示更正后的证明。",
        next_en="Ask the holder for the corrected transcript.",
    ),
    "V-NOTE-FROZEN-BEFORE": Code(
        zh="机构现被冻结；本证明签发并登记于问题时间之前",
        en="Issuer frozen now; this was registered before the incident",
        outcome=Outcome.NOTE,
        next_zh="请阅读公告。",
        next_en="Read the public notice.",
    ),
    "V-HOLD": Code(
        zh="该证明正在核查",
        en="Under review",
        outcome=Outcome.UNDETERMINED,
        next_zh="请等待核查结果。",
        next_en="Wait for the result of the review.",
    ),
    "V-REVOKED": Code(
        zh="签发机构已撤销",
        en="Revoked by the issuer",
        outcome=Outcome.INVALID,
        next_zh="请联系签发机构。",
        next_en="Contact the issuer.",
    ),
    "V-TAMPERED": Code(
        zh="文件与登记内容不一致",
        en="File differs from the register",
        outcome=Outcome.INVALID,
        next_zh="请以登记内容为准，并请持证人提供核验链接。",
        next_en="Trust the register, and ask the holder for the verification link.",
    ),
    "V-FORGED": Code(
        zh="签名或编号从未登记",
        en="Never registered",
        outcome=Outcome.INVALID,
        next_zh="请勿采信，并报告疑似伪造。",
        next_en="Do not rely on it, and report the suspected forgery.",
    ),
    "V-TYPO": Code(
        zh="编号或验证码有误",
        en="Typing error in the number or code",
        outcome=Outcome.NONE,
        next_zh="请检查所示的一组。",
        next_en="Check the group named.",
    ),
    "V-NOTFOUND": Code(
        zh="未找到该编号",
        en="No such number",
        outcome=Outcome.NONE,
        next_zh="请检查编号与验证码；早年的纸质证书和其他平台的证书不在此处核验。",
        next_en="Check number and code; old paper certificates and those of other platforms are "
        "not verified here.",
    ),
    "V-SHARE-ENDED": Code(
        zh="持有人已结束分享或分享到期；不代表证书失效",
        en="Sharing ended; says nothing about the certificate",
        outcome=Outcome.NONE,
        next_zh="请向持有人索取新的分享链接。",
        next_en="Ask the holder for a new link.",
    ),
    "V-WRONGFILE": Code(
        zh="这不是本平台签发的文件（可能是截图、扫描件或其他平台证书）",
        en="Not one of our files (perhaps a picture, a scan or another platform's certificate)",
        outcome=Outcome.NONE,
        next_zh="请改用证明上的二维码，或编号和验证码核验。",
        next_en="Use the QR code, or the number and code, printed on the transcript.",
    ),
    "V-UNAVAILABLE": Code(
        zh="状态服务暂不可用，未能检查",
        en="Could not check now",
        outcome=Outcome.UNDETERMINED,
        next_zh="请稍后再试，或取得最新的状态文件后离线核验。",
        next_en="Try again later, or verify offline with a newer status file.",
    ),
}

PRECEDENCE: Final = (
    "V-WRONGFILE",
    "V-TAMPERED",
    "V-FORGED",
    "V-REVOKED",
    "V-HOLD",
    "V-UNAVAILABLE",
    "V-NOTE-SUPERSEDED",
    "V-NOTE-FROZEN-BEFORE",
    "V-NOTE-EXPIRED",
    "V-OK",
)
"""When several codes apply, the first is the headline and the rest stay listed."""

CHECKS: Final[Mapping[int, Label]] = {
    1: Label(zh="文件格式", en="File format"),
    2: Label(zh="内容未被改动", en="Content unaltered"),
    3: Label(zh="签发机构身份", en="Identity of the issuer"),
    4: Label(zh="签发时机构与密钥是否有效", en="Issuer and keys in force when issued"),
    5: Label(zh="当前状态", en="Present status"),
    6: Label(zh="有效期", en="Validity"),
    7: Label(zh="持证人核对提示", en="Checking the holder"),
}

EXIT: Final[Mapping[Outcome, int]] = {
    Outcome.VALID: 0,
    Outcome.NOTE: 0,
    Outcome.INVALID: 1,
    Outcome.UNDETERMINED: 2,
    Outcome.NONE: 3,
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing a check found, with the field and line it is about and a sentence for readers.

    `code` is empty where all is well. A note (`V-NOTE-...`) is valid with a code.
    """

    verdict: Verdict
    zh: str
    en: str
    code: str = ""
    field: str = ""
    line: int | None = None

    @property
    def label(self) -> Label:
        """The field's name for readers."""
        return label(self.field)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One of the seven checks. `skipped` says that it was not evaluated on this file."""

    number: int
    findings: tuple[Finding, ...]
    skipped: bool = False

    @property
    def name(self) -> Label:
        """The check's name."""
        return CHECKS[self.number]

    @property
    def verdict(self) -> Verdict:
        """Invalid if anything is, else undetermined if anything is; never valid by silence."""
        verdicts = {finding.verdict for finding in self.findings}
        for verdict in (Verdict.INVALID, Verdict.UNDETERMINED):
            if verdict in verdicts or (verdict is Verdict.UNDETERMINED and self.skipped):
                return verdict
        return Verdict.VALID if verdicts else Verdict.UNDETERMINED

    @property
    def state(self) -> str:
        """The word the pages draw the check with: its verdict, `note` or `skipped`."""
        if self.skipped:
            return "skipped"
        if self.verdict is Verdict.VALID and any(finding.code for finding in self.findings):
            return "note"
        return self.verdict.value


@dataclass(frozen=True, kw_only=True)
class Report:
    """What verifying a file came to.

    `data` is what the file says, believed only where `outcome` allows;
    `differences` name each field in which the file differs from what it must be.
    """

    code: str
    checks: tuple[Check, ...]
    checked_on: date
    data: TranscriptData | None = None
    differences: tuple[Difference, ...] = ()
    digest: bytes | None = None
    index: int | None = None
    """The log index of the document's registration, once proved."""
    registered_at: datetime | None = None
    status_at: datetime | None = None
    status_size: int | None = None
    leaves: tuple[bytes, ...] = field(default=())
    """The leaf hashes of the lines, once proved, in the order of the lines."""

    @property
    def headline(self) -> Code:
        """The headline in both languages."""
        return CODES[self.code]

    @property
    def outcome(self) -> Outcome:
        """What the checks come to."""
        return self.headline.outcome

    @property
    def exit_code(self) -> int:
        """0 genuine, 1 invalid, 2 could not be checked, 3 not one of our files."""
        return EXIT[self.outcome]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was found, in the order of the checks."""
        return tuple(finding for check in self.checks for finding in check.findings)

    @property
    def fields(self) -> frozenset[str]:
        """The fields that something was found about, or that differ."""
        return frozenset(
            {finding.field for finding in self.findings if finding.code and finding.field}
            | {difference.field for difference in self.differences}
        )

    def to_json(self) -> dict[str, Any]:
        """Return the report for programs; the sentences in both languages."""
        return {
            "code": self.code,
            "outcome": self.outcome.value,
            "headline": {"zh": self.headline.zh, "en": self.headline.en},
            "next": {"zh": self.headline.next_zh, "en": self.headline.next_en},
            "checked_on": self.checked_on.isoformat(),
            "checks": [
                {
                    "number": check.number,
                    "name": {"zh": check.name.zh, "en": check.name.en},
                    "verdict": check.verdict.value,
                    "evaluated": not check.skipped,
                    "findings": [
                        {
                            "code": finding.code,
                            "verdict": finding.verdict.value,
                            "field": finding.field,
                            "line": finding.line,
                            "zh": finding.zh,
                            "en": finding.en,
                        }
                        for finding in check.findings
                    ],
                }
                for check in self.checks
            ],
            "differences": [
                {
                    "field": item.field,
                    "line": item.line,
                    "label": {"zh": item.label_zh, "en": item.label_en},
                    "in_file": item.in_file,
                    "expected": item.expected,
                }
                for item in self.differences
            ],
            "number": self.data.number if self.data else None,
            "digest": self.digest.hex() if self.digest else None,
            "index": self.index,
            "registered_at": _moment(self.registered_at),
            "status": None
            if self.status_at is None
            else {"at": _moment(self.status_at), "size": self.status_size},
        }


def headline_code(findings: Iterable[Finding]) -> str:
    """Choose the headline among the codes found; V-OK when there is none."""
    codes = {finding.code for finding in findings if finding.code}
    return next((code for code in PRECEDENCE if code in codes), "V-OK")


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
