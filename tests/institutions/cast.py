"""Invented institutions, people and items that the tests of people and institutions share."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal
from typing import Any

from creditbank.institutions import operations, uscc
from creditbank.institutions.kinds import InstitutionKind, OutcomeKind, Role
from creditbank.institutions.models import CatalogueItem, Institution, Member
from creditbank.users.models import User

_serial = itertools.count(1)


def make_uscc(serial: int, *, region: str = "220100", head: str = "12") -> str:
    """Return a well-formed code; the organisation part begins with X, which no office assigned."""
    body = f"{head}{region}X{serial:08d}"
    return body + uscc.check_character(body)


def make_user(username: str = "", **fields: Any) -> User:
    """Make a user; without a password, since hashing one takes its time by design."""
    return User.objects.create_user(username or f"user-{next(_serial)}", **fields)


def person(serial: int) -> bytes:
    """Return what stands for a person's identity digest."""
    return serial.to_bytes(32, "big")


def make_institution(**changes: Any) -> Institution:
    serial = next(_serial)
    facts: dict[str, Any] = {
        "slug": f"school-{serial}",
        "name": f"示例职业技术学院{serial}",
        "name_en": f"Example Vocational College {serial}",
        "kind": InstitutionKind.VOCATIONAL_COLLEGE,
        "uscc": make_uscc(serial),
        "region": "220100",
    } | changes
    return operations.found_institution(**facts)


def make_member(
    institution: Institution, role: str = Role.CLERK, *, serial: int | None = None, **fields: Any
) -> Member:
    """Add a member; `serial` is the person's, who was seen with a document when it is given."""
    return operations.add_member(
        institution=institution,
        user=make_user(**fields),
        role=role,
        acting_user=None,
        person_digest=None if serial is None else person(serial),
    )


def propose(institution: Institution, **changes: Any) -> CatalogueItem:
    facts: dict[str, Any] = {
        "institution": institution,
        "code": f"ITEM-{next(_serial)}",
        "kind": OutcomeKind.COURSE,
        "title": "新能源汽车技术基础",
        "title_en": "Fundamentals of New-Energy Vehicles",
        "proposed_credits": Decimal("3.00"),
        "valid_from": date(2024, 1, 1),
        "level": 4,
        "category": "degree",
        "acting_user": None,
    } | changes
    return operations.propose_item(**facts)


def approve(item: CatalogueItem, **changes: Any) -> CatalogueItem:
    facts: dict[str, Any] = {
        "item": item,
        "approved_credits": item.proposed_credits,
        "acting_user": make_user(),
    } | changes
    return operations.approve_item(**facts)
