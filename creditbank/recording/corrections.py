"""Taking a recorded entry back: by a reviewer, with a reason."""

from __future__ import annotations

import logging
from typing import Final

from django.utils.translation import gettext

from creditbank import access
from creditbank.institutions import queries as institutions
from creditbank.institutions.kinds import Role, StreamMode
from creditbank.institutions.models import Institution
from creditbank.ledger import operations as ledger
from creditbank.ledger import queries as entries
from creditbank.ledger.log import Receipt
from creditbank.recording import roles
from creditbank.recording.errors import ReasonMissing
from creditbank.users.models import User
from learners import queries as learners

logger = logging.getLogger(__name__)

REASON_MAX: Final = 200
PUBLISH_SECONDS: Final = 30.0


def reverse_record(
    *, institution: Institution, index: int, reason: str, acting_user: User
) -> Receipt:
    """Reverse an entry (冲正) that an institution recorded, and wait until it is published.

    A decision that uses it loses it (`ledger.operations.reverse_entry`). Done
    twice, the receipt of the first time is returned. Raises NotFound for what
    another institution recorded, Forbidden, OwnKeyStream, OwnAward,
    ReasonMissing, NotReversible, and ActsOnInvalid when the entry has expired.
    """
    member = roles.acting_member(institution, acting_user, Role.REVIEWER)
    text = " ".join(reason.split())[:REASON_MAX]
    if not text:
        raise ReasonMissing(gettext("请写明冲正的原因。"))
    try:
        entry = entries.entry(index)
    except entries.UnknownEntry as error:
        raise access.NotFound from error
    streams = {stream.name: stream for stream in institutions.streams(institution)}
    if entry.stream not in streams:
        raise access.NotFound
    if streams[entry.stream].mode != StreamMode.HOSTED:
        raise access.OwnKeyStream(
            gettext("这笔记录由贵机构用自持密钥签名，冲正也须由贵机构签名报送。"),
            institution=institution.slug,
        )
    learner = learners.by_account(entry.account)
    if learner is not None:
        access.refuse_own_award(acting_user, learner)
    receipt = ledger.reverse_entry(index=index, reason=text)
    logger.info("entry %s reversed by %s", index, member.pseudonym)
    entries.wait_until_published(receipt.size, timeout=PUBLISH_SECONDS)
    return receipt
