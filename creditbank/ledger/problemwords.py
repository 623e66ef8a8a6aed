"""What the ledger says of a refused row, in the reader's language.

The checks are pure or run over thousands of rows, so they say it in Chinese and
know no translation; whoever shows it to somebody puts it into words here. A
test reads the modules and fails on a sentence that this table does not hold.
"""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creditbank.errors import Problem

SENTENCES: Final[dict[str, Promise]] = {
    # checks
    "没有这种分录": _("没有这种分录"),
    "这个序列不能记这种分录": _("这个序列不能记这种分录"),
    "数量必须是整数": _("数量必须是整数"),
    "没有写明账号": _("没有写明账号"),
    "账号不对": _("账号不对"),
    "账号有误，请对照开户回执核对每一组字符": _("账号有误，请对照开户回执核对每一组字符"),
    "没有这个账户，或其持有人已要求删除": _("没有这个账户，或其持有人已要求删除"),
    "唯一标识必须以 /1、/2 … 结尾": _("唯一标识必须以 /1、/2 … 结尾"),
    "唯一标识与所授予的成果不符": _("唯一标识与所授予的成果不符"),
    "唯一标识与所指的分录不符": _("唯一标识与所指的分录不符"),
    "没有写明所指的分录": _("没有写明所指的分录"),
    "这种分录不变动学分": _("这种分录不变动学分"),
    "学分超出范围": _("学分超出范围"),
    "开启内容里有不认识的成员": _("开启内容里有不认识的成员"),
    "日期无法读取": _("日期无法读取"),
    "完成日期不在允许的范围内": _("完成日期不在允许的范围内"),
    "名录中没有这个已核定的项目": _("名录中没有这个已核定的项目"),
    "与学习成果名录核定的内容不符": _("与学习成果名录核定的内容不符"),
    "机构不能记录在该日期完成的这个项目": _("机构不能记录在该日期完成的这个项目"),
    # recognition
    "这个序列的机构目前不能公布规则或作出认定": _("这个序列的机构目前不能公布规则或作出认定"),
    "只能以序列所属机构的名义": _("只能以序列所属机构的名义"),
    "决定日期不在允许的范围内": _("决定日期不在允许的范围内"),
    "唯一标识与所写的内容不符": _("唯一标识与所写的内容不符"),
    "一项决定只认定一次": _("一项决定只认定一次"),
    "认定须在同一次报送中写明所使用的学习成果": _("认定须在同一次报送中写明所使用的学习成果"),
    "使用学习成果须与同一决定的认定一同报送": _("使用学习成果须与同一决定的认定一同报送"),
    "撤回使用须与同一决定的认定的冲正一同报送": _("撤回使用须与同一决定的认定的冲正一同报送"),
    # acting on others
    "没有所指的分录": _("没有所指的分录"),
    "所指的分录不是这个序列记的": _("所指的分录不是这个序列记的"),
    "数量与所指的分录不符": _("数量与所指的分录不符"),
    "所指的分录已被冲正或已到期": _("所指的分录已被冲正或已到期"),
    "所指的学习成果已被一项认定使用": _("所指的学习成果已被一项认定使用"),
    "前一代尚未冲正": _("前一代尚未冲正"),
    "所使用的学习成果不属于该项认定的学习者": _("所使用的学习成果不属于该项认定的学习者"),
    "所写的决定不是所指分录的决定": _("所写的决定不是所指分录的决定"),
    "还有学习成果被这项认定使用，须在同一次报送中先撤回": _(
        "还有学习成果被这项认定使用，须在同一次报送中先撤回"
    ),
    # shapes
    "没有填写": _("没有填写"),
    "应为不小于 1 的整数": _("应为不小于 1 的整数"),
    "摘要无法读取": _("摘要无法读取"),
    "没有这种文件": _("没有这种文件"),
    "期限在开始之前结束": _("期限在开始之前结束"),
    "应为文本": _("应为文本"),
    "文本过长或含有不可见的字符": _("文本过长或含有不可见的字符"),
    "有效期在完成之前结束": _("有效期在完成之前结束"),
    # submissions
    "第一行必须是 llcb/submission/v1 加清单字节数": _(
        "第一行必须是 llcb/submission/v1 加清单字节数"
    ),
    "清单的字节数不对": _("清单的字节数不对"),
    "清单无法读取": _("清单无法读取"),
    "开启内容的行数与清单不符": _("开启内容的行数与清单不符"),
    "开启内容不是规范化的 JSON": _("开启内容不是规范化的 JSON"),
    "由开启内容算出的根与清单签名的根不同": _("由开启内容算出的根与清单签名的根不同"),
}
EXPECTED: Final[dict[str, Promise]] = {
    "整数": _("整数"),
    "账号": _("账号"),
    "32 字节的 base64": _("32 字节的 base64"),
    "学分银行开立的账号": _("学分银行开立的账号"),
    "学习成果名录中已核定的项目": _("学习成果名录中已核定的项目"),
}
_DETAIL: Final = "："
"""What follows it is a parser's own words, in English and for whoever wrote the program."""


def message(problem: Problem) -> str:
    """Return what is wrong, in the reader's language; an unknown sentence as it stands."""
    text = str(problem.message)
    if text in SENTENCES:
        return str(SENTENCES[text])
    said, mark, detail = text.partition(_DETAIL)
    if mark and said in SENTENCES:
        return f"{SENTENCES[said]}: {detail}"
    return text


def expected(problem: Problem) -> str | None:
    """Return what was expected, in the reader's language where it is words."""
    text = problem.expected
    return str(EXPECTED[text]) if text in EXPECTED else text
