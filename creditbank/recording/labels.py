"""What the columns are called on pages, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

LABELS: Final[dict[str, Promise | str]] = {
    "document_type": _("证件类型"),
    "number": _("证件号码"),
    "name": _("姓名"),
    "item": _("名录项目"),
    "completed_on": _("完成日期"),
    "valid_until": _("有效期至"),
    "credits": _("学分"),
    "grade": _("成绩等级"),
    "score": _("分数"),
    "hours": _("学时"),
    "certificate": _("证书编号"),
    "batch": _("批次"),
    "year": _("年度"),
    "project": _("项目名称"),
    "contest": _("赛事"),
    "edition": _("届次"),
    "event": _("赛项"),
    "started_on": _("开始日期"),
    "term": _("学期"),
}


def label(field: str) -> str:
    """Return the name of a field in the reader's language."""
    return str(LABELS.get(field, field))


def labels() -> dict[str, str]:
    """Return the names of all fields in the reader's language."""
    return {field: str(name) for field, name in LABELS.items()}


def listed(names: Iterable[object], *, chinese: str = "、", english: str = ", ") -> str:
    """Join names as the reader's language does: 甲、乙 or A, B."""
    in_chinese = (get_language() or "zh-hans").startswith("zh")
    return (chinese if in_chinese else english).join(str(name) for name in names)
