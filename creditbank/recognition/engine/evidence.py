"""What the engine looks at: a learner's outcomes, and the circumstances they are looked at in (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from creditbank.ledger.statements import Outcome, Result

if TYPE_CHECKING:
    from creditbank.recognition.language.programmes import Programme

State = Literal["available", "reserved", "used", "lapsed"]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One outcome of a learner, as its ledger entry says it (认定依据).

    `leaf` is the entry's leaf hash (32 bytes), `index` its log index. Members
    after `occurrence` are not in the opening: the first three come from the
    catalogue's version of the item, `facts` from those who looked at the papers
    (similarity, rank, place in a team ...), each under its name as a text. What
    is not there is not known: a condition on it can be neither met nor failed.
    """

    leaf: bytes
    index: int
    outcome: Outcome
    result: Result = field(default_factory=Result)
    occurrence: str = ""
    certificate_level: str = ""
    skill_level: str = ""
    fields: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    state: State = "available"

    @property
    def credits(self) -> Decimal:
        """The bank value (学分银行学分)."""
        return self.outcome.credits


@dataclass(frozen=True, kw_only=True)
class Context:
    """The circumstances of a decision: its days, the programme, all that the learner holds.

    `award_on` is the day on which the learner means to graduate, where a rule
    asks for it. `held` are all outcomes in force, used ones too; `met` the codes
    of the programme's courses that are met already, natively or by recognition.
    """

    filed_on: date
    decided_on: date
    programme: Programme
    award_on: date | None = None
    held: tuple[Evidence, ...] = ()
    met: frozenset[str] = frozenset()
