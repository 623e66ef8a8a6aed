"""Outcomes, programmes and rules for tests of the engine. Everything is invented.

A rule's `sources` may be given as a condition on one outcome. The law's day is
that of filing, 2 March 2026, where a test says nothing else.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from stdnum.cn import uscc

from creditbank.ledger.statements import Outcome, Result
from creditbank.recognition.engine import evaluation
from creditbank.recognition.engine.evidence import Context, Evidence, State
from creditbank.recognition.engine.findings import Finding, Grant, Verdict
from creditbank.recognition.language import programmes, rules
from creditbank.recognition.language.programmes import Programme
from creditbank.recognition.language.rules import Rule

FILED = date(2026, 3, 2)
DECIDED = date(2026, 3, 16)
_serial = itertools.count(1)


def body(number: int) -> str:
    """A unified social credit code of an invented body."""
    start = f"52229900X{number:08}"
    return start + str(uscc.calc_check_digit(start))


OWNER, SENDER, OTHER = body(1), body(2), body(3)


def outcome(
    item: str = "SFU-MATH-100",
    *,
    kind: str = "course",
    credits: str = "3",
    body: str = SENDER,
    title: str = "",
    completed: str = "2024-06-30",
    valid_until: str = "",
    framework: str = "qf/1",
    level: str = "5",
    category: str = "degree",
    grade: str = "",
    score: str = "",
    hours: str = "",
    certificate_level: str = "",
    skill_level: str = "",
    fields: Sequence[str] = (),
    occurrence: str = "",
    facts: Mapping[str, str] | None = None,
    state: State = "available",
) -> Evidence:
    """One outcome of a learner, recorded after those made before it."""
    index = next(_serial)
    return Evidence(
        leaf=hashlib.sha256(str(index).encode()).digest(),
        index=index,
        outcome=Outcome(
            item=item,
            item_version=1,
            kind=kind,
            title=title or item,
            title_en=item,
            body=body,
            body_name="示例授予机构",
            credits=Decimal(credits),
            framework=framework,
            level=level,
            category=category,
            completed_on=date.fromisoformat(completed),
            valid_until=date.fromisoformat(valid_until) if valid_until else None,
        ),
        result=Result(grade=grade, score=score, hours=hours),
        occurrence=occurrence,
        certificate_level=certificate_level,
        skill_level=skill_level,
        fields=tuple(fields),
        facts=facts or {},
        state=state,
    )


def course(
    code: str, credits: str = "3", category: str = "major", **members: Any
) -> dict[str, Any]:
    """A course of a programme's document."""
    return {
        "code": code,
        "title": f"课程{code}",
        "title_en": f"Course {code}",
        "credits": credits,
        "category": category,
    } | members


def programme(*courses: dict[str, Any], **changes: Any) -> Programme:
    """A programme with these courses: 140 credits, 60 major, 30 liberal, the rest elective."""
    return programmes.parse(programme_document(*courses, **changes))


def programme_document(*courses: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The document of `programme`; None takes a member away."""

    def category(code: str, credits: str, **members: Any) -> dict[str, Any]:
        said = {"code": code, "title": f"类别{code}", "title_en": f"Category {code}"}
        return said | {"credits": credits} | members

    said: dict[str, Any] = {
        "v": "llcb/programme/v1",
        "code": "P-1",
        "version": 1,
        "owner": OWNER,
        "title": "示例专业",
        "title_en": "An Example Programme",
        "field": "510201",
        "framework": "qf/1",
        "level": "5",
        "total": "140",
        "in_force": {"from": "2020-09-01"},
        "categories": [
            category("major", "60", spills_to="elective"),
            category("liberal", "30", spills_to="elective"),
            category("elective", "50"),
        ],
        "courses": list(courses) or [course("MATH-115")],
    } | changes
    return {name: value for name, value in said.items() if value is not None}


def rule_document(
    sources: Mapping[str, Any] | None = None,
    to: Sequence[Mapping[str, Any]] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """A rule's document: `sources` may be a condition; the rest of `allocation` in its own name."""
    given = dict(sources or {"item": ["SFU-MATH-100"]})
    allocation = {"to": list(to or [{"course": "MATH-115"}])} | changes.pop("allocation", {})
    said: dict[str, Any] = {
        "v": "llcb/rule/v1",
        "code": "R-1",
        "version": 1,
        "owner": OWNER,
        "title": "示例规则",
        "title_en": "An Example Rule",
        "basis": {"title": "示例学分认定办法"},
        "in_force": {"from": "2020-09-01"},
        "law": "filing",
        "sources": given if _are_sources(given) else {"outcome": given},
        "allocation": allocation,
        "procedure": {"mode": "review"},
    } | changes
    return {name: value for name, value in said.items() if value is not None}


def _are_sources(value: Mapping[str, Any]) -> bool:
    if "outcome" in value:
        return True
    parts = [part for name in ("all", "any", "of") for part in value.get(name, ())]
    return any(_are_sources(part) for part in parts)


def rule(
    sources: Mapping[str, Any] | None = None,
    to: Sequence[Mapping[str, Any]] | None = None,
    **changes: Any,
) -> Rule:
    """A rule, checked as the bank checks it."""
    return rules.parse(rule_document(sources, to, **changes))


def context(of: Programme | None = None, **changes: Any) -> Context:
    """The circumstances of a decision; days may be texts."""
    said: dict[str, Any] = {
        "filed_on": FILED,
        "decided_on": DECIDED,
        "programme": of or programme(),
    }
    said |= {
        name: date.fromisoformat(value) if isinstance(value, str) else value
        for name, value in changes.items()
    }
    return Context(**said)


def findings(
    of: Rule, *evidence: Evidence, programme: Programme | None = None, **changes: Any
) -> list[Finding]:
    """What the engine finds of a rule; the learner holds these outcomes and no others."""
    said = {"held": evidence} | changes
    return evaluation.evaluate(of, evidence, context(programme, **said))


def finding(
    of: Rule, *evidence: Evidence, programme: Programme | None = None, **changes: Any
) -> Finding:
    """The one finding of a rule that makes one."""
    found = findings(of, *evidence, programme=programme, **changes)
    assert len(found) == 1, found
    return found[0]


def given(of: Rule, *evidence: Evidence, **changes: Any) -> dict[str, str]:
    """What a rule that applies gives, by target: credits as a text, `waived`, `+ surplus`."""
    found = finding(of, *evidence, **changes)
    assert found.verdict is Verdict.APPLIES, found
    return {grant.target: amount_of(grant) for grant in found.grants}


def amount_of(grant: Grant) -> str:
    """A grant's credits in words a test reads easily."""
    if grant.waived:
        return "waived"
    text = f"{grant.credits.normalize():f}"
    surplus = f" + {grant.surplus.normalize():f} {grant.surplus_category}" if grant.surplus else ""
    return text + surplus


def against(of: Rule, *evidence: Evidence, **changes: Any) -> dict[str, tuple[str, str, str]]:
    """Why a rule refuses, by reason: found, wanted, change."""
    found = finding(of, *evidence, **changes)
    assert found.verdict is Verdict.REFUSED, found
    return {one.code: (one.found, one.wanted, one.change) for one in found.reasons}


def unknown(of: Rule, *evidence: Evidence, **changes: Any) -> set[str]:
    """What a rule would have to know."""
    found = finding(of, *evidence, **changes)
    assert found.verdict is Verdict.UNKNOWN, found
    return {one.code for one in found.reasons}
