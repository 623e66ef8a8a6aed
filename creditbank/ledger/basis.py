"""What a submission is checked and sealed under: the register, and whose secrets there are.

Both are remembered by a process and change rarely. One look at the database
serves a whole group of submissions, and is made after the last of them came: a
retired key or a forgotten person counts from the next submission on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from creditbank.clock import today
from creditbank.institutions import registry
from creditbank.institutions.registry import Registry
from creditbank.ledger import learnerkeys


@dataclass(frozen=True)
class Basis:
    """One state of the register, on one day; the keys in hand are those of accounts not forgotten by then."""

    register: Registry
    today: date


def current() -> Basis:
    """Look up whether anything changed, and return the present basis."""
    learnerkeys.epoch()
    return Basis(registry.current(), today())
