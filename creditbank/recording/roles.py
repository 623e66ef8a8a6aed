"""Who acts for an institution in recording, and in which of its streams.

Pages and API have asked `creditbank.access` before, with the second factor. An
operation asks once more for what no way of calling it may leave out.
"""

from __future__ import annotations

from django.utils.translation import gettext

from creditbank.access import Forbidden, InstitutionSuspended, NotFound, OwnKeyStream
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import Role, StreamMode, StreamPurpose
from creditbank.institutions.models import Institution, Member, Stream
from creditbank.users.models import User


def acting_member(institution: Institution, user: User, role: Role) -> Member:
    """Return the membership in which a user acts. Raises Forbidden."""
    member = institutions.membership(user, institution)
    if member is None or not user.is_active or not member.may(role):
        raise Forbidden(gettext("您的角色不能做这件事。"), expected=role.value)
    return member


def require_hosted(institution: Institution, stream: Stream) -> None:
    """Demand an open recording stream of an active institution whose key the bank keeps.

    Raises NotFound, InstitutionSuspended, OwnKeyStream: where an institution
    keeps its key, its signed manifest is the approval.
    """
    if (
        stream.institution_id != institution.pk
        or not stream.active
        or stream.purpose != StreamPurpose.RECORDING
    ):
        raise NotFound
    if not institution.is_active:
        raise InstitutionSuspended(
            gettext("贵机构的记录权限已暂停。"), institution=institution.slug
        )
    if stream.mode != StreamMode.HOSTED:
        raise OwnKeyStream(
            gettext("贵机构自持密钥，请用签名报送，不能使用表单和上传。"),
            institution=institution.slug,
        )
