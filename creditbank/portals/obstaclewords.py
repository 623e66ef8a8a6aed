"""What keeps a use out of the best plan, in the reader's language: which limit binds, what is better used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from creditbank.institutions.models import in_english
from creditbank.portals import outcomewords
from creditbank.portals.templatetags.bank import civil_date
from creditbank.portals.templatetags.learning import figure
from creditbank.recognition.engine.evidence import Evidence
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.planning.leftout import Obstacle

_SENTENCES: Final[dict[str, Promise]] = {
    "cap": _("已到上限：%(holder)s 最多认定 %(most)s 学分，已用 %(drawn)s"),
    "cap-of-number": _("已到 %(holder)s 规定的数量上限"),
    "share": _("已到比例上限：%(holder)s 最多认定 %(most)s 学分，已用 %(drawn)s"),
    "bucket": _("这段时间（%(group)s）最多计 %(most)s 学分，已用 %(drawn)s"),
    "exclusive": _("与“%(outcome)s”互斥，只能计其中一项"),
    "highest": _("同一活动只计最高的一项，“%(outcome)s”更高"),
    "residency": _("其余学分须在本校修读：最多认定 %(most)s 学分，已用 %(drawn)s"),
    "never": _("%(holder)s 写明不能这样使用"),
    "never-unknown": _("还不能确定 %(holder)s 是否允许使用，须由人核实"),
    "not-replaceable": _("课程“%(course)s”须在本校修读，不能用成果代替"),
    "once": _("这项成果已使用过，一项成果只能使用一次"),
    "native": _("这项成果已作为本校课程计入，不用再认定"),
    "lapsed": _("这项成果已失效或已冲正"),
    "one-source": _("课程“%(course)s”已经满足，一门课只有一个来源"),
    "worse": _("用于规则 %(rule)s 可以得到更多学分"),
    "worse-course": _("课程“%(course)s”按规则 %(rule)s 认定更好"),
    "at-most": _("超过 %(holder)s 一次最多给的学分"),
    "no-gain": _("“%(group)s”的学分已够，再加也不会多计"),
}


def sentence(obstacle: Obstacle, programme: Programme, held: Mapping[bytes, Evidence]) -> str:
    """Say an obstacle; `held` are the learner's outcomes by leaf."""
    code = obstacle.code
    if code == "cap" and obstacle.most is None:
        code = "cap-of-number"
    if code == "worse" and obstacle.course:
        code = "worse-course"
    outcome = held.get(obstacle.leaf) if obstacle.leaf is not None else None
    facts = {
        "holder": _holder(obstacle, programme),
        "most": _amount(obstacle.most),
        "drawn": _amount(obstacle.drawn),
        "group": _group(obstacle, programme),
        "outcome": gettext("另一项成果")
        if outcome is None
        else outcomewords.title(outcome.outcome),
        "course": _named(programme, obstacle.course or obstacle.group),
        "rule": obstacle.in_favour_of,
    }
    found = _SENTENCES.get(code)
    return code if found is None else str(found) % facts


def _amount(amount: Decimal | None) -> str:
    return figure(amount) or "–"


def _holder(obstacle: Obstacle, programme: Programme) -> str:
    if obstacle.holder == programme.code:
        return gettext("本专业")
    return gettext("规则 %(code)s") % {"code": obstacle.holder}


def _named(programme: Programme, code: str) -> str:
    found = programme.course(code) or programme.category(code)
    if found is None:
        return code
    return found.title_en if in_english() and found.title_en else found.title


def _group(obstacle: Obstacle, programme: Programme) -> str:
    if obstacle.code != "bucket":
        return _named(programme, obstacle.group)
    first, _slash, last = obstacle.group.partition("/")
    days = [civil_date(date.fromisoformat(day)) for day in (first, last) if day]
    return " – ".join(days)
