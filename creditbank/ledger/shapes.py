"""What the parts of an opening may hold besides what the catalogue says (pure).

An opening is frozen for ever, and everyone who reads it later relies on its
members: a text where a text belongs, a day that is one, and nothing that was
not agreed on, such as a name. So what an institution's own program sends is
held against the grammar before it is entered.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from creditbank.errors import Problem
from creditbank.ledger import kinds
from creditbank.ledger.kinds import Kind
from creditbank.ledger.rowproblems import civil
from creditbank.ledger.statements import HASH_BYTES, SCHEMAS, StatementInvalid, check_text
from creditbank.proofs.commitments import Members, Opened
from creditbank.proofs.texts import TEXT_MAX

Shape = Literal["text", "text?", "day", "day?", "digest", "count", "schema"]
"""What a member of a core part is; with a mark it may be missing. A count is 1 or more."""

RESULT: Final = ("grade", "hours", "score")
REFERENCE: Final = ("batch", "certificate", "occurrence", "u")
ACTING: Final = ("leaf", "u")
HOLDER: Final = ("a", "approved_by", "prepared_by")
AWARD_TEXTS: Final = ("valid_until", "reason", "order")
"""Texts of an award's core part that the catalogue does not say; the last two do not belong there."""

_UNDOING: Final[Mapping[str, Shape]] = {"decision": "text", "order": "text?", "reason": "text"}
CORES: Final[Mapping[Kind, Mapping[str, Shape]]] = {
    kinds.AWARD_REVERSE: {"order": "text?", "reason": "text"},
    kinds.EXPIRE: {"valid_until": "day"},
    kinds.CONSUME: {"decision": "text"},
    kinds.CONSUME_REVERSE: _UNDOING,
    kinds.RECOGNISE: {
        "body": "text",
        "body_name": "text",
        "decided_on": "day",
        "decision": "text",
        "digest": "digest",
        "programme": "text",
        "pv": "count",
    },
    kinds.RECOGNISE_REVERSE: _UNDOING,
    kinds.PRE_APPROVE: {
        "before": "day",
        "body": "text",
        "digest": "digest",
        "number": "text",
        "programme": "text",
        "pv": "count",
    },
    kinds.TRANSCRIPT_ISSUE: {"digest": "digest", "number": "text"},
    kinds.TRANSCRIPT_REVOKE: {
        "digest": "digest",
        "number": "text",
        "reason": "text",
        "successor": "text?",
    },
    kinds.RULE_PUBLISH: {
        "code": "text",
        "digest": "digest",
        "from": "day",
        "owner": "text",
        "schema": "schema",
        "until": "day?",
        "version": "count",
    },
    kinds.RULE_WITHDRAW: {
        "code": "text",
        "on": "day",
        "owner": "text",
        "reason": "text",
        "schema": "schema",
        "version": "count",
    },
}
"""What a core part holds besides `k` and `q`, and nothing else. An award's is compared with the
catalogue; what is said of keys and the genesis the bank itself says."""

_HOLDER: Final = frozenset(HOLDER)


def problems(opened: Sequence[Opened]) -> list[Problem]:
    """Return what is wrong with openings, by row and member.

    Parts that many awards share (see `commitments.Members`) are looked at once.
    """
    found: list[Problem] = []
    fit: dict[int, Members] = {}
    texts: set[object] = set()
    for row, (_, core, result, reference, holder) in enumerate(opened, 1):
        if (
            id(core) in fit
            and id(result) in fit
            and id(reference) in fit
            and _plain_holder(holder, texts)
        ):
            continue
        kind = kinds.BY_NAME.get(core.get("k", ""), kinds.AWARD)
        wrong = list(_problems(row, kind, core, (result, reference, holder)))
        if wrong:
            found += wrong
        elif kind is kinds.AWARD:
            # Kept with their identity, so that no other part can take it. What fits an award
            # need not fit another kind, and the other way round.
            fit |= {id(part): part for part in (core, result, reference)}
            texts |= {value for name, value in holder.items() if name != "a"}
    return found


def _plain_holder(holder: Members, texts: set[object]) -> bool:  # noqa: FBT - told to `problems` alone
    """Say whether a holder needs no second look: an account's plain text, and texts seen before."""
    account = holder.get("a")
    return (
        holder.keys() <= _HOLDER
        and type(account) is str
        and len(account) <= TEXT_MAX
        and account.isascii()
        and account.isprintable()
        and all(value in texts for name, value in holder.items() if name != "a")
    )


def _allowed(kind: Kind) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the members that the result, reference and holder parts of a kind may hold."""
    if kind is kinds.AWARD:
        return RESULT, REFERENCE, HOLDER
    return (), ACTING if kind.acts_on else ("u",), ("a",) if kind.public else HOLDER


def _problems(row: int, kind: Kind, core: Members, parts: tuple[Members, ...]) -> Iterator[Problem]:
    for names, part in zip(_allowed(kind), parts, strict=True):
        for name, value in part.items():
            if name not in names:
                yield _unknown(row, name, names)
            else:
                yield from _text_problems(row, name, value)
    shapes = CORES.get(kind)
    if shapes is not None:
        yield from _core_problems(row, core, shapes)
        yield from _order(row, core, "from", "until")
        return
    for name in AWARD_TEXTS:
        if name in core:
            yield from _text_problems(row, name, core[name])
    if "valid_until" in core:
        yield from _day_problems(row, "valid_until", core["valid_until"])
        yield from _order(row, core, "completed_on", "valid_until")


def _core_problems(row: int, core: Members, shapes: Mapping[str, Shape]) -> Iterator[Problem]:
    """Hold a core part against what its kind is made of, no more and no less."""
    for name in core.keys() - shapes.keys() - {"k", "q"}:
        yield _unknown(row, name, tuple(shapes))
    for name, shape in shapes.items():
        if name not in core:
            if not shape.endswith("?"):
                yield _problem(row, "value-missing", name, "", shape, "没有填写")
            continue
        value = core[name]
        if shape == "count":
            if type(value) is not int or value < 1:
                yield _problem(row, "value-type", name, value, "≥ 1", "应为不小于 1 的整数")
            continue
        wrong = list(_text_problems(row, name, value, required=not shape.endswith("?")))
        yield from wrong
        if wrong:
            continue
        if shape in ("day", "day?"):
            yield from _day_problems(row, name, value)
        elif shape == "digest" and not _is_digest(value):
            yield _problem(row, "digest-invalid", name, value, "32 字节的 base64", "摘要无法读取")
        elif shape == "schema" and value not in SCHEMAS:
            yield _problem(row, "schema-unknown", name, value, ", ".join(SCHEMAS), "没有这种文件")


def _unknown(row: int, name: str, names: tuple[str, ...]) -> Problem:
    return _problem(
        row, "unknown-member", name, "", ", ".join(names) or "–", "开启内容里有不认识的成员"
    )


def _text_problems(
    row: int, name: str, value: object, *, required: bool = False
) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield _problem(row, "value-type", name, value, '"…"', "应为文本")
        return
    if name == "u":
        return  # Its length and form have a check of their own.
    try:
        check_text(name, value, required=required)
    except StatementInvalid as error:
        expected = str(error.facts.get("expected", ""))
        yield _problem(row, "text-invalid", name, value, expected, "文本过长或含有不可见的字符")


def _day_problems(row: int, name: str, value: object) -> Iterator[Problem]:
    if civil(value) is None:
        yield _problem(row, "date-invalid", name, value, "YYYY-MM-DD", "日期无法读取")


def _order(row: int, core: Members, first: str, last: str) -> Iterator[Problem]:
    """Refuse a last day that lies before the first, where both can be read."""
    begin, end = civil(core.get(first)), civil(core.get(last))
    if begin is not None and end is not None and end < begin:
        yield _problem(
            row,
            "dates-out-of-order",
            last,
            end.isoformat(),
            f"≥ {begin.isoformat()}",
            "有效期在完成之前结束" if last == "valid_until" else "期限在开始之前结束",
        )


def _is_digest(value: str) -> bool:
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(data) == HASH_BYTES and base64.b64encode(data).decode() == value


def _problem(row: int, code: str, name: str, value: object, expected: str, message: str) -> Problem:
    return Problem(
        code=code,
        row=row,
        field=name,
        value=str(value)[:120],
        expected=expected[:200],
        message=message,
    )
