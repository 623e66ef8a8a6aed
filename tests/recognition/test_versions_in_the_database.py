"""What the database itself keeps of versions, whoever writes to it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from creditbank.institutions.models import Institution
from creditbank.recognition.models import ProgrammeVersion, RuleVersion, Version
from creditbank.users.models import User
from tests.conftest import Database
from tests.institutions.cast import make_institution, make_user

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture(params=[RuleVersion, ProgrammeVersion])
def model(request: Any, db: Database) -> type[Version]:
    kind: type[Version] = request.param
    return kind


@pytest.fixture
def owner(db: Database) -> Institution:
    return make_institution()


@pytest.fixture
def two(db: Database) -> tuple[User, User]:
    return make_user(), make_user()


def written(owner: Institution, **changes: Any) -> bytes:
    said: dict[str, Any] = {
        "code": "R-017",
        "version": 1,
        "owner": owner.uscc,
        "title": "英语四级抵免大学英语",
        "title_en": "CET-4 for College English",
        "in_force": {"from": "2026-03-01"},
    } | changes
    return json.dumps(said, ensure_ascii=False, sort_keys=True).encode()


def draft(
    model: type[Version], owner: Institution, by: User, *, columns: Any = None, **changes: Any
) -> Version:
    """Write a draft; `changes` are the document's, `columns` those that differ from it."""
    document = written(owner, **changes)
    said = json.loads(document)
    days = said["in_force"]
    facts: dict[str, Any] = {
        "code": said["code"],
        "version": said["version"],
        "owner": owner,
        "document": document,
        "digest": hashlib.sha256(document).digest(),
        "title": said["title"],
        "title_en": said["title_en"],
        "first_day": days["from"],
        "last_day": days.get("until"),
        "prepared_by": by,
    } | (columns or {})
    return model.objects.create(**facts)  # type: ignore[attr-defined]


def change(row: Version, **columns: Any) -> None:
    """Change columns of a row; nothing is left of what the database refuses."""
    with transaction.atomic():
        type(row).objects.filter(pk=row.pk).update(**columns)  # type: ignore[attr-defined]


def file(row: Version) -> None:
    change(row, status="filed", filed_at=AT, filed_by=row.prepared_by)


def publish(row: Version, by: User, index: int) -> None:
    file(row)
    change(row, status="published", published_at=AT, published_by=by, entry_index=index)


def refused(by: str) -> Any:
    return pytest.raises(DatabaseError, match=by)


def test_columns_say_what_the_document_says(
    model: type[Version], owner: Institution, two: tuple[User, User]
) -> None:
    for columns in (
        {"code": "R-018"},
        {"version": 2},
        {"title": "别的名称"},
        {"title_en": "Another title"},
        {"first_day": "2026-03-02"},
        {"last_day": "2027-03-02"},
        {"owner": make_institution()},
    ):
        with refused("not what its document says"), transaction.atomic():
            draft(model, owner, two[0], columns=columns)
    with refused("digest_of_document"), transaction.atomic():
        draft(model, owner, two[0], columns={"digest": bytes(32)})
    assert draft(model, owner, two[0]).pk


def test_a_version_begins_as_a_draft(
    model: type[Version], owner: Institution, two: tuple[User, User]
) -> None:
    for status in ("filed", "published", "withdrawn"):
        with refused("begins as a draft"), transaction.atomic():
            draft(model, owner, two[0], columns={"status": status})


def test_what_is_filed_keeps_its_document(
    model: type[Version], owner: Institution, two: tuple[User, User]
) -> None:
    row = draft(model, owner, two[0])
    document = written(owner, basis="anything")
    change(row, document=document, digest=hashlib.sha256(document).digest())
    file(row)
    document = written(owner, basis="another")
    with refused("is frozen"):
        change(row, document=document, digest=hashlib.sha256(document).digest())
    with refused("does not become draft"):
        change(row, status="draft", filed_at=None, filed_by=None)


def test_who_prepared_a_version_does_not_publish_it(
    model: type[Version], owner: Institution, two: tuple[User, User]
) -> None:
    row = draft(model, owner, two[0])
    with refused("published_by_another"):
        publish(row, two[0], 7)


def test_a_version_is_published_whole_and_after_filing(
    model: type[Version], owner: Institution, two: tuple[User, User]
) -> None:
    row = draft(model, owner, two[0])
    whole = {"published_at": AT, "published_by": two[1], "entry_index": 7}
    with refused("does not become published"):
        change(row, status="published", **whole)
    file(row)
    for missing in whole:
        with refused("publication_is_whole"):
            change(row, status="published", **(whole | {missing: None}))
    change(row, status="published", **whole)


def test_a_published_version_is_frozen_but_for_its_withdrawal(
    model: type[Version], owner: Institution, two: tuple[User, User]
) -> None:
    row = draft(model, owner, two[0])
    publish(row, two[1], 7)
    for column, value in (
        ("entry_index", 8),
        ("published_at", datetime(2026, 3, 2, tzinfo=UTC)),
        ("filed_at", datetime(2026, 3, 2, tzinfo=UTC)),
        ("prepared_at", datetime(2026, 3, 2, tzinfo=UTC)),
    ):
        with refused("is frozen"):
            change(row, **{column: value})
    with refused("does not become filed"):
        change(row, status="filed")


def test_a_published_version_is_withdrawn_with_an_entry_of_its_own(
    model: type[Version], owner: Institution, two: tuple[User, User]
) -> None:
    row = draft(model, owner, two[0])
    publish(row, two[1], 7)
    decided = {
        "withdrawn_by": two[0],
        "withdrawn_at": AT,
        "withdrawn_on": date(2026, 4, 1),
        "withdrawal_reason": "文件已废止",
    }
    for missing in decided:
        with refused("withdrawal_is_whole|not-null"):
            change(row, **(decided | {missing: "" if missing == "withdrawal_reason" else None}))
    change(row, **decided)
    with refused("is frozen"):
        change(row, withdrawn_on=date(2026, 5, 1))
    for index in (None, 6):
        with refused("withdrawal_is_whole"):
            change(row, status="withdrawn", withdrawal_index=index)
    change(row, status="withdrawn", withdrawal_index=9)
    with refused("is frozen"):
        change(row, withdrawal_index=10)


def test_what_is_being_published_is_not_withdrawn(
    model: type[Version], owner: Institution, two: tuple[User, User]
) -> None:
    row = draft(model, owner, two[0])
    file(row)
    change(row, published_by=two[1])
    with refused("publication_is_whole"):
        change(
            row,
            status="withdrawn",
            withdrawn_by=two[0],
            withdrawn_at=AT,
            withdrawn_on=date(2026, 4, 1),
            withdrawal_reason="改期",
        )


def test_nothing_is_deleted(
    model: type[Version], owner: Institution, two: tuple[User, User], owner_url: str
) -> None:
    draft(model, owner, two[0])
    table = model._meta.db_table
    with refused("permission denied"), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table}")
    with psycopg.connect(owner_url, autocommit=True) as session:
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(psycopg.Error, match="append-only"):
                session.execute(statement.encode())


def test_a_newer_version_begins_later_and_has_the_same_owner(
    model: type[Version], owner: Institution, two: tuple[User, User]
) -> None:
    publish(draft(model, owner, two[0], version=3), two[1], 7)
    stranger = make_institution()
    for number, body, first in (
        (2, owner, "2026-09-01"),
        (4, owner, "2026-03-01"),
        (4, owner, "2026-02-28"),
        (4, stranger, "2026-09-01"),
    ):
        row = draft(model, body, two[0], version=number, in_force={"from": first})
        with refused("does not follow"):
            publish(row, two[1], 8)
        change(
            row,
            status="withdrawn",
            withdrawn_by=two[0],
            withdrawn_at=AT,
            withdrawn_on=date(2026, 4, 1),
            withdrawal_reason="改期",
        )
    row = draft(model, owner, two[0], version=4, in_force={"from": "2026-03-02"})
    publish(row, two[1], 8)


def test_a_dropped_draft_leaves_its_number_to_the_next(
    model: type[Version], owner: Institution, two: tuple[User, User]
) -> None:
    first = draft(model, owner, two[0])
    with refused("_once"), transaction.atomic():
        draft(model, owner, two[0])
    change(
        first,
        status="withdrawn",
        withdrawn_by=two[0],
        withdrawn_at=AT,
        withdrawn_on=date(2026, 4, 1),
        withdrawal_reason="改期",
    )
    second = draft(model, owner, two[0])
    publish(second, two[1], 7)
    with refused("_once"), transaction.atomic():
        draft(model, owner, two[0])
