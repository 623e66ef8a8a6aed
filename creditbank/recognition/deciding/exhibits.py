"""An outcome as a decision shows it: enough to compute its commitment, and no one's account (pure).

Of the opening stand what was achieved, how well and which one, each with its
salt; of the holder only the digest. The catalogue's facts stand beside it, and
the facts that reviewers attested, each with the pseudonym of who did and when.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, get_args

from creditbank.ledger.statements import Outcome, Result, StatementInvalid
from creditbank.proofs import commitments, merkle
from creditbank.proofs.canonical import NotCanonical
from creditbank.proofs.commitments import Disclosure
from creditbank.recognition.deciding import jsonforms as forms
from creditbank.recognition.deciding.jsonforms import FormInvalid
from creditbank.recognition.engine.evidence import Evidence, State

ASKED: Final = ("core", "result", "reference")
HELD: Final = ("core", "result")
"""The parts that are shown of an outcome that is used, and of one that is only looked at."""
AWARD: Final = "award"

Json = Any


@dataclass(frozen=True, kw_only=True)
class Attested:
    """A fact that somebody looked into: its name and value, who says so, and since when."""

    name: str
    value: str
    by: str
    on: date


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """One outcome: the public leaf, what is shown of its opening, and what is known besides."""

    leaf: bytes
    index: int
    opening: Disclosure
    certificate_level: str = ""
    skill_level: str = ""
    fields: tuple[str, ...] = ()
    facts: tuple[Attested, ...] = field(default=())
    state: State = "available"

    @property
    def leaf_hash(self) -> bytes:
        """The hash by which the outcome is named."""
        return merkle.leaf_hash(self.leaf)

    def faults(self) -> list[str]:
        """Say what of the opening is not what the leaf commits to; nothing when all is."""
        try:
            leaf = commitments.parse_leaf(self.leaf)
            core = self.opening.part("core")
        except NotCanonical as error:
            return [str(error)]
        found = []
        if self.opening.commitment() != leaf.commitment:
            found.append("the opening is not the one the leaf commits to")
        if leaf.kind != AWARD:
            found.append(f"the leaf is of the kind {leaf.kind}")
        if core is None or (core.get("k"), core.get("q")) != (leaf.kind, leaf.quantity):
            found.append("the opening's kind or quantity is not the leaf's")
        return found

    def evidence(self) -> Evidence:
        """Return the outcome as the engine looks at it. Raises FormInvalid."""
        try:
            core, result = self.opening.part("core"), self.opening.part("result")
            reference = self.opening.part("reference")
            if core is None:
                raise FormInvalid(expected="the outcome's core part")
            return Evidence(
                leaf=self.leaf_hash,
                index=self.index,
                outcome=Outcome.from_core(core),
                result=Result() if result is None else Result.from_part(result),
                occurrence="" if reference is None else str(reference.get("occurrence", "")),
                certificate_level=self.certificate_level,
                skill_level=self.skill_level,
                fields=self.fields,
                facts={fact.name: fact.value for fact in self.facts},
                state=self.state,
            )
        except (NotCanonical, StatementInvalid, KeyError, TypeError, ValueError) as error:
            raise FormInvalid(str(error), index=self.index) from error


def to_json(exhibit: Exhibit) -> dict[str, Json]:
    """Write an exhibit."""
    return {
        "leaf": exhibit.leaf.decode("ascii"),
        "index": exhibit.index,
        "opening": exhibit.opening.to_json(),
        **forms.said(
            certificate_level=exhibit.certificate_level,
            skill_level=exhibit.skill_level,
            fields=list(exhibit.fields),
            facts=[_fact(fact) for fact in exhibit.facts],
            state="" if exhibit.state == "available" else exhibit.state,
        ),
    }


def _fact(fact: Attested) -> dict[str, Json]:
    return {"name": fact.name, "value": fact.value, "by": fact.by, "on": fact.on.isoformat()}


def from_json(value: Json) -> Exhibit:
    """Read an exhibit. Raises FormInvalid."""
    members = forms.only(
        value,
        ["leaf", "index", "opening"],
        ["certificate_level", "skill_level", "fields", "facts", "state"],
    )
    text = forms.read_text(members["leaf"])
    state = members.get("state", "available")
    if not text.isascii() or state not in get_args(State):
        raise FormInvalid(value=text[:60], expected="a leaf in ASCII and a known state")
    try:
        opening = Disclosure.from_json(members["opening"])
    except NotCanonical as error:
        raise FormInvalid(str(error)) from error
    return Exhibit(
        leaf=text.encode("ascii"),
        index=forms.read_count(members["index"]),
        opening=opening,
        certificate_level=forms.read_text(members.get("certificate_level", "")),
        skill_level=forms.read_text(members.get("skill_level", "")),
        fields=tuple(forms.read_text(one) for one in forms.items(members.get("fields", []))),
        facts=tuple(_read_fact(one) for one in forms.items(members.get("facts", []))),
        state=state,
    )


def _read_fact(value: Json) -> Attested:
    members: Mapping[str, Json] = forms.only(value, ["name", "value", "by", "on"])
    return Attested(
        name=forms.read_text(members["name"]),
        value=forms.read_text(members["value"]),
        by=forms.read_text(members["by"]),
        on=forms.read_day(members["on"]),
    )
