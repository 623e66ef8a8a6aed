"""Instances to choose plans for, drawn from a seed: small ones for brute force, large ones to count."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from creditbank.ledger.statements import Outcome, Result
from creditbank.recognition.engine.evidence import Context, Evidence
from creditbank.recognition.engine.findings import Finding, Grant, Line, Verdict
from creditbank.recognition.language.programmes import Category, Course, Programme
from creditbank.recognition.language.rules import Rule

OWNER = "12220000000000000X"
BODIES = (OWNER, "91220000000000001A", "91220000000000002B")
KINDS = ("course", "x-certificate", "competition")
TITLES = (
    "英语",
    "英语 Ⅰ",
    "English",
    "english i",
    "会计",
    "会 计",
    "编程",
    "교육 이해",
    "교육의 이해",
)
PERIODS = [
    {"name": "1", "from": "03-01", "until": "08-31"},
    {"name": "2", "from": "09-01", "until": "02-29"},
]
YEAR = [{"name": "year", "from": "03-01", "until": "02-29"}]
DAYS = (
    date(2023, 8, 31),
    date(2023, 9, 1),
    date(2024, 1, 15),
    date(2024, 1, 16),
    date(2024, 2, 29),
    date(2024, 3, 1),
    date(2024, 7, 15),
    date(2024, 7, 16),
    date(2024, 8, 31),
)


@dataclass(frozen=True)
class Instance:
    """All that a plan is asked of."""

    programme: Programme
    findings: tuple[Finding, ...]
    rules: tuple[Rule, ...]
    evidence: tuple[Evidence, ...]
    context: Context
    earlier: tuple[Line, ...]

    def asked(self) -> dict[str, Any]:
        return {
            "programme": self.programme,
            "findings": self.findings,
            "rules": self.rules,
            "evidence": self.evidence,
            "context": self.context,
            "earlier": self.earlier,
        }


@dataclass(frozen=True)
class Size:
    """How much of everything there is: at least and at most."""

    outcomes: tuple[int, int]
    rules: tuple[int, int]
    courses: tuple[int, int]
    findings: tuple[int, int]
    constraints: float
    """How likely a rule or the programme has another constraint."""
    earlier: tuple[int, int]
    grants: int


SMALL = Size((3, 6), (1, 3), (2, 6), (3, 7), 0.5, (0, 1), 3)
MIDDLE = Size((3, 7), (1, 3), (2, 7), (4, 9), 0.5, (0, 1), 3)
LARGE = Size((10, 24), (4, 16), (8, 20), (16, 48), 0.4, (0, 4), 5)
HUGE = Size((20, 60), (10, 40), (20, 50), (60, 200), 0.4, (0, 6), 5)


def instance(seed: int, size: Size) -> Instance:
    """Draw an instance; the same seed gives the same."""
    return _Draw(random.Random(seed), size).instance()


class _Draw:
    def __init__(self, chance: random.Random, size: Size) -> None:
        self.chance, self.size = chance, size
        self.unit = chance.choice((Decimal(1), Decimal("0.5"), Decimal("0.25")))

    def instance(self) -> Instance:
        chance, size = self.chance, self.size
        self.programme = self._programme()
        outcomes = [self._evidence(n) for n in range(self._between(size.outcomes))]
        chance.shuffle(outcomes)
        codes = [f"R-{n}" for n in range(self._between(size.rules))]
        self.codes = codes
        rules = [self._rule(code) for code in codes]
        self.versions = {rule.code: rule.version for rule in rules}
        self.programme = replace(self.programme, constraints=tuple(self._constraints()))
        earlier = self._earlier(outcomes)
        findings = [self._finding(outcomes, codes) for _ in range(self._between(size.findings))]
        held = [one for one in outcomes if chance.random() < 0.8]
        evidence = [one for one in outcomes if one not in held or chance.random() < 0.5]
        met = {c.code for c in self.programme.courses if chance.random() < 0.03}
        context = Context(
            filed_on=date(2024, 5, 1),
            decided_on=date(2024, 6, 1),
            programme=self.programme,
            award_on=chance.choice((None, date(2024, 2, 29), date(2024, 8, 31), date(2024, 3, 1))),
            held=tuple(held),
            met=frozenset(met),
        )
        return Instance(
            self.programme,
            tuple(findings),
            tuple(rules),
            tuple(evidence),
            context,
            tuple(earlier),
        )

    def _between(self, span: tuple[int, int]) -> int:
        return self.chance.randint(*span)

    def _credits(self, least: int = 1, most: int = 6) -> Decimal:
        return self.unit * self.chance.randint(least, most)

    def _programme(self) -> Programme:
        chance = self.chance
        names = ["major", "liberal", "elective", "free"][: chance.randint(1, 4)]
        categories = []
        for place, name in enumerate(names):
            later = names[place + 1 :]
            categories.append(
                Category(
                    code=name,
                    title=name,
                    title_en=name,
                    credits=self._credits(2, 6 + 2 * self.size.courses[0]),
                    spills_to=chance.choice(later) if later and chance.random() < 0.6 else "",
                )
            )
        asked = sum((one.credits for one in categories), Decimal(0))
        chance.shuffle(categories)
        courses = [
            Course(
                code=f"C{n}",
                title=f"C{n}",
                title_en=f"C{n}",
                credits=self._credits(),
                category=chance.choice(names),
                required=chance.random() < 0.4,
                replaceable=chance.random() < 0.92,
                items=(f"item-{n}",) if chance.random() < 0.3 else (),
            )
            for n in range(self._between(self.size.courses))
        ]
        return Programme(
            document={},
            code="P-1",
            version=1,
            owner=OWNER,
            title="P",
            title_en="P",
            total=asked + self._credits(0, 3) if chance.random() < 0.7 else asked * 2 // 3 + 1,
            field="710201",
            framework="F",
            level="4",
            first_day=date(2020, 1, 1),
            last_day=None,
            categories=tuple(categories),
            courses=tuple(courses),
        )

    def _evidence(self, number: int) -> Evidence:
        chance = self.chance
        completed = chance.choice(DAYS)
        return Evidence(
            leaf=bytes([number, chance.randrange(256)]) * 16,
            index=1000 + number * 3,
            outcome=Outcome(
                item=f"item-{chance.randrange(6)}",
                item_version=1,
                kind=chance.choice(KINDS),
                title=chance.choice(TITLES),
                title_en="",
                body=chance.choices(BODIES, (1, 4, 4))[0],
                body_name="b",
                credits=self._credits(),
                framework="",
                level="",
                category="",
                completed_on=completed,
                valid_until=chance.choice(
                    (None, completed + timedelta(900), completed + timedelta(1000))
                ),
            ),
            result=Result(score=chance.choice(("", "60", "80"))),
            occurrence=chance.choice(("", "", "2024", "2023")),
            state=chance.choices(("available", "reserved", "used", "lapsed"), (40, 4, 1, 1))[0],
        )

    def _rule(self, code: str) -> Rule:
        constraints = tuple(self._constraints())
        return Rule(
            document={"constraints": constraints},
            code=code,
            version=self.chance.randint(1, 3),
            owner=OWNER,
            title=code,
            title_en=code,
            first_day=date(2020, 1, 1),
            last_day=None,
            law=self.chance.choice(("filing", "decision")),
        )

    def _constraints(self) -> list[dict[str, Any]]:
        made = []
        while self.chance.random() < self.size.constraints:
            made.append(self._constraint())
        return made

    def _constraint(self) -> dict[str, Any]:
        chance = self.chance
        most = str(self._credits(3, 6 + 2 * self.size.courses[0]))
        kind = chance.choice(
            (
                "credits", "credits", "outcomes", "courses", "share", "bucket", "bucket",
                "items", "same_name", "highest", "residency", "courses-never", "never",
            )
        )  # fmt: skip
        made: dict[str, Any]
        if kind == "credits":
            per = chance.choice((None, "outcome", "item", "body", "kind"))
            made = {"cap": {"credits": most} | ({"per": per} if per else {})}
        elif kind in ("outcomes", "courses"):
            made = {"cap": {kind: chance.randint(1, 3)}}
        elif kind == "share":
            made = {"share": {"percent": chance.choice((30, 50, 65, 90))}}
            if chance.random() < 0.5:
                made["share"] |= {
                    "step": chance.choice(("0.5", "1")),
                    "mode": chance.choice(("down", "half-up", "up")),
                }
        elif kind == "bucket":
            made = {"bucket": {"credits": most, "periods": chance.choice((PERIODS, YEAR))}}
            if made["bucket"]["periods"] is PERIODS and chance.random() < 0.6:
                made["bucket"]["last"] = [
                    {"period": "1", "until": "07-15"},
                    {"period": "2", "until": "01-15"},
                ]
        elif kind == "items":
            made = {"exclusive": {"items": [f"item-{n}" for n in chance.sample(range(6), 3)]}}
        elif kind == "same_name":
            made = {"exclusive": {"same_name": True}}
        elif kind == "highest":
            made = {"highest": {"by": chance.choice(("occurrence", "item"))}}
        elif kind == "residency":
            made = {
                "residency": {"percent": chance.choice((10, 33, 50))}
                if chance.random() < 0.5
                else {"credits": str(self._credits(1, 4))}
            }
        elif kind == "courses-never":
            made = {"never": {"courses": [chance.choice(self.programme.courses).code]}}
        else:
            made = {
                "never": {
                    "outcome": chance.choice(
                        (
                            {"item": [f"item-{chance.randrange(6)}"]},
                            {"score": {"max": "59"}},
                            {"not": {"score": {"min": "70"}}},
                        )
                    )
                }
            }
        if chance.random() < 0.5:
            made["of"] = self._of()
        return made

    def _of(self) -> dict[str, Any]:
        chance = self.chance
        if chance.random() < 0.25:
            return {"everything": True}
        of: dict[str, Any] = {}
        while not of:
            if chance.random() < 0.2:
                of["rules"] = chance.sample(self.codes, chance.randint(1, len(self.codes)))
            if chance.random() < 0.3:
                of["kinds"] = chance.sample(KINDS, chance.randint(1, 2))
            if chance.random() < 0.2:
                of["bodies"] = chance.sample(BODIES, 2)
            if chance.random() < 0.1:
                of["items"] = [f"item-{n}" for n in chance.sample(range(6), 3)]
            if chance.random() < 0.3:
                names = [one.code for one in self.programme.categories]
                of["categories"] = chance.sample(names, chance.randint(1, len(names)))
        return of

    def _grant(self, used: set[str]) -> Grant | None:
        """A grant to something that the same use does not give already."""
        chance = self.chance
        names = [one.code for one in self.programme.categories]
        if chance.random() < 0.7:
            course = chance.choice(self.programme.courses)
            if course.code in used:
                return None
            used.add(course.code)
            if chance.random() < 0.12:
                return Grant(course=course.code, waived=True)
            if chance.random() < 0.2:
                return Grant(
                    course=course.code,
                    credits=course.credits,
                    surplus=self._credits(1, 3),
                    surplus_category=chance.choice(names),
                )
            least = course.credits if chance.random() < 0.7 else min(course.credits, self.unit)
            return Grant(course=course.code, credits=least)
        category = chance.choice(names)
        if category in used:
            return None
        used.add(category)
        return Grant(category=category, credits=self._credits())

    def _finding(self, outcomes: list[Evidence], codes: list[str]) -> Finding:
        chance = self.chance
        place = chance.randrange(len(codes))
        leaves = chance.sample(
            outcomes, min(len(outcomes), chance.choices((1, 2, 3), (10, 3, 1))[0])
        )
        used: set[str] = set()
        grants = [self._grant(used) for _ in range(chance.randint(1, self.size.grants))]
        given = tuple(one for one in grants if one is not None)
        assert given
        choose = chance.choice((0, 0, 1, 2, 3)) if len(given) > 1 else chance.choice((0, 1))
        return Finding(
            rule=codes[place],
            version=self.versions[codes[place]],
            leaves=tuple(one.leaf for one in leaves),
            verdict=chance.choices(tuple(Verdict), (12, 1, 1))[0],
            grants=given,
            choose=choose,
            credits_max=self._credits(3, 10) if choose and chance.random() < 0.4 else None,
        )

    def _earlier(self, outcomes: list[Evidence]) -> list[Line]:
        chance = self.chance
        lines = []
        free = list(self.programme.courses)
        for outcome in chance.sample(
            outcomes, min(len(outcomes), self._between(self.size.earlier))
        ):
            rule = chance.choice([*self.codes, "R-OLD"])
            names = [one.code for one in self.programme.categories]
            for _ in range(chance.randint(1, 2)):
                if free and chance.random() < 0.6:
                    course = free.pop(chance.randrange(len(free)))
                    grant = Grant(course=course.code, credits=course.credits)
                else:
                    grant = Grant(category=chance.choice(names), credits=self._credits(1, 3))
                lines.append(Line(rule=rule, version=1, leaves=(outcome.leaf,), grant=grant))
        return lines
