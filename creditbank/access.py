"""Who may touch what: one function for each object and purpose.

Portals and API both start here and get an object in no other way. What is not
yours is not found; what is yours but not for your role is forbidden. Every path
on which somebody acts for an institution demands the second factor, unless the
settings of a demonstration say otherwise.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext

from creditbank.clock import today
from creditbank.errors import DomainError
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import InstitutionKind, OutcomeKind, Role, StreamMode
from creditbank.institutions.models import CatalogueItem, Institution, Member, Stream
from creditbank.ledger import queries as ledger
from creditbank.ledger.queries import EntryView
from creditbank.securitylog import operations as security
from creditbank.securitylog.kinds import EventKind
from creditbank.users import persons
from creditbank.users.models import User
from learners import queries as learners
from learners.identity import IdentityDocument
from learners.models import Learner


class NotFound(DomainError):
    """There is no such thing, or none that this user may know of."""

    code: ClassVar[str] = "not-found"


class Forbidden(DomainError):
    """The thing is the user's to see, but not to act on in this way."""

    code: ClassVar[str] = "forbidden"


class SecondFactorRequired(Forbidden):
    """Whoever acts for an institution signs in with a second factor."""

    code: ClassVar[str] = "second-factor-required"


class InstitutionSuspended(Forbidden):
    """The institution may not record at present."""

    code: ClassVar[str] = "institution-suspended"


class OutsideScope(Forbidden):
    """The institution may not record this kind of outcome at present."""

    code: ClassVar[str] = "outside-scope"


class OwnKeyStream(Forbidden):
    """An institution that keeps its own key records by signed submissions alone."""

    code: ClassVar[str] = "own-key-stream"


class SamePerson(Forbidden):
    """Four eyes are needed, and these are two."""

    code: ClassVar[str] = "same-person"


class PersonUnknown(Forbidden):
    """Nobody has seen an identity document for this user, so four eyes cannot be counted."""

    code: ClassVar[str] = "person-unknown"


class OwnAward(Forbidden):
    """Nobody awards credits to themselves."""

    code: ClassVar[str] = "own-award"


Visitor = User | AnonymousUser


# -- for an institution -----------------------------------------------------------------------
def member_for(user: Visitor, slug: str, role: str = Role.VIEWER) -> Member:
    """Return the user's membership of an institution, if it includes a role.

    Raises NotFound to those who are no members, SecondFactorRequired, Forbidden.
    """
    member = _member(user, slug)
    if not member.may(Role(role)):
        raise Forbidden(
            gettext("您的角色不能做这件事。"), role=member.role, expected=Role(role).value
        )
    return member


def institution_for(user: Visitor, slug: str, role: str = Role.VIEWER) -> Institution:
    """Return an institution that the user acts for in a role. Raises as `member_for`."""
    return member_for(user, slug, role).institution


def authority_for(user: Visitor, role: str = Role.VIEWER) -> Member:
    """Return the user's membership of the provincial authority, if it includes a role.

    Raises NotFound, SecondFactorRequired, Forbidden.
    """
    for member in _memberships(user):
        if member.institution.kind == InstitutionKind.PROVINCIAL_AUTHORITY:
            return member_for(user, member.institution.slug, role)
    raise NotFound


def stream_for_recording(
    user: Visitor, institution: Institution, outcome_kinds: Collection[str]
) -> Stream:
    """Return the hosted stream into which a clerk may record these kinds of outcomes today.

    What each outcome's day of completion allows is checked when it is recorded.
    Raises as `member_for`, InstitutionSuspended, OutsideScope with the kinds,
    OwnKeyStream when the institution has no hosted stream.
    """
    found = institution_for(user, institution.slug, Role.CLERK)
    if not found.is_active:
        raise InstitutionSuspended(gettext("贵机构的记录权限已暂停。"), institution=found.slug)
    outside = sorted(
        OutcomeKind(kind).value
        for kind in outcome_kinds
        if not institutions.may_record(found, kind, today())
    )
    if outside:
        raise OutsideScope(gettext("贵机构目前不能记录这类成果。"), outcome_kinds=outside)
    stream = institutions.recording_stream(found, StreamMode.HOSTED)
    if stream is None:
        raise OwnKeyStream(
            gettext("贵机构自持密钥，请用签名报送，不能使用表单和上传。"), institution=found.slug
        )
    return stream


def approver_for(user: Visitor, institution: Institution, prepared_by: User) -> Member:
    """Return the membership under which a user may approve what another person prepared.

    Raises as `member_for`, SamePerson, PersonUnknown.
    """
    member = member_for(user, institution.slug, Role.REVIEWER)
    require_other_person(prepared_by, member.user)
    return member


def item_for_proposal(user: Visitor, slug: str, code: str, version: int) -> CatalogueItem:
    """Return an institution's own catalogue item, for a clerk who proposes a change to it.

    Raises as `member_for`; NotFound for another institution's item.
    """
    institution = institution_for(user, slug, Role.CLERK)
    try:
        item = institutions.item(code, version)
    except institutions.UnknownItem as error:
        raise NotFound from error
    if item.institution_id != institution.pk:
        raise NotFound
    return item


def item_for_decision(user: Visitor, code: str, version: int) -> CatalogueItem:
    """Return a catalogue item for a reviewer of the authority. Raises as `authority_for`."""
    authority_for(user, Role.REVIEWER)
    try:
        return institutions.item(code, version)
    except institutions.UnknownItem as error:
        raise NotFound from error


def learner_to_hand_code(user: Visitor, slug: str, document: IdentityDocument) -> Learner:
    """Return the learner for whom a clerk, who has the document in hand, issues a claim code.

    Raises as `member_for`; NotFound for an identity that the bank never saw, and
    OwnAward for the clerk's own: that code comes from a colleague.
    """
    return _learner_at_desk(user, slug, document)


def learner_to_promise(user: Visitor, slug: str, document: IdentityDocument) -> Learner:
    """Return the learner for whom a clerk, who has the document in hand, prepares a pre-approval.

    Raises as `member_for`; NotFound for an identity that the bank never saw, OwnAward.
    """
    return _learner_at_desk(user, slug, document)


def _learner_at_desk(user: Visitor, slug: str, document: IdentityDocument) -> Learner:
    member = member_for(user, slug, Role.CLERK)
    learner = learners.by_identity(document)
    if learner is None:
        raise NotFound(gettext("学分银行没有这个证件号码的记录。"))
    refuse_own_award(member.user, learner)
    return learner


# -- for oneself ------------------------------------------------------------------------------
def learner_for(user: Visitor) -> Learner:
    """Return the learner that the user is. Raises NotFound for one who has claimed no account."""
    learner = learners.learner_of(_signed_in(user))
    if learner is None:
        raise NotFound(gettext("您还没有认领学分账户。"))
    return learner


def entry_for_learner(user: Visitor, index: int) -> EntryView:
    """Return an entry of the user's own accounts. Raises NotFound for anybody else's."""
    accounts = learners.accounts_of(learner_for(user))
    try:
        entry = ledger.entry(index)
    except ledger.UnknownEntry as error:
        raise NotFound from error
    if entry.account not in accounts:
        raise NotFound
    return entry


def entry_for_institution(user: Visitor, slug: str, index: int) -> EntryView:
    """Return an entry that an institution recorded, to one of its members.

    Raises as `member_for`; NotFound for what another institution recorded.
    """
    institution = institution_for(user, slug)
    try:
        entry = ledger.entry(index)
    except ledger.UnknownEntry as error:
        raise NotFound from error
    if entry.stream not in {stream.name for stream in institutions.streams(institution)}:
        raise NotFound
    return entry


# -- persons ----------------------------------------------------------------------------------
def same_person(user_a: User, user_b: User) -> bool:
    """Say whether two users are known to be one person.

    False is no proof of the contrary; where four eyes matter, use
    `require_other_person`, which demands that both identities were seen.
    """
    return persons.are_one(user_a, user_b)


def require_other_person(prepared_by: User, user: User) -> None:
    """Demand that two users are two people whose documents were both seen (decision: four eyes).

    Two user ids of one person are one. Raises SamePerson, PersonUnknown.
    """
    if persons.are_one(prepared_by, user):
        raise SamePerson(gettext("须由另一个人复核：您与经办人是同一人。"))
    for one in (prepared_by, user):
        if not persons.is_identified(one):
            raise PersonUnknown(
                gettext("尚未核对其中一人的身份证件，不能计为双人复核。"), user=one.pk
            )


def refuse_own_award(user: User, learner: Learner) -> None:
    """Refuse to let anybody act on credits of their own. Raises OwnAward.

    Own is the learner that the user has claimed, and the one with the user's
    identity, claimed or not.
    """
    own = learner.user_id == user.pk or (
        learner.identity_digest is not None
        and user.person_digest is not None
        and bytes(learner.identity_digest) == bytes(user.person_digest)
    )
    if not own and learner.user is not None:
        own = persons.are_one(learner.user, user)
    if own:
        raise OwnAward(gettext("不能为自己办理，请由同事经办。"))


def require_second_factor(user: User) -> None:
    """Demand a second factor of whoever acts for an institution. Raises SecondFactorRequired.

    Recovery codes alone are none: they only stand in for a factor that was lost.
    """
    if settings.STAFF_SECOND_FACTOR and not is_mfa_enabled(
        user, types=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    ):
        raise SecondFactorRequired(gettext("机构工作须先启用第二重验证（动态码或通行密钥）。"))


# -- the security log ------------------------------------------------------------------------
def note_denial(error: DomainError, user: object, *, where: str) -> None:
    """Tell the security log that somebody signed in was refused, at the address of this name.

    Strangers are refused all day long, and are not told apart: only a user's
    tries are noted.
    """
    if isinstance(error, NotFound | Forbidden) and isinstance(user, User):
        security.record(EventKind.DENIED, actor=user.pk, code=error.code, where=where)


def note_view(user: Visitor, *, what: str, about: str | int, count: int = 1) -> None:
    """Tell the security log that a member was shown personal data of `count` people."""
    security.record(
        EventKind.PERSONAL_DATA_VIEWED,
        actor=_signed_in(user).pk,
        what=what,
        about=about,
        count=count,
    )


def note_export(user: Visitor, *, what: str, about: str | int, count: int) -> None:
    """Tell the security log that a member took personal data of `count` people away as a file."""
    security.record(
        EventKind.EXPORTED, actor=_signed_in(user).pk, what=what, about=about, count=count
    )


# -- shared -----------------------------------------------------------------------------------
def _signed_in(user: Visitor) -> User:
    if not isinstance(user, User) or not user.is_active:
        raise NotFound
    return user


def _memberships(user: Visitor) -> list[Member]:
    return institutions.memberships(_signed_in(user))


def _member(user: Visitor, slug: str) -> Member:
    """Return the membership, the second factor demanded; whether it exists is told to nobody else."""
    for member in _memberships(user):
        if member.institution.slug == slug:
            require_second_factor(member.user)
            return member
    raise NotFound
