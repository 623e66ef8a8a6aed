"""Everything the ledger can say, as frozen values (pure: no Django).

A statement checks itself when it is made: what cannot be is not expressible.
Its canonical bytes, the opening, come from one method. The encodings are set
down in `docs/ledger-format.md`; a new statement kind changes both.
"""

from __future__ import annotations

import base64
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import ClassVar, Final

from creditbank.errors import DomainError
from creditbank.ledger import kinds
from creditbank.ledger.kinds import Kind
from creditbank.ledger.numbers import format_account
from creditbank.proofs import commitments, texts

CREDITS_MAX: Final = Decimal("200.00")
"""More than a whole programme: an award above it is a typing error."""

RETAKEN: Final = "重修，以较好的成绩计入"
"""Why an earlier attempt is reversed: it stands in the ledger, so it is in the bank's language."""

RULE: Final = "llcb/rule/v1"
PROGRAMME: Final = "llcb/programme/v1"
SCHEMAS: Final = (RULE, PROGRAMME)
"""What a publication can be of: the member `v` of the document."""

HASH_BYTES: Final = 32
HUNDREDTH: Final = Decimal("0.01")

_GENERATION: Final = re.compile(r"(?P<base>.+)/(?P<generation>[1-9][0-9]{0,3})\Z", re.DOTALL)


class StatementInvalid(DomainError):
    """A statement that cannot be: the facts name the field, the value and what was expected."""

    code: ClassVar[str] = "statement-invalid"


def hundredths(credits: Decimal) -> int:
    """Turn credits into the ledger's unit, 1/100 credit.

    Raises StatementInvalid for a figure that is not finite or not a multiple of 0.01.
    """
    if not credits.is_finite():
        raise StatementInvalid(field="credits", value=str(credits), expected="a finite number")
    scaled = credits * 100
    if scaled != scaled.to_integral_value():
        raise StatementInvalid(field="credits", value=str(credits), expected="a multiple of 0.01")
    return int(scaled)


def credits_of(quantity: int) -> Decimal:
    """Turn the ledger's unit, 1/100 credit, into credits with two places."""
    return Decimal(quantity).scaleb(-2)


def _text(name: str, value: str, *, required: bool = False) -> None:
    found = texts.fault(value, required=required)
    if found is not None:
        raise StatementInvalid(field=name, value=found[0], expected=found[1])


def _digest(name: str, value: bytes, length: int = HASH_BYTES) -> None:
    if len(value) != length:
        raise StatementInvalid(field=name, value=value.hex(), expected=f"{length} bytes")


def _credits(value: Decimal) -> int:
    """Return credits in 1/100. Raises StatementInvalid for what no entry can give."""
    quantity = hundredths(value)
    if not 0 <= value <= CREDITS_MAX:
        raise StatementInvalid(field="credits", value=str(value), expected=f"0 to {CREDITS_MAX}")
    return quantity


def _at_least_one(name: str, value: int) -> None:
    if value < 1:
        raise StatementInvalid(field=name, value=str(value), expected="1 or more")


def _days(first: tuple[str, date], last: tuple[str, date | None]) -> None:
    if last[1] is not None and last[1] < first[1]:
        raise StatementInvalid(
            field=last[0],
            value=last[1].isoformat(),
            expected=f"{first[1].isoformat()} or later",
        )


check_text: Final = _text
"""Checks a text of a statement: not too long, nothing invisible. Raises StatementInvalid."""


def split_generation(u: str) -> tuple[str, int]:
    """Split a uniqueness string into its base and its generation (`.../g`, g >= 1)."""
    match = _GENERATION.match(u)
    if match is None:
        raise StatementInvalid(field="u", value=u, expected="a text that ends in /1, /2, ...")
    return match["base"], int(match["generation"])


def award_u(*, body: str, item: str, occurrence: str = "", generation: int = 1) -> str:
    """Build the uniqueness string of an award: awarding body | item | occurrence / generation.

    What `occurrence` holds depends on the outcome's kind: nothing for a course
    (a retaken course is one outcome), the certificate number for certificates,
    the batch, the year and project, the event, or the start date for the others.
    """
    return f"{body}|{item}|{occurrence}/{generation}"


def recognition_u(*, body: str, decision: str) -> str:
    """Build the uniqueness string of a recognition: recognition | receiving body | decision / 1."""
    return f"recognition|{body}|{decision}/1"


def pre_approval_u(*, body: str, number: str) -> str:
    """Build the uniqueness string of a pre-approval: pre-approval | receiving body | number / 1."""
    return f"pre-approval|{body}|{number}/1"


def rule_u(*, schema: str, owner: str, code: str, version: int) -> str:
    """Build the uniqueness string of a publication: schema | owner | code | version / 1."""
    return f"{schema}|{owner}|{code}|{version}/1"


def acting_u(leaf: bytes, generation: int = 1) -> str:
    """Build the uniqueness string of an entry that acts on another: its leaf hash / generation.

    An undoing has generation 1. A use has g + 1 only after the use g was reversed.
    """
    return f"{leaf.hex()}/{generation}"


def b64(data: bytes) -> str:
    """Encode bytes as standard base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def _present(**members: str) -> dict[str, str]:
    return {name: value for name, value in members.items() if value}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was achieved: the part *core* of an award's opening, without kind and quantity."""

    item: str
    item_version: int
    kind: str
    title: str
    title_en: str
    body: str
    body_name: str
    credits: Decimal
    framework: str
    level: str
    category: str
    completed_on: date
    valid_until: date | None = None

    def __post_init__(self) -> None:
        for name in ("item", "kind", "title", "body", "body_name"):
            _text(name, getattr(self, name), required=True)
        for name in ("title_en", "framework", "level", "category"):
            _text(name, getattr(self, name))
        _at_least_one("item_version", self.item_version)
        _credits(self.credits)
        _days(("completed_on", self.completed_on), ("valid_until", self.valid_until))

    @cached_property
    def quantity(self) -> int:
        """The credits in the ledger's unit, 1/100 credit."""
        return hundredths(self.credits)

    @cached_property
    def members(self) -> Mapping[str, str | int]:
        """The members of the core part (all but k, q and the salt). Many awards share an outcome."""
        core: dict[str, str | int] = {
            "item": self.item,
            "iv": self.item_version,
            "kind": self.kind,
            "title": self.title,
            "body": self.body,
            "body_name": self.body_name,
            "completed_on": self.completed_on.isoformat(),
        }
        core |= _present(
            title_en=self.title_en,
            framework=self.framework,
            level=self.level,
            category=self.category,
        )
        if self.valid_until is not None:
            core["valid_until"] = self.valid_until.isoformat()
        return core

    @classmethod
    def from_core(cls, core: dict[str, str | int]) -> Outcome:
        """Read an outcome back from the core part of an opening."""
        valid_until = core.get("valid_until")
        return cls(
            item=str(core["item"]),
            item_version=int(core["iv"]),
            kind=str(core["kind"]),
            title=str(core["title"]),
            title_en=str(core.get("title_en", "")),
            body=str(core["body"]),
            body_name=str(core["body_name"]),
            credits=credits_of(int(core["q"])),
            framework=str(core.get("framework", "")),
            level=str(core.get("level", "")),
            category=str(core.get("category", "")),
            completed_on=date.fromisoformat(str(core["completed_on"])),
            valid_until=date.fromisoformat(str(valid_until)) if valid_until else None,
        )


@dataclass(frozen=True, kw_only=True)
class Result:
    """How well: grade, score and hours as the institution writes them."""

    grade: str = ""
    score: str = ""
    hours: str = ""

    def __post_init__(self) -> None:
        for name in ("grade", "score", "hours"):
            _text(name, getattr(self, name))

    @cached_property
    def members(self) -> Mapping[str, str]:
        """The members of the result part (without the salt)."""
        return _present(grade=self.grade, score=self.score, hours=self.hours)

    @classmethod
    def from_part(cls, part: dict[str, str]) -> Result:
        """Read a result back from the result part of an opening."""
        return cls(
            grade=part.get("grade", ""), score=part.get("score", ""), hours=part.get("hours", "")
        )


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Which one: what makes the outcome unique (`u`), and the numbers printed on its papers."""

    u: str
    certificate: str = ""
    batch: str = ""
    occurrence: str = ""

    def __post_init__(self) -> None:
        for name in ("certificate", "batch", "occurrence"):
            _text(name, getattr(self, name))
        _text("u", self.u, required=True)
        split_generation(self.u)

    def members(self) -> dict[str, str]:
        """Return the members of the reference part (without the salt)."""
        return {
            "u": self.u,
            **_present(certificate=self.certificate, batch=self.batch, occurrence=self.occurrence),
        }

    @classmethod
    def from_part(cls, part: dict[str, str]) -> Reference:
        """Read a reference back from the reference part of an opening."""
        return cls(
            u=part["u"],
            certificate=part.get("certificate", ""),
            batch=part.get("batch", ""),
            occurrence=part.get("occurrence", ""),
        )


@dataclass(frozen=True, kw_only=True)
class Statement(ABC):
    """One thing the ledger can say. Its opening is the truth; columns are an index of it."""

    KIND: ClassVar[Kind]
    account: int

    def __post_init__(self) -> None:
        if self.KIND.public != (self.account == 0):
            raise StatementInvalid(
                field="account",
                value=str(self.account),
                expected="0" if self.KIND.public else "a learner's account",
            )

    @property
    def kind(self) -> str:
        """The kind's name in the registry."""
        return self.KIND.name

    @property
    @abstractmethod
    def quantity(self) -> int:
        """What moves in the account, in 1/100 credit, signed."""

    @property
    @abstractmethod
    def u(self) -> str:
        """What the entry is unique by, within its account and class."""

    @property
    def acts_on(self) -> bytes | None:
        """The leaf hash of the entry this one acts on."""
        return None

    def _core(self) -> Mapping[str, str | int]:
        return {}

    def _result(self) -> Mapping[str, str]:
        return {}

    def _reference(self) -> dict[str, str]:
        members = {"u": self.u}
        if self.acts_on is not None:
            members["leaf"] = b64(self.acts_on)
        return members

    def _holder(self) -> dict[str, str]:
        return {}

    def opening(self, salts: bytes | None = None) -> bytes:
        """Return the opening's bytes: four canonical JSON objects joined by tabs.

        `salts` (64 bytes, 16 for each part) is given by tests only; otherwise
        they are drawn anew, so two openings of one statement differ.
        """
        return commitments.join(
            core={"k": self.kind, "q": self.quantity, **self._core()},
            result=self._result(),
            reference=self._reference(),
            holder={"a": format_account(self.account), **self._holder()},
            salts=salts,
        )


@dataclass(frozen=True, kw_only=True)
class CreditAwarded(Statement):
    """An institution awards credits for a learning outcome (存入学分)."""

    KIND: ClassVar[Kind] = kinds.AWARD
    outcome: Outcome
    result: Result = field(default_factory=Result)
    reference: Reference
    prepared_by: str = ""
    approved_by: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        _text("prepared_by", self.prepared_by)
        _text("approved_by", self.approved_by)

    @property
    def quantity(self) -> int:
        """The approved bank credits, in 1/100."""
        return self.outcome.quantity

    @property
    def u(self) -> str:
        """The award's uniqueness string."""
        return self.reference.u

    def _core(self) -> Mapping[str, str | int]:
        return self.outcome.members

    def _result(self) -> Mapping[str, str]:
        return self.result.members

    def _reference(self) -> dict[str, str]:
        return self.reference.members()

    def _holder(self) -> dict[str, str]:
        return _present(prepared_by=self.prepared_by, approved_by=self.approved_by)


@dataclass(frozen=True, kw_only=True)
class _Undoing(Statement):
    """An entry that undoes exactly one other and names it by its leaf hash."""

    leaf: bytes
    quantity_undone: int

    def __post_init__(self) -> None:
        super().__post_init__()
        _digest("leaf", self.leaf)

    @property
    def quantity(self) -> int:
        """Exactly the negative of what the undone entry moved."""
        return -self.quantity_undone

    @property
    def u(self) -> str:
        """The leaf undone: so one entry has at most one reversal or expiry."""
        return acting_u(self.leaf)

    @property
    def acts_on(self) -> bytes | None:
        """The leaf hash of the undone entry."""
        return self.leaf


@dataclass(frozen=True, kw_only=True)
class EntryReversed(_Undoing):
    """The stream that awarded takes an entry back (冲正), with a reason."""

    KIND: ClassVar[Kind] = kinds.AWARD_REVERSE
    reason: str
    order: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        _text("reason", self.reason, required=True)
        _text("order", self.order)

    def _core(self) -> dict[str, str | int]:
        return {"reason": self.reason, **_present(order=self.order)}


@dataclass(frozen=True, kw_only=True)
class CreditExpired(_Undoing):
    """The last valid day of an outcome has passed; entered by the bank the night after."""

    KIND: ClassVar[Kind] = kinds.EXPIRE
    valid_until: date

    def _core(self) -> dict[str, str | int]:
        return {"valid_until": self.valid_until.isoformat()}


@dataclass(frozen=True, kw_only=True)
class CreditRecognised(Statement):
    """A receiving institution recognises outcomes for one of its programmes (认定学分).

    `decision` is the number of the decision and `digest` the SHA-256 of its
    package. `credits` are the converted credits (转换学分), which are never mixed
    with bank credits; 0 when the requirement is waived. What it uses is said by
    a CreditConsumed each, in the same submission.
    """

    KIND: ClassVar[Kind] = kinds.RECOGNISE
    decision: str
    digest: bytes
    programme: str
    programme_version: int
    body: str
    body_name: str
    credits: Decimal
    decided_on: date

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("decision", "programme", "body", "body_name"):
            _text(name, getattr(self, name), required=True)
        _digest("digest", self.digest)
        _at_least_one("programme_version", self.programme_version)
        _credits(self.credits)

    @property
    def quantity(self) -> int:
        """The converted credits, in 1/100."""
        return hundredths(self.credits)

    @property
    def u(self) -> str:
        """The decision, at its body: recognised once."""
        return recognition_u(body=self.body, decision=self.decision)

    def _core(self) -> dict[str, str | int]:
        return {
            "decision": self.decision,
            "digest": b64(self.digest),
            "programme": self.programme,
            "pv": self.programme_version,
            "body": self.body,
            "body_name": self.body_name,
            "decided_on": self.decided_on.isoformat(),
        }

    @classmethod
    def from_core(cls, account: int, core: Mapping[str, str | int]) -> CreditRecognised:
        """Read a recognition back from the core part of its opening."""
        return cls(
            account=account,
            decision=str(core["decision"]),
            digest=base64.b64decode(str(core["digest"]), validate=True),
            programme=str(core["programme"]),
            programme_version=int(core["pv"]),
            body=str(core["body"]),
            body_name=str(core["body_name"]),
            credits=credits_of(int(core["q"])),
            decided_on=date.fromisoformat(str(core["decided_on"])),
        )


@dataclass(frozen=True, kw_only=True)
class CreditConsumed(Statement):
    """A decision uses an award, whole (使用): in the award's own account, beside its recognition.

    `leaf` is the award's leaf hash and `quantity_consumed` what it moved. An
    award that was used and released before is used again as the next generation.
    """

    KIND: ClassVar[Kind] = kinds.CONSUME
    leaf: bytes
    quantity_consumed: int
    decision: str
    generation: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        _digest("leaf", self.leaf)
        _text("decision", self.decision, required=True)
        _at_least_one("generation", self.generation)

    @property
    def quantity(self) -> int:
        """Exactly the negative of what the award moved."""
        return -self.quantity_consumed

    @property
    def u(self) -> str:
        """The award's leaf: so an award is used once at a time."""
        return acting_u(self.leaf, self.generation)

    @property
    def acts_on(self) -> bytes | None:
        """The leaf hash of the award."""
        return self.leaf

    def _core(self) -> dict[str, str | int]:
        return {"decision": self.decision}


@dataclass(frozen=True, kw_only=True)
class _OfDecision(_Undoing):
    """What takes back a part of a decision; `order` names the authority's order, if it was one."""

    reason: str
    decision: str
    order: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("reason", "decision"):
            _text(name, getattr(self, name), required=True)
        _text("order", self.order)

    def _core(self) -> dict[str, str | int]:
        return {
            "reason": self.reason,
            "decision": self.decision,
            **_present(order=self.order),
        }


@dataclass(frozen=True, kw_only=True)
class ConsumptionReversed(_OfDecision):
    """A use is taken back (撤回使用): with its recognition, or by the bank when the award falls.

    `quantity_undone` is what the use moved, so 0 or less.
    """

    KIND: ClassVar[Kind] = kinds.CONSUME_REVERSE


@dataclass(frozen=True, kw_only=True)
class RecognitionReversed(_OfDecision):
    """A recognition is taken back (冲正认定), after the uses that stand under it."""

    KIND: ClassVar[Kind] = kinds.RECOGNISE_REVERSE


@dataclass(frozen=True, kw_only=True)
class CreditPreApproved(Statement):
    """A receiving institution commits itself in advance (预认定).

    `number` is the pre-approval's, `digest` the SHA-256 of its package, `before`
    the last day on which the outcome may be completed. It moves nothing.
    """

    KIND: ClassVar[Kind] = kinds.PRE_APPROVE
    number: str
    digest: bytes
    programme: str
    programme_version: int
    before: date
    body: str

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("number", "programme", "body"):
            _text(name, getattr(self, name), required=True)
        _digest("digest", self.digest)
        _at_least_one("programme_version", self.programme_version)

    @property
    def quantity(self) -> int:
        """Always 0."""
        return 0

    @property
    def u(self) -> str:
        """The pre-approval's number, at its body."""
        return pre_approval_u(body=self.body, number=self.number)

    def _core(self) -> dict[str, str | int]:
        return {
            "number": self.number,
            "digest": b64(self.digest),
            "programme": self.programme,
            "pv": self.programme_version,
            "before": self.before.isoformat(),
            "body": self.body,
        }


@dataclass(frozen=True, kw_only=True)
class _Public(Statement):
    """An entry of the reserved account 0: its opening is published, it moves nothing."""

    account: int = 0

    @property
    def quantity(self) -> int:
        """Always 0."""
        return 0


@dataclass(frozen=True, kw_only=True)
class TranscriptIssued(_Public):
    """A transcript's digest is registered; the document is signed after this (decision: register, then sign)."""

    KIND: ClassVar[Kind] = kinds.TRANSCRIPT_ISSUE
    number: str
    digest: bytes

    def __post_init__(self) -> None:
        super().__post_init__()
        _text("number", self.number, required=True)
        _digest("digest", self.digest)

    @property
    def u(self) -> str:
        """The transcript's number."""
        return f"{self.number}/1"

    def _core(self) -> dict[str, str | int]:
        return {"number": self.number, "digest": b64(self.digest)}


@dataclass(frozen=True, kw_only=True)
class TranscriptRevoked(_Public):
    """A registered transcript is revoked; `successor` names the one that takes its place."""

    KIND: ClassVar[Kind] = kinds.TRANSCRIPT_REVOKE
    number: str
    digest: bytes
    leaf: bytes
    reason: str
    successor: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("number", "reason"):
            _text(name, getattr(self, name), required=True)
        _text("successor", self.successor)
        _digest("digest", self.digest)
        _digest("leaf", self.leaf)

    @property
    def u(self) -> str:
        """The leaf of the registration: a transcript is revoked once."""
        return acting_u(self.leaf)

    @property
    def acts_on(self) -> bytes | None:
        """The leaf hash of the transcript's registration."""
        return self.leaf

    def _core(self) -> dict[str, str | int]:
        return {
            "number": self.number,
            "digest": b64(self.digest),
            "reason": self.reason,
            **_present(successor=self.successor),
        }


@dataclass(frozen=True, kw_only=True)
class _KeyStatement(_Public):
    stream: str
    algorithm: str
    public: bytes

    def __post_init__(self) -> None:
        super().__post_init__()
        _text("stream", self.stream, required=True)
        _text("algorithm", self.algorithm, required=True)

    @property
    def u(self) -> str:
        """The stream and the public key: a key's life is entered once in each kind."""
        return f"{self.kind}|{self.stream}|{self.public.hex()}/1"

    def _core(self) -> dict[str, str | int]:
        return {"stream": self.stream, "algorithm": self.algorithm, "public": b64(self.public)}


@dataclass(frozen=True, kw_only=True)
class KeyAdded(_KeyStatement):
    """A stream may be signed with this key from the next entry on.

    `possession` is the key's signature over `llcb/possession/v1` NUL stream NUL public key.
    """

    KIND: ClassVar[Kind] = kinds.KEY_ADD
    possession: bytes

    def _core(self) -> dict[str, str | int]:
        return {**super()._core(), "possession": b64(self.possession)}


@dataclass(frozen=True, kw_only=True)
class KeyRetired(_KeyStatement):
    """A key signs nothing after this entry; what it signed before stays good."""

    KIND: ClassVar[Kind] = kinds.KEY_RETIRE


@dataclass(frozen=True, kw_only=True)
class KeyCompromised(_KeyStatement):
    """A key is known to be in other hands from log index `from_index` on."""

    KIND: ClassVar[Kind] = kinds.KEY_COMPROMISE
    from_index: int

    def _core(self) -> dict[str, str | int]:
        return {**super()._core(), "from": self.from_index}


@dataclass(frozen=True, kw_only=True)
class RulePublished(_Public):
    """The owner of a rule or programme publishes a version of it (公布): nobody changes it after.

    `schema` says which (RULE or PROGRAMME), `owner` is the owner's unified social
    credit code, `digest` the SHA-256 of the document's canonical bytes;
    `first_day` and `last_day` are the days on which the version is in force.
    """

    KIND: ClassVar[Kind] = kinds.RULE_PUBLISH
    schema: str
    owner: str
    code: str
    version: int
    digest: bytes
    first_day: date
    last_day: date | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _schema(self.schema)
        for name in ("owner", "code"):
            _text(name, getattr(self, name), required=True)
        _at_least_one("version", self.version)
        _digest("digest", self.digest)
        _days(("first_day", self.first_day), ("last_day", self.last_day))

    @property
    def u(self) -> str:
        """The version of the document, at its owner: published once."""
        return rule_u(schema=self.schema, owner=self.owner, code=self.code, version=self.version)

    def _core(self) -> dict[str, str | int]:
        return {
            "schema": self.schema,
            "owner": self.owner,
            "code": self.code,
            "version": self.version,
            "digest": b64(self.digest),
            "from": self.first_day.isoformat(),
            **_present(until=self.last_day.isoformat() if self.last_day else ""),
        }


@dataclass(frozen=True, kw_only=True)
class RuleWithdrawn(_Public):
    """The owner withdraws a published version: from the day `on` it is no longer in force."""

    KIND: ClassVar[Kind] = kinds.RULE_WITHDRAW
    schema: str
    owner: str
    code: str
    version: int
    leaf: bytes
    reason: str
    on: date

    def __post_init__(self) -> None:
        super().__post_init__()
        _schema(self.schema)
        for name in ("owner", "code", "reason"):
            _text(name, getattr(self, name), required=True)
        _at_least_one("version", self.version)
        _digest("leaf", self.leaf)

    @property
    def u(self) -> str:
        """The leaf of the publication: a version is withdrawn once."""
        return acting_u(self.leaf)

    @property
    def acts_on(self) -> bytes | None:
        """The leaf hash of the publication."""
        return self.leaf

    def _core(self) -> dict[str, str | int]:
        return {
            "schema": self.schema,
            "owner": self.owner,
            "code": self.code,
            "version": self.version,
            "reason": self.reason,
            "on": self.on.isoformat(),
        }


def _schema(value: str) -> None:
    if value not in SCHEMAS:
        raise StatementInvalid(field="schema", value=value, expected=" or ".join(SCHEMAS))


@dataclass(frozen=True, kw_only=True)
class Genesis(_Public):
    """The bank's first statement: who it is and with which key its own stream is signed."""

    KIND: ClassVar[Kind] = kinds.GENESIS
    bank_id: str
    stream: str
    algorithm: str
    public: bytes
    log_vkey: str

    @property
    def u(self) -> str:
        """There is one genesis."""
        return "genesis/1"

    def _core(self) -> dict[str, str | int]:
        return {
            "bank_id": self.bank_id,
            "stream": self.stream,
            "algorithm": self.algorithm,
            "public": b64(self.public),
            "log_vkey": self.log_vkey,
        }


def possession_message(stream: str, public: bytes) -> bytes:
    """Return the bytes a key signs to prove that its owner holds it."""
    return b"llcb/possession/v1\0" + stream.encode() + b"\0" + public
