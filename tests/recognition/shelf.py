"""A college that writes rules and programmes: invented documents, and the people who publish them."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Any

from creditbank.institutions.kinds import InstitutionKind, Role
from creditbank.institutions.models import Institution, Member
from creditbank.recognition.models import ProgrammeVersion, RuleVersion
from creditbank.recognition.register import publishing
from creditbank.users.models import User
from tests.institutions.cast import make_institution, make_member
from tests.recording.cast import add_hosted_stream

_serial = itertools.count(1)
_people = itertools.count(700_000)


def rule_document(owner: Institution, **changes: Any) -> dict[str, Any]:
    """A rule as its owner writes it: an English test for three credits of a course; None takes away."""
    said: dict[str, Any] = {
        "v": "llcb/rule/v1",
        "code": f"R-{next(_serial):03}",
        "version": 1,
        "owner": owner.uscc,
        "title": "大学英语四级抵免大学英语",
        "title_en": "CET-4 for College English",
        "basis": {
            "title": "示例学院学分认定办法",
            "number": "示院教〔2026〕3号",
            "clause": "第五条",
        },
        "in_force": {"from": "2026-03-01"},
        "law": "filing",
        "gate": {"catalogue": True, "kinds": ["course"]},
        "sources": {"outcome": {"all": [{"kind": ["course"]}, {"score": {"min": "60"}}]}},
        "allocation": {"to": [{"course": "ENG-101", "credits": "3"}]},
        "constraints": [{"cap": {"credits": "8"}}],
        "procedure": {"mode": "review", "reviewers": 1, "expected_days": 10},
    } | changes
    return {name: value for name, value in said.items() if value is not None}


def programme_document(owner: Institution, **changes: Any) -> dict[str, Any]:
    """A programme as its owner writes it: two categories, three courses."""
    said: dict[str, Any] = {
        "v": "llcb/programme/v1",
        "code": f"P-{next(_serial):03}",
        "version": 1,
        "owner": owner.uscc,
        "title": "新能源汽车技术",
        "title_en": "New-Energy Vehicle Technology",
        "field": "460702",
        "framework": "lqf/1",
        "level": "5",
        "total": "20",
        "in_force": {"from": "2026-03-01"},
        "categories": [
            {"code": "core", "title": "专业核心", "title_en": "Core", "credits": "12"},
            {
                "code": "free",
                "title": "选修",
                "title_en": "Electives",
                "credits": "8",
            },
        ],
        "courses": [
            {
                "code": "ENG-101",
                "title": "大学英语",
                "title_en": "College English",
                "credits": "3",
                "category": "core",
                "required": True,
            },
            {
                "code": "EV-201",
                "title": "动力电池",
                "title_en": "Traction Batteries",
                "credits": "4",
                "category": "core",
            },
            {
                "code": "ART-1",
                "title": "摄影基础",
                "title_en": "Photography",
                "credits": "2",
                "category": "free",
            },
        ],
    } | changes
    return {name: value for name, value in said.items() if value is not None}


def written(document: Any) -> bytes:
    """A document as somebody would type it."""
    return json.dumps(document, ensure_ascii=False, indent=2).encode()


@dataclass
class Shelf:
    """An institution that writes rules: a clerk who prepares, a reviewer who publishes."""

    institution: Institution
    clerk_member: Member
    reviewer_member: Member

    @property
    def clerk(self) -> User:
        return self.clerk_member.user

    @property
    def reviewer(self) -> User:
        return self.reviewer_member.user

    @property
    def slug(self) -> str:
        return self.institution.slug

    def rule(self, **changes: Any) -> dict[str, Any]:
        return rule_document(self.institution, **changes)

    def programme(self, **changes: Any) -> dict[str, Any]:
        return programme_document(self.institution, **changes)

    def draft(self, document: Any = None, **changes: Any) -> RuleVersion:
        said = document or self.rule(**changes)
        return publishing.prepare_rule(
            institution=self.institution, document=written(said), acting_user=self.clerk
        )

    def filed(self, document: Any = None, **changes: Any) -> RuleVersion:
        row = self.draft(document, **changes)
        return publishing.file_rule(rule=row, acting_user=self.clerk)

    def publish(self, document: Any = None, **changes: Any) -> RuleVersion:
        """Walk a rule the whole way."""
        row = self.filed(document, **changes)
        return publishing.publish_rule(rule=row, acting_user=self.reviewer)

    def publish_programme(self, document: Any = None, **changes: Any) -> ProgrammeVersion:
        """Walk a programme the whole way."""
        said = document or self.programme(**changes)
        row = publishing.prepare_programme(
            institution=self.institution, document=written(said), acting_user=self.clerk
        )
        row = publishing.file_programme(programme=row, acting_user=self.clerk)
        return publishing.publish_programme(programme=row, acting_user=self.reviewer)


def make_shelf(*, stream: bool = True, **changes: Any) -> Shelf:
    """Found a college whose clerk and reviewer are two people, both seen with their documents."""
    institution = make_institution(**changes)
    if stream:
        add_hosted_stream(institution)
    return Shelf(
        institution=institution,
        clerk_member=make_member(institution, Role.CLERK, serial=next(_people)),
        reviewer_member=make_member(institution, Role.REVIEWER, serial=next(_people)),
    )


def make_authority() -> Shelf:
    """Found the provincial authority."""
    return make_shelf(
        name="示例省教育主管部门",
        name_en="Example Provincial Education Authority",
        kind=InstitutionKind.PROVINCIAL_AUTHORITY,
    )
