"""What one use of a rule gives: targets, their credits, the excess, the mark (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from creditbank.recognition.engine import amounts, scopes
from creditbank.recognition.engine.amounts import Use
from creditbank.recognition.engine.conditions import FAILED, MET, Budget, Truth
from creditbank.recognition.engine.evidence import Context, Evidence
from creditbank.recognition.engine.findings import Grant, Reason
from creditbank.recognition.language.figures import written
from creditbank.recognition.language.programmes import Course
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.language.schemas import pointer

Steps = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a use gives, or why it gives nothing (`reasons`), or why that is not known."""

    truth: Truth
    grants: tuple[Grant, ...] = ()
    choose: int = 0
    credits_max: Decimal | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Target:
    """One target of a rule; every course with a tag is one."""

    steps: Steps
    document: Mapping[str, Any]
    course: Course | None = None
    category: str = ""


def give(
    rule: Rule, outcomes: tuple[Evidence, ...], context: Context, day: date, budget: Budget
) -> Given:
    """Return what a use of a rule with these outcomes gives. Raises TooManySteps."""
    allocation = rule.allocation
    use = Use(outcomes=outcomes, context=context, day=day, budget=budget)
    targets = _replaceable(rule, PARTS["to"](allocation["to"], use), use)
    grants = [grant for target in targets for grant in _grants(target, allocation, use)]
    most = _at_most(allocation, use)
    mark = PARTS["mark"](allocation["mark"], use) if "mark" in allocation else ""
    if use.truth is not MET:
        reasons = use.failed if use.truth is FAILED else use.unknown
        return Given(truth=use.truth, reasons=tuple(dict.fromkeys(reasons)))
    if mark:
        grants = [grant if grant.waived else replace(grant, mark=mark) for grant in grants]
    choose = PARTS["choose"](allocation["choose"], use) if "choose" in allocation else 0
    if most is not None and not choose:
        grants = _cut(grants, most)
    if not grants:
        return Given(truth=FAILED, reasons=(_nothing(use),))
    return Given(
        truth=MET, grants=tuple(grants), choose=choose, credits_max=most if choose else None
    )


def _nothing(use: Use) -> Reason:
    leaf = use.outcomes[0].leaf if len(use.outcomes) == 1 else None
    return Reason(code="nothing-given", pointer="/allocation", leaf=leaf, found="0")


# -- targets ----------------------------------------------------------------------------------
def _targets(documents: Sequence[Mapping[str, Any]], use: Use) -> list[_Target]:
    """Return the targets, each course once: named itself, or by its tag."""
    named = {document["course"] for document in documents if "course" in document}
    targets = []
    for number, document in enumerate(documents):
        steps: Steps = ("allocation", "to", number)
        if "category" in document:
            targets.append(_Target(steps=steps, document=document, category=document["category"]))
        elif "course" in document:
            course = use.context.programme.course(document["course"])
            targets.append(_Target(steps=steps, document=document, course=course))
        else:
            for course in PARTS["courses"](document["courses"], use):
                if course.code not in named:
                    named.add(course.code)
                    targets.append(_Target(steps=steps, document=document, course=course))
    return targets


def _tagged(value: Mapping[str, Any], use: Use) -> Sequence[Course]:
    return use.context.programme.tagged(value["tag"])


def _replaceable(rule: Rule, targets: list[_Target], use: Use) -> list[_Target]:
    """Leave out courses that are never replaced; refuse when one is named among all together."""
    never = {
        code
        for one in use.outcomes
        for _, _, value in scopes.nevers_on(rule, use.asked(one))
        for code in value.get("courses", ())
    }
    kept, out = [], []
    for target in targets:
        course = target.course
        if course is None or (course.replaceable and course.code not in never):
            kept.append(target)
        elif "course" in target.document:
            steps = (*target.steps, "course")
            out.append(
                Reason(code="course-irreplaceable", pointer=pointer(steps), found=course.code)
            )
    if not kept or "choose" not in rule.allocation:
        use.failed.extend(out)
    return kept


# -- credits ----------------------------------------------------------------------------------
def _grants(target: _Target, allocation: Mapping[str, Any], use: Use) -> Iterator[Grant]:
    course, document = target.course, target.document
    if course is not None and "waived" in document and PARTS["waived"](document, use):
        yield Grant(course=course.code, waived=True)
        return
    target_credits = None if course is None else course.credits
    amount = document.get("credits", {"of": "target"})
    found = amounts.credits(amount, replace(use, target=target_credits), (*target.steps, "credits"))
    if found is None:
        return
    if course is None:
        if found:
            yield Grant(category=target.category, credits=found)
        return
    fits = min(found, course.credits)
    surplus, to = PARTS["excess"](allocation.get("excess", "lost"), found - fits)
    if found or not course.credits:
        yield Grant(course=course.code, credits=fits, surplus=surplus, surplus_category=to)


def _waived(_document: Mapping[str, Any], _use: Use) -> bool:
    return True


def _excess(value: str | Mapping[str, str], excess: Decimal) -> tuple[Decimal, str]:
    """Return what goes where of the credits that a course cannot take."""
    if isinstance(value, str) or not excess:
        return Decimal(0), ""
    return excess, value["to"]


def _at_most(allocation: Mapping[str, Any], use: Use) -> Decimal | None:
    if "at_most" not in allocation:
        return None
    found: Decimal | None = PARTS["at_most"](allocation["at_most"], use)
    return found


def _most(amount: Any, use: Use) -> Decimal | None:
    return amounts.credits(amount, use, ("allocation", "at_most"))


def _choose(count: int, _use: Use) -> int:
    return count


def _cut(grants: list[Grant], most: Decimal) -> list[Grant]:
    """Cut grants that come together down to the most that a use gives.

    What went beyond the courses goes first, then credits, from the last grant to
    the first. A grant of which nothing is left is left out.
    """
    over = sum((one.credits + one.surplus for one in grants), Decimal(0)) - most
    kept = list(grants)
    for name in ("surplus", "credits"):
        for place in range(len(kept) - 1, -1, -1):
            held: Decimal = getattr(kept[place], name)
            off = min(held, max(over, Decimal(0)))
            if off:
                changes: dict[str, Any] = {name: held - off}
                if name == "surplus" and off == held:
                    changes["surplus_category"] = ""
                kept[place] = replace(kept[place], **changes)
                over -= off
    return [
        after
        for before, after in zip(grants, kept, strict=True)
        if after.credits or after.surplus or not (before.credits or before.surplus)
    ]


# -- the mark ---------------------------------------------------------------------------------
def _mark(value: Mapping[str, Any], use: Use) -> str:
    """Turn grades into the mark of the receiving side; of several outcomes the mean."""
    marks = [_mark_of(value, one, use) for one in use.outcomes]
    known = [one for one in marks if one is not None]
    if len(known) < len(marks):
        return ""
    return written(sum(known, Fraction(0)) / len(known))


def _mark_of(value: Mapping[str, Any], evidence: Evidence, use: Use) -> Fraction | None:
    name = "map" if "map" in value else "bands"
    grade = evidence.result.grade
    for row in value[name]:
        if row["is"] == grade:
            if name == "map":
                return Fraction(row["mark"])
            low, high = Fraction(row["from"]), Fraction(row["to"])
            return high if value["use"] == "maximum" else (low + high) / 2
    reason = Reason(
        code="no-mark" if grade else "grade-unknown",
        pointer=pointer(("allocation", "mark", name)),
        leaf=evidence.leaf,
        found=grade,
        wanted=", ".join(row["is"] for row in value[name]),
    )
    (use.failed if grade else use.unknown).append(reason)
    return None


PARTS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "to": _targets,
    "courses": _tagged,
    "waived": _waived,
    "excess": _excess,
    "at_most": _most,
    "choose": _choose,
    "mark": _mark,
}
"""The parts of an allocation, by their names in a rule."""
