"""Sealing: a checked submission's openings under their accounts' keys, and the digests' keys."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final

from creditbank.errors import Problem
from creditbank.ledger import kinds, learnerkeys
from creditbank.ledger.checks import SubmissionRefused
from creditbank.ledger.learnerkeys import AccountKeys
from creditbank.ledger.log import Batch

_FIRST_INT8: Final = struct.Struct(">q24x").unpack
_BY_NAME: Final = {name: (kind.number, kind.klass) for name, kind in kinds.BY_NAME.items()}


def keys_for(batches: Iterable[Batch]) -> dict[int, AccountKeys]:
    """Return the keys of all accounts of some submissions; those not in hand by one query.

    They are those of accounts that were not forgotten when the basis was looked
    up last (`creditbank.ledger.basis`).
    """
    return learnerkeys.keys_in_hand(
        {account for batch in batches for account in batch.accounts if account}
    )


def seal(batch: Batch, keys: Mapping[int, AccountKeys]) -> None:
    """Fill in a submission's rows, and the positions to watch under the lock.

    Raises SubmissionRefused with every row whose account has no key.
    """
    accounts = batch.accounts
    unknown = [row for row, account in enumerate(accounts, 1) if account and account not in keys]
    if unknown:
        raise SubmissionRefused(
            [no_account(row, batch.opened[row - 1][4].get("a")) for row in unknown]
        )
    rows, watched = batch.rows, batch.watched
    # One draw of randomness for all nonces, and learnerkeys.dedup_key written out for awards:
    # this runs for every entry recorded.
    nonces = os.urandom(learnerkeys.NONCE_BYTES * len(accounts))
    at = 0
    for opening, (_, core, _, reference, _), account in zip(
        batch.openings, batch.opened, accounts, strict=True
    ):
        number, klass = _BY_NAME[core["k"]]
        u = reference["u"]
        if account:
            own = keys[account]
            sealed = own.seal(opening, nonces[at : at + learnerkeys.NONCE_BYTES])
            if klass == "award":
                (dkey,) = _FIRST_INT8(sha256(own.award + u.encode()).digest())
                if not u.endswith("/1"):
                    watched.append(len(rows))
            else:
                dkey = learnerkeys.dedup_key(own.dedup, klass, u)
                watched.append(len(rows))
            rows.append((account, dkey, number, core["q"], sealed))
        else:
            dkey = learnerkeys.dedup_key(learnerkeys.PUBLIC_DEDUP, klass, u)
            if number == kinds.RULE_WITHDRAW.number:
                watched.append(len(rows))
            rows.append((0, dkey, number, 0, opening))
        at += learnerkeys.NONCE_BYTES


def no_account(row: int, text: object) -> Problem:
    """Say that a row names an account that is not there, or not any more."""
    return Problem(
        code="unknown-account",
        row=row,
        field="a",
        value=str(text),
        expected="学分银行开立的账号",
        message="没有这个账户，或其持有人已要求删除",
    )
