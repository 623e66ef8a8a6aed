"""A rule, and a reason against it, in plain sentences: Chinese or English (pure).

For pages and files alike: whoever reads a rule reads sentences, not JSON. Every
construct has its words here, in both languages side by side; names of items,
courses and the like come from whoever knows them, and codes stand in where
they are not known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from creditbank.recognition.engine.findings import Reason
from creditbank.recognition.language.rules import Rule

Pair = tuple[str, str]
"""Chinese, English."""

KINDS: Final[Mapping[str, Pair]] = {
    "course": ("课程", "course"),
    "x-certificate": ("1+X 职业技能等级证书", "1+X certificate"),
    "skill-level": ("职业技能等级证书（人社）", "skill level certificate"),
    "training": ("培训", "training"),
    "community": ("社区学习", "community learning"),
    "continuing-education": ("继续教育学时", "continuing education"),
    "competition": ("技能竞赛", "skills competition"),
    "work-experience": ("工作经历", "work experience"),
    "apprenticeship": ("学徒制", "apprenticeship"),
}
CATEGORIES: Final[Mapping[str, Pair]] = {
    "degree": ("学历教育", "degree education"),
    "vocational": ("职业培训", "vocational training"),
    "continuing": ("继续教育", "continuing education"),
    "leisure": ("文化休闲", "culture and leisure"),
    "achievement": ("业绩成果", "achievements at work"),
}
CERTIFICATE_LEVELS: Final[Mapping[str, Pair]] = {
    "初级": ("初级", "basic (初级)"),
    "中级": ("中级", "intermediate (中级)"),
    "高级": ("高级", "advanced (高级)"),
}
SKILL_LEVELS: Final[Mapping[str, Pair]] = {
    "5": ("五级（初级工）", "level 5"),
    "4": ("四级（中级工）", "level 4"),
    "3": ("三级（高级工）", "level 3"),
    "2": ("二级（技师）", "level 2"),
    "1": ("一级（高级技师）", "level 1"),
}
CHAIN: Final[Mapping[str, Pair]] = {
    "college": ("二级学院", "the department"),
    "academic-office": ("教务部门", "the academic office"),
    "assessor": ("培训评价组织", "the assessing organisation"),
    "bank": ("学分银行", "the credit bank"),
}
PER: Final[Mapping[str, Pair]] = {
    "outcome": ("每项成果", "each outcome"),
    "item": ("每个名录项目", "each catalogue item"),
    "body": ("每个授予单位", "each awarding body"),
    "kind": ("每种成果类型", "each kind of outcome"),
}
ROUNDING: Final[Mapping[str, Pair]] = {
    "down": ("向下取整", "rounded down"),
    "half-up": ("四舍五入", "rounded half up"),
    "up": ("向上取整", "rounded up"),
}
FACTS: Final[Mapping[str, Pair]] = {
    "similarity": ("内容相似度", "similarity of content"),
    "plan_approved_on": ("学习计划批准日", "day on which the plan was approved"),
    "started_on": ("开始日", "day on which it began"),
}
_BY: Final[Mapping[str, Pair]] = {
    "skill_level": ("技能等级", "skill level"),
    "certificate_level": ("证书等级", "certificate level"),
    "grade": ("成绩等级", "grade"),
    "score": ("分数", "score"),
    "item": ("名录项目", "catalogue item"),
    "category": ("成果类别", "category of outcome"),
    "programme_field": ("所读专业", "own field of study"),
}


@dataclass(frozen=True, kw_only=True)
class Names:
    """What codes are called in the reader's language. A code without a name stands for itself.

    `tags` name the tags of courses, `facts` the attested facts, `frameworks` the
    qualification frameworks by their key.
    """

    items: Mapping[str, str] = field(default_factory=dict)
    courses: Mapping[str, str] = field(default_factory=dict)
    categories: Mapping[str, str] = field(default_factory=dict)
    bodies: Mapping[str, str] = field(default_factory=dict)
    programmes: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    frameworks: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


def lines(rule: Rule, language: str, names: Names | None = None) -> list[str]:
    """Return what a rule says, one sentence a line. `language` is `zh-hans` or `en`."""
    return list(_Writer(language, names or Names()).rule(rule))


def reason_text(
    reason: Reason, language: str, names: Names | None = None, rule: Rule | None = None
) -> str:
    """Return a reason as a sentence. With its rule, it says what the condition asked for in words."""
    return _Writer(language, names or Names()).reason(reason, rule)


def condition_text(condition: Mapping[str, Any], language: str, names: Names | None = None) -> str:
    """Return what one condition asks for, without a full stop."""
    return _Writer(language, names or Names()).condition(condition)


def resolve(document: Any, pointer: str) -> Any:
    """Return what a JSON pointer names in a document; None where there is nothing."""
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, Mapping):
            document = document.get(step)
        elif isinstance(document, Sequence) and not isinstance(document, str) and step.isdigit():
            document = document[int(step)] if int(step) < len(document) else None
        else:
            return None
    return document


_JOINED: Final = frozenset({"all", "any", "n"})
"""Conditions that hold several others."""


class _Writer:
    """Writes in one language."""

    def __init__(self, language: str, names: Names) -> None:
        self.english = language.startswith("en")
        self.names = names

    # -- words -------------------------------------------------------------------------------
    def say(self, zh: str, en: str) -> str:
        return en if self.english else zh

    def word(self, table: Mapping[str, Pair], code: str) -> str:
        return self.say(*table.get(code, (code, code)))

    def name(self, table: Mapping[str, str], code: str) -> str:
        known = table.get(code)
        if known is None:
            return code
        return self.say(f"《{known}》（{code}）", f"“{known}” ({code})")

    def bare(self, table: Mapping[str, str], code: str) -> str:
        return table.get(code, code)

    def fact(self, name: str) -> str:
        known = self.names.facts.get(name) or (self.word(FACTS, name) if name in FACTS else name)
        return self.say(f"“{known}”", f"“{known}”")

    def join(self, parts: Sequence[str], *, last: Pair = ("或", "or")) -> str:
        """Put parts side by side: 甲、乙或丙; A, B or C."""
        if len(parts) == 1:
            return parts[0]
        zh, en = last
        if self.english:
            return f"{', '.join(parts[:-1])} {en} {parts[-1]}"
        return f"{'、'.join(parts[:-1])}{zh}{parts[-1]}"

    def clauses(self, conditions: Sequence[Mapping[str, Any]], word: Pair) -> str:
        """Join conditions; such as are joined themselves stand in brackets."""
        said = []
        for one in conditions:
            text = self.condition(one)
            if len(conditions) > 1 and not _JOINED.isdisjoint(one):
                text = self.say(f"（{text}）", f"({text})")
            said.append(text)
        return self.say(f"，{word[0]}", f" {word[1]} ").join(said)

    def credits(self, amount: str) -> str:
        return self.say(f"{amount} 学分", f"{amount} credit{'' if amount == '1' else 's'}")

    def span(self, value: Mapping[str, Any], low: str, high: str) -> str:
        """Write a span of which either end may be missing."""
        if low not in value:
            return self.say(f"不高于 {value[high]}", f"at most {value[high]}")
        if high not in value:
            return self.say(f"不低于 {value[low]}", f"at least {value[low]}")
        return self.say(
            f"在 {value[low]} 与 {value[high]} 之间（含）",
            f"from {value[low]} to {value[high]} inclusive",
        )

    def days(self, value: Mapping[str, str]) -> str:
        """Write the days from and until, both included."""
        if "from" not in value:
            return self.say(f"{value['until']} 及以前", f"on or before {value['until']}")
        if "until" not in value:
            return self.say(f"{value['from']} 及以后", f"on or after {value['from']}")
        return self.say(
            f"{value['from']} 至 {value['until']}（含首尾两日）",
            f"from {value['from']} to {value['until']}, both days included",
        )

    # -- a rule ------------------------------------------------------------------------------
    def rule(self, rule: Rule) -> Iterator[str]:
        days = self.days(rule.document["in_force"])
        yield self.say(f"本规则有效期：{days}。", f"This rule is in force {days}.")
        if rule.law == "filing":
            yield self.say(
                "以申请提交之日有效的规则为准，期限也算到该日。",
                "The rule of the day of filing decides, and ages are counted to that day.",
            )
        else:
            yield self.say(
                "以作出决定之日有效的规则为准，期限也算到该日。",
                "The rule of the day of decision decides, and ages are counted to that day.",
            )
        if rule.programmes:
            said = self.join([self.name(self.names.programmes, one) for one in rule.programmes])
            yield self.say(f"适用于专业：{said}。", f"It is for the programme {said}.")
        yield from self.gate(rule.gate)
        yield from self.sources(rule.sources)
        yield from self.allocation(rule.allocation)
        for constraint in rule.constraints:
            yield self.constraint(constraint)
        yield from self.procedure(rule.procedure)

    def gate(self, gate: Mapping[str, Any]) -> Iterator[str]:
        if "catalogue" in gate:
            yield self.say(
                "只认定学习成果名录之内的成果。",
                "Only outcomes of the bank's catalogue are recognised.",
            )
        if "kinds" in gate:
            said = self.join([self.word(KINDS, one) for one in gate["kinds"]])
            yield self.say(f"只认定这类成果：{said}。", f"Only outcomes of this kind: {said}.")
        if "bodies" in gate:
            said = self.join([self.bare(self.names.bodies, one) for one in gate["bodies"]])
            yield self.say(f"只认定由{said}授予的成果。", f"Only outcomes awarded by {said}.")
        if "agreement" in gate:
            agreement = gate["agreement"]
            partner = self.bare(self.names.bodies, agreement["partner"])
            days = self.days(agreement)
            yield self.say(
                f"只认定由{partner}授予的成果：双方签有协议（{agreement['number']}），完成日须在协议期内：{days}。",
                f"Only outcomes awarded by {partner}, with whom there is an agreement ({agreement['number']}), completed {days}.",
            )
            if "plan_first" in agreement:
                yield self.say(
                    "学习计划须在开始学习之前获得批准。",
                    "The study plan must have been approved before the studies began.",
                )

    def sources(self, sources: Mapping[str, Any]) -> Iterator[str]:
        if "outcome" in sources:
            condition = sources["outcome"]
            parts = condition.get("all", [condition])
            yield self.say(
                "使用一项成果，它须满足：", "One outcome is used. It must meet the following:"
            )
            for part in parts:
                yield self.say(f"· {self.condition(part)}；", f"· {self.condition(part)};")
        else:
            said = self.source(sources)
            yield self.say(f"使用{said}。", f"It uses {said}.")

    def source(self, sources: Mapping[str, Any]) -> str:
        if "outcome" in sources:
            said = self.condition(sources["outcome"])
            return self.say(f"一项成果〔{said}〕", f"one outcome [{said}]")
        if "all" in sources:
            parts = [self.source(one) for one in sources["all"]]
            said = self.join(parts, last=("和", "and"))
            return self.say(f"不同的成果：{said}", f"different outcomes: {said}")
        if "any" in sources:
            parts = [self.source(one) for one in sources["any"]]
            said = self.join(parts)
            return self.say(f"其中之一：{said}", f"one of these: {said}")
        parts = [self.source(one) for one in sources["of"]]
        said = self.join(parts, last=("、", "and"))
        count = sources["n"]
        return self.say(f"下列之中的 {count} 项：{said}", f"{count} of these: {said}")

    # -- conditions --------------------------------------------------------------------------
    def condition(self, condition: Mapping[str, Any]) -> str:
        if "all" in condition:
            return self.clauses(condition["all"], ("且", "and"))
        if "any" in condition:
            return self.clauses(condition["any"], ("或", "or"))
        if "n" in condition:
            parts = [self.condition(one) for one in condition["of"]]
            count, all_ = condition["n"], len(parts)
            return self.say(
                f"下列 {all_} 项中至少满足 {count} 项：{'；'.join(parts)}",
                f"at least {count} of these {all_} hold: {'; '.join(parts)}",
            )
        if "not" in condition:
            said = self.condition(condition["not"])
            return self.say(f"不属于下列情形：{said}", f"it is not so that {said}")
        name = next(iter(condition))
        return _CONDITIONS[name](self, condition[name])

    def listed(self, zh: str, en: str, said: Sequence[str]) -> str:
        joined = self.join(said)
        return self.say(f"{zh}{joined}", f"{en} {joined}")

    def c_item(self, codes: Sequence[str]) -> str:
        names = [self.name(self.names.items, one) for one in codes]
        return self.listed("成果是", "the outcome is", names)

    def c_kind(self, codes: Sequence[str]) -> str:
        said = [self.word(KINDS, one) for one in codes]
        return self.listed("成果类型是", "the kind of outcome is", said)

    def c_body(self, codes: Sequence[str]) -> str:
        said = [self.bare(self.names.bodies, one) for one in codes]
        return self.listed("授予单位是", "it was awarded by", said)

    def c_category(self, codes: Sequence[str]) -> str:
        said = [self.word(CATEGORIES, one) for one in codes]
        return self.listed("成果类别是", "its category is", said)

    def c_certificate_level(self, codes: Sequence[str]) -> str:
        said = [self.word(CERTIFICATE_LEVELS, one) for one in codes]
        return self.listed("证书等级是", "the certificate's level is", said)

    def c_skill_level(self, codes: Sequence[str]) -> str:
        said = [self.word(SKILL_LEVELS, one) for one in codes]
        return self.listed("技能等级是", "the skill level is", said)

    def c_field(self, codes: Sequence[str]) -> str:
        said = [self.bare(self.names.fields, one) for one in codes]
        return self.listed("成果的专业类别是", "the outcome's field is", said)

    def c_programme_field(self, codes: Sequence[str]) -> str:
        said = [self.bare(self.names.fields, one) for one in codes]
        return self.listed("所读专业属于", "the learner's own field of study is", said)

    def c_level(self, value: Mapping[str, Any]) -> str:
        if "same_as" in value:
            return self.say(
                "资历框架与等级和所读专业相同",
                "its framework and level are those of the programme",
            )
        framework = self.bare(self.names.frameworks, value["framework"])
        span = self.span(value, "min", "max")
        return self.say(
            f"在资历框架“{framework}”中的等级{span}",
            f"its level in the framework {framework} is {span}",
        )

    def c_score(self, value: Mapping[str, str]) -> str:
        span = self.span(value, "min", "max")
        return self.say(f"分数{span}", f"the score is {span}")

    def c_hours(self, value: Mapping[str, str]) -> str:
        span = self.span(value, "min", "max")
        return self.say(f"学时{span}", f"the hours are {span}")

    def c_credits(self, value: Mapping[str, str]) -> str:
        span = self.span(value, "min", "max")
        return self.say(f"学分银行学分{span}", f"the bank value is {span}")

    def c_grade(self, value: Mapping[str, Any]) -> str:
        scale = " < ".join(value["scale"])
        return self.say(
            f"成绩等级不低于“{value['min']}”（{scale}）",
            f"the grade is “{value['min']}” or better ({scale})",
        )

    def c_completed(self, value: Mapping[str, str]) -> str:
        days = self.days(value)
        return self.say(f"完成于 {days}", f"it was completed {days}")

    def c_age(self, value: Mapping[str, int]) -> str:
        unit, count = next(iter(value.items()))
        zh = {"years": "年", "months": "个月", "days": "天"}[unit]
        return self.say(
            f"自完成之日起不超过 {count} {zh}（含最后一日）",
            f"it is at most {count} {unit if count > 1 else unit[:-1]} old, the last day included",
        )

    def c_valid(self, _value: object) -> str:
        return self.say("成果仍在自身的有效期内", "it is still valid itself")

    def c_fact(self, value: Mapping[str, Any]) -> str:
        name = self.fact(value["name"])
        if "is" in value:
            said = self.join([f"“{one}”" for one in value["is"]])
            return self.say(f"经核实，{name}是{said}", f"as attested, {name} is {said}")
        if "min" in value or "max" in value:
            span = self.span(value, "min", "max")
            return self.say(f"经核实，{name}{span}", f"as attested, {name} is {span}")
        days = self.days(value)
        return self.say(f"经核实，{name}为 {days}", f"as attested, {name} is {days}")

    def c_held(self, value: Mapping[str, Any]) -> str:
        said = self.condition(value)
        return self.say(
            f"另持有一项成果（不因此被使用）〔{said}〕",
            f"the learner holds another outcome, which is not used up [{said}]",
        )

    def c_met(self, code: str) -> str:
        name = self.name(self.names.courses, code)
        return self.say(f"课程{name}已经修得或认定", f"the course {name} is met")

    # -- amounts -----------------------------------------------------------------------------
    def amount(self, amount: Any) -> str:
        if isinstance(amount, str):
            return self.credits(amount)
        name = next(iter(amount))
        return _AMOUNTS[name](self, amount[name])

    def a_of(self, value: str) -> str:
        if value == "bank":
            return self.say("成果的学分银行学分", "the outcome's bank value")
        return self.say("该课程的学分", "the course's own credits")

    def a_hours_per_credit(self, value: str) -> str:
        return self.say(f"每 {value} 学时折算 1 学分", f"1 credit for every {value} hours")

    def a_table(self, table: Mapping[str, Any]) -> str:
        by = table["by"]
        said = self.fact(by[5:]) if by.startswith("fact:") else self.word(_BY, by)
        rows = [(self.row(by, row), row["credits"]) for row in table["rows"]]
        if "else" in table:
            rows.append((self.say("其他", "else"), table["else"]))
        colon, mark = self.say("：", ": "), self.say("；", "; ")
        written = mark.join(f"{words}{colon}{self.inner(amount)}" for words, amount in rows)
        return self.say(f"按{said}：{written}", f"by {said}: {written}")

    def inner(self, amount: Any) -> str:
        """Write an amount inside another; a table stands in brackets, for it holds rows itself."""
        said = self.amount(amount)
        if isinstance(amount, str) or "table" not in amount:
            return said
        return self.say(f"〔{said}〕", f"[{said}]")

    def row(self, by: str, row: Mapping[str, Any]) -> str:
        if "is" not in row:
            return self.span(row, "from", "until")
        tables: Mapping[str, Mapping[str, Pair]] = {
            "skill_level": SKILL_LEVELS,
            "certificate_level": CERTIFICATE_LEVELS,
            "category": CATEGORIES,
        }
        named = {"item": self.names.items, "programme_field": self.names.fields}
        if by in named:
            return self.join([self.bare(named[by], one) for one in row["is"]])
        return self.join([self.word(tables.get(by, {}), one) for one in row["is"]])

    def parts(self, amounts: Sequence[Any]) -> str:
        return self.say("；", "; ").join(self.inner(one) for one in amounts)

    def a_lower(self, amounts: Sequence[Any]) -> str:
        return self.say(
            f"取较低者〔{self.parts(amounts)}〕", f"the lower of [{self.parts(amounts)}]"
        )

    def a_higher(self, amounts: Sequence[Any]) -> str:
        return self.say(
            f"取较高者〔{self.parts(amounts)}〕", f"the higher of [{self.parts(amounts)}]"
        )

    def a_sum(self, amounts: Sequence[Any]) -> str:
        return self.say(f"各项之和〔{self.parts(amounts)}〕", f"the sum of [{self.parts(amounts)}]")

    def a_times(self, value: Mapping[str, Any]) -> str:
        said = self.amount(value["amount"])
        return self.say(f"〔{said}〕的 {value['by']} 倍", f"{value['by']} times [{said}]")

    def a_less(self, value: Mapping[str, Any]) -> str:
        said, when = self.amount(value["amount"]), self.condition(value["when"])
        return self.say(
            f"〔{said}〕，但如果{when}，减 {value['by']} 学分",
            f"[{said}], less {value['by']} when {when}",
        )

    def a_decay(self, value: Mapping[str, Any]) -> str:
        said = self.amount(value["amount"])
        years, percent = value["after_years"], value["percent_per_year"]
        text = self.say(
            f"〔{said}〕，完成满 {years} 年后每开始一年减少全额的 {percent}%",
            f"[{said}], less {percent} % of the whole for every year begun after {years} years",
        )
        if "at_least_percent" in value:
            least = value["at_least_percent"]
            text += self.say(f"，最低为全额的 {least}%", f", never below {least} % of it")
        return text

    def a_round(self, value: Mapping[str, Any]) -> str:
        said, how = self.amount(value["amount"]), self.word(ROUNDING, value["mode"])
        return self.say(
            f"〔{said}〕，{how}到 {value['step']} 的倍数",
            f"[{said}], {how} to a multiple of {value['step']}",
        )

    # -- allocation --------------------------------------------------------------------------
    def allocation(self, allocation: Mapping[str, Any]) -> Iterator[str]:
        targets = [self.target(one) for one in allocation["to"]]
        if len(targets) == 1:
            yield self.say(f"认定为{targets[0]}。", f"It gives {targets[0]}.")
        else:
            yield self.say("认定为：", "It gives:")
            for one in targets:
                yield self.say(f"· {one}；", f"· {one};")
        if "choose" in allocation:
            count = allocation["choose"]
            yield self.say(
                f"每次使用最多从中选 {count} 个去向。", f"One use gives at most {count} of these."
            )
        if "at_most" in allocation:
            most = self.amount(allocation["at_most"])
            yield self.say(f"每次使用合计最多：{most}。", f"One use gives in all at most {most}.")
        if "excess" in allocation:
            excess = allocation["excess"]
            if excess == "lost":
                yield self.say(
                    "超出课程学分的部分不计。", "What exceeds a course's credits is lost."
                )
            else:
                to = self.bare(self.names.categories, excess["to"])
                yield self.say(
                    f"超出课程学分的部分计入类别“{to}”。",
                    f"What exceeds a course's credits counts in the category “{to}”.",
                )
        if "mark" in allocation:
            yield self.mark(allocation["mark"])

    def target(self, target: Mapping[str, Any]) -> str:
        if "category" in target:
            name = self.bare(self.names.categories, target["category"])
            said = self.amount(target["credits"])
            return self.say(
                f"类别“{name}”的学分：{said}", f"credits of the category “{name}”: {said}"
            )
        if "course" in target:
            name = self.name(self.names.courses, target["course"])
            what = self.say(f"课程{name}", f"the course {name}")
        else:
            tag = self.bare(self.names.tags, target["courses"]["tag"])
            what = self.say(f"带有“{tag}”标签的每门课程", f"every course with the tag “{tag}”")
        if "waived" in target:
            return self.say(f"{what}：免修，不计学分", f"{what}: waived, without credits")
        said = self.amount(target.get("credits", {"of": "target"}))
        return self.say(
            f"{what}：{said}，不超过课程学分", f"{what}: {said}, never more than the course's"
        )

    def mark(self, mark: Mapping[str, Any]) -> str:
        if "map" in mark:
            rows = [f"{row['is']} → {row['mark']}" for row in mark["map"]]
        else:
            rows = [f"{row['is']} → {row['from']} – {row['to']}" for row in mark["bands"]]
        said = self.say("；", "; ").join(rows)
        if "map" in mark:
            return self.say(f"成绩换算：{said}。", f"Grades become marks: {said}.")
        if mark["use"] == "mean":
            return self.say(
                f"成绩换算，取分数段的中值：{said}。", f"Grades become the mean of a band: {said}."
            )
        return self.say(
            f"成绩换算，取分数段的最高值：{said}。", f"Grades become the top of a band: {said}."
        )

    # -- constraints -------------------------------------------------------------------------
    def constraint(self, constraint: Mapping[str, Any]) -> str:
        name = next(one for one in constraint if one != "of")
        said = _CONSTRAINTS[name](self, constraint[name])
        if "of" in constraint:
            of = self.scope(constraint["of"])
            return self.say(f"限制（对{of}）：{said}。", f"Limit, for {of}: {said}.")
        return self.say(f"限制：{said}。", f"Limit: {said}.")

    def scope(self, of: Mapping[str, Any]) -> str:
        if "everything" in of:
            return self.say("全部认定", "all recognition")
        said = []
        if "rules" in of:
            codes = self.join([self.bare(self.names.rules, one) for one in of["rules"]])
            said.append(self.say(f"依规则 {codes} 的认定", f"uses of the rule {codes}"))
        if "kinds" in of:
            codes = self.join([self.word(KINDS, one) for one in of["kinds"]])
            said.append(self.say(f"类型为{codes}的成果", f"outcomes of the kind {codes}"))
        if "bodies" in of:
            codes = self.join([self.bare(self.names.bodies, one) for one in of["bodies"]])
            said.append(self.say(f"由{codes}授予的成果", f"outcomes awarded by {codes}"))
        if "items" in of:
            codes = self.join([self.bare(self.names.items, one) for one in of["items"]])
            said.append(self.say(f"名录项目{codes}", f"the catalogue items {codes}"))
        if "categories" in of:
            codes = self.join([self.bare(self.names.categories, one) for one in of["categories"]])
            said.append(self.say(f"计入类别“{codes}”的学分", f"credits of the category {codes}"))
        return self.say("、且为", " that are also ").join(said)

    def l_cap(self, cap: Mapping[str, Any]) -> str:
        if "outcomes" in cap:
            count = cap["outcomes"]
            return self.say(f"最多使用 {count} 项成果", f"at most {count} outcomes are used")
        if "courses" in cap:
            count = cap["courses"]
            return self.say(f"最多认定 {count} 门课程", f"at most {count} courses are met")
        most = self.credits(cap["credits"])
        if "per" in cap:
            per = self.word(PER, cap["per"])
            return self.say(f"{per}最多 {most}", f"at most {most} for {per}")
        return self.say(f"合计最多 {most}", f"at most {most} in all")

    def l_share(self, share: Mapping[str, Any]) -> str:
        text = self.say(
            f"最多占专业毕业总学分的 {share['percent']}%",
            f"at most {share['percent']} % of the programme's total",
        )
        if "step" in share:
            how = self.word(ROUNDING, share.get("mode", "down"))
            text += self.say(
                f"（{how}到 {share['step']} 的倍数）", f" ({how} to a multiple of {share['step']})"
            )
        return text

    def l_bucket(self, bucket: Mapping[str, Any]) -> str:
        periods = self.say("；", "; ").join(
            f"{one['name']} ({one['from']} – {one['until']})" for one in bucket["periods"]
        )
        most = self.credits(bucket["credits"])
        text = self.say(
            f"按完成日，每年每个时段最多 {most}：{periods}",
            f"by day of completion, at most {most} in each period of a year: {periods}",
        )
        for last in bucket.get("last", ()):
            text += self.say(
                f"；在“{last['period']}”时段毕业的，只计 {last['until']} 及以前完成的",
                f"; who graduates in period {last['period']} counts only what ended by {last['until']}",
            )
        return text

    def l_exclusive(self, value: Mapping[str, Any]) -> str:
        if "same_name" in value:
            return self.say("名称相同的成果只计一次", "outcomes of one name count once")
        said = self.join([self.bare(self.names.items, one) for one in value["items"]])
        return self.say(f"{said}之中只计一项", f"only one of {said} counts")

    def l_highest(self, value: Mapping[str, str]) -> str:
        if value["by"] == "item":
            return self.say(
                "同一名录项目只计最高的一项", "of one catalogue item only the highest counts"
            )
        return self.say("同一活动只计最高的奖项", "of one activity only the highest award counts")

    def l_residency(self, value: Mapping[str, Any]) -> str:
        if "credits" in value:
            said = self.credits(value["credits"])
        else:
            said = self.say(f"总学分的 {value['percent']}%", f"{value['percent']} % of the total")
        return self.say(
            f"须在本校修得至少 {said}", f"at least {said} must be earned at the owner itself"
        )

    def l_never(self, value: Mapping[str, Any]) -> str:
        said = []
        if "courses" in value:
            codes = self.join([self.name(self.names.courses, one) for one in value["courses"]])
            said.append(self.say(f"课程{codes}不可替代", f"the course {codes} is never replaced"))
        if "outcome" in value:
            condition = self.condition(value["outcome"])
            said.append(
                self.say(
                    f"下列成果不予认定〔{condition}〕",
                    f"outcomes are never used when [{condition}]",
                )
            )
        return self.say("；", "; ").join(said)

    # -- procedure ---------------------------------------------------------------------------
    def procedure(self, procedure: Mapping[str, Any]) -> Iterator[str]:
        if procedure["mode"] == "automatic":
            yield self.say(
                "符合条件的自动认定，无须申请；对自动认定的结果可以要求人工复核。",
                "What meets the rule is recognised automatically; a person can always be asked for.",
            )
        else:
            count = procedure.get("reviewers", 1)
            yield self.say(
                f"由 {count} 名评审人员审核。", f"Decided by {count} reviewer{'s' * (count > 1)}."
            )
        if "panel" in procedure:
            yield self.panel(procedure["panel"])
        if "chain" in procedure:
            said = " → ".join(self.word(CHAIN, one) for one in procedure["chain"])
            yield self.say(f"逐级审批：{said}。", f"Approved in turn by {said}.")
        for name, zh, en in (
            ("expected_days", "预计 {} 天内作出决定。", "A decision is expected within {} days."),
            (
                "notice_days",
                "决定公示 {} 天后生效。",
                "It takes effect after {} days of public notice.",
            ),
            ("appeal_days", "可在 {} 天内申请复议。", "An appeal may be lodged within {} days."),
        ):
            if procedure.get(name):
                yield self.say(zh, en).format(procedure[name])
        if "fee" in procedure:
            yield self.fee(procedure["fee"])
        if "gpa" in procedure:
            if procedure["gpa"] == "excluded":
                yield self.say(
                    "认定的学分不计入平均学分绩点。",
                    "Recognised credits do not count in the average.",
                )
            else:
                yield self.say(
                    "认定的学分计入平均学分绩点。", "Recognised credits count in the average."
                )

    def panel(self, panel: Mapping[str, int]) -> str:
        text = self.say(f"评审组 {panel['members']} 人", f"A panel of {panel['members']}")
        if "industry_experts" in panel:
            experts = panel["industry_experts"]
            text += self.say(
                f"，其中行业专家至少 {experts} 人",
                f", at least {experts} of them from the industry",
            )
        if "industry_years" in panel:
            years = panel["industry_years"]
            text += self.say(f"（从业 {years} 年以上）", f" for {years} years or more")
        return text + self.say("。", ", decides." if "industry_experts" in panel else " decides.")

    def fee(self, fee: Mapping[str, str]) -> str:
        amount = fee.get("amount", "")
        text = {
            "none": self.say("不收费。", "There is no fee."),
            "payable": self.say("免修免试不免学费", "The course's fee is still payable"),
            "refunded": self.say("退还课程学费", "The course's fee is refunded"),
            "per-course": self.say("按课程收费", "There is a fee for each course"),
        }[fee["kind"]]
        if amount:
            text += self.say(f"：{amount} 元", f": {amount} yuan")
        if fee["kind"] != "none":
            text += self.say("。", ".")
        note = fee.get("note_en" if self.english else "note", "")
        return f"{text} {note}" if note else text

    # -- reasons -----------------------------------------------------------------------------
    def reason(self, reason: Reason, rule: Rule | None) -> str:
        code, known = reason.code.removesuffix("-unknown"), not reason.code.endswith("-unknown")
        asked = resolve(rule.document, reason.pointer) if rule is not None else None
        found, wanted = self.value(code, reason.found), self.wanted(code, reason, asked)
        if code in _PLAIN:
            return self.say(*_PLAIN[code]).format(found=found, wanted=wanted)
        what = self.what(code, asked)
        asked_for = self.say(f"，要求：{wanted}", f"; asked for: {wanted}") if wanted else ""
        if not known:
            text = self.say(f"{what}尚不清楚", f"Not known: {what}")
            return text + asked_for + self.say("。须由人审核。", ". A person decides.")
        text = what[:1].upper() + what[1:]
        text += self.say(f"：{found or '无'}", f": {found or 'none'}")
        return text + asked_for + self.change(reason.change) + self.say("。", ".")

    def what(self, code: str, asked: Any) -> str:
        """Write what a reason is about; an attested fact by its name, where the rule is at hand."""
        if code == "fact" and isinstance(asked, Mapping):
            name = asked.get("name") or str(asked.get("by", "")).removeprefix("fact:")
            return self.fact(name)
        return self.say(*_WHAT.get(code, ("条件", "condition")))

    def value(self, code: str, text: str) -> str:
        """Write what was found or wanted in the reader's words, where it is codes."""
        tables: Mapping[str, Mapping[str, Pair]] = {
            "kind": KINDS,
            "category": CATEGORIES,
            "certificate-level": CERTIFICATE_LEVELS,
            "skill-level": SKILL_LEVELS,
        }
        named: Mapping[str, Mapping[str, str]] = {
            "item": self.names.items,
            "catalogue": self.names.items,
            "never": self.names.items,
            "never-programme": self.names.items,
            "body": self.names.bodies,
            "agreement-partner": self.names.bodies,
            "met": self.names.courses,
            "course-irreplaceable": self.names.courses,
            "field": self.names.fields,
            "programme-field": self.names.fields,
            "programme": self.names.programmes,
        }
        if not text or (code not in tables and code not in named):
            return text
        parts = text.split(", ")
        if code in tables:
            return self.join([self.word(tables[code], one) for one in parts])
        return self.join([self.bare(named[code], one) for one in parts])

    def wanted(self, code: str, reason: Reason, asked: Any) -> str:
        """Write what was asked for: in the rule's own words where they say more than figures."""
        if isinstance(asked, Mapping):
            if code in ("not", "never"):
                return self.condition({"not": asked})
            if code == "held":
                return self.condition(asked)
            if code == "source-missing":
                return self.source(asked)
        return self.value(code, reason.wanted)

    def change(self, change: str) -> str:
        """Write the smallest change, where there is one."""
        days = re.fullmatch(r"([+-])([0-9]+) days", change)
        if days:
            sign, count = days[1], days[2]
            unit = "day" if count == "1" else "days"
            if sign == "-":
                return self.say(f"（晚了 {count} 天）", f" ({count} {unit} too late)")
            return self.say(f"（早了 {count} 天）", f" ({count} {unit} too early)")
        if change[:1] == "+":
            return self.say(f"（还差 {change[1:]}）", f" ({change[1:]} short)")
        if change[:1] == "-":
            return self.say(f"（超出 {change[1:]}）", f" ({change[1:]} too much)")
        return ""


_WHAT: Final[Mapping[str, Pair]] = {
    "item": ("成果", "outcome"),
    "kind": ("成果类型", "kind of outcome"),
    "body": ("授予单位", "awarding body"),
    "category": ("成果类别", "category of outcome"),
    "certificate-level": ("证书等级", "certificate level"),
    "skill-level": ("技能等级", "skill level"),
    "field": ("成果的专业类别", "field of the outcome"),
    "programme-field": ("所读专业的类别", "own field of study"),
    "level": ("资历等级", "qualification level"),
    "score": ("分数", "score"),
    "grade": ("成绩等级", "grade"),
    "hours": ("学时", "hours"),
    "credits": ("学分银行学分", "bank value"),
    "completed": ("完成日", "day of completion"),
    "age": ("期限所算到的日子", "day to which the age is counted"),
    "valid": ("有效期所看的日子", "day on which it must be valid"),
    "fact": ("经核实的事实", "attested fact"),
    "held": ("另外须持有的成果", "another outcome to be held"),
    "met": ("先修课程", "course to be met before"),
    "not": ("属于被排除的情形", "an excluded case"),
    "programme": ("所读专业", "programme"),
    "not-in-force": ("规则在这一天无效", "the rule is not in force on the day"),
    "agreement-partner": ("没有协议的授予单位", "a body without an agreement"),
    "agreement-days": ("完成日不在协议期内", "completed outside the days of the agreement"),
    "agreement-plan": ("学习计划的批准日", "day on which the study plan was approved"),
    "no-row": ("规则的表中没有这一项", "the rule's table does not name"),
    "no-mark": ("没有可换算的成绩", "no mark is given for the grade"),
    "never": ("属于不予认定的成果", "an outcome that is never used"),
    "never-programme": ("属于该专业不予认定的成果", "an outcome that the programme never uses"),
    "catalogue": ("不在学习成果名录之内", "not in the catalogue"),
}
_PLAIN: Final[Mapping[str, Pair]] = {
    "used": ("这项成果已经使用过。", "This outcome has been used already."),
    "reserved": ("这项成果已在另一份申请中。", "This outcome is in another request."),
    "lapsed": ("这项成果已经失效。", "This outcome has lapsed."),
    "source-missing": ("还缺少{wanted}。", "Missing besides: {wanted}."),
    "sources-not-distinct": (
        "每一处须用不同的成果，现有的成果不够。",
        "Every place takes an outcome of its own; there are too few.",
    ),
    "nothing-given": ("按规则算出的学分为零。", "By the rule no credits come of it."),
    "course-irreplaceable": ("课程{found}不可替代。", "The course {found} is never replaced."),
}
"""Reasons that say all there is to say."""

Say = Callable[[_Writer, Any], str]

_CONDITIONS: Final[Mapping[str, Say]] = {
    "item": _Writer.c_item,
    "kind": _Writer.c_kind,
    "body": _Writer.c_body,
    "category": _Writer.c_category,
    "certificate_level": _Writer.c_certificate_level,
    "skill_level": _Writer.c_skill_level,
    "field": _Writer.c_field,
    "programme_field": _Writer.c_programme_field,
    "level": _Writer.c_level,
    "score": _Writer.c_score,
    "hours": _Writer.c_hours,
    "credits": _Writer.c_credits,
    "grade": _Writer.c_grade,
    "completed": _Writer.c_completed,
    "age": _Writer.c_age,
    "valid": _Writer.c_valid,
    "fact": _Writer.c_fact,
    "held": _Writer.c_held,
    "met": _Writer.c_met,
}
_AMOUNTS: Final[Mapping[str, Say]] = {
    "of": _Writer.a_of,
    "hours_per_credit": _Writer.a_hours_per_credit,
    "table": _Writer.a_table,
    "lower": _Writer.a_lower,
    "higher": _Writer.a_higher,
    "sum": _Writer.a_sum,
    "times": _Writer.a_times,
    "less": _Writer.a_less,
    "decay": _Writer.a_decay,
    "round": _Writer.a_round,
}
_CONSTRAINTS: Final[Mapping[str, Say]] = {
    "cap": _Writer.l_cap,
    "share": _Writer.l_share,
    "bucket": _Writer.l_bucket,
    "exclusive": _Writer.l_exclusive,
    "highest": _Writer.l_highest,
    "residency": _Writer.l_residency,
    "never": _Writer.l_never,
}
