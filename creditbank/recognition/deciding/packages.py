"""The package of a decision: everything it rests on, so that anyone can compute it again (pure).

`llcb/decision/v1`, canonical JSON: the rules' and the programme's documents, the
outcomes with as much of their openings as was looked at, what was asked, what
the computation proposed, what was decided line by line, who agreed (by
pseudonym) and when. No name, no identity number, no account number. The
SHA-256 of these bytes stands in the ledger entry of the decision, which the
receiving institution's stream signs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

from creditbank.proofs import canonical
from creditbank.proofs.canonical import NotCanonical
from creditbank.recognition.deciding import exhibits
from creditbank.recognition.deciding import jsonforms as forms
from creditbank.recognition.deciding.exhibits import Exhibit
from creditbank.recognition.deciding.jsonforms import FormInvalid
from creditbank.recognition.engine.findings import Finding, Grant, Line

VERSION: Final = "llcb/decision/v1"
VERDICTS: Final = ("credit", "part", "waived", "refused")

Json = Any
Document = Mapping[str, Json]
Law = Literal["filing", "decision"]


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What was decided for one target, or, without one, of an outcome that nothing is given for.

    `law` says by which day's law the rule was chosen, `law_on` which day that is.
    `average`: whether the mark counts in the learner's average at the receiving side.
    """

    rule: str = ""
    version: int = 0
    leaves: tuple[bytes, ...]
    course: str = ""
    category: str = ""
    verdict: str
    credits: Decimal = Decimal(0)
    surplus: Decimal = Decimal(0)
    surplus_category: str = ""
    mark: str = ""
    reason: str = ""
    law: str = ""
    law_on: date | None = None
    average: bool = False

    @property
    def given(self) -> bool:
        """Whether the target is met by it."""
        return self.verdict != "refused"

    @property
    def target(self) -> str:
        """The code of the course or category."""
        return self.course or self.category

    def line(self) -> Line:
        """Return it as a line that later computations build on."""
        return Line(
            rule=self.rule,
            version=self.version,
            leaves=self.leaves,
            grant=Grant(
                course=self.course,
                category=self.category,
                credits=self.credits,
                surplus=self.surplus,
                surplus_category=self.surplus_category,
                waived=self.verdict == "waived",
                mark=self.mark,
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """A line of a decision that was in force before, and that decision's number."""

    decision: str
    line: Line


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A finding that a reviewer held to be met where the computation could not tell."""

    rule: str
    version: int
    leaves: tuple[bytes, ...]
    by: str
    on: date


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """One person's agreement: at which stage, under which pseudonym, when, and if as an expert.

    `years` are the expert's whole years in the industry on that day.
    """

    stage: str
    by: str
    on: date
    years: int = 0


@dataclass(frozen=True, kw_only=True)
class Package:
    """A decision as it is kept for ever.

    `plan` is the proposal as JSON, `procedure` what the rules asked of it. `law_on`
    stands for the day of decision wherever a rule asks for it. `replaces` and
    `appeal` are numbers, when it changes an earlier decision.
    """

    number: str
    body: str
    body_name: str
    programme: Document
    rules: tuple[Document, ...]
    filed_on: date
    decided_on: date
    law_on: date
    award_on: date | None = None
    evidence: tuple[Exhibit, ...]
    held: tuple[Exhibit, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    targets: tuple[str, ...] = ()
    judged: tuple[Judged, ...] = ()
    findings: tuple[Finding, ...]
    plan: Document
    lines: tuple[Decided, ...]
    procedure: Document
    fees: tuple[Document, ...] = ()
    reviews: tuple[Reviewed, ...] = ()
    replaces: str = ""
    appeal: str = ""

    @property
    def credits(self) -> Decimal:
        """The converted credits that the decision gives in all."""
        return sum((line.credits + line.surplus for line in self.lines), Decimal(0))

    @property
    def used(self) -> tuple[bytes, ...]:
        """The outcomes that it uses: those of every line that gives something."""
        found = {leaf for line in self.lines if line.given for leaf in line.leaves}
        return tuple(one.leaf_hash for one in self.evidence if one.leaf_hash in found)


# -- writing ----------------------------------------------------------------------------------
def encode(package: Package) -> bytes:
    """Return the package's canonical bytes."""
    return canonical.encode(to_json(package))


def digest(data: bytes) -> bytes:
    """Return the digest of a package, programme or rule: SHA-256 of its canonical bytes."""
    return hashlib.sha256(data).digest()


def to_json(package: Package) -> dict[str, Json]:
    """Write a package as JSON."""
    return {
        "v": VERSION,
        "number": package.number,
        "body": package.body,
        "body_name": package.body_name,
        "programme": _document(package.programme),
        "rules": [_document(rule) for rule in package.rules],
        "days": {
            "filed_on": package.filed_on.isoformat(),
            "decided_on": package.decided_on.isoformat(),
            "law_on": package.law_on.isoformat(),
            **forms.said(award_on="" if package.award_on is None else package.award_on.isoformat()),
        },
        "evidence": [exhibits.to_json(one) for one in package.evidence],
        "held": [exhibits.to_json(one) for one in package.held],
        "earlier": [{"decision": one.decision, **forms.line(one.line)} for one in package.earlier],
        "asked": {"targets": list(package.targets)},
        "judged": [
            {
                "rule": one.rule,
                "version": one.version,
                "leaves": forms.leaves(one.leaves),
                "by": one.by,
                "on": one.on.isoformat(),
            }
            for one in package.judged
        ],
        "findings": [forms.finding(one) for one in package.findings],
        "plan": package.plan,
        "lines": [_decided(one) for one in package.lines],
        "procedure": package.procedure,
        "fees": list(package.fees),
        "reviews": [
            {
                "stage": one.stage,
                "by": one.by,
                "on": one.on.isoformat(),
                **forms.said(years=one.years),
            }
            for one in package.reviews
        ],
        **forms.said(replaces=package.replaces, appeal=package.appeal),
    }


def _document(document: Document) -> dict[str, Json]:
    """Write a document beside its digest, under which its publication stands in the log."""
    return {"digest": forms.leaf(digest(canonical.encode(document))), "document": document}


def _decided(line: Decided) -> dict[str, Json]:
    return {
        **forms.said(rule=line.rule, version=line.version),
        "leaves": forms.leaves(line.leaves),
        **forms.said(course=line.course, category=line.category),
        "verdict": line.verdict,
        "credits": forms.amount(line.credits),
        **forms.said(
            surplus=forms.amount(line.surplus) if line.surplus else "",
            surplus_category=line.surplus_category,
            mark=line.mark,
            reason=line.reason,
            law=line.law,
            law_on="" if line.law_on is None else line.law_on.isoformat(),
            average=line.average or None,
        ),
    }


# -- reading ----------------------------------------------------------------------------------
_MEMBERS: Final = (
    "v",
    "number",
    "body",
    "body_name",
    "programme",
    "rules",
    "days",
    "evidence",
    "held",
    "earlier",
    "asked",
    "judged",
    "findings",
    "plan",
    "lines",
    "procedure",
    "fees",
    "reviews",
)


def decode(data: bytes) -> Package:
    """Read a package's canonical bytes. Raises FormInvalid for anything else.

    Of what it says nothing is believed yet: that is what `replay` is for.
    """
    try:
        value = canonical.decode(data)
    except NotCanonical as error:
        raise FormInvalid(str(error)) from error
    return from_json(value)


def from_json(value: Json) -> Package:
    """Read a package. Raises FormInvalid."""
    members = forms.only(value, _MEMBERS, ["replaces", "appeal"])
    if members["v"] != VERSION:
        raise FormInvalid(value=str(members["v"])[:40], expected=VERSION)
    days = forms.only(members["days"], ["filed_on", "decided_on", "law_on"], ["award_on"])
    asked = forms.only(members["asked"], ["targets"])
    return Package(
        number=forms.read_text(members["number"]),
        body=forms.read_text(members["body"]),
        body_name=forms.read_text(members["body_name"]),
        programme=_read_document(members["programme"]),
        rules=tuple(_read_document(one) for one in forms.items(members["rules"])),
        filed_on=forms.read_day(days["filed_on"]),
        decided_on=forms.read_day(days["decided_on"]),
        law_on=forms.read_day(days["law_on"]),
        award_on=forms.read_day(days["award_on"]) if "award_on" in days else None,
        evidence=tuple(exhibits.from_json(one) for one in forms.items(members["evidence"])),
        held=tuple(exhibits.from_json(one) for one in forms.items(members["held"])),
        earlier=tuple(_read_earlier(one) for one in forms.items(members["earlier"])),
        targets=tuple(forms.read_text(one) for one in forms.items(asked["targets"])),
        judged=tuple(_read_judged(one) for one in forms.items(members["judged"])),
        findings=tuple(forms.read_finding(one) for one in forms.items(members["findings"])),
        plan=_object(members["plan"]),
        lines=tuple(_read_decided(one) for one in forms.items(members["lines"])),
        procedure=_object(members["procedure"]),
        fees=tuple(_object(one) for one in forms.items(members["fees"])),
        reviews=tuple(_read_reviewed(one) for one in forms.items(members["reviews"])),
        replaces=forms.read_text(members.get("replaces", "")),
        appeal=forms.read_text(members.get("appeal", "")),
    )


def _object(value: Json) -> Document:
    if not isinstance(value, Mapping):
        raise FormInvalid(value=str(value)[:40], expected="an object")
    return value


def _read_document(value: Json) -> Document:
    """Read a document whose digest is the one beside it. Raises FormInvalid."""
    members = forms.only(value, ["digest", "document"])
    document = _object(members["document"])
    if digest(canonical.encode(document)) != forms.read_leaf(members["digest"]):
        raise FormInvalid(value=str(members["digest"]), expected="the document's digest")
    return document


def _read_earlier(value: Json) -> Earlier:
    members = dict(forms.only(value, ["decision", "rule", "version", "leaves", "grant"]))
    number = forms.read_text(members.pop("decision"))
    return Earlier(decision=number, line=forms.read_line(members))


def _read_judged(value: Json) -> Judged:
    members = forms.only(value, ["rule", "version", "leaves", "by", "on"])
    return Judged(
        rule=forms.read_text(members["rule"]),
        version=forms.read_count(members["version"]),
        leaves=forms.read_leaves(members["leaves"]),
        by=forms.read_text(members["by"]),
        on=forms.read_day(members["on"]),
    )


def _read_decided(value: Json) -> Decided:
    members = forms.only(
        value,
        ["leaves", "verdict", "credits"],
        [
            "rule",
            "version",
            "course",
            "category",
            "surplus",
            "surplus_category",
            "mark",
            "reason",
            "law",
            "law_on",
            "average",
        ],
    )
    if members["verdict"] not in VERDICTS:
        raise FormInvalid(value=str(members["verdict"])[:40], expected=", ".join(VERDICTS))
    return Decided(
        rule=forms.read_text(members.get("rule", "")),
        version=forms.read_count(members.get("version", 0)),
        leaves=forms.read_leaves(members["leaves"]),
        course=forms.read_text(members.get("course", "")),
        category=forms.read_text(members.get("category", "")),
        verdict=members["verdict"],
        credits=forms.read_amount(members["credits"]),
        surplus=forms.read_amount(members.get("surplus", "0")),
        surplus_category=forms.read_text(members.get("surplus_category", "")),
        mark=forms.read_text(members.get("mark", "")),
        reason=forms.read_text(members.get("reason", "")),
        law=forms.read_text(members.get("law", "")),
        law_on=forms.read_day(members["law_on"]) if "law_on" in members else None,
        average=members.get("average", False) is True,
    )


def _read_reviewed(value: Json) -> Reviewed:
    members = forms.only(value, ["stage", "by", "on"], ["years"])
    return Reviewed(
        stage=forms.read_text(members["stage"]),
        by=forms.read_text(members["by"]),
        on=forms.read_day(members["on"]),
        years=forms.read_count(members.get("years", 0)),
    )


def rule_lines(package: Package) -> Sequence[Decided]:
    """Return the lines that a rule proposed, in the plan's order: the others answer for outcomes."""
    return [line for line in package.lines if line.target]
