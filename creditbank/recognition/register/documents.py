"""The two kinds of documents that are published, and what they have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from creditbank.ledger.statements import PROGRAMME, RULE
from creditbank.recognition.language import programmes, rules
from creditbank.recognition.models import ProgrammeVersion, RuleVersion, Version
from creditbank.securitylog.kinds import EventKind


@dataclass(frozen=True, kw_only=True)
class DocumentKind:
    """A kind of document: its word, its schema, and how it is read.

    `read` takes the bytes of JSON, `parse` what was read of them already; both
    raise a subclass of Refusals with every problem.
    """

    name: str
    schema: str
    model: type[Any]
    read: Callable[[bytes], Any]
    parse: Callable[[object], Any]
    published: EventKind
    withdrawn: EventKind


RULES: Final = DocumentKind(
    name="rule",
    schema=RULE,
    model=RuleVersion,
    read=rules.read,
    parse=rules.parse,
    published=EventKind.RULE_PUBLISHED,
    withdrawn=EventKind.RULE_WITHDRAWN,
)
PROGRAMMES: Final = DocumentKind(
    name="programme",
    schema=PROGRAMME,
    model=ProgrammeVersion,
    read=programmes.read,
    parse=programmes.parse,
    published=EventKind.PROGRAMME_PUBLISHED,
    withdrawn=EventKind.PROGRAMME_WITHDRAWN,
)
KINDS: Final = {kind.name: kind for kind in (RULES, PROGRAMMES)}


def kind_of(row: Version) -> DocumentKind:
    """Return the kind of a stored version."""
    return RULES if isinstance(row, RuleVersion) else PROGRAMMES
