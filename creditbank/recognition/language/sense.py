"""What a schema cannot say of one document: days in order, limits, rows that can never match (pure).

Every problem is found at once, each with the JSON pointer of its place. What
only several documents together can tell (references, overlaps) is in `rulechecks`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from stdnum.cn import uscc

from creditbank.errors import Problem
from creditbank.ledger.statements import CREDITS_MAX
from creditbank.proofs import canonical, texts
from creditbank.recognition.language import walk
from creditbank.recognition.language.schemas import Steps, pointer, show

DEPTH_MAX: Final = 8
"""How deep constructs may be nested: a rule's sources with their conditions, an amount, a `never`."""
NODES_MAX: Final = 400
"""How many sources, conditions and amounts a rule may be made of."""
BYTES_MAX: Final = 65_536
"""Of a rule's canonical bytes."""
PROGRAMME_BYTES_MAX: Final = 1_048_576

SENTENCES: Final[Mapping[str, str]] = {
    "text-invalid": "文本过长、为空白或含有不可见的字符",
    "uscc-check": "统一社会信用代码的校验码不对",
    "document-too-large": "文档过大",
    "too-nested": "构造嵌套过深",
    "too-many-constructs": "规则的构造过多",
    "days-out-of-order": "结束日在开始日之前",
    "min-above-max": "上限低于下限",
    "count-too-high": "要求的个数多于可选的个数",
    "grade-not-in-scale": "等级不在所列的等级顺序之中",
    "held-nested": "“另持有”的条件里不能再写“另持有”",
    "target-repeated": "同一个去向写了两次",
    "no-target-course": "这里没有对应的课程",
    "amount-zero": "数值必须大于零",
    "credits-out-of-range": "学分超出范围",
    "row-form": "这一行的写法与所依据的项目不符",
    "row-repeated": "这个取值前面已经写过",
    "row-never-matches": "这一行永远不会匹配",
    "excess-without-course": "没有课程，谈不上超出课程学分的部分",
    "agreement-outside-bodies": "协议的对方不在所列的授予单位之中",
    "month-day-invalid": "没有这一天",
    "name-repeated": "名称或代码写了两次",
    "periods-overlap": "两个时段有重叠",
    "period-unknown": "没有这个时段",
    "outside-period": "这一天不在该时段之内",
    "automatic-with-people": "自动认定不能同时要求人员评审",
    "experts-above-members": "行业专家多于评审组人数",
    "fee-amount": "收费方式与金额不符",
    "category-unknown": "没有这个学分类别",
    "course-unknown": "没有这门课程",
    "spills-in-a-circle": "超出部分的去向绕成了圈",
    "categories-above-total": "各类别要求的学分之和超过毕业总学分",
    "above-total": "超过毕业总学分",
    "item-repeated": "同一个名录项目对应了两门课程",
}
"""What is wrong with one document, by code."""

_NUMBERS: Final = frozenset({"score"})
"""What a table goes by in numbers; by a fact in either; by everything else in words."""
_LISTED: Final[Mapping[str, frozenset[str]]] = {
    "skill_level": frozenset("12345"),
    "certificate_level": frozenset({"初级", "中级", "高级"}),
    "category": frozenset({"degree", "vocational", "continuing", "leisure", "achievement"}),
}
_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def rule_problems(document: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with a rule whose shape is right, sorted by pointer."""
    return _sorted([*_common(document, BYTES_MAX), *_rule(document)])


def programme_problems(document: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with a programme whose shape is right, sorted by pointer."""
    return _sorted([*_common(document, PROGRAMME_BYTES_MAX), *_programme(document)])


def problem(code: str, steps: Steps, value: object = "", expected: str = "") -> Problem:
    """Return a problem of this module's at a place."""
    return Problem(
        code=code,
        field=pointer(steps),
        value=show(value),
        expected=expected,
        message=SENTENCES[code],
    )


def _sorted(found: Sequence[Problem]) -> list[Problem]:
    return sorted(found, key=lambda one: (one.field or "", one.code))


# -- texts, size ------------------------------------------------------------------------------
def _common(document: Mapping[str, Any], most: int) -> Iterator[Problem]:
    bad = list(_texts(document, ()))
    yield from bad
    if not bad:
        size = len(canonical.encode(document))
        if size > most:
            yield problem("document-too-large", (), size, f"≤ {most}")
    yield from _span(document["in_force"], ("in_force",), "from", "until", "days-out-of-order")
    yield from _uscc(document["owner"], ("owner",))
    for number, constraint in enumerate(document.get("constraints", ())):
        yield from _constraint(constraint, ("constraints", number))
    for node in walk.constraints(document):
        yield from _condition(node)


def _texts(value: object, steps: tuple[str | int, ...]) -> Iterator[Problem]:
    if isinstance(value, str):
        fault = texts.fault(value, required=True)
        if fault is not None:
            yield problem("text-invalid", steps, fault[0])
    elif isinstance(value, Mapping):
        for name, child in value.items():
            yield from _texts(child, (*steps, name))
    elif isinstance(value, Sequence):
        for number, child in enumerate(value):
            yield from _texts(child, (*steps, number))


def _uscc(code: str, steps: Steps) -> Iterator[Problem]:
    expected = str(uscc.calc_check_digit(code[:-1]))
    if code[-1] != expected:
        yield problem("uscc-check", steps, code, f"{code[:-1]}{expected}")


def _usccs(codes: Sequence[str], steps: tuple[str | int, ...]) -> Iterator[Problem]:
    for number, code in enumerate(codes):
        yield from _uscc(code, (*steps, number))


def _span(
    value: Mapping[str, str], steps: tuple[str | int, ...], first: str, last: str, code: str
) -> Iterator[Problem]:
    """Find a span whose end is before its beginning: of days, or of numbers."""
    if first not in value or last not in value:
        return
    low: Any = value[first]
    high: Any = value[last]
    if code == "min-above-max":
        low, high = Decimal(low), Decimal(high)
    if high < low:
        yield problem(code, (*steps, last), value[last], f"≥ {value[first]}")


def _positive(value: str, steps: Steps) -> Iterator[Problem]:
    if not Decimal(value):
        yield problem("amount-zero", steps, value, "> 0")


def _repeated(names: Sequence[tuple[str, Steps]], code: str = "name-repeated") -> Iterator[Problem]:
    seen: set[str] = set()
    for name, steps in names:
        if name in seen:
            yield problem(code, steps, name)
        seen.add(name)


# -- a rule -----------------------------------------------------------------------------------
def _rule(document: Mapping[str, Any]) -> Iterator[Problem]:
    nodes = list(walk.rule(document))
    if len(nodes) > NODES_MAX:
        yield problem("too-many-constructs", (), len(nodes), f"≤ {NODES_MAX}")
    constraints = len(list(walk.constraints(document)))
    for node in nodes[: len(nodes) - constraints]:
        if node.role == "condition":
            yield from _condition(node)
        elif node.role == "amount":
            yield from _amount(node)
        else:
            yield from _combined(node)
    yield from _gate(document.get("gate", {}))
    yield from _allocation(document["allocation"])
    yield from _procedure(document["procedure"])


def _combined(node: walk.Node) -> Iterator[Problem]:
    """Check what sources and conditions have in common: how deep, and how many of how many."""
    value = node.value
    if node.depth == DEPTH_MAX + 1:
        yield problem("too-nested", node.steps, node.depth, f"≤ {DEPTH_MAX}")
    if "n" in value and value["n"] > len(value["of"]):
        yield problem("count-too-high", (*node.steps, "n"), value["n"], f"≤ {len(value['of'])}")


def _condition(node: walk.Node) -> Iterator[Problem]:
    value, steps = node.value, node.steps
    yield from _combined(node)
    for name in ("level", "score", "hours", "credits"):
        if name in value:
            yield from _span(value[name], (*steps, name), "min", "max", "min-above-max")
    if "completed" in value:
        yield from _span(
            value["completed"], (*steps, "completed"), "from", "until", "days-out-of-order"
        )
    if "fact" in value:
        yield from _span(value["fact"], (*steps, "fact"), "min", "max", "min-above-max")
        yield from _span(value["fact"], (*steps, "fact"), "from", "until", "days-out-of-order")
    if "grade" in value and value["grade"]["min"] not in value["grade"]["scale"]:
        scale = " < ".join(value["grade"]["scale"])
        yield problem("grade-not-in-scale", (*steps, "grade", "min"), value["grade"]["min"], scale)
    if "body" in value:
        yield from _usccs(value["body"], (*steps, "body"))
    if "held" in value:
        for inner in walk.conditions(value["held"], (*steps, "held")):
            if "held" in inner.value:
                yield problem("held-nested", (*inner.steps, "held"))


def _gate(gate: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _usccs(gate.get("bodies", ()), ("gate", "bodies"))
    if "agreement" in gate:
        agreement, steps = gate["agreement"], ("gate", "agreement")
        yield from _span(agreement, steps, "from", "until", "days-out-of-order")
        yield from _uscc(agreement["partner"], (*steps, "partner"))
        if agreement["partner"] not in gate.get("bodies", [agreement["partner"]]):
            yield problem(
                "agreement-outside-bodies",
                (*steps, "partner"),
                agreement["partner"],
                ", ".join(gate["bodies"]),
            )


def _allocation(allocation: Mapping[str, Any]) -> Iterator[Problem]:
    targets = allocation["to"]
    steps: tuple[str | int, ...] = ("allocation", "to")
    yield from _repeated(
        [(_target_key(target), (*steps, number)) for number, target in enumerate(targets)],
        "target-repeated",
    )
    for number, target in enumerate(targets):
        if target.get("credits") == "0":
            yield problem("amount-zero", (*steps, number, "credits"), "0", "> 0")
        if "category" in target:
            yield from _without_target(target["credits"], (*steps, number, "credits"))
    many = any("courses" in target for target in targets)
    if not many and allocation.get("choose", 0) > len(targets):
        yield problem(
            "count-too-high", ("allocation", "choose"), allocation["choose"], f"≤ {len(targets)}"
        )
    if "at_most" in allocation:
        if allocation["at_most"] == "0":
            yield problem("amount-zero", ("allocation", "at_most"), "0", "> 0")
        yield from _without_target(allocation["at_most"], ("allocation", "at_most"))
    if isinstance(allocation.get("excess"), Mapping) and not any(
        "waived" not in target and "category" not in target for target in targets
    ):
        yield problem("excess-without-course", ("allocation", "excess"))
    yield from _mark(allocation.get("mark", {}))


def _target_key(target: Mapping[str, Any]) -> str:
    for name in ("course", "category"):
        if name in target:
            return f"{name} {target[name]}"
    return f"courses {target['courses']['tag']}"


def _without_target(amount: Any, steps: Steps) -> Iterator[Problem]:
    for node in walk.amounts(amount, steps):
        if node.role == "amount" and node.value == {"of": "target"}:
            yield problem("no-target-course", (*node.steps, "of"), "target", "bank")


def _mark(mark: Mapping[str, Any]) -> Iterator[Problem]:
    steps: tuple[str | int, ...] = ("allocation", "mark")
    for name in ("map", "bands"):
        rows = mark.get(name, ())
        yield from _repeated(
            [(row["is"], (*steps, name, number, "is")) for number, row in enumerate(rows)],
            "row-repeated",
        )
    for number, row in enumerate(mark.get("bands", ())):
        yield from _span(row, (*steps, "bands", number), "from", "to", "min-above-max")


def _procedure(procedure: Mapping[str, Any]) -> Iterator[Problem]:
    if procedure["mode"] == "automatic":
        for name in ("reviewers", "panel", "chain"):
            if name in procedure:
                yield problem("automatic-with-people", ("procedure", name))
    panel = procedure.get("panel", {})
    if panel.get("industry_experts", 0) > panel.get("members", 0):
        yield problem(
            "experts-above-members",
            ("procedure", "panel", "industry_experts"),
            panel["industry_experts"],
            f"≤ {panel['members']}",
        )
    fee = procedure.get("fee", {"kind": "none"})
    if ("amount" in fee and fee["kind"] == "none") or (
        "amount" not in fee and fee["kind"] == "per-course"
    ):
        yield problem("fee-amount", ("procedure", "fee", "amount"), fee.get("amount", ""))


# -- amounts ----------------------------------------------------------------------------------
def _amount(node: walk.Node) -> Iterator[Problem]:
    value, steps = node.value, node.steps
    if node.depth == DEPTH_MAX + 1:
        yield problem("too-nested", steps, node.depth, f"≤ {DEPTH_MAX}")
    if isinstance(value, str):
        if Decimal(value) > CREDITS_MAX:
            yield problem("credits-out-of-range", steps, value, f"≤ {CREDITS_MAX}")
        return
    if "hours_per_credit" in value:
        yield from _positive(value["hours_per_credit"], (*steps, "hours_per_credit"))
    for name, figure in (("times", "by"), ("less", "by"), ("round", "step")):
        if name in value:
            yield from _positive(value[name][figure], (*steps, name, figure))
    if "table" in value:
        yield from _table(value["table"], (*steps, "table"))


def _table(table: Mapping[str, Any], steps: tuple[str | int, ...]) -> Iterator[Problem]:
    by, rows = table["by"], table["rows"]
    numbers = by in _NUMBERS or (by.startswith("fact:") and "is" not in rows[0])
    said: set[str] = set()
    covered: list[tuple[Decimal, Decimal]] = []
    for number, row in enumerate(rows):
        place = (*steps, "rows", number)
        if ("is" not in row) != numbers:
            yield problem("row-form", place, row, "from, until" if numbers else "is")
        elif numbers:
            wrong = list(_span(row, place, "from", "until", "min-above-max"))
            yield from wrong
            span = (Decimal(row.get("from", "0")), Decimal(row.get("until", "Infinity")))
            if not wrong and _covers(covered, span):
                yield problem("row-never-matches", place, row)
            covered.append(span)
        else:
            for position, value in enumerate(row["is"]):
                if value in said:
                    yield problem("row-repeated", (*place, "is", position), value)
                elif value not in _LISTED.get(by, {value}):
                    yield problem(
                        "row-never-matches",
                        (*place, "is", position),
                        value,
                        ", ".join(sorted(_LISTED[by])),
                    )
                said.add(value)


def _covers(spans: Sequence[tuple[Decimal, Decimal]], span: tuple[Decimal, Decimal]) -> bool:
    """Say whether closed spans hold all of another between them."""
    low, high = span
    for first, last in sorted(spans):
        if first <= low <= last:
            if high <= last:
                return True
            # What begins right at the end leaves nothing between.
            low = last
    return False


# -- constraints, of rules and of programmes --------------------------------------------------
def _constraint(value: Mapping[str, Any], steps: tuple[str | int, ...]) -> Iterator[Problem]:
    yield from _usccs(value.get("of", {}).get("bodies", ()), (*steps, "of", "bodies"))
    if "step" in value.get("share", {}):
        yield from _positive(value["share"]["step"], (*steps, "share", "step"))
    if "bucket" in value:
        yield from _bucket(value["bucket"], (*steps, "bucket"))


def _bucket(bucket: Mapping[str, Any], steps: tuple[str | int, ...]) -> Iterator[Problem]:
    periods = bucket["periods"]
    wrong: list[Problem] = []
    for name in ("periods", "last"):
        for number, one in enumerate(bucket.get(name, ())):
            for end in ("from", "until"):
                wrong += _month_day(one.get(end, "01-01"), (*steps, name, number, end))
    yield from wrong
    yield from _repeated(
        [(one["name"], (*steps, "periods", number, "name")) for number, one in enumerate(periods)]
    )
    yield from _repeated(
        [
            (one["period"], (*steps, "last", number, "period"))
            for number, one in enumerate(bucket.get("last", ()))
        ]
    )
    if wrong:
        return
    taken: set[int] = set()
    days = {}
    for number, one in enumerate(periods):
        own = days[one["name"]] = _days_of(one["from"], one["until"])
        if own & taken:
            yield problem(
                "periods-overlap", (*steps, "periods", number), f"{one['from']} – {one['until']}"
            )
        taken |= own
    for number, one in enumerate(bucket.get("last", ())):
        place = (*steps, "last", number)
        if one["period"] not in days:
            yield problem("period-unknown", (*place, "period"), one["period"], ", ".join(days))
        elif _ordinal(one["until"]) not in days[one["period"]]:
            yield problem("outside-period", (*place, "until"), one["until"], one["period"])


def _month_day(text: str, steps: Steps) -> Iterator[Problem]:
    month, day = int(text[:2]), int(text[3:])
    if day > _DAYS[month - 1]:
        yield problem("month-day-invalid", steps, text, f"≤ {text[:2]}-{_DAYS[month - 1]}")


def _ordinal(text: str) -> int:
    """Return a day's number in a leap year, from 1."""
    return sum(_DAYS[: int(text[:2]) - 1]) + int(text[3:])


def _days_of(first: str, last: str) -> set[int]:
    """Return the days of a period that may run over the turn of the year."""
    low, high = _ordinal(first), _ordinal(last)
    return set(range(low, high + 1)) if low <= high else {*range(low, 367), *range(1, high + 1)}


# -- a programme ------------------------------------------------------------------------------
def _programme(document: Mapping[str, Any]) -> Iterator[Problem]:
    categories, courses = document["categories"], document["courses"]
    total = Decimal(document["total"])
    for name in ("categories", "courses", "minimums", "thresholds"):
        yield from _repeated(
            [
                (one["code"], (name, number, "code"))
                for number, one in enumerate(document.get(name, ()))
            ]
        )
    codes = {one["code"] for one in categories}
    course_codes = {one["code"] for one in courses}
    for number, one in enumerate(categories):
        if one.get("spills_to", one["code"]) not in codes:
            yield problem("category-unknown", ("categories", number, "spills_to"), one["spills_to"])
    yield from _circles(categories)
    asked = sum((Decimal(one["credits"]) for one in categories), Decimal(0))
    if asked > total:
        yield problem("categories-above-total", ("total",), document["total"], f"≥ {asked}")
    items: Counter[str] = Counter()
    for number, one in enumerate(courses):
        if one["category"] not in codes:
            yield problem("category-unknown", ("courses", number, "category"), one["category"])
        for position, item in enumerate(one.get("items", ())):
            if items[item]:
                yield problem("item-repeated", ("courses", number, "items", position), item)
            items[item] += 1
    for name in ("minimums", "thresholds"):
        for number, one in enumerate(document.get(name, ())):
            yield from _usccs(one.get("of", {}).get("bodies", ()), (name, number, "of", "bodies"))
            if Decimal(one["credits"]) > total:
                yield problem(
                    "above-total", (name, number, "credits"), one["credits"], f"≤ {total}"
                )
    for number, one in enumerate(document.get("constraints", ())):
        yield from _references(one, ("constraints", number), course_codes, codes, total)


def _circles(categories: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    to = {one["code"]: one.get("spills_to", "") for one in categories}
    for number, one in enumerate(categories):
        seen, code = {one["code"]}, to[one["code"]]
        while code in to and code not in seen:
            seen.add(code)
            code = to[code]
        if code == one["code"]:
            yield problem("spills-in-a-circle", ("categories", number, "spills_to"), code)


def _references(
    value: Mapping[str, Any],
    steps: tuple[str | int, ...],
    courses: set[str],
    categories: set[str],
    total: Decimal,
) -> Iterator[Problem]:
    for number, code in enumerate(value.get("of", {}).get("categories", ())):
        if code not in categories:
            yield problem("category-unknown", (*steps, "of", "categories", number), code)
    for number, code in enumerate(value.get("never", {}).get("courses", ())):
        if code not in courses:
            yield problem("course-unknown", (*steps, "never", "courses", number), code)
    for name in ("cap", "residency"):
        asked = value.get(name, {}).get("credits", "0")
        if Decimal(asked) > total:
            yield problem("above-total", (*steps, name, "credits"), asked, f"≤ {total}")
