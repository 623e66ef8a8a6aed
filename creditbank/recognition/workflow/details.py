"""What a learner says in a request: the chosen targets, and a few words. Sealed."""

from __future__ import annotations

import json
from dataclasses import dataclass

from creditbank.recognition.models import Request
from creditbank.recognition.workflow import sealing

WORDS_MAX = 500
_COLUMN = "request"


@dataclass(frozen=True, kw_only=True)
class Details:
    """The targets that a learner chose (none: all), and what they wrote."""

    targets: tuple[str, ...] = ()
    words: str = ""

    def seal(self, request: Request) -> bytes:
        """Seal them for their request. Raises PersonForgotten."""
        value = {"targets": list(self.targets), "words": self.words}
        data = json.dumps(value, ensure_ascii=False).encode()
        return sealing.seal(request.account_id, _COLUMN, request.pk, data)

    @classmethod
    def of(cls, request: Request) -> Details:
        """Open the details of a request; nothing when they were given up. Raises PersonForgotten."""
        data = sealing.unseal(
            request.account_id, _COLUMN, request.pk, bytes(request.details_sealed)
        )
        if not data:
            return cls()
        value = json.loads(data)
        return cls(targets=tuple(value["targets"]), words=value["words"])
