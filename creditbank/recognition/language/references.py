"""What a rule names of a programme, and whether the programme has it (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from creditbank.errors import Problem
from creditbank.recognition.language import walk
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.language.schemas import Steps, pointer

SENTENCES: Final[Mapping[str, str]] = {
    "course-unknown": "该专业没有这门课程",
    "category-unknown": "该专业没有这个学分类别",
    "tag-unknown": "该专业没有带这个标签的课程",
}


def missing(rule: Rule, programme: Programme) -> list[Problem]:
    """Return what a rule names and a programme does not have, by JSON pointer in the rule."""
    found = []
    for kind, code, steps in _named(rule):
        if kind == "course":
            known = programme.course(code) is not None
        elif kind == "category":
            known = programme.category(code) is not None
        else:
            known = bool(programme.tagged(code))
        if not known:
            found.append(
                Problem(
                    code=f"{kind}-unknown",
                    field=pointer(steps),
                    value=code,
                    expected=f"{programme.code}/{programme.version}",
                    message=SENTENCES[f"{kind}-unknown"],
                )
            )
    return found


def _named(rule: Rule) -> Sequence[tuple[str, str, Steps]]:
    known: Sequence[tuple[str, str, Steps]] | None = rule.remembered.get("named")
    if known is None:
        known = rule.remembered["named"] = tuple(named(rule))
    return known


def named(rule: Rule) -> Iterator[tuple[str, str, Steps]]:
    """Give each course, category and tag of a programme that a rule names, with its place."""
    allocation = rule.allocation
    for number, target in enumerate(allocation["to"]):
        yield from _target(target, ("allocation", "to", number))
    excess = allocation.get("excess")
    if isinstance(excess, Mapping):
        yield "category", excess["to"], ("allocation", "excess", "to")
    for node in walk.rule(rule.document):
        if node.role == "condition" and "met" in node.value:
            yield "course", node.value["met"], (*node.steps, "met")
    for number, constraint in enumerate(rule.constraints):
        steps = ("constraints", number)
        for place, code in enumerate(constraint.get("of", {}).get("categories", ())):
            yield "category", code, (*steps, "of", "categories", place)
        for place, code in enumerate(constraint.get("never", {}).get("courses", ())):
            yield "course", code, (*steps, "never", "courses", place)


def _target(target: Mapping[str, Any], steps: Steps) -> Iterator[tuple[str, str, Steps]]:
    if "course" in target:
        yield "course", target["course"], (*steps, "course")
    elif "category" in target:
        yield "category", target["category"], (*steps, "category")
    else:
        yield "tag", target["courses"]["tag"], (*steps, "courses", "tag")
