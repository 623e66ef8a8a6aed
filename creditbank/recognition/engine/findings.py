"""What the engine finds when it holds outcomes against one rule: grants, or the reasons against (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Verdict(StrEnum):
    """Whether a rule applies: not known is not valid, and not invalid either."""

    APPLIES = "applies"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One condition that failed or could not be checked.

    `pointer` is the JSON pointer (RFC 6901) of the condition in the rule's
    document, `code` a stable word for what failed. `found` and `wanted` are
    texts; `change` is the smallest change that flips it: a number with its sign
    ("+2", "-11 days"), or the value to have, or nothing when no change of the
    learner's could.
    """

    code: str
    pointer: str
    leaf: bytes | None = None
    found: str = ""
    wanted: str = ""
    change: str = ""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a use of a rule can give: credits to a course or to a category, or a waiver.

    Either `course` or `category` is named. `credits` go to it; `surplus` go to
    `surplus_category` besides, when the rule lets an excess spill over. A
    `waived` grant meets the course and gives no credits.
    """

    course: str = ""
    category: str = ""
    credits: Decimal = Decimal(0)
    surplus: Decimal = Decimal(0)
    surplus_category: str = ""
    waived: bool = False
    mark: str = ""

    @property
    def target(self) -> str:
        """The code that a grant is known by: the course's or the category's."""
        return self.course or self.category


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One rule held against one selection of outcomes (判定).

    When it applies, all `grants` come together if `choose` is 0; otherwise at
    least one and at most `choose` of them, and together no more credits than
    `credits_max`. When it does not apply, `reasons` say why, all of them.
    """

    rule: str
    version: int
    leaves: tuple[bytes, ...]
    verdict: Verdict
    grants: tuple[Grant, ...] = ()
    choose: int = 0
    credits_max: Decimal | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Line:
    """One grant of a plan or a decision: which outcomes, under which rule, for what."""

    rule: str
    version: int
    leaves: tuple[bytes, ...]
    grant: Grant
