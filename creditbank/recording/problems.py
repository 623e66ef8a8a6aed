"""What can be wrong with a row, as stable codes, each with one sentence in the reader's language.

A problem is kept by its code, so that a result found by a worker is told in the
language of whoever reads it later.
"""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creditbank.errors import Problem

SENTENCES: Final[dict[str, Promise | str]] = {
    # any cell
    "value-missing": _("此项必填。"),
    "cell-error": _("单元格里是错误值，或公式没有结果。请改为填写内容本身。"),
    "text-too-long": _("文字太长。"),
    "text-character": _("含有不允许的字符。"),
    "number-unreadable": _("这里应填数字。"),
    # the person
    "document-type-unknown": _("没有这种证件类型。"),
    "identity-mangled": _(
        "证件号码被 Excel 改成数字，后几位可能已丢失。请把该列设为“文本”，再从原始资料重新填写。"
    ),
    "identity-check": _("证件号码的校验码不对，请核对全部数字。"),
    "identity-length": _("证件号码的位数不对。"),
    "identity-format": _("证件号码的格式不对。"),
    "identity-birth-date": _("证件号码中的出生日期不是真实的日期。"),
    "identity-old-form": _("15 位旧号码没有校验码，请填写 18 位号码。"),
    "name-empty": _("姓名不能为空。"),
    "name-length": _("姓名太长。"),
    "name-character": _("姓名里有不允许的字符。"),
    "name-private-use": _("姓名里有自造字编码，请用该字的国际编码（Unicode）重新输入。"),
    "name-differs": _("姓名与学分银行登记的不一致。请核对证件；若登记有误，请先办理更正。"),
    "name-differs-in-file": _("同一个证件号码在文件里有两个不同的姓名。"),
    "own-award": _("不能为经办人或复核人本人存入学分，请由同事经办。"),
    # the item
    "unknown-item": _("学习成果名录里没有这个编码。"),
    "item-not-approved": _("名录里的这个项目还没有核定学分。"),
    "item-not-in-force": _("完成日期不在名录项目的有效期内。"),
    "not-own-item": _("这个项目属于另一家机构，只能由它记录。"),
    "outside-scope": _("机构在完成日期无权记录这类成果。"),
    # the dates
    "date-unreadable": _("日期无法读取。"),
    "date-in-future": _("日期不能晚于今天。"),
    "date-too-old": _("日期太早。"),
    "dates-out-of-order": _("开始日期不得晚于完成日期，有效期不得早于完成日期。"),
    # the credits and the result
    "credits-out-of-range": _("学分须在 0 至 200 之间。"),
    "credits-not-hundredths": _("学分最多保留两位小数。"),
    "credits-differ": _("学分与名录核定的不同。可留空，由名录确定。"),
    "score-out-of-range": _("分数须在 0 至 1000 之间。"),
    "hours-out-of-range": _("学时须大于 0，且不超过 10000。"),
    "not-passed": _("未通过的成绩不能存入学分。"),
    # what tells one outcome from another
    "certificate-missing": _("这类成果必须填写证书编号。"),
    "certificate-mangled": _("证书编号被 Excel 改成数字，请把该列设为“文本”后重新填写。"),
    "certificate-length": _("证书编号的位数不对。"),
    "certificate-character": _("证书编号含有不允许的字符。"),
    "certificate-format": _(
        "人社职业技能等级证书编号应为一位字母 Y 或 S 加 21 位数字，第 16 位为 1 至 5 的等级。"
    ),
    "certificate-level": _("证书编号里的等级与名录项目的等级不同。"),
    "reference-missing": _("这类成果必须填写此项，否则无法与另一次区分。"),
    "year-unreadable": _("年度应为四位数字，且不晚于今年。"),
    "term-missing": _("学分银行已有这门课程的成绩；再次修读须写明学期。"),
    # against the rest of the file, and against the bank
    "duplicate-in-file": _("与文件里的另一行重复：同一个人的同一项成果。"),
    "already-held": _("学分银行已有这项成果，而内容不同。如需更正，请先冲正原记录。"),
    "held-elsewhere": _("这项成果由另一序列记录，不能由本序列更改。"),
    "retake-not-comparable": _("无法比较两次修读的成绩，请填写同一种成绩。"),
    # from the ledger
    "duplicate-outcome": _("学分银行已有这项成果。"),
    "not-recordable": _("登记簿没有接受这一行。"),
}


def sentence(code: str) -> str:
    """Return the sentence of a code in the reader's language."""
    return str(SENTENCES.get(code, SENTENCES["not-recordable"]))


def problem(
    code: str, row: int | None, field: str | None, value: object = "", expected: object = ""
) -> Problem:
    """Make a problem. `value` must already be masked where it is personal."""
    return Problem(
        code=code,
        row=row,
        field=field,
        value=str(value)[:120] or None,
        expected=str(expected)[:200] or None,
        message=sentence(code),
    )


def told_again(found: Problem) -> Problem:
    """Return a problem with its sentence in the language of now."""
    return problem(found.code, found.row, found.field, found.value or "", found.expected or "")
