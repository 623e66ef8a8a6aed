"""Cells: a date is one day however it was typed, and a mangled number is never guessed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditbank.recording import cells, columns
from creditbank.recording.cells import Broken, Number, Unreadable
from creditbank.recording.retakes import is_better, is_failed

DAY = date(2025, 6, 3)


@pytest.mark.parametrize(
    "typed",
    [
        "2025-06-03",
        "2025-6-3",
        "2025/6/3",
        "2025.6.3",
        "2025.06.03",
        "2025年6月3日",
        "2025 年 06 月 03 日",
        "２０２５年６月３日",
        "20250603",
        "2025-06-03 00:00:00",
        " 2025/06/03 ",
        "45811",
        Number("45811"),
        Number("45811.75"),
        Number("20250603"),
        DAY,
    ],
)
def test_a_day_is_read_however_it_was_typed(typed: cells.Value) -> None:
    assert cells.read_date(typed) == DAY


@pytest.mark.parametrize(
    "typed",
    [
        "25.6.3",
        "2025-6",
        "2025-13-01",
        "2025-02-29",
        "3/6/2025",
        "去年",
        "-1",
        True,
        Number("1.5"),
        "2025-06-03x",
    ],
)
def test_what_is_no_day_is_refused_and_not_guessed(typed: cells.Value) -> None:
    with pytest.raises(Unreadable) as refused:
        cells.read_date(typed)
    assert refused.value.code == "date-unreadable"


def test_a_serial_number_is_refused_where_days_are_counted_from_1904() -> None:
    with pytest.raises(Unreadable):
        cells.read_date(Number("45811"), serials=False)


@given(st.dates(min_value=date(1950, 1, 1), max_value=date(2100, 12, 31)))
def test_every_way_of_writing_a_day_gives_that_day(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    for typed in (
        day.isoformat(),
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}.{day.month:02d}.{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
        day.strftime("%Y%m%d"),
        str(serial),
        Number(str(serial)),
    ):
        assert cells.read_date(typed) == day


def outcome(read: Callable[[], object]) -> object:
    """What reading gives: the value, or the code of the refusal."""
    try:
        return read()
    except Unreadable as error:
        return error.code


@given(st.text(max_size=60))
def test_any_text_is_a_day_or_refused(text: str) -> None:
    found = outcome(lambda: cells.read_date(text))
    assert found == "date-unreadable" or isinstance(found, date)


@given(st.text(max_size=80))
def test_any_text_is_a_line_or_refused_with_a_code(text: str) -> None:
    found = outcome(lambda: cells.read_text(text, limit=40))
    assert isinstance(found, str)
    if found not in ("text-too-long", "text-character"):
        assert found == " ".join(found.split())
        assert len(found) <= 40


@pytest.mark.parametrize(
    "value", [Number("2.20102199001011e+17"), Number("12345678"), "4.4E+17", "2.20102E+17", DAY]
)
def test_a_number_that_a_spreadsheet_may_have_rounded_is_refused(value: cells.Value) -> None:
    with pytest.raises(Unreadable) as refused:
        cells.refuse_mangled(value, "identity-mangled")
    assert refused.value.code == "identity-mangled"


def test_an_error_value_is_refused_everywhere() -> None:
    for read in (cells.read_text, cells.read_part, cells.read_number, cells.read_date):
        with pytest.raises(Unreadable) as refused:
            read(Broken())
        assert refused.value.code == "cell-error"


@pytest.mark.parametrize(
    ("value", "number"),
    [("3", "3"), ("３.５０", "3.50"), (Number("86.3"), "86.3"), (" 1 000 ", "1000")],
)
def test_a_number_is_read_exactly(value: cells.Value, number: str) -> None:
    assert cells.read_number(value) == Decimal(number)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999999", "三", "", "1,5", True, DAY])
def test_what_is_no_number_is_refused(value: cells.Value) -> None:
    with pytest.raises(Unreadable):
        cells.read_number(value)


@given(st.text(alphabet="0123456789X", min_size=1, max_size=25))
def test_a_hidden_number_shows_at_most_eight_characters(number: str) -> None:
    shown = cells.mask_number(number).replace("*", "")
    assert len(shown) <= 8
    assert len(number) < 6 or "*" in cells.mask_number(number)
    assert cells.mask_number(number) != number


# -- headers ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("身份证号", "number"),
        ("*证件号码（必填）", "number"),
        ("证件 号码", "number"),
        ("姓　名", "name"),
        ("课程代码", "item"),
        ("项目代码", "item"),
        ("完成日期：", "completed_on"),
        ("学分", "credits"),
        ("成绩", "score"),
        ("等级", "grade"),
        ("ID Number", "number"),
        ("备注", None),
        ("", None),
    ],
)
def test_a_header_is_recognised_by_any_of_its_names(header: str, field: str | None) -> None:
    assert columns.field_of(header) == field


def test_no_name_stands_for_two_columns() -> None:
    names = [name for aliases in columns.ALIASES.values() for name in aliases]
    assert len({name.casefold() for name in names}) == len(names)
    assert all(
        columns.field_of(name) == field
        for field, aliases in columns.ALIASES.items()
        for name in aliases
    )


def test_missing_repeated_and_foreign_columns_are_told_apart() -> None:
    mapping = columns.read_headers(["姓名", "身份证号", "证件号码", "备注", "成绩"])
    assert mapping.repeated == ("number",)
    assert mapping.missing == ("item", "completed_on")
    assert mapping.ignored == ("备注",)
    assert mapping.positions == {"name": 0, "number": 1, "score": 4}


# -- two attempts -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("new", "held", "better"),
    [
        (("", "86"), ("", "85.5"), True),
        (("", "85.5"), ("", "86"), False),
        (("", "86"), ("", "86"), False),
        (("良好", ""), ("中等", ""), True),
        (("及格", ""), ("优秀", ""), False),
        (("B+", ""), ("B", ""), True),
        (("A-", ""), ("A", ""), False),
        (("", "优秀"), ("良好", ""), True),
        (("优秀", ""), ("A", ""), None),
        (("", "86"), ("良好", ""), None),
        (("", ""), ("", ""), None),
    ],
)
def test_the_better_of_two_attempts_is_known_or_not_guessed(
    new: tuple[str, str], held: tuple[str, str], better: bool | None
) -> None:
    assert is_better(new, held) is better


@given(st.decimals(0, 100, places=1), st.decimals(0, 100, places=1))
def test_of_two_different_scores_exactly_one_is_better(one: Decimal, other: Decimal) -> None:
    first, second = ("", str(one)), ("", str(other))
    assert (is_better(first, second), is_better(second, first)) == (one > other, other > one)


@pytest.mark.parametrize("word", ["不及格", "不 合 格", "缺考", "Ｆ", "Fail"])
def test_a_failed_attempt_is_known_by_its_word(word: str) -> None:
    assert is_failed(word, "")
    assert is_failed("", word)
    assert not is_failed("合格", "60")
