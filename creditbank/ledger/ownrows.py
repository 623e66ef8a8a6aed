"""The rows of an institution that signs itself, and the statements they become (pure).

`rows_of` reads ROWS.json, `statements_of` makes the statements, in the order of
the rows. Every problem of every row is told at once; nothing is guessed.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

from creditbank.errors import DomainError, Problem, Refusals
from creditbank.ledger import submissions
from creditbank.ledger.numbers import parse_account
from creditbank.ledger.statements import (
    CREDITS_MAX,
    RETAKEN,
    CreditAwarded,
    EntryReversed,
    Outcome,
    Reference,
    Result,
    Statement,
    StatementInvalid,
    hundredths,
    split_generation,
)
from creditbank.proofs import strictjson

Catalogue = Mapping[str, Mapping[str, Any]]
"""Catalogue items by `code/version`, as `GET /api/v1/catalogue` returns them."""

Said = TypeVar("Said", bound=Statement)

TEXTS: Final = (
    "grade",
    "score",
    "hours",
    "certificate",
    "batch",
    "occurrence",
    "prepared_by",
    "approved_by",
)
FIELDS: Final = frozenset(
    [
        "row",
        "account",
        "waiting",
        "u",
        "credits",
        "item",
        "item_version",
        "completed_on",
        "valid_until",
        "reverses",
        "retake",
        "reason",
        *TEXTS,
    ]
)
"""What a row may hold: what the bank returned for it, who prepared and approved it, a reason."""
EARLIEST: Final = date(1950, 1, 1)


class RowsRefused(Refusals):
    """Rows that cannot be signed, each with its problems."""

    code = "rows-refused"


def rows_of(data: bytes) -> list[dict[str, Any]]:
    """Read ROWS.json: a list of rows, or an object with a member `rows`.

    Raises RowsRefused for JSON that is not strict (a name twice, NaN, nested too
    deep), for another shape, and for no rows or more than a submission may hold.
    """
    try:
        value = strictjson.loads(data)
    except strictjson.JsonRefused as error:
        raise _refused(error.code, "这份 JSON 无法按唯一的方式读取") from None
    rows = value.get("rows") if isinstance(value, dict) else value
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _refused("rows-malformed", "应为行的列表，每行一个对象", expected='{"rows": [{…}]}')
    if not rows:
        raise _refused("rows-missing", "没有要签名的行", expected="1 –")
    return rows


def position_of(data: bytes) -> tuple[int, bytes] | None:
    """Return the next number and the previous root that a file names, or None.

    Both what `resolve` returns and what the stream's own address returns name
    them, as `next_seq` and `previous`. Raises RowsRefused for JSON that is not strict.
    """
    try:
        value = strictjson.loads(data)
    except strictjson.JsonRefused as error:
        raise _refused(error.code, "这份 JSON 无法按唯一的方式读取") from None
    members = value if isinstance(value, dict) else {}
    first, previous = members.get("next_seq"), members.get("previous")
    if type(first) is not int or first < 0 or not isinstance(previous, str):
        return None
    if re.fullmatch("[0-9a-f]{64}", previous) is None:
        return None
    return first, bytes.fromhex(previous)


def catalogue_of(data: bytes) -> Catalogue:
    """Read CATALOGUE.json. Raises RowsRefused for another shape."""
    try:
        value = strictjson.loads(data)
    except strictjson.JsonRefused as error:
        raise _refused(error.code, "名录这份 JSON 无法按唯一的方式读取") from None
    if not isinstance(value, dict) or not all(isinstance(item, dict) for item in value.values()):
        raise _refused(
            "catalogue-malformed", "名录应为以“编码/版本”为名称的对象", expected='{"C001/1": {…}}'
        )
    return value


def statements_of(
    rows: Sequence[Mapping[str, Any]], catalogue: Catalogue, *, on: date
) -> list[Statement]:
    """Make the statements of all rows, for signing on the civil day `on`.

    An award for each row; before it the reversal of the entry that the row names
    in `reverses`. A row with `reverses` and without `item` is a reversal alone.
    Raises RowsRefused with every problem of every row.
    """
    statements: list[Statement] = []
    problems: list[Problem] = []
    first: dict[tuple[int, str, str], int] = {}
    for number, row in enumerate(rows, 1):
        reading = _Reading(number=number, row=row, on=on)
        said = reading.statements(catalogue)
        for one in said:
            earlier = first.setdefault((one.account, one.KIND.klass, one.u), number)
            if earlier != number:
                reading.add(
                    "duplicate-in-file",
                    "leaf" if isinstance(one, EntryReversed) else "u",
                    one.u,
                    f"≠ {earlier}",
                    "与前面的一行重复",
                )
        problems += reading.problems
        statements += said
    if not problems and len(statements) > submissions.ENTRIES_MAX:
        raise _refused(
            "rows-too-many",
            "一次报送的分录太多，请分几次",
            value=len(statements),
            expected=f"≤ {submissions.ENTRIES_MAX}",
        )
    if problems:
        raise RowsRefused(problems)
    return statements


def _refused(code: str, message: str, *, value: object = "", expected: str = "") -> RowsRefused:
    return RowsRefused(
        [Problem(code=code, message=message, value=str(value) or None, expected=expected or None)]
    )


@dataclass(kw_only=True)
class _Reading:
    """One row being read: its values and its problems."""

    number: int
    row: Mapping[str, Any]
    on: date
    problems: list[Problem] = field(default_factory=list)

    def add(self, code: str, name: str, value: object, expected: object, message: str) -> None:
        """Note a problem of a field."""
        self.problems.append(
            Problem(
                code=code,
                row=self.number,
                field=name,
                value=str(value)[:120],
                expected=str(expected)[:200] or None,
                message=message,
            )
        )

    def statements(self, catalogue: Catalogue) -> list[Statement]:
        """Return what the row says; nothing when it has a problem."""
        for name in sorted(self.row.keys() - FIELDS):
            self.add("field-unknown", name, "", ", ".join(sorted(FIELDS)), "没有这个字段")
        account = self._account()
        reversal = self._reversal(account)
        if self.row.get("item") is None and self.row.get("reverses") is not None:
            return [reversal] if reversal is not None and not self.problems else []
        award = self._award(account, catalogue)
        if self.problems or award is None:
            return []
        return [award] if reversal is None else [reversal, award]

    # -- the fields ---------------------------------------------------------------------------
    def _account(self) -> int:
        text = self.row.get("account")
        try:
            return parse_account(text if isinstance(text, str) else "")
        except DomainError:
            shown = text if isinstance(text, str) else ""
            self.add("account-number-invalid", "account", shown, "ABCD-EFGH-JKLM", "账号有误")
            return 0

    def _text(self, name: str, *, required: bool = False) -> str:
        value = self.row.get(name)
        if value is None or value == "":
            if required:
                self.add("value-missing", name, "", _SHAPES.get(name, "…"), "没有填写")
            return ""
        if not isinstance(value, str):
            self.add("value-type", name, value, '"…"', "应为文本")
            return ""
        return value

    def _day(self, name: str, *, required: bool = False) -> date | None:
        text = self._text(name, required=required)
        if not text:
            return None
        try:
            day = date.fromisoformat(text) if len(text) == 10 else None
        except ValueError:
            day = None
        if day is None:
            self.add("date-invalid", name, text, "YYYY-MM-DD", "日期无法读取")
        return day

    def _credits(self, approved: Decimal) -> Decimal:
        """Return the approved credits; or 0, which a row says of a retake that is not better."""
        value = self.row.get("credits")
        if value is None:
            return approved
        try:
            amount = Decimal(value if isinstance(value, str) else str(value))
            if isinstance(value, bool) or not amount.is_finite():
                raise InvalidOperation
        except InvalidOperation:
            self.add("credits-unreadable", "credits", value, "12.5", "学分无法读取")
            return approved
        if not 0 <= amount <= CREDITS_MAX:
            expected = f"0 – {CREDITS_MAX}"
            self.add("credits-out-of-range", "credits", amount, expected, "学分超出范围")
        elif amount * 100 != int(amount * 100):
            self.add("credits-not-hundredths", "credits", amount, "0.01", "学分须为 0.01 的整数倍")
        elif amount == 0 and self.row.get("occurrence"):
            return amount
        elif amount != approved:
            self.add("credits-differ", "credits", amount, approved, "与名录核定的学分不同")
        return approved

    def _reversal(self, account: int) -> EntryReversed | None:
        """Read which entry the row reverses, and why."""
        value = self.row.get("reverses")
        if value is None:
            if self.row.get("reason"):
                self.add(
                    "reason-without-reversal", "reason", "", "reverses", "没有写明所冲正的分录"
                )
            return None
        before = len(self.problems)
        members = value if isinstance(value, dict) else {}
        leaf = _leaf(members.get("leaf"))
        if leaf is None:
            shown = members.get("leaf", "")
            self.add("leaf-invalid", "reverses.leaf", shown, "base64, 32", "没有写明所冲正的分录")
        quantity = members.get("quantity")
        if type(quantity) is not int or not 0 <= quantity <= CREDITS_MAX * 100:
            expected = f"0 – {CREDITS_MAX * 100}"
            self.add(
                "quantity",
                "reverses.quantity",
                quantity,
                expected,
                "数量以百分之一学分计，须为整数",
            )
        alone = self.row.get("item") is None
        reason = self._text("reason", required=alone) or RETAKEN
        if len(self.problems) > before or not account:
            return None
        assert leaf is not None
        assert isinstance(quantity, int)
        return self._made(
            lambda: EntryReversed(
                account=account, leaf=leaf, quantity_undone=quantity, reason=reason
            )
        )

    def _award(self, account: int, catalogue: Catalogue) -> CreditAwarded | None:
        item, amount = self._item(catalogue)
        completed = self._day("completed_on", required=True)
        if completed is not None and completed > self.on:
            expected = f"≤ {self.on.isoformat()}"
            self.add("date-in-future", "completed_on", completed, expected, "完成日期在将来")
        elif completed is not None and completed < EARLIEST:
            expected = f"≥ {EARLIEST.isoformat()}"
            self.add("date-too-old", "completed_on", completed, expected, "完成日期太早")
        valid_until = self._day("valid_until")
        u = self._text("u", required=True)
        self._generation(u)
        texts = {name: self._text(name) for name in TEXTS}
        if self.problems or item is None or completed is None:
            return None
        return self._made(
            lambda: CreditAwarded(
                account=account,
                outcome=Outcome(
                    item=str(self.row["item"]),
                    item_version=int(self.row["item_version"]),
                    completed_on=completed,
                    valid_until=valid_until,
                    credits=amount,
                    **{name: str(item.get(name) or "") for name in _OF_THE_ITEM},
                ),
                result=Result(grade=texts["grade"], score=texts["score"], hours=texts["hours"]),
                reference=Reference(
                    u=u,
                    certificate=texts["certificate"],
                    batch=texts["batch"],
                    occurrence=texts["occurrence"],
                ),
                prepared_by=texts["prepared_by"],
                approved_by=texts["approved_by"],
            )
        )

    def _item(self, catalogue: Catalogue) -> tuple[Mapping[str, Any] | None, Decimal]:
        code, version = self._text("item", required=True), self.row.get("item_version")
        if type(version) is not int or version < 1:
            self.add("item-version", "item_version", version, "1 –", "没有写明名录的版本")
            return None, Decimal(0)
        if not code:
            return None, Decimal(0)
        item = catalogue.get(f"{code}/{version}")
        if item is None:
            self.add(
                "unknown-item", "item", f"{code}/{version}", "CATALOGUE.json", "名录中没有这个项目"
            )
            return None, Decimal(0)
        try:
            approved = Decimal(str(item["credits"]))
            hundredths(approved)
        except (KeyError, InvalidOperation, StatementInvalid):
            self.add(
                "catalogue-malformed", "item", f"{code}/{version}", "credits", "名录没有核定的学分"
            )
            return None, Decimal(0)
        return item, self._credits(approved)

    def _generation(self, u: str) -> None:
        """Check that the row names what it takes the place of when it is a further generation."""
        if not u:
            return
        try:
            _, generation = split_generation(u)
        except StatementInvalid:
            self.add("u-invalid", "u", u, ".../1", "唯一标识必须以 /1、/2 … 结尾")
            return
        if self.row.get("reverses") is not None and generation == 1:
            self.add("u-invalid", "u", u, ".../2", "取代前一次成绩的，须为下一代")

    def _made(self, make: Callable[[], Said]) -> Said | None:
        """Make a statement; what it refuses is a problem of the row."""
        try:
            return make()
        except StatementInvalid as error:
            facts = error.facts
            self.add(
                error.code,
                str(facts.get("field", "")),
                facts.get("value", ""),
                facts.get("expected", ""),
                "内容不符合账本的格式",
            )
            return None


_SHAPES: Final = {
    "completed_on": "YYYY-MM-DD",
    "u": ".../1",
    "item": "C001",
    "reason": "冲正的原因",
}

_OF_THE_ITEM: Final = (
    "kind",
    "title",
    "title_en",
    "body",
    "body_name",
    "framework",
    "level",
    "category",
)


def _leaf(text: object) -> bytes | None:
    """Read a leaf hash, as base64 (from the bank) or as hex (as `show --entries` prints it)."""
    if not isinstance(text, str):
        return None
    try:
        data = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if len(data) == 32 else None
