"""What a learner holds, as recognition looks at it: outcomes, their states, and what is shown of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from creditbank.institutions.models import CatalogueItem
from creditbank.ledger import kinds, learnerkeys
from creditbank.ledger import queries as ledger
from creditbank.ledger.models import Entry
from creditbank.ledger.queries import StatementLine
from creditbank.proofs import commitments
from creditbank.recognition.deciding.exhibits import Attested, Exhibit
from creditbank.recognition.engine.evidence import Evidence, State
from creditbank.recognition.models import RequestSource
from learners import queries as learners
from learners.models import Learner

_STATES: Final[Mapping[str, State]] = {
    "entered": "available",
    "used": "used",
    "reversed": "lapsed",
    "expired": "lapsed",
}


@dataclass(frozen=True, kw_only=True)
class Holding:
    """An outcome of a learner: its line in the statement, and the same as evidence."""

    account: int
    line: StatementLine
    evidence: Evidence

    @property
    def leaf(self) -> bytes:
        """The leaf hash."""
        return self.evidence.leaf


def holdings_of(learner: Learner) -> list[Holding]:
    """Return everything that was ever awarded to a learner, oldest first. Raises PersonForgotten."""
    return holdings_in(learners.accounts_of(learner))


def holdings_in(accounts: Sequence[int]) -> list[Holding]:
    """Return everything that was ever awarded to accounts, oldest first. Raises PersonForgotten."""
    lines = [
        line
        for line in reversed(ledger.statement(accounts))
        if line.kind is kinds.AWARD and line.outcome is not None
    ]
    taken = reserved(line.leaf_hash for line in lines)
    known = catalogue_facts(
        (line.outcome.item, line.outcome.item_version) for line in lines if line.outcome
    )
    return [_holding(line, taken, known) for line in lines]


def _holding(
    line: StatementLine,
    taken: Collection[bytes],
    known: Mapping[tuple[str, int], CatalogueFacts],
) -> Holding:
    assert line.outcome is not None
    state = _STATES[line.state]
    if state == "available" and line.leaf_hash in taken:
        state = "reserved"
    facts = known.get((line.outcome.item, line.outcome.item_version), CatalogueFacts())
    return Holding(
        account=line.account,
        line=line,
        evidence=Evidence(
            leaf=line.leaf_hash,
            index=line.index,
            outcome=line.outcome,
            result=line.result,
            occurrence=line.reference.occurrence,
            certificate_level=facts.certificate_level,
            skill_level=facts.skill_level,
            fields=facts.fields,
            state=state,
        ),
    )


def reserved(leaves: Iterable[bytes]) -> frozenset[bytes]:
    """Return which of these outcomes an open request has reserved."""
    return frozenset(
        bytes(leaf)
        for leaf in RequestSource.objects.filter(active=True, leaf__in=list(leaves)).values_list(
            "leaf", flat=True
        )
    )


# -- what the catalogue says --------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class CatalogueFacts:
    """What the catalogue's version of an item says besides what stands in an opening."""

    certificate_level: str = ""
    skill_level: str = ""
    fields: tuple[str, ...] = ()


def catalogue_facts(
    items: Iterable[tuple[str, int]],
) -> dict[tuple[str, int], CatalogueFacts]:
    """Return what the catalogue says of items, by code and version, in one question."""
    wanted = set(items)
    if not wanted:
        return {}
    rows = CatalogueItem.objects.filter(code__in={code for code, _ in wanted}).values_list(
        "code", "version", "x_level", "skill_level", "fields"
    )
    return {
        (code, version): CatalogueFacts(
            certificate_level=x_level, skill_level=skill_level, fields=tuple(fields)
        )
        for code, version, x_level, skill_level, fields in rows
        if (code, version) in wanted
    }


# -- what a decision shows ------------------------------------------------------------------------
def exhibit_all(
    holdings: Sequence[Holding],
    parts: Collection[str],
    facts: Mapping[bytes, Sequence[Attested]] | None = None,
) -> tuple[Exhibit, ...]:
    """Show outcomes with the chosen parts of their openings, in the order of the log.

    `facts` are those that were attested, by leaf. Raises PersonForgotten.
    """
    told = facts or {}
    rows = {
        row.idx: row
        for row in Entry.objects.filter(idx__in=[one.evidence.index for one in holdings])
    }
    keys = learnerkeys.keys_of({one.account for one in holdings})
    shown = []
    for one in sorted(holdings, key=lambda holding: holding.evidence.index):
        if one.account not in keys:
            raise learnerkeys.PersonForgotten(account=one.account)
        row = rows[one.evidence.index]
        opening = keys[one.account].unseal(bytes(row.opening))
        shown.append(
            Exhibit(
                leaf=bytes(row.leaf),
                index=row.idx,
                opening=commitments.disclose(opening, parts),
                certificate_level=one.evidence.certificate_level,
                skill_level=one.evidence.skill_level,
                fields=one.evidence.fields,
                facts=tuple(told.get(one.leaf, ())),
                state=one.evidence.state,
            )
        )
    return tuple(shown)


def as_available(holding: Holding) -> Holding:
    """Return an outcome as one that can be used: for the decision that has it already."""
    return replace(holding, evidence=replace(holding.evidence, state="available"))


# -- totals -----------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Totals:
    """What a learner holds: the first four partition what was awarded; converted credits stand apart."""

    available: Decimal
    reserved: Decimal
    used: Decimal
    lapsed: Decimal
    converted: Decimal


def totals(learner: Learner) -> Totals:
    """Add up a learner's accounts, with what open requests have reserved."""
    accounts = learners.accounts_of(learner)
    balance = ledger.balance(accounts)
    held = sum(
        (
            row.credits
            for row in RequestSource.objects.filter(active=True, account_id__in=accounts)
            # What fell while it was asked for has lapsed, and is no longer reserved.
            if not ledger.is_undone(row.account_id, bytes(row.leaf))
        ),
        Decimal(0),
    )
    return Totals(
        available=balance.available - held,
        reserved=held,
        used=balance.used,
        lapsed=balance.lapsed,
        converted=balance.converted,
    )
