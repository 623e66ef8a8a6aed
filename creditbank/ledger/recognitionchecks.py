"""What the bank checks of rows about recognition and rules before they are placed.

Each row by itself: that a body speaks for itself only, and that an entry is
unique by what it says. And the rows of a submission together: a decision is one
recognition and what it uses. What the account holds is checked under the lock
(`creditbank.ledger.acting`).
"""

from __future__ import annotations

from typing import Final

from creditbank.institutions.queries import StreamOwner
from creditbank.ledger import kinds
from creditbank.ledger.rowproblems import EARLIEST, RowProblems, civil
from creditbank.ledger.statements import (
    CREDITS_MAX,
    pre_approval_u,
    recognition_u,
    rule_u,
)
from creditbank.proofs.commitments import Members

_BINDS: Final = frozenset({kinds.RECOGNISE, kinds.PRE_APPROVE, kinds.RULE_PUBLISH})
"""Kinds by which an institution binds itself anew: for that it must be active."""
_PAIRED: Final = (
    kinds.RECOGNISE,
    kinds.CONSUME,
    kinds.RECOGNISE_REVERSE,
    kinds.CONSUME_REVERSE,
)


class RecognitionChecks:
    """The checks of one submission. `bank`: it is to the bank's own stream, which has no owner."""

    def __init__(
        self, rows: RowProblems, *, owner: StreamOwner | None, bank: bool, newest: str
    ) -> None:
        self._rows = rows
        self._owner = owner
        self._bank = bank
        self._newest = newest
        self._decisions: dict[kinds.Kind, list[tuple[int, object]]] = {}

    def look(self, row: int, kind: kinds.Kind, core: Members, reference: Members) -> None:
        """Check one row that is no award, and remember the decision it belongs to."""
        if kind in _BINDS or kind is kinds.RULE_WITHDRAW:
            self._speaks_for_itself(row, kind, core, reference)
        if kind in _PAIRED:
            self._decisions.setdefault(kind, []).append((row, core.get("decision")))

    def settle(self) -> None:
        """Check the rows together: each decision with what it uses, each release with its decision."""
        if not self._decisions:
            return
        recognised = self._decisions.get(kinds.RECOGNISE, [])
        consumed = self._decisions.get(kinds.CONSUME, [])
        first: dict[object, int] = {}
        for row, decision in recognised:
            earlier = first.setdefault(decision, row)
            if earlier != row:
                self._unpaired(row, "decision-repeated", decision, "一项决定只认定一次")
        used = {decision for _, decision in consumed}
        for row, decision in recognised:
            if decision not in used:
                self._unpaired(
                    row, "recognise-unpaired", decision, "认定须在同一次报送中写明所使用的学习成果"
                )
        for row, decision in consumed:
            if decision not in first:
                self._unpaired(
                    row, "consume-unpaired", decision, "使用学习成果须与同一决定的认定一同报送"
                )
        if self._bank:
            return  # It releases an award that falls; the decision's own body has yet to say so.
        undone = {decision for _, decision in self._decisions.get(kinds.RECOGNISE_REVERSE, [])}
        for row, decision in self._decisions.get(kinds.CONSUME_REVERSE, []):
            if decision not in undone:
                self._unpaired(
                    row, "release-unpaired", decision, "撤回使用须与同一决定的认定的冲正一同报送"
                )

    def _unpaired(self, row: int, code: str, decision: object, message: str) -> None:
        self._rows.add(row, code, "decision", decision, "", message)

    def _speaks_for_itself(
        self, row: int, kind: kinds.Kind, core: Members, reference: Members
    ) -> None:
        owner = self._owner
        if owner is None or (kind in _BINDS and not owner.active):
            self._rows.add(
                row,
                "institution-not-active",
                "k",
                kind.name,
                "",
                "这个序列的机构目前不能公布规则或作出认定",
            )
            return
        named = "owner" if kind in (kinds.RULE_PUBLISH, kinds.RULE_WITHDRAW) else "body"
        self._is_its_own(row, named, core.get(named), owner.uscc)
        if kind is kinds.RULE_PUBLISH:
            self._published(row, core, reference, owner)
        if named == "owner":
            return
        if kind is kinds.PRE_APPROVE:
            expected = pre_approval_u(body=owner.uscc, number=str(core.get("number")))
        else:
            expected = recognition_u(body=owner.uscc, decision=str(core.get("decision")))
            self._recognised(row, core, owner)
        self._unique(row, reference, expected)

    def _recognised(self, row: int, core: Members, owner: StreamOwner) -> None:
        self._is_its_own(row, "body_name", core.get("body_name"), owner.name)
        quantity, decided = core.get("q"), core.get("decided_on")
        if type(quantity) is int and not 0 <= quantity <= CREDITS_MAX * 100:
            self._rows.add(
                row, "credits-out-of-range", "q", quantity, f"0–{CREDITS_MAX}", "学分超出范围"
            )
        if civil(decided) is not None and not EARLIEST <= str(decided) <= self._newest:
            self._rows.add(
                row,
                "date-in-future" if str(decided) > self._newest else "date-too-old",
                "decided_on",
                decided,
                f"{EARLIEST} – {self._newest}",
                "决定日期不在允许的范围内",
            )

    def _published(self, row: int, core: Members, reference: Members, owner: StreamOwner) -> None:
        version = core.get("version")
        if type(version) is int:
            expected = rule_u(
                schema=str(core.get("schema")),
                owner=owner.uscc,
                code=str(core.get("code")),
                version=version,
            )
            self._unique(row, reference, expected)

    def _is_its_own(self, row: int, name: str, value: object, expected: str) -> None:
        if value != expected:
            self._rows.add(row, "not-own-body", name, value, expected, "只能以序列所属机构的名义")

    def _unique(self, row: int, reference: Members, expected: str) -> None:
        if reference.get("u") != expected:
            self._rows.add(
                row, "u-mismatch", "u", reference.get("u"), expected, "唯一标识与所写的内容不符"
            )
