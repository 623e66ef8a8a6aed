"""What an institution's rows become before it signs them: all problems at once, or statements."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from creditbank.ledger import kinds, ownrows
from creditbank.ledger.numbers import format_account
from creditbank.ledger.statements import RETAKEN, CreditAwarded, EntryReversed, b64

ACCOUNT = format_account(123_456_789)
OTHER = format_account(987_654_321)
BODY = "12220000412345678X"
ON = date(2026, 6, 30)
LEAF = bytes(range(32))
CATALOGUE: dict[str, dict[str, Any]] = {
    "C001/1": {
        "kind": "course",
        "title": "数据结构",
        "title_en": "Data Structures",
        "body": BODY,
        "body_name": "示例学院",
        "credits": "3.00",
        "framework": "",
        "level": "",
        "category": "",
    }
}


def row(**changes: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "account": ACCOUNT,
        "item": "C001",
        "item_version": 1,
        "completed_on": "2026-06-17",
        "u": f"{BODY}|C001|/1",
        "score": "86",
    } | changes
    return {name: value for name, value in facts.items() if value is not ...}


def made(*rows: dict[str, Any]) -> list[Any]:
    return list(ownrows.statements_of(rows, CATALOGUE, on=ON))


def problems(*rows: dict[str, Any]) -> list[tuple[int | None, str | None, str]]:
    with pytest.raises(ownrows.RowsRefused) as refused:
        made(*rows)
    assert all(
        one.message and one.expected is not None for one in refused.value.problems if one.row
    )
    return [(one.row, one.field, one.code) for one in refused.value.problems]


def test_a_row_is_an_award_of_what_the_catalogue_says() -> None:
    (award,) = made(row())
    assert isinstance(award, CreditAwarded)
    assert (award.quantity, award.outcome.title, award.result.score) == (300, "数据结构", "86")


def test_a_better_retake_is_the_reversal_and_then_the_next_generation() -> None:
    reverses = {"index": 7, "leaf": b64(LEAF), "quantity": 300}
    reversal, award = made(row(u=f"{BODY}|C001|/2", reverses=reverses, retake="better"))
    assert isinstance(reversal, EntryReversed)
    assert (reversal.leaf, reversal.quantity, reversal.reason) == (LEAF, -300, RETAKEN)
    assert (award.KIND, award.u) == (kinds.AWARD, f"{BODY}|C001|/2")


def test_a_retake_that_is_not_better_counts_nothing_and_names_its_term() -> None:
    term = {"u": f"{BODY}|C001|2025-2/1", "occurrence": "2025-2", "retake": "not-better"}
    (award,) = made(row(credits="0.00", **term))
    assert award.outcome.credits == Decimal(0)
    assert award.reference.occurrence == "2025-2"


def test_without_a_term_nothing_is_entered_with_0() -> None:
    assert problems(row(credits="0")) == [(1, "credits", "credits-differ")]


def test_a_row_without_an_item_is_a_reversal_alone() -> None:
    facts = {"leaf": LEAF.hex(), "quantity": 300}
    (reversal,) = made({"account": ACCOUNT, "reverses": facts, "reason": "成绩登记有误"})
    assert (reversal.KIND, reversal.leaf, reversal.reason) == (
        kinds.AWARD_REVERSE,
        LEAF,
        "成绩登记有误",
    )


def test_a_reversal_alone_needs_a_reason_and_a_leaf() -> None:
    found = problems(
        {"account": ACCOUNT, "reverses": {"leaf": LEAF.hex(), "quantity": 300}},
        {"account": ACCOUNT, "reverses": {"leaf": "AAAA", "quantity": 3.5}, "reason": "误"},
        {"account": ACCOUNT, "reverses": 7, "reason": "误"},
        row(reason="误"),
    )
    assert found == [
        (1, "reason", "value-missing"),
        (2, "reverses.leaf", "leaf-invalid"),
        (2, "reverses.quantity", "quantity"),
        (3, "reverses.leaf", "leaf-invalid"),
        (3, "reverses.quantity", "quantity"),
        (4, "reason", "reason-without-reversal"),
    ]


def test_what_takes_another_s_place_is_of_a_further_generation() -> None:
    reverses = {"leaf": LEAF.hex(), "quantity": 300}
    assert problems(row(reverses=reverses)) == [(1, "u", "u-invalid")]


BAD: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"account": "0000-0000-0001"}, [("account", "account-number-invalid")]),
    ({"account": ACCOUNT[:-1] + ("0" if ACCOUNT[-1] != "0" else "1")},
     [("account", "account-number-invalid")]),
    ({"account": 7}, [("account", "account-number-invalid")]),
    ({"account": ...}, [("account", "account-number-invalid")]),
    ({"item": "C999"}, [("item", "unknown-item")]),
    ({"item_version": 2}, [("item", "unknown-item")]),
    ({"item_version": "1"}, [("item_version", "item-version")]),
    ({"credits": "200.01"}, [("credits", "credits-out-of-range")]),
    ({"credits": "-0.01"}, [("credits", "credits-out-of-range")]),
    ({"credits": "2.005"}, [("credits", "credits-not-hundredths")]),
    ({"credits": "2.50"}, [("credits", "credits-differ")]),
    ({"credits": "NaN"}, [("credits", "credits-unreadable")]),
    ({"credits": "Infinity"}, [("credits", "credits-unreadable")]),
    ({"credits": True}, [("credits", "credits-unreadable")]),
    ({"credits": []}, [("credits", "credits-unreadable")]),
    ({"completed_on": "2026-07-01"}, [("completed_on", "date-in-future")]),
    ({"completed_on": "1949-12-31"}, [("completed_on", "date-too-old")]),
    ({"completed_on": "2026-02-30"}, [("completed_on", "date-invalid")]),
    ({"completed_on": "20260617"}, [("completed_on", "date-invalid")]),
    ({"completed_on": 20260617}, [("completed_on", "value-type")]),
    ({"completed_on": ...}, [("completed_on", "value-missing")]),
    ({"valid_until": "2026-06-16"}, [("valid_until", "statement-invalid")]),
    ({"u": "somewhere"}, [("u", "u-invalid")]),
    ({"u": ...}, [("u", "value-missing")]),
    ({"score": 86}, [("score", "value-type")]),
    ({"score": "a\tb"}, [("score", "statement-invalid")]),
    ({"grade": "x" * 301}, [("grade", "statement-invalid")]),
    ({"certificat": "1"}, [("certificat", "field-unknown")]),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), BAD)
def test_each_thing_wrong_with_a_row_is_named(
    changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    bad = row(**({"account": OTHER} | changes))
    assert problems(row(), bad) == [(2, *one) for one in expected]


def test_all_problems_of_all_rows_are_told_at_once() -> None:
    found = problems(
        row(account="x", item="C999", completed_on="2030-01-01"),
        row(),
        row(account=OTHER, credits="2.005", u="x"),
    )
    assert found == [
        (1, "account", "account-number-invalid"),
        (1, "item", "unknown-item"),
        (1, "completed_on", "date-in-future"),
        (3, "credits", "credits-not-hundredths"),
        (3, "u", "u-invalid"),
    ]


def test_a_row_that_repeats_another_is_named_with_it() -> None:
    with pytest.raises(ownrows.RowsRefused) as refused:
        made(row(), row(account=OTHER), row(score="90"))
    (found,) = refused.value.problems
    assert (found.row, found.field, found.code) == (3, "u", "duplicate-in-file")
    assert found.expected == "≠ 1"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"rows": [{"account": "a", "account": "b"}]}', "json-duplicate-name"),
        (b'{"rows": [{"credits": NaN}]}', "json-constant"),
        (b'{"rows": [{"credits": -Infinity}]}', "json-constant"),
        (b"[" * 100_000 + b"]" * 100_000, "json-too-deep"),
        (b'{"rows":' * 100_000, "json-too-deep"),
        (b"PK\x03\x04", "json-malformed"),
        (b"%PDF-1.7 \xff", "json-not-utf8"),
        (b"\xff\xfe[\x00]\x00", "json-not-utf8"),
        (b"", "json-malformed"),
        (b"[]", "rows-missing"),
        (b'{"rows": []}', "rows-missing"),
        (b'{"rows": [1]}', "rows-malformed"),
        (b'{"row": []}', "rows-malformed"),
        (b'"rows"', "rows-malformed"),
    ],
)
def test_a_file_that_is_no_list_of_rows_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(ownrows.RowsRefused) as refused:
        ownrows.rows_of(data)
    assert [one.code for one in refused.value.problems] == [code]


@pytest.mark.parametrize("read", [ownrows.rows_of, ownrows.catalogue_of])
def test_strict_json_is_asked_of_both_files(read: Callable[[bytes], Any]) -> None:
    with pytest.raises(ownrows.RowsRefused):
        read(b'{"C001/1": {}, "C001/1": {}}')


def test_a_catalogue_of_another_shape_is_refused() -> None:
    for value in ([], {"C001/1": 3}, "x"):
        with pytest.raises(ownrows.RowsRefused):
            ownrows.catalogue_of(json.dumps(value).encode())
    broken = {"C001/1": {**CATALOGUE["C001/1"], "credits": "many"}}
    with pytest.raises(ownrows.RowsRefused) as refused:
        ownrows.statements_of([row()], broken, on=ON)
    assert refused.value.problems[0].code == "catalogue-malformed"
