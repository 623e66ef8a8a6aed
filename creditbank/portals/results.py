"""The result of a verification in the reader's language, ready to be drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from certificates import queries, verification
from certificates.documents import TranscriptData
from certificates.formats.vocabulary import kind_label
from certificates.report import CODES
from certificates.verification import Verified
from creditbank.portals import outcomewords
from creditbank.portals.templatetags.bank import civil_date


def pick(chinese: str, english: str) -> str:
    """Return the words in the reader's language, for what carries both."""
    return chinese if (get_language() or "zh-hans").startswith("zh") else english


@dataclass(frozen=True, kw_only=True)
class ShownFinding:
    """One sentence under a check."""

    sentence: str
    code: str


@dataclass(frozen=True, kw_only=True)
class ShownCheck:
    """One of the seven checks as it is drawn."""

    number: int
    result: str
    findings: tuple[ShownFinding, ...]
    label: str | Promise = ""


@dataclass(frozen=True, kw_only=True)
class ShownDifference:
    """A field in which the file differs: what it says, and what the register says."""

    label: str
    in_file: str
    registered: str


@dataclass(frozen=True, kw_only=True)
class ShownLine:
    """One line of the transcript, from the register."""

    number: int
    title: str
    kind: str
    institution: str
    completed_on: date
    result: str
    credits: Decimal
    index: int
    state: str
    valid_until: date | None


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something to do now."""

    label: str | Promise
    url: str
    primary: bool = False
    print: bool = False


_NEXT: Final[Mapping[str, tuple[Action, ...]]] = {
    "V-FORGED": (Action(label=_("怎样报告疑似伪造"), url="/help#verify", primary=True),),
    "V-WRONGFILE": (
        Action(label=_("用编号和验证码核验"), url="/verify#by-number", primary=True),
        Action(label=_("编号和二维码在哪里"), url="/help#verify"),
    ),
    "V-NOTFOUND": (Action(label=_("重新输入"), url="/verify", primary=True),),
    "V-UNAVAILABLE": (
        Action(label=_("再试一次"), url="", primary=True),
        Action(label=_("怎样离线核验"), url="/help#offline"),
    ),
    "V-TAMPERED": (Action(label=_("请持证人出示二维码"), url="/help#verify", primary=True),),
}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A result, ready for the page."""

    verified: Verified
    headline: str
    sentence: str
    next: str
    checks: tuple[ShownCheck, ...]
    differences: tuple[ShownDifference, ...]
    lines: tuple[ShownLine, ...]
    actions: tuple[Action, ...]
    claimed_number: str

    @property
    def code(self) -> str:
        """The result's code."""
        return self.verified.code

    @property
    def verdict(self) -> str:
        """The state the band is drawn with; what judged nothing is drawn as undetermined."""
        outcome = self.verified.outcome
        return "undetermined" if outcome == "none" else outcome

    @property
    def register(self) -> TranscriptData | None:
        """The register's values."""
        return self.verified.register

    @property
    def issuer(self) -> str:
        """Who issued it, by the name that the document has for the reader's language."""
        data = self.register
        return "" if data is None else pick(data.issuer_name, data.issuer_name_en)

    @property
    def judged(self) -> bool:
        """Whether a document was looked at."""
        return self.verified.report is not None


_FORGOTTEN_SENTENCE: Final = _(
    "这个编号确实登记过。持证人已要求删除个人信息，登记簿不再保存此人，因此不能显示内容。"
    "这不表示证明无效：持证人手中的 PDF 原件仍可用文件核验。"
)


def shown(verified: Verified) -> Shown:
    """Put a result into the reader's language."""
    report = verified.report or {}
    headline, sentence, further = _words(verified)
    return Shown(
        verified=verified,
        headline=headline,
        sentence=sentence,
        next=further,
        checks=tuple(_check(check) for check in report.get("checks", [])),
        differences=tuple(
            ShownDifference(
                label=pick(item["label"]["zh"], item["label"]["en"]),
                in_file=item["in_file"],
                registered=item["expected"],
            )
            for item in report.get("differences", [])
        ),
        lines=_lines(verified.register),
        actions=_NEXT.get(verified.code, ()),
        claimed_number=str(report.get("number") or ""),
    )


def _words(verified: Verified) -> tuple[str, str, str]:
    """Return headline, sentence and next step."""
    if verified.code == verification.FORGOTTEN:
        headline = gettext("登记簿不再保存此人")
        return (
            headline,
            _revoked_words(verified) or str(_FORGOTTEN_SENTENCE),
            gettext("请持证人出示 PDF 原件，用文件核验。"),
        )
    code = CODES[verified.code]
    sentence = _revoked_words(verified)
    if not sentence and verified.code == verification.OK:
        sentence = gettext("七项核验没有发现问题。请再核对持证人本人。")
    return pick(code.zh, code.en), sentence, pick(code.next_zh, code.next_en)


def _revoked_words(verified: Verified) -> str:
    revocation = verified.revocation
    if revocation is None:
        return ""
    facts = {
        "reason": queries.reason_words(revocation.reason),
        "index": f"{revocation.index:,}",
        "successor": revocation.successor,
        "when": "",
    }
    if verified.revoked_at is not None:
        facts["when"] = civil_date(verified.revoked_at)
    if revocation.successor:
        return (
            gettext("%(when)s 已由更正版本 %(successor)s 取代（登记簿第 %(index)s 号）。") % facts
        )
    return gettext("%(when)s 撤销，原因：%(reason)s（登记簿第 %(index)s 号）。") % facts


def _check(check: Mapping[str, Any]) -> ShownCheck:
    # One difference may be found twice, by a line's own proof and by the register.
    findings = tuple(
        dict.fromkeys(
            ShownFinding(sentence=pick(item["zh"], item["en"]), code=item["code"])
            for item in check["findings"]
        )
    )
    if not check["evaluated"]:
        result = "skipped"
    elif check["verdict"] == "valid" and any(finding.code for finding in findings):
        result = "note"
    else:
        result = check["verdict"]
    number = check["number"]
    # The last check is the reader's: nobody else can make it.
    label = _("请您核对") if number == 7 and result == "undetermined" else ""
    return ShownCheck(number=number, result=result, findings=findings, label=label)


def _lines(data: TranscriptData | None) -> tuple[ShownLine, ...]:
    if data is None:
        return ()
    names = outcomewords.institution_names()
    lines = []
    for number, line in enumerate(data.lines, start=1):
        outcome, result = line.outcome, line.result
        kind = kind_label(outcome.kind)
        lines.append(
            ShownLine(
                number=number,
                title=pick(outcome.title, outcome.title_en or outcome.title),
                kind=pick(kind.zh, kind.en),
                institution=names.get(line.institution_name, line.institution_name),
                completed_on=outcome.completed_on,
                result=" · ".join(
                    text for text in (outcomewords.grade(result.grade), result.score) if text
                ),
                credits=outcome.credits,
                index=line.index,
                state=line.state,
                valid_until=outcome.valid_until,
            )
        )
    return tuple(lines)
