"""What can be done with institutions, their scope, their members and their streams.

`acting_user` is who asks; None is the bank's own set-up. Whether that user may
is decided before, in `creditbank.access`; here stands what nobody may.
"""

from __future__ import annotations

import logging
import re
from datetime import date
from typing import ClassVar, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from creditbank.clock import now, today
from creditbank.errors import DomainError, Refusals
from creditbank.institutions import queries, uscc
from creditbank.institutions.catalogue import (
    approve_item,
    propose_item,
    propose_version,
    withdraw_item,
)
from creditbank.institutions.kinds import (
    InstitutionKind,
    InstitutionStatus,
    OutcomeKind,
    Role,
    StreamMode,
)
from creditbank.institutions.models import Institution, Member, RecordingScope, Stream
from creditbank.institutions.texts import Problems
from creditbank.securitylog import operations as security
from creditbank.securitylog.kinds import EventKind
from creditbank.users import persons
from creditbank.users.models import User
from creditbank.users.operations import bind_person

__all__ = [
    "add_member",
    "add_stream",
    "approve_item",
    "change_role",
    "close_stream",
    "end_member",
    "end_scope",
    "found_institution",
    "grant_scope",
    "propose_item",
    "propose_version",
    "resume_institution",
    "suspend_institution",
    "withdraw_item",
]

logger = logging.getLogger(__name__)

_SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_STREAM_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}(?:/[a-z0-9][a-z0-9.-]{0,40}){1,2}")


class InstitutionInvalid(Refusals):
    """An institution that cannot be founded: all problems at once."""

    code: ClassVar[str] = "institution-invalid"


class InstitutionExists(DomainError):
    """The slug or the unified social credit code belongs to another institution."""

    code: ClassVar[str] = "institution-exists"


class ScopeInvalid(DomainError):
    """The days of a scope are out of order, or overlap with one already granted."""

    code: ClassVar[str] = "scope-invalid"


class AlreadyMember(DomainError):
    """The user, or the same person under another sign-in, is a member already."""

    code: ClassVar[str] = "already-member"


class OwnRole(DomainError):
    """Nobody gives or changes their own role."""

    code: ClassVar[str] = "own-role"


class MembershipEnded(DomainError):
    """The membership has ended."""

    code: ClassVar[str] = "membership-ended"


class StreamInvalid(DomainError):
    """The stream's name is malformed or taken."""

    code: ClassVar[str] = "stream-invalid"


def _by(acting_user: User | None) -> str:
    return f"user {acting_user.pk}" if acting_user is not None else "set-up"


# -- institutions and scope -------------------------------------------------------------------
def found_institution(
    *,
    slug: str,
    name: str,
    name_en: str,
    kind: str,
    uscc: str,
    region: str,
    industry: str | None = None,
    name_ko: str = "",
    opened_on: date | None = None,
    acting_user: User | None = None,
) -> Institution:
    """Enter an institution into the register.

    `region` is a region code valid today, `industry` a code of the plan's list.
    Raises InstitutionInvalid with every problem, InstitutionExists.
    """
    problems = Problems()
    if _SLUG.fullmatch(slug) is None:
        problems.add(
            "slug-invalid",
            "slug",
            gettext("网址名只能用小写字母、数字和连字符，最长 40 个字符。"),
            value=slug,
        )
    name = problems.text("name", name, 100)
    name_en = problems.text("name_en", name_en, 200)
    name_ko = problems.text("name_ko", name_ko, 100, required=False)
    if kind not in InstitutionKind.values:
        problems.add(
            "institution-kind-unknown",
            "kind",
            gettext("没有这种机构类型。"),
            value=kind,
            expected=", ".join(InstitutionKind.values),
        )
    code = _checked_uscc(problems, uscc)
    place = line = None
    try:
        place = queries.region(region, today())
    except queries.UnknownItem:
        problems.add("region-unknown", "region", gettext("没有这个地区代码。"), value=region)
    if industry is not None:
        try:
            line = queries.industry(industry)
        except queries.UnknownItem:
            problems.add(
                "industry-unknown", "industry", gettext("没有这个产业代码。"), value=industry
            )
    if problems.found or place is None:
        raise InstitutionInvalid(problems.found)
    try:
        with transaction.atomic():
            institution = Institution.objects.create(
                slug=slug,
                name=name,
                name_en=name_en,
                name_ko=name_ko,
                kind=kind,
                uscc=code,
                region=place,
                industry=line,
                opened_on=opened_on or today(),
            )
    except IntegrityError as error:
        raise InstitutionExists(
            gettext("已有机构使用这个网址名或统一社会信用代码。"), slug=slug, uscc=code
        ) from error
    logger.info("institution founded: %s by %s", slug, _by(acting_user))
    return institution


def _checked_uscc(problems: Problems, text: str) -> str:
    try:
        return uscc.parse(text)
    except uscc.UsccInvalid as error:
        problems.add(
            f"uscc-{error.facts['reason']}",
            "uscc",
            error.message,
            value=error.facts["found"],
            expected=error.facts["expected"],
        )
        return ""


def suspend_institution(*, institution: Institution, acting_user: User | None) -> None:
    """Stop an institution from recording, from now on. Done twice, nothing changes."""
    _set_status(institution, InstitutionStatus.SUSPENDED, acting_user)


def resume_institution(*, institution: Institution, acting_user: User | None) -> None:
    """Let a suspended institution record again. Done twice, nothing changes."""
    _set_status(institution, InstitutionStatus.ACTIVE, acting_user)


def _set_status(
    institution: Institution, status: InstitutionStatus, acting_user: User | None
) -> None:
    institution.status = status
    institution.save(update_fields=["status"])
    logger.info("institution %s: %s by %s", status, institution.slug, _by(acting_user))


def grant_scope(
    *,
    institution: Institution,
    outcome_kind: str,
    valid_from: date,
    valid_until: date | None = None,
    acting_user: User | None = None,
) -> RecordingScope:
    """Let an institution record a kind of outcome completed from one day to another.

    Both days are included; without a last day it holds until it is ended.
    Raises ScopeInvalid for days out of order or overlapping a scope granted before.
    """
    if outcome_kind not in OutcomeKind.values:
        raise ScopeInvalid(gettext("没有这种成果类型。"), outcome_kind=outcome_kind)
    if valid_until is not None and valid_until < valid_from:
        raise ScopeInvalid(
            gettext("失效日不得早于生效日。"),
            valid_from=valid_from.isoformat(),
            valid_until=valid_until.isoformat(),
        )
    try:
        with transaction.atomic():
            scope = RecordingScope.objects.create(
                institution=institution,
                outcome_kind=outcome_kind,
                valid_from=valid_from,
                valid_until=valid_until,
            )
    except IntegrityError as error:
        raise ScopeInvalid(
            gettext("与已授予的记录范围在日期上重叠。"), outcome_kind=outcome_kind
        ) from error
    logger.info("scope granted: %s %s by %s", institution.slug, outcome_kind, _by(acting_user))
    return scope


def end_scope(*, scope: RecordingScope, last_day: date, acting_user: User | None) -> None:
    """Let a scope end with a last day. Raises ScopeInvalid for a day before its first."""
    if last_day < scope.valid_from:
        raise ScopeInvalid(
            gettext("失效日不得早于生效日。"),
            valid_from=scope.valid_from.isoformat(),
            valid_until=last_day.isoformat(),
        )
    scope.valid_until = last_day
    scope.save(update_fields=["valid_until"])
    logger.info("scope %s ends %s by %s", scope.pk, last_day.isoformat(), _by(acting_user))


# -- members ----------------------------------------------------------------------------------
def add_member(
    *,
    institution: Institution,
    user: User,
    role: str,
    acting_user: User | None,
    person_digest: bytes | None = None,
) -> Member:
    """Let a user act for an institution in a role.

    `person_digest` is the keyed digest of the identity document that was seen
    (`learners.sealing.identity_digest`). Without it the member can read and
    prepare, but no approval counts in which the member takes part, since two
    sign-ins might be one person. Raises OwnRole, AlreadyMember, and
    PersonMismatch when the user is bound to another identity.
    """
    wanted = Role(role)
    with transaction.atomic():
        # The institution's row is locked, so that two additions see each other.
        Institution.objects.select_for_update().get(pk=institution.pk)
        if person_digest is not None:
            bind_person(user=user, digest=person_digest)
        _refuse_own_role(user, acting_user)
        for other in queries.members(institution):
            if persons.are_one(other.user, user):
                raise AlreadyMember(
                    gettext("这个人已经是本机构的成员。"),
                    institution=institution.slug,
                    role=other.role,
                )
        member = Member.objects.create(institution=institution, user=user, role=wanted)
        User.objects.filter(pk=user.pk).update(is_staff=True)
        _told(EventKind.MEMBER_ADDED, member, acting_user)
    user.is_staff = True
    logger.info(
        "member added: %s %s %s by %s",
        institution.slug,
        member.pseudonym,
        wanted.value,
        _by(acting_user),
    )
    return member


def change_role(*, member: Member, role: str, acting_user: User | None) -> Member:
    """Give a member another role: the membership ends and a new one begins.

    The old row says for ever which role its pseudonym acted in. Raises OwnRole,
    MembershipEnded.
    """
    wanted = Role(role)
    _refuse_own_role(member.user, acting_user)
    with transaction.atomic():
        held = _held(member)
        if held.role == wanted:
            return held
        held.ended_at = now()
        held.save(update_fields=["ended_at"])
        successor = Member.objects.create(institution=held.institution, user=held.user, role=wanted)
        _told(EventKind.ROLE_CHANGED, successor, acting_user)
    member.ended_at = held.ended_at
    logger.info(
        "role changed: %s -> %s %s by %s",
        member.pseudonym,
        successor.pseudonym,
        wanted.value,
        _by(acting_user),
    )
    return successor


def end_member(*, member: Member, acting_user: User | None) -> None:
    """End a membership; its rights are gone with the next page. Done twice, nothing changes."""
    with transaction.atomic():
        ended = Member.objects.filter(pk=member.pk, ended_at__isnull=True).update(ended_at=now())
        if not Member.objects.filter(user_id=member.user_id, ended_at__isnull=True).exists():
            User.objects.filter(pk=member.user_id).update(is_staff=False)
        if ended:
            _told(EventKind.MEMBER_ENDED, member, acting_user)
    member.refresh_from_db()
    logger.info("member ended: %s by %s", member.pseudonym, _by(acting_user))


def _told(kind: EventKind, member: Member, acting_user: User | None) -> None:
    """Tell the security log, last in the transaction of the change."""
    security.record(
        kind,
        actor=acting_user.pk if acting_user is not None else None,
        user=member.user_id,
        institution=member.institution.slug,
        role=str(member.role),
    )


def _held(member: Member) -> Member:
    held = (
        Member.objects.select_for_update(of=("self",))
        .select_related("institution", "user")
        .get(pk=member.pk)
    )
    if held.ended_at is not None:
        raise MembershipEnded(gettext("这个人已不是本机构的成员。"), pseudonym=held.pseudonym)
    return held


def _refuse_own_role(user: User, acting_user: User | None) -> None:
    if acting_user is not None and persons.are_one(acting_user, user):
        raise OwnRole(gettext("不能给自己授予或更改角色，请由另一位管理员操作。"))


# -- streams ----------------------------------------------------------------------------------
def add_stream(
    *, institution: Institution, name: str, mode: str, acting_user: User | None
) -> Stream:
    """Open a numbered series for an institution.

    Its keys follow: the ledger enters each with proof of possession, hosted ones
    held by the signer, own ones held by the institution. Done twice with the
    same facts, the stream of the first time is returned. Raises StreamInvalid.
    """
    if _STREAM_NAME.fullmatch(name) is None or mode not in StreamMode.values:
        raise StreamInvalid(
            gettext("序列名须形如 域名/名称，只用小写字母、数字、点和连字符。"),
            stream=name,
            mode=mode,
        )
    stream, created = Stream.objects.get_or_create(
        name=name, defaults={"institution": institution, "mode": mode}
    )
    if not created and (stream.institution_id, stream.mode) != (institution.pk, mode):
        raise StreamInvalid(gettext("已有同名的序列。"), stream=name)
    if created:
        logger.info("stream opened: %s %s by %s", name, mode, _by(acting_user))
    return stream


def close_stream(*, stream: Stream, acting_user: User | None) -> None:
    """Let a stream take no more submissions. Done twice, nothing changes."""
    stream.active = False
    stream.save(update_fields=["active"])
    logger.info("stream closed: %s by %s", stream.name, _by(acting_user))
