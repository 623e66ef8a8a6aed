"""The pack's rules held against what the cast holds."""

from __future__ import annotations

from datetime import date
from functools import cache

from creditbank.clock import today
from creditbank.demo import cast, pack
from creditbank.demo.items import ITEMS
from creditbank.demo.people import Person
from creditbank.recognition.engine.evaluation import evaluate
from creditbank.recognition.engine.evidence import Context, Evidence
from creditbank.recognition.engine.findings import Finding, Verdict
from creditbank.recognition.language import programmes, rules
from creditbank.recognition.language.domains import Item as ItemFacts
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rulechecks import CatalogueFacts
from creditbank.recognition.language.rules import Rule
from tests.demo import holdings


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every version of every rule, by code and version."""
    return tuple(rules.read(file.read()) for file in pack.rules())


def catalogue() -> CatalogueFacts:
    """The cast's catalogue, as the static checks ask for it."""
    return CatalogueFacts(
        items={
            item.code: [
                ItemFacts(
                    code=item.code,
                    kind=item.kind,
                    body=cast.BY_SLUG[item.owner].uscc,
                    category=item.category,
                    credits=item.credits,
                    framework=holdings.FRAMEWORK,
                    level=str(item.level),
                    certificate_level=item.more.get("x_level", ""),
                    skill_level=item.more.get("skill_level", ""),
                    fields=item.fields,
                )
            ]
            for item in ITEMS
        },
        frameworks=frozenset({holdings.FRAMEWORK}),
    )


@cache
def all_programmes() -> tuple[Programme, ...]:
    """Every programme, by code."""
    return tuple(programmes.read(file.read()) for file in pack.programmes())


def programme(code: str) -> Programme:
    """A programme by its code."""
    return next(one for one in all_programmes() if one.code == code)


def rule(code: str, version: int) -> Rule:
    """A version of a rule."""
    return next(one for one in all_rules() if (one.code, one.version) == (code, version))


def published(on: date | None = None) -> tuple[Rule, ...]:
    """The rules in force on a day, today unless given, without the one that waits."""
    day = on or today()
    found: dict[str, Rule] = {}
    for one in all_rules():
        if (one.code, one.version) != pack.FILED and one.in_force(day):
            found[one.code] = one
    return tuple(found.values())


def native(owner: str, held: tuple[Evidence, ...], code: str) -> tuple[Evidence, ...]:
    """Those outcomes that meet a course of the owner's programme by themselves."""
    items = {item for course in programme(code).courses for item in course.items}
    return tuple(one for one in held if one.outcome.body == owner and one.outcome.item in items)


def context(code: str, held: tuple[Evidence, ...], on: date | None = None) -> Context:
    """The circumstances of somebody who asks for a programme today."""
    asked = programme(code)
    own = {one.outcome.item for one in native(asked.owner, held, code)}
    return Context(
        filed_on=on or today(),
        decided_on=on or today(),
        programme=asked,
        held=held,
        met=frozenset(course.code for course in asked.courses if own & set(course.items)),
    )


def findings(one: Rule, code: str, person: Person, *, attested: bool = False) -> list[Finding]:
    """What a rule says of all that a person holds, for a programme."""
    held = holdings.held(person.number, attested=attested)
    return evaluate(one, held, context(code, held))


def applying(one: Rule, code: str, person: Person, *, attested: bool = False) -> list[Finding]:
    """Those findings that apply."""
    found = findings(one, code, person, attested=attested)
    return [finding for finding in found if finding.verdict is Verdict.APPLIES]
