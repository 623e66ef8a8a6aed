"""The people whom rows name: found all at once, with their accounts and the names the bank holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from creditbank.errors import Problem
from creditbank.ledger import learnerkeys
from creditbank.recording.cells import mask_name
from creditbank.recording.problems import problem
from learners import queries as learners
from learners.models import Learner, LearnerAccount
from learners.operations import Person, find_or_open_all

if TYPE_CHECKING:
    from creditbank.recording.checks import Accepted


@dataclass(frozen=True, kw_only=True)
class Known:
    """A learner whom the bank knows, and the learner's accounts, the first one first."""

    learner: Learner
    accounts: tuple[int, ...]
    name: str = field(repr=False)


def known(digests: Collection[bytes]) -> dict[bytes, Known]:
    """Return the learners who hold documents, by the documents' digests; others are missing."""
    rows = list(
        Learner.objects.select_related("user").filter(
            identity_digest__in=list(digests), forgotten_at__isnull=True
        )
    )
    accounts = _accounts(rows)
    # One question fills this process's cache, so that each name costs none.
    learnerkeys.keys_of(learner.account_id for learner in rows)
    return {
        bytes(learner.identity_digest): Known(
            learner=learner,
            accounts=accounts[learner.pk],
            name=learners.display_name(learner),
        )
        for learner in rows
        if learner.identity_digest is not None
    }


def names(accounts: Collection[int]) -> dict[int, str]:
    """Return the names of accounts' holders; a forgotten holder is missing."""
    links = LearnerAccount.objects.select_related("learner").filter(account_id__in=list(accounts))
    found: dict[int, str] = {}
    for link in links:
        try:
            found[int(link.account_id)] = learners.display_name(link.learner)
        except learnerkeys.PersonForgotten:
            continue
    return found


def _accounts(rows: Collection[Learner]) -> Mapping[object, tuple[int, ...]]:
    linked: dict[object, list[int]] = {learner.pk: [] for learner in rows}
    for link in LearnerAccount.objects.filter(learner__in=rows).order_by("since", "account_id"):
        linked[link.learner_id].append(int(link.account_id))
    for learner in rows:
        linked[learner.pk].sort(key=int(learner.account_id).__ne__)
    return {pk: tuple(numbers) for pk, numbers in linked.items()}


def accounts_for(accepted: Sequence[Accepted]) -> tuple[dict[bytes, int], list[Problem]]:
    """Open waiting accounts (待认领) for the people whom the bank does not know yet.

    Returns the accounts by the people's digests; and a problem for each row whose
    name is not the one under which somebody else has just opened the account.
    """
    fresh = {one.digest: one for one in accepted if one.account is None}
    resolutions = find_or_open_all(
        [Person(document=one.row.document, name=one.row.name) for one in fresh.values()]
    )
    accounts: dict[bytes, int] = {}
    problems: list[Problem] = []
    for (digest, one), found in zip(fresh.items(), resolutions, strict=True):
        accounts[digest] = int(found.learner.account_id)
        if not found.name_matches:
            problems.append(
                problem("name-differs", one.row.number, "name", mask_name(one.row.name))
            )
    return accounts, problems
