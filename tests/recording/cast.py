"""A college with a clerk and a reviewer, invented people, and rows and files about them."""

from __future__ import annotations

import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from openpyxl import Workbook

from creditbank.institutions import operations as institutions
from creditbank.institutions import queries
from creditbank.institutions.kinds import InstitutionKind, OutcomeKind, Role
from creditbank.institutions.models import CatalogueItem, Institution, Member, Stream
from creditbank.ledger.operations import Receipt, add_key, signer
from creditbank.recording import columns, operations
from creditbank.recording.models import Draft
from creditbank.recording.rows import RawRow
from creditbank.users.models import User
from learners.identity import IdentityDocument
from tests.institutions.cast import approve, make_institution, make_member, propose
from tests.learners.people import resident

_serial = itertools.count(1)
_people = itertools.count(3_000)
DAY = date(2026, 6, 17)

HEADERS = ("身份证号", "姓名", "课程代码", "完成日期", "成绩", "等级", "学期")


def somebody() -> IdentityDocument:
    """A citizen whom nobody has met before."""
    return resident(next(_people))


@dataclass
class School:
    """An institution that records by form and file: its people, stream and items."""

    institution: Institution
    stream: Stream
    clerk_member: Member
    reviewer_member: Member
    items: list[CatalogueItem] = field(default_factory=list)

    @property
    def clerk(self) -> User:
        return self.clerk_member.user

    @property
    def reviewer(self) -> User:
        return self.reviewer_member.user

    @property
    def slug(self) -> str:
        return self.institution.slug

    def row(self, number: int = 2, /, **changes: Any) -> RawRow:
        """A good row about somebody new, with any cell changed; None takes a cell away."""
        document = changes.pop("document", None) or somebody()
        cells: dict[str, Any] = {
            "number": document.number,
            "name": "张示例",
            "item": self.items[0].code,
            "completed_on": DAY.isoformat(),
            "score": "86",
        } | changes
        return RawRow(
            number=number, values={name: cell for name, cell in cells.items() if cell is not None}
        )

    def rows(self, count: int, **changes: Any) -> list[RawRow]:
        return [self.row(number, **changes) for number in range(2, count + 2)]

    def prepare(self, *rows: RawRow, **changes: Any) -> Draft:
        facts: dict[str, Any] = {
            "institution": self.institution,
            "stream": self.stream,
            "rows": rows or [self.row()],
            "acting_user": self.clerk,
        } | changes
        return operations.prepare_draft(**facts)

    def submit(self, *rows: RawRow, **changes: Any) -> Draft:
        draft = self.prepare(*rows, **changes)
        return operations.submit_draft(draft=draft, acting_user=self.clerk)

    def record(self, *rows: RawRow) -> Receipt:
        """Walk rows the whole way: prepared, submitted, approved by the other person."""
        return operations.approve_draft(draft=self.submit(*rows), acting_user=self.reviewer)


def add_hosted_stream(institution: Institution) -> Stream:
    name = f"{institution.slug}.example/2026"
    stream = institutions.add_stream(
        institution=institution, name=name, mode="hosted", acting_user=None
    )
    key = signer().stream_key(name)
    add_key(stream=name, algorithm=key.algorithm, public=key.public, possession=key.possession)
    return stream


def make_school(*, courses: int = 2, **changes: Any) -> School:
    """Found a college with a hosted stream, a clerk, a reviewer and approved courses."""
    institution = make_institution(**changes)
    institutions.grant_scope(
        institution=institution, outcome_kind=OutcomeKind.COURSE, valid_from=date(2020, 1, 1)
    )
    return School(
        institution=institution,
        stream=add_hosted_stream(institution),
        clerk_member=make_member(institution, Role.CLERK, serial=next(_serial) + 900_000),
        reviewer_member=make_member(institution, Role.REVIEWER, serial=next(_serial) + 900_000),
        items=[approve(propose(institution)) for _ in range(courses)],
    )


KIND_FACTS: dict[str, dict[str, Any]] = {
    OutcomeKind.X_CERTIFICATE: {
        "standard": "智能网联汽车检测与运维职业技能等级标准",
        "standard_version": "2.0",
        "x_level": "中级",
    },
    OutcomeKind.SKILL_LEVEL: {"skill_level": "3"},
}


def add_item(school: School, kind: str, **changes: Any) -> CatalogueItem:
    """Give a school the scope for a kind of outcome, and an approved item of it."""
    if not queries.may_record(school.institution, kind, DAY):
        institutions.grant_scope(
            institution=school.institution, outcome_kind=kind, valid_from=date(2020, 1, 1)
        )
    owner = school.institution
    if kind == OutcomeKind.X_CERTIFICATE:
        owner = make_institution(kind=InstitutionKind.ASSESSMENT_ORGANISATION)
    facts = {"kind": kind, "category": "vocational"} | KIND_FACTS.get(kind, {}) | changes
    return approve(propose(owner, **facts))


# -- files ------------------------------------------------------------------------------------
def workbook(
    rows: Sequence[Sequence[Any]], headers: Sequence[str] = HEADERS, *, title: str = "成绩"
) -> bytes:
    """An .xlsx with a header row and rows, its texts stored as texts."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for line in [list(headers), *map(list, rows)]:
        sheet.append(line)
    return saved(book)


def saved(book: Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def text_table(
    rows: Sequence[Sequence[str]],
    headers: Sequence[str] = HEADERS,
    *,
    encoding: str = "utf-8",
    separator: str = ",",
) -> bytes:
    lines = [separator.join(headers), *(separator.join(row) for row in rows)]
    return "\r\n".join(lines).encode(encoding)


def line(document: IdentityDocument, item: str, **changes: str) -> list[str]:
    """A line of a file under HEADERS."""
    cells = {
        "number": document.number,
        "name": "张示例",
        "item": item,
        "completed_on": DAY.isoformat(),
        "score": "86",
        "grade": "",
        "term": "",
    } | changes
    return list(cells.values())


assert [columns.field_of(header) for header in HEADERS] == [
    "number",
    "name",
    "item",
    "completed_on",
    "score",
    "grade",
    "term",
]
