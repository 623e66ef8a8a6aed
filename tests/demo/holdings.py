"""What the cast holds, as the engine looks at it: read from the rows that are handed in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Final

from creditbank.clock import today
from creditbank.demo import cast, outcomes
from creditbank.demo.items import ITEMS, Item
from creditbank.demo.people import PEOPLE, Person
from creditbank.ledger.statements import Outcome, Result
from creditbank.recognition.engine.evidence import Evidence
from creditbank.recording.rows import Row, read_row

FRAMEWORK = "lqf/1"
ATTESTED: Final[Mapping[str, str]] = {
    "similarity": "82",
    "joint_similarity": "75",
    "contest_level": "省级",
    "team_role": "队员",
    "rank_percent": "12",
    "author_rank": "2",
    "work_type": "实用新型",
    "plan_approved_on": "2022-09-20",
    "started_on": "2023-03-01",
}
"""What a reviewer would attest after looking at the papers."""

_SERIAL = {item.code: place for place, item in enumerate(ITEMS)}


def leaf(person: Person, item: Item) -> bytes:
    """A hash that stands for the entry's."""
    return hashlib.sha256(f"{person.number} {item.code}".encode()).digest()


def _row(person: Person, item: Item) -> Row:
    (raw,) = outcomes.raw_rows([outcomes.line(person, item)])
    row, problems = read_row(raw, today())
    assert row is not None, problems
    return row


def evidence(person: Person, item: Item, facts: Mapping[str, str]) -> Evidence:
    """One outcome of one person, with facts that somebody attested."""
    row = _row(person, item)
    owner = cast.BY_SLUG[item.owner]
    return Evidence(
        leaf=leaf(person, item),
        index=person.number * 1000 + _SERIAL[item.code],
        outcome=Outcome(
            item=item.code,
            item_version=1,
            kind=item.kind,
            title=item.title,
            title_en=item.title_en,
            body=owner.uscc,
            body_name=owner.name,
            credits=item.credits,
            framework=FRAMEWORK,
            level=str(item.level),
            category=item.category,
            completed_on=row.completed_on,
            valid_until=row.valid_until,
        ),
        result=Result(grade=row.grade, score=row.score, hours=row.hours),
        occurrence=row.occurrence(item.kind),
        certificate_level=item.more.get("x_level", ""),
        skill_level=item.more.get("skill_level", ""),
        fields=item.fields,
        facts=facts,
    )


@cache
def held(number: int, *, attested: bool = False) -> tuple[Evidence, ...]:
    """All that one of the cast holds, by the place in it; with the facts that would be attested."""
    facts = ATTESTED if attested else {}
    return tuple(
        evidence(PEOPLE[number], item, facts) for item in ITEMS if number in set(item.takers)
    )
