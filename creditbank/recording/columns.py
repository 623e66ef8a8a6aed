"""The columns of a file of outcomes, and the many names they go by (pure).

A header is compared without regard to blanks, width, case and the stars and
brackets that templates put around it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "document_type": ("证件类型", "证件种类", "身份证件类型", "document type", "id type"),
    "number": (
        "证件号码",
        "证件号",
        "身份证号",
        "身份证号码",
        "公民身份号码",
        "居民身份证号",
        "身份证件号码",
        "学员身份证号",
        "number",
        "id number",
        "identity number",
    ),
    "name": (
        "姓名",
        "学员姓名",
        "学生姓名",
        "考生姓名",
        "学习者姓名",
        "持证人姓名",
        "持证人",
        "name",
        "full name",
    ),
    "item": (
        "课程代码",
        "课程编码",
        "课程编号",
        "课程号",
        "项目代码",
        "项目编码",
        "项目编号",
        "名录编码",
        "成果编码",
        "成果代码",
        "证书代码",
        "item",
        "item code",
        "course code",
    ),
    "completed_on": (
        "完成日期",
        "结业日期",
        "取得日期",
        "获得日期",
        "获证日期",
        "发证日期",
        "考试日期",
        "考核日期",
        "获奖日期",
        "结束日期",
        "完成时间",
        "completed on",
        "completion date",
        "date",
    ),
    "valid_until": ("有效期至", "有效期止", "有效截止日期", "valid until", "expires on"),
    "credits": ("学分", "学分银行学分", "核定学分", "credits", "credit"),
    "grade": (
        "等级",
        "成绩等级",
        "等第",
        "评定等级",
        "考核结果",
        "获奖等级",
        "奖项",
        "grade",
    ),
    "score": ("成绩", "分数", "得分", "总分", "考试成绩", "score", "mark"),
    "hours": ("学时", "课时", "学时数", "培训学时", "hours"),
    "certificate": (
        "证书编号",
        "证书号",
        "证书号码",
        "证书编码",
        "certificate",
        "certificate number",
    ),
    "batch": ("批次", "期次", "班次", "培训批次", "培训期次", "班级", "batch", "cohort"),
    "year": ("年度", "继续教育年度", "year"),
    "project": ("项目名称", "继续教育项目", "培训项目", "project"),
    "contest": ("赛事", "赛事名称", "竞赛名称", "大赛名称", "contest", "competition"),
    "edition": ("届次", "届", "赛事届次", "edition"),
    "event": ("赛项", "赛项名称", "参赛项目", "event"),
    "started_on": ("开始日期", "起始日期", "入职日期", "started on", "start date"),
    "term": ("学期", "学年学期", "开课学期", "修读学期", "term", "semester"),
}
"""The columns by field. The first name is the one that templates and messages use."""

FIELDS: Final = tuple(ALIASES)
REQUIRED: Final = ("number", "name", "item", "completed_on")

_DECORATION: Final = re.compile(r"[\s*:：_\-—·.、/()（）\[\]【】「」\"'“”]+")
_HINT: Final = re.compile(r"[（(【\[].*?[)）】\]]")


def _plain(header: str) -> str:
    return _DECORATION.sub("", unicodedata.normalize("NFKC", header)).casefold()


_FIELD_OF: Final = {_plain(name): field for field, names in ALIASES.items() for name in names}


def field_of(header: str) -> str | None:
    """Return the field a header names, or None for a column that the bank does not read.

    A hint in brackets (`完成日期（必填）`) does not matter.
    """
    return _FIELD_OF.get(_plain(header)) or _FIELD_OF.get(_plain(_HINT.sub("", header)))


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """Which column (0-based) holds which field, which fields are there twice or not at all."""

    positions: dict[str, int]
    repeated: tuple[str, ...]
    missing: tuple[str, ...]
    ignored: tuple[str, ...]

    @property
    def known(self) -> int:
        """How many columns were recognised."""
        return len(self.positions)


def read_headers(headers: Sequence[str]) -> Mapping:
    """Recognise the headers of a file."""
    positions: dict[str, int] = {}
    repeated: list[str] = []
    ignored: list[str] = []
    for position, header in enumerate(headers):
        field = field_of(header)
        if field is None:
            if header.strip():
                ignored.append(header.strip())
        elif field in positions:
            repeated.append(field)
        else:
            positions[field] = position
    return Mapping(
        positions=positions,
        repeated=tuple(repeated),
        missing=tuple(field for field in REQUIRED if field not in positions),
        ignored=tuple(ignored),
    )


def title(field: str) -> str:
    """Return the Chinese header of a field, as templates print it."""
    return ALIASES[field][0]
