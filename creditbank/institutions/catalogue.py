"""What can be done with the outcome catalogue: propose, approve, propose anew, withdraw."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from creditbank.clock import now, today
from creditbank.errors import DomainError, Refusals
from creditbank.institutions import queries, uscc
from creditbank.institutions.kinds import (
    Category,
    InstitutionKind,
    ItemStatus,
    OutcomeKind,
    SkillLevel,
    XLevel,
)
from creditbank.institutions.models import CatalogueItem, Institution, Level
from creditbank.institutions.texts import Problems
from creditbank.users import persons
from creditbank.users.models import User

logger = logging.getLogger(__name__)

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,39}")
_FIELD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_HOURS_MAX: Final = Decimal(10000)
_TENTH: Final = Decimal("0.1")


class CatalogueItemInvalid(Refusals):
    """A proposal or decision that cannot stand: all problems at once."""

    code: ClassVar[str] = "catalogue-item-invalid"


class ItemCodeTaken(DomainError):
    """The catalogue already has an item of this code."""

    code: ClassVar[str] = "item-code-taken"


class ItemNotProposed(DomainError):
    """The version is not waiting for a decision."""

    code: ClassVar[str] = "item-not-proposed"


class ItemWithdrawn(DomainError):
    """The version was withdrawn already."""

    code: ClassVar[str] = "item-withdrawn"


class NotOwnItem(DomainError):
    """The item belongs to another institution."""

    code: ClassVar[str] = "not-own-item"


class OverlappingValidity(DomainError):
    """Two approved versions of one item would be in force on one day."""

    code: ClassVar[str] = "overlapping-validity"


class OwnProposal(DomainError):
    """Who proposed a version does not approve it."""

    code: ClassVar[str] = "own-proposal"


@dataclass(frozen=True, kw_only=True)
class ItemContent:
    """What an institution says of an item: everything but its number, owner and state.

    `level` is a level number of the framework in force when it is proposed or
    approved. Without `body_uscc` the proposing institution is the awarding body.
    """

    kind: str
    title: str
    title_en: str
    proposed_credits: Decimal
    valid_from: date
    valid_until: date | None = None
    level: int | None = None
    category: str = ""
    body_uscc: str = ""
    body_name: str = ""
    hours: Decimal | None = None
    standard: str = ""
    standard_version: str = ""
    x_level: str = ""
    skill_level: str = ""
    fields: Sequence[str] = ()


def propose_item(
    *,
    institution: Institution,
    code: str,
    kind: str,
    title: str,
    title_en: str,
    proposed_credits: Decimal,
    valid_from: date,
    valid_until: date | None = None,
    level: int | None = None,
    category: str = "",
    body_uscc: str = "",
    body_name: str = "",
    hours: Decimal | None = None,
    standard: str = "",
    standard_version: str = "",
    x_level: str = "",
    skill_level: str = "",
    fields: Sequence[str] = (),
    acting_user: User | None,
) -> CatalogueItem:
    """Propose a new item of the catalogue, as version 1. It cannot be recorded before approval.

    See ItemContent for the members. Raises CatalogueItemInvalid with every
    problem, and ItemCodeTaken.
    """
    content = ItemContent(
        kind=kind,
        title=title,
        title_en=title_en,
        proposed_credits=proposed_credits,
        valid_from=valid_from,
        valid_until=valid_until,
        level=level,
        category=category,
        body_uscc=body_uscc,
        body_name=body_name,
        hours=hours,
        standard=standard,
        standard_version=standard_version,
        x_level=x_level,
        skill_level=skill_level,
        fields=fields,
    )
    problems = Problems()
    if _CODE.fullmatch(code) is None:
        problems.add(
            "item-code-invalid",
            "code",
            gettext("编码须为 2 至 40 个字母、数字、点、连字符或下划线。"),
            value=code,
        )
    columns = _columns(problems, content, institution)
    try:
        with transaction.atomic():
            item = CatalogueItem.objects.create(
                code=code, version=1, institution=institution, proposed_by=acting_user, **columns
            )
    except IntegrityError as error:
        raise ItemCodeTaken(gettext("名录中已有这个编码。"), code=code) from error
    logger.info("item proposed: %s v1 by %s", code, institution.slug)
    return item


def propose_version(
    *,
    item: CatalogueItem,
    institution: Institution,
    valid_from: date,
    acting_user: User | None,
    **changes: Any,
) -> CatalogueItem:
    """Propose the next version of an item: as it stands, but for the changes.

    `changes` are members of ItemContent; `valid_until` is open unless given.
    Kind and awarding body never change: another kind is another item. Raises
    NotOwnItem, CatalogueItemInvalid.
    """
    if item.institution_id != institution.pk:
        raise NotOwnItem(gettext("这个名录项目属于另一家机构。"), code=item.code)
    fixed = {"kind", "body_uscc", "body_name"} & changes.keys()
    problems = Problems()
    for name in sorted(fixed):
        problems.add("item-member-fixed", name, gettext("新版本不能更改此项，请另立项目。"))
    with transaction.atomic():
        versions = list(
            CatalogueItem.objects.select_for_update().filter(code=item.code).order_by("version")
        )
        open_ended = replace(_content_of(item), valid_from=valid_from, valid_until=None)
        content = replace(
            open_ended, **{name: value for name, value in changes.items() if name not in fixed}
        )
        columns = _columns(problems, content, institution)
        fresh = CatalogueItem.objects.create(
            code=item.code,
            version=versions[-1].version + 1,
            institution=institution,
            proposed_by=acting_user,
            **columns,
        )
    logger.info("item proposed: %s v%s by %s", item.code, fresh.version, institution.slug)
    return fresh


def approve_item(
    *,
    item: CatalogueItem,
    approved_credits: Decimal,
    acting_user: User,
    level: int | None = None,
    category: str = "",
) -> CatalogueItem:
    """Approve a proposed version with its bank credits, level and category.

    Level and category are the proposed ones unless given. An earlier version
    that has no last day ends on the day before this one begins; any other
    overlap is refused. Raises OwnProposal, ItemNotProposed,
    OverlappingValidity, CatalogueItemInvalid.
    """
    with transaction.atomic():
        versions = list(
            CatalogueItem.objects.select_for_update(of=("self",))
            .select_related("qualification_level__framework", "proposed_by")
            .filter(code=item.code)
            .order_by("version")
        )
        held = next(row for row in versions if row.pk == item.pk)
        _refuse_own_proposal(held, acting_user)
        if held.status != ItemStatus.PROPOSED:
            raise ItemNotProposed(
                gettext("这个版本不在待核定状态。"), code=held.code, status=held.status
            )
        problems = Problems()
        problems.credits("approved_credits", approved_credits)
        held.qualification_level = _level(problems, level, default=held.qualification_level)
        held.category = _category(problems, category or held.category)
        if held.qualification_level is None:
            problems.add("level-missing", "level", gettext("核定时须写明资历等级。"))
        if not held.category:
            problems.add("category-missing", "category", gettext("核定时须写明类别。"))
        if problems.found:
            raise CatalogueItemInvalid(problems.found)
        _make_room(held, [row for row in versions if row.is_in_catalogue])
        held.approved_credits = approved_credits
        held.status = ItemStatus.APPROVED
        held.approved_at = now()
        held.approved_by = acting_user
        held.save()
    logger.info("item approved: %s v%s by user %s", held.code, held.version, acting_user.pk)
    return queries.item(held.code, held.version)


def withdraw_item(
    *, item: CatalogueItem, on: date, reason: str, acting_user: User | None
) -> CatalogueItem:
    """Take a version out of the catalogue (退出) from a day on; a proposal is dropped.

    What was completed before that day can still be recorded; what was recorded
    stays. A day before the version's first means that it was never in force.
    Raises ItemWithdrawn, CatalogueItemInvalid for a missing reason.
    """
    problems = Problems()
    reason = problems.text("reason", reason, 200)
    if problems.found:
        raise CatalogueItemInvalid(problems.found)
    with transaction.atomic():
        held = CatalogueItem.objects.select_for_update().get(pk=item.pk)
        if held.status == ItemStatus.WITHDRAWN:
            raise ItemWithdrawn(gettext("这个版本已退出名录。"), code=held.code)
        held.status = ItemStatus.WITHDRAWN
        held.withdrawn_on = max(on, held.valid_from)
        held.withdrawal_reason = reason
        held.save(update_fields=["status", "withdrawn_on", "withdrawal_reason"])
    by = f"user {acting_user.pk}" if acting_user is not None else "set-up"
    logger.info("item withdrawn: %s v%s by %s", held.code, held.version, by)
    return queries.item(held.code, held.version)


def _content_of(item: CatalogueItem) -> ItemContent:
    return ItemContent(
        kind=item.kind,
        title=item.title,
        title_en=item.title_en,
        proposed_credits=item.proposed_credits,
        valid_from=item.valid_from,
        valid_until=item.valid_until,
        level=item.qualification_level.number if item.qualification_level else None,
        category=item.category,
        body_uscc=item.body_uscc,
        body_name=item.body_name,
        hours=item.hours,
        standard=item.standard,
        standard_version=item.standard_version,
        x_level=item.x_level,
        skill_level=item.skill_level,
        fields=tuple(item.fields),
    )


def _columns(problems: Problems, content: ItemContent, institution: Institution) -> dict[str, Any]:
    """Check an item's content and return the columns it fills. Raises CatalogueItemInvalid."""
    if content.kind not in OutcomeKind.values:
        problems.add(
            "outcome-kind-unknown",
            "kind",
            gettext("没有这种成果类型。"),
            value=content.kind,
            expected=", ".join(OutcomeKind.values),
        )
    columns: dict[str, Any] = {
        "kind": content.kind,
        "title": problems.text("title", content.title, 120),
        "title_en": problems.text("title_en", content.title_en, 200),
        "proposed_credits": content.proposed_credits,
        "qualification_level": _level(problems, content.level),
        "category": _category(problems, content.category),
        "standard": problems.text("standard", content.standard, 120, required=False),
        "standard_version": problems.text(
            "standard_version", content.standard_version, 40, required=False
        ),
        "x_level": content.x_level,
        "skill_level": content.skill_level,
        "fields": sorted(set(content.fields)),
        "hours": content.hours,
        "valid_from": content.valid_from,
        "valid_until": content.valid_until,
    }
    problems.credits("proposed_credits", content.proposed_credits)
    problems.days(content.valid_from, content.valid_until)
    _check_hours(problems, content.hours)
    _check_certificate(problems, content)
    _check_fields(problems, content.fields)
    columns |= _body(problems, content, institution)
    if problems.found:
        raise CatalogueItemInvalid(problems.found)
    return columns


def _check_hours(problems: Problems, hours: Decimal | None) -> None:
    if hours is None:
        return
    if not hours.is_finite() or not 0 < hours <= _HOURS_MAX:
        problems.add(
            "hours-out-of-range",
            "hours",
            gettext("学时须大于 0，且不超过 10000。"),
            value=hours,
            expected=f"0 – {_HOURS_MAX}",
        )
    elif hours != hours.quantize(_TENTH):
        problems.add("hours-not-tenths", "hours", gettext("学时最多保留一位小数。"), value=hours)


def _check_certificate(problems: Problems, content: ItemContent) -> None:
    """Check the levels: 初级/中级/高级 for X certificates, 五级 to 一级 for the other family."""
    is_x = content.kind == OutcomeKind.X_CERTIFICATE
    is_skill = content.kind == OutcomeKind.SKILL_LEVEL
    if is_x:
        for name in ("standard", "standard_version"):
            if not getattr(content, name).strip():
                problems.add(
                    "standard-missing", name, gettext("X 证书须写明职业技能等级标准及其版本。")
                )
    if content.x_level not in (XLevel.values if is_x else [""]):
        problems.add(
            "x-level-invalid",
            "x_level",
            gettext("X 证书的等级为初级、中级或高级，其他成果不填此项。"),
            value=content.x_level,
            expected=", ".join(XLevel.values) if is_x else "",
        )
    if content.skill_level not in (SkillLevel.values if is_skill else [""]):
        problems.add(
            "skill-level-invalid",
            "skill_level",
            gettext("人社职业技能等级证书的等级为五级至一级，其他成果不填此项。"),
            value=content.skill_level,
            expected=", ".join(SkillLevel.values) if is_skill else "",
        )


def _check_fields(problems: Problems, fields: Sequence[str]) -> None:
    for code in fields:
        if _FIELD.fullmatch(code) is None:
            problems.add(
                "field-invalid",
                "fields",
                gettext("专业类别须为 1 至 40 个字母、数字、点、连字符或下划线。"),
                value=code,
            )


def _body(problems: Problems, content: ItemContent, institution: Institution) -> dict[str, str]:
    """Check the awarding body; one that the bank knows is called by its registered name."""
    if not content.body_uscc:
        known: Institution | None = institution
        code = institution.uscc
    else:
        try:
            code = uscc.parse(content.body_uscc)
        except uscc.UsccInvalid as error:
            problems.add(
                f"uscc-{error.facts['reason']}",
                "body_uscc",
                error.message,
                value=error.facts["found"],
                expected=error.facts["expected"],
            )
            return {}
        known = queries.institution_by_uscc(code)
    if known is None:
        return {
            "body_uscc": code,
            "body_name": problems.text("body_name", content.body_name, 100),
        }
    if (
        content.kind == OutcomeKind.X_CERTIFICATE
        and known.kind != InstitutionKind.ASSESSMENT_ORGANISATION
    ):
        problems.add(
            "body-not-assessment-organisation",
            "body_uscc",
            gettext("X 证书须由职业教育培训评价组织授予。"),
            value=known.name,
            expected=InstitutionKind.ASSESSMENT_ORGANISATION.value,
        )
    return {"body_uscc": code, "body_name": known.name}


def _level(problems: Problems, number: int | None, *, default: Level | None = None) -> Level | None:
    if number is None:
        return default
    try:
        return queries.level(number, today())
    except queries.UnknownItem:
        problems.add("level-unknown", "level", gettext("资历框架没有这个等级。"), value=number)
        return default


def _category(problems: Problems, category: str) -> str:
    if category and category not in Category.values:
        problems.add(
            "category-unknown",
            "category",
            gettext("没有这个类别。"),
            value=category,
            expected=", ".join(Category.values),
        )
    return category


def _refuse_own_proposal(item: CatalogueItem, acting_user: User) -> None:
    if item.proposed_by is not None and persons.are_one(item.proposed_by, acting_user):
        raise OwnProposal(gettext("提出名录项目的人不能核定它。"), code=item.code)


def _make_room(item: CatalogueItem, approved: list[CatalogueItem]) -> None:
    """End the open version before this one, and refuse any overlap that is left.

    The database refuses it too (`item_versions_apart`).
    """
    for other in approved:
        is_open = other.valid_until is None and other.withdrawn_on is None
        if is_open and other.valid_from < item.valid_from:
            other.valid_until = item.valid_from - timedelta(days=1)
            other.save(update_fields=["valid_until"])
        last = other.valid_until or date.max
        if other.withdrawn_on is not None:
            last = min(last, other.withdrawn_on - timedelta(days=1))
        if other.valid_from <= (item.valid_until or date.max) and item.valid_from <= last:
            raise OverlappingValidity(
                gettext("与已核定的版本在日期上重叠。"),
                code=item.code,
                version=other.version,
                valid_from=other.valid_from.isoformat(),
                valid_until=last.isoformat(),
            )
