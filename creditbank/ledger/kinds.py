"""The registry of entry kinds: name, number, class and sign.

The registry only ever grows: a number or a name that has stood in the log is
never given another meaning. `docs/ledger-format.md` prints the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Class = Literal["award", "undo", "use", "document", "rule", "key"]
Sign = Literal["plus", "minus", "opposite", "zero"]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of entry.

    `sign` says what its quantity may be: `plus` (0 or more), `minus` (0 or
    less), `opposite` (exactly the negative of the entry it acts on), `zero`.
    Kinds that are `public` stand in the reserved account 0 with their opening
    in clear, outside all balances.
    """

    number: int
    name: str
    klass: Class
    sign: Sign
    acts_on: tuple[str, ...] = ()
    public: bool = False


AWARD: Final = Kind(number=1, name="award", klass="award", sign="plus")
AWARD_REVERSE: Final = Kind(
    number=2, name="award-reverse", klass="undo", sign="opposite", acts_on=("award",)
)
EXPIRE: Final = Kind(number=3, name="expire", klass="undo", sign="opposite", acts_on=("award",))
CONSUME: Final = Kind(number=4, name="consume", klass="use", sign="opposite", acts_on=("award",))
CONSUME_REVERSE: Final = Kind(
    number=5, name="consume-reverse", klass="undo", sign="opposite", acts_on=("consume",)
)
RECOGNISE: Final = Kind(number=6, name="recognise", klass="award", sign="plus")
RECOGNISE_REVERSE: Final = Kind(
    number=7, name="recognise-reverse", klass="undo", sign="opposite", acts_on=("recognise",)
)
PRE_APPROVE: Final = Kind(number=8, name="pre-approve", klass="document", sign="zero")
TRANSCRIPT_ISSUE: Final = Kind(
    number=16, name="transcript-issue", klass="document", sign="zero", public=True
)
TRANSCRIPT_REVOKE: Final = Kind(
    number=17,
    name="transcript-revoke",
    klass="undo",
    sign="zero",
    acts_on=("transcript-issue",),
    public=True,
)
KEY_ADD: Final = Kind(number=32, name="key-add", klass="key", sign="zero", public=True)
KEY_RETIRE: Final = Kind(number=33, name="key-retire", klass="key", sign="zero", public=True)
KEY_COMPROMISE: Final = Kind(
    number=34, name="key-compromise", klass="key", sign="zero", public=True
)
RULE_PUBLISH: Final = Kind(number=48, name="rule-publish", klass="rule", sign="zero", public=True)
RULE_WITHDRAW: Final = Kind(
    number=49,
    name="rule-withdraw",
    klass="undo",
    sign="zero",
    acts_on=("rule-publish",),
    public=True,
)
GENESIS: Final = Kind(number=64, name="genesis", klass="key", sign="zero", public=True)

KINDS: Final[tuple[Kind, ...]] = (
    AWARD,
    AWARD_REVERSE,
    EXPIRE,
    CONSUME,
    CONSUME_REVERSE,
    RECOGNISE,
    RECOGNISE_REVERSE,
    PRE_APPROVE,
    TRANSCRIPT_ISSUE,
    TRANSCRIPT_REVOKE,
    KEY_ADD,
    KEY_RETIRE,
    KEY_COMPROMISE,
    RULE_PUBLISH,
    RULE_WITHDRAW,
    GENESIS,
)
BY_NAME: Final[dict[str, Kind]] = {kind.name: kind for kind in KINDS}
BY_NUMBER: Final[dict[int, Kind]] = {kind.number: kind for kind in KINDS}
