"""What is wrong with what a plan is asked of: names of what does not exist (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final

from creditbank.errors import Problem
from creditbank.recognition.engine.evidence import Context, Evidence
from creditbank.recognition.engine.findings import Finding, Grant, Line, Verdict
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.language.schemas import Steps, pointer
from creditbank.recognition.planning.tally import downstream

SENTENCES: Final[Mapping[str, str]] = {
    "rule-unknown": "没有给出这条规则的这个版本",
    "rule-repeated": "同一条规则的同一版本给出了两次",
    "outcome-unknown": "学习者没有这项成果",
    "outcome-repeated": "同一次使用里写了两次同一项成果",
    "no-outcome": "没有写明使用哪项成果",
    "no-grant": "适用的判定没有写明给什么",
    "course-unknown": "该专业没有这门课程",
    "category-unknown": "该专业没有这个学分类别",
    "target-unclear": "应当写明一门课程或者一个类别，只能写一个",
    "target-repeated": "同一个去向写了两次",
    "credits-invalid": "学分应当是不小于零、最多两位小数的数",
    "beyond-course": "超过课程本身的学分",
    "surplus-unclear": "超出部分的学分和去向应当一起写明",
    "waived-with-credits": "免修不计学分，不能同时给学分",
    "spills-in-a-circle": "超出部分的去向绕成了圈",
    "programme-differs": "所给的专业与情形中的专业不是同一版本",
}
"""What is wrong with the inputs of a plan, by code."""


def problems(
    programme: Programme,
    findings: Sequence[Finding],
    rules: Sequence[Rule],
    outcomes: Mapping[bytes, Evidence],
    context: Context,
    earlier: Sequence[Line],
) -> list[Problem]:
    """Return everything that is wrong, with pointers such as `/findings/3/grants/0/course`."""
    return list(_problems(programme, findings, rules, outcomes, context, earlier))


def _problems(
    programme: Programme,
    findings: Sequence[Finding],
    rules: Sequence[Rule],
    outcomes: Mapping[bytes, Evidence],
    context: Context,
    earlier: Sequence[Line],
) -> Iterator[Problem]:
    if (context.programme.code, context.programme.version) != (programme.code, programme.version):
        yield _problem("programme-differs", ("programme",), programme.code)
    try:
        list(downstream(programme))
    except ValueError:
        yield _problem("spills-in-a-circle", ("programme", "categories"), programme.code)
    for (code, version), times in Counter((rule.code, rule.version) for rule in rules).items():
        if times > 1:
            yield _problem("rule-repeated", ("rules",), f"{code}/{version}")
    known = {(rule.code, rule.version) for rule in rules}
    for number, finding in enumerate(findings):
        steps: Steps = ("findings", number)
        if finding.verdict is not Verdict.APPLIES:
            continue
        if (finding.rule, finding.version) not in known:
            yield _problem("rule-unknown", (*steps, "rule"), f"{finding.rule}/{finding.version}")
        if not finding.grants:
            yield _problem("no-grant", (*steps, "grants"), finding.rule)
        yield from _leaves(finding.leaves, steps, outcomes)
        for place, grant in enumerate(finding.grants):
            yield from _grant(grant, (*steps, "grants", place), programme)
        if len(finding.grants) > 1:
            for target, times in Counter(grant.target for grant in finding.grants).items():
                if times > 1:
                    yield _problem("target-repeated", (*steps, "grants"), target)
    for number, line in enumerate(earlier):
        steps = ("earlier", number)
        yield from _leaves(line.leaves, steps, outcomes)
        yield from _grant(line.grant, (*steps, "grant"), programme)


def _leaves(
    leaves: Sequence[bytes], steps: Steps, outcomes: Mapping[bytes, Evidence]
) -> Iterator[Problem]:
    if not leaves:
        yield _problem("no-outcome", (*steps, "leaves"), "")
    for place, leaf in enumerate(leaves):
        if leaf not in outcomes:
            yield _problem("outcome-unknown", (*steps, "leaves", place), leaf.hex())
        if leaf in leaves[:place]:
            yield _problem("outcome-repeated", (*steps, "leaves", place), leaf.hex())


def _grant(grant: Grant, steps: Steps, programme: Programme) -> Iterator[Problem]:
    course = programme.course(grant.course)
    if bool(grant.course) == bool(grant.category):
        yield _problem("target-unclear", steps, grant.target)
    elif grant.course and course is None:
        yield _problem("course-unknown", (*steps, "course"), grant.course)
    elif grant.category and programme.category(grant.category) is None:
        yield _problem("category-unknown", (*steps, "category"), grant.category)
    for name, credits_ in (("credits", grant.credits), ("surplus", grant.surplus)):
        if not _valid(credits_):
            yield _problem("credits-invalid", (*steps, name), str(credits_))
            return
    if course is not None and grant.credits > course.credits:
        yield _problem("beyond-course", (*steps, "credits"), str(grant.credits))
    if bool(grant.surplus) != bool(grant.surplus_category):
        yield _problem("surplus-unclear", (*steps, "surplus"), str(grant.surplus))
    elif grant.surplus_category and programme.category(grant.surplus_category) is None:
        yield _problem("category-unknown", (*steps, "surplus_category"), grant.surplus_category)
    if grant.waived and (grant.credits or grant.surplus):
        yield _problem("waived-with-credits", (*steps, "waived"), str(grant.credits))


@lru_cache(maxsize=4096)
def _valid(credits_: Decimal) -> bool:
    """Say whether an amount is of the ledger's; the same few come again and again."""
    if not credits_.is_finite() or credits_ < 0:
        return False
    scaled = credits_ * 100
    return scaled == scaled.to_integral_value()


def _problem(code: str, steps: Steps, value: str) -> Problem:
    return Problem(code=code, message=SENTENCES[code], field=pointer(steps), value=value)
