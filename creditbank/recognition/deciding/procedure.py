"""How a decision is made: what the rules of a request say of it together (pure).

A request may rest on several rules. Where they differ the stricter one holds:
the more reviewers, the longer notice, the longer time to appeal. Each part of a
procedure is read by one function of `PARTS`, so that one can be taken out and
the tests that rest on it be seen to fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

STAGES: Final = ("college", "academic-office", "assessor", "bank")
"""The stages of a chain, in the order in which a decision passes them."""

EXPECTED_DAYS: Final = 10
APPEAL_DAYS: Final = 15
EXPERT_YEARS: Final = 5

Average = Literal["excluded", "included"]
Document = Mapping[str, Any]
"""The member `procedure` of a rule's document; empty when the rule has none."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A panel that decides together: members, and how many are industry experts of so many years."""

    members: int = 1
    experts: int = 0
    years: int = EXPERT_YEARS


@dataclass(frozen=True, kw_only=True)
class Fee:
    """What a decision means for fees. `amount` is in yuan; per course where `kind` says so."""

    kind: str
    amount: Decimal | None = None
    note: str = ""
    note_en: str = ""

    def due(self, courses: int) -> Decimal:
        """Return what is to be paid for so many courses; what is given back is negative."""
        amount = self.amount or Decimal(0)
        if self.kind == "per-course":
            return amount * courses
        return {"payable": amount, "refunded": -amount}.get(self.kind, Decimal(0))


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """The procedure of one request. Days are working days, but for the civil days of an appeal.

    `automatic`: no person decides. `reviewers`: how many people must agree at
    the first stage. `chain`: the stages, one person at each of those after the
    first. `notice_days`: how long a decision is shown before it is in force.
    """

    automatic: bool = False
    reviewers: int = 1
    panel: Panel = Panel()
    chain: tuple[str, ...] = ("college",)
    expected_days: int = EXPECTED_DAYS
    notice_days: int = 0
    appeal_days: int = APPEAL_DAYS
    fees: tuple[Fee, ...] = ()
    average: Average = "excluded"

    @property
    def first_stage(self) -> int:
        """How many people must agree at the first stage."""
        return max(self.reviewers, self.panel.members)

    @property
    def people(self) -> int:
        """How many people decide in all: each of them another one."""
        return 0 if self.automatic else self.first_stage + len(self.chain) - 1

    def fee(self, courses: int) -> Decimal:
        """Return what is to be paid for so many courses, in yuan."""
        return sum((fee.due(courses) for fee in self.fees), Decimal(0))


# -- the parts --------------------------------------------------------------------------------
def _automatic(documents: Sequence[Document]) -> bool:
    return bool(documents) and all(one.get("mode") == "automatic" for one in documents)


def _reviewers(documents: Sequence[Document]) -> int:
    return max((int(one.get("reviewers", 1)) for one in documents), default=1)


def _panel(documents: Sequence[Document]) -> Panel:
    panels = [one["panel"] for one in documents if "panel" in one]
    with_experts = [one for one in panels if one.get("industry_experts")]
    return Panel(
        members=max((int(one["members"]) for one in panels), default=1),
        experts=max((int(one["industry_experts"]) for one in with_experts), default=0),
        years=max(
            (int(one.get("industry_years", EXPERT_YEARS)) for one in with_experts),
            default=EXPERT_YEARS,
        ),
    )


def _chain(documents: Sequence[Document]) -> tuple[str, ...]:
    named = {stage for one in documents for stage in one.get("chain", ())}
    return tuple(stage for stage in STAGES if stage in named) or STAGES[:1]


def _days(name: str, default: int) -> Callable[[Sequence[Document]], int]:
    def read(documents: Sequence[Document]) -> int:
        return max((int(one.get(name, default)) for one in documents), default=default)

    return read


def _fees(documents: Sequence[Document]) -> tuple[Fee, ...]:
    fees = []
    for one in documents:
        fee = one.get("fee")
        if fee is None or (fee["kind"] == "none" and not fee.get("note")):
            continue
        read = Fee(
            kind=str(fee["kind"]),
            amount=Decimal(fee["amount"]) if "amount" in fee else None,
            note=str(fee.get("note", "")),
            note_en=str(fee.get("note_en", "")),
        )
        if read not in fees:
            fees.append(read)
    return tuple(fees)


def _average(documents: Sequence[Document]) -> Average:
    told = [one.get("gpa", "excluded") for one in documents]
    return "included" if told and all(one == "included" for one in told) else "excluded"


PARTS: Final[dict[str, Callable[[Sequence[Document]], Any]]] = {
    "automatic": _automatic,
    "reviewers": _reviewers,
    "panel": _panel,
    "chain": _chain,
    "expected_days": _days("expected_days", EXPECTED_DAYS),
    "notice_days": _days("notice_days", 0),
    "appeal_days": _days("appeal_days", APPEAL_DAYS),
    "fees": _fees,
    "average": _average,
}
"""The parts by the member of `Procedure` that each gives; one that is taken out leaves the default."""


def of(documents: Sequence[Document]) -> Procedure:
    """Return the procedure of a request that rests on rules with these procedures."""
    return Procedure(**{name: read(documents) for name, read in PARTS.items()})


def to_json(procedure: Procedure) -> dict[str, Any]:
    """Return a procedure as a decision states it.

    `people` must agree at the first stage of `chain`, one at each stage after;
    of the first, `experts` have so many `expert_years` in the industry.
    """
    said: dict[str, Any] = {
        "mode": "automatic" if procedure.automatic else "review",
        "people": procedure.first_stage,
        "chain": list(procedure.chain),
        "notice_days": procedure.notice_days,
        "appeal_days": procedure.appeal_days,
    }
    if procedure.panel.experts:
        said["experts"] = procedure.panel.experts
        said["expert_years"] = procedure.panel.years
    return said


def fee_to_json(fee: Fee) -> dict[str, str]:
    """Return what a decision says of a fee."""
    said = {"kind": fee.kind, "note": fee.note, "note_en": fee.note_en}
    if fee.amount is not None:
        said["amount"] = format(fee.amount, "f")
    return {name: value for name, value in said.items() if value}
