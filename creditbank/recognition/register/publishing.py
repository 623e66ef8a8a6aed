"""What can be done with versions of rules and programmes: prepare, change, file, publish, withdraw.

Two persons publish: who prepared a version never publishes it. A publication is
a decision first, then an entry of the ledger, then the row says so; if the
process dies in between, the outbox goes on a minute later, and the document's
digest is the idempotency key, so that it is entered once whoever does it. A
withdrawal goes the same way.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta
from typing import Any, ClassVar, Final, TypeVar

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from creditbank import access
from creditbank.clock import now, today
from creditbank.errors import DomainError
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import Role, StreamMode
from creditbank.institutions.models import Institution, Stream
from creditbank.institutions.texts import Problems
from creditbank.jobs.models import Outbox
from creditbank.ledger import guard, log
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from creditbank.ledger.statements import RulePublished, RuleWithdrawn
from creditbank.recognition.models import ProgrammeVersion, RuleVersion, VersionStatus
from creditbank.recognition.register import checking
from creditbank.recognition.register.checking import DocumentRefused
from creditbank.recognition.register.documents import (
    KINDS,
    PROGRAMMES,
    RULES,
    DocumentKind,
    kind_of,
)
from creditbank.securitylog import operations as security
from creditbank.users.models import User

__all__ = [
    "DocumentRefused",
    "change_draft",
    "file_programme",
    "file_rule",
    "finish",
    "prepare_programme",
    "prepare_rule",
    "publish_programme",
    "publish_rule",
    "withdraw_programme",
    "withdraw_rule",
]

logger = logging.getLogger(__name__)

V = TypeVar("V", RuleVersion, ProgrammeVersion)

FINISH: Final = "recognition.finish"
FINISH_AFTER: Final = timedelta(seconds=60)
REASON_MAX: Final = 200


class VersionExists(DomainError):
    """There is a draft of this version already, or another institution uses the code."""

    code: ClassVar[str] = "version-exists"


class VersionNotDraft(DomainError):
    """Only a draft can be changed or filed; the state is among the facts."""

    code: ClassVar[str] = "version-not-draft"


class VersionNotFiled(DomainError):
    """A version is filed before it is published; the state is among the facts."""

    code: ClassVar[str] = "version-not-filed"


class PublicationUnderway(DomainError):
    """The publication is decided, and its entry is on the way."""

    code: ClassVar[str] = "publication-underway"


class WithdrawalInvalid(DomainError):
    """A withdrawal says why, and takes nothing back that was promised for days gone by."""

    code: ClassVar[str] = "withdrawal-invalid"


# -- preparing --------------------------------------------------------------------------------
def prepare_rule(*, institution: Institution, document: object, acting_user: User) -> RuleVersion:
    """Keep a version of a rule as a draft, by a clerk of its owner.

    `document` is the bytes of JSON, canonical or not, or what was read of them
    already. Raises DocumentRefused with every
    problem that no draft may have (see `checking.prepared`), VersionExists,
    Forbidden, NotFound, InstitutionSuspended; then nothing is kept.
    """
    row: RuleVersion = _prepare(RULES, institution, document, acting_user)
    return row


def prepare_programme(
    *, institution: Institution, document: object, acting_user: User
) -> ProgrammeVersion:
    """Keep a version of a programme as a draft. Raises what `prepare_rule` raises."""
    row: ProgrammeVersion = _prepare(PROGRAMMES, institution, document, acting_user)
    return row


def _prepare(kind: DocumentKind, institution: Institution, data: object, user: User) -> Any:
    _clerk(institution, user)
    document = checking.prepared(kind, institution, data)
    try:
        with transaction.atomic():
            row = kind.model.objects.create(
                owner=institution, prepared_by=user, **_columns(document)
            )
    except IntegrityError as error:
        raise VersionExists(
            gettext("已有这个编码和版本号的草稿或规则。"),
            number=f"{document.code}/{document.version}",
        ) from error
    logger.info("%s %s/%s prepared by user %s", kind.name, row.code, row.version, user.pk)
    return row


def _columns(document: Any) -> dict[str, Any]:
    return {
        "code": document.code,
        "version": document.version,
        "document": document.canonical(),
        "digest": document.digest,
        "title": document.title,
        "title_en": document.title_en,
        "first_day": document.first_day,
        "last_day": document.last_day,
    }


def change_draft(*, version: V, document: object, acting_user: User) -> V:
    """Put another document into a draft, by whoever prepared it.

    Raises VersionNotDraft, Forbidden when it was prepared by somebody else (who
    can drop it, and prepare it anew), and what `prepare_rule` raises.
    """
    kind = kind_of(version)
    _clerk(version.owner, acting_user)
    if not access.same_person(version.prepared_by, acting_user):
        raise access.Forbidden(gettext("只有准备草稿的人可以修改它。"))
    read = checking.prepared(kind, version.owner, document)
    try:
        with transaction.atomic():
            held = _locked(version)
            if held.status != VersionStatus.DRAFT:
                raise _not_draft(held)
            for name, value in _columns(read).items():
                setattr(held, name, value)
            held.prepared_at = now()
            held.save()
    except IntegrityError as error:
        raise VersionExists(
            gettext("已有这个编码和版本号的草稿或规则。"), number=f"{read.code}/{read.version}"
        ) from error
    logger.info("%s %s/%s changed by user %s", kind.name, held.code, held.version, acting_user.pk)
    return held


# -- filing -----------------------------------------------------------------------------------
def file_rule(*, rule: RuleVersion, acting_user: User) -> RuleVersion:
    """File a draft (备案) by a clerk of its owner: the authority sees it, nobody changes it any more.

    Done twice, nothing changes. Raises DocumentRefused with every problem that
    stands in the way of its publication, VersionNotDraft, Forbidden, NotFound.
    """
    return _file(rule, acting_user)


def file_programme(*, programme: ProgrammeVersion, acting_user: User) -> ProgrammeVersion:
    """File a draft of a programme. As `file_rule`."""
    return _file(programme, acting_user)


def _file(version: V, user: User) -> V:
    _clerk(version.owner, user)
    with transaction.atomic():
        held = _locked(version)
        if held.status == VersionStatus.FILED:
            return held
        if held.status != VersionStatus.DRAFT:
            raise _not_draft(held)
        _refuse(checking.check(held))
        held.status = VersionStatus.FILED
        held.filed_by = user
        held.filed_at = now()
        held.save(update_fields=["status", "filed_by", "filed_at"])
    logger.info("%s %s/%s filed by user %s", kind_of(held).name, held.code, held.version, user.pk)
    return held


# -- publishing -------------------------------------------------------------------------------
def publish_rule(*, rule: RuleVersion, acting_user: User) -> RuleVersion:
    """Publish a filed version: enter it into the ledger for its owner, signed with the owner's key.

    By a reviewer of the owner or of the provincial authority, who is another
    person than the one who prepared it. Safe to repeat: one that is published
    is returned as it is, one whose publication broke off is finished. Raises
    DocumentRefused with every problem that is found now, VersionNotFiled,
    Forbidden, SamePerson, PersonUnknown, OwnKeyStream when the owner has no
    stream whose key the bank keeps, LedgerReadOnly; then nothing is published.
    """
    return _publish(rule, acting_user)


def publish_programme(*, programme: ProgrammeVersion, acting_user: User) -> ProgrammeVersion:
    """Publish a filed version of a programme. As `publish_rule`."""
    return _publish(programme, acting_user)


def _publish(version: V, user: User) -> V:
    _reviewer(version.owner, user)
    access.require_other_person(version.prepared_by, user)
    _hosted_stream(version.owner)
    # Before anything is decided: a publication that cannot be entered would only wait.
    guard.refuse_unguarded()
    with transaction.atomic():
        held = _locked(version)
        if held.is_published:
            return held
        if held.status != VersionStatus.FILED:
            raise VersionNotFiled(gettext("须先备案，才能公布。"), state=held.status)
        if not held.is_being_published:
            _refuse(checking.check(held))
            held.published_by = user
            held.save(update_fields=["published_by"])
            _make_sure(held)
    logger.info(
        "%s %s/%s: publication decided by user %s",
        kind_of(held).name,
        held.code,
        held.version,
        user.pk,
    )
    return _enter_publication(held)


def _enter_publication(version: V) -> V:
    """Enter a decided publication, once whoever asks, and let the row say so."""
    kind = kind_of(version)
    try:
        receipt = ledger.publish_document(
            stream=_hosted_stream(version.owner).name,
            statement=RulePublished(
                schema=kind.schema,
                owner=version.owner.uscc,
                code=version.code,
                version=version.version,
                digest=bytes(version.digest),
                first_day=version.first_day,
                last_day=version.last_day,
            ),
        )
    except (ledger.SubmissionRefused, log.KeyReused):
        # Not to be entered as it is: it waits for a decision again.
        kind.model.objects.filter(pk=version.pk, published_at__isnull=True).update(
            published_by=None
        )
        raise
    with transaction.atomic():
        held = _locked(version)
        if held.is_being_published:
            held.status = VersionStatus.PUBLISHED
            held.published_at = now()
            held.entry_index = receipt.index_of(0)
            held.save(update_fields=["status", "published_at", "entry_index"])
            _told(held, kind.published, held.published_by)
    logger.info("%s %s/%s published at %s", kind.name, held.code, held.version, held.entry_index)
    return held


# -- withdrawing ------------------------------------------------------------------------------
def withdraw_rule(
    *, rule: RuleVersion, reason: str, acting_user: User, on: date | None = None
) -> RuleVersion:
    """Take a version out of the register (撤回) from a day on, today unless given.

    A draft or a filed version is dropped, by a clerk of its owner; its number
    is free again. A published one by a reviewer of the owner or of the
    authority: what was decided under it stands, on `on` and after it nothing is
    decided under it any more, and an older version that covers the day is in
    force again. Done twice, nothing changes, and a withdrawal that broke off is
    finished. Raises WithdrawalInvalid for a missing reason or a day gone by,
    PublicationUnderway, Forbidden, NotFound.
    """
    return _withdraw(rule, reason, acting_user, on)


def withdraw_programme(
    *, programme: ProgrammeVersion, reason: str, acting_user: User, on: date | None = None
) -> ProgrammeVersion:
    """Take a version of a programme out of the register. As `withdraw_rule`."""
    return _withdraw(programme, reason, acting_user, on)


def _withdraw(version: V, reason: str, user: User, on: date | None) -> V:
    if version.is_published:
        _reviewer(version.owner, user)
        _hosted_stream(version.owner)
        guard.refuse_unguarded()
    else:
        _clerk(version.owner, user)
    day = on or today()
    with transaction.atomic():
        held = _locked(version)
        if held.status == VersionStatus.WITHDRAWN:
            return held
        if held.is_being_published:
            raise PublicationUnderway(gettext("正在公布，公布后才能撤回。"))
        if not held.is_being_withdrawn:
            held.withdrawal_reason = _reason(reason, day)
            held.withdrawn_by = user
            held.withdrawn_at = now()
            held.withdrawn_on = day
            if held.is_published:
                _make_sure(held)
            else:
                held.status = VersionStatus.WITHDRAWN
            held.save()
    logger.info(
        "%s %s/%s: withdrawal decided by user %s",
        kind_of(held).name,
        held.code,
        held.version,
        user.pk,
    )
    return _enter_withdrawal(held) if held.is_being_withdrawn else held


def _reason(reason: str, day: date) -> str:
    problems = Problems()
    text = problems.text("reason", reason, REASON_MAX)
    if problems.found:
        raise WithdrawalInvalid(problems.found[0].message, field="reason")
    if day < today():
        raise WithdrawalInvalid(
            gettext("不能从过去的日子起撤回。"),
            field="on",
            value=day.isoformat(),
            expected=f"≥ {today().isoformat()}",
        )
    return text


def _enter_withdrawal(version: V) -> V:
    """Enter a decided withdrawal, once whoever asks, and let the row say so."""
    kind = kind_of(version)
    assert version.entry_index is not None
    assert version.withdrawn_on is not None
    receipt = ledger.withdraw_document(
        stream=_hosted_stream(version.owner).name,
        statement=RuleWithdrawn(
            schema=kind.schema,
            owner=version.owner.uscc,
            code=version.code,
            version=version.version,
            leaf=entries.entry(version.entry_index).leaf_hash,
            reason=version.withdrawal_reason,
            on=version.withdrawn_on,
        ),
    )
    with transaction.atomic():
        held = _locked(version)
        if held.is_being_withdrawn:
            held.status = VersionStatus.WITHDRAWN
            held.withdrawal_index = receipt.index_of(0)
            held.save(update_fields=["status", "withdrawal_index"])
            _told(held, kind.withdrawn, held.withdrawn_by)
    logger.info("%s %s/%s withdrawn", kind.name, held.code, held.version)
    return held


# -- going on after a crash -------------------------------------------------------------------
def finish(kind: str, pk: int) -> None:
    """Enter what is decided and not entered yet; the outbox calls it, perhaps twice."""
    version = KINDS[kind].model.objects.select_related("owner").get(pk=pk)
    if version.is_being_published:
        _enter_publication(version)
    elif version.is_being_withdrawn:
        _enter_withdrawal(version)


def _make_sure(version: V) -> None:
    """Let the outbox go on in a minute, if this process does not."""
    at = now()
    Outbox.objects.create(
        handler=FINISH,
        ids=[kind_of(version).name, version.pk],
        due_at=at + FINISH_AFTER,
        created_at=at,
    )


# -- shared -----------------------------------------------------------------------------------
def _clerk(owner: Institution, user: User) -> None:
    """Demand a clerk of an active owner. Raises NotFound, Forbidden, InstitutionSuspended."""
    access.member_for(user, owner.slug, Role.CLERK)
    _active(owner)


def _reviewer(owner: Institution, user: User) -> None:
    """Demand a reviewer of an active owner, or of the authority. Raises NotFound, Forbidden."""
    member = institutions.membership(user, owner)
    if member is not None and member.may(Role.REVIEWER):
        access.member_for(user, owner.slug, Role.REVIEWER)
    else:
        try:
            access.authority_for(user, Role.REVIEWER)
        except access.NotFound:
            # Its own people hear that it is their role that does not suffice.
            access.member_for(user, owner.slug, Role.REVIEWER)
            raise
    _active(owner)


def _active(owner: Institution) -> None:
    if not owner.is_active:
        raise access.InstitutionSuspended(
            gettext("这家机构已暂停，不能处理规则。"), institution=owner.slug
        )


def _hosted_stream(owner: Institution) -> Stream:
    stream = institutions.recording_stream(owner, StreamMode.HOSTED)
    if stream is None:
        raise access.OwnKeyStream(
            gettext("规则须用学分银行代管的密钥签名公布，这家机构没有代管密钥的序列。"),
            institution=owner.slug,
        )
    return stream


def _locked(version: V) -> V:
    """Lock every version of the code, so that two publications see each other; return this one."""
    model = type(version)
    rows = (
        model._default_manager.select_for_update(of=("self",))
        .select_related("owner", "prepared_by", "published_by", "withdrawn_by")
        .filter(code=version.code)
        .order_by("pk")
    )
    held: V = next(row for row in rows if row.pk == version.pk)
    return held


def _refuse(checked: checking.Checked) -> None:
    if checked.problems:
        raise DocumentRefused(checked.problems, gettext("规则有问题，没有公布。"))


def _not_draft(version: V) -> VersionNotDraft:
    return VersionNotDraft(gettext("这个版本已不是草稿，不能再更改。"), state=version.status)


def _told(version: V, event: Any, user: User | None) -> None:
    """Tell the security log, last in the transaction of the change."""
    security.record(
        event,
        actor=user.pk if user is not None else None,
        institution=version.owner.slug,
        code=version.code,
        version=version.version,
        digest=bytes(version.digest).hex(),
    )
