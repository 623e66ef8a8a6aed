"""Plans counted by hand: each constraint read from its document and counted over a plan's lines.

Written from docs/recognition.md alone; nothing here knows of linear limits.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Any

from creditbank.recognition.engine.evidence import Evidence
from creditbank.recognition.engine.findings import Finding, Grant, Line
from tests.recognition.plan.instances import Instance

END = (date.max, 1 << 62, "~", "~")


@dataclass(frozen=True, eq=False)
class Taken:
    """One use: under which rule, of what, for what."""

    rule: str
    version: int
    outcomes: tuple[Evidence, ...]
    grants: tuple[Grant, ...]
    finding: Finding | None = None


class Count:
    """One instance, counted."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.programme = instance.programme
        known = {one.leaf: one for one in (*instance.context.held, *instance.evidence)}
        self.known = known
        self.course = {one.code: one for one in self.programme.courses}
        self.earlier = self._grouped(instance.earlier)
        self.native: dict[str, list[Evidence]] = {}
        for one in known.values():
            for course in self.programme.courses:
                awarded = one.outcome.body == self.programme.owner
                if awarded and one.outcome.item in course.items and one.state != "lapsed":
                    self.native.setdefault(course.code, []).append(one)
        self.natively = {one.leaf for own in self.native.values() for one in own}
        self.spent = {one.leaf for use in self.earlier for one in use.outcomes}
        self.met_before = {
            *self.native,
            *(grant.course for use in self.earlier for grant in use.grants if grant.course),
            *instance.context.met,
        }
        self.rules = {(rule.code, rule.version): rule for rule in instance.rules}
        self.written: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = []
        for rule in instance.rules:
            for constraint in rule.constraints:
                everything = "residency" in constraint
                default = {} if everything else {"rules": [rule.code]}
                self.written.append((rule.code, constraint, constraint.get("of", default)))
        for constraint in self.programme.constraints:
            self.written.append((self.programme.code, constraint, constraint.get("of", {})))

    def _grouped(self, lines: Iterable[Line]) -> list[Taken]:
        uses: dict[tuple[str, int, frozenset[bytes]], list[Line]] = {}
        for line in lines:
            uses.setdefault((line.rule, line.version, frozenset(line.leaves)), []).append(line)
        return [
            Taken(
                rule,
                version,
                tuple(self.known[leaf] for leaf in sorted(leaves)),
                tuple(line.grant for line in own),
            )
            for (rule, version, leaves), own in uses.items()
        ]

    def use(self, finding: Finding, grants: tuple[Grant, ...]) -> Taken:
        outcomes = tuple(self.known[leaf] for leaf in finding.leaves)
        return Taken(finding.rule, finding.version, outcomes, grants, finding)

    def uses_of(self, lines: Iterable[Line]) -> list[Taken]:
        """Turn a plan's lines into uses, and hold each against a finding that offered it."""
        uses = []
        for use in self._grouped(lines):
            offered = [
                finding
                for finding in self.instance.findings
                if finding.verdict.value == "applies"
                and (finding.rule, finding.version) == (use.rule, use.version)
                and set(finding.leaves) == {one.leaf for one in use.outcomes}
                and self._fits(finding, use.grants)
            ]
            assert offered, f"no finding offers {use}"
            uses.append(self.use(offered[0], use.grants))
        return uses

    @staticmethod
    def _fits(finding: Finding, grants: tuple[Grant, ...]) -> bool:
        if not Counter(grants) <= Counter(finding.grants):
            return False
        if finding.choose == 0:
            return len(grants) == len(finding.grants)
        given = sum((one.credits + one.surplus for one in grants), Decimal(0))
        return 1 <= len(grants) <= finding.choose and (
            finding.credits_max is None or given <= finding.credits_max
        )

    # -- what holds always --------------------------------------------------------------------

    def broken(self, uses: list[Taken]) -> str:
        """Return the first thing that a plan breaks, or nothing."""
        leaves = Counter(one.leaf for use in uses for one in use.outcomes)
        for leaf, times in leaves.items():
            state = self.known[leaf].state
            if times > 1 or leaf in self.spent or leaf in self.natively:
                return "once"
            if state in ("used", "lapsed"):
                return state
        courses = Counter(grant.course for use in uses for grant in use.grants if grant.course)
        for code, times in courses.items():
            if times > 1 or code in self.met_before:
                return "one-source"
            if not self.course[code].replaceable:
                return "not-replaceable"
        for holder, constraint, of in self.written:
            for name, value in constraint.items():
                if name != "of" and getattr(self, f"_{name}")(value, of, uses):
                    return f"{holder} {name} {value}"
        return ""

    # -- which uses, which credits ------------------------------------------------------------

    def _meant(self, of: Mapping[str, Any], one: Evidence) -> bool:
        return (
            one.outcome.kind in of.get("kinds", [one.outcome.kind])
            and one.outcome.body in of.get("bodies", [one.outcome.body])
            and one.outcome.item in of.get("items", [one.outcome.item])
        )

    def _goes_to(self, grant: Grant) -> list[tuple[str, Decimal]]:
        target = grant.category or self.course[grant.course].category
        gone = [(target, grant.credits)]
        if grant.surplus:
            gone.append((grant.surplus_category, grant.surplus))
        return gone

    def _about(
        self, of: Mapping[str, Any], uses: Iterable[Taken]
    ) -> list[tuple[Taken, list[Evidence], Decimal, int]]:
        """The uses meant: their outcomes meant, credits given there, courses met there."""
        found = []
        categories = of.get("categories")
        for use in uses:
            if "rules" in of and use.rule not in of["rules"]:
                continue
            meant = [one for one in use.outcomes if self._meant(of, one)]
            gone = [
                (
                    grant,
                    [one for one in self._goes_to(grant) if not categories or one[0] in categories],
                )
                for grant in use.grants
            ]
            if meant and any(where for _, where in gone):
                amount = sum((given for _, where in gone for _, given in where), Decimal(0))
                courses = sum(1 for grant, where in gone if where and grant.course)
                found.append((use, meant, amount, courses))
        return found

    # -- constraints --------------------------------------------------------------------------

    def _cap(self, value: Mapping[str, Any], of: Mapping[str, Any], uses: list[Taken]) -> bool:
        about = self._about(of, [*self.earlier, *uses])
        new = {id(use) for use, *_ in self._about(of, uses)}
        if "credits" not in value:
            counted = [len(meant) if "outcomes" in value else n for _, meant, _, n in about]
            most = value.get("outcomes", value.get("courses"))
            grows = any(n for (use, *_), n in zip(about, counted, strict=True) if id(use) in new)
            return sum(counted) > most and grows
        sums: Counter[str] = Counter()
        touched = set()
        for use, meant, amount, _ in about:
            keys = {
                {
                    "outcome": one.leaf.hex(),
                    "item": one.outcome.item,
                    "body": one.outcome.body,
                    "kind": one.outcome.kind,
                }.get(value.get("per", ""), "")
                for one in meant
            }
            for key in keys:
                sums[key] += amount  # type: ignore[assignment]
                if id(use) in new and amount:
                    touched.add(key)
        return any(sums[key] > Decimal(value["credits"]) for key in touched)

    def _in_all(self, of: Mapping[str, Any], uses: list[Taken], most: Decimal) -> bool:
        before = sum((amount for *_, amount, _ in self._about(of, self.earlier)), Decimal(0))
        added = sum((amount for *_, amount, _ in self._about(of, uses)), Decimal(0))
        return added > 0 and before + added > most

    def _share(self, value: Mapping[str, Any], of: Mapping[str, Any], uses: list[Taken]) -> bool:
        step = Decimal(value.get("step", "0.01"))
        rounding = {"down": ROUND_DOWN, "half-up": ROUND_HALF_UP, "up": ROUND_CEILING}
        share = self.programme.total * value["percent"] / 100
        most = (share / step).quantize(Decimal(1), rounding[value.get("mode", "down")]) * step
        return self._in_all(of, uses, most)

    def _residency(
        self, value: Mapping[str, Any], of: Mapping[str, Any], uses: list[Taken]
    ) -> bool:
        if "credits" in value:
            kept = Decimal(value["credits"])
        else:
            kept = (self.programme.total * value["percent"] / 100).quantize(
                Decimal("0.01"), ROUND_CEILING
            )
        return self._in_all(of, uses, self.programme.total - kept)

    def _bucket(self, value: Mapping[str, Any], of: Mapping[str, Any], uses: list[Taken]) -> bool:
        award = self.instance.context.award_on
        new = self._about(of, uses)
        if award is not None:
            for use, *_ in new:
                done = max(one.outcome.completed_on for one in use.outcomes)
                for cut in value.get("last", ()):
                    period = next(p for p in value["periods"] if p["name"] == cut["period"])
                    span = _span(award, period)
                    if span is not None and span == _span(done, period):
                        day = span[0]
                        while f"{day:%m-%d}" != cut["until"]:
                            day += timedelta(1)
                        if done > day:
                            return True
        for period in value["periods"]:
            sums: dict[tuple[date, date], Decimal] = {}
            touched = set()
            for use, _, amount, _ in self._about(of, [*self.earlier, *uses]):
                done = max(one.outcome.completed_on for one in use.outcomes)
                span = _span(done, period)
                if span is not None:
                    sums[span] = sums.get(span, Decimal(0)) + amount
                    if amount and any(use is other for other, *_ in new):
                        touched.add(span)
            if any(sums[span] > Decimal(value["credits"]) for span in touched):
                return True
        return False

    def _exclusive(
        self, value: Mapping[str, Any], of: Mapping[str, Any], uses: list[Taken]
    ) -> bool:
        def group(one: Evidence) -> str:
            if "items" in value:
                return "x" if one.outcome.item in value["items"] else ""
            return spelling(one.outcome.title)

        native = [own[0] for own in self._natives().values()]
        there = {group(one) for one in native if self._meant(of, one)}
        there |= {group(one) for _, meant, *_ in self._about(of, self.earlier) for one in meant}
        added = Counter(
            group(one) for _, meant, *_ in self._about(of, uses) for one in meant if group(one)
        )
        return any(times > 1 or name in there for name, times in added.items())

    def _natives(self) -> dict[str, list[Evidence]]:
        return {
            code: sorted(own, key=lambda one: (-int(one.result.score or 0), one.index))
            for code, own in self.native.items()
        }

    def _highest(self, value: Mapping[str, Any], of: Mapping[str, Any], uses: list[Taken]) -> bool:
        for use, *_ in self._about(of, uses):
            for one in use.outcomes:
                if not self._meant(of, one):
                    continue
                for other in self.known.values():
                    if (
                        other.leaf != one.leaf
                        and other.state != "lapsed"
                        and self._meant(of, other)
                        and self._same_activity(value["by"], one, other)
                        and self._rank(of, other) > self._rank(of, one)
                    ):
                        return True
        return False

    @staticmethod
    def _same_activity(by: str, one: Evidence, other: Evidence) -> bool:
        if by == "item":
            return one.outcome.item == other.outcome.item
        return (
            bool(one.occurrence)
            and one.occurrence == other.occurrence
            and one.outcome.body == other.outcome.body
            and one.outcome.kind == other.outcome.kind
        )

    def _rank(self, of: Mapping[str, Any], one: Evidence) -> tuple[Decimal, Decimal, int, int]:
        key = (str(of), one.leaf)
        if key not in self._ranks:
            gives = [Decimal(0)]
            for finding in self.instance.findings:
                if finding.verdict.value == "applies" and one.leaf in finding.leaves:
                    for grant in finding.grants:
                        about = self._about(of, [self.use(finding, (grant,))])
                        gives += [amount for *_, amount, _ in about]
            self._ranks[key] = (
                one.credits,
                max(gives),
                int(one.result.score or 0),
                -one.index,
            )
        return self._ranks[key]

    @cached_property
    def _ranks(self) -> dict[tuple[str, bytes], tuple[Decimal, Decimal, int, int]]:
        return {}

    def _never(self, value: Mapping[str, Any], of: Mapping[str, Any], uses: list[Taken]) -> bool:
        for use, meant, *_ in self._about(of, uses):
            for grant in use.grants:
                if grant.course in value.get("courses", ()) and self._about(
                    of, [Taken(use.rule, use.version, use.outcomes, (grant,))]
                ):
                    return True
            for one in meant:
                if "outcome" in value and _may(value["outcome"], one):
                    return True
        return False

    # -- how good a plan is -------------------------------------------------------------------

    def counted(self, uses: list[Taken]) -> Decimal:
        """Credits that count towards the programme with these uses."""
        into: Counter[str] = Counter()
        met: set[str] = set()
        for code in (*self.native, *self.instance.context.met):
            earlier = {g.course for use in self.earlier for g in use.grants}
            if code not in met and (code in self.native or code not in earlier):
                into[self.course[code].category] += self.course[code].credits  # type: ignore[assignment]
                met.add(code)
        for use in (*self.earlier, *uses):
            for grant in use.grants:
                for place, (category, amount) in enumerate(self._goes_to(grant)):
                    if place or not (grant.course and grant.course in met):
                        into[category] += amount  # type: ignore[assignment]
        categories = {one.code: one for one in self.programme.categories}

        def beyond(code: str) -> Decimal:
            return max(Decimal(0), inflow(code) - categories[code].credits)

        def inflow(code: str) -> Decimal:
            poured = [beyond(one.code) for one in categories.values() if one.spills_to == code]
            return into[code] + sum(poured, Decimal(0))

        counts = [min(inflow(code), one.credits) for code, one in categories.items()]
        return min(self.programme.total, sum(counts, Decimal(0)))

    def merit(self, uses: list[Taken]) -> tuple[Decimal, int, int]:
        """Greater is better: credits, required courses, few outcomes."""
        required = sum(
            1
            for use in uses
            for grant in use.grants
            if grant.course and self.course[grant.course].required
        )
        return (self.counted(uses), required, -sum(len(use.outcomes) for use in uses))

    def tie(self, uses: list[Taken]) -> tuple[Any, Any]:
        """Less is preferred."""
        tuples = []
        order = []
        for use in uses:
            expiries = sorted((one.index, _expires(one)) for one in use.outcomes)
            for grant in use.grants:
                tuples += [
                    (expires, index, use.rule, grant.course or grant.category)
                    for index, expires in expiries
                ]
            assert use.finding is not None
            finding = use.finding
            alike = (
                [(expires, index) for index, expires in expiries],
                use.rule,
                use.version,
                sorted(map(_grant_key, finding.grants)),
                finding.choose,
                Decimal(-1) if finding.credits_max is None else finding.credits_max,
            )
            order += [(alike, _grant_key(grant)) for grant in use.grants]
        last: Any = ([END], END)
        return ([*sorted(tuples), END], [*sorted(order), last])


def _grant_key(grant: Grant) -> tuple[Any, ...]:
    return (
        grant.course or grant.category,
        -grant.credits,
        -grant.surplus,
        grant.surplus_category,
        grant.waived,
        grant.mark,
        grant.category,
    )


def _expires(one: Evidence) -> date:
    return one.outcome.valid_until or date.max


def _span(day: date, period: Mapping[str, str]) -> tuple[date, date] | None:
    """Walk back to the period's first day, and on to its last."""
    first = day
    for _ in range(370):
        if f"{first:%m-%d}" == period["from"]:
            break
        first -= timedelta(1)
    last = first
    while not _ends(last, period["until"]):
        last += timedelta(1)
    return (first, last) if first <= day <= last else None


def _ends(day: date, until: str) -> bool:
    if until == "02-29":
        return day.month == 2 and (day + timedelta(1)).month == 3
    return f"{day:%m-%d}" == until


def _may(condition: Mapping[str, Any], one: Evidence) -> bool:
    """Whether the few conditions of the instances are met, or could be for all that is known."""
    if "item" in condition:
        return one.outcome.item in condition["item"]
    if not one.result.score:
        return True
    score = int(one.result.score)
    if "score" in condition:
        return score <= int(condition["score"]["max"])
    return not score >= int(condition["not"]["score"]["min"])


def spelling(title: str) -> str:
    """What the few names of the instances have in common under all their spellings."""
    text = unicodedata.normalize("NFKC", title).lower().replace("교육의 ", "교육 ")
    return re.sub(r"[^\w]", "", re.sub(r"\s+i$", "", text))
