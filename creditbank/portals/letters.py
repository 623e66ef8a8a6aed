"""The letter that a decision is told in: what follows from it, in whole sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext, ngettext

from creditbank.institutions.models import in_english
from creditbank.portals.casewords import ShownLine
from creditbank.recognition.deciding.procedure import Fee, Procedure
from creditbank.recognition.workflow.cases import Case


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What a letter says besides its lines: the credits in all, and what follows."""

    credits: Decimal
    sentences: tuple[str, ...]


def letter(case: Case, lines: Sequence[ShownLine]) -> Letter:
    """Return the letter of a decision with these lines, as it would be made today."""
    given = [line for line in lines if line.verdict != "refused"]
    total = sum((line.total for line in given), Decimal(0))
    return Letter(credits=total, sentences=tuple(_sentences(case.procedure, given)))


def _sentences(procedure: Procedure, given: Sequence[ShownLine]) -> list[str]:
    said = []
    if given and procedure.notice_days:
        said.append(
            ngettext(
                "决定公示 %(days)s 个工作日，期满后生效。",
                "决定公示 %(days)s 个工作日，期满后生效。",
                procedure.notice_days,
            )
            % {"days": procedure.notice_days}
        )
    elif given:
        said.append(gettext("决定登记后立即生效，所用的成果随即使用完毕，不能再用于别处。"))
    if any(line.verdict == "waived" for line in given):
        said.append(gettext("免修的课程视为已满足要求，不计学分。"))
    if given:
        said.append(
            gettext("认定的成绩计入平均学分绩点。")
            if procedure.average == "included"
            else gettext("认定的成绩不计入平均学分绩点。")
        )
    said += [sentence for fee in procedure.fees if (sentence := _fee(fee))]
    said.append(
        ngettext(
            "如不同意，可在决定作出后 %(days)s 天内申请复议，由没有参与决定的人办理。",
            "如不同意，可在决定作出后 %(days)s 天内申请复议，由没有参与决定的人办理。",
            procedure.appeal_days,
        )
        % {"days": procedure.appeal_days}
    )
    return said


def _fee(fee: Fee) -> str:
    note = fee.note_en if in_english() and fee.note_en else fee.note
    if fee.kind == "none" or fee.amount is None:
        return gettext("费用：%(note)s") % {"note": note} if note else ""
    amount = format(fee.amount, "f")
    sentence = {
        "payable": gettext("须缴费 %(amount)s 元。"),
        "refunded": gettext("退还学费 %(amount)s 元。"),
        "per-course": gettext("每门认定的课程须缴费 %(amount)s 元。"),
    }.get(fee.kind, "%(amount)s")
    return " ".join(part for part in (sentence % {"amount": amount}, note) if part)
