"""One version of a recognition rule: its document, read and checked (pure).

The document is what is signed and published; everything else is read from it.
`docs/recognition.md` is the format, `schemas/rule-v1.json` its shape, `sense`
what no schema can say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, ClassVar

from creditbank.errors import Refusals
from creditbank.proofs import canonical
from creditbank.proofs.strictjson import JsonRefused, loads
from creditbank.recognition.language import schemas, sense
from creditbank.recognition.language.programmes import Programme


class RuleInvalid(Refusals):
    """A document that is no rule: every problem with the JSON pointer of its place."""

    code: ClassVar[str] = "rule-invalid"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One version of a rule. `document` is what was signed; the rest is read from it."""

    document: Mapping[str, Any] = field(repr=False, hash=False)
    code: str
    version: int
    owner: str
    title: str
    title_en: str
    first_day: date
    last_day: date | None
    law: str
    """`filing` or `decision`: the day whose rule decides, and on which ages are counted."""
    programmes: tuple[str, ...] = ()
    """Codes of the programmes it is for; none: every programme of its owner."""

    def canonical(self) -> bytes:
        """Return the document's canonical bytes: what the digest is over."""
        return self._bytes

    @cached_property
    def _bytes(self) -> bytes:
        return canonical.encode(self.document)

    @cached_property
    def digest(self) -> bytes:
        """The SHA-256 of the canonical bytes."""
        return hashlib.sha256(self._bytes).digest()

    @cached_property
    def remembered(self) -> dict[Any, Any]:
        """What the engine has found out of the document alone, so that it asks once."""
        return {}

    @property
    def gate(self) -> Mapping[str, Any]:
        """What an outcome must pass before any condition is looked at; may be empty."""
        gate: Mapping[str, Any] = self.document.get("gate", {})
        return gate

    @property
    def sources(self) -> Mapping[str, Any]:
        """Which outcomes one use consumes."""
        sources: Mapping[str, Any] = self.document["sources"]
        return sources

    @property
    def allocation(self) -> Mapping[str, Any]:
        """What one use gives."""
        allocation: Mapping[str, Any] = self.document["allocation"]
        return allocation

    @property
    def constraints(self) -> tuple[Mapping[str, Any], ...]:
        """Limits over all uses of the rule, in their order: pointers count them from 0."""
        return tuple(self.document.get("constraints", ()))

    @property
    def procedure(self) -> Mapping[str, Any]:
        """How it is decided."""
        procedure: Mapping[str, Any] = self.document["procedure"]
        return procedure

    def in_force(self, day: date) -> bool:
        """Say whether a day is one of the version's, first and last included."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)

    def is_for(self, programme: Programme) -> bool:
        """Say whether the rule names a programme, or names none.

        Whether a rule that names none reaches beyond its owner's programmes is
        for whoever knows which institutions are authorities.
        """
        return not self.programmes or programme.code in self.programmes


def parse(document: object) -> Rule:
    """Read a rule from a JSON document. Raises RuleInvalid with every problem of it."""
    problems = schemas.problems("rule-v1", document)
    if not problems:
        assert isinstance(document, Mapping)
        problems = sense.rule_problems(document)
    if problems:
        raise RuleInvalid(problems)
    assert isinstance(document, Mapping)
    return _rule(document)


def read(data: bytes) -> Rule:
    """Read a rule from the bytes of a JSON document, canonical or not. Raises RuleInvalid."""
    try:
        document = loads(data)
    except JsonRefused as error:
        raise RuleInvalid([schemas.unreadable(error)]) from None
    return parse(document)


def stored(data: bytes) -> Rule:
    """Read a rule that was checked when it was stored: canonical bytes, nothing else looked at.

    For the bytes whose digest stands in the ledger. Raises NotCanonical.
    """
    document = canonical.decode(data)
    assert isinstance(document, Mapping)
    return _rule(document)


def _rule(document: Mapping[str, Any]) -> Rule:
    days = document["in_force"]
    until = days.get("until")
    return Rule(
        document=document,
        code=document["code"],
        version=document["version"],
        owner=document["owner"],
        title=document["title"],
        title_en=document["title_en"],
        first_day=date.fromisoformat(days["from"]),
        last_day=date.fromisoformat(until) if until else None,
        law=document["law"],
        programmes=tuple(document.get("programmes", ())),
    )
