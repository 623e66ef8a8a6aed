"""Acts of recognition by API: done once for each idempotency key, however often they are sent."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from api.models import IdempotentAct
from api.requests import KEY
from creditbank.institutions.models import Institution
from creditbank.ledger.log import KeyReused
from learners import leaving
from learners.models import Learner

Owner = Institution | Learner

NUMBER_MAX: Final = 40
"""Characters of the number of what comes of an act."""


def once(
    *, owner: Owner, operation: str, asked: Mapping[str, Any], key: str, act: Callable[[], str]
) -> str:
    """Do something once for each key; return the number of what came of it.

    The same request again returns the number of the first time. `act` does it in
    the transaction in which the key is kept: when it raises, nothing is kept.
    Raises KeyReused for another request under a used key, and what `act` raises.
    """
    digest = _digest(owner, operation, asked)
    earlier = _earlier(owner, key, digest)
    if earlier is not None:
        return earlier
    with transaction.atomic():
        try:
            # First the key: who sends it at the same moment waits here, and finds ours.
            with transaction.atomic():
                kept = IdempotentAct.objects.create(key=key, digest=digest, **_of(owner))
        except IntegrityError:
            earlier = _earlier(owner, key, digest)
            if earlier is None:
                raise
            return earlier
        kept.number = act()
        kept.save(update_fields=["number"])
    return kept.number


def _of(owner: Owner) -> dict[str, Any]:
    return {"institution" if isinstance(owner, Institution) else "learner": owner}


def _digest(owner: Owner, operation: str, asked: Mapping[str, Any]) -> bytes:
    text = json.dumps(asked, sort_keys=True, ensure_ascii=False, default=str)
    message = f"llcb/api-act/v1\0{type(owner).__name__}\0{owner.pk}\0{operation}\0{text}"
    return hmac.digest(settings.KEYSTORE.get(KEY), message.encode(), "sha256")


def _earlier(owner: Owner, key: str, digest: bytes) -> str | None:
    held = IdempotentAct.objects.filter(key=key, **_of(owner)).first()
    if held is None:
        return None
    if not hmac.compare_digest(bytes(held.digest), digest):
        raise KeyReused(gettext("这个 Idempotency-Key 已用于另一个请求。"))
    return held.number


@leaving.gives_up("api.acts")
def forget_acts_of(learner: Learner) -> None:
    """Delete what a learner's programs did by key. Done twice, nothing changes."""
    IdempotentAct.objects.filter(learner=learner).delete()
