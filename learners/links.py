"""Which accounts belong to one learner, as the ledger asks it at every append."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString

from creditbank import prepared
from creditbank.ledger import linked
from creditbank.ledger import queries as ledger
from creditbank.ledger.statements import split_generation

_SEVERAL: Final = (
    "SELECT learner_id, array_agg(account ORDER BY account) FROM learners_learneraccount"
    " GROUP BY learner_id HAVING count(*) > 1"
)


class Links:
    """The source that the ledger asks: a count that a trigger keeps, and the few with several."""

    VERSION: LiteralString = "SELECT n FROM learners_linkage"

    def others(self) -> linked.Others:
        """Return the accounts of every learner who has several."""
        return {
            account: tuple(other for other in accounts if other != account)
            for _, accounts in prepared.run(_SEVERAL)
            for account in accounts
        }


def held_twice(accounts: Sequence[int]) -> list[int]:
    """Return the indexes of awards in force that say one outcome in two of the accounts."""
    first: dict[str, ledger.StatementLine] = {}
    twice: set[int] = set()
    for line in ledger.statement(accounts):
        if line.outcome is None or line.state not in ("entered", "used"):
            continue
        base, _ = split_generation(line.reference.u)
        earlier = first.setdefault(f"{line.kind.klass}|{base}", line)
        if earlier.account != line.account:
            twice |= {earlier.index, line.index}
    return sorted(twice)
