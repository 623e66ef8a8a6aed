"""A college that recognises, a training institution that awards, and a learner with a certificate.

The figures are those of the journey: the programme asks for 76 credits (52
required, 16 elective, 8 practice), the learner has 41; the certificate gives
4 + 3. Names are invented.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from creditbank.institutions import operations as institutions
from creditbank.institutions.kinds import InstitutionKind, OutcomeKind, Role
from creditbank.institutions.models import CatalogueItem, Institution, Member, Stream
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries
from creditbank.ledger.statements import CreditAwarded, Outcome, Reference, Result, award_u
from creditbank.recognition.models import Decision, ProgrammeVersion, Request, RuleVersion
from creditbank.recognition.workflow import decisions, requests
from creditbank.recognition.workflow.decisions import Verdict
from creditbank.users.models import User
from learners import operations as learners
from learners.models import Learner
from tests.institutions.cast import approve, make_institution, make_member, make_user, propose
from tests.learners.people import register
from tests.ledger.cast import published
from tests.recognition.shelf import Shelf, make_shelf
from tests.recording.cast import add_hosted_stream

_serial = itertools.count(101)
_people = itertools.count(800_000)

CERTIFICATE_DAY = date(2025, 6, 20)
STORAGE, INFORMATION = "LOG-101", "LOG-102"
REQUIRED = [("LOG-101", "仓储与配送管理", "4"), ("LOG-102", "物流信息技术", "3")] + [
    (f"REQ-{number}", f"必修课程{number}", "5") for number in range(1, 10)
]
"""52 credits with 4 + 3 + 9 x 5; the learner holds seven of the nine."""
ELECTIVE = [(f"ELE-{number}", f"选修课程{number}", "3") for number in range(1, 7)]
PRACTICE = [("PRA-1", "岗位实习", "8")]


def course(code: str, title: str, credits: str, category: str, **more: Any) -> dict[str, Any]:
    return {
        "code": code,
        "title": title,
        "title_en": f"Course {code}",
        "credits": credits,
        "category": category,
    } | more


def programme_document(owner: Institution, **changes: Any) -> dict[str, Any]:
    """现代物流管理（专科）: 52 required, 16 elective, 8 practice, 76 in all."""

    def category(code: str, title: str, credits: str) -> dict[str, Any]:
        return {"code": code, "title": title, "title_en": code, "credits": credits}

    def native(code: str, title: str, credits: str, kind: str, **more: Any) -> dict[str, Any]:
        return course(code, title, credits, kind, items=[f"{owner.slug}-{code}"], **more)

    said: dict[str, Any] = {
        "v": "llcb/programme/v1",
        "code": f"{owner.slug}-LOG",
        "version": 1,
        "owner": owner.uscc,
        "title": "现代物流管理",
        "title_en": "Modern Logistics Management",
        "field": "530802",
        "framework": "lqf/1",
        "level": "5",
        "total": "76",
        "in_force": {"from": "2024-09-01"},
        "categories": [
            category("required", "必修", "52"),
            category("elective", "选修", "16"),
            category("practice", "实践", "8"),
        ],
        "courses": [
            *(native(*one, "required", required=True) for one in REQUIRED),
            *(native(*one, "elective") for one in ELECTIVE),
            *(native(*one, "practice", required=True, replaceable=False) for one in PRACTICE),
        ],
    } | changes
    return {name: value for name, value in said.items() if value is not None}


def rule_document(owner: Institution, item: str, **changes: Any) -> dict[str, Any]:
    """R-017 v3: a certificate of the intermediate level, at most five years old, gives 4 + 3."""
    said: dict[str, Any] = {
        "v": "llcb/rule/v1",
        "code": f"{owner.slug}-R-017",
        "version": 3,
        "owner": owner.uscc,
        "title": "物流管理职业技能等级证书（中级）认定",
        "title_en": "Logistics Management certificate (intermediate)",
        "basis": {"title": "南江示例职业学院学分认定办法"},
        "in_force": {"from": "2025-01-01"},
        "law": "filing",
        "gate": {"catalogue": True, "kinds": ["x-certificate"]},
        "sources": {
            "outcome": {
                "all": [
                    {"item": [item]},
                    {"certificate_level": ["中级"]},
                    {"age": {"years": 5}},
                ]
            }
        },
        "allocation": {
            "to": [
                {"course": STORAGE, "credits": "4"},
                {"course": INFORMATION, "credits": "3"},
            ]
        },
        "constraints": [{"cap": {"credits": "8", "per": "outcome"}}],
        "procedure": {
            "mode": "review",
            "reviewers": 1,
            "expected_days": 10,
            "notice_days": 0,
            "appeal_days": 15,
            "fee": {"kind": "none", "note": "不收费", "note_en": "No fee"},
            "gpa": "excluded",
        },
    } | changes
    return {name: value for name, value in said.items() if value is not None}


@dataclass
class World:
    """Everybody in it."""

    college: Shelf
    trainer: Institution
    trainer_stream: Stream
    certificate: CatalogueItem
    programme: ProgrammeVersion
    rule: RuleVersion | None
    others: list[Member] = field(default_factory=list)

    # -- people ---------------------------------------------------------------------------
    def officer(self, number: int = 0) -> User:
        """A reviewer of the college: the first one, or another person for each number."""
        while len(self.others) < number:
            self.others.append(
                make_member(self.college.institution, Role.REVIEWER, serial=next(_people))
            )
        return self.college.reviewer if number == 0 else self.others[number - 1].user

    def learner(self, **changes: Any) -> Learner:
        """A learner who has claimed their account, and holds nothing."""
        learner = register(**changes)
        code = learners.issue_claim_code(learner, self.college.clerk)
        return learners.claim(user=make_user(), code=code)

    def graduate(self) -> Learner:
        """The journey's learner: 35 required and 6 elective credits natively, and the certificate."""
        learner = self.learner()
        self.record_native(learner, *(f"REQ-{number}" for number in range(1, 8)))
        self.record_native(learner, "ELE-1", "ELE-2")
        self.record_certificate(learner)
        return learner

    # -- outcomes -------------------------------------------------------------------------
    def record_native(self, learner: Learner, *codes: str) -> ledger.Receipt:
        """Record courses of the programme that the college itself awards."""
        items = [native_item(self.college.institution, self.programme, code) for code in codes]
        stream = self.college.institution.streams.get()
        return record(stream, [award(learner, item) for item in items])

    def record_certificate(
        self, learner: Learner, item: CatalogueItem | None = None, **changes: Any
    ) -> bytes:
        """Record a certificate and return its leaf hash."""
        return self.record_outcome(
            learner,
            item or self.certificate,
            certificate=f"ZS-{next(_serial):06}",
            completed_on=changes.pop("completed_on", CERTIFICATE_DAY),
            **changes,
        )

    def record_outcome(self, learner: Learner, item: CatalogueItem, **changes: Any) -> bytes:
        receipt = record(self.trainer_stream, [award(learner, item, **changes)])
        return queries.entry(receipt.first_index).leaf_hash

    def item(self, kind: str = OutcomeKind.TRAINING, **changes: Any) -> CatalogueItem:
        """A further item of the trainer's."""
        if not self.trainer.scopes.filter(outcome_kind=kind).exists():
            institutions.grant_scope(
                institution=self.trainer, outcome_kind=kind, valid_from=date(2020, 1, 1)
            )
        facts = {"kind": kind, "category": "vocational"} | changes
        return approve(propose(self.trainer, **facts))

    def x_certificate(self, **changes: Any) -> CatalogueItem:
        """A further certificate of the intermediate level."""
        body = make_institution(kind=InstitutionKind.ASSESSMENT_ORGANISATION)
        return approve(propose(body, **CERTIFICATE | changes))

    # -- rules ----------------------------------------------------------------------------
    def publish(self, item: CatalogueItem | None = None, **changes: Any) -> RuleVersion:
        """Publish a rule of the college: R-017 but for the changes."""
        chosen = item or self.certificate
        changes.setdefault("code", f"{self.college.slug}-R-{next(_serial):03}")
        changes.setdefault("version", 1)
        document = rule_document(self.college.institution, chosen.code, **changes)
        return self.college.publish(document)

    # -- requests -------------------------------------------------------------------------
    def request(
        self,
        learner: Learner,
        leaves: Sequence[bytes] | None = None,
        targets: Sequence[str] = (),
        **changes: Any,
    ) -> Request:
        """File a request as the learner; the best outcomes unless some are named."""
        chosen = leaves
        if chosen is None:
            chosen = requests.prepare(learner=learner, programme=self.programme).leaves
        facts: dict[str, Any] = {
            "learner": learner,
            "programme": self.programme,
            "leaves": chosen,
            "targets": targets,
            "consent": requests.CONSENT,
            "acting_user": learner.user,
        } | changes
        return requests.request_recognition(**facts)

    def decide(self, request: Request, *verdicts: Verdict, by: int = 0) -> Decision:
        """Decide as an officer of the college; everything whole unless verdicts are given."""
        request.refresh_from_db()
        said = verdicts or whole(request)
        return decisions.propose_decision(
            request=request, verdicts=said, acting_user=self.officer(by)
        )


def whole(request: Request) -> tuple[Verdict, ...]:
    """Give every line of the proposal whole."""
    from creditbank.recognition.workflow import cases

    found = cases.current(request)
    return tuple(Verdict(position=at, verdict="credit") for at in range(len(found.proposed)))


CERTIFICATE: dict[str, Any] = {
    "kind": OutcomeKind.X_CERTIFICATE,
    "category": "vocational",
    "title": "物流管理职业技能等级证书（中级）",
    "title_en": "Logistics Management, intermediate",
    "standard": "物流管理职业技能等级标准",
    "standard_version": "2.0",
    "x_level": "中级",
    "proposed_credits": Decimal("8.00"),
    "valid_from": date(2018, 1, 1),
}


def native_item(owner: Institution, programme: ProgrammeVersion, code: str) -> CatalogueItem:
    """The item that meets a course natively, approved when it is first asked for."""
    found = CatalogueItem.objects.filter(code=f"{owner.slug}-{code}").first()
    if found is not None:
        return found
    asked = programme.parsed().course(code)
    assert asked is not None
    return approve(
        propose(
            owner,
            code=f"{owner.slug}-{code}",
            title=asked.title,
            title_en=asked.title_en,
            proposed_credits=asked.credits,
            valid_from=date(2018, 1, 1),
        )
    )


def award(learner: Learner, item: CatalogueItem, **changes: Any) -> CreditAwarded:
    """An award of an item to a learner."""
    assert item.approved_credits is not None
    certificate = changes.pop("certificate", "")
    occurrence = changes.pop("occurrence", "" if certificate else _occurrence(item))
    result = {"score": "86"} | changes.pop("result", {})
    generation = changes.pop("generation", 1)
    account = changes.pop("account", learner.account_id)
    outcome: dict[str, Any] = {
        "item": item.code,
        "item_version": item.version,
        "kind": item.kind,
        "title": item.title,
        "title_en": item.title_en,
        "body": item.body_uscc,
        "body_name": item.body_name,
        "credits": item.approved_credits,
        "framework": item.framework,
        "level": item.level,
        "category": item.category,
        "completed_on": date(2025, 1, 10),
    } | changes
    return CreditAwarded(
        account=account,
        outcome=Outcome(**outcome),
        result=Result(**result),
        reference=Reference(
            u=award_u(
                body=item.body_uscc,
                item="" if certificate else item.code,
                occurrence=certificate or occurrence,
                generation=generation,
            ),
            certificate=certificate,
            occurrence=occurrence,
        ),
        prepared_by="p-1",
        approved_by="p-2",
    )


def _occurrence(item: CatalogueItem) -> str:
    return "" if item.kind == OutcomeKind.COURSE else f"b-{next(_serial)}"


def record(stream: Stream, awards: Sequence[CreditAwarded]) -> ledger.Receipt:
    assert stream.institution_id is not None
    # Published, so that a proof can be made of it at once.
    return published(
        ledger.record_credits(
            stream=stream.name,
            awards=awards,
            idempotency_key=f"world-{next(_serial)}",
            institution_id=stream.institution_id,
        )
    )


def make_world() -> World:
    """Found the college, the trainer and the programme."""
    college = make_shelf(name="南江示例职业学院", name_en="Nanjiang Vocational College")
    institutions.grant_scope(
        institution=college.institution,
        outcome_kind=OutcomeKind.COURSE,
        valid_from=date(2018, 1, 1),
    )
    trainer = make_institution(name="云岭职业培训学院", name_en="Yunling Training Institute")
    institutions.grant_scope(
        institution=trainer,
        outcome_kind=OutcomeKind.X_CERTIFICATE,
        valid_from=date(2018, 1, 1),
    )
    stream = add_hosted_stream(trainer)
    body = make_institution(kind=InstitutionKind.ASSESSMENT_ORGANISATION)
    certificate = approve(propose(body, **CERTIFICATE))
    for code, title, amount in [*REQUIRED, *ELECTIVE, *PRACTICE]:
        approve(
            propose(
                college.institution,
                code=f"{college.slug}-{code}",
                title=title,
                title_en=f"Course {code}",
                proposed_credits=Decimal(amount),
                valid_from=date(2018, 1, 1),
            )
        )
    programme = college.publish_programme(programme_document(college.institution))
    return World(
        college=college,
        trainer=trainer,
        trainer_stream=stream,
        certificate=certificate,
        programme=programme,
        rule=None,
    )


def with_rule(world: World) -> World:
    """Publish the rule of the journey."""
    college = world.college
    world.rule = college.publish(rule_document(college.institution, world.certificate.code))
    return world
