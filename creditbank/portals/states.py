"""What a state looks like: one word, one icon and one colour, the same on every page.

The tone decides the colour. Red (`bad`) says "invalid" and nothing else, so that
a reader who sees red on any page of the bank knows what it means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from creditbank.jobs.models import Job, JobState

Tone = Literal["ok", "note", "bad", "none", "info"]


@dataclass(frozen=True, kw_only=True)
class State:
    """A state as it is drawn: `tone` picks the colour, `icon` a drawing of `icons.ICONS`."""

    tone: Tone
    icon: str
    label: str | Promise


STATES: Final[dict[str, State]] = {
    # The verdict of a verification.
    "valid": State(tone="ok", icon="circle-check", label=_("有效")),
    "note": State(tone="note", icon="alert-triangle", label=_("请注意")),
    "invalid": State(tone="bad", icon="circle-x", label=_("无效")),
    "undetermined": State(tone="none", icon="help-circle", label=_("无法判断")),
    # One of the seven checks.
    "check-valid": State(tone="ok", icon="circle-check", label=_("通过")),
    "check-note": State(tone="note", icon="alert-triangle", label=_("请注意")),
    "check-invalid": State(tone="bad", icon="circle-x", label=_("未通过")),
    "check-undetermined": State(tone="none", icon="help-circle", label=_("未能检查")),
    "check-skipped": State(tone="none", icon="circle-minus", label=_("未评估")),
    # An entry of the account.
    "entered": State(tone="ok", icon="circle-check", label=_("已存入")),
    "waiting": State(tone="note", icon="hourglass", label=_("待认领")),
    "reserved": State(tone="info", icon="lock", label=_("申请占用")),
    "used": State(tone="info", icon="arrow-right", label=_("已使用")),
    "expired": State(tone="none", icon="clock", label=_("已失效")),
    "reversed": State(tone="none", icon="arrow-back-up", label=_("已冲正")),
    "reversal": State(tone="none", icon="arrow-back-up", label=_("冲正分录")),
    # A draft on its way to being recorded.
    "draft": State(tone="none", icon="edit", label=_("草稿")),
    "pending": State(tone="note", icon="hourglass", label=_("待复核")),
    "approved": State(tone="ok", icon="circle-check", label=_("已复核")),
    "returned": State(tone="note", icon="arrow-back-up", label=_("已退回")),
    "recorded": State(tone="ok", icon="circle-check", label=_("已存入")),
    # A long piece of work.
    "queued": State(tone="none", icon="clock", label=_("排队中")),
    "running": State(tone="info", icon="refresh", label=_("进行中")),
    "done": State(tone="ok", icon="circle-check", label=_("已完成")),
    "failed": State(tone="note", icon="alert-triangle", label=_("未完成")),
    # A transcript.
    "preparing": State(tone="info", icon="refresh", label=_("制作中")),
    "issued": State(tone="ok", icon="circle-check", label=_("有效")),
    "superseded": State(tone="note", icon="alert-triangle", label=_("已有更正版本")),
    "revoked": State(tone="bad", icon="circle-x", label=_("已撤销")),
    "line-reversed": State(tone="bad", icon="circle-x", label=_("有成果已冲正")),
    "line-expired": State(tone="note", icon="alert-triangle", label=_("有成果已过期")),
    "unchecked": State(tone="none", icon="help-circle", label=_("未能检查")),
    # An institution, and an item of the catalogue.
    "active": State(tone="ok", icon="circle-check", label=_("正常")),
    "suspended": State(tone="note", icon="alert-triangle", label=_("已暂停")),
    "proposed": State(tone="note", icon="hourglass", label=_("待批准")),
    "item-approved": State(tone="ok", icon="circle-check", label=_("已批准")),
    "withdrawn": State(tone="none", icon="circle-minus", label=_("已停用")),
    # A request for recognition, its clock, and what is decided of it.
    "request-submitted": State(tone="info", icon="inbox", label=_("已提交")),
    "request-reviewing": State(tone="info", icon="search", label=_("审核中")),
    "request-decided": State(tone="ok", icon="rubber-stamp", label=_("已决定")),
    "request-in-notice": State(tone="info", icon="eye", label=_("公示中")),
    "request-in-force": State(tone="ok", icon="circle-check", label=_("已生效")),
    "request-withdrawn": State(tone="none", icon="circle-minus", label=_("已撤回")),
    "request-appealed": State(tone="note", icon="history", label=_("复议中")),
    "request-skipped": State(tone="none", icon="circle-minus", label=_("不需要")),
    "request-reached": State(tone="ok", icon="check", label=_("已完成")),
    "request-now": State(tone="info", icon="arrow-right", label=_("现在")),
    "request-to-come": State(tone="none", icon="clock", label=_("未到")),
    "clock-on-time": State(tone="ok", icon="clock", label=_("按期")),
    "clock-due": State(tone="note", icon="hourglass", label=_("将到期")),
    "clock-late": State(tone="note", icon="alert-triangle", label=_("已逾期")),
    "clock-stopped": State(tone="none", icon="circle-minus", label=_("已办结")),
    "finding-applies": State(tone="ok", icon="circle-check", label=_("符合")),
    "finding-refused": State(tone="none", icon="circle-minus", label=_("不符合")),
    "finding-unknown": State(tone="note", icon="help-circle", label=_("待核实")),
    "finding-judged": State(tone="ok", icon="user", label=_("经判断符合")),
    "verdict-credit": State(tone="ok", icon="circle-check", label=_("计学分")),
    "verdict-part": State(tone="note", icon="minus", label=_("部分计学分")),
    "verdict-waived": State(tone="info", icon="check", label=_("免修不计学分")),
    "verdict-refused": State(tone="none", icon="circle-minus", label=_("不予认定")),
    "decision-proposed": State(tone="note", icon="hourglass", label=_("待同意")),
    "decision-returned": State(tone="note", icon="arrow-back-up", label=_("已退回重议")),
    "decision-decided": State(tone="ok", icon="rubber-stamp", label=_("已决定")),
    "decision-in-notice": State(tone="info", icon="eye", label=_("公示中")),
    "decision-in-force": State(tone="ok", icon="circle-check", label=_("已生效")),
    "decision-refused": State(tone="none", icon="circle-minus", label=_("不予认定")),
    "decision-void": State(tone="none", icon="ban", label=_("依据失效，未生效")),
    "decision-replaced": State(tone="none", icon="arrow-right", label=_("已由新决定取代")),
    "decision-reversed": State(tone="none", icon="arrow-back-up", label=_("已冲正")),
    "decision-flagged": State(tone="note", icon="alert-triangle", label=_("依据已变，待确认")),
    "appeal-open": State(tone="note", icon="hourglass", label=_("复议中")),
    "appeal-upheld": State(tone="none", icon="check", label=_("维持原决定")),
    "appeal-changed": State(tone="ok", icon="arrow-right", label=_("已作出新决定")),
    "appeal-withdrawn": State(tone="none", icon="circle-minus", label=_("已撤回")),
    "pre-approval-prepared": State(tone="note", icon="hourglass", label=_("待复核")),
    "pre-approval-in-force": State(tone="ok", icon="circle-check", label=_("已生效")),
    "pre-approval-used": State(tone="info", icon="arrow-right", label=_("已兑现")),
    "pre-approval-withdrawn": State(tone="none", icon="circle-minus", label=_("已撤回")),
    "pre-approval-lapsed": State(tone="none", icon="clock", label=_("已过期")),
    # What a programme asks for, and how it stands for one learner.
    "need-met": State(tone="ok", icon="circle-check", label=_("已满足")),
    "need-waived": State(tone="ok", icon="check", label=_("免修")),
    "need-pending": State(tone="note", icon="hourglass", label=_("申请中")),
    "need-possible": State(tone="info", icon="plus", label=_("可申请")),
    "need-missing": State(tone="none", icon="circle-minus", label=_("未满足")),
    "need-open": State(tone="ok", icon="circle-check", label=_("已达到")),
    "need-not-yet": State(tone="none", icon="clock", label=_("未达到")),
    # A version of a rule or a programme.
    "rule-draft": State(tone="none", icon="edit", label=_("草稿")),
    "rule-filed": State(tone="note", icon="hourglass", label=_("已备案，待公布")),
    "rule-publishing": State(tone="info", icon="refresh", label=_("公布中")),
    "rule-in-force": State(tone="ok", icon="circle-check", label=_("现行")),
    "rule-upcoming": State(tone="info", icon="clock", label=_("将生效")),
    "rule-superseded": State(tone="none", icon="arrow-right", label=_("已有新版本")),
    "rule-past": State(tone="none", icon="clock", label=_("已到期")),
    "rule-withdrawn": State(tone="none", icon="circle-minus", label=_("已撤回")),
    # Something that is switched on or not.
    "on": State(tone="ok", icon="circle-check", label=_("已启用")),
    "off": State(tone="none", icon="circle-minus", label=_("未启用")),
    # A signing key.
    "in-force": State(tone="ok", icon="key", label=_("使用中")),
    "retired": State(tone="none", icon="circle-minus", label=_("已停用")),
    "key-expired": State(tone="none", icon="clock", label=_("已过期")),
    "key-revoked": State(tone="none", icon="circle-minus", label=_("已撤销")),
    "compromised": State(tone="bad", icon="circle-x", label=_("已失密")),
}

_OF_JOBS: Final = {
    JobState.WAITING: "queued",
    JobState.RUNNING: "running",
    JobState.SUCCEEDED: "done",
    JobState.FAILED: "failed",
}


def of_job(job: Job) -> str:
    """Return the name of the state that a job is drawn in."""
    return _OF_JOBS[JobState(job.state)]


# The seven checks of a verification, by number: the order is the same in the
# code, the answer of the API, the page and the offline verifier.
CHECKS: Final[dict[int, Promise | str]] = {
    1: _("文件格式"),
    2: _("内容未被改动"),
    3: _("签发机构身份"),
    4: _("签发时机构与密钥是否有效"),
    5: _("当前状态（撤销、暂停、更正）"),
    6: _("有效期"),
    7: _("持证人核对提示"),
}
