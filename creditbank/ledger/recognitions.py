"""What the ledger says of recognition: which decision uses which award, and what became of both."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

from django.conf import settings

from creditbank.ledger import kinds, learnerkeys, linked, queries
from creditbank.ledger.queries import EntryView
from creditbank.ledger.statements import (
    ConsumptionReversed,
    CreditPreApproved,
    CreditRecognised,
    RecognitionReversed,
    acting_u,
    rule_u,
)
from creditbank.proofs import commitments, merkle

_KINDS: Final = (
    kinds.CONSUME,
    kinds.CONSUME_REVERSE,
    kinds.RECOGNISE,
    kinds.RECOGNISE_REVERSE,
)


@dataclass(frozen=True, kw_only=True)
class Undoing:
    """The entry that reversed another; `by_bank` when it stands in the bank's own stream."""

    index: int
    reason: str
    by_bank: bool


@dataclass(frozen=True, kw_only=True)
class Use:
    """One use of an award under a decision: the entry at `index`, in the award's account.

    `source` is the award's leaf hash, `quantity` what the use moved (1/100 credit,
    0 or less). `released` tells that the use was reversed.
    """

    index: int
    account: int
    leaf_hash: bytes
    stream: str
    source: bytes
    quantity: int
    decision: str
    manifest_index: int
    released: Undoing | None

    def reversal(self, *, reason: str) -> ConsumptionReversed:
        """Return the statement that reverses this use."""
        return ConsumptionReversed(
            account=self.account,
            leaf=self.leaf_hash,
            quantity_undone=self.quantity,
            reason=reason,
            decision=self.decision,
        )


@dataclass(frozen=True, kw_only=True)
class Recognition:
    """One decision as the ledger has it: what was recognised, which awards it uses, its state."""

    index: int
    leaf_hash: bytes
    stream: str
    manifest_index: int
    recognised: CreditRecognised
    uses: tuple[Use, ...]
    reversed_: Undoing | None

    @property
    def account(self) -> int:
        """The account that the converted credits stand in."""
        return self.recognised.account

    @property
    def decision(self) -> str:
        """The decision's number."""
        return self.recognised.decision

    @property
    def credits(self) -> Decimal:
        """The converted credits."""
        return self.recognised.credits

    @property
    def state(self) -> Literal["entered", "reversed"]:
        """Whether the recognition stands."""
        return "entered" if self.reversed_ is None else "reversed"

    @property
    def sources(self) -> tuple[bytes, ...]:
        """The leaf hashes of the awards it used, released ones included."""
        return tuple(use.source for use in self.uses)

    @property
    def fallen(self) -> tuple[Use, ...]:
        """The uses that were released while the recognition stands: its body has to decide anew."""
        if self.reversed_ is not None:
            return ()
        return tuple(use for use in self.uses if use.released is not None)

    def undoing(self, *, reason: str) -> list[ConsumptionReversed | RecognitionReversed]:
        """Return the statements that reverse the recognition: first the uses that stand, then it."""
        return [
            *(use.reversal(reason=reason) for use in self.uses if use.released is None),
            RecognitionReversed(
                account=self.account,
                leaf=self.leaf_hash,
                quantity_undone=self.recognised.quantity,
                reason=reason,
                decision=self.decision,
            ),
        ]


@dataclass(frozen=True, kw_only=True)
class _Book:
    """The entries about recognition of some accounts, opened."""

    views: Sequence[EntryView]
    cores: Mapping[int, Mapping[str, Any]]
    undone: Mapping[bytes, Undoing]

    @classmethod
    def of(cls, accounts: Sequence[int]) -> _Book:
        views = queries.entries_of(accounts, _KINDS)
        cores = _cores(views)
        undone = {
            view.acts_on: Undoing(
                index=view.index,
                reason=str(cores[view.index]["reason"]),
                by_bank=view.stream == settings.BANK_STREAM,
            )
            for view in views
            if view.acts_on is not None and view.kind.klass == "undo"
        }
        return cls(views=views, cores=cores, undone=undone)

    def uses(self) -> list[Use]:
        return [
            Use(
                index=view.index,
                account=view.account,
                leaf_hash=view.leaf_hash,
                stream=view.stream,
                source=view.acts_on,
                quantity=view.quantity,
                decision=str(self.cores[view.index]["decision"]),
                manifest_index=view.manifest_index,
                released=self.undone.get(view.leaf_hash),
            )
            for view in self.views
            if view.kind is kinds.CONSUME and view.acts_on is not None
        ]

    def recognitions(self) -> list[Recognition]:
        uses: dict[tuple[int, str], list[Use]] = {}
        for use in self.uses():
            uses.setdefault((use.manifest_index, use.decision), []).append(use)
        found = []
        for view in reversed(self.views):
            if view.kind is not kinds.RECOGNISE:
                continue
            recognised = CreditRecognised.from_core(view.account, self.cores[view.index])
            found.append(
                Recognition(
                    index=view.index,
                    leaf_hash=view.leaf_hash,
                    stream=view.stream,
                    manifest_index=view.manifest_index,
                    recognised=recognised,
                    uses=tuple(uses.get((view.manifest_index, recognised.decision), ())),
                    reversed_=self.undone.get(view.leaf_hash),
                )
            )
        return found


def _cores(views: Sequence[EntryView]) -> dict[int, Mapping[str, Any]]:
    """Open the core parts of entries. Raises PersonForgotten."""
    keys = learnerkeys.keys_of({view.account for view in views})
    cores: dict[int, Mapping[str, Any]] = {}
    for view in views:
        if view.account not in keys:
            raise learnerkeys.PersonForgotten(account=view.account)
        opening = keys[view.account].unseal(view.sealed)
        cores[view.index] = json.loads(commitments.split(opening)[0])
    return cores


def recognitions(accounts: Sequence[int]) -> list[Recognition]:
    """Return the recognitions of one person's accounts, newest first. Raises PersonForgotten."""
    return _Book.of(accounts).recognitions()


def recognition(index: int) -> Recognition:
    """Return the recognition at a log index, with what it uses in all accounts of its person.

    Raises UnknownEntry for an entry of another kind, PersonForgotten.
    """
    view = queries.entry(index)
    if view.kind is not kinds.RECOGNISE:
        raise queries.UnknownEntry(index=index)
    of_person = recognitions(linked.accounts_with(view.account))
    return next(found for found in of_person if found.index == index)


def uses(accounts: Sequence[int]) -> list[Use]:
    """Return every use of awards in accounts, released ones too, oldest first. Raises PersonForgotten."""
    return _Book.of(accounts).uses()


def uses_in_force(awards: Collection[tuple[int, bytes]]) -> dict[tuple[int, bytes], Use]:
    """Return the uses that stand of awards (account, leaf hash); unused awards are missing."""
    wanted = set(awards)
    return {
        (use.account, use.source): use
        for use in uses(sorted({account for account, _ in wanted}))
        if use.released is None and (use.account, use.source) in wanted
    }


def consumption_of(account: int, leaf_hash: bytes) -> Use | None:
    """Return the use of an award that stands, if there is one. Raises PersonForgotten."""
    return uses_in_force([(account, leaf_hash)]).get((account, leaf_hash))


def recognition_using(account: int, leaf_hash: bytes) -> Recognition | None:
    """Return the recognition whose decision uses an award at present. Raises PersonForgotten."""
    use = consumption_of(account, leaf_hash)
    if use is None:
        return None
    return next(found for found in recognitions(linked.accounts_with(account)) if use in found.uses)


def next_generation(account: int, leaf_hash: bytes) -> int:
    """Return the generation that the next use of an award has: 1 when it was never used.

    While a use stands, the next one goes with its reversal in one submission.
    """
    return 1 + sum(use.source == leaf_hash for use in uses([account]))


@dataclass(frozen=True, kw_only=True)
class Release:
    """A use that the bank took back because its award fell, at log index `index`."""

    index: int
    account: int
    source: bytes
    recognition: Recognition


def releases(*, after: int) -> list[Release]:
    """Return what the bank released after a log index, oldest first: whose bodies decide anew.

    Uses of forgotten people are missing. `recognition` is as it stands now.
    """
    found: list[Release] = []
    for view in queries.entries_after(after, kinds.CONSUME_REVERSE):
        if view.stream != settings.BANK_STREAM:
            continue
        try:
            of_person = recognitions(linked.accounts_with(view.account))
        except learnerkeys.PersonForgotten:
            continue
        found += [
            Release(
                index=view.index, account=view.account, source=use.source, recognition=recognition
            )
            for recognition in of_person
            for use in recognition.uses
            if use.released is not None and use.released.index == view.index
        ]
    return found


@dataclass(frozen=True, kw_only=True)
class PreApproval:
    """A pre-approval as the ledger has it."""

    index: int
    leaf_hash: bytes
    stream: str
    approved: CreditPreApproved


def pre_approvals(accounts: Sequence[int]) -> list[PreApproval]:
    """Return the pre-approvals in accounts, newest first. Raises PersonForgotten."""
    views = queries.entries_of(accounts, [kinds.PRE_APPROVE])
    cores = _cores(views)
    return [
        PreApproval(
            index=view.index,
            leaf_hash=view.leaf_hash,
            stream=view.stream,
            approved=_pre_approved(view.account, cores[view.index]),
        )
        for view in reversed(views)
    ]


def _pre_approved(account: int, core: Mapping[str, Any]) -> CreditPreApproved:
    return CreditPreApproved(
        account=account,
        number=str(core["number"]),
        digest=b64decode(str(core["digest"]), validate=True),
        programme=str(core["programme"]),
        programme_version=int(core["pv"]),
        before=date.fromisoformat(str(core["before"])),
        body=str(core["body"]),
    )


@dataclass(frozen=True, kw_only=True)
class Publication:
    """A published version of a rule or programme: its entry, and the one that withdrew it."""

    index: int
    leaf_hash: bytes
    digest: bytes
    withdrawn_index: int | None


def publication(*, schema: str, owner: str, code: str, version: int) -> Publication | None:
    """Return the entry that published a version of a document, if it was published."""
    u = rule_u(schema=schema, owner=owner, code=code, version=version)
    place = 0, learnerkeys.dedup_key(learnerkeys.PUBLIC_DEDUP, kinds.RULE_PUBLISH.klass, u)
    found = queries.found_at([place]).get(place)
    if found is None:
        return None
    leaf_hash = merkle.leaf_hash(found.leaf)
    core = json.loads(commitments.split(found.sealed)[0])
    undone = 0, learnerkeys.dedup_key(learnerkeys.PUBLIC_DEDUP, "undo", acting_u(leaf_hash))
    withdrawal = queries.found_at([undone]).get(undone)
    return Publication(
        index=found.index,
        leaf_hash=leaf_hash,
        digest=b64decode(core["digest"], validate=True),
        withdrawn_index=withdrawal.index if withdrawal else None,
    )
