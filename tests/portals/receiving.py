"""The demo's receiving college, its programme, one rule and its students; the province left out.

The learner holds 41 of the programme's 76 credits, and a certificate of which
the rule R-017 makes 4 + 3 credits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from creditbank.demo import cast, outcomes, pack
from creditbank.demo.cast import ASSESSOR, AUTHORITY, RECEIVER
from creditbank.demo.items import CATALOGUE_FROM, ITEMS, Item
from creditbank.demo.people import CLASSMATE, LEARNER, Person
from creditbank.institutions import operations as institutions
from creditbank.institutions.kinds import Role
from creditbank.institutions.models import Institution, Member
from creditbank.recognition.models import ProgrammeVersion, RuleVersion
from creditbank.recognition.register import publishing
from creditbank.recording import operations as recording
from creditbank.users.models import User
from learners import operations as learners
from learners import queries as people
from learners.models import Learner
from learners.sealing import identity_digest
from tests.institutions.cast import approve, make_user
from tests.recording.cast import add_hosted_stream

PASSWORD = "corréct-horse-battery-staple"
CERTIFICATE = "QH-ZHC-I"
BY_CODE = {item.code: item for item in ITEMS}


def can_sign_in(user: User) -> User:
    user.set_password(PASSWORD)
    user.save()
    return user


@dataclass
class Place:
    """An institution of the cast with its staff."""

    institution: Institution
    members: dict[Role, Member]

    @property
    def slug(self) -> str:
        return self.institution.slug

    def user(self, role: Role) -> User:
        return self.members[role].user

    def award(self, *rows: tuple[Person, Item], **changes: str) -> None:
        """Record outcomes of people: prepared by the clerk, approved by the reviewer."""
        lines = [outcomes.line(person, item) | changes for person, item in rows]
        draft = recording.prepare_draft(
            institution=self.institution,
            stream=self.institution.streams.get(),
            rows=outcomes.raw_rows(lines),
            acting_user=self.user(Role.CLERK),
        )
        draft = recording.submit_draft(draft=draft, acting_user=self.user(Role.CLERK))
        recording.approve_draft(draft=draft, acting_user=self.user(Role.REVIEWER))

    def publish(self, file: pack.File, **changes: Any) -> RuleVersion:
        """Publish a rule of the pack, with any member changed; None takes one away."""
        document = json.loads(file.read()) | changes
        said = {name: value for name, value in document.items() if value is not None}
        row = publishing.prepare_rule(
            institution=self.institution,
            document=json.dumps(said, ensure_ascii=False).encode(),
            acting_user=self.user(Role.CLERK),
        )
        row = publishing.file_rule(rule=row, acting_user=self.user(Role.CLERK))
        return publishing.publish_rule(rule=row, acting_user=self.user(Role.REVIEWER))

    def publish_programme(self, file: pack.File, **changes: Any) -> ProgrammeVersion:
        """Publish a programme of the pack, with any member changed."""
        document = json.loads(file.read()) | changes
        row = publishing.prepare_programme(
            institution=self.institution,
            document=json.dumps(document, ensure_ascii=False).encode(),
            acting_user=self.user(Role.CLERK),
        )
        row = publishing.file_programme(programme=row, acting_user=self.user(Role.CLERK))
        return publishing.publish_programme(programme=row, acting_user=self.user(Role.REVIEWER))


@dataclass
class Receiving:
    """The college, who assessed the certificate, and the programme in force."""

    college: Place
    assessor: Place
    authority: Place
    programme: ProgrammeVersion

    def rule(self, version: int, **changes: Any) -> RuleVersion:
        """Publish a version of the certificate's rule."""
        return self.college.publish(rule_file(version), **changes)

    def student(self, person: Person, *, certificates: Iterable[str] = (CERTIFICATE,)) -> Student:
        """Let somebody of the cast have what they have there, and claim their account."""
        own = [item for item in ITEMS if item.owner == RECEIVER and person.number in item.takers]
        if own:
            self.college.award(*((person, item) for item in own))
        held = [BY_CODE[code] for code in certificates]
        if held:
            self.assessor.award(*((person, item) for item in held))
        learner = people.by_identity(person.document)
        if learner is None:
            learner = learners.register_learner(document=person.document, name=person.name)
        user = can_sign_in(make_user())
        learners.claim(user=user, code=learners.issue_claim_code(learner, make_user()))
        learner.refresh_from_db()
        return Student(user=user, learner=learner)


@dataclass
class Student:
    """Somebody who signs in and has an account."""

    user: User
    learner: Learner

    def leaf(self, item: str = CERTIFICATE) -> bytes:
        """The leaf hash of an outcome, by its item."""
        return self._line(item).leaf_hash

    def index(self, item: str = CERTIFICATE) -> int:
        """The log index of an outcome, by its item."""
        return self._line(item).index

    def _line(self, item: str) -> Any:
        from creditbank.ledger import queries

        return next(
            line
            for line in queries.statement(people.accounts_of(self.learner))
            if line.outcome is not None and line.outcome.item == item
        )


def rule_file(version: int) -> pack.File:
    return next(
        file
        for file in pack.rules()
        if (file.code, file.version) == (pack.CERTIFICATE_RULE, version)
    )


def programme_file() -> pack.File:
    return next(file for file in pack.programmes() if file.code == pack.PROGRAMME)


def _found(slug: str) -> Place:
    one = cast.BY_SLUG[slug]
    institution = institutions.found_institution(
        slug=one.slug,
        name=one.name,
        name_en=one.name_en,
        kind=one.kind,
        uscc=one.uscc,
        region=one.region,
        industry=one.industry,
        opened_on=cast.SCOPE_FROM,
    )
    for kind in one.scopes:
        institutions.grant_scope(
            institution=institution, outcome_kind=kind, valid_from=cast.SCOPE_FROM
        )
    if one.scopes:
        add_hosted_stream(institution)
    members = {
        who.role: institutions.add_member(
            institution=institution,
            user=can_sign_in(make_user(who.username)),
            role=who.role,
            acting_user=None,
            person_digest=identity_digest(who.document),
        )
        for who in one.staff
    }
    for item in ITEMS:
        if item.owner == slug:
            _approved(institution, item)
    return Place(institution=institution, members=members)


def _approved(institution: Institution, item: Item) -> None:
    approve(
        institutions.propose_item(
            institution=institution,
            code=item.code,
            kind=item.kind,
            title=item.title,
            title_en=item.title_en,
            proposed_credits=item.credits,
            valid_from=CATALOGUE_FROM,
            level=item.level,
            category=item.category,
            hours=Decimal(item.hours) if item.hours else None,
            standard=item.more.get("standard", ""),
            standard_version=item.more.get("standard_version", ""),
            x_level=item.more.get("x_level", ""),
            skill_level=item.more.get("skill_level", ""),
            acting_user=None,
        )
    )


@pytest.fixture
def receiving(bank: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Receiving:
    """The college with its programme; no rule yet, no student. Staff need no second factor."""
    settings.STAFF_SECOND_FACTOR = False
    monkeypatch.setenv("STAFF_SECOND_FACTOR", "0")
    college, assessor, authority = _found(RECEIVER), _found(ASSESSOR), _found(AUTHORITY)
    return Receiving(
        college=college,
        assessor=assessor,
        authority=authority,
        programme=college.publish_programme(programme_file()),
    )


@pytest.fixture
def student(receiving: Receiving) -> Student:
    """The learner of the journey: 41 credits, the certificate, and version 3 of its rule in force."""
    receiving.rule(3)
    return receiving.student(LEARNER)


__all__ = [
    "CLASSMATE",
    "LEARNER",
    "Receiving",
    "Student",
    "date",
    "receiving",
    "student",
]
