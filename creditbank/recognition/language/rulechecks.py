"""What is wrong with rules and programmes among others, before anything is published (pure).

Each document by itself is held against its schema and `sense` when it is read;
here it is held against the catalogue, the programmes, its own earlier versions
and the other rules. Everything is found at once. An error stands in the way of
publication; a warning is for a person to weigh.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, Literal

from creditbank.errors import Problem
from creditbank.recognition.language import references, walk
from creditbank.recognition.language.domains import (
    WAYS_MAX,
    Clash,
    Demand,
    Item,
    TooManyWays,
    Way,
    clash,
    first_clash,
    ways,
)
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rules import Rule
from creditbank.recognition.language.schemas import pointer, show

__all__ = ["CatalogueFacts", "Flaw", "Item", "check", "check_programme", "check_rule"]

Steps = tuple[str | int, ...]
Severity = Literal["error", "warning"]

SENTENCES: Final[Mapping[str, str]] = {
    "item-unknown": "学习成果名录中没有这个项目",
    "rule-unknown": "没有这条规则",
    "programme-unknown": "没有这个专业",
    "framework-unknown": "没有这个资历框架版本",
    "framework-withdrawn": "这个资历框架版本已经停用",
    "contradiction": "这个条件与前面的条件不可能同时满足",
    "no-item-meets": "所列的名录项目都不可能满足其余条件",
    "window-impossible": "在规则有效期内不可能满足这个期限",
    "unreachable": "这一部分永远不会用到",
    "cap-above-total": "上限超过专业的毕业总学分，起不到作用",
    "more-than-course": "给出的学分多于课程的学分，多出的部分不会计入",
    "target-never-replaced": "这门课程不可替代，规则不会生效",
    "overlap": "另一条规则在相同的日子里对相同的成果给出相同的去向",
    "contradicts-another": "另一条规则在相同的日子里对相同的成果和去向作出不同的规定",
    "excluded-by-another": "另一条规则规定这门课程不可替代",
    "versions-gap": "与上一版本之间有没有规则可用的日子",
    "versions-overlap": "上一版本到期之前，本版本已经开始",
    "versions-out-of-order": "版本号更大的版本开始得更早",
    "native-item-of-another": "这个名录项目由其他单位授予，不会自动满足本课程",
}
"""What is wrong among documents, by code; what a programme lacks is said by `references`."""

WARNINGS: Final = frozenset(
    {
        "unreachable",
        "more-than-course",
        "overlap",
        "versions-gap",
        "versions-overlap",
        "native-item-of-another",
    }
)


@dataclass(frozen=True, kw_only=True)
class CatalogueFacts:
    """What is known of the outcome catalogue and the qualification frameworks.

    `items` holds every version of an item by its code, withdrawn ones too: an
    outcome recorded under one of them can still be used. `frameworks` are the
    keys (`code/version`) that are in use, `withdrawn` those that are no more.
    """

    items: Mapping[str, Collection[Item]] = field(default_factory=dict)
    frameworks: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """Something wrong with one version of a rule or programme; `other` is the rule it clashes with."""

    code: str
    version: int
    severity: Severity
    problem: Problem
    other: str = ""


def check(
    rules: Sequence[Rule], programmes: Sequence[Programme], catalogue: CatalogueFacts
) -> list[Flaw]:
    """Return what is wrong with a whole set; what two rules do to each other is told of both."""
    views = [_View(rule, programmes) for rule in rules]
    found = [flaw for view in views for flaw in _Check(view, views, programmes, catalogue).flaws()]
    for programme in programmes:
        found += check_programme(programme, among=programmes, rules=rules, catalogue=catalogue)
    return found


def check_rule(
    rule: Rule,
    *,
    among: Sequence[Rule],
    programmes: Sequence[Programme],
    catalogue: CatalogueFacts,
) -> list[Flaw]:
    """Return what is wrong with one rule among others, sorted by pointer.

    `among` may hold the rule itself and must hold its other versions; a rule of
    the same code and version counts as itself.
    """
    views = [_View(one, programmes) for one in among]
    return _Check(_View(rule, programmes), views, programmes, catalogue).flaws()


def check_programme(
    programme: Programme,
    *,
    among: Sequence[Programme],
    rules: Sequence[Rule],
    catalogue: CatalogueFacts,
) -> list[Flaw]:
    """Return what is wrong with one programme among its versions, the rules and the catalogue."""
    found = [
        *_framework(programme.framework, ("framework",), catalogue),
        *_versions(programme, among),
        *_constraints(programme.document, rules, catalogue),
    ]
    for number, course in enumerate(programme.courses):
        for place, item in enumerate(course.items):
            steps = ("courses", number, "items", place)
            versions = catalogue.items.get(item)
            if versions is None:
                found.append(_problem("item-unknown", steps, item))
            elif versions and all(one.body != programme.owner for one in versions):
                found.append(_problem("native-item-of-another", steps, item))
    for node in walk.constraints(programme.document):
        found += _named_in(node, catalogue)
    return _flaws(programme, found)


def _problem(code: str, steps: Steps, value: object = "", expected: str = "") -> Problem:
    return Problem(
        code=code,
        field=pointer(steps),
        value=show(value),
        expected=expected,
        message=SENTENCES[code],
    )


def _flaws(
    of: Rule | Programme, found: Iterable[Problem], others: Mapping[Problem, str] | None = None
) -> list[Flaw]:
    return [
        Flaw(
            code=of.code,
            version=of.version,
            severity="warning" if one.code in WARNINGS else "error",
            problem=one,
            other=(others or {}).get(one, ""),
        )
        for one in sorted(dict.fromkeys(found), key=lambda one: (one.field or "", one.code))
    ]


# -- references -------------------------------------------------------------------------------
def _framework(key: str, steps: Steps, catalogue: CatalogueFacts) -> Iterator[Problem]:
    if key in catalogue.withdrawn:
        yield _problem("framework-withdrawn", steps, key, ", ".join(sorted(catalogue.frameworks)))
    elif key not in catalogue.frameworks:
        yield _problem("framework-unknown", steps, key, ", ".join(sorted(catalogue.frameworks)))


def _named_in(node: walk.Node, catalogue: CatalogueFacts) -> Iterator[Problem]:
    """Hold the items and frameworks that a condition or a table names against the catalogue."""
    value, steps = node.value, node.steps
    if node.role == "condition":
        for number, code in enumerate(value.get("item", ())):
            if code not in catalogue.items:
                yield _problem("item-unknown", (*steps, "item", number), code)
        framework = value.get("level", {}).get("framework")
        if framework is not None:
            yield from _framework(framework, (*steps, "level", "framework"), catalogue)
    elif node.role == "amount" and not isinstance(value, str) and "table" in value:
        if value["table"]["by"] != "item":
            return
        for number, row in enumerate(value["table"]["rows"]):
            for place, code in enumerate(row["is"]):
                if code not in catalogue.items:
                    where = (*steps, "table", "rows", number, "is", place)
                    yield _problem("item-unknown", where, code)


def _constraints(
    document: Mapping[str, Any], rules: Sequence[Rule], catalogue: CatalogueFacts
) -> Iterator[Problem]:
    """Hold the items and rules that constraints name against what there is."""
    codes = {rule.code for rule in rules} | {document["code"]}
    for number, constraint in enumerate(document.get("constraints", ())):
        of, steps = constraint.get("of", {}), ("constraints", number)
        for place, code in enumerate(of.get("rules", ())):
            if code not in codes:
                yield _problem("rule-unknown", (*steps, "of", "rules", place), code)
        for name, listed in (("of", of), ("exclusive", constraint.get("exclusive", {}))):
            for place, code in enumerate(listed.get("items", ())):
                if code not in catalogue.items:
                    yield _problem("item-unknown", (*steps, name, "items", place), code)


# -- versions ---------------------------------------------------------------------------------
def _versions(
    of: Rule | Programme, among: Sequence[Rule] | Sequence[Programme]
) -> Iterator[Problem]:
    """Hold a version's days against those of the version before it.

    One without a last day ends when the next begins.
    """
    earlier = [one for one in among if one.code == of.code and one.version < of.version]
    if not earlier:
        return
    before = max(earlier, key=lambda one: one.version)
    steps, value = ("in_force", "from"), of.first_day.isoformat()
    if of.first_day <= before.first_day:
        expected = f"> {before.first_day.isoformat()}"
        yield _problem("versions-out-of-order", steps, value, expected)
    elif before.last_day is not None:
        expected = (before.last_day + timedelta(days=1)).isoformat()
        if value > expected:
            yield _problem("versions-gap", steps, value, expected)
        elif value < expected:
            yield _problem("versions-overlap", steps, value, expected)


# -- one rule among others --------------------------------------------------------------------
class _Check:
    """One rule, held against everything."""

    def __init__(
        self,
        view: _View,
        among: Sequence[_View],
        programmes: Sequence[Programme],
        catalogue: CatalogueFacts,
    ) -> None:
        self.view, self.rule, self.catalogue = view, view.rule, catalogue
        self.all_programmes = programmes
        self.among = [one.rule for one in among]
        self.others = [one for one in among if one.rule.code != view.rule.code]
        self.others_of: dict[Problem, str] = {}

    def flaws(self) -> list[Flaw]:
        """Return all that is wrong."""
        found = [
            *self._references(),
            *_versions(self.rule, self.among),
            *_constraints(self.rule.document, self.among, self.catalogue),
            *self._conditions(),
            *self._figures(),
            *self._with_others(),
        ]
        return _flaws(self.rule, found, self.others_of)

    def _references(self) -> Iterator[Problem]:
        known = {programme.code for programme in self.all_programmes}
        for number, code in enumerate(self.rule.programmes):
            if code not in known:
                yield _problem("programme-unknown", ("programmes", number), code)
        for programme in self.view.programmes:
            yield from references.missing(self.rule, programme)
        for node in walk.rule(self.rule.document):
            yield from _named_in(node, self.catalogue)

    # -- conditions that cannot hold ---------------------------------------------------------
    def _clash(self, demands: Sequence[Demand]) -> Clash | None:
        days = (self.rule.first_day, self.rule.last_day)
        return clash(demands, days=days, catalogue=self.catalogue.items)

    def _conditions(self) -> Iterator[Problem]:
        yield from self._sources(self.rule.sources, ("sources",))[1]
        reachable = self.view.reachable(self._clash)
        if reachable is not None:
            yield from self._rows(reachable)
        for node in walk.rule(self.rule.document):
            if node.role == "condition" and "held" in node.value:
                found = first_clash(
                    node.value["held"], (*node.steps, "held"), catalogue=self.catalogue.items
                )
                if found is not None:
                    yield _told(found)

    def _sources(self, sources: Mapping[str, Any], steps: Steps) -> tuple[bool, list[Problem]]:
        """Say whether sources can be filled at all, and what in them cannot."""
        if "outcome" in sources:
            return self._slot(sources["outcome"], (*steps, "outcome"))
        member = next(name for name in walk.MANY if name in sources)
        parts = [
            ((*steps, member, number), *self._sources(part, (*steps, member, number)))
            for number, part in enumerate(sources[member])
        ]
        needed = {"all": len(parts), "any": 1}.get(member) or sources["n"]
        possible = sum(able for _, able, _ in parts)
        found = [problem for _, _, problems in parts for problem in problems]
        if possible >= needed:
            # What cannot be filled here is no error, for the rest suffices.
            found = [problem for problem in found if problem.code in WARNINGS]
            found += [_problem("unreachable", place) for place, able, _ in parts if not able]
        return possible >= needed, found

    def _slot(self, condition: Mapping[str, Any], steps: Steps) -> tuple[bool, list[Problem]]:
        try:
            found = [
                (way, self._clash(way.demands)) for way in self.view.with_gate(condition, steps)
            ]
        except TooManyWays:
            return True, []
        if all(why is not None for _, why in found):
            return False, [_told(why) for _, why in found if why is not None][:1]
        open_ = {branch for way, why in found if why is None for branch in way.branches}
        shut = {branch for way, _ in found for branch in way.branches} - open_
        return True, [
            _problem("unreachable", branch)
            for branch in sorted(shut, key=str)
            if not any(branch[: len(other)] == other for other in shut if other != branch)
        ]

    def _rows(self, reachable: Sequence[Way]) -> Iterator[Problem]:
        """Find rows of tables that no outcome which meets the conditions can have."""
        for node in walk.rule(self.rule.document):
            if node.role != "amount" or isinstance(node.value, str) or "table" not in node.value:
                continue
            table = node.value["table"]
            for number, row in enumerate(table["rows"]):
                steps = (*node.steps, "table", "rows", number)
                (asked,) = ways(_as_condition(table["by"], row), steps)
                if all(self._clash((*way.demands, *asked.demands)) for way in reachable):
                    yield _problem("unreachable", steps, row)

    # -- figures -----------------------------------------------------------------------------
    def _figures(self) -> Iterator[Problem]:
        totals = [programme.total for programme in self.view.programmes]
        if totals:
            yield from self._caps(max(totals))
        for number, target in enumerate(self.rule.allocation["to"]):
            if "course" in target:
                yield from self._course(target, ("allocation", "to", number))

    def _caps(self, total: Decimal) -> Iterator[Problem]:
        for number, constraint in enumerate(self.rule.constraints):
            for name in ("cap", "bucket", "residency"):
                figure = constraint.get(name, {}).get("credits", "0")
                if Decimal(figure) > total:
                    steps = ("constraints", number, name, "credits")
                    yield _problem("cap-above-total", steps, figure, f"≤ {total}")
        most = self.rule.allocation.get("at_most")
        if isinstance(most, str) and Decimal(most) > total:
            yield _problem("cap-above-total", ("allocation", "at_most"), most, f"≤ {total}")

    def _course(self, target: Mapping[str, Any], steps: Steps) -> Iterator[Problem]:
        courses = [
            course
            for programme in self.view.programmes
            if (course := programme.course(target["course"])) is not None
        ]
        if courses and all(
            not course.replaceable or course.code in self.view.never for course in courses
        ):
            yield _problem("target-never-replaced", (*steps, "course"), target["course"])
        given = target.get("credits")
        if isinstance(given, str) and courses and "excess" not in self.rule.allocation:
            most = max(course.credits for course in courses)
            if Decimal(given) > most:
                yield _problem("more-than-course", (*steps, "credits"), given, f"≤ {most}")

    # -- other rules -------------------------------------------------------------------------
    def _with_others(self) -> Iterator[Problem]:
        for view in self.others:
            shared = self.view.codes & view.codes
            if not shared or not _days_meet(self.rule, view.rule):
                continue
            for problem in (*self._excluded(view.rule), *self._overlaps(view, shared)):
                # The value names the other rule, so that two clashes stay two.
                self.others_of[problem] = str(problem.value)
                yield problem

    def _excluded(self, other: Rule) -> Iterator[Problem]:
        never = {
            code
            for constraint in other.constraints
            if _reaches(constraint.get("of", {}), self.rule)
            for code in constraint.get("never", {}).get("courses", ())
        }
        for number, target in enumerate(self.rule.allocation["to"]):
            if target.get("course") in never:
                steps = ("allocation", "to", number, "course")
                yield _problem("excluded-by-another", steps, f"{other.code}/{other.version}")

    def _overlaps(self, view: _View, shared: frozenset[str]) -> Iterator[Problem]:
        other = view.rule
        both = [
            (number, mine, theirs)
            for number, mine in enumerate(self.rule.allocation["to"])
            for theirs in other.allocation["to"]
            if self.view.targets(mine, shared) & view.targets(theirs, shared)
        ]
        if not both or not self._same_outcome(view):
            return
        for number, mine, theirs in both:
            same_owner = self.rule.owner == other.owner
            code = "contradicts-another" if same_owner and _differ(mine, theirs) else "overlap"
            steps = ("allocation", "to", number)
            yield _problem(code, steps, f"{other.code}/{other.version}")

    def _same_outcome(self, view: _View) -> bool:
        """Say whether one outcome, alone, could be used by both rules."""
        first = max(self.rule.first_day, view.rule.first_day)
        ends = [one.last_day for one in (self.rule, view.rule) if one.last_day is not None]
        days = (first, min(ends, default=None))
        return any(
            clash((*mine.demands, *theirs.demands), days=days, catalogue=self.catalogue.items)
            is None
            for mine in self.view.single_ways
            for theirs in view.single_ways
        )


class _View:
    """A rule as others see it: for which programmes, for what, with which outcomes."""

    def __init__(self, rule: Rule, programmes: Sequence[Programme]) -> None:
        self.rule = rule
        own = [one for one in programmes if one.owner == rule.owner]
        # A rule that names none and whose owner has none is an authority's: for all.
        meant = [one for one in programmes if one.code in rule.programmes]
        chosen = meant if rule.programmes else (own or list(programmes))
        self.programmes = [one for one in chosen if _days_meet(rule, one)]

    @cached_property
    def codes(self) -> frozenset[str]:
        """The codes of the programmes it is for."""
        return frozenset(one.code for one in self.programmes)

    @cached_property
    def never(self) -> frozenset[str]:
        """Courses that its own or its programmes' constraints never let be replaced."""
        own = {"rules": [self.rule.code]}
        bearing = [one for one in self.rule.constraints if _reaches(one.get("of", own), self.rule)]
        for programme in self.programmes:
            bearing += [one for one in programme.constraints if "of" not in one]
        return frozenset(
            code for one in bearing for code in one.get("never", {}).get("courses", ())
        )

    def targets(self, target: Mapping[str, Any], programmes: frozenset[str]) -> frozenset[str]:
        """Return what a target means in programmes: courses and categories by their codes."""
        if "category" in target:
            return frozenset({f"category {target['category']}"})
        if "course" in target:
            return frozenset({f"course {target['course']}"})
        return frozenset(
            f"course {course.code}"
            for programme in self.programmes
            if programme.code in programmes
            for course in programme.tagged(target["courses"]["tag"])
        )

    @cached_property
    def gate(self) -> tuple[Demand, ...]:
        """What the gate, and the fields of the programmes, ask of every outcome."""
        gate, steps = self.rule.gate, ("gate",)
        found = []
        if "kinds" in gate:
            found += ways({"kind": gate["kinds"]}, steps)
        if "bodies" in gate:
            found += ways({"body": gate["bodies"]}, steps)
        if "agreement" in gate:
            agreement = gate["agreement"]
            place = (*steps, "agreement")
            days = {name: agreement[name] for name in ("from", "until")}
            found += ways({"body": [agreement["partner"]]}, place)
            found += ways({"completed": days}, place)
        if self.programmes:
            fields = [one.field for one in self.programmes]
            found += ways({"programme_field": fields}, ("programmes",))
        return tuple(demand for way in found for demand in way.demands)

    @cached_property
    def single_ways(self) -> list[Way]:
        """The ways in which one outcome alone can be used; none where there are too many."""
        return self._ways(alone=True) or []

    def with_gate(self, condition: Mapping[str, Any], steps: Steps) -> list[Way]:
        """Return the ways to meet a condition, the gate, and none of what is never used.

        Raises TooManyWays.
        """
        return [
            Way(demands=(*self.gate, *way.demands, *kept.demands), branches=way.branches)
            for way in ways(condition, steps)
            for kept in self._kept
        ]

    @cached_property
    def _kept(self) -> list[Way]:
        """The ways to be none of the outcomes that the rule itself never uses."""
        kept = [Way()]
        for number, constraint in enumerate(self.rule.constraints):
            never = constraint.get("never", {})
            if "of" not in constraint and "outcome" in never:
                steps = ("constraints", number, "never", "outcome")
                other = ways(never["outcome"], steps, denied=True)
                kept = [one + two for one in kept for two in other]
                if len(kept) > WAYS_MAX:
                    raise TooManyWays
        return kept

    def _ways(self, *, alone: bool) -> list[Way] | None:
        try:
            return [
                way
                for condition, steps in _slots(self.rule.sources, ("sources",), alone=alone)
                for way in self.with_gate(condition, steps)
            ]
        except TooManyWays:
            return None

    def reachable(self, why: Any) -> list[Way] | None:
        """Return the possible ways to meet any of its conditions; None where there are too many.

        None, too, where nothing is possible: that is told elsewhere.
        """
        found = self._ways(alone=False)
        possible = [way for way in found or () if why(way.demands) is None]
        return possible or None


def _slots(
    sources: Mapping[str, Any], steps: Steps, *, alone: bool
) -> Iterator[tuple[Mapping[str, Any], Steps]]:
    """Give the conditions of sources; `alone`, only of those that one outcome fills by itself."""
    if "outcome" in sources:
        yield sources["outcome"], (*steps, "outcome")
    for member in walk.MANY:
        if member != "any" and alone and not (member == "of" and sources.get("n") == 1):
            continue
        for number, part in enumerate(sources.get(member, ())):
            yield from _slots(part, (*steps, member, number), alone=alone)


def _told(why: Clash) -> Problem:
    first = pointer(why.first.steps) if why.first is not None else ""
    return _problem(why.code, why.second.steps, first)


def _as_condition(by: str, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the condition that a row of a table puts on an outcome."""
    span = {new: row[old] for old, new in (("from", "min"), ("until", "max")) if old in row}
    if by.startswith("fact:"):
        asked = {"is": row["is"]} if "is" in row else span
        return {"fact": {"name": by.removeprefix("fact:")} | asked}
    if by == "grade":
        # Any of these words: a scale that begins with them.
        return {"grade": {"scale": row["is"], "min": row["is"][0]}}
    return {by: span if by == "score" else row["is"]}


def _days_meet(one: Rule | Programme, other: Rule | Programme) -> bool:
    """Say whether two spans of days have a day in common."""

    def begins_in_time(first: date, last: date | None) -> bool:
        return last is None or first <= last

    return begins_in_time(one.first_day, other.last_day) and begins_in_time(
        other.first_day, one.last_day
    )


def _reaches(of: Mapping[str, Any], rule: Rule) -> bool:
    """Say whether a scope covers every use of a rule: what it says of outcomes leaves some out."""
    if "everything" in of:
        return True
    return of.keys() == {"rules"} and rule.code in of["rules"]


def _differ(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Say whether two targets say different things outright: a waiver and credits, two figures."""
    if ("waived" in mine) != ("waived" in theirs):
        return True
    first, second = mine.get("credits"), theirs.get("credits")
    return isinstance(first, str) and isinstance(second, str) and first != second
