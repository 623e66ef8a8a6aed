"""A province's pack of rules, a programme, and learners: drawn from a seed, through real documents.

`pack` is of the kinds and in the proportions that colleges publish: most rules are
about one course, some about certificates, competitions, hours. In `hard` every
outcome fits many rules, and nothing but the caps keeps them apart.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from stdnum.cn import uscc

from creditbank.ledger.statements import Outcome, Result
from creditbank.recognition.engine.evaluation import evaluate
from creditbank.recognition.engine.evidence import Context, Evidence
from creditbank.recognition.engine.findings import Finding
from creditbank.recognition.language import programmes, rules
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rules import Rule

TODAY = date(2026, 6, 1)
SINCE = {"from": "2020-01-01"}
LEVELS = ("初级", "中级", "高级")


def code_of(number: int) -> str:
    """A unified social credit code that nobody has."""
    body = f"1222000099{number:07d}"
    return body + str(uscc.calc_check_digit(body))


OWNER = code_of(1)
SENDERS = [code_of(number) for number in range(2, 12)]


@dataclass(frozen=True)
class Pack:
    """A programme, and all rules that are in force for it."""

    programme: Programme
    rules: tuple[Rule, ...]
    items: tuple[Outcome, ...]
    """What can be achieved elsewhere, without the day."""

    def learner(self, seed: int, outcomes: int) -> tuple[Evidence, ...]:
        """A learner's outcomes, all different."""
        chance = random.Random(f"learner {seed}")
        chosen = chance.sample(self.items, outcomes)
        return tuple(
            Evidence(
                leaf=number.to_bytes(4, "big") * 8,
                index=10_000 + 7 * number,
                outcome=_completed(item, TODAY - timedelta(chance.randrange(30, 2400)), chance),
                result=Result(
                    score=str(chance.randint(55, 99)),
                    grade=chance.choice(("合格", "良好", "优秀")),
                    hours=str(chance.choice((16, 32, 48, 64))),
                ),
                occurrence=f"2025-{chance.randrange(8)}" if item.kind == "competition" else "",
                certificate_level=chance.choice(LEVELS) if item.kind == "x-certificate" else "",
                skill_level=chance.choice("2345") if item.kind == "skill-level" else "",
            )
            for number, item in enumerate(chosen)
        )

    def context(self, held: tuple[Evidence, ...]) -> Context:
        return Context(
            filed_on=TODAY,
            decided_on=TODAY,
            programme=self.programme,
            award_on=date(2027, 6, 30),
            held=held,
        )

    def findings(self, held: tuple[Evidence, ...]) -> list[Finding]:
        """All that the rules find."""
        context = self.context(held)
        return [one for rule in self.rules for one in evaluate(rule, held, context)]

    def asked(self, held: tuple[Evidence, ...]) -> dict[str, Any]:
        return {
            "programme": self.programme,
            "findings": self.findings(held),
            "rules": self.rules,
            "evidence": held,
            "context": self.context(held),
        }


def _completed(item: Outcome, day: date, chance: random.Random) -> Outcome:
    last = day + timedelta(chance.choice((2555, 3285))) if chance.random() < 0.3 else None
    return Outcome(
        item=item.item,
        item_version=1,
        kind=item.kind,
        title=item.title,
        title_en="",
        body=item.body,
        body_name=item.body_name,
        credits=item.credits,
        framework="qf/1",
        level="4",
        category=item.category,
        completed_on=day,
        valid_until=last,
    )


def programme(chance: random.Random) -> Programme:
    """A junior college's programme: 140 credits in six categories, about 50 courses."""
    categories = [
        ("general", 30, ""),
        ("basic", 28, "elective"),
        ("core", 30, "elective"),
        ("practice", 26, "elective"),
        ("elective", 18, ""),
        ("quality", 8, ""),
    ]
    courses: list[dict[str, Any]] = []
    for name, asked, _ in categories:
        offered = Decimal(0)
        while offered < asked * (Decimal(2) if name == "elective" else Decimal("1.05")):
            worth = chance.choice(("2", "2", "3", "3", "4", "2.5", "1.5", "6"))
            number = len(courses)
            course = {
                "code": f"C-{number:03d}",
                "title": f"课程{number}",
                "title_en": f"Course {number}",
                "credits": worth,
                "category": name,
                "tags": [name, f"{name}-{chance.randrange(3)}"],
            }
            if name in ("general", "basic", "core") and chance.random() < 0.7:
                course["required"] = True
            if name == "practice" and worth == "6":
                course["replaceable"] = False
            courses.append(course)
            offered += Decimal(worth)
    return programmes.parse(
        {
            "v": "llcb/programme/v1",
            "code": "P-510201",
            "version": 3,
            "owner": OWNER,
            "title": "计算机应用技术",
            "title_en": "Computer application",
            "field": "510201",
            "framework": "qf/1",
            "level": "4",
            "total": "140",
            "in_force": SINCE,
            "categories": [
                {"code": name, "title": name, "title_en": name, "credits": str(asked)}
                | ({"spills_to": to} if to else {})
                for name, asked, to in categories
            ],
            "courses": courses,
            "constraints": [
                {"share": {"percent": 50, "step": "0.5", "mode": "down"}},
                {"cap": {"credits": "60"}, "of": {"bodies": [SENDERS[0]]}},
                {"cap": {"outcomes": 6}, "of": {"kinds": ["x-certificate", "skill-level"]}},
                {"exclusive": {"same_name": True}, "of": {"kinds": ["course"]}},
                {"residency": {"credits": "18"}},
            ],
        }
    )


def items(chance: random.Random, count: int) -> tuple[Outcome, ...]:
    kinds = chance.choices(
        ("course", "x-certificate", "skill-level", "competition", "training", "community"),
        (60, 10, 6, 8, 12, 4),
        k=count,
    )
    return tuple(
        Outcome(
            item=f"I-{number:04d}",
            item_version=1,
            kind=kind,
            title=f"成果{chance.randrange(count)}",
            title_en="",
            body=chance.choice(SENDERS),
            body_name="某院校",
            credits=Decimal(chance.choice(("1", "1.5", "2", "2.5", "3", "3", "4", "4", "6"))),
            framework="qf/1",
            level="4",
            category="degree" if kind == "course" else "vocational",
            completed_on=TODAY,
        )
        for number, kind in enumerate(kinds)
    )


def pack(seed: int, count: int) -> Pack:
    """So many rules as colleges publish them."""
    chance = random.Random(f"pack {seed}")
    made = programme(chance)
    known = items(chance, max(80, count))
    by_kind: dict[str, list[Outcome]] = {}
    for item in known:
        by_kind.setdefault(item.kind, []).append(item)
    documents = [_document(number, chance, made, by_kind) for number in range(count)]
    return Pack(made, tuple(rules.parse(document) for document in documents), known)


def hard(seed: int, count: int = 300) -> Pack:
    """So many rules, each for a fifth of all outcomes, for a course or a category."""
    chance = random.Random(f"hard {seed}")
    made = programme(chance)
    known = items(chance, 80)
    documents = []
    for number in range(count):
        meant = [item.item for item in chance.sample(known, len(known) // 5)]
        to: dict[str, Any]
        if chance.random() < 0.85:
            to = {"course": _replaceable(chance, made)}
        else:
            to = {"category": chance.choice(("elective", "quality", "practice"))}
        to["credits"] = _lower(chance) if "course" in to else chance.choice(("1", "2", "3.5"))
        documents.append(
            _rule(number, {"outcome": {"item": meant}}, {"to": [to]})
            | (
                {"constraints": [{"cap": {"credits": chance.choice(("6", "9"))}}]}
                if chance.random() < 0.3
                else {}
            )
        )
    return Pack(made, tuple(rules.parse(document) for document in documents), known)


def _rule(number: int, sources: dict[str, Any], allocation: dict[str, Any]) -> dict[str, Any]:
    return {
        "v": "llcb/rule/v1",
        "code": f"R-{number:04d}",
        "version": 1,
        "owner": OWNER,
        "title": f"规则{number}",
        "title_en": f"Rule {number}",
        "basis": {"title": "学分认定与转换办法"},
        "in_force": SINCE,
        "law": "filing",
        "sources": sources,
        "allocation": allocation,
        "procedure": {"mode": "automatic"},
    }


def _replaceable(chance: random.Random, made: Programme, category: str = "") -> str:
    return chance.choice(
        [
            course.code
            for course in made.courses
            if course.replaceable and category in ("", course.category)
        ]
    )


def _lower(chance: random.Random) -> Any:
    """就低, or the course's credits."""
    return (
        {"lower": [{"of": "bank"}, {"of": "target"}]} if chance.random() < 0.6 else {"of": "target"}
    )


def _document(
    number: int, chance: random.Random, made: Programme, by_kind: dict[str, list[Outcome]]
) -> dict[str, Any]:
    """One rule of the kinds that colleges publish."""
    what = chance.choices(
        ("course", "several", "split", "certificate", "skill", "competition", "hours", "block"),
        (58, 8, 6, 9, 5, 6, 6, 2),
    )[0]
    if what == "course":
        item = chance.choice(by_kind["course"]).item
        condition = {"all": [{"item": [item]}, {"score": {"min": "60"}}]}
        to = {"course": _replaceable(chance, made), "credits": _lower(chance)}
        excess = {"excess": {"to": "elective"}} if chance.random() < 0.3 else {}
        return _rule(number, {"outcome": condition}, {"to": [to]} | excess)
    if what == "several":
        meant = [item.item for item in chance.sample(by_kind["course"], 4)]
        sources = {"n": 2, "of": [{"outcome": {"item": [item]}} for item in meant]}
        to = {"course": _replaceable(chance, made), "credits": {"of": "target"}}
        return _rule(number, sources, {"to": [to]})
    if what == "split":
        item = chance.choice(by_kind["course"]).item
        codes = sorted({_replaceable(chance, made, "basic") for _ in range(3)})
        return _rule(
            number,
            {"outcome": {"item": [item]}},
            {"to": [{"course": code, "credits": "1.5"} for code in codes]},
        )
    if what == "certificate":
        meant = [item.item for item in chance.sample(by_kind["x-certificate"], 3)]
        condition = {"all": [{"item": meant}, {"certificate_level": ["中级", "高级"]}]}
        allocation = {
            "to": [{"courses": {"tag": f"core-{chance.randrange(3)}"}}],
            "choose": chance.choice((1, 2, 3)),
            "at_most": {"lower": ["8", {"times": {"amount": {"of": "bank"}, "by": "2"}}]},
        }
        return _rule(number, {"outcome": condition}, allocation) | {
            "constraints": [{"cap": {"credits": "8", "per": "outcome"}}]
        }
    if what == "skill":
        table = {
            "by": "skill_level",
            "rows": [
                {"is": ["5"], "credits": "1"},
                {"is": ["4"], "credits": "1.5"},
                {"is": ["3", "2"], "credits": "2"},
            ],
        }
        meant = [item.item for item in chance.sample(by_kind["skill-level"], 2)]
        return _rule(
            number,
            {"outcome": {"item": meant}},
            {"to": [{"category": "practice", "credits": {"table": table}}]},
        ) | {"constraints": [{"cap": {"outcomes": 3}}]}
    if what == "competition":
        meant = [item.item for item in chance.sample(by_kind["competition"], 3)]
        return _rule(
            number,
            {"outcome": {"item": meant}},
            {"to": [{"category": "quality", "credits": chance.choice(("1.5", "2", "4"))}]},
        ) | {"constraints": [{"highest": {"by": "occurrence"}}, {"cap": {"credits": "6"}}]}
    if what == "hours":
        amount = {"round": {"amount": {"hours_per_credit": "16"}, "step": "0.5", "mode": "down"}}
        meant = [item.item for item in chance.sample(by_kind["training"], 4)]
        return _rule(
            number,
            {"outcome": {"item": meant}},
            {"to": [{"category": "elective", "credits": amount}]},
        ) | {
            "constraints": [
                {
                    "bucket": {
                        "credits": "4",
                        "periods": [{"name": "1", "from": "01-01", "until": "12-31"}],
                    }
                }
            ]
        }
    meant = [item.item for item in chance.sample(by_kind["course"], 3)]
    return _rule(
        number,
        {"all": [{"outcome": {"item": [item]}} for item in meant[:2]]},
        {
            "to": [
                {"course": code, "credits": {"of": "target"}}
                for code in sorted({_replaceable(chance, made, "core") for _ in range(3)})
            ]
        },
    )
