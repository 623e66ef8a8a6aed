"""Who acts in recognition: a learner for themselves, a reviewer for an institution, never one for oneself.

Pages and API have asked `creditbank.access` before, with the second factor. An
operation asks once more for what no way of calling it may leave out.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext

from creditbank import access
from creditbank.access import Forbidden, InstitutionSuspended, NotFound, OwnKeyStream
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import Role, StreamMode
from creditbank.institutions.models import Institution, Member, Stream
from creditbank.users.models import User
from learners.models import Learner


def acting_member(institution: Institution, user: User, role: Role) -> Member:
    """Return the membership in which a user acts for an institution. Raises Forbidden."""
    member = institutions.membership(user, institution)
    if member is None or not user.is_active or not member.may(role):
        raise Forbidden(gettext("您的角色不能做这件事。"), expected=role.value)
    return member


def acting_reviewer(institution: Institution, user: User, learner: Learner) -> Member:
    """Return the membership of a reviewer who may decide on a learner. Raises Forbidden, OwnAward."""
    member = acting_member(institution, user, Role.REVIEWER)
    access.refuse_own_award(user, learner)
    return member


def require_self(learner: Learner, user: User) -> None:
    """Demand that a user is the learner. Raises NotFound: another's matters are not known of."""
    if learner.user_id is None or learner.user_id != user.pk or not user.is_active:
        raise NotFound


def require_others(earlier: Iterable[User], user: User) -> None:
    """Demand that a user is another person than each of those. Raises SamePerson, PersonUnknown."""
    for one in earlier:
        access.require_other_person(one, user)


def recognising_stream(institution: Institution) -> Stream:
    """Return the stream in which an institution enters its decisions.

    The bank signs there for the institution. Raises InstitutionSuspended, and
    OwnKeyStream for an institution that keeps its own key.
    """
    if not institution.is_active:
        raise InstitutionSuspended(
            gettext("该机构目前不能办理学分认定。"), institution=institution.slug
        )
    stream = institutions.recording_stream(institution, StreamMode.HOSTED)
    if stream is None:
        raise OwnKeyStream(
            gettext("该机构自持密钥，认定决定须由其自行签名报送，暂不能在线受理申请。"),
            institution=institution.slug,
        )
    return stream
