"""The reasons that reviewers choose from: a stable code, and what it says in both languages (pure).

A reason stands in the decision by its code, so that anyone can read it in
either language and decisions can be counted by it. What a reviewer adds in
words is told to the learner alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Template:
    """One reason, and the verdicts that it can be given for."""

    code: str
    zh: str
    en: str
    verdicts: frozenset[str]


_LESS: Final = frozenset({"part", "waived", "refused"})
_NOT_FULL: Final = frozenset({"part", "waived"})
_REFUSED: Final = frozenset({"refused"})

TEMPLATES: Final[tuple[Template, ...]] = (
    Template(
        code="content-covered-in-part",
        zh="所学内容只覆盖本课程的一部分。",
        en="What was learnt covers a part of this course only.",
        verdicts=_LESS,
    ),
    Template(
        code="requirement-met-without-credit",
        zh="已具备本课程要求的能力，可免修；按规定不计学分。",
        en="The course's requirement is met and the course waived; by the rules it earns no credits.",
        verdicts=frozenset({"waived"}),
    ),
    Template(
        code="credits-lower-than-course",
        zh="成果的学习量低于本课程，按实际学习量计学分。",
        en="The outcome's workload is below the course's; credits follow the workload.",
        verdicts=_NOT_FULL,
    ),
    Template(
        code="practice-to-be-completed",
        zh="理论部分予以认定，实践部分须另行完成。",
        en="The theory is recognised; the practical part is still to be completed.",
        verdicts=_NOT_FULL,
    ),
    Template(
        code="content-differs",
        zh="所学内容与本课程的教学要求不符。",
        en="What was learnt does not correspond to what this course teaches.",
        verdicts=_REFUSED,
    ),
    Template(
        code="level-too-low",
        zh="成果的等级低于本课程的要求。",
        en="The outcome's level is below what this course asks for.",
        verdicts=_REFUSED,
    ),
    Template(
        code="outdated",
        zh="成果取得时间较早，内容已不能反映现行要求。",
        en="The outcome is too old to show what is asked for today.",
        verdicts=_REFUSED,
    ),
    Template(
        code="evidence-insufficient",
        zh="现有材料不足以判断，补充材料后可再次申请。",
        en="The evidence does not suffice; you may apply again with more.",
        verdicts=_REFUSED,
    ),
    Template(
        code="core-course",
        zh="本课程为专业核心课程，须在本校修读。",
        en="This is a core course of the programme and is to be taken here.",
        verdicts=_REFUSED,
    ),
    Template(
        code="chosen-otherwise",
        zh="同一成果已用于其他课程，本课程不再认定。",
        en="The outcome was used for another course; this one is not recognised.",
        verdicts=_REFUSED,
    ),
    Template(
        code="fact-not-confirmed",
        zh="所需事实经核对未能确认。",
        en="A fact that is needed was looked into and could not be confirmed.",
        verdicts=_REFUSED,
    ),
)
BY_CODE: Final = {template.code: template for template in TEMPLATES}

AUTOMATIC: Final[dict[str, tuple[str, str]]] = {
    "no-rule-applies": (
        "没有适用于这项成果的认定规则。",
        "No rule applies to this outcome.",
    ),
    "condition-not-met": (
        "这项成果不符合规则的条件。",
        "The outcome does not meet the rule's conditions.",
    ),
    "not-settled": (
        "现有信息不足以判断是否符合规则的条件。",
        "What is known does not settle whether the rule's conditions are met.",
    ),
    "rule-waives": (
        "按规则免修，不计学分。",
        "Waived by the rule, without credits.",
    ),
    "source-lapsed": (
        "这项成果已被冲正、已到期或已被使用。",
        "The outcome was reversed, has expired or is used.",
    ),
    "not-in-best-plan": (
        "在现行限制下，不使用这项成果可得到更多学分。",
        "Under the limits in force more credits are reached without this outcome.",
    ),
}
"""Reasons that the computation gives for an outcome as a whole; those of conditions are `Reason`s."""


def text(code: str) -> tuple[str, str]:
    """Return what a reason says, in Chinese and in English; its code twice when it is none."""
    template = BY_CODE.get(code)
    if template is not None:
        return template.zh, template.en
    return AUTOMATIC.get(code, (code, code))


def fits(code: str, verdict: str) -> bool:
    """Say whether a reason can be given for a verdict."""
    template = BY_CODE.get(code)
    return template is not None and verdict in template.verdicts


def for_verdict(verdict: str) -> list[Template]:
    """Return the reasons that can be given for a verdict, in the table's order."""
    return [template for template in TEMPLATES if verdict in template.verdicts]
